"""How arrays are told in parts: what each axis of the new array is of the old one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from clearprop.executors.native.homes import Home
from clearprop.ir.types import Shape, TensorType

# What an axis of an array in parts is: an axis of the array as it was, or the number of the part
# that a place on that one belongs to.
Name = tuple[int, int]
PART, PLACE = range(2)
BATCH: Name = (-1, PART)


def names_of(rank: int, paired: Collection[int]) -> list[Name]:
    """The axes of an array of which some are told as two."""
    kinds = [(PART, PLACE) if axis in paired else (PLACE,) for axis in range(rank)]
    return [(axis, kind) for axis, each in enumerate(kinds) for kind in each]


def shape_of(names: Iterable[Name], shape: Shape, parts: int) -> Shape:
    """The lengths of these axes."""
    names = list(names)
    divided = {axis for axis, kind in names if kind == PART}
    return tuple(
        parts if kind == PART else shape[axis] // (parts if axis in divided else 1)
        for axis, kind in names
    )


class Layout(NamedTuple):
    """How an array is told in parts.

    Attributes:
        own: the axis of which each part has places of its own.  The number of the part is the
            first axis of all; the place within the part is where this axis was.
        paired: other axes that are told as two: the number of a part, and the place within it.
    """

    own: int
    paired: frozenset[int] = frozenset()

    def names(self, rank: int) -> list[Name]:
        """What each axis of the array in parts is."""
        return [(self.own, PART), *names_of(rank, self.paired)]

    def shape(self, shape: Shape, parts: int) -> Shape:
        """The shape of an array of this shape in parts."""
        return shape_of(self.names(len(shape)), shape, parts)

    def moved(self, places: Mapping[int, int] | Sequence[int]) -> Layout:
        """The same where each axis has another place."""
        return Layout(places[self.own], frozenset(places[axis] for axis in self.paired))

    def home(self, home: Home, parts: int) -> Home:
        """Where an array in parts lies that lies there as a whole."""
        names = self.names(len(home.strides))
        sizes = shape_of(names, home.type.shape, parts)
        strides = [
            home.strides[axis] * (home.type.shape[axis] // parts if kind == PART else 1)
            for axis, kind in names
        ]
        type_ = TensorType(sizes, home.type.dtype)
        return Home(home.buffer, type_, home.offset, tuple(strides))
