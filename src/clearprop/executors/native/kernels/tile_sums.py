"""The sums of one tile: what a contraction does most of the time.

Each step of the sum loads vectors of the right factor, spreads single numbers of the left one over
vectors, and multiplies and adds.  All results of the tile stay in registers.

Two shapes have no columns to lay vectors along.  Where both factors differ from channel to channel
(a depthwise convolution), vectors lie along the channels and both factors are read in vectors.
Where each result is a single long sum, vectors lie along the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from clearprop.dtypes import DType
from clearprop.executors.native.kernels.elements import Elements, Lanes
from clearprop.executors.native.kernels.gaps import Gaps
from clearprop.executors.native.kernels.kernel import Walk, nested
from clearprop.executors.native.kernels.packing import SumBlock
from clearprop.executors.native.kernels.reducers import Reducer
from clearprop.executors.native.kernels.sums import Side
from clearprop.executors.native.llvm.registers import Operand, constant, vector_type
from clearprop.executors.native.mathematics.elementwise import memory_type

_UNROLLED = 9  # steps of the sum: a loop of few rounds is left too often to be foreseen
_UNROLLED_ROWS = 144  # in all these steps: LLVM takes far longer for more loads in a row


@dataclass(frozen=True)
class Loops:
    """A sum of products with its axes merged into as few loops as possible."""

    outer: list[Walk]  # batches, and rows and columns beyond those of a tile
    row_outer: Walk
    row_inner: Walk
    column: Walk
    summed: list[Walk]

    @property
    def tiled(self) -> tuple[Walk, Walk, Walk]:
        """What tiles cover: rows on two axes, and columns."""
        return self.row_outer, self.row_inner, self.column

    @property
    def sum_length(self) -> int:
        """How many products each result adds up."""
        length = 1
        for walk in self.summed:
            length *= walk.extent
        return length


class Variant(NamedTuple):
    """A tile as it is at some place: smaller at the edges."""

    outer: int
    inner: int
    columns: int


class TileSums:
    """Writes the sums of tiles.

    Args:
        elements: writes addresses.
        loops: of the contraction.
        left: the factor whose numbers are spread over vectors.
        right: the factor that is read in vectors.
        width: lanes of a vector.
        is_padded: whether vectors of ``right`` may be read beyond its last column.
        row_steps: elements from row to row of the left factor within a tile, on the last two axes
            of the rows.
        gaps: zeros of ``left`` that are left out; tiles are single rows then.
        unrolled: how many steps of the sum may be written one after the other.
    """

    def __init__(
        self,
        elements: Elements,
        loops: Loops,
        left: Side,
        right: Side,
        width: int,
        *,
        is_padded: bool,
        row_steps: tuple[int, int],
        gaps: Gaps | None = None,
        unrolled: int = _UNROLLED,
    ) -> None:
        self.elements, self.loops, self.left, self.right = elements, loops, left, right
        self.f, self.width, self._is_padded = elements.function, width, is_padded
        self._row_steps, self._gaps, self._most_unrolled = row_steps, gaps, unrolled
        self.dtype: DType = left.home.type.dtype
        self.element = memory_type(self.dtype)
        column = loops.column
        self.is_shared = bool(column.axes) and left.line.factor(column.axis) == 1
        self.is_along = (
            not column.axes
            and bool(loops.summed)
            and lies_along((left, right), loops.summed[-1])
            and loops.summed[-1].extent >= 2 * width
        )

    def vectors(self, columns: int) -> list[int]:
        """How many lanes are in use in each vector."""
        return [min(self.width, columns - at) for at in range(0, columns, self.width)]

    def zeros(self, variant: Variant) -> list[Operand]:
        """A tile's results before the first product."""
        count = variant.outer * variant.inner * len(self.vectors(variant.columns))
        return [constant(vector_type(self.element, self.width), 0)] * count

    def rows(self, variant: Variant) -> list[tuple[int, int]]:
        """The places of a tile's rows on the last two axes."""
        return list(product(range(variant.outer), range(variant.inner)))

    def sums(self, variant: Variant, sums: list[Operand], block: SumBlock) -> list[Operand]:
        """A tile's results: all products of a block of the sum added to ``sums``."""
        if any(walk.extent == 0 for walk in block.walks):
            return sums
        if self.is_along:
            return self._along(variant)
        steps = self._unrolled(variant, block.walks[-1]) if block.walks else 1
        return block.over(self.f, sums, lambda carried: self.step(variant, carried), unrolled=steps)

    def _unrolled(self, variant: Variant, last: Walk) -> int:
        """How many steps of the sum may be written one after the other.

        Where windows overlap, the next step reads numbers of this one again, one or more rows
        before: they are kept, and need registers.
        """
        rows, vectors = variant.outer * variant.inner, len(self.vectors(variant.columns))
        shift, row = self.left.line.factor(last.axis), self._row_steps[1]
        again = variant.inner - shift // row if row and shift > 0 and shift % row == 0 else 0
        machine = self.f.module.machine
        assert machine is not None
        if again > 0 and (rows + 1) * vectors + again >= machine.vector_registers:
            return 1
        return max(1, min(self._most_unrolled, _UNROLLED_ROWS // rows))

    def step(self, variant: Variant, sums: list[Operand]) -> list[Operand]:
        """One product for each of the tile's results."""
        f, element, left, right = self.f, self.element, self.left, self.right
        self.elements.lanes = Lanes(None)
        start, _ = self.elements.place(right.home, right.line)
        vectors = []
        for number, count in enumerate(self.vectors(variant.columns)):
            address = f.address(start, element, number * self.width)
            used = self.width if self._is_padded else count
            is_own = self._is_own(right)
            vectors.append(f.load_first(element, address, used, self.width, pinned=is_own))
        first, _ = self.elements.place(left.home, left.line)
        steps = self._row_steps
        result = []
        for place, (outer, inner) in enumerate(self.rows(variant)):
            address = f.address(first, element, outer * steps[0] + inner * steps[1])
            spread = None
            if not self.is_shared:
                spread = f.splat(f.load(element, address, pinned=self._is_own(left)), self.width)
            for at, vector in enumerate(vectors):
                before = sums[place * len(vectors) + at]
                factor = spread
                if factor is None:
                    own = f.address(address, element, at * self.width)
                    count = self.vectors(variant.columns)[at]
                    factor = f.load_first(element, own, count, self.width)
                result.append(self._multiply_add(factor, vector, before))
        return result

    def _along(self, variant: Variant) -> list[Operand]:
        """A tile of single results: vectors take so many products of the sum at once."""
        *outer, last = self.loops.summed
        width, extent = self.width, last.extent
        whole = extent // width * width

        def over_last(sums: list[Operand]) -> list[Operand]:
            with self.f.loop(0, whole, width, carried=sums) as loop:
                assert loop.index is not None
                last.stand(loop.index)
                loop.next = self._step_along(variant, loop.carried, width)
            sums = loop.results
            if whole < extent:
                last.stand(whole)
                sums = self._step_along(variant, sums, extent - whole)
            return sums

        if any(walk.extent == 0 for walk in outer):
            return self.zeros(variant)
        sums = nested(self.f, outer, self.zeros(variant), over_last)
        adding = Reducer("reduce_sum", self.dtype)
        return [adding.across(self.f, [each])[0] for each in sums]

    def _step_along(self, variant: Variant, sums: list[Operand], count: int) -> list[Operand]:
        """``count`` products for each of a tile's single results."""
        f, element = self.f, self.element
        left = self.left
        self.elements.lanes = Lanes(None)
        right, _ = self.elements.place(self.right.home, self.right.line)
        first, _ = self.elements.place(left.home, left.line)
        vector = f.load_first(element, right, count, self.width)
        steps = self._row_steps
        result = []
        for before, (outer, inner) in zip(sums, self.rows(variant), strict=True):
            address = f.address(first, element, outer * steps[0] + inner * steps[1])
            factor = f.load_first(element, address, count, self.width)
            result.append(self._multiply_add(factor, vector, before))
        return result

    @staticmethod
    def _is_own(side: Side) -> bool:
        """Whether it is memory of the kernel, which changes while it runs."""
        return side.home.buffer.kind == "stack"

    def _multiply_add(self, x: Operand, y: Operand, z: Operand) -> Operand:
        if self.dtype.kind != "f":
            return self.f.binary("add", self.f.binary("mul", x, y), z)
        added = self.f.multiply_add(x, y, z)
        if self._gaps is None:
            return added
        return self.f.select(self._gaps.are_elsewhere(self.elements), added, z)


def lies_along(sides: Sequence[Side], walk: Walk) -> bool:
    """Whether all factors lie side by side along a loop."""
    return all(side.line.factor(walk.axis) == 1 for side in sides)
