"""The native executor: Programs as machine code."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from clearprop.executors.native.blueprint import Blueprint
from clearprop.executors.native.building import Draft, Order, build, draw
from clearprop.executors.native.control import (
    ARENA,
    CYCLES,
    FLAG,
    HEADER_WORDS,
    KEPT,
    ROUNDS,
    TEAM,
    THREADS,
    TOGETHER,
)
from clearprop.executors.native.engine import Code, known_object_code
from clearprop.executors.native.machine import Machine, this_machine
from clearprop.executors.native.plan import Plan
from clearprop.executors.native.sharing import MEETING_WORDS
from clearprop.executors.native.team import team, thread_count
from clearprop.executors.native.writer import Function, Module
from clearprop.ir import meaning
from clearprop.ir.program import Program
from clearprop.ir.value import Array
from clearprop.primitives.control import SCAN

NAME = "native"


class Compiled:
    """A Program, or a loop over one, as machine code, with the memory that it works on.

    Args:
        program: what to run; for a loop, the body of one round.
        machine: for which processor.
        loop: for a loop, how many values it carries and how many inputs have a row for each round.
        threads: how many may be used; None for as many as there are cores.  Results are the same
            for any number.
        counts: whether to count the cycles that each kernel takes, on one thread.
        together: whether all these threads work together; None for where that pays.

    Attributes:
        blueprint: what is known about the code.
        threads: how many are used.
        cycles: that each kernel took so far, if they are counted.
    """

    def __init__(
        self,
        program: Program,
        machine: Machine,
        loop: tuple[int, int] | None = None,
        threads: int | None = None,
        *,
        counts: bool = False,
        together: bool | None = None,
    ) -> None:
        self.program, self._loop = program, loop
        count = thread_count(threads)
        self._order = Order(program, machine, loop, count, counts, together)
        built = build(self._order)
        self.blueprint, self._code = built.blueprint, built.code
        if built.draft is not None:
            self._draft = built.draft
        self.threads = count if self.blueprint.function == TOGETHER else 1
        function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
        self._address = self._code.address(self.blueprint.function)
        self._run = function(self._address)
        self._constants = [np.asarray(array, order="C") for array in built.constants]
        self.cycles = np.zeros(len(self.blueprint.kernels), np.int64)
        self._memories: list[_Memory] = []  # that no call is using

    @property
    def plan(self) -> Plan:
        """What is run; it is made again if the code came out of the cache."""
        return self._draft.plan

    @property
    def text(self) -> str:
        """The code in LLVM IR."""
        return self._draft.text

    @cached_property
    def _draft(self) -> Draft:
        return draw(self._order)

    def __call__(self, arrays: Sequence[Array]) -> list[Array]:
        """The Program's outputs for these inputs; several threads may call at the same time."""
        given = [np.asarray(array, order="C") for array in arrays]
        results = self._results(given)
        try:
            memory = self._memories.pop()
        except IndexError:
            memory = _Memory(self.blueprint, self._constants, self.cycles)
        if self._loop is not None:
            memory.table[ROUNDS] = len(given[self._loop[0]])
        for word, array in enumerate([*given, *results], start=HEADER_WORDS):
            memory.table[word] = array.ctypes.data
        if self.threads > 1:
            self._run_together(memory)
        else:
            self._run(memory.table.ctypes.data, 0)
        is_outside = bool(memory.flag[0])
        memory.flag[0] = 0
        # A call that was interrupted leaves its memory to nobody.
        self._memories.append(memory)
        return self._by_definition(arrays) if is_outside else results

    def _run_together(self, memory: _Memory) -> None:
        """Run with the team, or alone if it is at work for somebody else."""
        together = team()
        is_free = together.acquire()
        try:
            threads = together.ready(self.threads) if is_free else 1
            meeting = np.zeros(MEETING_WORDS, np.uint64)
            memory.table[TEAM] = together.meeting if is_free else meeting.ctypes.data
            memory.table[THREADS] = threads
            table = memory.table.ctypes.data
            if is_free:
                together.run(self._address, table, threads)
            else:
                self._run(table, 0)
        finally:
            if is_free:
                together.release()

    def _results(self, given: Sequence[Array]) -> list[Array]:
        """Arrays for the results; those that a loop carries hold their first values."""
        outputs = self.program.outputs
        if self._loop is None:
            return [np.empty(value.shape, value.dtype) for value in outputs]
        count, _ = self._loop
        rounds = len(given[count])
        reports = [np.empty((rounds, *value.shape), value.dtype) for value in outputs[count:]]
        return [*(array.copy() for array in given[:count]), *reports]

    def _by_definition(self, arrays: Sequence[Array]) -> list[Array]:
        """The same by the definition, which says which index lies outside."""
        if self._loop is None:
            return meaning.run(self.program, arrays)
        count, steps = self._loop
        results = SCAN.meaning(
            *arrays, body=self.program, carry_count=count, step_count=steps,
            length=len(arrays[count]), reverse=False,
        )  # fmt: skip
        return list(results)


