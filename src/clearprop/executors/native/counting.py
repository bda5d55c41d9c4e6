"""How long each kernel of a loop takes, counted by the processor."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from clearprop.executors.native.control import kernels_in
from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.kernel import Kernel
from clearprop.executors.native.llvm.machine import this_machine
from clearprop.executors.native.plan import Bundle, Choice, Plan, Preparation, Repetition
from clearprop.ir.program import Program
from clearprop.ir.value import Array


@dataclass(frozen=True)
class KernelCount:
    """What one kernel does in a round of a loop, on one thread.

    Attributes:
        label: what it computes.
        shape: of the largest array that it writes or reads, as text.
        calls: how often it runs.
        flops: arithmetic operations of all calls.
        size_bytes: that one call touches.
        seconds: that all calls take.
    """

    label: str
    shape: str
    calls: int
    flops: int
    size_bytes: int
    seconds: float


class CountedLoop:
    """A loop whose kernels count their cycles.

    Args:
        body: the Program of one round; see ``clearprop.primitives.control``.
        carry_count: how many values each round hands to the next; one input has a row for each.

    Attributes:
        compile_seconds: how long it took to compile.
        arena_bytes: memory that it works on, besides its inputs and outputs.
    """

    def __init__(self, body: Program, carry_count: int) -> None:
        start = time.perf_counter()
        self._compiled = Compiled(body, this_machine(), (carry_count, 1), 1, counts=True)
        self.compile_seconds = time.perf_counter() - start
        self.arena_bytes = self._compiled.plan.arena.size_bytes
        self._rounds = carry_count

    def count(self, arrays: Sequence[Array]) -> list[KernelCount]:
        """Run the loop once; what each kernel took in a round, in the order in which they run.

        Args:
            arrays: the inputs: (*carry, the rows, *captured).
        """
        cycles = self._compiled.cycles
        cycles[:] = 0
        start = time.perf_counter()
        self._compiled(arrays)
        seconds = time.perf_counter() - start
        rounds = len(arrays[self._rounds])
        scale = seconds / rounds / max(1, int(cycles.sum()))
        plan = self._compiled.plan
        calls = list(_calls(plan, 1))
        return [
            KernelCount(
                kernel.label,
                _main_type(kernel),
                often,
                kernel.flops * often,
                touched_bytes(kernel),
                int(spent) * scale,
            )
            for kernel, often, spent in zip(kernels_in(plan), calls, cycles, strict=True)
        ]


def _calls(plan: Plan, often: int) -> Iterator[int]:
    """How often each kernel runs in a round, in the order of ``kernels_in``."""
    for step in plan.steps:
        if isinstance(step, Kernel):
            yield often
        elif isinstance(step, Bundle):
            yield from [often] * len(step.kernels)
        elif isinstance(step, Repetition):  # the outermost has no length: one round of it counts
            yield from _calls(step.plan, often * (1 if step.length is None else step.length))
        elif isinstance(step, Preparation):
            yield from [often] * len(step.kernels)
        else:
            assert isinstance(step, Choice)
            for inner in step.plans:
                yield from _calls(inner, often)


def touched_bytes(kernel: Kernel) -> int:
    """About how many bytes of memory one call touches.

    Of arrays from outside of the loop, such as all samples, a call reads no more than the largest
    of its other arrays holds.
    """
    own = {_place(home): home.type.size_bytes for home in kernel.homes if not _is_outside(home)}
    outside = {_place(home): home.type.size_bytes for home in kernel.homes if _is_outside(home)}
    most = max(own.values(), default=0) or max(outside.values(), default=0)
    return sum(own.values()) + sum(min(size, most) for size in outside.values())


def _is_outside(home: Home) -> bool:
    return home.buffer.kind == "input"


def _place(home: Home) -> tuple[int, int]:
    return id(home.buffer), home.offset


def _main_type(kernel: Kernel) -> str:
    if not kernel.homes:
        return ""
    own = [home for home in kernel.homes if not _is_outside(home)] or list(kernel.homes)
    return str(max(own, key=lambda home: home.type.size_bytes).type)
