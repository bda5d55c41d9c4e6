"""The native executor: Programs as machine code."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Callable, Sequence
from functools import cached_property, partial

import numpy as np

from clearprop.executors.native.building import Draft, Order, build, draw
from clearprop.executors.native.calling import call_of
from clearprop.executors.native.control import TOGETHER
from clearprop.executors.native.explain import explanation
from clearprop.executors.native.llvm.code import Code, known_object_code
from clearprop.executors.native.llvm.machine import Machine, this_machine
from clearprop.executors.native.llvm.module import Module
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.plan import Plan
from clearprop.executors.native.table import Callee
from clearprop.executors.native.team import thread_count
from clearprop.garbage import collection_put_off
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
        lasting: how many of the last inputs are the same in most calls: what is made of them alone
            is made again only for new ones.

    Attributes:
        blueprint: what is known about the code.
        threads: how many are used.
        cycles: how many each kernel took so far, if they are counted.
        call_with: gives the outputs for the first inputs and the others, the numbers of
            parameters: the same list as long as they are the same.
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
        lasting: int = 0,
    ) -> None:
        self.program, self._loop = program, loop
        count = thread_count(threads)
        self._order = Order(program, machine, loop, count, counts, together, lasting)
        with collection_put_off():
            built = build(self._order)
        self.blueprint, self._code = built.blueprint, built.code
        if built.draft is not None:
            self._draft = built.draft
        self.threads = count if self.blueprint.function == TOGETHER else 1
        callee = Callee(
            self._code.address(self.blueprint.function),
            self.threads,
            tuple(value.type for value in program.inputs),
            tuple(value.type for value in program.outputs),
            loop,
            tuple(np.asarray(array, order="C") for array in built.constants),
            arena_bytes=self.blueprint.needed_bytes(self.threads),
            kept_bytes=self.blueprint.kept_bytes,
            lasting=lasting,
            seconds=self.blueprint.seconds,
            round_seconds=self.blueprint.round_seconds,
            exchanges=self.blueprint.exchanges,
            cycles=np.zeros(len(self.blueprint.kernels), np.int64),
            by_definition=partial(_by_definition, program, loop),
        )
        self.cycles, self.call_with = callee.cycles, call_of(callee)

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
        """The Program's outputs for these inputs."""
        return self.call_with(arrays)

    def explain(self, *, llvm: bool = False) -> str:
        """Every stage of the way to machine code, in words.

        Args:
            llvm: whether the code in LLVM IR is told too.
        """
        return explanation(
            self.program,
            self.plan,
            self.threads,
            kept_bytes=self.blueprint.kept_bytes,
            llvm=self.text if llvm else None,
        )


def _by_definition(
    program: Program, loop: tuple[int, int] | None, arrays: Sequence[Array]
) -> list[Array]:
    """The same by the definition, which says which index lies outside."""
    if loop is None:
        return meaning.run(program, arrays)
    count, steps = loop
    results = SCAN.meaning(
        *arrays, body=program, carry_count=count, step_count=steps,
        length=len(arrays[count]), reverse=False,
    )  # fmt: skip
    return list(results)


def compile_program(
    program: Program, threads: int | None = None, lasting: int = 0
) -> Callable[[Sequence[Array]], list[Array]]:
    """A function from the Program's input arrays to its output arrays.

    Args:
        program: what to compute.
        threads: how many may be used; None for as many as there are cores.
        lasting: how many of the last inputs are the same in most calls.
    """
    return Compiled(program, this_machine(), threads=threads, lasting=lasting)


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
