"""Rows added at places that are numbers themselves."""

from __future__ import annotations

from clearprop.executors.native.groups import Read
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Affine, Axis, Index, index_of, linear
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.kernel import (
    Compilation,
    KernelWriter,
    Walk,
    nested,
    task_count,
    walks_over,
)
from clearprop.executors.native.llvm.registers import Operand, integer
from clearprop.executors.native.mathematics.elementwise import WRITERS
from clearprop.executors.native.words.operands import operand_home
from clearprop.ir.value import Equation

_UNROLLED = 4  # vectors of a row that one round takes


def write_additions(compilation: Compilation, equation: Equation, home: Home) -> None:
    """Append the kernel that adds the updates of a ``scatter_add`` to what lies in its home."""
    if equation.inputs[1].type.size:
        _Additions(compilation, equation, home).write()


class _Additions:
    """The kernel while it is written.

    The loops are, from the outside: the axes before the one that is indexed, the indices in
    their order, the columns (all axes after it).  Tasks share the first or the columns, so that
    no two of them add to the same element.
    """

    def __init__(self, compilation: Compilation, equation: Equation, home: Home) -> None:
        self.writer = KernelWriter(compilation, "scatter_add")
        self.f, self.elements = self.writer.function, self.writer.elements
        x, self.indices, self.updates = equation.inputs
        self.home, self.size = home, x.shape[equation.params["axis"]]
        self.indices_home = operand_home(compilation, self.indices)
        self.updates_home = operand_home(compilation, self.updates)
        self.width = compilation.machine.lanes(x.dtype.itemsize)
        axis, rank = equation.params["axis"], len(self.indices.shape)
        axes = [Axis(size) for size in self.updates.shape]
        before, listed, after = axes[:axis], axes[axis : axis + rank], axes[axis + rank :]
        self.which, self.source = index_of(listed), index_of(axes)
        # Where the additions begin in x: the row is chosen when the code runs.
        self.target: Index = (*index_of(before), Affine(), *index_of(after))
        self.axis = axis
        lines = [linear(self.source, self.updates_home.strides)]
        own = [*lines, linear(self.target, home.strides)]
        self.before = walks_over(before, own)
        self.listed = walks_over(listed, [*lines, linear(self.which, self.indices_home.strides)])
        self.columns = walks_over(after, own)
        self.lane = self.columns.pop() if self.columns else Walk(())

    def write(self) -> None:
        """Append the kernel."""
        f, work = self.f, 2 * max(self.updates.type.size, self.indices.type.size)
        if not self.updates.type.size or not self.size:
            nested(f, self.listed, [], self._only_checked)
            self.writer.finish(1, work)
            return
        if self.before and self.before[0].extent >= task_count(self.lane.extent, work):
            start, stop, tasks = self._part(self.before[0].extent, 1, work)
            with f.loop(start, stop) as loop:
                assert loop.index is not None
                self.before[0].stand(loop.index)
                self._rows(self.before[1:], 0, self.lane.extent, 1)
        else:
            start, stop, tasks = self._part(self.lane.extent, _UNROLLED * self.width, work)
            self._rows(self.before, start, stop, tasks)
        self.writer.finish(tasks, work)

    def _part(self, extent: int, unit: int, work: int) -> tuple[Operand | int, Operand | int, int]:
        """Where a loop begins and ends in some tasks, and how many tasks there are."""
        f, units = self.f, -(-extent // unit)
        chunk = -(-units // task_count(units, work)) * unit
        tasks = -(-extent // chunk)
        if tasks == 1:
            return 0, extent, 1
        start = f.multiply(self.writer.begin, chunk)
        return start, f.minimum(f.multiply(self.writer.end, chunk), extent), tasks

    def _chosen(self) -> Operand:
        """The row that the index names at which the loops stand."""
        self.elements.lanes = Lanes(None)
        which = self.elements.load(self.indices_home, Read(self.indices, self.which))
        return self.elements.chosen(which, self.indices.dtype, self.size)

    def _only_checked(self, carried: list[Operand]) -> list[Operand]:
        self._chosen()
        return carried

    def _rows(
        self, before: list[Walk], start: Operand | int, stop: Operand | int, tasks: int
    ) -> None:
        """Loops over rows of x and over the indices; from ``start`` to ``stop`` in each row."""

        def row(carried: list[Operand]) -> list[Operand]:
            place = Affine.of(Axis(max(self.size, 2), self._chosen()))
            target = (*self.target[: self.axis], place, *self.target[self.axis + 1 :])

            def columns(carried: list[Operand]) -> list[Operand]:
                self._columns(target, start, stop, tasks)
                return carried

            return nested(self.f, self.columns, carried, columns)

        nested(self.f, [*before, *self.listed], [], row)

    def _columns(
        self, target: Index, start: Operand | int, stop: Operand | int, tasks: int
    ) -> None:
        """Some of the columns; the last task takes those that fill no vectors."""
        f, width, extent = self.f, self.width, self.lane.extent
        unit = width * _UNROLLED
        whole = extent // unit * unit
        if whole:
            with f.loop(start, f.minimum(stop, whole), unit) as loop:
                assert loop.index is not None
                for number in range(_UNROLLED):
                    self._add(target, f.add(loop.index, number * width), width)
        if tasks == 1:
            self._rest(target, whole)
        else:
            with f.when(f.compare("icmp eq", self.writer.end, integer(tasks))):
                self._rest(target, whole)

    def _rest(self, target: Index, start: int) -> None:
        width, extent = self.width, self.lane.extent
        while start < extent:
            while start + width > extent:
                width //= 2
            self._add(target, integer(start), width)
            start += width

    def _add(self, target: Index, start: Operand, width: int) -> None:
        """Add one vector."""
        self.elements.lanes = Lanes(None)
        if self.lane.axes:
            self.lane.stand(start)
            self.elements.lanes = Lanes(self.lane.axis, width, width)
        dtype = self.home.type.dtype
        place = self.elements.place(self.home, linear(target, self.home.strides))
        own = self.elements.load_from(*place, dtype, pinned=True)
        more = self.elements.load(self.updates_home, Read(self.updates, self.source))
        own, more = (self.f.splat(each, self.elements.lanes.width) for each in (own, more))
        self.elements.store_to(WRITERS["add"](self.f, dtype, [own, more]), *place, dtype)
