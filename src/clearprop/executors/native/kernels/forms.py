"""What all ways of computing a contraction have in common: its loops, and the tasks it is cut into.

Matrix products and convolutions are one form (``sums``); ``contractions`` computes it product by
product, ``winograd`` small windows of images with fewer products.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from clearprop.executors.native.groups import Group
from clearprop.executors.native.kernels.affine import Affine, Axis, linear, total
from clearprop.executors.native.kernels.elements import Elements
from clearprop.executors.native.kernels.kernel import (
    Compilation,
    Cut,
    KernelWriter,
    Walk,
    cut_of,
    rounds_of_a_task,
    walks_over,
)
from clearprop.executors.native.kernels.packing import Span
from clearprop.executors.native.kernels.sums import SumOfProducts
from clearprop.executors.native.kernels.tile_loops import Level
from clearprop.executors.native.kernels.tile_sums import Loops, lies_along
from clearprop.executors.native.llvm.registers import Operand, integer
from clearprop.executors.native.llvm.writer import Function


class ContractionWriter:
    """A contraction that is being written, in whichever way.

    Args:
        compilation: where its kernels go.
        group: the contraction and the equations that follow it.
        form: its products.
        label: what it computes, for people.

    Attributes:
        value: its results.
        width: lanes of a vector.
        loops: over results and products.
        spans: which rounds of each loop are the task's.
    """

    def __init__(
        self, compilation: Compilation, group: Group, form: SumOfProducts, label: str
    ) -> None:
        self.compilation, self.group, self.form = compilation, group, form
        self.value = next(iter(group.index))
        self.dtype = self.value.dtype
        self.width = compilation.machine.lanes(self.dtype.itemsize)
        self.writer = KernelWriter(compilation, label)
        self.f, self.elements = self.writer.function, self.writer.elements
        self.loops = self._loops()
        self.spans: dict[Walk, Span] = {}

    def _loops(self) -> Loops:
        form = self.form
        own = [form.left.line, form.right.line]
        if form.gaps is not None:
            own += [axis.place for axis in form.gaps.axes]
        mapping = dict(zip(self.group.axes, form.output, strict=True))
        results = result_lines(self.compilation, self.elements, self.group)
        lines = own + [_substituted(line, mapping) for line in results]
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

    @contextmanager
    def each_task(self, levels: Sequence[Level], parts: int = 1) -> Iterator[Operand]:
        """Loops over the tasks, standing at what each of them computes.

        Args:
            levels: into which the loops inside of the outer ones are cut.
            parts: into how many parts the sums are cut.

        Yields:
            The number of the part.
        """
        all_levels = [*self._outer_levels, *levels]
        with ExitStack() as stack:
            task: Operand = integer(0)
            if self.task_count(levels, parts) > 1:
                loop = stack.enter_context(self.f.loop(self.writer.begin, self.writer.end))
                assert loop.index is not None
                task = loop.index
            for level in reversed(all_levels):
                number, task = _digit(self.f, task, level.count)
                span = self.spans[level.walk] = level.span(self.f, number)
                level.stand(self.f, number)
                if level not in levels and level.size > 1:
                    loop = stack.enter_context(self.f.loop(*span))
                    assert loop.index is not None
                    level.walk.stand(loop.index)
            yield task

    @property
    def _outer_levels(self) -> list[Level]:
        outer = [Level(walk, 1) for walk in self.loops.outer]
        if outer:
            outer[0].size = rounds_of_a_task(outer[0].walk.extent)
        return outer

    def task_count(self, levels: Sequence[Level], parts: int = 1) -> int:
        """Into how many tasks these levels, the outer loops and the parts of a sum are cut."""
        return parts * math.prod(level.count for level in [*self._outer_levels, *levels])

    def cut_of(self, levels: Sequence[Level]) -> Cut | None:
        """The index that is divided among the tasks, if it is one; the output has its own name."""
        several = [level for level in [*self._outer_levels, *levels] if level.count > 1]
        cut = cut_of(several[0].walk, several[0].size) if len(several) == 1 else None
        if cut is None:
            return None
        pairs = zip(self.group.axes, self.form.output, strict=True)
        ((axis, rounds),) = cut.items()
        own = [name for name, place in pairs if place == Affine.of(axis)]
        return {**cut, **dict.fromkeys(own, rounds)}


def result_lines(compilation: Compilation, elements: Elements, group: Group) -> list[Affine]:
    """Where the results and what is computed with them are read and stored."""
    lines = []
    for equation in group.members[1:]:
        for each in equation.inputs:
            lines += elements.lines(each, group.at[equation], group.index)
    for value in group.stored:
        home = compilation.homes[value]
        lines.append(linear(group.index[value], home.strides))
    return lines


def _digit(f: Function, number: Operand, count: int) -> tuple[Operand, Operand]:
    """The last digit of a number written in base ``count``, and those before it."""
    if count == 1:
        return integer(0), number
    base = integer(count)
    return f.binary("urem", number, base), f.binary("udiv", number, base)


def _substituted(line: Affine, mapping: Mapping[Axis, Affine]) -> Affine:
    """A sum of the output's indices as a sum of the loops' indices."""
    parts = [mapping[axis].times(factor) for axis, factor in line.terms if axis in mapping]
    return total([Affine(line.constant), *parts])
