"""A framework at work in a process of its own, as the race sees it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[1]
_SETTLING_SECONDS = (
    0.25  # until the threads of a library that spin for more work have gone to sleep
)


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
        disturbance: how many cores other processes had during the last run, on average.
    """

    def __init__(
        self, entrant: Entrant, task: str, threads: int, cache: Path | None = None
    ) -> None:
        """Start the process; ``cache`` is the folder of compiled code, for ClearProp alone."""
        self.entrant = entrant
        environment = os.environ | ({} if cache is None else {"CLEARPROP_CACHE": str(cache)})
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- close() closes it
        command = [
            entrant.python, "-m", "benchmarks.runner", entrant.side, entrant.mode, task,
            "--threads", str(threads),
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        self.last: dict[str, Any] = {}
        self.disturbance = 0.0
        try:
            self.told: dict[str, Any] = self._answer()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Side:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """End the process; whatever happened, it does not stay."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def run(self, count: int) -> float:
        """Seconds that so many epochs or predictions take."""
        time.sleep(_SETTLING_SECONDS)
        before, start = self._cpu_seconds_of_others(), time.perf_counter()
        self.last = self._ask(f"run {count}")
        taken = self._cpu_seconds_of_others() - before
        self.disturbance = max(0.0, taken) / (time.perf_counter() - start)
        return float(self.last["seconds"])

    def _cpu_seconds_of_others(self) -> float:
        """What all processes but this one have had of the cores so far, on Linux; else 0."""
        try:
            every = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
            own = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        user, nice, system, _idle, _waiting, *others = map(int, every)
        ticks = user + nice + system + sum(others) - int(own[11]) - int(own[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def peak(self) -> float:
        """Floating-point operations in a second of the multiply-add loop, in this process."""
        time.sleep(_SETTLING_SECONDS)
        return float(self._ask("peak"))

    def count_for(self, seconds: float) -> int:
        """How many epochs or predictions take about so long."""
        count, took = 1, self.run(1)
        while took < seconds / 2:  # a call may have a part that takes the same time for any count
            count = max(count + 1, min(16 * count, round(count * seconds / took)))
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
