"""Whole epochs in one call, where an epoch is much shorter than a chunk.

The body of one epoch finds the order of its rows, runs a scan over its full batches, then the step
of the last, smaller batch:

    inputs   (*carry without metrics, number of the epoch, order's key, *given)
    outputs  (*carry without metrics, *sums of the reports over the samples, *metrics)

Every epoch starts its metrics and sums anew.  A chunk is a loop over the numbers of its epochs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from clearprop import primitives
from clearprop.dtypes import F64
from clearprop.executors.choose import Executor, Run
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.ops.random import words
from clearprop.passes.inline import inline
from clearprop.passes.simplify import simplify
from clearprop.primitives.constants import scalar_like
from clearprop.train.chunks import CHUNK_SECONDS
from clearprop.train.orders import order_in_program, order_key
from clearprop.train.step import KEY, Step


class EpochReport(NamedTuple):
    """What one epoch of a chunk reported.

    Attributes:
        sums: for each report its sum over the samples.
        metrics: the state of the metrics at the epoch's end.
    """

    sums: list[float]
    metrics: list[Array]


class EpochsRunner:
    """Epochs of one kind, compiled as a loop.

    Args:
        full: the step of a full batch.
        last: that of the last, smaller batch; None if there is none.
        steps: number of full batches.
        metrics: the state of the metrics before the first sample.
        shuffle: whether the rows come in another order in each epoch.
        executor, threads: what runs the epochs.
        seconds_per_epoch: about how long one takes.

    Attributes:
        seconds_per_epoch: how long an epoch took lately.
    """

    def __init__(
        self,
        full: Step,
        last: Step | None,
        steps: int,
        metrics: Mapping[str, Array],
        *,
        shuffle: bool,
        executor: Executor,
        threads: int | None,
        seconds_per_epoch: float,
    ) -> None:
        self.seconds_per_epoch = seconds_per_epoch
        self._kept, self._sums = full.carry_count - len(metrics), len(full.reports)
        self._body = _epoch_body(full, last, steps, list(metrics.values()), shuffle=shuffle)
        self._executor, self._threads = executor, threads
        self._compiled: Run | None = None

    def next_count(self, remaining: int) -> int:
        """How many epochs to run now, with so many left to run."""
        fitting = int(CHUNK_SECONDS / max(self.seconds_per_epoch, 1e-9))
        return max(1, min(fitting, remaining))

    def run(
        self, kept: Sequence[Array], seed: int, epochs: range, given: Sequence[Array]
    ) -> tuple[list[Array], list[EpochReport]]:
        """The carry (without metrics) after some epochs, and what each reported.

        Args:
            kept: the carry before.
            seed: of the order of rows.
            epochs: the numbers of the epochs, counted over all of the model's training.
            given: what stays the same.
        """
        if self._compiled is None:
            self._compiled = self._executor.compile_loop(self._body, self._kept, 1, self._threads)
        numbers = np.stack([words(epoch) for epoch in epochs])
        start = time.perf_counter()
        results = self._compiled([*kept, numbers, order_key(seed), *given])
        self.seconds_per_epoch = (time.perf_counter() - start) / len(epochs)
        first_metric = self._kept + self._sums
        sums = zip(*(each.tolist() for each in results[self._kept : first_metric]), strict=True)
        told = [
            EpochReport(list(of_epoch), [values[number] for values in results[first_metric:]])
            for number, of_epoch in enumerate(sums)
        ]
        return results[: self._kept], told


def _epoch_body(
    full: Step, last: Step | None, steps: int, metrics: Sequence[Array], *, shuffle: bool
) -> Program:
    kept_count = full.carry_count - len(metrics)
    kept = [Value(value.type) for value in full.body.inputs[:kept_count]]
    batch = full.body.inputs[full.carry_count].shape[0]
    rest = 0 if last is None else last.body.inputs[last.carry_count].shape[0]
    number, key = Value(KEY, name="epoch"), Value(KEY, name="key")
    given = [
        Value(value.type, name=value.name) for value in full.body.inputs[full.carry_count + 1 :]
    ]
    order = order_in_program(key, number, steps * batch + rest, shuffle=shuffle)
    in_full = primitives.slice_(order, starts=(0,), stops=(steps * batch,), strides=(1,))
    orders = primitives.reshape(in_full, shape=(steps, batch))
    zeros = [Value.leaf(np.zeros((), F64)) for _ in full.reports]
    carry = [*kept, *map(Value.leaf, metrics), *zeros]
    adding = _adding(full, batch)
    carry = list(primitives.scan(adding, carry, [orders], given, length=steps))
    if last is not None:
        in_rest = primitives.slice_(order, starts=(steps * batch,), stops=order.shape, strides=(1,))
        carry = inline(_adding(last, rest), [*carry, in_rest, *given])
    states, sums = carry[: full.carry_count], carry[full.carry_count :]
    outputs = [*states[:kept_count], *sums, *states[kept_count:]]
    return simplify(Program.under(outputs, [*kept, number, key, *given]))


def _adding(step: Step, batch: int) -> Program:
    """The step's body with sums of its reports over samples in the carry, instead of reports.

    They are added one by one in float64, as they are where steps are run in chunks.
    """
    carry = [Value(value.type) for value in step.body.inputs[: step.carry_count]]
    sums = [Value(TensorType((), F64)) for _ in step.reports]
    rest = [Value(value.type, name=value.name) for value in step.body.inputs[step.carry_count :]]
    results = inline(step.body, [*carry, *rest])
    reports = results[step.carry_count :]
    added = []
    for total, report in zip(sums, reports, strict=True):
        wide = primitives.cast(report, dtype=F64)
        weighted = primitives.multiply(wide, scalar_like(batch, wide))
        added.append(primitives.add(total, weighted))
    return Program.under([*results[: step.carry_count], *added], [*carry, *sums, *rest])
