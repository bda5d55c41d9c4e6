"""Factors of a contraction copied so that tiles read numbers that lie one after another.

A panel holds the columns of the right factor that one tile takes, row by row of the sum, with zeros
where the last panel has no columns.  Where the sum's axis is the one that lies side by side in
memory, square blocks are turned over in registers.  The left factor is copied tile by tile where
its rows are columns in memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from clearprop.executors.native.homes import Buffer, Home
from clearprop.executors.native.kernels.affine import Affine, total
from clearprop.executors.native.kernels.elements import Elements, Lanes
from clearprop.executors.native.kernels.kernel import (
    Compilation,
    KernelWriter,
    Walk,
    divisor,
    nested,
    walks_over,
)
from clearprop.executors.native.kernels.sums import Side
from clearprop.executors.native.llvm.machine import LINE_BYTES
from clearprop.executors.native.llvm.module import Module
from clearprop.executors.native.llvm.registers import Operand, constant, integer, vector_type
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics.elementwise import memory_type
from clearprop.ir.types import TensorType

_LEAST_TASKS = 2  # that copy panels, if there are as many
_ROW_BYTES = 512  # of neighbouring panels of a task: their rows lie side by side in memory


class Span(NamedTuple):
    """Rounds of a loop: from ``start`` up to, without, ``stop``."""

    start: Operand
    stop: Operand


class SumBlock(NamedTuple):
    """A part of a sum: some rounds of its first loop, and all of those inside.

    Attributes:
        walks: the loops.
        rounds: how many of the first one at most.
        span: which of them; None for all.
        exact: whether a span always has so many rounds.
    """

    walks: Sequence[Walk]
    rounds: int
    span: Span | None
    exact: bool = False

    @property
    def length(self) -> int:
        """Steps in all, at most."""
        return self.rounds * math.prod(walk.extent for walk in self.walks[1:])

    def line(self, stride: int) -> Affine:
        """Where a step of it lies among others ``stride`` apart, counted from round 0."""
        parts = []
        for axis in reversed([axis for walk in self.walks for axis in walk.axes]):
            parts.append(Affine.of(axis).times(stride))
            stride *= axis.extent
        return total(parts)

    def merged(self, lines: Sequence[Affine]) -> SumBlock:
        """The same steps in as few loops as possible, given where the factors are read."""
        kept = 0 if self.span is None else 1
        axes = [axis for walk in self.walks[kept:] for axis in walk.axes]
        walks = [*self.walks[:kept], *walks_over(axes, lines)]
        rounds = self.rounds if kept or not walks else walks[0].extent
        return SumBlock(walks, rounds, self.span, self.exact)

    def before(self, f: Function, stride: int) -> Operand:
        """How far in front of the block's first step round 0 would lie, as a negative number."""
        if self.span is None:
            return integer(0)
        inner = math.prod(walk.extent for walk in self.walks[1:])
        return f.multiply(self.span.start, -stride * inner)

    def over(
        self,
        f: Function,
        carried: Sequence[Operand],
        body: Callable[[list[Operand]], list[Operand]],
        *,
        unrolled: int = 1,
    ) -> list[Operand]:
        """Loops over all steps; what the body returns is carried on.

        Args:
            f: the kernel.
            carried: what the first step starts from.
            body: writes one step.
            unrolled: how many steps of whole inner loops may be written one after the other.
        """
        if self.span is None:
            return nested(f, self.walks, carried, body, unrolled=unrolled)
        is_plain = self.exact and len(self.walks) == 1
        together = divisor(self.rounds, unrolled) if is_plain else 1
        with f.loop(*self.span, together, carried=carried) as loop:
            assert loop.index is not None
            loop.next = loop.carried
            for number in range(together):
                self.walks[0].stand(f.add(loop.index, number))
                loop.next = nested(f, self.walks[1:], loop.next, body, unrolled=unrolled)
        return loop.results


