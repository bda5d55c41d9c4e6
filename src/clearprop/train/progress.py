"""What people see while a model trains: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

from clearprop import text
from clearprop.errors import ArgumentError
from clearprop.ir.place import here

Logs = Mapping[str, Any]
StepsDone = Callable[[int, int], None]  # told the steps done and the steps in all


class Progress:
    """A display that shows nothing; the others override what they show."""

    def __enter__(self) -> Self:
        """Open the display."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""

    def epoch_begins(self, epoch: int) -> None:
        """An epoch, counted from 0, begins."""

    def steps_done(self, done: int, total: int, logs: Callable[[], Logs]) -> None:
        """So many steps of the epoch are done; ``logs`` tells the numbers so far."""

    def epoch_ends(self, epoch: int, logs: Logs) -> None:
        """An epoch ended with these numbers."""

    def epochs_passed(self, epochs: Sequence[int], logs: Sequence[Logs]) -> None:
        """Several epochs were run in one call."""


class Lines(Progress):
    """One plain line for each epoch."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._start = 0.0

    def epoch_begins(self, epoch: int) -> None:
        """Start the clock."""
        self._start = time.perf_counter()

    def epoch_ends(self, epoch: int, logs: Logs) -> None:
        """Write the line."""
        seconds = time.perf_counter() - self._start
        sys.stdout.write(f"{self._line(epoch, logs)}  {seconds:.2f} s\n")
        sys.stdout.flush()

    def epochs_passed(self, epochs: Sequence[int], logs: Sequence[Logs]) -> None:
        """Write their lines; how long a single one of them took is not known."""
        lines = zip(epochs, logs, strict=True)
        sys.stdout.write("".join(f"{self._line(*each)}\n" for each in lines))
        sys.stdout.flush()

    def _line(self, epoch: int, logs: Logs) -> str:
        width = len(str(self._epochs))
        return f"epoch {epoch + 1:>{width}}/{self._epochs}  {logs_text(logs)}"


class Bar(Progress):
    """A bar over all epochs, with the newest numbers behind it."""

    def __init__(self, epochs: int, first_epoch: int) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._epochs, self._first, self._epoch = epochs, first_epoch, first_epoch
        self._numbers = ""
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(bar_width=24, complete_style="blue", finished_style="blue"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            TextColumn("{task.fields[numbers]}"),
        )
        self._task = self._bar.add_task(
            "",
            total=epochs - first_epoch,
            epoch=first_epoch,
            epochs=epochs,
            numbers="compiling the training step",  # until there are numbers
        )

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last state on the screen."""
        self._bar.stop()

    def epoch_begins(self, epoch: int) -> None:
        """Show which epoch it is."""
        self._epoch = epoch

    def steps_done(self, done: int, total: int, logs: Callable[[], Logs]) -> None:
        """Move the bar by the steps that were done."""
        completed = self._epoch - self._first + done / max(total, 1)
        self._update(completed, self._numbers or logs_text(logs()))

    def epoch_ends(self, epoch: int, logs: Logs) -> None:
        """Show the numbers of the epoch."""
        self._numbers = logs_text(logs)
        self._update(epoch - self._first + 1, self._numbers)

    def epochs_passed(self, epochs: Sequence[int], logs: Sequence[Logs]) -> None:
        """Show the numbers of the last one."""
        self._epoch = epochs[-1]
        self.epoch_ends(epochs[-1], logs[-1])

    def _update(self, completed: float, numbers: str) -> None:
        self._bar.update(self._task, completed=completed, epoch=self._epoch + 1, numbers=numbers)


def progress_for(verbose: Any, epochs: int, first_epoch: int = 0) -> Progress:
    """The display that ``verbose`` asks for.

    Args:
        verbose: 0 nothing, 1 a live bar, 2 a line for each epoch; "auto" is 1 on a terminal
            and 2 elsewhere.  Where nothing can move, in a pipe or a file, 1 is 2 as well.
        epochs: number of the last epoch.
        first_epoch: number of the first epoch, from 0.
    """
    if verbose == "auto":
        verbose = 1 if sys.stdout.isatty() else 2
    if verbose not in {0, 1, 2}:
        raise ArgumentError(
            "fit: how much to show",
            found=f"verbose={verbose!r}",
            needed='0 nothing, 1 a live bar, 2 a line for each epoch, or "auto"',
            at=str(here()),
        )
    if verbose == 1 and not _shows_bars():
        verbose = 2
    if verbose == 1:
        return Bar(epochs, first_epoch)
    return Lines(epochs) if verbose == 2 else Progress()


def _shows_bars() -> bool:
    """Whether what is written can move: on a terminal, and in a notebook."""
    from rich.console import Console

    console = Console()
    return console.is_terminal or console.is_jupyter


def nothing_shown(done: int, total: int) -> None:
    """Shows nothing."""


@contextmanager
def steps_bar(title: str, verbose: Any) -> Generator[StepsDone]:
    """What shows how many steps are done: a bar on a terminal if ``verbose`` asks for one.

    Args:
        title: what is being done.
        verbose: 1 a live bar, "auto" the same on a terminal, 0 or 2 nothing.
    """
    kind = progress_for(verbose, 1)
    if not isinstance(kind, Bar):
        yield nothing_shown
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn(title), BarColumn(24, complete_style="blue"), MofNCompleteColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def logs_text(logs: Logs) -> str:
    """``loss 0.1234  accuracy 0.98``: the single numbers."""
    return "  ".join(
        f"{name} {text.number_text(value)}"
        for name, value in logs.items()
        if isinstance(value, (int, float))
    )
