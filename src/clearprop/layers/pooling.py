"""A sequence of any length summed up in one step."""

from __future__ import annotations

from typing import Unpack

from clearprop import ops
from clearprop.ir.value import Value
from clearprop.layers.checks import channels_axis, needs_rank
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions


class _GlobalPooling1D(Layer):
    """A layer that reduces the steps of a sequence."""

    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        channels_axis(self, data_format, 3)  # refuses an unknown one
        self.data_format, self.keepdims = data_format, keepdims

    def _steps_axis(self, inputs: Value) -> int:
        first = self.data_format == "channels_first"
        needs_rank(
            self,
            inputs.shape,
            "(batch, features, steps)" if first else "(batch, steps, features)",
        )
        return 2 if first else 1


class GlobalAveragePooling1D(_GlobalPooling1D):
    """The mean over all steps.

    Args:
        data_format: ``"channels_last"`` (by default) or ``"channels_first"``.
        keepdims: whether the axis of the steps stays, with length 1.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, steps, features)  ->  (batch, features)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.GlobalAveragePooling1D()([[[1.0, 2.0], [3.0, 4.0]]]).tolist()
        [[2.0, 3.0]]
    """

    def call(self, inputs: Value) -> Value:
        """The means."""
        return ops.mean(inputs, self._steps_axis(inputs), keepdims=self.keepdims)


class GlobalMaxPooling1D(_GlobalPooling1D):
    """The largest number over all steps, for each feature.

    Args:
        data_format: ``"channels_last"`` (by default) or ``"channels_first"``.
        keepdims: whether the axis of the steps stays, with length 1.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, steps, features)  ->  (batch, features)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.GlobalMaxPooling1D()([[[1.0, 4.0], [3.0, 2.0]]]).tolist()
        [[3.0, 4.0]]
    """

    def call(self, inputs: Value) -> Value:
        """The largest numbers."""
        return ops.max(inputs, self._steps_axis(inputs), keepdims=self.keepdims)
