"""Transposed convolutions: images made larger by a kernel that is learned."""

from __future__ import annotations

from typing import Any, Unpack

from clearprop import initializers, ops, regularizers
from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.checks import BuildShape, label, positive_integer
from clearprop.layers.options import LayerOptions
from clearprop.layers.spatial import ConvolutionBase
from clearprop.layers.weight import Weight
from clearprop.ops.sliding import PerAxis


class _TransposedConvolution(ConvolutionBase):
    """A transposed convolution in any number of dimensions."""

    kernel: Weight

    def __init__(
        self,
        filters: int,
        kernel_size: PerAxis,
        strides: PerAxis = 1,
        padding: str = "valid",
        output_padding: PerAxis | None = None,
        data_format: str | None = None,
        dilation_rate: PerAxis = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.filters = positive_integer(self, "filters", filters)
        self.set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.output_padding = output_padding
        if self.padding not in {"valid", "same"}:
            raise ArgumentError(
                f"{label(self)}: it has no such padding",
                found=f"padding={padding!r}",
                needed='"valid" or "same"',
                at=str(here()),
            )
        if output_padding is not None:
            self.output_padding = self.per_axis("output_padding", output_padding, smallest=0)
            if any(m >= s for m, s in zip(self.output_padding, self.strides, strict=True)):
                raise ArgumentError(
                    f"{label(self)}: less than one stride can be added at the end",
                    found=f"output_padding={output_padding}, strides={self.strides}",
                    needed="output_padding < strides on each axis",
                    at=str(here()),
                )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.set_ending(
            activation, use_bias, bias_initializer, bias_regularizer, activity_regularizer
        )

    def build(self, input_shape: BuildShape) -> None:
        """Make the kernel and the bias for this number of channels."""
        self.kernel = self.add_weight(
            (*self.kernel_size, self.filters, self.input_channels(input_shape)),
            self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
        )
        self.add_bias(self.filters)

    def call(self, inputs: Value) -> Any:
        """g(inputs spread by the kernel + bias)."""
        outputs = ops.conv_transpose(
            self.checked(inputs),
            self.kernel,
            self.strides,
            str(self.padding),
            self.output_padding,
            self.dilation_rate,
        )
        return self.finished(outputs)


class Conv1DTranspose(_TransposedConvolution):
    """A convolution of sequences read backwards: it makes them longer.

    The arguments are those of ``Conv2DTranspose``, with one axis instead of two.

    Shapes:
        x: (batch, steps, in)  ->  (batch, longer, filters); longer is
        (steps - 1) strides + max(kernel_size, strides), or steps * strides for ``"same"``

    Weights:
        kernel: (kernel_size, filters, in), Glorot uniform.
        bias: (filters,), zeros.

    Example:
        >>> import clearprop as cp
        >>> layer = cp.layers.Conv1DTranspose(1, 2, strides=2, kernel_initializer="ones")
        >>> layer([[[1.0], [2.0]]]).tolist()
        [[[1.0], [1.0], [2.0], [2.0]]]
    """

    rank = 1


class Conv2DTranspose(_TransposedConvolution):
    """A convolution of images read backwards: it makes them larger.

    Each number of x is spread over a window of the result, weighted by the kernel; where windows
    overlap, the numbers add up.

    Args:
        filters: number of kernels, the channels of the result.
        kernel_size: length of the window: a number, or one for rows and one for columns.
        strides: how many times larger the result is.
        padding: ``"valid"`` or ``"same"`` (the result is ``strides`` times as large as x).
        output_padding: places that are added at the end, less than the stride.
        data_format: None or ``"channels_last"``.
        dilation_rate: places from one element of the window to the next.
        activation: name or function g; None for none.
        use_bias: whether a bias is added.
        kernel_initializer: draws the first kernel.
        bias_initializer: draws the first bias.
        kernel_regularizer: adds a penalty on the kernel to the loss.
        bias_regularizer: adds a penalty on the bias to the loss.
        activity_regularizer: adds a penalty on the result, per sample, to the loss.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, rows, columns, in)  ->  (batch, *larger, filters); on each axis larger is
        (size - 1) strides + max(kernel_size, strides), or size * strides for ``"same"``

    Weights:
        kernel: (*kernel_size, filters, in), Glorot uniform.
        bias: (filters,), zeros.

    Example:
        >>> import clearprop as cp
        >>> layer = cp.layers.Conv2DTranspose(1, 2, strides=2, kernel_initializer="ones")
        >>> layer([[[[3.0]]]]).tolist()
        [[[[3.0], [3.0]], [[3.0], [3.0]]]]
    """

    rank = 2


class Conv3DTranspose(_TransposedConvolution):
    """A convolution of volumes read backwards: it makes them larger.

    The arguments are those of ``Conv2DTranspose``, with three axes instead of two.

    Shapes:
        x: (batch, planes, rows, columns, in)  ->  (batch, *larger, filters); on each axis larger
        is (size - 1) strides + max(kernel_size, strides), or size * strides for ``"same"``

    Weights:
        kernel: (*kernel_size, filters, in), Glorot uniform.
        bias: (filters,), zeros.

    Example:
        >>> import clearprop as cp
        >>> layer = cp.layers.Conv3DTranspose(1, (1, 1, 2), kernel_initializer="ones")
        >>> layer([[[[[3.0]]]]]).tolist()
        [[[[[3.0], [3.0]]]]]
    """

    rank = 3
