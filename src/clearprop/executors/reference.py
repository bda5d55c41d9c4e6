"""The reference executor: each equation's NumPy meaning, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from clearprop.ir.meaning import run
from clearprop.ir.program import Program
from clearprop.ir.value import Array, Value
from clearprop.primitives.control import SCAN

NAME = "reference"


def compile_program(
    program: Program, threads: int | None = None, lasting: int = 0
) -> Callable[[Sequence[Array]], list[Array]]:
    """A function from the Program's input arrays to its output arrays.

    Args:
        program: what to compute.
        threads: plays no part here.
        lasting: nor does how many of the last inputs are the same in most calls.
    """

    def call(arrays: Sequence[Array]) -> list[Array]:
        return run(program, arrays)

    return call


def compile_loop(
    body: Program, carry_count: int, step_count: int, threads: int | None = None
) -> Callable[[Sequence[Array]], list[Array]]:
    """A function that runs ``body``, that of a scan, once for each row of its per-step inputs.

    Args:
        body: the Program of one round.
        carry_count: how many values each round hands to the next.
        step_count: how many inputs have a row for each round.
        threads: plays no part here.
    """

    def call(arrays: Sequence[Array]) -> list[Array]:
        results = SCAN.meaning(
            *arrays,
            body=body,
            carry_count=carry_count,
            step_count=step_count,
            length=len(arrays[carry_count]),
            reverse=False,
        )
        return list(results)

    return call


def evaluate(values: Sequence[Value], feeds: Mapping[Value, Array] | None = None) -> list[Array]:
    """The numbers of ``values``, given those of the placeholders they depend on.

    Args:
        values: what to compute.
        feeds: for each placeholder its array, of the placeholder's shape and dtype.
    """
    feeds = feeds or {}
    return run(Program.under(values, list(feeds)), list(feeds.values()))
