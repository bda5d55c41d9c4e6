"""Rows that are much shorter than a vector: as many of them at once as a vector has lanes.

The lanes of a vector are then neighbouring rows, and the few places of a row are written out one
after the other.  A reduction over a row adds whole vectors, and what a row has once (a maximum, a
loss) is computed for all rows of the vector together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clearprop.executors.native.groups import REDUCTIONS
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.kernel import over_vectors
from clearprop.executors.native.kernels.reducers import merged, reducer_of
from clearprop.executors.native.kernels.sinks import Sink
from clearprop.executors.native.llvm.registers import Operand, constant, integer, vector_type
from clearprop.ir.value import Equation

if TYPE_CHECKING:
    from clearprop.executors.native.kernels.nests import Nest


def are_side_by_side(nest: Nest) -> bool:
    """Whether a nest's rows are so short, and so many, that vectors should take them together.

    Loading a place of so many rows takes an instruction for each; reductions over rows outweigh it.
    """
    reduces = any(each.primitive.name in REDUCTIONS for each in nest.group.members)
    is_plain = nest.below is None and not nest.given and nest.moved is None
    if not (reduces and is_plain and nest.rows) or len(nest.inner) > 1:
        return False
    together = min(nest.rows[-1].extent, nest.width)
    return together > 2 * nest.lane.extent


class SideBySide:
    """Writes the rows of a nest with vectors that take them together.

    Args:
        nest: the nest.
    """

    def __init__(self, nest: Nest) -> None:
        self._nest, self._f, self._width = nest, nest.f, nest.width
        self._walk = nest.rows[-1]

    def rows(
        self, carried: list[Operand], start: Operand | int, stop: Operand | int
    ) -> list[Operand]:
        """Write neighbouring rows: whole vectors of them, and what is left.

        Args:
            carried: the sinks' states before; returned are those after.
            start: the first of them.
            stop: the one after the last.
        """
        extent, width = self._walk.extent, self._width
        own = self._nest.chunk if len(self._nest.rows) == 1 else extent
        if own < extent and own % width:  # all tasks have as many rows: each has the same rest
            end = self._f.add(start, own // width * width)
            with self._f.loop(start, end, width, carried=carried) as loop:
                assert loop.index is not None
                loop.next = self._rows(loop.carried, loop.index, width)
            return self._rows(loop.results, end, own % width)
        return over_vectors(
            self._f,
            extent,
            (start, stop),
            width,
            carried,
            lambda states, index: self._rows(states, index, width),
            lambda states, begin: self._rows(states, integer(begin), extent - begin),
        )

    def _stand(self, place: int | None) -> None:
        """Stand at one place of all rows; None for the rows as wholes."""
        lane = self._nest.lane
        if place is not None and lane.axes:
            lane.stand(place)

    def _places(self, has_lanes: bool) -> list[int | None]:
        """Where a value is computed: at each place of a row, or once for it."""
        return list(range(self._nest.lane.extent)) if has_lanes else [None]

    def _rows(self, carried: list[Operand], first: Operand, count: int) -> list[Operand]:
        """Everything of the rows of one vector; returns the sinks' states after them."""
        nest, elements = self._nest, self._nest.elements
        elements.forget()
        self._walk.stand(first)
        short = nest.lane.axis if nest.lane.axes else None
        elements.lanes = Lanes(self._walk.axis, self._width, count, short)
        for equation in nest.group.members:
            value = nest.stages.result(equation)
            if equation.primitive.name in REDUCTIONS:
                self._reduce(equation)
                continue
            for place in self._places(nest.stages.has_lanes(value)):
                self._stand(place)
                elements.compute(equation, value, nest.group.index[value])
        result: list[Operand] = []
        for sink in nest.sinks:
            assert isinstance(sink, RowSink)
            own, carried = carried[: sink.size], carried[sink.size :]
            for place in self._places(sink.has_lanes):
                self._stand(place)
                own = sink.take_rows(own, place or 0, count)
            result += own
        for store in nest.stores:
            for place in self._places(nest.stages.varies(store.index)):
                self._stand(place)
                x = elements.element(store.value, store.index)
                elements.store(x, store.home, store.index)
        elements.lanes = Lanes(None)
        return result

    def _reduce(self, equation: Equation) -> None:
        """A reduction over the places of each row."""
        nest, f, width = self._nest, self._f, self._width
        reducer = reducer_of(equation, nest.lane.extent)
        states = []
        for place in range(nest.lane.extent):
            self._stand(place)
            x = nest.elements.element(equation.inputs[0], nest.group.at[equation])
            number = constant(vector_type(reducer.place_element, width), place)
            state = reducer.first(width)
            states.append(reducer.step(f, state, f.splat(x, width), number))
        value = nest.stages.result(equation)
        result = reducer.result(f, merged(f, reducer, states))
        nest.elements.set(value, nest.group.index[value], result)


class RowSink(Sink):
    """A reduction over the rows of a nest whose rows lie side by side in vectors."""

    def __init__(self, nest: Nest, equation: Equation, tasks: int) -> None:
        super().__init__(nest, equation, tasks)
        self.in_memory = False
        self.size = nest.lane.extent if self.keeps_lanes else 1

    def first(self) -> list[Operand]:
        """The states before the first row."""
        return [state for _ in range(self.size) for state in self.reducer.first(self.nest.width)]

    def take_rows(self, own: list[Operand], place: int, count: int) -> list[Operand]:
        """The states after the rows of one more vector, at one of their places.

        Args:
            own: before.
            place: in the rows.
            count: how many lanes of the vector are in use.
        """
        nest, f = self.nest, self.nest.f
        x = nest.elements.element(self.equation.inputs[0], self.at)
        x = self.reducer.only(f, f.splat(x, nest.width), count)
        number = place if self.keeps_lanes else 0
        own = list(own)
        own[number : number + 1] = self.reducer.step(f, [own[number]], x, None)
        return own

    def end(self, carried: list[Operand], task: Operand) -> list[Operand]:
        """Store what the task's rows gave; returns what the other sinks carry."""
        nest = self.nest
        self.task = task
        nest.elements.lanes = Lanes(None)
        for number, state in enumerate(carried[: self.size]):
            if self.keeps_lanes and nest.lane.axes:
                nest.lane.stand(number)
            (x,) = self.reducer.across(nest.f, [state])
            address, stride = nest.elements.place(*self.place())
            nest.elements.store_to(x, address, stride, self.value.dtype)
        return carried[self.size :]
