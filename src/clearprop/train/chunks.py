"""Running steps in chunks of about a tenth of a second, or a little more."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from clearprop.executors.choose import Executor, Run
from clearprop.ir.value import Array
from clearprop.train.step import Step

if TYPE_CHECKING:
    from clearprop.train.epochs import EpochsRunner

CHUNK_SECONDS = 0.1
_MOST_SECONDS = 0.5
# What a chunk starts from: how fast it is copied, how long each array takes besides, and which
# share of the time all of that may be.
_COPIED_BYTES_PER_SECOND, _SECONDS_PER_ARRAY, _COPYING = 5e9, 2e-5, 0.02
_MOST_STEPS = 1 << 20


class ChunkRunner:
    """A step, compiled as a loop.  Results do not depend on how many rounds a chunk has.

    Attributes:
        step: what is run.
        seconds_per_step: how long a step took lately, or None before the first.
        epochs: what runs whole epochs of such steps, by the numbers of full batches and of samples
            in the last one, and whether rows are shuffled.
    """

    def __init__(self, step: Step, executor: Executor, threads: int | None = None) -> None:
        self.step = step
        self.seconds_per_step: float | None = None
        self.epochs: dict[tuple[int, int, bool], EpochsRunner] = {}
        self._executor, self._threads = executor, threads
        self._compiled: Run | None = None
        carry = step.body.inputs[: step.carry_count]
        copying = sum(value.type.size_bytes for value in carry) / _COPIED_BYTES_PER_SECOND
        copying += len(carry) * _SECONDS_PER_ARRAY
        self._seconds = min(max(CHUNK_SECONDS, copying / _COPYING), _MOST_SECONDS)

    def next_length(self, remaining: int) -> int:
        """How many steps to run now, with so many left to run.

        Each chunk copies what it starts from, to go back there if a loss is no number; where that
        is much, or many arrays, a chunk takes longer.  A last chunk much shorter than the others
        would copy for little: those before it take it over.
        """
        if self.seconds_per_step is None:
            return 1
        fitting = round(self._seconds / max(self.seconds_per_step, self._seconds / _MOST_STEPS))
        return remaining if 2 * remaining < 3 * fitting else max(1, fitting)

    def run(
        self, carry: Sequence[Array], rows: Array, given: Sequence[Array]
    ) -> tuple[list[Array], list[Array]]:
        """The carry after the steps, and what each step reported.

        Shapes:
            rows: (steps, batch).  Reports: (steps, ...) each.
        """
        if self._compiled is None:
            self._compiled = self._executor.compile_loop(
                self.step.body, self.step.carry_count, 1, self._threads
            )
        start = time.perf_counter()
        results = self._compiled([*carry, np.ascontiguousarray(rows), *given])
        self.seconds_per_step = (time.perf_counter() - start) / len(rows)
        return results[: self.step.carry_count], results[self.step.carry_count :]