class _Memory:
    """What one call works on.

    Attributes:
        flag: whether an index lay outside.
        table: of the addresses of everything.
    """

    def __init__(self, blueprint: Blueprint, constants: Sequence[Array], cycles: Array) -> None:
        self.flag = np.zeros(64, np.uint8)
        self._arena = aligned_bytes(blueprint.arena_bytes)
        self._kept = aligned_bytes(blueprint.kept_bytes)
        first = HEADER_WORDS + blueprint.inputs + blueprint.outputs
        self.table = np.zeros(first + len(constants), np.uint64)
        words = {ARENA: self._arena, KEPT: self._kept, FLAG: self.flag, CYCLES: cycles}
        for word, array in [*words.items(), *enumerate(constants, start=first)]:
            self.table[word] = array.ctypes.data
        self.table[THREADS] = 1


def aligned_bytes(size: int) -> Array:
    """Zeroed memory that begins at a cache line."""
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + max(size, 1)]


def compile_program(
    program: Program, threads: int | None = None
) -> Callable[[Sequence[Array]], list[Array]]:
    """A function from the Program's input arrays to its output arrays.

    Args:
        program: what to compute.
        threads: how many may be used; None for as many as there are cores.
    """
    return Compiled(program, this_machine(), threads=threads)


def compile_loop(
    body: Program, carry_count: int, step_count: int, threads: int | None = None
) -> Callable[[Sequence[Array]], list[Array]]:
    """A function from (*carry, *stacked per-step inputs, *captured) to (*carry, *stacked outputs).

    It runs ``body`` once for each row of the stacked inputs.

    Args:
        body: the Program of one round; see ``clearprop.primitives.control``.
        carry_count: how many values each round hands to the next.
        step_count: how many inputs have a row for each round.
        threads: how many may be used; None for as many as there are cores.
    """
    return Compiled(body, this_machine(), (carry_count, step_count), threads)


def problem_here() -> str | None:
    """Why code cannot be made and run in this process; None if it can."""
    problem = _refusal()
    if problem is not None:
        return problem
    module = Module(this_machine())
    f = Function(module, [("i64", "number")], "i64", exported=True)
    f.finish(f.add(f.parameters[0], 1))
    name = module.add(f, "following")
    try:
        code = Code(known_object_code(module.text(), this_machine()), (name,))
    except (RuntimeError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(code.address(name))
    return None if function(41) == 42 else "code that was made does not run"


def _refusal() -> str | None:
    """How the system refuses to run what was written to memory; None if it does not.

    LLVM would find out as well, but complains on the terminal, or ends the process.
    """
    if os.name != "posix":
        return None
    protect = getattr(ctypes.CDLL(None, use_errno=True), "mprotect", None)
    if protect is None:
        return None
    flags, can_write = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_WRITE
    with mmap.mmap(-1, mmap.PAGESIZE, flags, can_write) as memory:
        first = ctypes.c_char.from_buffer(memory)
        address = ctypes.c_void_p(ctypes.addressof(first))
        can_run = mmap.PROT_READ | mmap.PROT_EXEC
        failed = protect(address, ctypes.c_size_t(mmap.PAGESIZE), can_run)
        number = ctypes.get_errno()
        del first  # before the memory is given back
    return f"memory cannot be made executable: {os.strerror(number)}" if failed else None
