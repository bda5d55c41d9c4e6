"""Replicas: what each thread has for itself of the state that a loop of brief steps carries.

Where the samples of a step are divided (``samples``), threads exchange the parts of the gradients.
If they also shared the weights, each line of the caches that one of them updates would have to be
taken away from the others, who read it in the step before: that takes several times as long as the
update itself.  So each thread updates all weights, in memory of its own.  All of them compute the
same; the first thread's are the result.  Where tasks have weights of their own (``units``), a
thread has those of its tasks, and they are the result.

What tasks write for all threads is there twice, for even and for odd rounds: a thread may be at
the next round while another still reads what was written in this one.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from clearprop.executors.native.homes import Buffer, Stripe
from clearprop.executors.native.kernels.kernel import Kernel
from clearprop.executors.native.memory import aligned
from clearprop.executors.native.plan import Bundle, Replicas, Step

_PAGE_BYTES = 4096  # what processors fetch ahead ends with a page: threads share none


@dataclass
class _Use:
    """What kernels do with a buffer.

    Attributes:
        spans: what belongs to each task of it, in kernels whose tasks are divided; None where that
            is unknown.
        by_task: whether such a kernel writes it.
        by_all: whether a kernel writes it that every thread runs.
        is_seen: whether such a kernel is at it.
    """

    spans: set[Stripe | None] = field(default_factory=set)
    by_task: bool = False
    by_all: bool = False
    is_seen: bool = False

    @property
    def is_shared(self) -> bool:
        """Whether threads read what others have written."""
        return self.by_task and (self.is_seen or len(self.spans) > 1 or None in self.spans)

    def has_equal_stripes(self, buffer: Buffer, tasks: int) -> bool:
        """Whether each task has stripes of its own, all of them as long as any other's."""
        if self.is_shared:
            return False
        size, period = self.stripe
        return period in {0, size * tasks} and buffer.size_bytes % (size * tasks) == 0

    @property
    def stripe(self) -> Stripe:
        """What belongs to each task, of a buffer that threads do not share."""
        (stripe,) = self.spans
        assert stripe is not None
        return stripe


def replicas_of(
    steps: Sequence[Step], tasks: int, carried: Sequence[Buffer], owned: Set[Buffer]
) -> Replicas | None:
    """What each thread of a loop has for itself; None where threads have to share its state.

    Args:
        steps: of a round.
        tasks: into how many the samples are divided.
        carried: what a round hands on to the next.
        owned: the plan's own memory.
    """
    replicas = Replicas(tasks, carried, {}, set(), set())
    uses: dict[Buffer, _Use] = {}
    for step in steps:
        if not isinstance(step, (Kernel, Bundle)):
            return None
        is_divided = replicas.divides(step)
        for kernel in step.kernels if isinstance(step, Bundle) else [step]:
            for home, written, span in zip(kernel.homes, kernel.written, kernel.spans, strict=True):
                _note(uses.setdefault(home.buffer, _Use()), written, span, is_divided=is_divided)
    by_task = {buffer for buffer, use in uses.items() if use.by_task}
    by_all = {buffer for buffer, use in uses.items() if use.by_all}
    reports = {each for each in by_task | by_all if each.kind == "row"} - set(carried)
    own = {each for each in by_task | by_all if each.kind == "slot" or each in owned}
    is_possible = (
        bool(by_task)
        and by_task.isdisjoint(by_all)
        and all(uses[each].has_equal_stripes(each, tasks) for each in by_task & set(carried))
        and by_task | by_all <= own | reports | set(carried)
    )
    if not is_possible:
        return None
    replicas.parts = {each: uses[each].stripe for each in carried if each in by_task}
    # Of reports each task writes its own part where it belongs.
    # In the order of the steps: equal Programs have equal code.
    shared = {each for each in by_task if uses[each].is_shared or each in reports}
    replicas.shared = dict.fromkeys(each for each in uses if each in shared).keys()
    replicas.reports = dict.fromkeys(each for each in uses if each in reports - by_task).keys()
    return replicas


def _note(use: _Use, written: bool, span: Stripe | None, *, is_divided: bool) -> None:
    """Note that a kernel is at a buffer."""
    if is_divided:
        use.spans.add(span)
        use.by_task |= written
    else:
        use.is_seen = True
        use.by_all |= written


def twice(buffer: Buffer) -> Buffer:
    """Memory for a buffer in even and in odd rounds; the buffer is a part of it from now on."""
    step = aligned(buffer.size_bytes)
    both = Buffer("arena", 2 * step)
    buffer.kind, buffer.whole, buffer.number, buffer.row_bytes = "turn", both, 0, step
    return both


def give_places(replicas: Replicas, arena: Buffer, slot_bytes: int) -> None:
    """Let everything have its place that a thread has for itself.

    Args:
        replicas: of the loop.
        arena: of intermediate results, of which no memory is left that threads share.
        slot_bytes: of the thread's memory that comes first.
    """
    end = aligned(slot_bytes)
    for buffer in [arena, *replicas.carried, *replicas.reports]:
        replicas.places[buffer] = end
        end += aligned(buffer.size_bytes)
    replicas.size_bytes = -(-end // _PAGE_BYTES) * _PAGE_BYTES
    arena.size_bytes = 0
