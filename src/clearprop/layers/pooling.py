"""A whole sequence, image or volume summed up in one step."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

from clearprop import ops
from clearprop.ir.value import Value
from clearprop.layers.checks import channels_axis, needs_rank
from clearprop.layers.layer import Layer
from clearprop.layers.masks import needs_mask
from clearprop.layers.options import LayerOptions

_SPACE = {1: "steps", 2: "rows, columns", 3: "planes, rows, columns"}


class _GlobalPooling(Layer):
    """A layer that reduces all axes of space."""

    rank: ClassVar[int]

    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        channels_axis(self, data_format, 3)  # refuses an unknown one
        self.data_format, self.keepdims = data_format, keepdims

    def space(self, inputs: Value) -> tuple[int, ...]:
        """The axes of space."""
        first, axes = self.data_format == "channels_first", _SPACE[self.rank]
        needs_rank(
            self,
            inputs.shape,
            f"(batch, features, {axes})" if first else f"(batch, {axes}, features)",
        )
        return tuple(range(1 + first, 1 + first + self.rank))


class _GlobalAveragePooling(_GlobalPooling):
    """The mean over all places."""

    def call(self, inputs: Value) -> Value:
        """The means."""
        return ops.mean(inputs, self.space(inputs), keepdims=self.keepdims)


class _GlobalMaxPooling(_GlobalPooling):
    """The largest number over all places."""

    def call(self, inputs: Value) -> Value:
        """The largest numbers."""
        return ops.max(inputs, self.space(inputs), keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalAveragePooling):
    """The mean over all steps.

    Args:
        data_format: ``"channels_last"`` (by default) or ``"channels_first"``.
        keepdims: whether the axis of the steps stays, with length 1.
        **options: ``name``, ``trainable``, ``dtype``.

    Steps that a mask excludes do not count; where it excludes all, there is no mean (NaN).

    Shapes:
        x: (batch, steps, features), mask: bool (batch, steps)  ->  (batch, features)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.GlobalAveragePooling1D()([[[1.0, 2.0], [3.0, 4.0]]]).tolist()
        [[2.0, 3.0]]
    """

    rank = 1

    def call(self, inputs: Value, mask: Value | None = None) -> Value:
        """The means of the steps that count."""
        if mask is None:
            return super().call(inputs)
        (steps,) = self.space(inputs)
        needs_mask(self, mask, (inputs.shape[0], inputs.shape[steps]))
        counts = ops.expand_dims(mask, 3 - steps)
        total = ops.sum(ops.where(counts, inputs, 0.0), steps, keepdims=self.keepdims)
        number = ops.sum(ops.cast(counts, total.dtype), steps, keepdims=self.keepdims)
        return ops.divide(total, number)

    def compute_mask(self, inputs: Value, mask: Any) -> None:
        """The steps are gone, and their mask with them."""


class GlobalAveragePooling2D(_GlobalAveragePooling):
    """The mean over a whole image, for each channel.

    Args:
        data_format: ``"channels_last"`` (by default) or ``"channels_first"``.
        keepdims: whether the axes of rows and columns stay, with length 1.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, rows, columns, features)  ->  (batch, features)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.GlobalAveragePooling2D()([[[[1.0, 2.0]], [[3.0, 4.0]]]]).tolist()
        [[2.0, 3.0]]
    """

    rank = 2


class GlobalAveragePooling3D(_GlobalAveragePooling):
    """The mean over a whole volume, for each channel.

    The arguments are those of ``GlobalAveragePooling2D``.

    Shapes:
        x: (batch, planes, rows, columns, features)  ->  (batch, features)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.GlobalAveragePooling3D()([[[[[1.0]], [[3.0]]]]]).tolist()
        [[2.0]]
    """

    rank = 3


class GlobalMaxPooling1D(_GlobalMaxPooling):
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

    rank = 1


class GlobalMaxPooling2D(_GlobalMaxPooling):
    """The largest number of a whole image, for each channel.

    Args:
        data_format: ``"channels_last"`` (by default) or ``"channels_first"``.
        keepdims: whether the axes of rows and columns stay, with length 1.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, rows, columns, features)  ->  (batch, features)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.GlobalMaxPooling2D()([[[[1.0, 4.0]], [[3.0, 2.0]]]]).tolist()
        [[3.0, 4.0]]
    """

    rank = 2


class GlobalMaxPooling3D(_GlobalMaxPooling):
    """The largest number of a whole volume, for each channel.

    The arguments are those of ``GlobalMaxPooling2D``.

    Shapes:
        x: (batch, planes, rows, columns, features)  ->  (batch, features)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.GlobalMaxPooling3D()([[[[[1.0]], [[3.0]]]]]).tolist()
        [[3.0]]
    """

    rank = 3
