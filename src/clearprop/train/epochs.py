"""Whole epochs in one call, where an epoch is much shorter than a chunk.

The body of one epoch is a scan over its full batches, then the step of the last, smaller batch:

    inputs   (*carry without metrics, order, *given)
    outputs  (*carry without metrics, *reports of the full batches, *report of the last, *metrics)

Every epoch starts its metrics anew.  A chunk is a scan over the orders of several epochs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from clearprop import primitives
from clearprop.executors.choose import Executor, Run
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.passes.inline import inline
from clearprop.train.chunks import CHUNK_SECONDS
from clearprop.train.step import Step


class EpochReport(NamedTuple):
    """What one epoch of a chunk reported.

    Attributes:
        full: for each report its values in the full batches.
        last: for each report its value in the last, smaller batch; empty if there is none.
        metrics: the state of the metrics at the epoch's end.
    """

    full: list[Array]
    last: list[Array]
    metrics: list[Array]


class EpochsRunner:
    """Epochs of one kind, compiled as a loop.

    Attributes:
        seconds_per_epoch: how long an epoch took lately.
    """

    def __init__(
        self,
        full: Step,
        last: Step | None,
        steps: int,
        metrics: Mapping[str, Array],
        executor: Executor,
        threads: int | None,
        seconds_per_epoch: float,
    ) -> None:
        self.seconds_per_epoch = seconds_per_epoch
        self._kept = full.carry_count - len(metrics)
        self._report_count, self._has_last = len(full.reports), last is not None
        self._body = _epoch_body(full, last, steps, list(metrics.values()))
        self._executor, self._threads = executor, threads
        self._compiled: Run | None = None

    def next_count(self, remaining: int) -> int:
        """How many epochs to run now, with so many left to run."""
        fitting = int(CHUNK_SECONDS / max(self.seconds_per_epoch, 1e-9))
        return max(1, min(fitting, remaining))

    def run(
        self, kept: Sequence[Array], orders: Array, given: Sequence[Array]
    ) -> tuple[list[Array], list[EpochReport]]:
        """The carry (without metrics) after the epochs, and what each reported.

        Shapes:
            orders: (epochs, samples).
        """
        count = len(orders)
        if self._compiled is None:
            self._compiled = self._executor.compile_loop(self._body, self._kept, 1, self._threads)
        start = time.perf_counter()
        results = self._compiled([*kept, np.ascontiguousarray(orders), *given])
        self.seconds_per_epoch = (time.perf_counter() - start) / count
        reports = self._report_count
        first_last = self._kept + reports
        first_metric = first_last + reports * self._has_last
        told = [
            EpochReport(
                [values[epoch] for values in results[self._kept : first_last]],
                [values[epoch] for values in results[first_last:first_metric]],
                [values[epoch] for values in results[first_metric:]],
            )
            for epoch in range(count)
        ]
        return results[: self._kept], told


def _epoch_body(full: Step, last: Step | None, steps: int, metrics: Sequence[Array]) -> Program:
    kept_count = full.carry_count - len(metrics)
    kept = [Value(value.type) for value in full.body.inputs[:kept_count]]
    rows = full.body.inputs[full.carry_count].type
    batch = rows.shape[0]
    rest = 0 if last is None else last.body.inputs[last.carry_count].type.shape[0]
    order = Value(TensorType((steps * batch + rest,), rows.dtype), name="order")
    given = [
        Value(value.type, name=value.name) for value in full.body.inputs[full.carry_count + 1 :]
    ]
    in_full = primitives.slice_(order, starts=(0,), stops=(steps * batch,), strides=(1,))
    orders = primitives.reshape(in_full, shape=(steps, batch))
    carry = [*kept, *map(Value.leaf, metrics)]
    results = list(primitives.scan(full.body, carry, [orders], given, length=steps))
    carry, reports = results[: full.carry_count], results[full.carry_count :]
    if last is not None:
        in_rest = primitives.slice_(order, starts=(steps * batch,), stops=order.shape, strides=(1,))
        results = inline(last.body, [*carry, in_rest, *given])
        carry, reports = results[: last.carry_count], [*reports, *results[last.carry_count :]]
    outputs = [*carry[:kept_count], *reports, *carry[kept_count:]]
    return Program.under(outputs, [*kept, order, *given])
