"""When numbers are no numbers any more: which step, which layer, which operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from clearprop.errors import NumericsError
from clearprop.ir.meaning import first_nonfinite
from clearprop.ir.value import Array
from clearprop.train.chunks import ChunkRunner


class GoodSteps(NamedTuple):
    """The steps of a chunk before the first that gave what is no number.

    Attributes:
        carry: after them.
        reports: of them.
        error: names the layer, the operation and the user's line of the step after them.
    """

    carry: list[Array]
    reports: list[Array]
    error: NumericsError


def is_finite(losses: Sequence[Array], before: Sequence[Array], after: Sequence[Array]) -> bool:
    """Whether all losses are numbers, and all weights still are that were before.

    Weights may be lost in a step whose own loss is a number: its gradient was none.
    """
    return all(np.isfinite(loss).all() for loss in losses) and all(
        np.isfinite(new).all() or not np.isfinite(old).all()
        for old, new in zip(before, after, strict=True)
    )


def good_steps(
    name: str,
    runner: ChunkRunner,
    carry: Sequence[Array],
    rows: Array,
    given: Sequence[Array],
    weight_count: int,
) -> GoodSteps:
    """A chunk that went wrong, step by step up to the step that did.

    That one is computed equation by equation, to name the first whose result is no number.

    Args:
        name: of the model.
        runner, carry, rows, given: what gave the chunk.
        weight_count: how many values of the carry are weights.

    Shapes:
        rows: (steps, batch).  Reports: (good steps, ...) each.
    """
    now: list[Array] = list(carry)
    told: list[list[Array]] = []
    for step in range(len(rows)):
        after, reports = runner.run(now, rows[step : step + 1], given)
        if not is_finite(reports[:1], now[:weight_count], after[:weight_count]):
            error = _error(name, runner, [*now, rows[step], *given], reports[0][0])
            return GoodSteps(now, [np.concatenate(r) for r in zip(*told, strict=True)], error)
        now = after
        told.append(reports)
    raise AssertionError("the steps of a chunk do what the chunk does")


def _error(name: str, runner: ChunkRunner, arrays: Sequence[Array], loss: Array) -> NumericsError:
    found = first_nonfinite(runner.step.body, arrays)
    what = "weights that are NaN or infinite"
    if not np.isfinite(loss):
        what = f"a loss that is {'NaN' if np.isnan(loss) else 'infinite'}"
    told = "the loss itself"
    if found is not None:
        layer = found.equation.place.layer
        told = f"the first such number comes out of `{found.equation.primitive.name}`"
        told += f" in layer {layer}" if layer else ""
    return NumericsError(
        f'fit: a step of training "{name}" gave {what}',
        found=told,
        needed="finite numbers",
        try_="a smaller learning rate, clipnorm=1.0 in the optimizer, scaled inputs, or a loss "
        "computed from logits; the model keeps the weights from before this step",
        at="" if found is None else str(found.equation.place),
    )