def pack(
    compilation: Compilation,
    side: Side,
    outer: Sequence[Walk],
    summed: Sequence[Walk],
    column: Walk,
    panel: int,
) -> Side:
    """The right side in panels; appends the kernel that copies it there.

    In a loop, what is the same in all rounds is copied once, before it.

    Args:
        compilation: where the kernel goes.
        side: the factor.
        outer: loops over batches that it depends on.
        summed: loops that disappear.
        column: the loop that vectors take.
        panel: columns of a panel.
    """
    length = math.prod(walk.extent for walk in summed)
    panels = -(-column.extent // panel)
    batches = math.prod(walk.extent for walk in outer)
    type_ = TensorType((batches, panels, length, panel), side.home.type.dtype)
    lasts = side.home.buffer in compilation.lasting
    home = Home.plain(compilation.temporary(type_.size_bytes, lasts=lasts), type_)
    block = SumBlock(summed, summed[0].extent if summed else 1, None)
    # The place of a panel, counted by its first column.
    parts = [block.line(panel), Affine.of(column.axis).times(length)]
    stride = panels * length * panel
    for walk in reversed(outer):
        parts.append(Affine.of(walk.axis).times(stride))
        stride *= walk.extent
    packed = Side(home, total(parts))
    writer = KernelWriter(compilation, "pack")
    copier = PanelCopier(writer.elements, side, packed, block, column, panel)
    f, together = writer.function, _ROW_BYTES // (panel * side.home.type.dtype.itemsize)
    width = max(1, min(together, panels // _LEAST_TASKS)) * panel
    with f.loop(writer.begin, writer.end) as loop:
        assert loop.index is not None
        start = f.multiply(loop.index, width)
        span = Span(start, f.minimum(f.add(start, width), column.extent))

        def one_batch(carried: list[Operand]) -> list[Operand]:
            copier.write(span)
            return carried

        nested(f, outer, [], one_batch)
    tasks = -(-column.extent // width)
    writer.finish(tasks, type_.size, is_before=lasts)
    return packed


def on_stack(elements: Elements, type_: TensorType) -> tuple[Home, Operand]:
    """An array on the stack of a kernel: its home, whose address is to be said, and the memory."""
    home = Home.plain(Buffer("stack", type_.size_bytes), type_)
    return home, elements.function.stack(memory_type(type_.dtype), type_.size)


class PanelCopier:
    """Writes what copies panels of the right factor.

    Args:
        elements: of the kernel.
        side: the factor.
        packed: where to, as a side.
        block: the steps of the sum that are copied.
        column: the loop that vectors take.
        panel: columns of a panel.
    """

    def __init__(
        self,
        elements: Elements,
        side: Side,
        packed: Side,
        block: SumBlock,
        column: Walk,
        panel: int,
    ) -> None:
        self.f, self.elements = elements.function, elements
        self.side, self.packed, self.panel = side, packed, panel
        self.block, self.column = block, column
        self.dtype = side.home.type.dtype
        self.element = memory_type(self.dtype)
        machine = elements.function.module.machine
        assert machine is not None
        self.width = min(machine.lanes(self.dtype.itemsize), panel)
        self.stride = side.line.factor(column.axis)  # from column to column
        last = block.walks[-1] if block.walks else None
        is_turned = last is not None and side.line.factor(last.axis) == 1 and self.stride != 1
        is_whole = block.span is None or len(block.walks) > 1
        self.turned = (
            last if is_turned and is_whole and last and last.extent >= self.width else None
        )

    def write(self, span: Span) -> None:
        """Copy the panels of a span of columns; it begins with a panel."""
        f, extent = self.f, self.column.extent
        rest = extent % self.panel
        stop = f.minimum(span.stop, extent - rest) if rest else span.stop
        if extent >= self.panel:
            self._whole_panels(Span(span.start, stop))
        if rest:
            is_last = f.compare("icmp eq", span.stop, integer(extent))
            with f.when(is_last):
                self.column.stand(extent - rest)
                self._each_step(lambda: self._row(rest), lambda: self._turn(rest))

    def _whole_panels(self, span: Span) -> None:
        f = self.f

        def over_panels(write: Callable[[], None]) -> None:
            with f.loop(*span, self.panel) as loop:
                assert loop.index is not None
                self.column.stand(loop.index)
                write()

        if self.turned is None:  # rows of all panels one after the other, as they lie in memory
            self._each_step(lambda: over_panels(lambda: self._row(self.panel)), lambda: None)
        else:
            over_panels(lambda: self._each_step(lambda: None, lambda: self._turn(self.panel)))

    def _each_step(self, row: Callable[[], None], turn: Callable[[], None]) -> None:
        """Loops over the steps of the block: one by one, or in squares."""

        def step(carried: list[Operand]) -> list[Operand]:
            row()
            return carried

        def square(carried: list[Operand]) -> list[Operand]:
            turn()
            return carried

        block = self.block
        if self.turned is None:
            block.over(self.f, [], step)
        else:
            SumBlock(block.walks[:-1], block.rounds, block.span).over(self.f, [], square)

    def _addresses(self) -> tuple[Operand, Operand]:
        self.elements.lanes = Lanes(None)
        source, _ = self.elements.place(self.side.home, self.side.line)
        target, _ = self.elements.place(self.packed.home, self.packed.line)
        return source, target

    def _row(self, count: int) -> None:
        """The columns of one panel at one place of the sum."""
        f, width = self.f, self.width
        source, target = self._addresses()
        for at in range(0, self.panel, width):
            used = max(0, min(width, count - at))
            self.elements.lanes = Lanes(self.column.axis, width, used)
            x = constant(vector_type(self.element, width), 0)
            if used:
                start = f.address(source, self.element, at * self.stride)
                x = self.elements.load_from(start, self.stride, self.dtype, pinned=True)
                x = f.splat(x, width) if self.stride == 0 else f.widen(x, width)
            f.store(x, f.address(target, self.element, at))

    def _turn(self, count: int) -> None:
        """Square blocks of one panel, each turned over, then the rows that are left.

        Columns may lie so far apart that only few of their lines fit into the first cache at the
        same time; so each line is used up before the next columns' are loaded.
        """
        f, width, last = self.f, self.width, self.turned
        assert last is not None
        line = max(width, LINE_BYTES // self.dtype.itemsize)
        lines, whole = (last.extent // size * size for size in (line, width))
        for start, stop, step in ((0, lines, line), (lines, whole, width)):
            if start < stop:
                with f.loop(start, stop, step) as loop:
                    assert loop.index is not None
                    last.stand(loop.index)
                    self._squares(count, step)
        for row in range(whole, last.extent):
            last.stand(row)
            self._row(count)

    def _squares(self, count: int, length: int) -> None:
        """Turn over ``length`` steps of the sum, for one vector of columns after the other."""
        f, width, panel = self.f, self.width, self.panel
        source, target = self._addresses()
        for at in range(0, panel, width):
            used = max(0, min(width, count - at))
            turn = turning_function(f.module, self.element, width, used)
            for step in range(0, length, width):
                start = f.address(source, self.element, at * self.stride + step)
                place = f.address(target, self.element, step * panel + at)
                strides = integer(self.stride), integer(panel)
                f.call(turn, start, strides[0], place, strides[1], read=[start])


class LeftCopier:
    """Writes what copies rows of the left factor, tile by tile, step by step of the sum.

    Args:
        elements: of the kernel.
        side: the factor; its rows lie side by side.
        packed: where to, as a side.
        block: the steps of the sum that are copied.
        rows: the loop over rows.
        tile: rows of a tile.
    """

    def __init__(
        self,
        elements: Elements,
        side: Side,
        packed: Side,
        block: SumBlock,
        rows: Walk,
        tile: int,
    ) -> None:
        self.f, self.elements = elements.function, elements
        self.side, self.packed, self.block = side, packed, block
        self.rows, self.tile = rows, tile
        self.element = memory_type(side.home.type.dtype)

    def write(self, span: Span) -> None:
        """Copy the rows of a span; it begins with a tile."""
        f, rest = self.f, self.rows.extent % self.tile
        with f.loop(*span, self.tile) as loop:
            assert loop.index is not None
            self.rows.stand(loop.index)
            bound = integer(self.rows.extent - rest)
            if not rest:
                self._tile(self.tile)
            elif self.rows.extent > self.tile:
                with f.when(f.compare("icmp slt", loop.index, bound)):
                    self._tile(self.tile)
            if rest:
                with f.when(f.compare("icmp sge", loop.index, bound)):
                    self._tile(rest)

    def _tile(self, count: int) -> None:
        def step(carried: list[Operand]) -> list[Operand]:
            self.elements.lanes = Lanes(None)
            source, _ = self.elements.place(self.side.home, self.side.line)
            target, _ = self.elements.place(self.packed.home, self.packed.line)
            x = self.f.load(vector_type(self.element, count), source, pinned=True)
            self.f.store(x, target)
            return carried

        self.block.over(self.f, [], step)


def turning_function(module: Module, element: str, width: int, used: int) -> str:
    """The name of a function that turns over a square of numbers.

    It is called with the address of the first row, elements from row to row, and the same of where
    the columns go as rows.  One for all who need it: it takes long to compile.

    Args:
        module: where it stands.
        element: type of the numbers.
        width: rows and columns.
        used: rows that are there; zeros stand for the others.
    """

    def write() -> str:
        parameters = [("ptr", "source"), ("i64", "step"), ("ptr", "target"), ("i64", "pace")]
        f = Function(module, parameters)
        source, step, target, pace = f.parameters
        rows = [constant(vector_type(element, width), 0)] * width
        for number in range(used):
            start = f.address(source, element, f.multiply(step, number))
            rows[number] = f.load(rows[number].type, start, pinned=True)
        for number, x in enumerate(turned_over(f, rows)):
            f.store(x, f.address(target, element, f.multiply(pace, number)))
        f.finish()
        return module.add(f, "turn")

    return module.shared((turning_function, element, width, used), write)


def turned_over(f: Function, vectors: Sequence[Operand]) -> list[Operand]:
    """The transpose of a square of vectors: lane i of vector j becomes lane j of vector i."""
    count = len(vectors)
    rows = list(vectors)
    step = 1
    while step < count:
        paired = list(rows)
        for number in range(count):
            if number & step:
                continue
            low, high = rows[number], rows[number + step]
            first = [lane if not lane & step else count + lane - step for lane in range(count)]
            second = [lane + step if not lane & step else count + lane for lane in range(count)]
            paired[number] = f.shuffle(low, high, first)
            paired[number + step] = f.shuffle(low, high, second)
        rows = paired
        step *= 2
    return rows
