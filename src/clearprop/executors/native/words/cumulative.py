"""Running sums and products.

Along any axis but the last, each lane has a running number of its own.  Along the last axis the
sums within a vector are made in a few steps, in each of which every lane takes in another one
twice as far away; the sum of all vectors before is added to that.  Products of floats are taken
one after the other: in another order they could overflow where the definition's do not.
"""

from __future__ import annotations

from collections.abc import Sequence

from clearprop.executors.native.groups import Group, Read
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Axis, index_of, linear
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.kernel import (
    Compilation,
    KernelWriter,
    Walk,
    nested,
    task_count,
    walks_over,
)
from clearprop.executors.native.llvm.registers import Operand, constant, integer, vector_type
from clearprop.executors.native.mathematics.elementwise import WRITERS, element_type
from clearprop.executors.native.words.operands import operand_home, result_home
from clearprop.ir.value import Equation

_TOGETHER = 4  # vectors, or rows, whose running numbers are taken side by side
_SHORTEST = 8  # rows for which steps within a vector pay


def write_cumulative(compilation: Compilation, group: Group) -> None:
    """Append the kernel of a running sum or product."""
    home = result_home(compilation, group)
    if home is not None:
        _Cumulative(compilation, group.members[0], home).write()


class _Cumulative:
    """The kernel while it is written.

    Attributes:
        along: the axis that the numbers run along.
        rows: loops over other axes.
        lane: a loop over other axes that takes several at once, innermost but for ``along``.
        width: how many numbers of ``lane`` make a vector.
    """

    def __init__(self, compilation: Compilation, equation: Equation, home: Home) -> None:
        self.writer = KernelWriter(compilation, equation.primitive.name)
        self.f, self.elements = self.writer.function, self.writer.elements
        (self.x,), self.home = equation.inputs, home
        self.x_home = operand_home(compilation, self.x)
        self.is_sum = equation.primitive.name == "cumulative_sum"
        self.is_reversed: bool = equation.params["reverse"]
        axes = [Axis(size) for size in self.x.shape]
        self.along = axes[equation.params["axis"]]
        self.along.operand = integer(0)
        self.index = index_of(axes)
        self.lines = [linear(self.index, each.strides) for each in (self.x_home, home)]
        self.rows = walks_over([each for each in axes if each is not self.along], self.lines)
        self.lane, self.width = Walk(()), compilation.machine.lanes(self.x.dtype.itemsize)
        self.runs_in_vectors = False
        if not self.rows or self.rows[-1].axis.number < self.along.number:
            self.runs_in_vectors = self._may_reorder()
            self.width = self.width if self.runs_in_vectors else 1
        if self.rows and not self.runs_in_vectors:
            self.lane = self.rows.pop()
        self.width = min(self.width, _power_of_two(self._lanes_extent()))

    def _may_reorder(self) -> bool:
        """Whether the numbers of a vector may be added in steps."""
        if not self.is_sum and self.x.dtype.kind == "f":
            return False
        lie_close = all(abs(line.factor(self.along)) == 1 for line in self.lines)
        return self.along.extent >= _SHORTEST and lie_close

    def _lanes_extent(self) -> int:
        return self.along.extent if self.runs_in_vectors else self.lane.extent

    def write(self) -> None:
        """Append the kernel."""
        f, work = self.f, 2 * self.x.type.size
        if self.rows:
            start, stop, tasks = self._part(self.rows[0].extent, 1, work)
            with f.loop(start, stop) as loop:
                assert loop.index is not None
                self.rows[0].stand(loop.index)
                nested(f, self.rows[1:], [], self._whole)
        elif self.runs_in_vectors:
            tasks = 1
            self._vectors()
        else:
            start, stop, tasks = self._part(self.lane.extent, _TOGETHER * self.width, work)
            self._columns(start, stop, tasks)
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

    def _whole(self, carried: list[Operand]) -> list[Operand]:
        """Everything that the loops over rows stand at."""
        if self.runs_in_vectors:
            self._vectors()
        else:
            self._columns(0, self.lane.extent, 1)
        return carried

    # -- steps -----------------------------------------------------------------------------

    def _combined(self, before: Operand, x: Operand) -> Operand:
        word = "add" if self.is_sum else "multiply"
        return WRITERS[word](self.f, self.x.dtype, [before, x])

    def _neutral(self, lanes: int) -> Operand:
        """What changes nothing: for sums of floats -0, since -0 + 0 is 0."""
        number: float = 1
        if self.is_sum:
            number = -0.0 if self.x.dtype.kind == "f" else 0
        return constant(vector_type(element_type(self.x.dtype), lanes), number)

    def _load(self) -> Operand:
        loaded = self.elements.load(self.x_home, Read(self.x, self.index))
        return self.f.splat(loaded, self.elements.lanes.width)

    # -- each lane on its own ----------------------------------------------------------------

    def _columns(self, start: Operand | int, stop: Operand | int, tasks: int) -> None:
        """All of ``lane``; vectors at its end may overlap others."""
        f, width, extent = self.f, self.width, self.lane.extent
        unit = width * _TOGETHER
        whole = extent // unit * unit
        if whole:
            with f.loop(start, f.minimum(stop, whole), unit) as loop:
                assert loop.index is not None
                self._run([f.add(loop.index, n * width) for n in range(_TOGETHER)])
        rest = [integer(min(at, extent - width)) for at in range(whole, extent, width)]
        if not rest:
            return
        if tasks == 1:
            self._run(rest)
        else:
            with f.when(f.compare("icmp eq", self.writer.end, integer(tasks))):
                self._run(rest)

    def _run(self, starts: Sequence[Operand]) -> None:
        """Some vectors of ``lane``, from one end of the axis to the other."""
        first = [self._neutral(self.width) for _ in starts]
        with self.f.loop(0, self.along.extent, carried=first) as loop:
            assert loop.index is not None
            self.along.operand = loop.index
            if self.is_reversed:
                backwards = self.f.multiply(loop.index, -1)
                self.along.operand = self.f.add(backwards, self.along.extent - 1)
            for start, before in zip(starts, loop.carried, strict=True):
                self.elements.lanes = Lanes(None)
                if self.lane.axes:
                    self.lane.stand(start)
                    self.elements.lanes = Lanes(self.lane.axis, self.width, self.width)
                after = self._combined(before, self._load())
                self.elements.store(after, self.home, self.index)
                loop.next.append(after)

    # -- lanes along the axis ------------------------------------------------------------------

    def _vectors(self) -> None:
        """One row: whole vectors, then what is left in shorter ones."""
        f, extent, width = self.f, self.along.extent, self.width
        whole = extent // width * width
        with f.loop(0, whole, width, carried=[self._neutral(1)]) as loop:
            assert loop.index is not None
            start = loop.index
            if self.is_reversed:
                start = f.add(f.multiply(start, -1), extent - width)
            loop.next = [self._vector(loop.carried[0], start, width)]
        (before,) = loop.results
        while whole < extent:
            width = _power_of_two(extent - whole)
            start = integer(extent - whole - width if self.is_reversed else whole)
            before = self._vector(before, start, width)
            whole += width

    def _vector(self, before: Operand, start: Operand, width: int) -> Operand:
        """The running numbers of some lanes; returns the last of them."""
        f = self.f
        self.along.operand = start
        self.elements.lanes = Lanes(None)
        if width > 1:
            self.elements.lanes = Lanes(self.along, width, width)
        x, neutral = self._load(), self._neutral(width)
        step = 1
        while step < width:
            shift = step if self.is_reversed else -step
            there = [lane + shift for lane in range(width)]
            places = [place if 0 <= place < width else width for place in there]
            x = self._combined(x, f.shuffle(x, neutral, places))
            step *= 2
        self.elements.store(self._combined(f.splat(before, width), x), self.home, self.index)
        return self._combined(before, f.lane(x, 0 if self.is_reversed else width - 1))


def _power_of_two(number: int) -> int:
    """The greatest power of two that is not greater."""
    return 1 << (number.bit_length() - 1)
