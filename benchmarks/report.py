"""The tables of the race, on the screen and in RESULTS.md."""

from __future__ import annotations

import argparse
import datetime
import functools
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.process import ROOT
from benchmarks.workloads import INFERENCE, WORKLOADS

if TYPE_CHECKING:
    from benchmarks.race import Race, Result

QUIET_CORES = 0.1  # that others have: a round with more is run again
RESULTS = Path(__file__).parent / "RESULTS.md"
_PACKAGES = ("torch", "tensorflow-cpu", "keras", "jax", "scikit-learn", "onnxruntime")
Rows = list[list[str]]


def say_race(races: Sequence[Race]) -> list[str]:
    """Training, for the screen."""
    return [] if not races else aligned(*_race_table(races))


def say_inference(races: Sequence[Race]) -> list[str]:
    """Predictions, for the screen."""
    return [] if not races else ["", *aligned(*_inference_table(races))]


def _race_table(races: Sequence[Race]) -> tuple[list[str], Rows]:
    header = [
        "workload", "best opponent", "its samples/s", "ClearProp", "ratio", "(rounds)", "GFLOP/s",
        "peak", "share", "others' cores",
    ]  # fmt: skip
    rows = [
        [
            race.task,
            race.best.name,
            f"{race.best.rate:,.0f}",
            f"{race.ours.rate:,.0f}",
            f"{statistics.median(race.ratios):.2f}",
            f"{min(race.ratios):.2f}-{max(race.ratios):.2f}",
            f"{race.ours.rate * WORKLOADS[race.task].flops / 1e9:.1f}",
            f"{statistics.median(race.peaks) / 1e9:.0f}",
            f"{race.share:.0%}",
            f"{statistics.median(race.disturbances):.2f}",
        ]
        for race in races
    ]
    return header, rows


def _first_table(races: Sequence[Race]) -> tuple[list[str], Rows]:
    names = list(dict.fromkeys(result.name for race in races for result in race.first))
    rows = []
    for race in races:
        by_name = {result.name: result for result in race.first}
        rows.append([race.task, *(_rate_text(by_name.get(name)) for name in names)])
    return ["workload", *names], rows


def _rate_text(result: Result | None) -> str:
    if result is None:
        return ""
    return "failed" if result.error else f"{result.rate:,.0f}"


def _epoch_table(races: Sequence[Race]) -> tuple[list[str], Rows]:
    names = list(dict.fromkeys(result.name for race in races for result in race.first))
    rows = []
    for race in races:
        by_name = {result.name: result.told.get("first_seconds") for result in race.first}
        own = [race.ours.told[name] for name in ("cold_seconds", "first_seconds")]
        told = [*own, *(by_name.get(name) for name in names)]
        rows.append([race.task, *("" if one is None else f"{one:.2f}" for one in told)])
    return ["workload", "ClearProp", "its second start", *names], rows


def _memory_table(races: Sequence[Race]) -> tuple[list[str], Rows]:
    names = list(dict.fromkeys(result.name for race in races for result in race.first))
    rows = []
    for race in races:
        results = {result.name: result for result in race.first}
        cells = [_memory_text(race.ours), *(_memory_text(results.get(name)) for name in names)]
        rows.append([race.task, *cells])
    return ["workload", "ClearProp", *names], rows


def _memory_text(result: Result | None) -> str:
    if result is None or not result.memory:
        return ""
    now, most = (result.memory[name] / 1e6 for name in ("resident_bytes", "peak_bytes"))
    return f"{now:.0f} / {most:.0f}"


def _inference_table(races: Sequence[Race]) -> tuple[list[str], Rows]:
    header = ["net", "batch", "best opponent", "us a call", "ClearProp", "ratio", "(rounds)"]
    rows = []
    for race in races:
        batch = INFERENCE[race.task].batch
        theirs, ours = (1e6 * batch / result.rate for result in (race.best, race.ours))
        ratios = f"{min(race.ratios):.2f}-{max(race.ratios):.2f}"
        rows.append([
            INFERENCE[race.task].kind, str(batch), race.best.name, f"{theirs:,.1f}",
            f"{ours:,.1f}", f"{statistics.median(race.ratios):.2f}", ratios,
        ])  # fmt: skip
    return header, rows


