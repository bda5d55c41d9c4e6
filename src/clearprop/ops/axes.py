"""Axes as people name them, negative or None, and as primitives need them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import SupportsIndex

from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.types import Shape

Axis = int | Sequence[int] | None
ShapeLike = int | Sequence[int]


def one_axis(axis: SupportsIndex, rank: int, doing: str) -> int:
    """``axis`` counted from the front.

    Raises:
        ArgumentError: there is no such axis.
    """
    try:
        number = operator.index(axis)
    except TypeError:
        number = rank  # no axis at all: refused below
    if not -rank <= number < rank:
        raise ArgumentError(
            f"{doing}: there is no axis {axis}",
            found=f"axis={axis} of an array with {rank} axes",
            needed=f"{-rank} to {rank - 1}" if rank else "an array with axes",
        )
    return number % rank


def all_axes(axis: Axis, rank: int, doing: str) -> tuple[int, ...]:
    """The axes that ``axis`` names, in rising order; None names all of them.

    Raises:
        ArgumentError: an axis is missing or named twice.
    """
    if axis is None:
        return tuple(range(rank))
    named = tuple(axis) if isinstance(axis, Sequence) else (axis,)
    axes = tuple(sorted(one_axis(each, rank, doing) for each in named))
    if len(set(axes)) < len(axes):
        raise ArgumentError(
            f"{doing}: an axis is named twice",
            found=f"axis={axis}",
            needed="each axis once",
        )
    return axes


def as_shape(shape: ShapeLike, doing: str, *, smallest: int = 0) -> Shape:
    """``shape`` as a tuple of whole numbers, none below ``smallest``.

    Raises:
        ShapeError: it is something else.
    """
    lengths = shape if isinstance(shape, Sequence) else (shape,)
    try:
        result = tuple(operator.index(length) for length in lengths)
    except TypeError:
        result = (smallest - 1,)
    if any(length < smallest for length in result):
        raise ShapeError(
            f"{doing}: a shape is a tuple of whole numbers that are not negative",
            found=repr(shape),
            needed="such as (32, 10)",
        )
    return result
