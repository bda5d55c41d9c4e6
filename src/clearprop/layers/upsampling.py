"""Images made larger without weights."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from clearprop import ops
from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.value import Array, Value
from clearprop.layers.checks import label
from clearprop.layers.options import LayerOptions
from clearprop.layers.spatial import SpatialLayer
from clearprop.ops.lift import lift_float
from clearprop.ops.sliding import PerAxis


class _UpSampling(SpatialLayer):
    """Each number several times along each axis of space."""

    def __init__(
        self,
        size: PerAxis = 2,
        data_format: str | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.size = self.per_axis("size", size)
        self.data_format = self.channels_last(data_format)

    def call(self, inputs: Value) -> Any:
        """The larger samples."""
        self.needs_space(inputs.shape)
        for axis, times in enumerate(self.size, start=1):
            inputs = ops.repeat(inputs, times, axis)
        return inputs


class UpSampling1D(_UpSampling):
    """Each step of a sequence several times.

    Args:
        size: how often.
        data_format: None or ``"channels_last"``.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, steps, channels)  ->  (batch, steps * size, channels)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.UpSampling1D()([[[1.0], [2.0]]]).tolist()
        [[[1.0], [1.0], [2.0], [2.0]]]
    """

    rank = 1


class UpSampling2D(_UpSampling):
    """Images made larger: each number several times, or straight lines between the numbers.

    Args:
        size: how many times larger: a number, or one for rows and one for columns.
        data_format: None or ``"channels_last"``.
        interpolation: ``"nearest"`` repeats each number; ``"bilinear"`` puts the numbers into the
            middle of their new squares, and straight lines between them.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, rows, columns, channels)  ->  (batch, rows * size, columns * size, channels)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.UpSampling2D((1, 2))([[[[1.0], [3.0]]]]).tolist()
        [[[[1.0], [1.0], [3.0], [3.0]]]]
        >>> layer = cp.layers.UpSampling2D((1, 2), interpolation="bilinear")
        >>> layer([[[[1.0], [3.0]]]]).tolist()
        [[[[1.0], [1.5], [2.5], [3.0]]]]
    """

    rank = 2

    def __init__(
        self,
        size: PerAxis = 2,
        data_format: str | None = None,
        interpolation: str = "nearest",
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(size, data_format, **options)
        if interpolation not in {"nearest", "bilinear"}:
            raise ArgumentError(
                f"{label(self)}: there is no such interpolation here",
                found=f"interpolation={interpolation!r}",
                needed='"nearest" or "bilinear"',
                at=str(here()),
            )
        self.interpolation = interpolation

    def call(self, inputs: Value) -> Any:
        """The larger images."""
        if self.interpolation == "nearest":
            return super().call(inputs)
        self.needs_space(inputs.shape)
        x = lift_float(inputs)
        for axis, times in enumerate(self.size, start=1):
            weights = _straight_lines(x.shape[axis], times).astype(x.dtype)
            x = ops.moveaxis(ops.tensordot(x, weights, ((axis,), (1,))), -1, axis)
        return x


def _straight_lines(length: int, times: int) -> Array:
    """The weights of ``length`` numbers in each of ``length * times`` places between them."""
    places = (np.arange(length * times) + 0.5) / times - 0.5
    places = np.clip(places, 0, max(length - 1, 0))
    return np.asarray(np.maximum(0, 1 - np.abs(places[:, None] - np.arange(length))))


class UpSampling3D(_UpSampling):
    """Each number of a volume several times along each axis.

    Args:
        size: how often: a number, or one for each axis.
        data_format: None or ``"channels_last"``.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, planes, rows, columns, channels)  ->  the same with axes of space ``size`` times
        as long

    Example:
        >>> import clearprop as cp
        >>> cp.layers.UpSampling3D((1, 1, 2))([[[[[1.0]]]]]).tolist()
        [[[[[1.0], [1.0]]]]]
    """

    rank = 3
