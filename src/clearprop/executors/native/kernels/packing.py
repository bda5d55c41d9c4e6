"""Panels: a factor of a contraction copied so that vectors can be loaded from it one after another.

A panel holds the columns of one tile, row by row of the sum, with zeros where the last panel has
no columns.  Where the sum's axis is the one that lies side by side in memory, square blocks are
turned over in registers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Affine, total
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.kernel import Compilation, KernelWriter, Walk, nested
from clearprop.executors.native.kernels.sums import Side
from clearprop.executors.native.llvm.registers import Operand, constant, integer, vector_type
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics.elementwise import memory_type
from clearprop.ir.types import TensorType


def pack(
    compilation: Compilation,
    side: Side,
    outer: Sequence[Walk],
    summed: Sequence[Walk],
    column: Walk,
    panel: int,
) -> Side:
    """The side in panels; appends the kernel that copies it there.

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
    dtype = side.home.type.dtype
    type_ = TensorType((batches, panels, length, panel), dtype)
    lasts = side.home.buffer in compilation.lasting
    home = Home.plain(compilation.temporary(type_.size_bytes, lasts=lasts), type_)
    stride, parts = panel, []
    for walk in reversed(summed):
        parts.append(Affine.of(walk.axis).times(stride))
        stride *= walk.extent
    # The place of a panel, counted by its first column.
    parts.append(Affine.of(column.axis).times(length))
    stride = panels * length * panel
    for walk in reversed(outer):
        parts.append(Affine.of(walk.axis).times(stride))
        stride *= walk.extent
    packed = Side(home, total(parts))
    _Packing(compilation, side, packed, summed, column, panel).write(outer, lasts=lasts)
    return packed


class _Packing:
    """The kernel that copies a factor into panels."""

    def __init__(
        self,
        compilation: Compilation,
        side: Side,
        packed: Side,
        summed: Sequence[Walk],
        column: Walk,
        panel: int,
    ) -> None:
        self.writer = KernelWriter(compilation, "pack")
        self.f, self.elements = self.writer.function, self.writer.elements
        self.side, self.packed, self.panel = side, packed, panel
        self.summed, self.column = summed, column
        self.dtype = side.home.type.dtype
        self.element = memory_type(self.dtype)
        self.width = compilation.machine.lanes(self.dtype.itemsize)
        self.stride = side.line.factor(column.axis)  # from column to column
        last = summed[-1] if summed else None
        is_turned = last is not None and side.line.factor(last.axis) == 1
        self.turned = last if is_turned and last and last.extent >= self.width else None

    def write(self, outer: Sequence[Walk], *, lasts: bool) -> None:
        """Append the kernel: a task for each panel."""
        f, panels = self.f, -(-self.column.extent // self.panel)
        rest = self.column.extent % self.panel
        with f.loop(self.writer.begin, self.writer.end) as loop:
            assert loop.index is not None
            number = loop.index
            self.column.stand(f.multiply(number, self.panel))

            def one_batch(carried: list[Operand]) -> list[Operand]:
                if not rest:
                    self._panel(self.panel)
                    return carried
                if panels > 1:
                    with f.when(f.compare("icmp slt", number, integer(panels - 1))):
                        self._panel(self.panel)
                with f.when(f.compare("icmp eq", number, integer(panels - 1))):
                    self._panel(rest)
                return carried

            nested(f, outer, [], one_batch)
        self.writer.finish(panels, self.packed.home.type.size, is_before=lasts)

    def _panel(self, count: int) -> None:
        """One panel, ``count`` columns of which are there."""

        def rows(carried: list[Operand]) -> list[Operand]:
            self._row(count)
            return carried

        def blocks(carried: list[Operand]) -> list[Operand]:
            self._blocks(count)
            return carried

        if self.turned is not None:
            nested(self.f, self.summed[:-1], [], blocks)
        else:
            nested(self.f, self.summed, [], rows)

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
                x = self.elements.load_from(start, self.stride, self.dtype)
                x = f.splat(x, width) if self.stride == 0 else f.widen(x, width)
            f.store(x, f.address(target, self.element, at))

    def _blocks(self, count: int) -> None:
        """Square blocks of one panel, each turned over, then the rows that are left."""
        f, width, last = self.f, self.width, self.turned
        assert last is not None
        whole = last.extent // width * width
        zero = constant(vector_type(self.element, width), 0)
        with f.loop(0, whole, width) as loop:
            assert loop.index is not None
            last.stand(loop.index)
            source, target = self._addresses()
            for at in range(0, self.panel, width):
                used = max(0, min(width, count - at))
                vectors = [
                    f.load(zero.type, f.address(source, self.element, (at + row) * self.stride))
                    for row in range(used)
                ]
                vectors += [zero] * (width - used)
                for row, x in enumerate(turned_over(f, vectors)):
                    f.store(x, f.address(target, self.element, row * self.panel + at))
        for row in range(whole, last.extent):
            last.stand(row)
            self._row(count)


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
