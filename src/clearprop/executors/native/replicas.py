"""Replicas: what each thread has for itself of the state that a loop of brief steps carries.

Where the samples of a step are divided (``samples``), threads exchange the parts of the gradients.
If they also shared the weights, each line of the caches that one of them updates would have to be
taken away from the others, who read it in the step before: that takes several times as long as the
update itself.  So each thread updates all weights, in memory of its own.  All of them compute the
same; the first thread's are the result.

What tasks write for all threads is there twice, for even and for odd rounds: a thread may be at
the next round while another still reads what was written in this one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass

from clearprop.executors.native.homes import Buffer
from clearprop.executors.native.kernels.kernel import Kernel
from clearprop.executors.native.memory import ALIGNMENT, aligned
from clearprop.executors.native.plan import Bundle, Replicas, Step

_PAGE_BYTES = 4096  # what processors fetch ahead of its use ends with a page


@dataclass
class _Use:
    """What kernels do with a buffer.

    Attributes:
        spans: bytes of each task of the divided kernels that are at it; None where unknown.
        by_task: whether a divided kernel writes it.
        by_all: whether a kernel that every thread runs writes it.
        is_seen: whether such a kernel is at it.
    """

    spans: set[int | None]
    by_task: bool = False
    by_all: bool = False
    is_seen: bool = False

    @property
    def is_shared(self) -> bool:
        """Whether threads read what others have written."""
        return self.by_task and (self.is_seen or len(self.spans) > 1 or None in self.spans)


def exchanged(
    steps: Sequence[Step], tasks: int, carried: Collection[Buffer]
) -> tuple[Set[Buffer], Set[Buffer]] | None:
    """What of a round's memory threads exchange if each has all else for itself.

    Args:
        steps: of the round.
        tasks: of the bundles whose tasks threads divide; all else is computed by every thread.
        carried: what a round hands on to the next.

    Returns:
        What tasks write for all threads, and all that is written; None where the threads cannot
        have it for themselves.
    """
    uses: dict[Buffer, _Use] = {}
    for step in steps:
        if not isinstance(step, (Kernel, Bundle)):
            return None
        is_divided = is_shared_out(step, tasks)
        for kernel in step.kernels if isinstance(step, Bundle) else [step]:
            for home, written, span in zip(kernel.homes, kernel.written, kernel.spans, strict=True):
                use = uses.setdefault(home.buffer, _Use(set()))
                if is_divided:
                    use.spans.add(span)
                    use.by_task |= written
                else:
                    use.is_seen = True
                    use.by_all |= written
    written_ones = {buffer for buffer, use in uses.items() if use.by_task or use.by_all}
    by_task = {buffer for buffer, use in uses.items() if use.by_task}
    both = any(use.by_task and use.by_all for use in uses.values())
    if not by_task or both or by_task & set(carried) or any(each.keeps for each in written_ones):
        return None
    # Rows of reports that tasks write lie outside: they are there for all threads anyway.
    shared = {each for each in by_task if uses[each].is_shared or each.kind == "row"}
    return shared, written_ones


def is_shared_out(step: Step, tasks: int) -> bool:
    """Whether threads divide the tasks of a step, where they compute all else alike."""
    return isinstance(step, Bundle) and step.tasks == tasks


def make_replicas(
    tasks: int,
    start: int,
    arena: Buffer,
    carried: Collection[Buffer],
    reports: Collection[Buffer],
    shared: Set[Buffer],
) -> Replicas:
    """Where everything lies that a thread has for itself.

    Args:
        tasks: of the bundles whose tasks threads divide.
        start: where the thread's memory begins, after its slots.
        arena: intermediate results.
        carried: what a round hands on to the next.
        reports: rows that all threads would write.
        shared: what tasks write for all threads.
    """
    places, end = {}, aligned(start)
    for buffer in [arena, *carried, *reports]:
        places[buffer] = end
        end += aligned(buffer.size_bytes)
    size = -(-end // _PAGE_BYTES) * _PAGE_BYTES
    return Replicas(tasks, places, tuple(carried), tuple(reports), shared, size)


def twice(buffer: Buffer) -> Buffer:
    """Memory for a buffer in even and in odd rounds; the buffer is a part of it from now on."""
    step = aligned(buffer.size_bytes)
    both = Buffer("arena", 2 * step)
    buffer.kind, buffer.whole, buffer.number, buffer.row_bytes = "turn", both, 0, step
    return both
