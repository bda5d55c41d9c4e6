"""Every primitive beside NumPy, which is its definition.

    python -m benchmarks.primitives
    python -m benchmarks.primitives sort gather --sizes 100 1000000

``call`` is a call from Python, on one thread and on all cores, as users have it; ``inside`` is
what the primitive costs as a part of a larger Program: the time of one round of a loop of many, on
one thread.  All results are made anew; those of a loop's rounds lie one after the other, where
each of NumPy's lies where the one before has lain.  NumPy has one thread: for these it uses no
more.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

for _name in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402

from benchmarks.cases import Case, arrays_of, cases, program_of  # noqa: E402
from benchmarks.report import aligned  # noqa: E402
from clearprop.dtypes import U8  # noqa: E402
from clearprop.executors.native.executor import Compiled  # noqa: E402
from clearprop.executors.native.llvm.machine import available_cores, this_machine  # noqa: E402
from clearprop.ir.primitive import REGISTRY  # noqa: E402
from clearprop.ir.program import Program  # noqa: E402
from clearprop.ir.types import TensorType  # noqa: E402
from clearprop.ir.value import Value  # noqa: E402

_SECONDS = 0.1
_MOST_ROUNDS, _ELEMENTS = 1024, 1 << 17  # of the loop, and of its results together
_IN_A_ROW = 6  # looks at the clock in one turn: in the first ones the caches hold others' numbers
_MANY = 16  # calls that one look at the clock is for, where they are short


class Times(NamedTuple):
    """Seconds of one case: inside of a loop, called from Python, on all cores, by NumPy."""

    inside: float
    call: float
    cores: float
    numpy: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table; with slower ones marked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="*", help="primitives; all unless given")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000_000])
    options = parser.parse_args(arguments)
    unknown = set(options.name) - set(REGISTRY)
    if unknown:
        parser.error(f"no such primitive: {', '.join(sorted(unknown))}")
    for size in options.sizes:
        rows: list[list[str]] = []
        slower: dict[str, list[str]] = {"inside": [], "call": [], "cores": []}
        for case in cases(size):
            if options.name and case.name not in options.name:
                continue
            times = measured(case)
            rows.append(_row(case.name, times))
            for way, names in slower.items():
                if getattr(times, way) > times.numpy:
                    names.append(case.name)
        print(f"\nabout {size:,} elements, times in us")
        header = ("primitive", "inside", "call", f"{available_cores()} cores", "NumPy",
                  "NumPy / inside", "/ call", "/ cores")  # fmt: skip
        print("\n".join(aligned(header, rows)))
        for way, names in slower.items():
            print(f"{way} slower than NumPy: {', '.join(names) or 'none'}")


def _row(name: str, times: Times) -> list[str]:
    return [
        name,
        *(f"{1e6 * seconds:,.2f}" for seconds in times),
        *(f"{times.numpy / seconds:.2f}" for seconds in times[:-1]),
    ]


def measured(case: Case, seconds: float = _SECONDS) -> Times:
    """How long the case takes.

    Args:
        case: primitive and inputs.
        seconds: for each of the four.
    """
    program, arrays = program_of(case), arrays_of(case)
    compiled = Compiled(program, this_machine(), threads=1)
    together = Compiled(program, this_machine(), threads=available_cores())
    size = sum(value.type.size for value in program.outputs)
    rounds = max(2, min(_MOST_ROUNDS, _ELEMENTS // max(size, 1)))
    row = Value(TensorType((), U8))  # of which nothing is read
    body = Program([row, *program.inputs], program.equations, program.outputs)
    loop = Compiled(body, this_machine(), (0, 1), threads=1)
    rows = [np.zeros(rounds, np.uint8), *arrays]
    runs = [lambda: loop(rows), lambda: compiled(arrays), lambda: together(arrays), by_numpy(case)]
    inside, *others = best_seconds(runs, seconds)
    return Times(inside / rounds, *others)


def by_numpy(case: Case) -> Callable[[], object]:
    """The definition, called; where it gives a view of something else, that is copied."""
    meaning, arrays, params = REGISTRY[case.name].meaning, arrays_of(case), case.params
    result = meaning(*arrays, **params)
    one = result[0] if isinstance(result, tuple) else result
    is_view = any(np.may_share_memory(one, array) for array in arrays)
    if is_view or not one.flags.c_contiguous or 0 in one.strides:
        return lambda: np.array(meaning(*arrays, **params), order="C")
    return lambda: meaning(*arrays, **params)


def best_seconds(runs: Sequence[Callable[[], object]], seconds: float) -> list[float]:
    """The shortest time of many of each, by turns: a machine that gets slower meets all.

    Args:
        runs: what is timed.
        seconds: for each.
    """
    often = [_often(run, seconds) for run in runs]
    best = [float("inf")] * len(runs)
    end = time.perf_counter() + seconds * len(runs)
    while time.perf_counter() < end or best[-1] == float("inf"):
        for number, (run, count) in enumerate(zip(runs, often, strict=True)):
            for _ in range(_IN_A_ROW):
                start = time.perf_counter()
                for _ in range(count):
                    run()
                best[number] = min(best[number], (time.perf_counter() - start) / count)
    return best


def _often(run: Callable[[], object], seconds: float) -> int:
    """How many calls one look at the clock is for."""
    run()
    start = time.perf_counter()
    run()
    return _MANY if time.perf_counter() - start < seconds / _MANY / 4 else 1


if __name__ == "__main__":
    main()
