"""What is done with the results of a contraction: the equations that follow, and what is stored.

A tile's results pass through them still in registers, or a task's from where they wait in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from clearprop.executors.native.groups import Group
from clearprop.executors.native.kernels.affine import Axis, Index
from clearprop.executors.native.kernels.elements import Elements, Lanes
from clearprop.executors.native.kernels.kernel import Compilation, Walk
from clearprop.executors.native.kernels.packing import Span
from clearprop.executors.native.kernels.part_sums import Waiting
from clearprop.executors.native.kernels.tile_sums import Loops, TileSums, Variant
from clearprop.executors.native.llvm.machine import LINE_BYTES
from clearprop.executors.native.llvm.registers import Operand, integer, size_of, vector_type
from clearprop.executors.native.mathematics.elementwise import memory_type


class Ending:
    """Writes what is done with results.

    Args:
        compilation: knows where values live.
        elements: of the kernel.
        group: the contraction and the equations that follow it.
        output: for each axis of the output its index, as a sum of the loops' indices.
        loops: of the contraction.
        sums: writes the sums of tiles.
    """

    def __init__(
        self,
        compilation: Compilation,
        elements: Elements,
        group: Group,
        output: Index,
        loops: Loops,
        sums: TileSums,
    ) -> None:
        self._compilation, self._elements, self._group = compilation, elements, group
        self._output, self._loops, self._sums = output, loops, sums
        self._f, self._width = elements.function, sums.width
        self._value = next(iter(group.index))

    def of_task(self, results: Waiting, spans: Mapping[Walk, Span]) -> None:
        """Pass results of a task that wait in memory through the equations, row by row.

        Args:
            results: in memory.
            spans: which rows and columns are the task's.
        """
        loops, f, width = self._loops, self._f, self._width
        extent = loops.column.extent
        rest = extent % width
        with ExitStack() as stack:
            for walk in (loops.row_outer, loops.row_inner):
                if walk.axes:
                    loop = stack.enter_context(f.loop(*spans[walk]))
                    assert loop.index is not None
                    walk.stand(loop.index)
            stack.enter_context(f.nothing_before())
            start, stop = spans[loops.column]
            if extent >= width:
                with f.loop(start, f.minimum(stop, extent - rest), width) as loop:
                    assert loop.index is not None
                    loops.column.stand(loop.index)
                    self._columns(results, width)
            if rest:
                with f.when(f.compare("icmp eq", stop, integer(extent))):
                    if loops.column.axes:
                        loops.column.stand(extent - rest)
                    self._columns(results, rest)

    def _columns(self, results: Waiting, count: int) -> None:
        """Some columns of one row."""
        (x,) = results.loaded(Variant(1, 1, count))
        self._vectors(x, count)

    def of_tile(self, variant: Variant, sums: list[Operand]) -> None:
        """Pass the results of a tile through the equations, and store what others read."""
        with self._f.nothing_before():
            self._rows(variant, sums)

    def _rows(self, variant: Variant, sums: list[Operand]) -> None:
        vectors = self._sums.vectors(variant.columns)
        rows = self._sums.rows(variant)
        if self._sums.is_along or len(rows) * len(vectors) * len(self._group.members) <= 64:
            for place, row in enumerate(rows):
                own = sums[place * len(vectors) : (place + 1) * len(vectors)]
                self._row(variant, integer(row[0]), integer(row[1]), own)
            return
        f, element = self._f, memory_type(self._sums.dtype)
        type_ = vector_type(element, self._width)
        stack = f.stack(element, len(sums) * self._width)
        alignment = min(LINE_BYTES, self._width * size_of(element))
        for number, x in enumerate(sums):
            f.store(x, f.address(stack, element, number * self._width), alignment=alignment)
        with f.loop(0, variant.outer) as outer, f.loop(0, variant.inner) as inner:
            assert outer.index is not None
            assert inner.index is not None
            number_of_row = f.add(f.multiply(outer.index, variant.inner), inner.index)
            place_on_stack = f.multiply(number_of_row, len(vectors) * self._width)
            start = f.address(stack, element, place_on_stack)
            own = [
                f.load(type_, f.address(start, element, number * self._width), pinned=True)
                for number in range(len(vectors))
            ]
            self._row(variant, outer.index, inner.index, own)

    def _row(
        self, variant: Variant, outer: Operand, inner: Operand, own: Sequence[Operand]
    ) -> None:
        """One row of a tile."""
        f, loops = self._f, self._loops
        walks = (loops.row_outer, loops.row_inner, loops.column)
        before = [walk.axis.operand if walk.axes else None for walk in walks]
        for walk, start, place in zip(walks, before, (outer, inner, None), strict=True):
            if place is not None and start is not None:
                walk.stand(f.add(start, place))
        for number, (x, count) in enumerate(
            zip(own, self._sums.vectors(variant.columns), strict=True)
        ):
            if before[2] is not None:
                loops.column.stand(f.add(before[2], number * self._width))
            self._vectors(x, count)
        for walk, start in zip(walks, before, strict=True):
            if start is not None:
                walk.stand(start)

    def _vectors(self, x: Operand, count: int) -> None:
        """The results where the loops stand, ``count`` of them side by side."""
        self._elements.forget()
        self._elements.lanes = Lanes(None)
        for axis, sum_ in zip(self._group.axes, self._output, strict=True):
            axis.operand = self._elements.number(sum_)
        lane_axis = self._lane_axis()
        if lane_axis is None:
            x = self._f.lane(x, 0)
        else:
            self._elements.lanes = Lanes(lane_axis, self._width, count)
        self._vector(x)

    def _lane_axis(self) -> Axis | None:
        """The axis of the output that vectors lie along."""
        if not self._loops.column.axes:
            return None
        pairs = zip(self._group.axes, self._output, strict=True)
        return next(axis for axis, place in pairs if place.factor(self._loops.column.axis))

    def _vector(self, x: Operand) -> None:
        group = self._group
        self._elements.set(self._value, group.index[self._value], x)
        result = {value.equation: value for value in group.index}
        for equation in group.members[1:]:
            value = result[equation]
            self._elements.compute(equation, value, group.index[value])
        for value in group.stored:
            index = group.index[value]
            stored = self._elements.element(value, index)
            self._elements.store(stored, self._compilation.homes[value], index)
