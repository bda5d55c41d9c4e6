"""Windows that sum up what they slide over: the greatest element, the mean."""

from __future__ import annotations

import numpy as np

from clearprop import primitives as p
from clearprop.errors import ShapeError
from clearprop.ir.value import Value
from clearprop.ops.arithmetic import divide
from clearprop.ops.lift import ArrayLike, as_float, lift
from clearprop.ops.operation import operation
from clearprop.ops.sliding import Padding, PerAxis, known_padding, padding_pairs, per_axis
from clearprop.primitives.windowing import Windowing


@operation
def max_pool(
    x: ArrayLike,
    pool_size: PerAxis,
    strides: PerAxis | None = None,
    padding: Padding = "valid",
    dilation: PerAxis = 1,
) -> Value:
    """The greatest element of each window, for each channel.

    The derivative goes to the greatest element, to the first one of equal ones.

    Args:
        x: a batch of signals, images or volumes.
        pool_size: length of the window.
        strides: places from one position of the window to the next; its length by default.
        padding: ``"valid"``, ``"same"``, a number, or one number or pair (before, after) for each
            axis; what lies in the padding is no element.
        dilation: places from one element of the window to the next.

    Shapes:
        x: (batch, *space, channels)  ->  (batch, *positions, channels),
        with N = (W - F + 2P)/S + 1 positions on each axis, rounded down.

    Raises:
        ShapeError: the window does not fit.
        ArgumentError: an argument is no such number.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.max_pool([[[1.0], [3.0], [2.0], [0.0]]], 2).tolist()
        [[[3.0], [2.0]]]
    """
    value = lift(x)[0]
    return p.window_max(value, **_windowing(value, pool_size, strides, padding, dilation))


@operation
def average_pool(
    x: ArrayLike,
    pool_size: PerAxis,
    strides: PerAxis | None = None,
    padding: Padding = "valid",
) -> Value:
    """The mean of each window's elements, for each channel; padding does not count.

    Args:
        x: a batch of signals, images or volumes.
        pool_size: length of the window.
        strides: places from one position of the window to the next; its length by default.
        padding: as in ``max_pool``.

    Shapes:
        x: (batch, *space, channels)  ->  (batch, *positions, channels)

    Raises:
        ShapeError: the window does not fit.
        ArgumentError: an argument is no such number.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.average_pool([[[1.0], [3.0], [8.0]]], 2, padding="same").tolist()
        [[[2.0], [8.0]]]
    """
    value = as_float(lift(x)[0])
    windowing = _windowing(value, pool_size, strides, padding, 1)
    total = p.window_sum(value, **windowing)
    ones = np.ones((1, *value.shape[1:-1], 1), value.dtype)
    counts = np.maximum(p.WINDOW_SUM.meaning(ones, **windowing), 1)
    same = counts.size and bool((counts == counts.flat[0]).all())
    return divide(total, counts.flat[0] if same else counts)


def _windowing(
    x: Value, pool_size: PerAxis, strides: PerAxis | None, padding: Padding, dilation: PerAxis
) -> Windowing:
    doing, rank = "Pooling", len(x.shape) - 2
    if not 1 <= rank <= 3:
        raise ShapeError(
            f"{doing}: a window slides over one, two or three axes",
            found=f"x: {x.type}",
            needed="(batch, *space, channels), such as (32, 28, 28, 1)",
            try_="x[None] for a batch of one; x[..., None] for one channel",
        )
    window = per_axis(pool_size, rank, "pool_size", doing)
    steps = window if strides is None else per_axis(strides, rank, "strides", doing)
    gaps = per_axis(dilation, rank, "dilation", doing)
    known = known_padding(padding, rank, doing)
    return {
        "window": window,
        "strides": steps,
        "padding": padding_pairs(known, x.shape[1:-1], window, steps, gaps),
        "dilation": gaps,
    }
