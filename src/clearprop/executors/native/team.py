"""Threads that wait to run functions of machine code together with whoever calls.

Each is a Python thread that sits in machine code, where it looks for work for a fraction of a
millisecond after it has had some; then it goes back to Python and sleeps until it is called.  So
calls that follow one another find the threads awake, and idle threads cost nothing.

Words of the team's memory, each in a cache line of its own:

    call       the number of the call, and how many threads take part: a change is the sign to begin
    function, table    what to run, and on what
    done       how many threads have finished the present call
    joined     what ``call`` was in the last call that is over
    meeting    address of the memory that the threads meet at
    sleeping   for each thread, whether it has to be woken
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import threading
from functools import partial

import numpy as np

from clearprop.errors import ArgumentError
from clearprop.executors.native.llvm.code import Code, known_object_code
from clearprop.executors.native.llvm.machine import available_cores, this_machine
from clearprop.executors.native.llvm.module import Module
from clearprop.executors.native.llvm.registers import Operand, constant, integer
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.sharing import meeting_words, write_clearing
from clearprop.ir.place import here

_CALL, _FUNCTION, _TABLE, _DONE, _JOINED, _MEETING, _SLEEPING = (8 * line for line in range(7))
_THREAD_BITS = 16  # of the word that holds the call's number and how many threads take part
_LOOKS = 2_000  # for work, before a thread goes to sleep: about half a millisecond
MOST_THREADS = 1024
_SPINS = 64  # looks before the core is given to somebody else for a moment


def thread_count(wanted: int | None) -> int:
    """How many threads to use.

    Args:
        wanted: by the user; None for as many as ``OMP_NUM_THREADS`` says, else as there are cores
            for this process.  A worker process of a pool gets one: its siblings have the others.

    Raises:
        ArgumentError: it is no whole number of at least 1.
    """
    if wanted is not None:
        if isinstance(wanted, bool) or not isinstance(wanted, (int, np.integer)) or wanted < 1:
            raise ArgumentError(
                "Choosing the number of threads: it is no whole number of at least 1",
                found=f"threads={wanted!r}",
                needed="1, 2, 3, ... or None",
                at=str(here()),
            )
        return min(int(wanted), MOST_THREADS)
    told = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    with contextlib.suppress(ValueError):  # whatever is no number says nothing
        if int(told) > 0:
            return min(int(told), MOST_THREADS)
    if multiprocessing.parent_process() is not None:
        return 1
    return available_cores()


class Team:
    """The threads of this process, as many as have been needed so far."""

    def __init__(self) -> None:
        self._busy, self._growing = threading.Lock(), threading.Lock()
        self._wake: list[threading.Semaphore] = []
        module = Module(this_machine())
        names = (_write_attend(module), _write_join(module), _write_begin(module))
        self._code = Code(known_object_code(module.text(), this_machine()), names)
        word = ctypes.c_int64
        attend, join, begin = map(self._code.address, names)
        self._attend = ctypes.CFUNCTYPE(word, word, word, word)(attend)
        self._begin = ctypes.CFUNCTYPE(word, word, word, word, word)(begin)
        self._join = ctypes.CFUNCTYPE(None, word, word, word, word)(join)
        self._words = (ctypes.c_uint64 * (_SLEEPING + 8 * MOST_THREADS))()
        self._memory = np.zeros(meeting_words(MOST_THREADS), np.uint64)
        self._address = ctypes.addressof(self._words)
        self._words[_MEETING] = self.meeting = self._memory.ctypes.data

    def acquire(self) -> bool:
        """Whether the team is free, and now at the caller's service until ``release``."""
        return self._busy.acquire(blocking=False)

    def release(self) -> None:
        """Let others have the team."""
        self._busy.release()

    def run(self, function: int, table: int, threads: int) -> None:
        """Call a function of (table, thread) in several threads at the same time.

        The caller has acquired the team, and is one of the threads.

        Args:
            function: its address.
            table: what it is given.
            threads: how many; no more than ``ready`` said.
        """
        words = self._words
        call = ((words[_CALL] >> _THREAD_BITS) + 1) << _THREAD_BITS | threads
        interruption: BaseException | None = None
        # Ctrl-C may come between any two lines; once the others have begun, the caller has to do
        # its part, or they would wait for ever.
        while words[_JOINED] != call:
            try:
                if words[_CALL] == call or self._begin(self._address, function, table, call):
                    for number, wake in enumerate(self._wake[: threads - 1], start=1):
                        if words[_SLEEPING + 8 * number]:
                            wake.release()
                    self._join(self._address, function, table, threads)
            except BaseException as error:
                interruption = error
        if interruption is not None:
            raise interruption

    def ready(self, wanted: int) -> int:
        """How many threads, the caller included, can take part, if so many are wanted."""
        if len(self._wake) < wanted - 1:
            # Ctrl-C reaches the main thread only: another one is not stopped half-way.
            helper = threading.Thread(target=self._add_up_to, args=(wanted - 1,), daemon=True)
            with contextlib.suppress(RuntimeError):  # the system gives no more threads
                helper.start()
                helper.join()
        return min(wanted, len(self._wake) + 1)

    def _add_up_to(self, count: int) -> None:
        with self._growing, contextlib.suppress(RuntimeError):
            while len(self._wake) < count:
                wake = threading.Semaphore(0)
                number, seen = len(self._wake) + 1, int(self._words[_CALL])
                attend = partial(self._attend_always, number, seen, wake)
                threading.Thread(target=attend, daemon=True, name=f"clearprop-{number}").start()
                self._wake.append(wake)

    def _attend_always(self, number: int, calls: int, wake: threading.Semaphore) -> None:
        """What each thread does."""
        while True:
            calls = self._attend(self._address, number, calls)
            wake.acquire()


