"""What all words of sliding windows share: shapes, and which elements each tap meets."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import TypedDict, Unpack

from clearprop.errors import ShapeError
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array
from clearprop.primitives.sliding import Counts, Meeting, Padding, Slide, meetings, positions_of


class Windowing(TypedDict):
    """A window and how it slides; each entry has one number for each axis of space.

    Attributes:
        window: its length.
        strides: places from one position to the next.
        padding: places (before, after) x that the window may cover, without elements.
        dilation: places from one tap to the next.
    """

    window: Counts
    strides: Counts
    padding: Padding
    dilation: Counts


def _slide(windowing: Windowing) -> Slide:
    return {**windowing, "input_dilation": (1,) * len(windowing["window"])}


def windows_shape(word: str, x: Shape, windowing: Windowing) -> Shape:
    """One number for each window of x, once the window fits."""
    if not 3 <= len(x) <= 5:
        raise ShapeError(
            f"{word}: a window slides over one, two or three axes",
            found=f"x of shape {x}",
            needed="(batch, *space, channels)",
            try_="x[None] for a batch of one; x[..., None] for one channel",
        )
    return (x[0], *positions_of(word, x[1:-1], _slide(windowing)), x[-1])


@lru_cache(maxsize=512)
def _meetings(
    space: Shape, positions: Shape, **windowing: Unpack[Windowing]
) -> tuple[Meeting, ...]:
    return tuple(meetings(space, positions, _slide(windowing)))


def taps_of(
    x: Array, output: Array, windowing: Windowing
) -> Iterator[tuple[int, tuple[slice, ...], tuple[slice, ...]]]:
    """(tap, where in the output, where in x), last tap first."""
    found = _meetings(x.shape[1:-1], output.shape[1:-1], **windowing)
    for tap, positions, elements in reversed(found):
        yield tap, (slice(None), *positions), (slice(None), *elements)


def one_flop_per_tap(x: TensorType, **windowing: Unpack[Windowing]) -> int:
    """The cost of looking at each element of each window once."""
    output = windows_shape("window", x.shape, windowing)
    return math.prod(output) * math.prod(windowing["window"])


def moved_back(word: str, given: TensorType, space: Shape, windowing: Windowing) -> TensorType:
    """The type of x, once its windows have the shape of ``given``."""
    x = (*given.shape[:1], *space, *given.shape[-1:])
    needed = windows_shape(word, x, windowing)
    if given.shape != needed:
        raise ShapeError(
            f"{word}: there must be one number for each window",
            found=f"{given} for space {space}",
            needed=f"shape {needed}",
        )
    return TensorType(x, given.dtype)
