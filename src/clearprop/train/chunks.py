"""Running steps in chunks of about a tenth of a second."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from clearprop.executors.choose import Executor, Run
from clearprop.ir.value import Array
from clearprop.train.step import Step

CHUNK_SECONDS = 0.1
_MOST_STEPS = 1 << 20


class ChunkRunner:
    """A step, compiled for chunks of different lengths.

    Lengths are powers of two, so that only a few are compiled.  Results do not depend on them.

    Attributes:
        step: what is run.
        seconds_per_step: how long a step took lately, or None before the first.
    """

    def __init__(self, step: Step, executor: Executor) -> None:
        self.step = step
        self.seconds_per_step: float | None = None
        self._executor = executor
        self._compiled: dict[int, Run] = {}

    def next_length(self, remaining: int) -> int:
        """How many steps to run now, with so many left to run."""
        if self.seconds_per_step is None:
            return 1
        fitting = int(CHUNK_SECONDS / max(self.seconds_per_step, CHUNK_SECONDS / _MOST_STEPS))
        return power_of_two_below(max(1, min(fitting, remaining)))

    def run(
        self, carry: Sequence[Array], rows: Array, given: Sequence[Array]
    ) -> tuple[list[Array], list[Array]]:
        """The carry after the steps, and what each step reported.

        Shapes:
            rows: (steps, batch).  Reports: (steps, ...) each.
        """
        length = len(rows)
        if length not in self._compiled:
            self._compiled[length] = self._executor.compile_program(self.step.over(length))
        start = time.perf_counter()
        results = self._compiled[length]([*carry, np.ascontiguousarray(rows), *given])
        self.seconds_per_step = (time.perf_counter() - start) / length
        return results[: self.step.carry_count], results[self.step.carry_count :]


def power_of_two_below(number: int) -> int:
    """The largest power of two that is not above ``number``."""
    return 1 << (number.bit_length() - 1)
