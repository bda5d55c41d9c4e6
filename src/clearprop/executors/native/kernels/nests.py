"""Nests: elementwise equations and the reductions between them in one walk over memory.

A nest has *rows*, and in each row *lanes*, which vectors take side by side.  What a reduction over
the lanes gives is known for the row and may be used in it at once.  If a row is short, it stays in
registers from its first equation to the last.  If it is long, each reduction ends a *stage*: the
next stage walks over the row again, and finds on the stack what the one before has left there.

A *sink* is a reduction over the rows: each part of the rows has its own sums, and a second kernel
adds the parts in order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from clearprop.executors.native.groups import REDUCTIONS, Group
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Affine, Axis, Index, linear
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.kernel import (
    UNROLLED,
    Block,
    Compilation,
    KernelWriter,
    Samples,
    Walk,
    cut_of,
    nested,
    over_vectors,
    task_count,
    walks_over,
)
from clearprop.executors.native.kernels.reducers import Reducer, State, merged, reducer_of
from clearprop.executors.native.kernels.side_by_side import RowSink, SideBySide, are_side_by_side
from clearprop.executors.native.kernels.sinks import Sink, kept_index
from clearprop.executors.native.kernels.stages import Stages
from clearprop.executors.native.llvm.machine import LINE_BYTES
from clearprop.executors.native.llvm.registers import Operand, constant_vector, integer
from clearprop.executors.native.mathematics.elementwise import memory_type
from clearprop.ir.value import Equation, Value

_MOST_BLOCKS = 8  # vectors of a row that stay in registers
_FEW_MEMBERS = 4  # equations beside which the loop around them would count
_MOST_STACK_BYTES = 1 << 15


@dataclass(frozen=True, slots=True)
class Store:
    """A value that the nest puts into memory."""

    value: Value
    home: Home
    index: Index


def write_nest(compilation: Compilation, group: Group) -> None:
    """Append the kernels of a nest."""
    if math.prod(axis.extent for axis in group.axes):
        stores = [
            Store(value, compilation.homes[value], group.index[value])
            for value in group.stored
            if value in group.index
        ]
        Nest(compilation, group, stores).write()


class Nest:
    """A nest that is being written.

    Args:
        compilation: where its kernels go.
        group: its equations.
        stores: what it puts into memory.
        below: a stored value that is computed from what it is made of.
        given: values for every lane that somebody else knows how to compute.
        moved: gives the index at which everything is stored, where that is computed.

    Attributes:
        chunk: rounds of the outermost loop in each task.
    """

    def __init__(
        self,
        compilation: Compilation,
        group: Group,
        stores: Sequence[Store],
        below: Value | None = None,
        given: Mapping[Value, Callable[[Nest], Operand]] = MappingProxyType({}),
        moved: Callable[[Nest], Index] | None = None,
    ) -> None:
        self.compilation, self.group, self.stores, self.below = compilation, group, stores, below
        self.given, self.moved = given, moved
        self.writer = KernelWriter(compilation, _label(group, stores))
        self.f, self.elements = self.writer.function, self.writer.elements
        self.rows, self.inner = self._loops()
        self.lane = self.inner[-1] if self.inner else Walk(())
        lane_axes = {axis for walk in self.inner for axis in walk.axes}
        element_bytes = _element_bytes(group, stores, lane_axes)
        self.width = compilation.machine.lanes(element_bytes)
        self._row_extent = math.prod(walk.extent for walk in self.inner)
        row_bytes = self._row_extent * element_bytes
        self.stages = Stages(
            compilation.grouping,
            group,
            lane_axes,
            [store.value for store in stores],
            saves=row_bytes <= _MOST_STACK_BYTES and len(self.inner) == 1,
        )
        self.is_short = len(self.inner) <= 1 and self.lane.extent <= _MOST_BLOCKS * self.width
        self.together = SideBySide(self) if are_side_by_side(self) else None
        self._stack: dict[Value, Operand] = {}
        self._work, self._tasks, self.chunk, self._by_samples = self._cut()

    def _loops(self) -> tuple[list[Walk], list[Walk]]:
        """The loops over rows, and those inside of a row."""
        group, lines = self.group, self._lines()
        if group.lane_axes is None and not any(map(self._keeps_lanes, group.sinks)):
            # Nothing keeps rows and lanes apart: the last loop takes the lanes.
            samples, axes = self.compilation.samples, group.axes
            is_by_part = samples is not None and samples.are_parts and self._is_by(samples)
            if samples is not None and is_by_part and axes[0].extent == samples.number:
                parts = walks_over(axes[:1], lines)  # each is a task
                both = walks_over(axes[1:], lines)
                return [*parts, *both[:-1]], both[-1:]
            both = walks_over(axes, lines)
            return both[:-1], both[-1:]
        split = len(group.axes) - group.row_depth
        return walks_over(group.axes[:split], lines), walks_over(group.axes[split:], lines)

    def _lines(self) -> list[Affine]:
        lines: list[Affine] = []
        for equation in [*self.group.members, *self.group.sinks]:
            for value in equation.inputs:
                at = self.group.at[equation]
                lines += self.elements.lines(value, at, self.group.index)
        for store in self.stores:
            lines.append(linear(store.index, store.home.strides))
            if store.value is self.below:
                lines += self.elements.lines_below(store.value, store.index)
            else:
                lines += self.elements.lines(store.value, store.index, self.group.index)
        return lines

    def _keeps_lanes(self, sink: Equation) -> bool:
        """Whether a sink sums over rows only, for each lane of its own."""
        return len(sink.params["axes"]) < len(self.group.at[sink]) and bool(
            _walked(kept_index(sink, self.group.at[sink]))
        )

    # -- the whole -----------------------------------------------------------------------

    def write(self) -> None:
        """Append the kernels."""
        work, tasks, chunk = self._work, self._tasks, self.chunk
        extent = (self.rows[0] if self.rows else self.lane).extent
        self.sinks = self._sinks(tasks)
        if tasks == 1:
            self._part(0, extent, integer(0))
        else:
            with self.f.loop(self.writer.begin, self.writer.end) as loop:
                assert loop.index is not None
                start = self.f.multiply(loop.index, chunk)
                stop = self.f.minimum(self.f.add(start, chunk), extent)
                self._part(start, stop, loop.index)
        cut = cut_of(self.rows[0] if self.rows else self.lane, chunk) if tasks > 1 else None
        self.writer.finish(tasks, work, cut=cut, by_samples=self._by_samples)
        for sink in self.sinks:
            sink.add_parts()

    def _sinks(self, tasks: int) -> list[Sink]:
        kind = RowSink if self.together else Sink
        return [kind(self, equation, tasks) for equation in self.group.sinks]

    def _cut(self) -> tuple[int, int, int, bool]:
        """Work in all, tasks, rounds of the outermost loop in each, and whether by samples."""
        work = math.prod(axis.extent for axis in self.group.axes) * _cost(self.group)
        samples = self.compilation.samples
        if self.rows:
            extent, unit = self.rows[0].extent, 1
            if self.together and len(self.rows) == 1:
                unit = self.width
        elif self.group.lane_axes is not None or len(self.inner) > 1:
            return work, 1, self.lane.extent, False  # a single row is not cut
        else:
            extent, unit = self.lane.extent, self.width * UNROLLED
        if samples is not None and (self.group.sinks or not self.compilation.is_alone):
            own = samples.rounds((self.rows or [self.lane])[0])
            fits = own is not None and (own % unit == 0 or (self.rows and extent % own == 0))
            if own is not None and fits and self._is_by(samples):
                return work, samples.tasks, own, True
        units = -(-extent // unit)
        chunk = -(-units // task_count(units, work)) * unit
        return work, -(-extent // chunk), chunk, False

    def _is_by(self, samples: Samples) -> bool:
        """Whether it computes something for each sample, or sums over them."""
        values = [value for equation in [*self.group.members, *self.group.sinks]
                  for value in equation.inputs]  # fmt: skip
        values += [store.value for store in self.stores]
        return not samples.values.isdisjoint(values)

    def _part(self, start: Operand | int, stop: Operand | int, task: Operand) -> None:
        """One task: some rows, or some lanes where there is only one row."""
        for sink in self.sinks:
            sink.begin(task)
        carried = [operand for sink in self.sinks for operand in sink.first()]
        write, around, extent = self._row, self.rows, self.lane.extent
        if self.together:
            write, around, extent = self.together.rows, self.rows[:-1], self.rows[-1].extent
        if not around:
            carried = write(carried, start, stop)
        else:
            with self.f.loop(start, stop, carried=carried) as loop:
                assert loop.index is not None
                around[0].stand(loop.index)
                loop.next = nested(
                    self.f, around[1:], loop.carried, lambda states: write(states, 0, extent)
                )
            carried = loop.results
        for sink in self.sinks:
            carried = sink.end(carried, task)

    # -- one row ---------------------------------------------------------------------------

    def _row(
        self, carried: list[Operand], start: Operand | int, stop: Operand | int
    ) -> list[Operand]:
        """Everything of one row; returns the sinks' states after it."""
        self.elements.forget()
        is_whole = isinstance(start, int) and isinstance(stop, int)
        if self.is_short and is_whole:
            return self._short_row(carried)
        return self._long_row(carried, start, stop)

    def blocks(self, start: int, stop: int) -> list[Block]:
        """Whole vectors from ``start`` on, then what is left."""
        return [
            Block(integer(at), min(self.width, stop - at)) for at in range(start, stop, self.width)
        ]

    @contextmanager
    def at(self, block: Block | None) -> Iterator[None]:
        """Stand at a block of lanes, or at the row as a whole."""
        before = self.elements.lanes
        self.elements.lanes = Lanes(None)
        if block is not None and self.lane.axes:
            self.lane.stand(self.f.add(block.start, block.after))
            self.elements.lanes = Lanes(self.lane.axis, self.width, block.count)
        yield
        self.elements.lanes = before

    def _short_row(self, carried: list[Operand]) -> list[Operand]:
        """A row that stays in registers."""
        blocks = self.blocks(0, self.lane.extent)
        for block in blocks:
            self._give(block)
        for equation in self.group.members:
            value = self.stages.result(equation)
            if equation.primitive.name in REDUCTIONS:
                reducer = reducer_of(equation, self._row_extent)
                states = [
                    self.stepped(equation, reducer, reducer.first(self.width), block)
                    for block in blocks
                ]
                self._reduced(equation, reducer, states)
            else:
                for each in self._where(blocks, self.stages.has_lanes(value)):
                    with self.at(each):
                        self.elements.compute(equation, value, self.group.index[value])
        carried = self._sunk(carried, blocks, stage=None)
        for store in self.stores:
            for each in self._where(blocks, self.stages.varies(store.index)):
                self._store(store, each)
        return carried

    @staticmethod
    def _where(blocks: Sequence[Block], has_lanes: bool) -> Sequence[Block | None]:
        """Where a value is computed: at each block, or once for the row."""
        return blocks if has_lanes else [None]

    def _long_row(
        self, carried: list[Operand], start: Operand | int, stop: Operand | int
    ) -> list[Operand]:
        """A row that is walked over once for each stage."""
        for stage in range(self.stages.count):
            for equation in self.stages.row_members(stage):
                value = self.stages.result(equation)
                with self.at(None):
                    self.elements.compute(equation, value, self.group.index[value])
            carried = self._stage(stage, carried, start, stop)
        carried = self._sunk(carried, [], stage=None)
        for store in self.stores:
            if not self.stages.varies(store.index):
                self._store(store, None)
        return carried

    def _stage(
        self, stage: int, carried: list[Operand], start: Operand | int, stop: Operand | int
    ) -> list[Operand]:
        """One walk over a long row."""
        reductions = self.stages.reductions(stage)
        stores = [
            store
            for store in self.stores
            if self.stages.varies(store.index) and self.stages.stage_of(store.value) == stage
        ]
        sinks = [
            s for s in self.sinks if s.has_lanes and self.stages.sink_stage(s.equation) == stage
        ]
        if not (reductions or stores or sinks or self.stages.saved(stage)):
            return carried
        is_light = len(self.stages.lane_members(stage)) <= _FEW_MEMBERS
        unroll = UNROLLED if reductions or sinks or is_light else 1
        reducers = [reducer_of(equation, self._row_extent) for equation in reductions]
        first = [
            operand
            for reducer in reducers
            for _ in range(unroll)
            for operand in reducer.first(self.width)
        ]

        def step(states: list[Operand], blocks: Sequence[Block]) -> list[Operand]:
            for block in blocks:
                with self._asking_ahead(block, is_light=is_light):
                    self._lane_members(stage, block)
            states = list(states)
            at = 0
            for equation, reducer in zip(reductions, reducers, strict=True):
                size = len(reducer.first(1))
                for number, block in enumerate(blocks):
                    place = at + number * size
                    own = states[place : place + size]
                    states[place : place + size] = self.stepped(equation, reducer, own, block)
                at += unroll * size
            states[at:] = self._sunk(states[at:], blocks, stage=stage)
            for block in blocks:
                with self._asking_ahead(block, is_light=is_light):
                    for store in stores:
                        self._store(store, block)
            self.elements.forget_lanes()
            return states

        states = nested(
            self.f,
            self.inner[:-1],
            [*first, *carried],
            lambda states: self.over_lanes(states, start, stop, unroll, step),
        )
        at = 0
        for equation, reducer in zip(reductions, reducers, strict=True):
            size = len(reducer.first(1))
            own = [states[at + number * size :][:size] for number in range(unroll)]
            self._reduced(equation, reducer, own)
            at += unroll * size
        return states[at:]

    @contextmanager
    def _asking_ahead(self, block: Block, *, is_light: bool) -> Iterator[None]:
        """Ask ahead for what lies beyond the second cache, where a walk does little but wait.

        Blocks ask for what begins with them; where two share a cache line, one does.
        """
        machine = self.compilation.machine
        begins_line = block.after * machine.vector_bytes // self.width % LINE_BYTES == 0
        if is_light and begins_line:
            self.elements.far_bytes = machine.level2_bytes
        yield
        self.elements.far_bytes = None

    def over_lanes(
        self,
        states: list[Operand],
        start: Operand | int,
        stop: Operand | int,
        unroll: int,
        step: Callable[[list[Operand], Sequence[Block]], list[Operand]],
    ) -> list[Operand]:
        """The innermost loop: rounds of ``unroll`` vectors, then the rest of the row."""
        extent, size = self.lane.extent, self.width * unroll

        def whole(states: list[Operand], index: Operand) -> list[Operand]:
            places = range(0, size, self.width)
            return step(states, [Block(index, self.width, after=place) for place in places])

        def rest(states: list[Operand], begin: int) -> list[Operand]:
            return step(states, self.blocks(begin, extent))

        return over_vectors(self.f, extent, (start, stop), size, states, whole, rest)

    def _lane_members(self, stage: int, block: Block) -> None:
        """Compute what a walk needs in a block, or take it from the stack."""
        self._give(block)
        with self.at(block):
            for value in self.stages.loaded(stage):
                address, stride = self._on_stack(value)
                x = self.elements.load_from(address, stride, value.dtype, pinned=True)
                self.elements.set(value, self.group.index[value], x)
            for equation in self.stages.lane_members(stage):
                value = self.stages.result(equation)
                self.elements.compute(equation, value, self.group.index[value])
            for value in self.stages.saved(stage):
                x = self.elements.element(value, self.group.index[value])
                self.elements.store_to(x, *self._on_stack(value), value.dtype)

    def _give(self, block: Block) -> None:
        """Compute what others know how to compute."""
        with self.at(block):
            for value, compute in self.given.items():
                self.elements.set(value, self.group.index[value], compute(self))

    def _on_stack(self, value: Value) -> tuple[Operand, int]:
        """Where a value of the row lies on the stack, for the lanes that we stand at."""
        element = memory_type(value.dtype)
        if value not in self._stack:
            self._stack[value] = self.f.stack(element, self.lane.extent)
        assert self.lane.axis.operand is not None
        return self.f.address(self._stack[value], element, self.lane.axis.operand), 1

    def _store(self, store: Store, block: Block | None) -> None:
        with self.at(block):
            if store.value is self.below:
                x = self.elements.below(store.value, store.index)
            else:
                x = self.elements.element(store.value, store.index)
            index = store.index
            if self.moved is not None:
                start = self.moved(self)
                index = tuple(a + b for a, b in zip(index, start, strict=True))
            self.elements.store(x, store.home, index)

    # -- reductions ------------------------------------------------------------------------

    def stepped(self, equation: Equation, reducer: Reducer, state: State, block: Block) -> State:
        """A reduction's state after one more block."""
        with self.at(block):
            x = self.elements.element(equation.inputs[0], self.group.at[equation])
            x = reducer.only(self.f, self.f.splat(x, self.width), block.count)
            place = None
            if reducer.tells_place:
                place = self._places(block, reducer.place_element)
            return reducer.step(self.f, state, x, place)

    def _places(self, block: Block, element: str) -> Operand:
        """The number of each lane in the row, counted over all loops inside of it."""
        first = integer(0)
        for walk in self.inner[:-1]:
            assert walk.axis.operand is not None
            first = self.f.multiply(self.f.add(first, walk.axis.operand), self.lane.extent)
        # Where the round begins is the same for all its blocks: it is spread once.
        first = self.f.add(first, block.start)
        wide = self.f.splat(self.f.convert("trunc", first, element), self.width)
        lanes = range(block.after, block.after + self.width)
        return self.f.binary("add", wide, constant_vector(element, lanes))

    def _reduced(self, equation: Equation, reducer: Reducer, states: Sequence[State]) -> None:
        """Bring a reduction's states together: its result is known for the row."""
        state = reducer.across(self.f, merged(self.f, reducer, states))
        value = self.stages.result(equation)
        with self.at(None):
            self.elements.set(value, self.group.index[value], reducer.result(self.f, state))

    def _sunk(
        self, carried: list[Operand], blocks: Sequence[Block], stage: int | None
    ) -> list[Operand]:
        """The sinks' states after one more row, or after some blocks of it.

        Args:
            carried: before.
            blocks: of the row.
            stage: in which walk; None at the end of a row.
        """
        result: list[Operand] = []
        for sink in self.sinks:
            own, carried = carried[: sink.size], carried[sink.size :]
            is_due = (
                self.is_short if stage is None else (self.stages.sink_stage(sink.equation) == stage)
            )
            if not sink.has_lanes and stage is None:
                own = sink.take(own, None, 0)
            elif sink.has_lanes and is_due:
                for number, block in enumerate(blocks):
                    own = sink.take(own, block, number)
            result += own
        return result


def _walked(index: Index) -> list[Axis]:
    return [axis for place in index for axis, _ in place.terms]


def _element_bytes(group: Group, stores: Sequence[Store], lane_axes: set[Axis]) -> int:
    """Bytes of the widest number that a nest works with in its lanes."""
    placed = [(value.dtype, index) for value, index in group.index.items()]
    placed += [(store.home.type.dtype, store.index) for store in stores]
    widest = [dtype.itemsize for dtype, index in placed if lane_axes.intersection(_walked(index))]
    widest += [value.dtype.itemsize for value in group.reads if value.shape]
    return max(widest, default=4)


_COSTS = {"exp": 8, "log": 10, "tanh": 10, "sigmoid": 10, "power": 30, "divide": 4, "sqrt": 4}


def _cost(group: Group) -> int:
    """Elementary operations for each element."""
    return 2 + sum(_COSTS.get(equation.primitive.name, 1) for equation in group.members)


def _label(group: Group, stores: Sequence[Store]) -> str:
    names = [equation.primitive.name for equation in [*group.members, *group.sinks]]
    return " ".join(["copy" if not names else names[-1], *names[:-1][-3:]])