def _install_table(options: argparse.Namespace) -> tuple[list[str], Rows]:
    ours = _sizes(sys.executable, ("clearprop",))["clearprop"] or 0
    sources = (ROOT / "src" / "clearprop").rglob("*")
    own = sum(path.stat().st_size for path in sources if path.is_file() and path.suffix != ".pyc")
    rows = [["clearprop", f"{(ours + own) / 1e6:,.0f}"]]
    sizes = _sizes(str(options.peers_python), _PACKAGES)
    rows += [[name, f"{size / 1e6:,.0f}"] for name, size in sizes.items() if size]
    return ["package, with all that it needs", "MB"], rows


def _import_seconds(races: Sequence[Race]) -> dict[str, list[float]]:
    """Seconds of importing, by version."""
    found: dict[str, list[float]] = {}
    for race in races:
        for result in (*race.first, race.ours):
            if result.told:
                version = result.told["version"]
                found.setdefault(version, []).append(result.told["import_seconds"])
    return found


@functools.cache
def _sizes(python: str, names: tuple[str, ...]) -> dict[str, int | None]:
    command = [python, "-m", "benchmarks.installed", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    sizes: dict[str, int | None] = json.loads(done.stdout) if done.returncode == 0 else {}
    return dict.fromkeys(names) | sizes


def write_results(
    options: argparse.Namespace, trained: Sequence[Race], predicted: Sequence[Race]
) -> None:
    """Write RESULTS.md anew."""
    RESULTS.write_text(results_text(options, trained, predicted))


def results_text(
    options: argparse.Namespace, trained: Sequence[Race], predicted: Sequence[Race]
) -> str:
    """What RESULTS.md says."""
    imports = _import_seconds([*trained, *predicted])
    rounds = "one short round" if options.quick else f"{options.rounds} rounds"
    parts = [
        "# Results of the race",
        "Written by `python -m benchmarks.race`; [README.md](README.md) says how it is measured.",
        f"{_machine()}, {options.threads} threads, Python {platform.python_version()}, "
        f"{datetime.datetime.now(datetime.UTC).date()}, {rounds}. " + ", ".join(sorted(imports)),
    ]
    busiest = max((max(race.disturbances) for race in [*trained, *predicted]), default=0.0)
    if busiest > QUIET_CORES:
        parts.append(
            f"**The machine was not quiet: other processes had up to {busiest:.1f} cores during "
            "the rounds. These figures are no result: frameworks whose threads wait for each "
            "other by spinning lose most, and may be the wrong opponents.**"
        )
    if trained:
        parts += [
            "## Training, steady state",
            "Ratio: the median of the rounds' ratios of samples in a second. Share: of the "
            "multiply-add peak measured around each turn, with the same threads. Others' "
            "cores: how many cores processes outside of the race had meanwhile.",
            markdown(*_race_table(trained)),
            "## The first round: samples in a second of every opponent",
            markdown(*_first_table(trained)),
            "## Seconds to the end of the first epoch, compilation included, imports not",
            markdown(*_epoch_table(trained)),
            "## Resident memory while training and at most, MB",
            markdown(*_memory_table(trained)),
        ]
    if predicted:
        parts += ["## Predictions", markdown(*_inference_table(predicted))]
    parts += [
        "## Importing",
        markdown(
            ["framework", "seconds, median"],
            [[name, f"{statistics.median(taken):.2f}"] for name, taken in sorted(imports.items())],
        ),
        "## Installed",
        markdown(*_install_table(options)),
    ]
    return "\n\n".join(parts) + "\n"


def _machine() -> str:
    name = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.processor()} ({name}), {os.cpu_count()} cores"


def aligned(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table in columns, numbers at the right."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = [all(_is_number(line[place]) for line in lines[1:]) for place in range(len(header))]
    return [
        "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    ]


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The same as a Markdown table."""
    right = [all(_is_number(row[place]) for row in rows) for place in range(len(header))]
    marks = ["---:" if is_right else "---" for is_right in right]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, marks, *rows))


def _is_number(cell: Any) -> bool:
    return all(letter in "0123456789.,%-/ " for letter in cell)