_teams: list[Team] = []


def team() -> Team:
    """The team of this process."""
    if not _teams:
        _teams.append(Team())
    return _teams[0]


if hasattr(os, "register_at_fork"):
    # A child has none of its parent's threads: it gets a team of its own when it needs one.
    os.register_at_fork(after_in_child=_teams.clear)


# -- the machine code --------------------------------------------------------------------


def _word(f: Function, base: Operand, number: Operand | int) -> Operand:
    return f.address(base, "i64", number)


def _look(f: Function, address: Operand) -> Operand:
    return f.effect("i64", f"load atomic i64, ptr {address.text} seq_cst, align 8")


def _put(f: Function, number: Operand, address: Operand) -> None:
    f.line(f"  store atomic i64 {number.text}, ptr {address.text} seq_cst, align 8")


def _pause(f: Function, looks: Operand) -> None:
    """Give the core's other thread, and after a while the core itself, to somebody else."""
    module = f.module
    module.declarations["declare i32 @sched_yield()"] = None
    if module.machine is not None and module.machine.is_x86:
        module.declarations["declare void @llvm.x86.sse2.pause()"] = None
        f.line("  call void @llvm.x86.sse2.pause()")
    with f.when(f.compare("icmp sgt", looks, integer(_SPINS))):
        f.effect("i32", "call i32 @sched_yield()")


def _write_attend(module: Module) -> str:
    """attend(team, number, calls seen): work until there has been none for a while."""
    f = Function(module, [("ptr", "team"), ("i64", "number"), ("i64", "seen")], "i64",
                 exported=True)  # fmt: skip
    team_, number, seen = f.parameters
    sleeping = _word(f, team_, f.add(f.multiply(number, 8), _SLEEPING))
    known = f.stack("i64", 1, alignment=8)  # the calls that have been answered
    looks = f.stack("i64", 1, alignment=8)  # without finding any
    f.store(seen, known)
    f.store(integer(0), looks)
    with f.repeat() as loop:
        calls = _look(f, _word(f, team_, _CALL))
        before = f.load("i64", known, pinned=True)
        is_new = f.compare("icmp ne", calls, before)
        with f.when(is_new):
            f.store(calls, known)
            f.store(integer(0), looks)
            threads = _threads(f, calls)
            with f.when(f.compare("icmp slt", number, threads)):
                _call_job(f, team_, number)
                f.effect("i64", f"atomicrmw add ptr {_word(f, team_, _DONE).text}, i64 1 seq_cst")
        f.store(integer(0), sleeping)
        vain = f.load("i64", looks, pinned=True)
        f.store(f.add(vain, 1), looks)
        _pause(f, vain)
        tired = f.compare("icmp sgt", vain, integer(_LOOKS))
        with f.when(tired):
            _put(f, integer(1), sleeping)
        # Whoever calls after this look sees that the thread sleeps, and wakes it.
        again = f.compare("icmp ne", _look(f, _word(f, team_, _CALL)),
                          f.load("i64", known, pinned=True))  # fmt: skip
        awake = f.binary("xor", tired, constant("i1", 1))
        loop.again = f.binary("or", again, awake)
    f.finish(f.load("i64", known, pinned=True))
    return module.add(f, "attend")


def _call_job(f: Function, team_: Operand, number: Operand) -> None:
    function = f.effect("ptr", f"load ptr, ptr {_word(f, team_, _FUNCTION).text}, align 8")
    table = f.effect("ptr", f"load ptr, ptr {_word(f, team_, _TABLE).text}, align 8")
    f.line(f"  call void {function.text}(ptr {table.text}, i64 {number.text})")


def _threads(f: Function, call: Operand) -> Operand:
    """How many take part in a call: it is told in the same word, so that it is never another's."""
    return f.binary("and", call, integer((1 << _THREAD_BITS) - 1))


_JOB = [("ptr", "team"), ("ptr", "function"), ("ptr", "table"), ("i64", "last")]


def _write_join(module: Module) -> str:
    """join(team, function, table, threads): do the caller's part, and wait for the others."""
    f = Function(module, _JOB, exported=True)
    team_, function, table, threads = f.parameters
    f.line(f"  call void {function.text}(ptr {table.text}, i64 0)")
    with f.repeat([integer(0)]) as loop:
        (looks,) = loop.carried
        _pause(f, looks)
        loop.next = [f.add(looks, 1)]
        done = _look(f, _word(f, team_, _DONE))
        loop.again = f.compare("icmp slt", done, f.add(threads, -1))
    _put(f, _look(f, _word(f, team_, _CALL)), _word(f, team_, _JOINED))
    f.finish()
    return module.add(f, "join")


def _write_begin(module: Module) -> str:
    """begin(team, function, table, call): start the others, and join them if all are awake.

    It returns whether anybody has to be woken first.
    """
    f = Function(module, _JOB, "i64", exported=True)
    team_, function, table, call = f.parameters
    threads = _threads(f, call)
    f.store(function, _word(f, team_, _FUNCTION))
    f.store(table, _word(f, team_, _TABLE))
    write_clearing(f, f.load("ptr", _word(f, team_, _MEETING)), threads)
    _put(f, integer(0), _word(f, team_, _DONE))
    _put(f, call, _word(f, team_, _CALL))
    with f.loop(1, threads, carried=[integer(0)]) as loop:
        assert loop.index is not None
        place = f.add(f.multiply(loop.index, 8), _SLEEPING)
        asleep = _look(f, _word(f, team_, place))
        loop.next = [f.binary("or", loop.carried[0], asleep)]
    (asleep,) = loop.results
    with f.when(f.compare("icmp eq", asleep, integer(0))):
        f.call("join", team_, function, table, threads)
    f.finish(asleep)
    return module.add(f, "begin")
