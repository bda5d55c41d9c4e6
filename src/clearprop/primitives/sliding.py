"""How a window slides over the axes of an array: how often it fits, and what it meets there.

On each axis, position o of the window and its element number t (its *tap* t) lie on place
``o * stride + t * dilation - low`` of the input, whose elements may themselves stand
``input_dilation`` places apart.  Convolution, pooling and all their derivatives are sums or
choices over taps; for one tap the positions and the elements they meet are plain slices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import gcd
from typing import NamedTuple, TypedDict

from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.types import Shape

Counts = tuple[int, ...]  # one number for each axis that the window slides over
Padding = tuple[tuple[int, int], ...]  # for each such axis: places before, places after


class Slide(TypedDict):
    """A window and how it slides, with one entry for each axis.

    Attributes:
        window: its length.
        strides: places from one position to the next.
        padding: places (before, after) the input that the window may cover.
        dilation: places from one tap to the next.
        input_dilation: places from one element of the input to the next.
    """

    window: Counts
    strides: Counts
    padding: Padding
    dilation: Counts
    input_dilation: Counts


class Meeting(NamedTuple):
    """One tap of the window.

    Attributes:
        tap: its number, row by row.
        positions: those at which the tap lies on an element of the input.
        elements: the elements it lies on, in the same order.
    """

    tap: int
    positions: tuple[slice, ...]
    elements: tuple[slice, ...]


def positions_of(word: str, sizes: Sequence[int], slide: Slide) -> Shape:
    """How many positions the window has on each axis: N = (W - F + 2P)/S + 1, rounded down.

    W is the input's length with the gaps inside it, F the window's, 2P the padding of both sides
    together and S the stride.

    Args:
        word: which primitive asks.
        sizes: lengths of the input's axes.
        slide: the window.

    Raises:
        ArgumentError: these numbers describe no sliding window.
        ShapeError: it fits nowhere on one of the axes.
    """
    _check(word, len(sizes), slide)
    counts = []
    for axis, size in enumerate(sizes):
        width = _stretched(size, slide["input_dilation"][axis])
        span = _stretched(slide["window"][axis], slide["dilation"][axis])
        borders, stride = sum(slide["padding"][axis]), slide["strides"][axis]
        room = width - span + borders
        if room < 0:
            raise ShapeError(
                f"{word}: the window does not fit on axis {axis + 1}",
                found=f"W = {width} elements, a window of F = {span}, padding 2P = {borders}, "
                f"stride S = {stride}",
                needed=f"N = (W - F + 2P)/S + 1 of at least 1; "
                f"({width} - {span} + {borders})/{stride} + 1 = {room / stride + 1:g}",
                try_='padding="same", a smaller window, or larger inputs',
            )
        counts.append(room // stride + 1)
    return tuple(counts)


def _check(word: str, rank: int, slide: Slide) -> None:
    entries: list[tuple[object, ...]] = [
        slide["window"],
        slide["strides"],
        slide["padding"],
        slide["dilation"],
        slide["input_dilation"],
    ]
    if any(len(entry) != rank for entry in entries):
        raise ArgumentError(
            f"{word}: each axis that the window slides over needs its own numbers",
            found=_told(slide),
            needed=f"{rank} of each",
        )
    steps = (*slide["window"], *slide["strides"], *slide["dilation"], *slide["input_dilation"])
    if min(steps, default=1) < 1 or any(len(p) != 2 or min(p) < 0 for p in slide["padding"]):
        raise ArgumentError(
            f"{word}: a window cannot be or move like this",
            found=_told(slide),
            needed="window, strides and dilations of at least 1, padding (before, after) of >= 0",
        )


def _told(slide: Slide) -> str:
    return ", ".join(f"{name}={value}" for name, value in slide.items())


def meetings(sizes: Sequence[int], counts: Sequence[int], slide: Slide) -> Iterator[Meeting]:
    """Every tap that meets any element, in order, with where it does.

    Args:
        sizes: lengths of the input's axes.
        counts: number of positions on each axis.
        slide: the window.
    """
    on_each_axis = []
    for axis, (size, count) in enumerate(zip(sizes, counts, strict=True)):
        low, _ = slide["padding"][axis]
        shifts = (tap * slide["dilation"][axis] - low for tap in range(slide["window"][axis]))
        stride, gap = slide["strides"][axis], slide["input_dilation"][axis]
        on_each_axis.append([_meeting(size, count, stride, shift, gap) for shift in shifts])
    for tap, pairs in enumerate(product(*on_each_axis)):
        met = [pair for pair in pairs if pair is not None]
        if len(met) == len(pairs):
            yield Meeting(tap, tuple(pair[0] for pair in met), tuple(pair[1] for pair in met))


def _meeting(
    size: int, count: int, stride: int, shift: int, gap: int
) -> tuple[slice, slice] | None:
    """The positions o < count with o * stride + shift = gap * i, and those elements i < size."""
    common = gcd(stride, gap)
    if shift % common:
        return None
    step, ahead = gap // common, stride // common  # from one meeting to the next
    position = next(o for o in range(step) if (o * stride + shift) % gap == 0)
    element = (position * stride + shift) // gap
    skipped = max(0, -(element // ahead))  # meetings before the first element
    position, element = position + skipped * step, element + skipped * ahead
    number = min(-((position - count) // step), -((element - size) // ahead))
    if number <= 0:
        return None
    return (
        slice(position, position + (number - 1) * step + 1, step),
        slice(element, element + (number - 1) * ahead + 1, ahead),
    )


def _stretched(size: int, gap: int) -> int:
    """Length of ``size`` elements that stand ``gap`` places apart."""
    return (size - 1) * gap + 1 if size else 0
