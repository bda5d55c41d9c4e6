"""The plan of a Program: which kernels run, on which memory, in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from clearprop.executors.native.groups import Group
from clearprop.executors.native.homes import Buffer, Home, Stripe
from clearprop.executors.native.kernels.kernel import Kernel
from clearprop.ir.value import Value


@dataclass(eq=False)
class Repetition:
    """A scan: a plan that runs once for each row.

    Attributes:
        plan: of the body.
        length: number of rounds; None where it is known when the code runs.
        reverse: whether it goes from the last row to the first.
        rows: buffers that move on by a row from round to round.
    """

    plan: Plan
    length: int | None
    reverse: bool
    rows: list[Buffer]


@dataclass(eq=False)
class Bundle:
    """Kernels with equally many tasks that run task by task.

    Attributes:
        kernels: in order; each task needs of those before no more than the task of its number.
        slot_bytes: memory for one task at a time, which each thread has for itself.
    """

    kernels: list[Kernel]
    slot_bytes: int = 0

    @property
    def tasks(self) -> int:
        """How many tasks there are."""
        return self.kernels[0].tasks


@dataclass(eq=False)
class Choice:
    """A branch: one of several plans.

    Attributes:
        index: where the number of the plan lies.
        plans: one for each body.
    """

    index: Home
    plans: list[Plan]


@dataclass(eq=False)
class Preparation:
    """What is made of inputs that last from call to call: it is there until they are others.

    Attributes:
        kernels: in order.
    """

    kernels: list[Kernel]


@dataclass(eq=False)
class Replicas:
    """What each thread has for itself while it runs a loop, and what the threads exchange.

    Attributes:
        tasks: of the kernels whose tasks threads divide; all else is computed by every thread.
        carried: what is copied to each thread before the loop, and from the first one after it.
        parts: of that, what tasks have stripes of: those are copied to the threads that run them,
            and back from there.
        reports: rows that all threads compute, and the first one writes where they belong.
        shared: what tasks write for all threads.
        places: where each buffer that a thread has for itself begins in its memory.
        size_bytes: of a thread's memory, its slots included.
    """

    tasks: int
    carried: Sequence[Buffer]
    parts: Mapping[Buffer, Stripe]
    reports: Set[Buffer]
    shared: Set[Buffer]
    places: dict[Buffer, int] = field(default_factory=dict)
    size_bytes: int = 0

    def divides(self, step: Step) -> bool:
        """Whether threads divide the tasks of a step among them."""
        if isinstance(step, Kernel):
            return step.by_samples and step.tasks == self.tasks
        return isinstance(step, Bundle) and step.tasks == self.tasks


Step = Kernel | Bundle | Repetition | Choice | Preparation


@dataclass(eq=False)
class Plan:
    """What a Program's code does.

    Attributes:
        steps: in order.
        arena: memory that it needs while it runs; plans inside of it have theirs in it.
        kept: memory that is zero at first and belongs to nobody else.
        before: what runs once before a loop that it is the body of, or once for the inputs that
            last from call to call.
        borrowed: memory that lasts as long as what that gave.
        groups: for the reports.
        is_apart: whether each task of its only bundle can run all rounds by itself.
        replicas: what each thread has for itself, if it is the round of a loop that has such.
    """

    steps: list[Step] = field(default_factory=list)
    arena: Buffer = field(default_factory=lambda: Buffer("arena", 0))
    kept: list[Buffer] = field(default_factory=list)
    before: list[Kernel] = field(default_factory=list)
    borrowed: list[Buffer] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    is_apart: bool = False
    replicas: Replicas | None = None
    homes: dict[Value, Home] = field(default_factory=dict)
