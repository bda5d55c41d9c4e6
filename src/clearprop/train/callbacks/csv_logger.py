"""A table of the epochs in a file."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.errors import ArgumentError, MissingFileError
from clearprop.ir.place import here
from clearprop.train.callback import Callback


class CSVLogger(Callback):
    """Writes a line with the numbers of each epoch into a CSV file.

    The columns are ``epoch`` (from 0) and the names of the first epoch in alphabetical order; if
    that had no validation, its columns stand there too, for later epochs that have.

    Args:
        filename: the file; each line is in it as soon as its epoch is over.
        separator: what stands between the numbers.
        append: whether lines are added to a file that is there, or it is written anew.

    Example:
        >>> import clearprop as cp
        >>> log = cp.callbacks.CSVLogger("training.csv")
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        if not isinstance(separator, str) or len(separator) != 1:
            raise ArgumentError(
                "CSVLogger: what stands between the numbers is one character",
                found=f"separator={separator!r}",
                needed='"," or ";" or "\\t"',
                at=str(here()),
            )
        self.filename, self.separator, self.append = Path(filename), separator, append
        self._columns: list[str] | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin a new file, or read which columns the old one has."""
        if not self.filename.absolute().parent.is_dir():
            raise MissingFileError(
                "CSVLogger: the folder of its file is not there",
                found=f"no folder {self.filename.absolute().parent}",
                needed="a folder that exists",
                at=str(here()),
            )
        self._columns = None
        if self.append and self.filename.exists():
            with self.filename.open(newline="", encoding="utf-8") as file:
                self._columns = next(csv.reader(file, delimiter=self.separator), None)
        else:
            self.filename.write_text("", encoding="utf-8")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the line of the epoch."""
        logs = logs or {}
        lines: list[list[Any]] = []
        if self._columns is None:
            names = sorted(logs)
            if not any(name.startswith("val_") for name in names):
                names += [f"val_{name}" for name in names]
            self._columns = ["epoch", *names]
            lines.append(self._columns)
        self._check_columns(logs)
        row = {"epoch": epoch, **logs}
        lines.append([_cell(row.get(name, "NA")) for name in self._columns])
        with self.filename.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=self.separator).writerows(lines)

    def _check_columns(self, logs: dict[str, Any]) -> None:
        assert self._columns is not None
        unknown = [name for name in logs if name not in self._columns]
        if unknown:
            raise ArgumentError(
                f"CSVLogger: {self.filename} has no column for {', '.join(unknown)}",
                found="the columns " + ", ".join(self._columns),
                needed="the columns epoch, " + ", ".join(sorted(logs)),
                try_="another file, or append=False",
                at=str(here()),
            )


def _cell(value: Any) -> Any:
    """A number as it is, several numbers as ``[1, 2]``."""
    if np.ndim(value) == 0:
        return value.item() if isinstance(value, (np.ndarray, np.generic)) else value
    return "[" + ", ".join(str(part) for part in np.asarray(value).tolist()) + "]"
