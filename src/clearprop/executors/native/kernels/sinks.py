"""Sinks: reductions over the rows of a nest, known when all rows have been walked over.

Each task has sums of its own: in registers where a row is short, in memory where it is long.  If
there are several tasks, a kernel of its own brings their sums together, in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Affine, Axis, Index, index_of, linear
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.kernel import (
    UNROLLED,
    Block,
    Compilation,
    KernelWriter,
    Walk,
    nested,
    walks_over,
)
from clearprop.executors.native.kernels.reducers import Reducer, merged, reducer_of
from clearprop.executors.native.llvm.registers import Operand
from clearprop.ir.types import TensorType
from clearprop.ir.value import Equation

if TYPE_CHECKING:
    from clearprop.executors.native.kernels.nests import Nest


class Sink:
    """A reduction over the rows of a nest.

    Args:
        nest: the nest.
        equation: the reduction.
        tasks: into how many parts the rows are cut.

    Attributes:
        has_lanes: whether its numbers differ from lane to lane.
        size: how many numbers and vectors it carries from row to row.
        task: the number of the task that is being written.
    """

    def __init__(self, nest: Nest, equation: Equation, tasks: int) -> None:
        self.nest, self.equation = nest, equation
        self.reducer = reducer_of(equation)
        compilation, group = nest.compilation, nest.group
        (self.value,) = [v for v in group.sink_values if v.equation is equation]
        self.at = group.at[equation]
        self.kept = kept_index(equation, self.at)
        self.has_lanes = nest.stages.varies(self.at)
        self.keeps_lanes = nest.stages.varies(self.kept)
        self.home = compilation.homes[self.value]
        self.parts: Home | None = None
        if tasks > 1:
            type_ = TensorType((tasks, *self.value.shape), self.value.dtype)
            self.parts = Home.plain(compilation.temporary(type_.size_bytes), type_)
        self.tasks = tasks
        self._count = 1
        if self.has_lanes:
            self._count = (
                len(nest.blocks(0, nest.lane.extent)) if nest.is_short and nest.rows else UNROLLED
            )
        # Sums for each lane of a long row do not fit into registers: they stay in memory.
        self.in_memory = self.keeps_lanes and not nest.is_short
        self.size = 0 if self.in_memory else self._count

    def _target(self, task: Operand) -> tuple[Home, Affine]:
        """Where this task's numbers go, and where in it the first is."""
        if self.parts is None:
            return self.home, Affine()
        row = Axis(self.tasks + 1, task)
        return self.parts, Affine.of(row).times(self.parts.strides[0])

    def _line(self, home: Home, start: Affine) -> Affine:
        strides = home.strides[len(home.strides) - len(self.kept) :]
        return start + linear(self.kept, strides)

    def first(self) -> list[Operand]:
        """The states before the first row."""
        lanes = self.nest.width if self.has_lanes else 1
        return [] if self.in_memory else [
            state for _ in range(self._count) for state in self.reducer.first(lanes)
        ]  # fmt: skip

    def begin(self, task: Operand) -> None:
        """Set the sums that stay in memory to the number that changes nothing."""
        self.task = task
        if not self.in_memory:
            return
        nest = self.nest

        def fill(states: list[Operand], blocks: Sequence[Block]) -> list[Operand]:
            for block in blocks:
                with nest.at(block):
                    (neutral,) = self.reducer.first(nest.width)
                    address, stride = nest.elements.place(*self.place())
                    nest.elements.store_to(neutral, address, stride, self.value.dtype)
            return states

        nested(
            nest.f,
            nest.inner[:-1],
            [],
            lambda states: nest.over_lanes(states, 0, nest.lane.extent, 1, fill),
        )

    def place(self) -> tuple[Home, Affine]:
        """Where the task's numbers for the present lanes go: an array, and a place in it."""
        home, start = self._target(self.task)
        return home, self._line(home, start)

    def take(self, own: list[Operand], block: Block | None, number: int) -> list[Operand]:
        """The states after one more block of lanes, or after one more number for the row."""
        nest = self.nest
        with nest.at(block):
            x = nest.elements.element(self.equation.inputs[0], self.at)
            if block is None:
                return self.reducer.step(nest.f, own, x, None)
            x = nest.f.splat(x, nest.width)
            if not self.keeps_lanes:
                x = self.reducer.only(nest.f, x, block.count)
            if self.in_memory:
                address, stride = nest.elements.place(*self.place())
                before = nest.elements.load_from(address, stride, self.value.dtype, pinned=True)
                (after,) = self.reducer.step(nest.f, [before], x, None)
                nest.elements.store_to(after, address, stride, self.value.dtype)
                return own
            return [
                *own[:number],
                *self.reducer.step(nest.f, [own[number]], x, None),
                *own[number + 1 :],
            ]

    def end(self, carried: list[Operand], task: Operand) -> list[Operand]:
        """Store what the task's rows gave; returns what the other sinks carry."""
        nest = self.nest
        own, rest = carried[: self.size], carried[self.size :]
        if self.in_memory:
            return rest
        if self.keeps_lanes:
            for x, block in zip(own, nest.blocks(0, nest.lane.extent), strict=True):
                with nest.at(block):
                    address, stride = nest.elements.place(*self.place())
                    nest.elements.store_to(x, address, stride, self.value.dtype)
            return rest
        if self.has_lanes:
            state = merged(nest.f, self.reducer, [[x] for x in own])
            own = self.reducer.across(nest.f, state)
        with nest.at(None):
            address, stride = nest.elements.place(*self.place())
            nest.elements.store_to(own[0], address, stride, self.value.dtype)
        return rest

    def add_parts(self) -> None:
        """Append the kernel that brings the parts together, in order."""
        if self.parts is not None:
            write_sum_of_parts(self.nest.compilation, self.reducer, self.parts, self.home)


def write_sum_of_parts(compilation: Compilation, reducer: Reducer, parts: Home, home: Home) -> None:
    """Append a kernel that reduces the first axis of ``parts`` into ``home``, in order."""
    writer = KernelWriter(compilation, "sum of parts")
    f, elements = writer.function, writer.elements
    axes = tuple(map(Axis, home.type.shape))
    line = linear(index_of(axes), parts.strides[1:])
    walks = walks_over(axes, [line, linear(index_of(axes), home.strides)])
    lane = walks[-1] if walks else Walk(())
    width = compilation.machine.lanes(home.type.dtype.itemsize)
    count = parts.type.shape[0]

    def sum_up(start: Operand | int, lanes: Lanes) -> None:
        if lane.axes:
            lane.stand(start)
        elements.lanes = lanes
        state = reducer.first(lanes.width)
        for part in range(count):
            address, stride = elements.place(parts, line.plus(part * parts.strides[0]))
            x = elements.load_from(address, stride, home.type.dtype)
            state = reducer.step(f, state, x, None)
        elements.store(reducer.result(f, state), home, index_of(axes))

    def over_lanes(carried: list[Operand]) -> list[Operand]:
        whole = lane.extent // width * width
        if not lane.axes:
            sum_up(0, Lanes(None))
            return carried
        if whole:
            with f.loop(0, whole, width) as loop:
                assert loop.index is not None
                sum_up(loop.index, Lanes(lane.axis, width, width))
        if whole < lane.extent:
            sum_up(whole, Lanes(lane.axis, width, lane.extent - whole))
        return carried

    nested(f, walks[:-1], [], over_lanes)
    writer.finish(1, parts.type.size)


def kept_index(equation: Equation, at: Index) -> Index:
    """The index of a reduction's result, from that of its input."""
    return tuple(place for axis, place in enumerate(at) if axis not in equation.params["axes"])
