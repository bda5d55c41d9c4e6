"""The native executor: Programs as machine code."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence

import numpy as np

from clearprop.executors.native.calling import Caller
from clearprop.executors.native.control import (
    ALONE,
    COUNTED,
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
from clearprop.executors.native.team import thread_count
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
        self._caller = Caller(
            self._code.address(name),
            self.threads,
            [value.type for value in program.inputs],
            [value.type for value in program.outputs],
            loop,
            [np.asarray(value.array, order="C") for value in surroundings.constants],
            arena_bytes=self.plan.arena.size_bytes,
            kept_bytes=kept,
            kernels=len(kernels_in(self.plan)),
        )

    @property
    def cycles(self) -> Array:
        """How many cycles each kernel took so far, if they are counted."""
        return self._caller.cycles

    def __call__(self, arrays: Sequence[Array]) -> list[Array]:
        """The Program's outputs for these inputs."""
        results = self._caller(arrays)
        return self._by_definition(arrays) if results is None else results

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
