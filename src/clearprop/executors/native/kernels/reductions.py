"""Reductions over any axes, for those that no nest can take in.

Loops over the axes that stay are outside, those over the axes that disappear inside.  Vectors lie
along the last axis, whichever it is: if it stays, each lane has a result of its own; if not, the
lanes are brought together in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from clearprop.executors.native.groups import Group
from clearprop.executors.native.kernels.affine import linear
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.kernel import (
    Compilation,
    KernelWriter,
    Walk,
    cut_of,
    nested,
    over_vectors,
    task_count,
    walks_over,
)
from clearprop.executors.native.kernels.reducers import Reducer, merged
from clearprop.executors.native.llvm.registers import Operand, constant_vector, integer

Part = tuple[Operand | int, Operand | int]
Step = Callable[[list[Operand]], list[Operand]]
_UNROLLED = 4


def write_reduction(compilation: Compilation, group: Group) -> None:
    """Append the kernel of a reduction."""
    (value,) = group.index
    if value.type.size:
        _Reduction(compilation, group).write()


class _Reduction:
    """The kernel of one reduction while it is written."""

    def __init__(self, compilation: Compilation, group: Group) -> None:
        (self.equation,) = group.members
        (self.value,) = group.index
        (self.x,) = self.equation.inputs
        self.at, self.kept = group.at[self.equation], group.index[self.value]
        self.home = compilation.homes[self.value]
        self.reducer = Reducer(self.equation.primitive.name, self.x.dtype)
        self.writer = KernelWriter(compilation, self.equation.primitive.name)
        self.f, self.elements = self.writer.function, self.writer.elements
        self.width = compilation.machine.lanes(self.x.dtype.itemsize)
        staying = {axis for place in self.kept for axis, _ in place.terms}
        lines = [
            *self.elements.lines(self.x, self.at, {}),
            linear(self.kept, self.home.strides),
        ]
        wide = [axis for axis in group.axes if axis.extent != 1]
        for axis in group.axes:
            if axis.extent == 1:
                axis.operand = integer(0)
        runs = [
            (stays, walks_over(list(axes), lines))
            for stays, axes in groupby(wide, staying.__contains__)
        ]
        self.lane, self.lane_stays = Walk(()), True
        if runs:
            self.lane_stays, last = runs[-1]
            self.lane = last.pop()
        self.outer = [walk for stays, walks in runs if stays for walk in walks]
        self.inner = [walk for stays, walks in runs if not stays for walk in walks]
        # The places of elements that disappear count on from loop to loop, in their order.
        self.gone = [*self.inner, *([] if self.lane_stays else [self.lane])]

    def write(self) -> None:
        work = 2 * self.x.type.size
        # Tasks have some rounds of the outermost loop, or else some vectors of results.
        divided, unit = self.lane if self.lane_stays else Walk(()), self.width
        if self.outer:
            divided, unit = self.outer[0], 1
        units = -(-divided.extent // unit)
        chunk = -(-units // task_count(units, work)) * unit
        samples, own = self.writer.compilation.samples, None
        if samples is not None and self.outer and self.x in samples.values:
            own = samples.rounds(divided)
            chunk = own or chunk
        tasks = -(-divided.extent // chunk)
        part: Part = 0, divided.extent
        if tasks > 1:
            start = self.f.multiply(self.writer.begin, chunk)
            stop = self.f.minimum(self.f.multiply(self.writer.end, chunk), divided.extent)
            part = start, stop
        if not self.outer:
            self._results([], part)
        else:
            with self.f.loop(*part) as loop:
                assert loop.index is not None
                divided.stand(loop.index)
                loop.next = nested(self.f, self.outer[1:], [], self._results)
        cut = cut_of(divided, chunk) if tasks > 1 else None
        self.writer.finish(tasks, work, cut=cut, by_samples=own is not None)

    def _results(self, carried: list[Operand], part: Part | None = None) -> list[Operand]:
        """All results that the outer loops stand at, or a part of them."""
        if not self.lane_stays:
            self._one_result()
            return carried
        if not self.lane.axes:
            self._lane_results(0, Lanes(None))
            return carried
        extent = self.lane.extent

        def vector(start: Operand | int, count: int) -> list[Operand]:
            self._lane_results(start, Lanes(self.lane.axis, self.width, count))
            return carried

        return over_vectors(
            self.f, extent, part or (0, extent), self.width, carried,
            lambda _, start: vector(start, self.width),
            lambda _, start: vector(start, extent - start),
        )  # fmt: skip

    def _lane_results(self, start: Operand | int, lanes: Lanes) -> None:
        """A vector of results: each lane has its own."""
        if self.lane.axes:
            self.lane.stand(start)
        self.elements.lanes = lanes

        def step(state: list[Operand]) -> list[Operand]:
            x = self.f.splat(self.elements.element(self.x, self.at), lanes.width)
            return self.reducer.step(self.f, state, x, self._place(lanes, spread=False))

        state = self._over(self.inner, self.reducer.first(lanes.width), step)
        self.elements.store(self.reducer.result(self.f, state), self.home, self.kept)

    def _one_result(self) -> None:
        """One result, from all lanes."""
        size = len(self.reducer.first(1))
        first = [x for _ in range(_UNROLLED) for x in self.reducer.first(self.width)]
        states = self._over(self.inner, first, self._lanes)
        own = [states[number * size :][:size] for number in range(_UNROLLED)]
        state = self.reducer.across(self.f, merged(self.f, self.reducer, own))
        self.elements.lanes = Lanes(None)
        self.elements.store(self.reducer.result(self.f, state), self.home, self.kept)

    def _over(self, walks: Sequence[Walk], state: list[Operand], step: Step) -> list[Operand]:
        if any(walk.extent == 0 for walk in walks):
            return state
        return nested(self.f, walks, state, step)

    def _lanes(self, states: list[Operand]) -> list[Operand]:
        extent, size = self.lane.extent, self.width * _UNROLLED
        whole = extent // size * size
        if whole:
            with self.f.loop(0, whole, size, carried=states) as loop:
                assert loop.index is not None
                starts = [self.f.add(loop.index, self.width * n) for n in range(_UNROLLED)]
                loop.next = self._step(loop.carried, [(at, self.width) for at in starts])
            states = loop.results
        rest = [
            (integer(at), min(self.width, extent - at)) for at in range(whole, extent, self.width)
        ]
        return self._step(states, rest)

    def _step(self, states: list[Operand], blocks: Sequence[tuple[Operand, int]]) -> list[Operand]:
        states = list(states)
        size = len(self.reducer.first(1))
        for number, (start, count) in enumerate(blocks):
            self.lane.stand(start)
            lanes = self.elements.lanes = Lanes(self.lane.axis, self.width, count)
            x = self.f.splat(self.elements.element(self.x, self.at), self.width)
            x = self.reducer.only(self.f, x, count)
            own = states[number * size :][:size]
            states[number * size : (number + 1) * size] = self.reducer.step(
                self.f, own, x, self._place(lanes, spread=True)
            )
        return states

    def _place(self, lanes: Lanes, *, spread: bool) -> Operand | None:
        """The number of each lane's element among those that disappear."""
        if not self.reducer.tells_place:
            return None
        place = integer(0)
        for walk in self.gone:
            assert walk.axis.operand is not None
            place = self.f.add(self.f.multiply(place, walk.extent), walk.axis.operand)
        wide = self.f.splat(place, lanes.width)
        if not spread or lanes.width == 1:
            return wide
        return self.f.binary("add", wide, constant_vector("i64", range(lanes.width)))
