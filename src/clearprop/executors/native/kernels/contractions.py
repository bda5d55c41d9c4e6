"""Matrix products and convolutions: sums of products in tiles, and what is done with each tile.

A tile's results stay in registers while its sums grow.  Then, still in the first cache, they pass
through the equations that the group has after the contraction (bias, activation, the update of a
weight), and only what others read is stored.  If the right factor does not lie in vectors, it is
copied first into panels of the tile's width.

Where the results are few and the sums long (the gradient of a convolution's kernel), the sums are
cut into parts, each with results of its own, and the parts are added in order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from clearprop.executors.native.groups import Group
from clearprop.executors.native.kernels.affine import Affine, Axis, linear, total
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.kernel import (
    MULTIPLY_ADDS_PER_SECOND,
    Compilation,
    KernelWriter,
    Walk,
    walks_over,
)
from clearprop.executors.native.kernels.packing import pack
from clearprop.executors.native.kernels.part_sums import is_cut, write_in_parts
from clearprop.executors.native.kernels.sums import Side, sum_of_products
from clearprop.executors.native.kernels.tile_loops import Level, each_form, over
from clearprop.executors.native.kernels.tile_sums import Loops, TileSums, Variant, lies_along
from clearprop.executors.native.kernels.tiles import choose_tile
from clearprop.executors.native.llvm.registers import Operand, integer, vector_type
from clearprop.executors.native.mathematics.elementwise import memory_type

_LEAST_TASK_FLOPS = 1 << 16
_MOST_TASKS = 64
_PARTS = 16  # into which long sums are cut
_PAGE_BYTES = 4096
_ROWS_FOR_PANELS = 192


def write_contraction(compilation: Compilation, group: Group) -> None:
    """Append the kernels of a contraction and of what is computed with it."""
    value = next(iter(group.index))
    if value.type.size:
        Contraction(compilation, group).write()


class Contraction:
    """A contraction that is being written."""

    def __init__(self, compilation: Compilation, group: Group) -> None:
        self.compilation, self.group = compilation, group
        self.form = sum_of_products(compilation, group)
        self.value = next(iter(group.index))
        self.dtype = self.value.dtype
        self.width = compilation.machine.lanes(self.dtype.itemsize)
        self.writer = KernelWriter(compilation, group.members[0].primitive.name)
        self.f, self.elements = self.writer.function, self.writer.elements
        self.loops = self._loops()
        rows = (self.loops.row_outer.extent, self.loops.row_inner.extent)
        columns = self.loops.column.extent
        self.tile = choose_tile(compilation.machine, rows, columns, self.width)
        self.panel = self.tile.vectors * self.width
        right = self.form.right
        is_shared = columns > 1 and self.form.left.line.factor(self.loops.column.axis) == 1
        is_packed = columns > 1 and not is_shared and self._wants_panels()
        if is_packed and self.loops.sum_length:
            right = self._packed()
        self.sums = TileSums(
            self.elements, self.loops, self.form.left, right, self.width, is_padded=is_packed
        )

    def _wants_panels(self) -> bool:
        """Whether the right factor is copied into panels first.

        It has to be where vectors cannot be loaded from it.  It pays where its rows lie so far
        apart that each is on a page of its own, if there are enough rows of results to read it.
        """
        loops, line = self.loops, self.form.right.line
        if line.factor(loops.column.axis) != 1:
            return True
        if not loops.summed or loops.outer:
            return False
        if self.form.right.home.buffer in self.compilation.lasting:
            return loops.column.extent > self.panel  # copied once, read in every round
        rows = loops.row_outer.extent * loops.row_inner.extent
        if rows < _ROWS_FOR_PANELS:
            return False
        step = line.factor(loops.summed[-1].axis) * self.dtype.itemsize
        return step >= _PAGE_BYTES // 2 and loops.summed[-1].extent >= _ROWS_FOR_PANELS

    # -- loops -------------------------------------------------------------------------

    def _loops(self) -> Loops:
        form = self.form
        own = [form.left.line, form.right.line]
        mapping = dict(zip(self.group.axes, form.output, strict=True))
        lines = own + [_substituted(line, mapping) for line in self._result_lines()]
        batches = walks_over(form.batches, lines)
        rows = walks_over(form.rows, lines)
        columns = walks_over(form.columns, lines)
        summed = walks_over(form.summed, own)
        column = columns.pop() if columns else Walk(())
        if (
            not columns
            and not column.axes
            and batches
            and lies_along((form.left, form.right), batches[-1])
        ):
            column = batches.pop()
        inner = rows.pop() if rows else Walk(())
        outer = rows.pop() if rows else Walk(())
        return Loops([*batches, *rows, *columns], outer, inner, column, summed)

    def _result_lines(self) -> list[Affine]:
        """Where the results and what is computed with them are read and stored."""
        group, lines = self.group, []
        for equation in group.members[1:]:
            for each in equation.inputs:
                lines += self.elements.lines(each, group.at[equation], group.index)
        for value in group.stored:
            home = self.compilation.homes[value]
            lines.append(linear(group.index[value], home.strides))
        return lines

    def _packed(self) -> Side:
        """The right factor in panels of the tile's width, as a new side."""
        loops = self.loops
        outer = [walk for walk in loops.outer if self.form.right.line.factor(walk.axis)]
        return pack(
            self.compilation, self.form.right, outer, loops.summed, loops.column, self.panel
        )

    # -- the kernels -----------------------------------------------------------------------

    def write(self) -> None:
        """Append the kernels."""
        flops = 2 * self.value.type.size * self.loops.sum_length
        if is_cut(self):
            write_in_parts(self, flops)
            return
        levels = self.levels()
        depth, tasks = 0, 1
        wanted = max(1, min(_MOST_TASKS // 2, flops // _LEAST_TASK_FLOPS))
        while depth < len(levels) and tasks < wanted:
            tasks *= levels[depth].count
            depth += 1
        if tasks == 1:
            self.over_tiles(levels, self.sums.whole, self._finish_tile)
        else:
            with self.f.loop(self.writer.begin, self.writer.end) as loop:
                assert loop.index is not None
                rest = loop.index
                for level in reversed(levels[:depth]):
                    count = integer(level.count)
                    level.stand(self.f, self.f.binary("urem", rest, count))
                    rest = self.f.binary("udiv", rest, count)
                self.over_tiles(levels[depth:], self.sums.whole, self._finish_tile)
        self.writer.finish(tasks, flops, rate=MULTIPLY_ADDS_PER_SECOND)

    def levels(self) -> list[Level]:
        """The loops over tiles, the outermost first."""
        loops, tile = self.loops, self.tile
        return [
            *[Level(walk, 1) for walk in loops.outer],
            Level(loops.column, self.panel),
            Level(loops.row_outer, tile.outer),
            Level(loops.row_inner, tile.inner),
        ]

    def over_tiles(
        self,
        levels: Sequence[Level],
        compute: Callable[[Variant], list[Operand]],
        finish: Callable[[Variant, list[Operand]], None],
    ) -> None:
        """Loops over tiles: what computes each, and what is done with its results."""
        loops, tile = self.loops, self.tile
        walks = (loops.row_outer, loops.row_inner, loops.column)
        sizes = (tile.outer, tile.inner, self.panel)

        def write(variant: Variant) -> None:
            finish(variant, compute(variant))

        over(self.f, levels, lambda: each_form(self.f, walks, sizes, write))

    # -- what follows --------------------------------------------------------------------

    def _finish_tile(self, variant: Variant, sums: list[Operand]) -> None:
        """Pass the results through the equations that follow, and store what others read."""
        with self.f.nothing_before():
            self._finish_rows(variant, sums)

    def _finish_rows(self, variant: Variant, sums: list[Operand]) -> None:
        vectors = self.sums.vectors(variant.columns)
        rows = self.sums.rows(variant)
        if self.sums.is_along or len(rows) * len(vectors) * len(self.group.members) <= 64:
            for place, row in enumerate(rows):
                own = sums[place * len(vectors) : (place + 1) * len(vectors)]
                self._finish_row(variant, integer(row[0]), integer(row[1]), own)
            return
        f, element = self.f, memory_type(self.dtype)
        type_ = vector_type(element, self.width)
        stack = f.stack(element, len(sums) * self.width)
        for number, x in enumerate(sums):
            f.store(x, f.address(stack, element, number * self.width), alignment=64)
        with f.loop(0, variant.outer) as outer, f.loop(0, variant.inner) as inner:
            assert outer.index is not None
            assert inner.index is not None
            number_of_row = f.add(f.multiply(outer.index, variant.inner), inner.index)
            place_on_stack = f.multiply(number_of_row, len(vectors) * self.width)
            start = f.address(stack, element, place_on_stack)
            own = [
                f.load(type_, f.address(start, element, number * self.width), pinned=True)
                for number in range(len(vectors))
            ]
            self._finish_row(variant, outer.index, inner.index, own)

    def _finish_row(
        self, variant: Variant, outer: Operand, inner: Operand, own: Sequence[Operand]
    ) -> None:
        """One row of a tile."""
        f, group, loops = self.f, self.group, self.loops
        walks = (loops.row_outer, loops.row_inner, loops.column)
        before = [walk.axis.operand if walk.axes else None for walk in walks]
        for walk, start, place in zip(walks, before, (outer, inner, None), strict=True):
            if place is not None and start is not None:
                walk.stand(f.add(start, place))
        lane_axis = self._lane_axis()
        for number, (x, count) in enumerate(
            zip(own, self.sums.vectors(variant.columns), strict=True)
        ):
            self.elements.forget()
            if before[2] is not None:
                loops.column.stand(f.add(before[2], number * self.width))
            for axis, sum_ in zip(group.axes, self.form.output, strict=True):
                axis.operand = self.elements.number(sum_)
            self.elements.lanes = Lanes(lane_axis, self.width, count)
            if lane_axis is None:
                self.elements.lanes = Lanes(None)
                x = f.lane(x, 0)
            self._finish_vector(x)
        for walk, start in zip(walks, before, strict=True):
            if start is not None:
                walk.stand(start)

    def _lane_axis(self) -> Axis | None:
        """The axis of the output that vectors lie along."""
        if not self.loops.column.axes:
            return None
        pairs = zip(self.group.axes, self.form.output, strict=True)
        return next(axis for axis, place in pairs if place.factor(self.loops.column.axis))

    def _finish_vector(self, x: Operand) -> None:
        group = self.group
        self.elements.set(self.value, group.index[self.value], x)
        result = {value.equation: value for value in group.index}
        for equation in group.members[1:]:
            value = result[equation]
            self.elements.compute(equation, value, group.index[value])
        for value in group.stored:
            index = group.index[value]
            stored = self.elements.element(value, index)
            self.elements.store(stored, self.compilation.homes[value], index)


def _substituted(line: Affine, mapping: Mapping[Axis, Affine]) -> Affine:
    """A sum of the output's indices as a sum of the loops' indices."""
    parts = [mapping[axis].times(factor) for axis, factor in line.terms if axis in mapping]
    return total([Affine(line.constant), *parts])
