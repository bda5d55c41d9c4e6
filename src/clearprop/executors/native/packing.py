"""Panels: a factor of a contraction copied so that vectors can be loaded from it one after another.

A panel holds the columns of one tile, row by row of the sum, with zeros where the last panel has
no columns.  Where the sum's axis is the one that lies side by side in memory, square blocks are
turned over in registers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from clearprop.executors.native.affine import Affine, total
from clearprop.executors.native.elements import Lanes
from clearprop.executors.native.elementwise import memory_type
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels import Compilation, KernelWriter, Walk, nested
from clearprop.executors.native.sums import Side
from clearprop.executors.native.writer import Function, Operand, constant, integer, vector_type
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
    home = Home.plain(compilation.temporary(type_.size_bytes), type_)
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
    _write(compilation, side, packed, outer, summed, column, panel)
    return packed


def _write(
    compilation: Compilation,
    side: Side,
    packed: Side,
    outer: Sequence[Walk],
    summed: Sequence[Walk],
    column: Walk,
    panel: int,
) -> None:
    writer = KernelWriter(compilation, "pack")
    f, elements = writer.function, writer.elements
    dtype = side.home.type.dtype
    width = compilation.machine.lanes(dtype.itemsize)
    panels = -(-column.extent // panel)
    last = summed[-1] if summed else None
    turned = last is not None and side.line.factor(last.axis) == 1 and last.extent >= width
    element = memory_type(dtype)
    stride = side.line.factor(column.axis)

    def rows(count: int, carried: list[Operand]) -> list[Operand]:
        """One row of the sum of one panel, ``count`` columns of which are there."""
        elements.lanes = Lanes(None)
        source, _ = elements.place(side.home, side.line)
        target, _ = elements.place(packed.home, packed.line)
        for at in range(0, panel, width):
            used = max(0, min(width, count - at))
            elements.lanes = Lanes(column.axis, width, used)
            x = constant(vector_type(element, width), 0)
            if used:
                start = f.address(source, element, at * stride)
                x = elements.load_from(start, stride, dtype)
                x = f.splat(x, width) if stride == 0 else f.widen(x, width)
            f.store(x, f.address(target, element, at))
        return carried

    def blocks(count: int, carried: list[Operand]) -> list[Operand]:
        """Square blocks of one panel, each turned over, then the rows that are left."""
        assert last is not None
        whole = last.extent // width * width
        with f.loop(0, whole, width) as loop:
            assert loop.index is not None
            last.stand(loop.index)
            elements.lanes = Lanes(None)
            source, _ = elements.place(side.home, side.line)
            target, _ = elements.place(packed.home, packed.line)
            for at in range(0, panel, width):
                used = max(0, min(width, count - at))
                zero = constant(vector_type(element, width), 0)
                vectors = [
                    f.load(zero.type, f.address(source, element, (at + number) * stride))
                    for number in range(used)
                ] + [zero] * (width - used)
                for number, x in enumerate(turned_over(f, vectors)):
                    f.store(x, f.address(target, element, number * panel + at))
        for number in range(whole, last.extent):
            last.stand(number)
            rows(count, [])
        return carried

    def one_panel(count: int) -> None:
        body = blocks if turned else rows
        walks = summed[:-1] if turned else summed
        nested(f, walks, [], lambda carried: body(count, carried))

    tasks = panels
    with f.loop(writer.begin, writer.end) as loop:
        assert loop.index is not None
        column.stand(f.multiply(loop.index, panel))

        def all_batches(carried: list[Operand]) -> list[Operand]:
            rest = column.extent % panel
            if not rest:
                one_panel(panel)
                return carried
            assert loop.index is not None
            if panels > 1:
                with f.when(f.compare("icmp slt", loop.index, integer(panels - 1))):
                    one_panel(panel)
            with f.when(f.compare("icmp eq", loop.index, integer(panels - 1))):
                one_panel(rest)
            return carried

        nested(f, outer, [], all_batches)
    writer.finish(tasks, packed.home.type.size)


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
