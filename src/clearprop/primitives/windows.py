"""The greatest element and the sum of sliding windows, and where derivatives go from there.

    window_max     the greatest element          its gradient: window_scatter to window_argmax
    window_argmax  which tap of the window that is (whole numbers, no derivative)
    window_gather  the element at a given tap    window_gather and window_scatter are each
    window_scatter a number put back at a tap    other's gradient, by the numbers they move
    window_sum     the sum                       window_sum and window_spread are each other's
    window_spread  a number to all its elements  gradient

Images and signals are (batch, *space, channels); the window slides over the axes of space.  The
taps of a window are numbered row by row; what lies in the padding is no element.
"""

from __future__ import annotations

import math
from typing import Unpack

import numpy as np

from clearprop.dtypes import I32, U8
from clearprop.errors import ShapeError
from clearprop.ir.primitive import Gradients, Primitive, no_flops
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.checks import ANY_KIND, needs_kind
from clearprop.primitives.selection import SELECT
from clearprop.primitives.windowing import (
    Windowing,
    moved_back,
    one_flop_per_tap,
    taps_of,
    windows_shape,
)

# -- window_max ---------------------------------------------------------------------------


def window_max(x: Value, **windowing: Unpack[Windowing]) -> Value:
    """The greatest element of each window; NaN where one is NaN.

    A window that lies in the padding altogether gives the least number of the element type.

    Args:
        x: signals, images or volumes.
        **windowing: ``window``, ``strides``, ``padding``, ``dilation``, as told in ``Windowing``.

    Shapes:
        x: (batch, *space, channels)  ->  (batch, *positions, channels);
        on each axis N = (W - F + 2P)/S + 1 positions, rounded down.

    Gradient:
        d_output goes to the greatest element, to the first one of equal ones.

    Raises:
        ShapeError: the window does not fit.
    """
    return WINDOW_MAX.apply(x, **windowing)


def _max_infer(x: TensorType, **windowing: Unpack[Windowing]) -> TensorType:
    return TensorType(windows_shape("window_max", x.shape, windowing), x.dtype)


def _least(x: Array) -> float | int | bool:
    kind = x.dtype.kind
    return -math.inf if kind == "f" else False if kind == "b" else int(np.iinfo(x.dtype).min)


def _max_meaning(x: Array, **windowing: Unpack[Windowing]) -> Array:
    output = np.full(windows_shape("window_max", x.shape, windowing), _least(x), x.dtype)
    for _, positions, elements in taps_of(x, output, windowing):
        np.maximum(output[positions], x[elements], out=output[positions])
    return output


def _max_gradient(
    d_output: Value, output: Value, x: Value, **windowing: Unpack[Windowing]
) -> Gradients:
    taps = window_argmax(x, **windowing)
    return (window_scatter(d_output, taps, space=x.shape[1:-1], **windowing),)


WINDOW_MAX = Primitive(
    "window_max",
    infer=_max_infer,
    meaning=_max_meaning,
    gradient=_max_gradient,
    flops=one_flop_per_tap,
)

# -- window_argmax ------------------------------------------------------------------------


def window_argmax(x: Value, **windowing: Unpack[Windowing]) -> Value:
    """Which tap of each window lies on its greatest element: the first one; a NaN beats all.

    The numbers are u8 for windows of up to 256 taps (they are kept for the backward pass, and
    there are many), i32 for larger ones.

    Args:
        x: signals, images or volumes.
        **windowing: as in ``window_max``.

    Shapes:
        x: (batch, *space, channels)  ->  (batch, *positions, channels)
    """
    return WINDOW_ARGMAX.apply(x, **windowing)


def _argmax_infer(x: TensorType, **windowing: Unpack[Windowing]) -> TensorType:
    shape = windows_shape("window_argmax", x.shape, windowing)
    return TensorType(shape, U8 if math.prod(windowing["window"]) <= 256 else I32)


