"""What a kernel is, and the tools that all writers of kernels share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from clearprop.executors.native.grouping import Grouping
from clearprop.executors.native.homes import Buffer, Home, Stripe
from clearprop.executors.native.kernels.affine import Affine, Axis
from clearprop.executors.native.kernels.elements import Elements
from clearprop.executors.native.kernels.pointers import Pointers
from clearprop.executors.native.llvm.machine import Machine
from clearprop.executors.native.llvm.module import Module
from clearprop.executors.native.llvm.registers import Operand, integer
from clearprop.executors.native.llvm.writer import Function
from clearprop.ir.value import Value

# About what one core of an x86 server with 512-bit vectors does in a second, to judge whether
# several threads pay; a factor of two or three more or less hardly changes the answer.
MULTIPLY_ADDS_PER_SECOND = 4e10  # contractions
ELEMENTS_PER_SECOND = 4e9  # everything else
UNROLLED = 4  # vectors that one round of a long row takes
_SHORT_LOOP = 32  # rounds: so few that where it ends counts
_MOST_TASKS = 64
_LEAST_WORK = 1 << 12  # elementary operations that are worth a task of their own


@dataclass(frozen=True, eq=False)
class Kernel:
    """A function of machine code and the memory it is called with.

    Its parameters are the address of the flag, the first task, the task after the last, and the
    addresses of ``homes``.

    Attributes:
        name: of the function.
        label: what it computes, for people.
        homes: the arrays that it reads and writes.
        written: for each of them whether it may be written into.
        spans: for each of them what belongs to each task of its buffer, if every task is at a part
            of its own.
        tasks: into how many parts it is cut; the parts may run at the same time.
        flops: arithmetic operations in all.
        seconds: about how long it takes alone.
        by_samples: whether its tasks are those that all kernels divide alike.
    """

    name: str
    label: str
    homes: tuple[Home, ...]
    written: tuple[bool, ...]
    spans: tuple[Stripe | None, ...]
    tasks: int
    flops: int
    seconds: float
    by_samples: bool = False


@dataclass
class Compilation:
    """What is known and what has been written while a Program is compiled.

    Attributes:
        module: the functions so far.
        machine: for which they are.
        grouping: which equations are computed together, and what shows through views.
        homes: where each stored value lives.
        kernels: in the order in which they run, one list for each group.
        scratch: memory that only one group needs.
        kept: memory that is zero at first and stays as long as the Program runs.
        spreads: where images lie with zeros around them.
        samples: what kernels divide among their tasks, if they all divide the same; one thread
            alone adds up the same parts, and divides nothing else.
        is_alone: whether one thread runs it.
        lasting: memory that is the same in all rounds of the loop that this is the body of, or in
            most calls.
        before: kernels that run once, before that loop, or when that memory is new.
        borrowed: memory that lasts as long as what they make.
    """

    module: Module
    machine: Machine
    grouping: Grouping
    homes: Mapping[Value, Home]
    kernels: list[Kernel] = field(default_factory=list)
    scratch: list[Buffer] = field(default_factory=list)
    kept: list[Buffer] = field(default_factory=list)
    spreads: dict[Any, Home] = field(default_factory=dict)
    samples: Samples | None = None
    is_alone: bool = False
    lasting: frozenset[Buffer] = frozenset()
    before: list[Kernel] = field(default_factory=list)
    borrowed: list[Buffer] = field(default_factory=list)

    def temporary(self, size_bytes: int, *, lasts: bool = False) -> Buffer:
        """Memory for as long as the group runs, or as the loop around it does."""
        buffer = Buffer("arena", size_bytes)
        (self.borrowed if lasts else self.scratch).append(buffer)
        return buffer


# How an index is divided among the tasks of a kernel: for each of its names how many places of it a
# task takes, one after the other.
Cut = Mapping[Axis, int]


def cut_of(walk: Walk, rounds: int) -> Cut | None:
    """The cut of a loop's outermost axis; None where tasks end within one of its places."""
    if not walk.axes:
        return None
    inner = math.prod(axis.extent for axis in walk.axes[1:])
    return None if rounds % inner else {walk.axes[0]: rounds // inner}


class KernelWriter:
    """A kernel that is being written.

    Attributes:
        function: its code.
        elements: writes elements of values.
        begin: the first task.
        end: the task after the last.
    """

    def __init__(self, compilation: Compilation, label: str) -> None:
        self.compilation, self.label = compilation, label
        parameters = [("ptr", "flag"), ("i64", "begin"), ("i64", "end")]
        self.function = Function(compilation.module, parameters)
        self.flag, self.begin, self.end = self.function.parameters
        self.pointers = Pointers(self.function, compilation.homes)
        self.elements = Elements(self.function, compilation.grouping, self.pointers, self.flag)

    def finish(
        self,
        tasks: int,
        flops: int,
        *,
        rate: float = ELEMENTS_PER_SECOND,
        is_before: bool = False,
        cut: Cut | None = None,
        by_samples: bool = False,
    ) -> Kernel:
        """The finished kernel.

        Args:
            tasks: into how many parts it is cut.
            flops: arithmetic operations in all.
            rate: about how many of them a core does in a second.
            is_before: whether it runs once, before the loop that this is the body of.
            cut: the index that is divided among the tasks, if it is one.
            by_samples: whether its tasks are those that all kernels divide alike.
        """
        self.function.finish()
        name = self.compilation.module.add(self.function, _identifier(self.label))
        homes = tuple(self.pointers.homes)
        written = tuple(map(self.function.writes_into, self.pointers.parameters))
        spans = tuple(self.pointers.span(home, cut) for home in homes)
        seconds = flops / rate
        kernel = Kernel(name, self.label, homes, written, spans, tasks, flops, seconds, by_samples)
        (self.compilation.before if is_before else self.compilation.kernels).append(kernel)
        return kernel


def _identifier(label: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in label.split(" ")[0])


class Walk:
    """A loop over several neighbouring axes, whose elements follow one another in all memory.

    Attributes:
        axes: what it walks over, the outermost first.
        extent: number of rounds.
    """

    def __init__(self, axes: Sequence[Axis]) -> None:
        self.axes = tuple(axes)
        self.extent = 1
        for axis in axes:
            self.extent *= axis.extent

    @property
    def axis(self) -> Axis:
        """The axis whose index stands for the whole walk."""
        return self.axes[-1]

    def stand(self, index: Operand | int) -> None:
        """Stand at a round: the last axis counts on where it would start anew."""
        for axis in self.axes:
            axis.operand = integer(0)
        self.axis.operand = integer(index) if isinstance(index, int) else index


@dataclass(frozen=True, slots=True)
class Block:
    """A vector's worth of lanes.

    Attributes:
        start: where the round begins that it is a part of.
        count: how many of its lanes are in use.
        after: how many lanes of the round come before it.
    """

    start: Operand
    count: int
    after: int = 0


def walks_over(axes: Sequence[Axis], lines: Sequence[Affine]) -> list[Walk]:
    """As few loops as reach every element, given all places in memory that are touched."""
    walks: list[list[Axis]] = []
    for axis in axes:
        if axis.extent == 1:
            axis.operand = integer(0)
            continue
        if walks and all(
            line.factor(walks[-1][-1]) == axis.extent * line.factor(axis) for line in lines
        ):
            walks[-1].append(axis)
        else:
            walks.append([axis])
    return [Walk(each) for each in walks]


def nested(
    f: Function,
    walks: Sequence[Walk],
    carried: Sequence[Operand],
    body: Callable[[list[Operand]], list[Operand]],
    *,
    unrolled: int = 1,
) -> list[Operand]:
    """Loops inside of loops over whole walks; what the body returns is carried on.

    Args:
        f: the kernel.
        walks: the loops, the outermost first.
        carried: what the first round starts from.
        body: writes one round of the innermost.
        unrolled: how many rounds of a short inner loop may be written one after the other.
    """
    if not walks:
        return body(list(carried))
    if 0 < math.prod(walk.extent for walk in walks) <= unrolled:
        carried = list(carried)
        for index in range(walks[0].extent):
            walks[0].stand(index)
            carried = nested(f, walks[1:], carried, body, unrolled=unrolled)
        return list(carried)
    extent = walks[0].extent
    together = divisor(extent, unrolled) if len(walks) == 1 and extent <= _SHORT_LOOP else 1
    with f.loop(0, extent, together, carried=carried) as loop:
        assert loop.index is not None
        loop.next = loop.carried
        for number in range(together):
            walks[0].stand(f.add(loop.index, number))
            loop.next = nested(f, walks[1:], loop.next, body, unrolled=unrolled)
    return loop.results


def over_vectors(
    f: Function,
    extent: int,
    part: tuple[Operand | int, Operand | int],
    size: int,
    carried: Sequence[Operand],
    whole: Callable[[list[Operand], Operand], list[Operand]],
    rest: Callable[[list[Operand], int], list[Operand]],
) -> list[Operand]:
    """A loop in rounds of ``size``, then what is left; returns what is carried on.

    Args:
        f: the kernel.
        extent: of the whole loop.
        part: which of it a task takes; it begins with a round.
        size: of a round.
        carried: what the first round starts from.
        whole: writes a round, given where it begins.
        rest: writes what is left, given where that begins.
    """
    (start, stop), end, carried = part, extent // size * size, list(carried)
    bound = f.minimum(stop, end)
    if end and bound.text != "0":
        with f.loop(start, bound, size, carried=carried) as loop:
            assert loop.index is not None
            loop.next = whole(loop.carried, loop.index)
        carried = loop.results
    if end == extent:
        return carried
    if isinstance(stop, int):
        return rest(carried, end)
    # Only the last task has a rest: a loop of one round for it, of none for the others.
    is_last = f.compare("icmp eq", stop, integer(extent))
    with f.loop(0, f.convert("zext", is_last, "i64"), carried=carried) as loop:
        loop.next = rest(loop.carried, end)
    return loop.results


def divisor(number: int, most: int) -> int:
    """The greatest divisor that is not greater than ``most``."""
    return max(each for each in range(1, max(most, 1) + 1) if number % each == 0)


class Samples(NamedTuple):
    """How the samples of a step are divided.

    Attributes:
        number: how many there are.
        tasks: into how many parts of the same size they are divided; the last may have one less.
        values: arrays whose first axis they are.
        are_parts: whether they are no samples, but the numbers of the parts that units are divided
            into: each task has one.
    """

    number: int
    tasks: int
    values: Set[Value]
    are_parts: bool = False

    def rounds(self, walk: Walk) -> int | None:
        """How many rounds of a loop each task takes; None for a loop over something else."""
        if not walk.axes or walk.axes[0].extent != self.number:
            return None
        return -(-self.number // self.tasks) * (walk.extent // self.number)


def rounds_of_a_task(extent: int) -> int:
    """How many rounds of a loop over images each task takes, where there are many.

    All kernels that take an image at a time divide them alike, so that they can run task by task.
    """
    return -(-extent // _MOST_TASKS)


def task_count(extent: int, work: int) -> int:
    """Into how many parts to cut a loop: a function of the shapes alone."""
    return max(1, min(extent, _MOST_TASKS, work // _LEAST_WORK))
