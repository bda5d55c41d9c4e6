"""What happened during training, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping

from clearprop import text


class History:
    """The numbers of each epoch.

    Attributes:
        history: for each name ("loss", "accuracy", "val_loss", ...) the value of each epoch.
        epoch: the numbers of the epochs.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def add(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Append the numbers of one epoch."""
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)

    def add_late(self, logs: Mapping[str, float]) -> None:
        """Add to the newest epoch what callbacks had to tell of it."""
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)

    def __str__(self) -> str:
        names = list(self.history)
        rows = [
            [str(epoch + 1), *(self._cell(name, row) for name in names)]
            for row, epoch in enumerate(self.epoch)
        ]
        return text.table(rows, header=["epoch", *names], right="r" * (len(names) + 1))

    def _cell(self, name: str, row: int) -> str:
        values = self.history[name]
        missing = len(self.epoch) - len(values)  # a name that came up later has fewer values
        return text.number_text(values[row - missing]) if row >= missing else ""
