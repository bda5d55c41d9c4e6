"""Matrix products and convolutions: sums of products in tiles, and what is done with each tile.

A tile's results stay in registers while its sums grow.  Then, still in the first cache, they pass
through the equations that the group has after the contraction (bias, activation, the update of a
weight), and only what others read is stored.  ``schedule`` decides how all of it is cut.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace

from clearprop.executors.native.groups import Group
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Affine, total
from clearprop.executors.native.kernels.endings import Ending
from clearprop.executors.native.kernels.factors import Copy, Factor, Sizes
from clearprop.executors.native.kernels.forms import ContractionWriter
from clearprop.executors.native.kernels.kernel import (
    MULTIPLY_ADDS_PER_SECOND,
    Compilation,
    Samples,
    Walk,
)
from clearprop.executors.native.kernels.packing import (
    LeftCopier,
    PanelCopier,
    Span,
    SumBlock,
    on_stack,
    pack,
)
from clearprop.executors.native.kernels.part_sums import Parts, Waiting
from clearprop.executors.native.kernels.schedule import (
    Schedule,
    choose_schedule,
    divided_schedule,
)
from clearprop.executors.native.kernels.sums import Side, SumOfProducts, sum_of_products
from clearprop.executors.native.kernels.tile_loops import Level, over_tiles
from clearprop.executors.native.kernels.tile_sums import TileSums, Variant
from clearprop.executors.native.kernels.tiles import Tile
from clearprop.executors.native.kernels.winograd.choice import winograd_writer
from clearprop.executors.native.llvm.registers import Operand, constant, integer
from clearprop.executors.native.mathematics.elementwise import memory_type
from clearprop.ir.types import TensorType


def write_contraction(compilation: Compilation, group: Group) -> None:
    """Append the kernels of a contraction and of what is computed with it."""
    value = next(iter(group.index))
    if not value.type.size:
        return
    form = sum_of_products(compilation, group)
    winograd = winograd_writer(compilation, group, form)
    (winograd or Contraction(compilation, group, form)).write()


class Contraction(ContractionWriter):
    """A contraction that is computed product by product."""

    def __init__(self, compilation: Compilation, group: Group, form: SumOfProducts) -> None:
        super().__init__(compilation, group, form, group.members[0].primitive.name)
        self.sizes = self._sizes()
        self.width = self.sizes.lanes(compilation.machine)
        self.schedule = self._schedule()
        self.tile = self.schedule.tile
        self.panel = self.tile.vectors * self.width
        self._copiers()

    # -- how it is cut -----------------------------------------------------------------

    def _sizes(self) -> Sizes:
        loops, line = self.loops, self.form.right.line
        repeated = [walk.extent for walk in loops.outer if not line.factor(walk.axis)]
        return Sizes(
            batches=math.prod(walk.extent for walk in loops.outer),
            repeats=math.prod(repeated),
            rows=(loops.row_outer.extent, loops.row_inner.extent),
            columns=loops.column.extent,
            summed=tuple(walk.extent for walk in loops.summed),
            element_bytes=self.dtype.itemsize,
        )

    def _schedule(self) -> Schedule:
        loops, size = self.loops, self.dtype.itemsize
        left, right = self.form.left, self.form.right
        last = loops.summed[-1] if loops.summed else None
        batches = [walk.extent for walk in loops.outer if left.line.factor(walk.axis)]

        def factor(side: Side, walk: Walk, read: int) -> Factor:
            step = side.line.factor(last.axis) if last is not None else 0
            return Factor(
                is_along=bool(walk.axes) and side.line.factor(walk.axis) == 1,
                is_turned=step == 1,
                step_bytes=abs(step) * size,
                size_bytes=read * size,
                is_lasting=side.home.buffer in self.compilation.lasting,
            )

        is_shared = bool(loops.column.axes) and left.line.factor(loops.column.axis) == 1
        schedule = choose_schedule(
            self.compilation.machine,
            self.sizes,
            factor(left, loops.row_inner, left.home.type.size // math.prod(batches)),
            factor(right, loops.column, right.home.type.size),
            is_plain=not is_shared,
            reads_after=self._reads_after(),
        )
        samples = self.compilation.samples
        if samples is None or not loops.summed:
            return schedule
        if loops.outer:
            return self._part_schedule(schedule, samples)
        walks = loops.row_outer if loops.row_outer.axes else loops.row_inner, loops.summed[0]
        is_summed = 0 in self.group.members[0].params["contract"][0]
        is_alone = self.compilation.is_alone
        if samples.rounds(walks[is_summed]) is None or (is_alone and not is_summed):
            return schedule
        divided = divided_schedule(
            self.compilation.machine,
            self.sizes,
            schedule,
            samples.tasks,
            is_summed=is_summed,
            is_lasting=right.home.buffer in self.compilation.lasting,
        )
        is_at_once = schedule.parts == 1 and schedule.rounds == self.sizes.summed[0]
        if is_alone and is_at_once and divided is not schedule:
            return replace(schedule, pieces=samples.tasks)  # the same sums, in one task
        return divided

    def _part_schedule(self, schedule: Schedule, samples: Samples) -> Schedule:
        """The schedule of a product for each part, of which each is one task."""
        if samples.rounds(self.loops.outer[0]) != 1:
            return schedule
        is_lasting = self.form.right.home.buffer in self.compilation.lasting
        machine = self.compilation.machine
        return divided_schedule(
            machine, self.sizes, schedule, 1, is_summed=False, is_lasting=is_lasting
        )

    def _reads_after(self) -> int:
        """Bytes that the equations after the contraction read, number by number of its results."""
        group, grouping, known = self.group, self.compilation.grouping, self.compilation.homes
        read = {
            leaf.value
            for equation in group.members[1:]
            for value in equation.inputs
            for leaf in grouping.leaves(value, group.at[equation])
            if leaf.value in known and leaf.value not in group.index
        }
        return sum(x.type.size_bytes for x in read if x.type.size == self.value.type.size)

    def _copiers(self) -> None:
        """What tiles read: the factors, or copies of them."""
        loops, schedule = self.loops, self.schedule
        left, right = self.form.left, self.form.right
        is_packed = schedule.right is not Copy.NOT and self.sizes.length > 0
        self._panel_home = self._left_home = None
        row_steps = tuple(
            left.line.factor(walk.axis) if walk.axes else 0
            for walk in (loops.row_outer, loops.row_inner)
        )
        if is_packed and schedule.right is Copy.BEFORE:
            outer = [walk for walk in loops.outer if right.line.factor(walk.axis)]
            right = pack(self.compilation, right, outer, loops.summed, loops.column, self.panel)
        elif is_packed:
            type_ = TensorType((self._steps * schedule.group[2],), self.dtype)
            home, self._panel_memory = on_stack(self.elements, type_)
            self._panel_home = home
            column = Affine.of(loops.column.axis).times(self._steps)
            right = Side(home, column + self._block(None).line(self.panel))
        if schedule.copies_left:
            height = -(-schedule.group[1] // self.tile.inner) * self.tile.inner
            type_ = TensorType((self._steps * height,), self.dtype)
            home, self._left_memory = on_stack(self.elements, type_)
            self._left_home = home
            row = Affine.of(loops.row_inner.axis).times(self._steps)
            left = Side(home, row + self._block(None).line(self.tile.inner))
            row_steps = (0, 1)
        self.left, self.right = left, right
        self.sums = TileSums(
            self.elements,
            loops,
            left,
            right,
            self.width,
            is_padded=is_packed,
            row_steps=(row_steps[0], row_steps[1]),
        )
        self._careful_sums = TileSums(  # where gaps make a difference: row by row
            self.elements,
            loops,
            self.form.left,
            right,
            self.width,
            is_padded=is_packed,
            row_steps=(0, 0),
            gaps=self.form.gaps,
        )
        self.ending = Ending(
            self.compilation, self.elements, self.group, self.form.output, loops, self.sums
        )

    @property
    def _steps(self) -> int:
        """Steps of the sum in one block, at most."""
        return self._block(None).length

    def _block(self, span: Span | None) -> SumBlock:
        walks, schedule = self.loops.summed[self.schedule.depth :], self.schedule
        is_exact = bool(schedule.lengths) and self.sizes.summed[0] % schedule.rounds == 0
        return SumBlock(walks, schedule.rounds if walks else 1, span, is_exact)

    # -- the kernels -----------------------------------------------------------------------

    def write(self) -> None:
        """Append the kernels."""
        flops = 2 * self.value.type.size * self.sizes.length
        count = self.schedule.parts
        parts = Parts(self, self.sums, count) if count > 1 else None
        levels = [Level(*pair) for pair in zip(self.loops.tiled, self.schedule.group, strict=True)]
        with self.each_task(levels, count) as part:
            self._task(parts, part)
        cut = parts.cut if parts else self.cut_of(levels)
        tasks = self.task_count(levels, count)
        by_samples = bool(self.schedule.lengths)
        self.writer.finish(
            tasks, flops, rate=MULTIPLY_ADDS_PER_SECOND, cut=cut, by_samples=by_samples
        )
        if parts is not None:
            parts.write_end()

    def _task(self, parts: Parts | None, part: Operand) -> None:
        """Everything of one task: all blocks of its sums."""
        schedule, f = self.schedule, self.f
        extent = self.loops.summed[0].extent if self.loops.summed else 1
        whole, length = None, extent
        if parts is not None:
            parts.begin(part)
            length = -(-extent // schedule.parts)
            start = f.multiply(part, length)
            whole = Span(start, f.minimum(f.add(start, length), extent))
        waiting = self._waiting() if parts is None and schedule.waits else None
        results = parts or waiting
        if results is None:
            self._over_block(self._block(None), self.sums.zeros, self.ending.of_tile)
        elif schedule.depth == 0 and schedule.rounds >= length:
            self._over_block(self._block(whole), results.zeros, results.keep)
        else:
            results.clear()
            with self._blocks(whole or Span(integer(0), integer(extent))) as block:
                self._over_block(block, results.loaded, results.keep)
        if waiting is not None:
            self.ending.of_task(waiting, self.spans)

    def _waiting(self) -> Waiting:
        """Memory on the stack for the results of one task."""
        group = self.schedule.group
        home, memory = on_stack(self.elements, TensorType(group, self.dtype))
        before = integer(0)
        parts = []
        for walk, stride in zip(self.loops.tiled, home.strides, strict=True):
            if walk.axes:
                parts.append(Affine.of(walk.axis).times(stride))
                before = self.f.add(before, self.f.multiply(self.spans[walk].start, -stride))
        element = memory_type(self.dtype)
        self.writer.pointers.set(home.buffer, self.f.address(memory, element, before))
        return Waiting(self.sums, home, total(parts), memory, home.type.size_bytes)

    @contextmanager
    def _blocks(self, whole: Span) -> Iterator[SumBlock]:
        """Loops over the blocks of the sum, within a range of its outermost loop."""
        schedule, f = self.schedule, self.f
        first, *others = self.loops.summed[: schedule.depth + 1]
        spans = [whole, *(Span(integer(0), integer(walk.extent)) for walk in others)]
        steps = [1] * schedule.depth + [schedule.rounds]
        with ExitStack() as stack:
            for walk, span, step in zip([first, *others], spans, steps, strict=True):
                loop = stack.enter_context(f.loop(*span, step))
                assert loop.index is not None
                walk.stand(loop.index)
            assert loop.index is not None
            stop = f.minimum(f.add(loop.index, schedule.rounds), spans[-1].stop)
            yield self._block(Span(loop.index, stop))

    def _over_block(
        self,
        block: SumBlock,
        first: Callable[[Variant], list[Operand]],
        then: Callable[[Variant, list[Operand]], None],
    ) -> None:
        """All tiles of a task, for one block of the sum.

        Args:
            block: of the sum.
            first: what the products of a tile are added to.
            then: what is done with its results.
        """
        if self._left_home is not None:
            rows = self.spans[self.loops.row_inner]
            before = self.f.multiply(rows.start, -self._steps)
            before = self.f.add(before, block.before(self.f, self.tile.inner))
            self._set(self._left_home, self._left_memory, before)
            copier = LeftCopier(
                self.elements, self.form.left, self.left, block, self.loops.row_inner,
                self.tile.inner,
            )  # fmt: skip
            copier.write(rows)

        if self._panel_home is not None:
            columns = self.spans[self.loops.column]
            before = self.f.multiply(columns.start, -self._steps)
            before = self.f.add(before, block.before(self.f, self.panel))
            self._set(self._panel_home, self._panel_memory, before)
            PanelCopier(
                self.elements, self.form.right, self.right, block, self.loops.column, self.panel
            ).write(columns)

        def over(tile: Tile, sums: TileSums, pieces: Sequence[SumBlock]) -> None:
            def write(variant: Variant) -> None:
                results = sums.sums(variant, first(variant), pieces[0])
                for piece in pieces[1:]:
                    more = sums.sums(variant, sums.zeros(variant), piece)
                    pairs = zip(results, more, strict=True)
                    results = [self.f.binary("fadd", x, y) for x, y in pairs]
                then(variant, results)

            sizes = (tile.outer, tile.inner, self.panel)
            for lengths, is_there in self._lengths():
                with self.f.when(is_there) if is_there else nullcontext():
                    over_tiles(self.f, self.loops.tiled, self.spans, sizes, write, lengths)

        lines = self.left.line, self.right.line
        if self.schedule.pieces > 1:
            over(self.tile, self.sums, [each.merged(lines) for each in self._pieces()])
            return
        merged = [block.merged(lines)]
        if self.form.gaps is None:
            over(self.tile, self.sums, merged)
            return
        usual = self.form.gaps.make_no_difference(self.elements)
        with self.f.when(usual):
            over(self.tile, self.sums, merged)
        with self.f.when(self.f.binary("xor", usual, constant("i1", 1))):
            over(Tile(1, 1, self.tile.vectors), self._careful_sums, [block])

    def _lengths(self) -> Iterator[tuple[Sequence[int] | None, Operand | None]]:
        """Rows and columns that tasks have, and whether it is the one that is being run."""
        options = self.schedule.lengths
        if len(options) < 2:
            yield (options[0] if options else None), None
            return
        walks = zip(self.loops.tiled, *options, strict=True)
        walk, usual = next((walk, usual) for walk, usual, last in walks if usual != last)
        start, stop = self.spans[walk]
        is_usual = self.f.compare("icmp eq", self.f.binary("sub", stop, start), integer(usual))
        yield options[0], is_usual
        yield options[1], self.f.binary("xor", is_usual, constant("i1", 1))

    def _pieces(self) -> list[SumBlock]:
        """The parts of all sums that this task adds up one by one."""
        extent, count = self.loops.summed[0].extent, self.schedule.pieces
        own = -(-extent // count)
        starts = range(0, extent, own)
        spans = [(start, min(start + own, extent)) for start in starts]
        return [
            SumBlock(
                self.loops.summed, last - first, Span(integer(first), integer(last)), exact=True
            )
            for first, last in spans
        ]

    def _set(self, home: Home, memory: Operand, before: Operand) -> None:
        """Say where an array of the kernel's own would begin, counted from outside of the task."""
        address = self.f.address(memory, memory_type(self.dtype), before)
        self.writer.pointers.set(home.buffer, address)
