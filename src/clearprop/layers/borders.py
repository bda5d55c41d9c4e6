"""Zeros put around images, and borders cut off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from clearprop import ops
from clearprop.errors import ShapeError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.checks import label
from clearprop.layers.options import LayerOptions
from clearprop.layers.spatial import SpatialLayer

Border = int | Sequence[Any]


# -- padding -------------------------------------------------------------------------------


class _ZeroPadding(SpatialLayer):
    """Zeros around each sample."""

    def __init__(
        self,
        padding: Border = 1,
        data_format: str | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.padding = self.pairs_per_axis("padding", padding)
        self.data_format = self.channels_last(data_format)

    def call(self, inputs: Value) -> Value:
        """The samples with zeros around them."""
        self.needs_space(inputs.shape)
        return ops.pad(inputs, ((0, 0), *self.padding, (0, 0)))


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after each sequence.

    Args:
        padding: how many on each side, or (before, after).
        data_format: None or ``"channels_last"``.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, steps, channels)  ->  (batch, before + steps + after, channels)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.ZeroPadding1D((0, 2))([[[1.0]]]).tolist()
        [[[1.0], [0.0], [0.0]]]
    """

    rank = 1


class ZeroPadding2D(_ZeroPadding):
    """Zeros around each image.

    Args:
        padding: how many on each side; or one number for rows and one for columns; or
            ((top, bottom), (left, right)).
        data_format: None or ``"channels_last"``.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, rows, columns, channels)
        ->  (batch, top + rows + bottom, left + columns + right, channels)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.ZeroPadding2D((0, 1))([[[[5.0]]]]).tolist()
        [[[[0.0], [5.0], [0.0]]]]
    """

    rank = 2


class ZeroPadding3D(_ZeroPadding):
    """Zeros around each volume.

    Args:
        padding: how many on each side; or one number, or pair (before, after), for each axis.
        data_format: None or ``"channels_last"``.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, planes, rows, columns, channels)  ->  the same with longer axes of space

    Example:
        >>> import clearprop as cp
        >>> cp.layers.ZeroPadding3D((0, 0, (1, 0)))([[[[[5.0]]]]]).tolist()
        [[[[[0.0], [5.0]]]]]
    """

    rank = 3


# -- cropping ------------------------------------------------------------------------------


class _Cropping(SpatialLayer):
    """Each sample without its borders."""

    def __init__(
        self,
        cropping: Border,
        data_format: str | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.cropping = self.pairs_per_axis("cropping", cropping)
        self.data_format = self.channels_last(data_format)

    def call(self, inputs: Value) -> Value:
        """What is left of the samples."""
        self.needs_space(inputs.shape)
        parts = [slice(None)]
        for length, (before, after) in zip(inputs.shape[1:-1], self.cropping, strict=True):
            if before + after >= length:
                raise ShapeError(
                    f"{label(self)}: nothing would be left",
                    found=f"x: {inputs.type}, cropping={self.cropping}",
                    needed="less than the length of each axis",
                    at=str(here()),
                )
            parts.append(slice(before, length - after))
        return ops.index(inputs, tuple(parts))


class Cropping1D(_Cropping):
    """Sequences without their first and last steps.

    Args:
        cropping: how many on each side, or (before, after).
        data_format: None or ``"channels_last"``.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, steps, channels)  ->  (batch, steps - before - after, channels)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.Cropping1D()([[[1.0], [2.0], [3.0]]]).tolist()
        [[[2.0]]]
    """

    rank = 1

    def __init__(
        self,
        cropping: Border = (1, 1),
        data_format: str | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(cropping, data_format, **options)


class Cropping2D(_Cropping):
    """Images without their borders.

    Args:
        cropping: how many on each side; or one number for rows and one for columns; or
            ((top, bottom), (left, right)).
        data_format: None or ``"channels_last"``.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, rows, columns, channels)
        ->  (batch, rows - top - bottom, columns - left - right, channels)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.Cropping2D(((0, 0), (1, 0)))([[[[5.0], [6.0]]]]).tolist()
        [[[[6.0]]]]
    """

    rank = 2

    def __init__(
        self,
        cropping: Border = ((0, 0), (0, 0)),
        data_format: str | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(cropping, data_format, **options)


class Cropping3D(_Cropping):
    """Volumes without their borders.

    Args:
        cropping: how many on each side; or one number, or pair (before, after), for each axis.
        data_format: None or ``"channels_last"``.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, planes, rows, columns, channels)  ->  the same with shorter axes of space

    Example:
        >>> import clearprop as cp
        >>> cp.layers.Cropping3D((0, 0, (1, 0)))([[[[[5.0], [6.0]]]]]).tolist()
        [[[[[6.0]]]]]
    """

    rank = 3

    def __init__(
        self,
        cropping: Border = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(cropping, data_format, **options)
