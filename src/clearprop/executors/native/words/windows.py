"""Sliding windows: the taps of small windows one after the other, without a condition.

Outputs that see the same taps are computed by one piece of code, in loops over positions (or
elements) and, innermost, over channels, which vectors take side by side.  Pieces with equally
long loops share them, so that what several need is loaded once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from clearprop.executors.native.groups import Group
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Affine, Axis, Index, linear
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.kernel import (
    Compilation,
    KernelWriter,
    Walk,
    nested,
    rounds_of_a_task,
    task_count,
    walks_over,
)
from clearprop.executors.native.llvm.registers import Operand, integer
from clearprop.executors.native.words.operands import result_home
from clearprop.executors.native.words.runs import Run, Sliding, backward_runs, forward_runs
from clearprop.executors.native.words.window_loops import write_window_loops
from clearprop.executors.native.words.window_words import State, WindowWord
from clearprop.ir.value import Equation

_MOST_TAPS = 32
_MOST_STEPS = 200  # taps of all pieces of code together
_UNROLLED = 2  # vectors of channels that are written one after the other


class _Piece(NamedTuple):
    """Code for outputs that see the same taps.

    Attributes:
        output: at which output the loops stand.
        taps: the number of each tap and what it sees, in the order in which they are taken.
    """

    output: Index
    taps: list[tuple[int, Index]]


def write_windows(compilation: Compilation, group: Group) -> None:
    """Append the kernel of one of the primitives of sliding windows."""
    equation = group.members[0]
    home = result_home(compilation, group)
    if home is None:
        return
    writer = KernelWriter(compilation, equation.primitive.name)
    word = WindowWord(compilation, writer.elements, equation)
    slidings = slidings_of(equation, goes_back=word.goes_back)
    find = backward_runs if word.goes_back else forward_runs
    runs = [find(sliding) for sliding in slidings]
    steps = math.prod(sum(len(run.taps) for run in each) for each in runs)
    taps = math.prod(equation.params["window"])
    batch = Axis(home.type.shape[0])
    work = math.prod(equation.types[0].shape) * min(taps, max(1, steps)) * 2
    is_small = taps <= _MOST_TAPS and steps <= _MOST_STEPS
    divided, chunk = batch, -(-batch.extent // task_count(batch.extent, work))
    if is_small and batch.extent == 1 and len(runs[0]) == 1 and task_count(2, work) > 1:
        # Rows of a single image, divided as a convolution's rows are.
        batch.operand = integer(0)
        divided = Axis(runs[0][0].count)
        chunk = rounds_of_a_task(divided.extent)
    tasks = -(-divided.extent // chunk)
    start: Operand | int = 0
    stop: Operand | int = divided.extent
    if tasks > 1:
        start = writer.function.multiply(writer.begin, chunk)
        stop = writer.function.minimum(writer.function.multiply(writer.end, chunk), divided.extent)
    with writer.function.loop(start, stop) as loop:
        divided.operand = loop.index
        if is_small:
            row = None if divided is batch else divided
            _Pieces(writer, word, home, batch).write(runs, equation.params["window"], row)
        else:
            write_window_loops(writer, word, home, batch, slidings)
    writer.finish(tasks, work, cut={divided: chunk})


def slidings_of(equation: Equation, *, goes_back: bool) -> list[Sliding]:
    """How the window of an equation slides over each axis of space."""
    params, given = equation.params, equation.inputs[0].shape[1:-1]
    result = equation.types[0].shape[1:-1]
    space, positions = (result, given) if goes_back else (given, result)
    return [
        Sliding(window, stride, low, dilation, size, count)
        for window, stride, (low, _), dilation, size, count in zip(
            params["window"],
            params["strides"],
            params["padding"],
            params["dilation"],
            space,
            positions,
            strict=True,
        )
    ]


class _Pieces:
    """The pieces of code for one element of the batch.

    Args:
        writer: the kernel.
        word: what is done with each tap.
        home: where the result goes.
        batch: the axis of the batch, whose loop is open.
    """

    def __init__(self, writer: KernelWriter, word: WindowWord, home: Home, batch: Axis) -> None:
        self.writer, self.word, self.home, self.batch = writer, word, home, batch
        self.f, self.elements = writer.function, writer.elements
        size = word.homes[0].type.dtype.itemsize
        self.width = writer.compilation.machine.lanes(size)

    def write(
        self, runs: Sequence[Sequence[Run]], window: Sequence[int], row: Axis | None = None
    ) -> None:
        """Write all outputs of one element of the batch.

        Args:
            runs: on each axis of space.
            window: number of taps on each axis.
            row: the first axis of space, if its loop is open already.
        """
        alike: dict[tuple[int, ...], list[tuple[Run, ...]]] = {}
        for chosen in product(*runs):
            alike.setdefault(tuple(run.count for run in chosen), []).append(chosen)
        for counts, several in alike.items():
            axes = [Axis(count) for count in counts]
            if row is not None:
                axes[0] = row
            channel = Axis(self.home.type.shape[-1])
            pieces = [self._piece(chosen, axes, channel, window) for chosen in several]
            self._nest(pieces, [*(axis for axis in axes if axis is not row), channel])

    def _piece(
        self, runs: Sequence[Run], axes: Sequence[Axis], channel: Axis, window: Sequence[int]
    ) -> _Piece:
        first, last = Affine.of(self.batch), Affine.of(channel)
        numbers = [Affine.of(axis) for axis in axes]
        place = [n.times(run.step).plus(run.first) for n, run in zip(numbers, runs, strict=True)]
        taps = []
        for chosen in product(*(run.taps for run in runs)):
            number = 0
            for size, (tap, _) in zip(window, chosen, strict=True):
                number = number * size + tap
            source = [
                n.times(run.source_step).plus(seen)
                for n, run, (_, seen) in zip(numbers, runs, chosen, strict=True)
            ]
            taps.append((number, (first, *source, last)))
        return _Piece((first, *place, last), taps[::-1] if self.word.adds else taps)

    def _nest(self, pieces: Sequence[_Piece], axes: Sequence[Axis]) -> None:
        """Loops around pieces whose loops are equally long."""
        lines = [linear(piece.output, self.home.strides) for piece in pieces]
        for piece in pieces:
            for _, source in piece.taps:
                read = self.word.sources(source, piece.output)
                lines += [linear(index, home.strides) for home, index in read]
        walks = walks_over(axes, lines)
        lane = walks.pop() if walks else Walk(())

        def body(carried: list[Operand]) -> list[Operand]:
            self._lanes(lane, pieces)
            return carried

        nested(self.f, walks, [], body)

    def _lanes(self, lane: Walk, pieces: Sequence[_Piece]) -> None:
        """The innermost loop; what is left in the end is a whole vector too, and overlaps."""
        extent = lane.extent
        width = min(self.width, 1 << (extent.bit_length() - 1))
        whole = extent // width * width
        starts: list[Operand | int] = []
        if whole <= _UNROLLED * width:
            starts += range(0, whole, width)
        else:
            with self.f.loop(0, whole, width) as loop:
                assert loop.index is not None
                self._vector(lane, loop.index, width, pieces)
        if whole < extent:
            starts.append(extent - width)
        for start in starts:
            self._vector(lane, start, width, pieces)

    def _vector(
        self, lane: Walk, start: Operand | int, width: int, pieces: Sequence[_Piece]
    ) -> None:
        self.elements.lanes = Lanes(None)
        if lane.axes:
            lane.stand(start)
            self.elements.lanes = Lanes(lane.axis, width, width)
        for piece in pieces:
            state: State | None = None
            for tap, source in piece.taps:
                state = self.word.step(state, tap, source, piece.output)
            result = self.word.result(self.word.first() if state is None else state)
            self.elements.store(result, self.home, piece.output)
