"""Threads that run one function together.

The threads are Python threads that sit inside the same native call (the GIL is released in it).
They meet at barriers: each spins for a moment, then lets others have the core.
"""

from __future__ import annotations

from clearprop.executors.native.writer import Function, Operand, integer

_SPINS = 64  # looks at the barrier before the core is given to somebody else


def write_barrier(f: Function, barrier: Operand, threads: Operand) -> None:
    """Call the function at which all threads of a team wait for one another.

    Args:
        f: where.
        barrier: address of two cache lines: how many have come, and how often all have.
        threads: how many there are.
    """
    name = _barrier(f)
    f.call(name, barrier, threads)


def _barrier(caller: Function) -> str:
    module = caller.module
    module.declarations["declare i32 @sched_yield()"] = None
    f = Function(module, [("ptr", "barrier"), ("i64", "threads")])
    barrier, threads = f.parameters
    rounds = f.address(barrier, "i64", 8)
    now = f.effect("i64", f"load atomic i64, ptr {rounds.text} acquire, align 8")
    come = f.effect("i64", f"atomicrmw add ptr {barrier.text}, i64 1 acq_rel")
    is_last = f.compare("icmp eq", f.add(come, 1), threads)
    with f.when(is_last):
        f.line(f"  store atomic i64 0, ptr {barrier.text} release, align 8")
        following = f.add(now, 1)
        f.line(f"  store atomic i64 {following.text}, ptr {rounds.text} release, align 8")
    with f.when(f.binary("xor", is_last, Operand("i1", "true"))):
        with f.repeat([integer(0)]) as loop:
            (spins,) = loop.carried
            if module.machine is not None and module.machine.is_x86:
                module.declarations["declare void @llvm.x86.sse2.pause()"] = None
                f.line("  call void @llvm.x86.sse2.pause()")
            with f.when(f.compare("icmp sgt", spins, integer(_SPINS))):
                f.line("  call i32 @sched_yield()")
            seen = f.effect("i64", f"load atomic i64, ptr {rounds.text} acquire, align 8")
            loop.next = [f.add(spins, 1)]
            loop.again = f.compare("icmp eq", seen, now)
    f.finish()
    return module.add(f, "barrier")
