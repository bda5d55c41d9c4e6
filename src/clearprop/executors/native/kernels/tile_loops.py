"""Loops over tiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product

from clearprop.executors.native.kernels.kernel import Walk
from clearprop.executors.native.kernels.packing import Span
from clearprop.executors.native.kernels.tile_sums import Variant
from clearprop.executors.native.llvm.registers import Operand, integer
from clearprop.executors.native.llvm.writer import Function


@dataclass
class Level:
    """A loop over tiles.

    Attributes:
        walk: what the tiles cover.
        size: rounds of the walk in each tile.
    """

    walk: Walk
    size: int

    @property
    def count(self) -> int:
        """How many tiles there are."""
        return -(-self.walk.extent // self.size)

    def stand(self, f: Function, number: Operand) -> None:
        """Stand at the first round of a tile."""
        if self.walk.axes:
            self.walk.stand(f.multiply(number, self.size))

    def span(self, f: Function, number: Operand) -> Span:
        """The rounds of the walk in a tile."""
        if self.count == 1:
            return Span(integer(0), integer(self.walk.extent))
        start = f.multiply(number, self.size)
        return Span(start, f.minimum(f.add(start, self.size), self.walk.extent))


def edges(extent: int, size: int) -> list[int]:
    """The sizes that tiles have: the usual one, and that of the last if it is less."""
    rest = extent % size
    if extent < size:
        return [extent]
    return [size, rest] if rest else [size]


def over_tiles(
    f: Function,
    walks: Sequence[Walk],
    spans: Mapping[Walk, Span],
    sizes: Sequence[int],
    write: Callable[[Variant], None],
    lengths: Sequence[int] | None = None,
) -> None:
    """Loops over the tiles of a task: columns outside, so that a panel stays in the first cache.

    Args:
        f: the kernel.
        walks: of the tiles' rows (two) and columns.
        spans: the task's part of each.
        sizes: of a whole tile, on each of them.
        write: writes a tile of some form.
        lengths: rounds of each walk in every task, where all have equally many; else tasks begin
            with whole tiles.
    """
    ends = [integer(walk.extent) for walk in walks]
    if lengths is not None:
        ends = [spans[walk].stop for walk in walks]
    else:
        lengths = [walk.extent for walk in walks]
    with ExitStack() as stack:
        for place in (2, 0, 1):
            walk, size = walks[place], sizes[place]
            index = spans[walk].start
            if lengths[place] > size:
                loop = stack.enter_context(f.loop(*spans[walk], size))
                assert loop.index is not None
                index = loop.index
            if walk.axes:
                walk.stand(index)
        forms = [edges(length, size) for length, size in zip(lengths, sizes, strict=True)]
        _each_form(f, walks, forms, ends, write)


def _each_form(
    f: Function,
    walks: Sequence[Walk],
    forms: Sequence[Sequence[int]],
    ends: Sequence[Operand],
    write: Callable[[Variant], None],
) -> None:
    """Write a tile in every form that it has at some place, each where it has that form.

    Args:
        f: the kernel.
        walks: of the tile's rows (two) and columns.
        forms: sizes that a tile has on each of them.
        ends: where each ends.
        write: writes a tile of some form.
    """
    for form in product(*forms):
        with ExitStack() as stack:
            for walk, size, options, end in zip(walks, form, forms, ends, strict=True):
                if len(options) > 1:
                    assert walk.axis.operand is not None
                    bound = f.add(end, -options[-1])
                    word = "icmp slt" if size == options[0] else "icmp sge"
                    stack.enter_context(f.when(f.compare(word, walk.axis.operand, bound)))
            write(Variant(*form))
