"""How far a model's training has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from clearprop.ir.value import Array


@dataclass
class TrainingState:
    """How far a model's training has come; saved with the model, so that it can go on.

    Attributes:
        epochs: finished epochs of all ``fit`` calls together.
        steps: steps of all epochs together, the counter of the random numbers.
        step_in_epoch: steps done of an epoch that was stopped before its end.
        sums: of that epoch, each report times its samples.
        metrics: of that epoch, the state of the metrics.
        data: of that epoch, the hash of the samples.
    """

    epochs: int = 0
    steps: int = 0
    step_in_epoch: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, Array] = field(default_factory=dict)
    data: str = ""

    def finish_epoch(self) -> None:
        """Count an epoch and forget what was kept of it."""
        self.epochs += 1
        self.step_in_epoch = 0
        self.sums, self.metrics, self.data = {}, {}, ""


def add_reports(
    sums: dict[str, float], names: Sequence[str], reports: Sequence[Array], batch_size: int
) -> None:
    """Add what steps of ``batch_size`` samples reported to the sums over samples.

    They are added one by one, so that the sums do not depend on where chunks end.
    """
    for name, values in zip(names, reports, strict=True):
        total = sums.get(name, 0.0)
        for value in np.ravel(values).tolist():
            total += value * batch_size
        sums[name] = total
