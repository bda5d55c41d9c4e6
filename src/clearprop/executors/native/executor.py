"""The native executor: Programs as machine code."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence

import numpy as np

from clearprop.executors.native.control import (
    ALONE,
    ARENA,
    COUNTED,
    CYCLES,
    FLAG,
    HEADER_WORDS,
    KEPT,
    ROUNDS,
    TEAM,
    THREADS,
    TOGETHER,
    Table,
    kept_bytes,
    kernels_in,
    write_run,
)
from clearprop.executors.native.costs import pays
from clearprop.executors.native.engine import Code, object_code
from clearprop.executors.native.homes import Buffer, Home
from clearprop.executors.native.machine import Machine, this_machine
from clearprop.executors.native.plan import Surroundings, make_loop_plan, make_plan
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

    Attributes:
        plan: what is run.
        threads: how many are used.
        text: the code in LLVM IR.
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
    ) -> None:
        self.program, self._loop = program, loop
        module = Module(machine)
        surroundings = Surroundings(module, machine, {})
        if loop is None:
            inputs, outputs = (
                [
                    Home.plain(Buffer(kind, value.type.size_bytes, number), value.type)
                    for number, value in enumerate(values)
                ]
                for kind, values in (("input", program.inputs), ("output", program.outputs))
            )
            self.plan = make_plan(surroundings, program, inputs, outputs)
        else:
            self.plan = make_loop_plan(surroundings, program, *loop)
        table = Table(len(program.inputs), len(program.outputs))
        kept = kept_bytes(self.plan.kept)
        count = thread_count(threads)
        together = count > 1 and not counts and pays(self.plan, count, is_loop=loop is not None)
        self.threads = count if together else 1
        write_run(module, machine, self.plan, table, together=together, counts=counts)
        self.text = module.text()
        name = COUNTED if counts else TOGETHER if together else ALONE
        self._code = Code(object_code(self.text, machine), (name,))
        function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
        self._address = self._code.address(name)
        self._run = function(self._address)
        constants = [np.asarray(value.array, order="C") for value in surroundings.constants]
        arena = aligned_bytes(self.plan.arena.size_bytes)
        self._memory = [*constants, arena, aligned_bytes(kept), np.zeros(64, np.uint8)]
        self._flag = self._memory[-1]
        first = HEADER_WORDS + table.inputs + table.outputs
        self._table = np.zeros(first + len(constants), np.uint64)
        for word, array in zip((ARENA, KEPT, FLAG), self._memory[-3:], strict=True):
            self._table[word] = array.ctypes.data
        self._table[THREADS] = self.threads
        self.cycles = np.zeros(len(kernels_in(self.plan)), np.int64)
        self._table[CYCLES] = self.cycles.ctypes.data
        self._table[first:] = [array.ctypes.data for array in constants]

    def __call__(self, arrays: Sequence[Array]) -> list[Array]:
        """The Program's outputs for these inputs."""
        given = [np.asarray(array, order="C") for array in arrays]
        results = self._results(given)
        for word, array in enumerate([*given, *results], start=HEADER_WORDS):
            self._table[word] = array.ctypes.data
        if self.threads > 1:
            self._run_together()
        else:
            self._run(self._table.ctypes.data, 0)
        if self._flag[0]:
            self._flag[0] = 0
            return self._by_definition(arrays)
        return results

    def _run_together(self) -> None:
        """Run with the team, or alone if it is at work for somebody else."""
        together = team()
        is_free = together.acquire()
        try:
            threads = self.threads if is_free else 1
            meeting = np.zeros(MEETING_WORDS, np.uint64)
            self._table[TEAM] = together.meeting if is_free else meeting.ctypes.data
            self._table[THREADS] = threads
            table = self._table.ctypes.data
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
        self._table[ROUNDS] = rounds
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
    module = Module(this_machine())
    f = Function(module, [("i64", "number")], "i64", exported=True)
    f.finish(f.add(f.parameters[0], 1))
    name = module.add(f, "following")
    try:
        code = Code(object_code(module.text(), this_machine()), (name,))
    except (RuntimeError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(code.address(name))
    return None if function(41) == 42 else "code that was made does not run"
