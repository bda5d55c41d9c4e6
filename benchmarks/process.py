"""A framework at work in a process of its own, as the race sees it."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[1]
_SETTLING_SECONDS = 0.25  # until the threads of a library that spin for more work have gone to sleep


@dataclass(frozen=True)
class Entrant:
    """Who takes part.

    Attributes:
        side: a module of this package.
        mode: one of its modes.
        name: for people.
        python: the interpreter of its environment.
    """

    side: str
    mode: str
    name: str
    python: str


class SideError(RuntimeError):
    """A framework's process ended early; the message is the end of what it wrote."""


class Side:
    """The process of an entrant, with a task that it has built and run once.

    Attributes:
        told: what the process told of its first run: seconds, versions.
        last: what it told of its last run: seconds, bytes of memory.
    """

    def __init__(self, entrant: Entrant, task: str, threads: int) -> None:
        self.entrant = entrant
        self._errors = tempfile.TemporaryFile("w+")
        command = [
            entrant.python, "-m", "benchmarks.runner", entrant.side, entrant.mode, task,
            "--threads", str(threads),
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            cwd=ROOT,
        )  # fmt: skip
        self.told: dict[str, Any] = self._answer()
        self.last: dict[str, Any] = {}

    def __enter__(self) -> Side:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process; whatever happened, it does not stay."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def run(self, count: int) -> float:
        """Seconds that so many epochs or predictions take."""
        time.sleep(_SETTLING_SECONDS)
        self.last = self._ask(f"run {count}")
        return float(self.last["seconds"])

    def peak(self) -> float:
        """Floating-point operations in a second of the multiply-add loop, in this process."""
        time.sleep(_SETTLING_SECONDS)
        return float(self._ask("peak"))

    def count_for(self, seconds: float) -> int:
        """How many epochs or predictions take about so long."""
        count, took = 1, self.run(1)
        while took < seconds / 8:
            count *= 4
            took = self.run(count)
        return max(1, round(count * seconds / took))

    def _ask(self, line: str) -> Any:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise SideError(self._last_words()) from None
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise SideError(self._last_words())
        return json.loads(line)

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()
        return f"{self.entrant.name}: {lines[-1] if lines else 'it ended without a word'}"
