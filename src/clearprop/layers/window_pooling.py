"""Pooling: images made smaller, one number for each window."""

from __future__ import annotations

from typing import Unpack

from clearprop import ops
from clearprop.ir.value import Value
from clearprop.layers.checks import label
from clearprop.layers.options import LayerOptions
from clearprop.layers.spatial import SpatialLayer
from clearprop.ops.sliding import Padding, PerAxis, known_padding


class _Pooling(SpatialLayer):
    """A window that slides and sums up what it sees."""

    def __init__(
        self,
        pool_size: PerAxis,
        strides: PerAxis | None = None,
        padding: Padding = "valid",
        data_format: str | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.pool_size = self.per_axis("pool_size", pool_size)
        self.strides = None if strides is None else self.per_axis("strides", strides)
        self.padding = known_padding(padding, self.rank, label(self))
        self.data_format = self.channels_last(data_format)


class _MaxPooling(_Pooling):
    """The greatest number of each window, for each channel."""

    def __init__(
        self,
        pool_size: PerAxis = 2,
        strides: PerAxis | None = None,
        padding: Padding = "valid",
        data_format: str | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **options)

    def call(self, inputs: Value) -> Value:
        """The greatest numbers."""
        self.needs_space(inputs.shape)
        return ops.max_pool(inputs, self.pool_size, self.strides, self.padding)


class _AveragePooling(_Pooling):
    """The mean of each window, for each channel."""

    def call(self, inputs: Value) -> Value:
        """The means."""
        self.needs_space(inputs.shape)
        return ops.average_pool(inputs, self.pool_size, self.strides, self.padding)


class MaxPooling1D(_MaxPooling):
    """The greatest number of each window of steps.

    The arguments are those of ``MaxPooling2D``, with one axis instead of two.

    Shapes:
        x: (batch, steps, channels)  ->  (batch, N, channels),
        N = (W - F + 2P)/S + 1, rounded down

    Example:
        >>> import clearprop as cp
        >>> cp.layers.MaxPooling1D()([[[1.0], [3.0], [2.0], [0.0]]]).tolist()
        [[[3.0], [2.0]]]
    """

    rank = 1


class MaxPooling2D(_MaxPooling):
    """The greatest number of each window of an image, for each channel.

    The derivative goes to the greatest number, to the first one of equal ones.

    Args:
        pool_size: length of the window: a number, or one for rows and one for columns.
        strides: places from one position of the window to the next; its length by default.
        padding: ``"valid"`` (windows that stick out are left out), ``"same"`` (they are kept), or
            numbers of places around x; what lies in the padding is never the greatest.
        data_format: None or ``"channels_last"``.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, rows, columns, channels)  ->  (batch, N, M, channels);
        on each axis N = (W - F + 2P)/S + 1, rounded down

    Example:
        >>> import clearprop as cp
        >>> cp.layers.MaxPooling2D()([[[[1.0], [3.0]], [[2.0], [0.0]]]]).tolist()
        [[[[3.0]]]]
    """

    rank = 2


class MaxPooling3D(_MaxPooling):
    """The greatest number of each window of a volume, for each channel.

    The arguments are those of ``MaxPooling2D``, with three axes instead of two.

    Shapes:
        x: (batch, planes, rows, columns, channels)  ->  (batch, *positions, channels);
        on each axis N = (W - F + 2P)/S + 1, rounded down

    Example:
        >>> import clearprop as cp
        >>> cp.layers.MaxPooling3D((2, 1, 1))([[[[[1.0]]], [[[3.0]]]]]).tolist()
        [[[[[3.0]]]]]
    """

    rank = 3


class AveragePooling1D(_AveragePooling):
    """The mean of each window of steps.

    The arguments are those of ``AveragePooling2D``, with one axis instead of two.

    Shapes:
        x: (batch, steps, channels)  ->  (batch, N, channels),
        N = (W - F + 2P)/S + 1, rounded down

    Example:
        >>> import clearprop as cp
        >>> cp.layers.AveragePooling1D(2, padding="same")([[[1.0], [3.0], [8.0]]]).tolist()
        [[[2.0], [8.0]]]
    """

    rank = 1


class AveragePooling2D(_AveragePooling):
    """The mean of each window of an image, for each channel.

    Args:
        pool_size: length of the window: a number, or one for rows and one for columns.
        strides: places from one position of the window to the next; its length by default.
        padding: ``"valid"`` (windows that stick out are left out), ``"same"`` (they are kept), or
            numbers of places around x; what lies in the padding is not counted in a mean.
        data_format: None or ``"channels_last"``.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, rows, columns, channels)  ->  (batch, N, M, channels);
        on each axis N = (W - F + 2P)/S + 1, rounded down

    Example:
        >>> import clearprop as cp
        >>> cp.layers.AveragePooling2D(2)([[[[1.0], [3.0]], [[2.0], [0.0]]]]).tolist()
        [[[[1.5]]]]
    """

    rank = 2


class AveragePooling3D(_AveragePooling):
    """The mean of each window of a volume, for each channel.

    The arguments are those of ``AveragePooling2D``, with three axes instead of two.

    Shapes:
        x: (batch, planes, rows, columns, channels)  ->  (batch, *positions, channels);
        on each axis N = (W - F + 2P)/S + 1, rounded down

    Example:
        >>> import clearprop as cp
        >>> cp.layers.AveragePooling3D((2, 1, 1))([[[[[1.0]]], [[[3.0]]]]]).tolist()
        [[[[[2.0]]]]]
    """

    rank = 3
