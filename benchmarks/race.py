"""ClearProp beside the others: whole training, and predictions, in one run.

    python -m benchmarks.race --peers-python peers/bin/python
    python -m benchmarks.race lenet lstm --rounds 9 --threads 2

Each framework works in a process of its own.  A first round finds the best opponent of each
workload; then come the rounds: the opponent, the multiply-add peak, ClearProp, the peak.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from benchmarks.process import Entrant, Side, SideError
from benchmarks.report import QUIET_CORES, say_inference, say_race, write_results
from benchmarks.workloads import INFERENCE, WORKLOADS

_TURN_SECONDS, _QUICK_SECONDS = 1.0, 0.2
_TOLERANCE = 1e-4  # of logits, between frameworks
OPPONENTS = (
    ("torch_side", "eager", "PyTorch"),
    ("torch_side", "compile", "torch.compile"),
    ("keras_side", "tensorflow", "Keras/TF"),
    ("keras_side", "tensorflow-steps", "Keras/TF, 16 steps"),
    ("keras_side", "tensorflow-xla", "Keras/TF, XLA"),
    ("keras_side", "jax", "Keras/JAX"),
    ("jax_side", "scan", "JAX scan"),
    ("sklearn_side", "fit", "scikit-learn"),
)
_HOPELESS = {  # an epoch takes half a minute or more, or compiling takes minutes
    ("jax_side", "lenet"),
    ("tensorflow-steps", "resnet20"),
    ("jax_side", "resnet20"),
    ("tensorflow-xla", "resnet20"),
}


@dataclass
class Result:
    """What was measured of one entrant at one task.

    Attributes:
        name: of the entrant.
        told: what its process told of the first run.
        rates: samples in a second, one for each round.
        memory: what its process told at the end.
        error: why there is nothing.
    """

    name: str
    told: dict[str, Any] = field(default_factory=dict)
    rates: list[float] = field(default_factory=list)
    memory: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def rate(self) -> float:
        """The median."""
        return statistics.median(self.rates) if self.rates else 0.0


@dataclass
class Race:
    """One task: all entrants of the first round, and the rounds of the best one and ClearProp.

    Attributes:
        task: its name.
        first: the first round.
        best: the opponent in the rounds.
        ours: ClearProp in the rounds.
        peaks: of multiply-adds, around each of ClearProp's turns; in flop/s.
        disturbances: how many cores other processes had in each round, on average.
    """

    task: str
    first: list[Result]
    best: Result
    ours: Result
    peaks: list[float]
    disturbances: list[float]

    @property
    def ratios(self) -> list[float]:
        """ClearProp's rate by the opponent's, round by round."""
        pairs = zip(self.ours.rates, self.best.rates, strict=True)
        return [ours / theirs for ours, theirs in pairs]

    @property
    def share(self) -> float:
        """ClearProp's share of the peak: the median of the rounds."""
        flops = WORKLOADS[self.task].flops
        pairs = zip(self.ours.rates, self.peaks, strict=True)
        return statistics.median(rate * flops / peak for rate, peak in pairs)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what was asked for, print it, and write it down."""
    options = _options(arguments)
    tasks = options.task or [*WORKLOADS, *INFERENCE]
    races: list[Race] = []
    for task in tasks:
        try:
            race = run(task, options)
        except SideError as error:
            print(f"{task}: {error}", file=sys.stderr)
            continue
        races.append(race)
        print(f"{task}: {statistics.median(race.ratios):.2f} x {race.best.name}", file=sys.stderr)
        if not options.no_file:  # after each: who stops the race keeps what it had
            write_results(options, *_parted(races))
    trained, predicted = _parted(races)
    for line in (*say_race(trained), *say_inference(predicted)):
        print(line)


def _parted(races: Sequence[Race]) -> tuple[list[Race], list[Race]]:
    """Trainings, and predictions."""
    trained = [race for race in races if race.task in WORKLOADS]
    return trained, [race for race in races if race.task in INFERENCE]


def run(task: str, options: argparse.Namespace) -> Race:
    """One task from the first round to the last.

    Raises:
        SideError: ClearProp or every opponent failed.
    """
    seconds = _QUICK_SECONDS if options.quick else _TURN_SECONDS
    rounds = 1 if options.quick else options.rounds
    opponents = _opponents(task, options)
    first = [_alone(entrant, task, options, seconds) for entrant in opponents]
    fastest = max(range(len(first)), key=lambda place: first[place].rate)
    if not first[fastest].rates:
        raise SideError("; ".join(result.error for result in first))
    ours_name = Entrant("clearprop_side", "native", "ClearProp", sys.executable)
    best, ours = Result(first[fastest].name), Result("ClearProp")
    peaks: list[float] = []
    disturbances: list[float] = []
    with (
        TemporaryDirectory() as folder,
        _started_twice(ours_name, task, options.threads, Path(folder), ours, seconds) as own,
        Side(opponents[fastest], task, options.threads) as other,
    ):
        _check_outputs(task, own, other)
        counts = own.count_for(seconds), other.count_for(seconds)
        size = _samples(task)
        patience = 1 if options.quick else options.patience
        for _ in range(rounds):
            turns = [_round(own, other, counts, size)]
            while turns[-1].disturbance > QUIET_CORES and len(turns) < patience:
                turns.append(_round(own, other, counts, size))
            turn = min(turns, key=lambda one: one.disturbance)
            best.rates.append(turn.theirs)
            ours.rates.append(turn.ours)
            peaks.append(turn.peak)
            disturbances.append(turn.disturbance)
        for result, side in ((best, other), (ours, own)):
            result.told, result.memory = result.told | side.told, side.last
    return Race(task, first, best, ours, peaks, disturbances)


def _started_twice(
    entrant: Entrant, task: str, threads: int, cache: Path, result: Result, seconds: float
) -> Side:
    """ClearProp for the second time: the first one leaves all code behind that this one needs."""
    with Side(entrant, task, threads, cache) as first:
        result.told["cold_seconds"] = first.told["first_seconds"]
        first.peak()
        first.run(first.count_for(seconds))
    return Side(entrant, task, threads, cache)


class _Turn(NamedTuple):
    """One round: samples in a second, flop/s, and how many cores others had meanwhile."""

    theirs: float
    ours: float
    peak: float
    disturbance: float


def _round(own: Side, other: Side, counts: tuple[int, int], size: int) -> _Turn:
    theirs = size * counts[1] / other.run(counts[1])
    before = own.peak()
    ours = size * counts[0] / own.run(counts[0])
    peak = (before + own.peak()) / 2
    return _Turn(theirs, ours, peak, max(own.disturbance, other.disturbance))


def _alone(entrant: Entrant, task: str, options: argparse.Namespace, seconds: float) -> Result:
    """An entrant in the first round."""
    result = Result(entrant.name)
    print(f"{task}: {entrant.name}", file=sys.stderr)
    patience = 1 if options.quick else options.patience
    try:
        with Side(entrant, task, options.threads) as side:
            count = side.count_for(seconds)
            took = float(side.last["seconds"]) if count == 1 else side.run(count)
            attempts = [(side.disturbance, took)]
            while attempts[-1][0] > QUIET_CORES and len(attempts) < patience:
                took = side.run(count)
                attempts.append((side.disturbance, took))
            result.rates = [_samples(task) * count / min(attempts)[1]]
            result.told, result.memory = side.told, side.last
    except SideError as error:
        result.error = str(error)
    return result


def _samples(task: str) -> int:
    """Samples of an epoch, or of one prediction."""
    return WORKLOADS[task].samples if task in WORKLOADS else INFERENCE[task].batch


def _opponents(task: str, options: argparse.Namespace) -> list[Entrant]:
    python = str(options.peers_python)
    if task in INFERENCE:
        modes = ("all threads", "one thread")
        return [Entrant("onnx_side", mode, f"onnxruntime, {mode}", python) for mode in modes]
    is_mlp = WORKLOADS[task].kind == "mlp"
    return [
        Entrant(side, mode, name, python)
        for side, mode, name in OPPONENTS
        if (is_mlp or side != "sklearn_side")
        and not {(side, task), (mode, task)} & _HOPELESS
        and (not options.only or name in options.only)
    ]


def _check_outputs(task: str, own: Side, other: Side) -> None:
    """Make sure that both predict the same."""
    if task not in INFERENCE:
        return
    pairs = zip(own.told["outputs"], other.told["outputs"], strict=True)
    worst = max(abs(ours - theirs) for ours, theirs in pairs)
    if worst > _TOLERANCE:
        raise SideError(f"the outputs differ by {worst:.2g}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", nargs="*", metavar="workload", help=", ".join(_names()))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--patience", type=int, default=4, metavar="N",
        help="run a round that other processes disturb up to N times, and keep the quietest",
    )  # fmt: skip
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--peers-python", type=Path, default=Path(sys.executable), metavar="PATH",
        help="the interpreter of the environment with the other frameworks",
    )  # fmt: skip
    parser.add_argument(
        "--only", action="append", metavar="OPPONENT",
        help="leave the others out: " + ", ".join(name for _, _, name in OPPONENTS),
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="one short round, for a first look")
    parser.add_argument("--no-file", action="store_true", help="leave RESULTS.md as it is")
    options = parser.parse_args(arguments)
    unknown = [task for task in options.task if task not in _names()]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(_names())}")
    if options.rounds < 1 or options.threads < 1:
        parser.error("--rounds and --threads are at least 1")
    options.peers_python = options.peers_python.absolute()  # not resolved: it would leave its venv
    return options


def _names() -> list[str]:
    return [*WORKLOADS, *INFERENCE]


if __name__ == "__main__":
    main()