def _argmax_meaning(x: Array, **windowing: Unpack[Windowing]) -> Array:
    type_ = _argmax_infer(TensorType(x.shape, x.dtype), **windowing)
    taps = np.zeros(type_.shape, type_.dtype)
    greatest = _max_meaning(x, **windowing)
    has_nan = bool(np.isnan(greatest).any())
    # From the last tap to the first, so that the first of equal elements is the one that stays.
    for tap, positions, elements in taps_of(x, taps, windowing):
        wins = x[elements] == greatest[positions]
        if has_nan:
            wins |= np.isnan(x[elements])
        this = np.asarray(tap, taps.dtype)
        taps[positions] = SELECT.meaning(wins, this, taps[positions])
    return taps


WINDOW_ARGMAX = Primitive(
    "window_argmax",
    infer=_argmax_infer,
    meaning=_argmax_meaning,
    gradient=None,
    flops=one_flop_per_tap,
)

# -- window_gather and window_scatter -----------------------------------------------------


def window_gather(x: Value, taps: Value, **windowing: Unpack[Windowing]) -> Value:
    """The element of each window that lies at a given tap; 0 where no element lies there.

    Args:
        x: signals, images or volumes.
        taps: for each window the number of a tap.
        **windowing: as in ``window_max``.

    Shapes:
        x: (batch, *space, channels), taps: (batch, *positions, channels) of integers
        ->  (batch, *positions, channels)

    Gradient:
        d_x = window_scatter(d_output, taps).
    """
    return WINDOW_GATHER.apply(x, taps, **windowing)


def _gather_infer(x: TensorType, taps: TensorType, **windowing: Unpack[Windowing]) -> TensorType:
    needs_kind("window_gather", taps, "iu")
    shape = windows_shape("window_gather", x.shape, windowing)
    _needs_one_each("window_gather", taps, shape)
    return TensorType(shape, needs_kind("window_gather", x, ANY_KIND).dtype)


def _needs_one_each(word: str, taps: TensorType, shape: Shape) -> None:
    if taps.shape != shape:
        raise ShapeError(
            f"{word}: each window needs the number of one tap",
            found=f"taps: {taps}",
            needed=f"shape {shape}",
        )


def _gather_meaning(x: Array, taps: Array, **windowing: Unpack[Windowing]) -> Array:
    output = np.zeros(taps.shape, x.dtype)
    for tap, positions, elements in taps_of(x, taps, windowing):
        here = taps[positions] == tap
        output[positions] = SELECT.meaning(here, x[elements], output[positions])
    return output


def _gather_gradient(
    d_output: Value, output: Value, x: Value, taps: Value, **windowing: Unpack[Windowing]
) -> Gradients:
    return window_scatter(d_output, taps, space=x.shape[1:-1], **windowing), None


def _gather_flops(x: TensorType, taps: TensorType, **_: object) -> int:
    return no_flops(x)


WINDOW_GATHER = Primitive(
    "window_gather",
    infer=_gather_infer,
    meaning=_gather_meaning,
    gradient=_gather_gradient,
    flops=_gather_flops,
)


def window_scatter(
    updates: Value, taps: Value, *, space: Shape, **windowing: Unpack[Windowing]
) -> Value:
    """Zeros, with each window's number added to the element at a given tap of it.

    Where no element lies at that tap, the number is lost.

    Args:
        updates: a number for each window.
        taps: for each window the number of a tap.
        space: lengths of the result's axes without batch and channels.
        **windowing: as in ``window_max``.

    Shapes:
        updates: (batch, *positions, channels), taps: the same shape of integers
        ->  (batch, *space, channels)

    Gradient:
        d_updates = window_gather(d_output, taps).
    """
    return WINDOW_SCATTER.apply(updates, taps, space=space, **windowing)


def _scatter_infer(
    updates: TensorType, taps: TensorType, *, space: Shape, **windowing: Unpack[Windowing]
) -> TensorType:
    needs_kind("window_scatter", updates, "iuf")
    needs_kind("window_scatter", taps, "iu")
    x = moved_back("window_scatter", updates, space, windowing)
    _needs_one_each("window_scatter", taps, updates.shape)
    return x


