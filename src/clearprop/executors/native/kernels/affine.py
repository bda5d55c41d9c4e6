"""Places in arrays as sums of loop indices.

Where a kernel reads an array is known when it is compiled, up to the indices of its loops: the
place on each axis is ``constant + sum of factor * index``.  Reshaping, transposing, slicing,
reversing and broadcasting only change these sums, so they cost nothing when the code runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from clearprop.executors.native.llvm.registers import Operand
from clearprop.ir.types import Shape

_numbers = count()


@dataclass(eq=False, slots=True)
class Axis:
    """An index that runs from 0 up to, without, ``extent``.

    Attributes:
        extent: how many places it takes.
        operand: its value while the code runs, once a loop over it is open.
        number: gives sums one order of their terms.
    """

    extent: int
    operand: Operand | None = None
    number: int = field(default_factory=_numbers.__next__)


@dataclass(frozen=True, slots=True)
class Affine:
    """``constant + sum of factor * axis``."""

    constant: int = 0
    terms: tuple[tuple[Axis, int], ...] = ()

    @classmethod
    def of(cls, axis: Axis) -> Affine:
        """The index of one axis (0, where it has only one place)."""
        return cls(0, ((axis, 1),)) if axis.extent != 1 else cls()

    def __add__(self, other: Affine) -> Affine:
        return total([self, other])

    def times(self, factor: int) -> Affine:
        """The sum multiplied by a known number."""
        if factor == 0:
            return Affine()
        terms = tuple((axis, factor * each) for axis, each in self.terms)
        return Affine(factor * self.constant, terms)

    def plus(self, number: int) -> Affine:
        """The sum with a known number added."""
        return Affine(self.constant + number, self.terms)

    def factor(self, axis: Axis) -> int:
        """What ``axis`` is multiplied by."""
        return next((factor for each, factor in self.terms if each is axis), 0)

    @property
    def range(self) -> tuple[int, int]:
        """The least and the greatest number it can be."""
        spans = [factor * (axis.extent - 1) for axis, factor in self.terms]
        return (
            self.constant + sum(span for span in spans if span < 0),
            self.constant + sum(span for span in spans if span > 0),
        )


Index = tuple[Affine, ...]


def total(parts: Iterable[Affine]) -> Affine:
    """The sum of several."""
    constant = 0
    factors: dict[Axis, int] = {}
    for part in parts:
        constant += part.constant
        for axis, factor in part.terms:
            factors[axis] = factors.get(axis, 0) + factor
    # One order for all sums, so that equal sums are equal.
    terms = sorted((item for item in factors.items() if item[1]), key=lambda item: item[0].number)
    return Affine(constant, tuple(terms))


def linear(index: Sequence[Affine], strides: Sequence[int]) -> Affine:
    """The place in memory, in elements, of an element of an array with these strides."""
    return total(place.times(stride) for place, stride in zip(index, strides, strict=True))


def contiguous(shape: Shape) -> tuple[int, ...]:
    """The strides, in elements, of an array that lies row by row without gaps."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def index_of(axes: Sequence[Axis]) -> Index:
    """The element that the loops stand at."""
    return tuple(map(Affine.of, axes))


def place_in(line: Affine, shape: Shape) -> Index | None:
    """The index, in an array of this shape, of element number ``line``; None if it is no sum."""
    if 0 in shape:
        return (Affine(),) * len(shape)  # there are no elements to be at
    index = []
    for axis, size in enumerate(shape):
        stride = math.prod(shape[axis + 1 :])
        if size == 1:
            index.append(Affine())
            continue
        own = tuple((each, factor // stride) for each, factor in line.terms if not factor % stride)
        rest = tuple((each, factor) for each, factor in line.terms if factor % stride)
        whole, remaining = divmod(line.constant, stride)
        line = Affine(remaining, rest)
        least, greatest = line.range
        if least < 0 or greatest >= stride:
            return None
        index.append(Affine(whole, own))
    return tuple(index)


VIEWS = frozenset({"reshape", "transpose", "slice", "reverse", "broadcast_to", "stop_gradient"})


def seen_through(name: str, params: Mapping[str, Any], shape: Shape, index: Index) -> Index | None:
    """Where a view reads its input to give the element at ``index``.

    Args:
        name: one of ``VIEWS``.
        params: of the equation.
        shape: of its input.
        index: into its output.

    Returns:
        The index into the input; None where it is no sum (some reshapes).
    """
    if name == "reshape":
        return _before_reshape(params["shape"], shape, index)
    if name == "transpose":
        places: list[Affine] = [Affine()] * len(shape)
        for axis, source in enumerate(params["order"]):
            places[source] = index[axis]
        return tuple(places)
    if name == "slice":
        parts = zip(index, params["starts"], params["strides"], strict=True)
        return tuple(place.times(stride).plus(start) for place, start, stride in parts)
    if name == "reverse":
        return tuple(
            place.times(-1).plus(size - 1) if axis in params["axes"] else place
            for axis, (place, size) in enumerate(zip(index, shape, strict=True))
        )
    if name == "broadcast_to":
        new = params["new_axes"]
        return tuple(
            Affine() if shape_size == 1 else place
            for place, shape_size in zip(
                (place for axis, place in enumerate(index) if axis not in new), shape, strict=True
            )
        )
    return index


def _before_reshape(after: Shape, before: Shape, index: Index) -> Index | None:
    wide = [place for place, size in zip(index, after, strict=True) if size != 1]
    if [size for size in after if size != 1] == [size for size in before if size != 1]:
        rest = iter(wide)
        return tuple(Affine() if size == 1 else next(rest) for size in before)
    return place_in(linear(index, contiguous(after)), before)
