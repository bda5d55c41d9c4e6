"""``evaluate`` and ``predict``: scans over batches in inference mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from clearprop.ir.value import Array
from clearprop.layers.weight import Weight
from clearprop.ops.random import words
from clearprop.train.chunks import ChunkRunner
from clearprop.train.preparing import check_batches, runner_for
from clearprop.train.progress import StepsDone
from clearprop.train.samples import Samples
from clearprop.train.setup import Setup
from clearprop.train.state import add_reports
from clearprop.train.step import evaluation_step, prediction_step

if TYPE_CHECKING:
    from clearprop.train.model import Model


def evaluate_samples(
    model: Model, samples: Samples, setup: Setup, batch_size: int, bar: StepsDone
) -> dict[str, Any]:
    """Means of the losses over the samples, and the metrics."""
    states, metrics = model.states_inside, setup.first_metric_state()
    check_batches(model, "evaluate", samples.count, batch_size)
    given = [*(weight.array for weight in model.weights), words(0), *samples.arrays]
    sums: dict[str, float] = {}

    def step(size: int) -> ChunkRunner:
        return runner_for(
            model,
            "evaluate",
            samples,
            size,
            lambda: evaluation_step(model, setup, samples, size),
        )

    carry = [*(state.array for state in states), *metrics.values()]
    for runner, rows in _chunks(samples.count, batch_size, step, bar):
        carry, reports = runner.run(carry, rows, given)
        add_reports(sums, runner.step.reports, reports, rows.shape[1])
    measured = dict(zip(metrics, _hold(states, carry), strict=True))
    return setup.results(sums, samples.count, measured)


def predict_samples(model: Model, samples: Samples, batch_size: int, bar: StepsDone) -> list[Array]:
    """The outputs for all samples, one array for each output.

    Shapes:
        (samples, *shape of the output for one sample) each.
    """
    given = [*(weight.array for weight in model.weights), words(0), *samples.arrays]
    parts: list[list[Array]] = []
    states = model.states_inside
    check_batches(model, "predict", samples.count, batch_size)

    def step(size: int) -> ChunkRunner:
        return runner_for(
            model, "predict", samples, size, lambda: prediction_step(model, samples, size)
        )

    carry = [state.array for state in states]
    for runner, rows in _chunks(samples.count, batch_size, step, bar):
        carry, reports = runner.run(carry, rows, given)
        parts.append([report.reshape(-1, *report.shape[2:]) for report in reports])
    _hold(states, carry)
    return [np.concatenate(output) for output in zip(*parts, strict=True)]


def _hold(states: Sequence[Weight], carry: Sequence[Array]) -> Sequence[Array]:
    """Let stateful layers remember what the last batch left; the rest of what was carried."""
    for state, array in zip(states, carry, strict=False):
        state.hold(array)
    return carry[len(states) :]


def _chunks(
    count: int, batch_size: int, step: Callable[[int], ChunkRunner], bar: StepsDone
) -> Iterator[tuple[ChunkRunner, Array]]:
    """The rows of all samples in order, chunk by chunk, with the runner for each."""
    batch_size = min(batch_size, count)
    full, rest = divmod(count, batch_size)
    done = 0
    while done < full:
        runner = step(batch_size)
        length = runner.next_length(full - done)
        first = done * batch_size
        rows = np.arange(first, first + length * batch_size).reshape(length, batch_size)
        yield runner, rows
        done += length
        bar(done, full + bool(rest))
    if rest:
        yield step(rest), np.arange(count - rest, count).reshape(1, rest)
