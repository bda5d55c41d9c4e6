"""What layers that slide over one, two or three axes of space have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from clearprop import activations, initializers, ops, regularizers
from clearprop.errors import UnsupportedError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.activity import penalize_activity
from clearprop.layers.checks import (
    BuildShape,
    channels_axis,
    known_lengths,
    label,
    needs_length,
    needs_rank,
)
from clearprop.layers.layer import Layer
from clearprop.layers.weight import Weight
from clearprop.ops.sliding import (
    Padding,
    PerAxis,
    known_padding,
    pairs_per_axis,
    per_axis,
)

_AXES = {1: "steps", 2: "rows, columns", 3: "planes, rows, columns"}


class SpatialLayer(Layer):
    """A layer on signals, images or volumes with the channels last.

    Attributes:
        rank: how many axes of space there are.

    Shapes:
        x: (batch, *space, channels)
    """

    rank: ClassVar[int]

    def per_axis(self, name: str, value: Any, smallest: int = 1) -> tuple[int, ...]:
        """An argument as one number for each axis of space."""
        return per_axis(value, self.rank, name, label(self), smallest=smallest)

    def pairs_per_axis(self, name: str, value: Any) -> tuple[tuple[int, int], ...]:
        """An argument as (before, after) for each axis of space."""
        return pairs_per_axis(value, self.rank, name, label(self))

    def channels_last(self, data_format: str | None) -> str | None:
        """The argument ``data_format``, where it asks for nothing else.

        Raises:
            UnsupportedError: it asks for the channels in front.
        """
        if channels_axis(self, data_format, self.rank + 2) == 1:
            order = (*range(2, self.rank + 2), 1)
            raise UnsupportedError(
                f"{label(self)}: the channels are the last axis of images here",
                found=f"data_format={data_format!r}",
                needed=f"inputs (batch, {_AXES[self.rank]}, channels)",
                try_=f"Permute({order}) as the first layer moves the channels of each sample",
                at=str(here()),
            )
        return data_format

    def needs_space(self, shape: BuildShape) -> None:
        """Refuse an input without the right number of axes."""
        needs_rank(
            self,
            shape,
            f"(batch, {_AXES[self.rank]}, channels)",
            for_missing="x[..., None] for one channel, or x[None] for a batch of one sample",
        )


class ConvolutionBase(SpatialLayer):
    """A layer that slides a kernel, adds a bias and applies an activation.

    Shapes:
        x: (batch, *space, in)  ->  (batch, *positions, out)
    """

    bias: Weight | None

    def set_window(
        self,
        kernel_size: PerAxis,
        strides: PerAxis,
        padding: Padding,
        data_format: str | None,
        dilation_rate: PerAxis,
    ) -> None:
        """Keep how the kernel slides."""
        self.kernel_size = self.per_axis("kernel_size", kernel_size)
        self.strides = self.per_axis("strides", strides)
        self.padding = known_padding(padding, self.rank, label(self))
        self.data_format = self.channels_last(data_format)
        self.dilation_rate = self.per_axis("dilation_rate", dilation_rate)

    def set_ending(
        self,
        activation: Any,
        use_bias: bool,
        bias_initializer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
    ) -> None:
        """Keep what happens after the convolution."""
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)

    def input_channels(self, input_shape: BuildShape) -> int:
        """How many channels the inputs have."""
        self.needs_space(input_shape)
        (self._channels,) = known_lengths(self, input_shape, (-1,))
        return self._channels

    def add_bias(self, channels: int) -> None:
        """Make the bias, if there is one."""
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (channels,),
                self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
            )

    def checked(self, inputs: Value) -> Value:
        """The inputs, once they fit the kernel."""
        self.needs_space(inputs.shape)
        needs_length(self, inputs, -1, self._channels, "channels")
        return inputs

    def finished(self, outputs: Value) -> Any:
        """What comes out: g(outputs + bias)."""
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        outputs = self.activation(outputs)
        penalize_activity(self, self.activity_regularizer, outputs)
        return outputs
