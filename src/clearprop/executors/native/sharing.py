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
# Words of the memory that threads meet at, each in a cache line of its own.
MOST_KERNELS = 8  # that can be at work between two meetings
_COME, _ROUNDS, _CLAIMED = 0, 8, 16
MEETING_WORDS = 16 + 8 * MOST_KERNELS


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
    """Tasks that threads take one by one: counters that only grow.

    Every thread finds a counter at the end of a kernel's tasks exactly once; so all know where it
    stands when the next kernel begins that uses it, without setting it back.  Kernels between two
    meetings use different counters: a thread may be at one while another is at the next.

    Args:
        f: the function that runs the plan.
        team: address of the memory that they meet at.
        threads: how many there are.
    """

    def __init__(self, f: Function, team: Operand, threads: Operand) -> None:
        self._f, self._threads = f, threads
        self._counters = [
            f.address(team, "i64", _CLAIMED + 8 * number) for number in range(MOST_KERNELS)
        ]
        self._starts = [f.stack("i64", 1, alignment=8) for _ in range(MOST_KERNELS)]
        for start in self._starts:
            f.store(integer(0), start)

    def write_shares(
        self, thread: Operand, tasks: int, call: Callable[[Operand, Operand], object]
    ) -> None:
        """Write the call for a thread's equal share of the tasks.

        It needs no counter, which threads would take from one another again and again: small
        kernels would take as long for that as for their work.

        Args:
            thread: the number of the thread.
            tasks: how many there are.
            call: writes the call for a task and the one after the last.
        """
        f = self._f
        ends = [
            f.binary("udiv", f.multiply(number, tasks), self._threads)
            for number in (thread, f.add(thread, 1))
        ]
        with f.when(f.compare("icmp slt", *ends)):
            call(*ends)

    def write(self, which: int, tasks: int, call: Callable[[Operand, Operand], object]) -> None:
        """Write the loop that takes tasks as long as there are any.

        Args:
            which: the number of the counter: how many kernels have begun since the last meeting.
            tasks: how many there are.
            call: writes the call for a task and the one after the last.
        """
        f, counter, place = self._f, self._counters[which], self._starts[which]
        step = max(1, tasks // _CLAIMS)
        start = f.load("i64", place, pinned=True)
        with f.repeat() as loop:
            claimed = f.effect("i64", f"atomicrmw add ptr {counter.text}, i64 1 monotonic")
            number = f.binary("sub", claimed, start)
            task = f.multiply(number, step)
            loop.again = f.compare("icmp slt", task, integer(tasks))
            with f.when(loop.again):
                call(task, f.minimum(f.add(task, step), tasks))
        claims = -(-tasks // step)
        f.store(f.add(f.add(start, claims), self._threads), place)
