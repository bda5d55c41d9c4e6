"""How threads that run one function share its work.

They claim tasks one by one, and meet at barriers: each spins for a moment, then lets others have
the core, so that more threads than cores are slow but never stuck.
"""

from __future__ import annotations

from collections.abc import Callable

from clearprop.executors.native.llvm.registers import Operand, constant, integer
from clearprop.executors.native.llvm.writer import Function

_CLAIMS = 64  # of a kernel's tasks, about
_SPINS = 64  # looks at the barrier before the core is given to somebody else
MOST_KERNELS = 8  # that can be at work between two meetings
# Words of the memory that threads meet at, each in a cache line of its own; then a line with the
# counters of each thread.
_COME, _ROUNDS, _CLAIMED = 0, 8, 16


def meeting_words(threads: int) -> int:
    """Words of the memory that so many threads meet at."""
    return _CLAIMED + MOST_KERNELS * threads


def write_clearing(f: Function, team: Operand, threads: Operand) -> None:
    """Let the memory be as it is before so many threads meet for the first time."""
    with f.loop(0, f.add(f.multiply(threads, MOST_KERNELS), _CLAIMED)) as loop:
        assert loop.index is not None
        f.store(integer(0), f.address(team, "i64", loop.index))


def write_barrier(f: Function, team: Operand, threads: Operand) -> None:
    """Call the function at which all threads of a team wait for one another.

    Args:
        f: where.
        team: address of the memory that they meet at.
        threads: how many there are.
    """
    f.call(_barrier(f), team, threads)


def _barrier(caller: Function) -> str:
    module = caller.module
    module.declarations["declare i32 @sched_yield()"] = None
    f = Function(module, [("ptr", "team"), ("i64", "threads")])
    team, threads = f.parameters
    rounds = f.address(team, "i64", _ROUNDS)
    if module.stores_past:  # what is on its way into memory is there before others go on
        module.declarations["declare void @llvm.x86.sse.sfence()"] = None
        f.line("  call void @llvm.x86.sse.sfence()")
    now = f.effect("i64", f"load atomic i64, ptr {rounds.text} acquire, align 8")
    come = f.effect("i64", f"atomicrmw add ptr {team.text}, i64 1 acq_rel")
    is_last = f.compare("icmp eq", f.add(come, 1), threads)
    with f.when(is_last):
        f.line(f"  store atomic i64 0, ptr {team.text} release, align 8")
        following = f.add(now, 1)
        f.line(f"  store atomic i64 {following.text}, ptr {rounds.text} release, align 8")
    waits = f.binary("xor", is_last, constant("i1", 1))
    with f.when(waits), f.repeat([integer(0)]) as loop:
        (spins,) = loop.carried
        if module.machine is not None and module.machine.is_x86:
            module.declarations["declare void @llvm.x86.sse2.pause()"] = None
            f.line("  call void @llvm.x86.sse2.pause()")
        with f.when(f.compare("icmp sgt", spins, integer(_SPINS))):
            f.effect("i32", "call i32 @sched_yield()")
        seen = f.effect("i64", f"load atomic i64, ptr {rounds.text} acquire, align 8")
        loop.next = [f.add(spins, 1)]
        loop.again = f.compare("icmp eq", seen, now)
    f.finish()
    return module.add(f, "barrier")


class Claims:
    """Tasks that threads take one by one: first those of their own share, then of the others'.

    A thread's share is the same each time, so that it finds in its caches what it had written
    there.  Each share has a counter that only grows; every thread finds it at the end exactly once,
    so all know where it stands when the next kernel begins that uses it, without setting it back.
    Kernels between two meetings use different counters: a thread may be at one while another is
    at the next.

    Args:
        f: the function that runs the plan.
        team: address of the memory that they meet at.
        thread: the number of the one that runs it.
        threads: how many there are.
    """

    def __init__(self, f: Function, team: Operand, thread: Operand, threads: Operand) -> None:
        self._f, self._team, self._thread, self._threads = f, team, thread, threads
        self._starts = [f.stack("i64", 1, alignment=8) for _ in range(MOST_KERNELS)]
        for start in self._starts:
            f.store(integer(0), start)

    def write_shares(self, tasks: int, call: Callable[[Operand, Operand], object]) -> None:
        """Write the call for a thread's equal share of the tasks.

        It needs no counter, which threads would take from one another again and again: small
        kernels would take as long for that as for their work.

        Args:
            tasks: how many there are.
            call: writes the call for a task and the one after the last.
        """
        first, end = self.share(tasks)
        with self._f.when(self._f.compare("icmp slt", first, end)):
            call(first, end)

    def share(self, tasks: int) -> tuple[Operand, Operand]:
        """The first of a thread's equal share of the tasks, and the one after its last."""
        f, thread = self._f, self._thread
        first, end = (
            f.binary("udiv", f.multiply(number, tasks), self._threads)
            for number in (thread, f.add(thread, 1))
        )
        return first, end

    def write(self, which: int, tasks: int, call: Callable[[Operand, Operand], object]) -> None:
        """Write the loop that takes tasks as long as there are any.

        Args:
            which: the number of the counter: how many kernels have begun since the last meeting.
            tasks: how many there are.
            call: writes the call for a task and the one after the last.
        """
        f, threads, place = self._f, self._threads, self._starts[which]
        step = max(1, tasks // _CLAIMS)
        claims = -(-tasks // step)
        start = f.load("i64", place, pinned=True)
        share = f.binary("udiv", f.add(threads, claims - 1), threads)
        with f.loop(0, threads) as others:
            assert others.index is not None
            owner = f.add(self._thread, others.index)
            back = f.select(f.compare("icmp slt", owner, threads), integer(0), threads)
            owner = f.binary("sub", owner, back)
            counter = f.address(
                self._team, "i64", f.add(f.multiply(owner, MOST_KERNELS), _CLAIMED + which)
            )
            first = f.multiply(owner, share)
            with f.repeat() as loop:
                claimed = f.effect("i64", f"atomicrmw add ptr {counter.text}, i64 1 monotonic")
                number = f.binary("sub", claimed, start)
                task = f.multiply(f.add(first, number), step)
                loop.again = f.compare("icmp slt", number, share)
                is_there = f.binary("and", loop.again, f.compare("icmp slt", task, integer(tasks)))
                with f.when(is_there):
                    call(task, f.minimum(f.add(task, step), tasks))
        f.store(f.add(f.add(start, share), threads), place)