def _scatter_meaning(
    updates: Array, taps: Array, *, space: Shape, **windowing: Unpack[Windowing]
) -> Array:
    x = np.zeros((len(updates), *space, updates.shape[-1]), updates.dtype)
    zero = np.zeros((), updates.dtype)
    for tap, positions, elements in taps_of(x, updates, windowing):
        x[elements] += SELECT.meaning(taps[positions] == tap, updates[positions], zero)
    return x


def _scatter_gradient(
    d_output: Value,
    output: Value,
    updates: Value,
    taps: Value,
    *,
    space: Shape,
    **windowing: Unpack[Windowing],
) -> Gradients:
    return window_gather(d_output, taps, **windowing), None


def _scatter_flops(updates: TensorType, taps: TensorType, **_: object) -> int:
    return updates.size


WINDOW_SCATTER = Primitive(
    "window_scatter",
    infer=_scatter_infer,
    meaning=_scatter_meaning,
    gradient=_scatter_gradient,
    flops=_scatter_flops,
)

# -- window_sum and window_spread ---------------------------------------------------------


def window_sum(x: Value, **windowing: Unpack[Windowing]) -> Value:
    """The sum of each window's elements.

    Args:
        x: signals, images or volumes.
        **windowing: as in ``window_max``.

    Shapes:
        x: (batch, *space, channels)  ->  (batch, *positions, channels)

    Gradient:
        d_x = window_spread(d_output).

    Raises:
        ShapeError: the window does not fit.
    """
    return WINDOW_SUM.apply(x, **windowing)


def _sum_infer(x: TensorType, **windowing: Unpack[Windowing]) -> TensorType:
    needs_kind("window_sum", x, "iuf")
    return TensorType(windows_shape("window_sum", x.shape, windowing), x.dtype)


def _sum_meaning(x: Array, **windowing: Unpack[Windowing]) -> Array:
    output = np.zeros(windows_shape("window_sum", x.shape, windowing), x.dtype)
    for _, positions, elements in taps_of(x, output, windowing):
        output[positions] += x[elements]
    return output


def _sum_gradient(
    d_output: Value, output: Value, x: Value, **windowing: Unpack[Windowing]
) -> Gradients:
    return (window_spread(d_output, space=x.shape[1:-1], **windowing),)


WINDOW_SUM = Primitive(
    "window_sum",
    infer=_sum_infer,
    meaning=_sum_meaning,
    gradient=_sum_gradient,
    flops=one_flop_per_tap,
)


def window_spread(updates: Value, *, space: Shape, **windowing: Unpack[Windowing]) -> Value:
    """For each element the sum of the numbers of all windows that it lies in.

    Args:
        updates: a number for each window.
        space: lengths of the result's axes without batch and channels.
        **windowing: as in ``window_max``.

    Shapes:
        updates: (batch, *positions, channels)  ->  (batch, *space, channels)

    Gradient:
        d_updates = window_sum(d_output).
    """
    return WINDOW_SPREAD.apply(updates, space=space, **windowing)


def _spread_infer(
    updates: TensorType, *, space: Shape, **windowing: Unpack[Windowing]
) -> TensorType:
    needs_kind("window_spread", updates, "iuf")
    return moved_back("window_spread", updates, space, windowing)


def _spread_meaning(updates: Array, *, space: Shape, **windowing: Unpack[Windowing]) -> Array:
    x = np.zeros((len(updates), *space, updates.shape[-1]), updates.dtype)
    for _, positions, elements in taps_of(x, updates, windowing):
        x[elements] += updates[positions]
    return x


def _spread_gradient(
    d_output: Value,
    output: Value,
    updates: Value,
    *,
    space: Shape,
    **windowing: Unpack[Windowing],
) -> Gradients:
    return (window_sum(d_output, **windowing),)


def _spread_flops(updates: TensorType, *, space: Shape, **windowing: Unpack[Windowing]) -> int:
    return updates.size * math.prod(windowing["window"])


WINDOW_SPREAD = Primitive(
    "window_spread",
    infer=_spread_infer,
    meaning=_spread_meaning,
    gradient=_spread_gradient,
    flops=_spread_flops,
)
