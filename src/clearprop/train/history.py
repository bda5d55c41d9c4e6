"""What happened during training, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clearprop import text


class History:
    """The numbers of each epoch.

    Attributes:
        history: for each name ("loss", "accuracy", "val_loss", ...) the value of each epoch.
        epoch: the numbers of the epochs.
        rows: for each name which of the epochs its values are of; validation may be of some only.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []
        self.rows: dict[str, list[int]] = {}

    def add(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Append the numbers of one epoch."""
        self.epoch.append(epoch)
        self.add_late(logs)

    def extend(self, epochs: Sequence[int], logs: Sequence[Mapping[str, float]]) -> None:
        """Append the numbers of several epochs, which all have the same names."""
        first = len(self.epoch)
        self.epoch.extend(epochs)
        rows = range(first, len(self.epoch))
        for name in logs[0]:
            self.history.setdefault(name, []).extend([each[name] for each in logs])
            self.rows.setdefault(name, []).extend(rows)

    def add_late(self, logs: Mapping[str, float]) -> None:
        """Add to the newest epoch what callbacks had to tell of it."""
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
            self.rows.setdefault(name, []).append(len(self.epoch) - 1)

    def __str__(self) -> str:
        names = list(self.history)
        cells = {
            name: dict(zip(self.rows[name], map(_cell, values), strict=True))
            for name, values in self.history.items()
        }
        rows = [
            [str(epoch + 1), *(cells[name].get(row, "") for name in names)]
            for row, epoch in enumerate(self.epoch)
        ]
        return text.table(rows, header=["epoch", *names], right="r" * (len(names) + 1))


def _cell(value: Any) -> str:
    return text.number_text(value) if isinstance(value, (int, float)) else str(value)
