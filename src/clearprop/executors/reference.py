"""The reference executor: each equation's NumPy meaning, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from clearprop.ir.meaning import run
from clearprop.ir.program import Program
from clearprop.ir.value import Array, Value

NAME = "reference"


def compile_program(program: Program) -> Callable[[Sequence[Array]], list[Array]]:
    """A function from the Program's input arrays to its output arrays."""

    def call(arrays: Sequence[Array]) -> list[Array]:
        return run(program, arrays)

    return call


def evaluate(values: Sequence[Value], feeds: Mapping[Value, Array] | None = None) -> list[Array]:
    """The numbers of ``values``, given those of the placeholders they depend on.

    Args:
        values: what to compute.
        feeds: for each placeholder its array, of the placeholder's shape and dtype.
    """
    feeds = feeds or {}
    return run(Program.under(values, list(feeds)), list(feeds.values()))
