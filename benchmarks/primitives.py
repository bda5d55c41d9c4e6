"""Every primitive beside NumPy, which is its definition.

    python -m benchmarks.primitives
    python -m benchmarks.primitives sort gather --sizes 100 1000000

``call`` is a call from Python, results made anew; ``code`` is the machine code alone, which is
what a primitive costs inside a larger Program.  Machine code and NumPy each have one thread.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

for _name in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"

from benchmarks.cases import Case, arrays_of, cases, program_of  # noqa: E402
from benchmarks.report import aligned  # noqa: E402
from clearprop.executors.native.executor import Compiled  # noqa: E402
from clearprop.executors.native.machine import this_machine  # noqa: E402
from clearprop.ir.primitive import REGISTRY  # noqa: E402

_SECONDS = 0.02
_MANY = 16  # calls that one look at the clock is for, where they are short


class Times(NamedTuple):
    """Seconds of one case: the machine code, a call of it, NumPy."""

    code: float
    call: float
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
        rows, slower = [], []
        for case in cases(size):
            if options.name and case.name not in options.name:
                continue
            times = measured(case)
            rows.append(_row(case.name, times))
            if times.call > times.numpy:
                slower.append(case.name)
        print(f"\nabout {size:,} elements, times in us")
        header = ("primitive", "code", "call", "NumPy", "NumPy / code", "NumPy / call", "")
        print("\n".join(aligned(header, rows)))
        print(f"calls slower than NumPy: {', '.join(slower) or 'none'}")


def _row(name: str, times: Times) -> list[str]:
    return [
        name,
        *(f"{1e6 * seconds:,.2f}" for seconds in times),
        f"{times.numpy / times.code:.2f}",
        f"{times.numpy / times.call:.2f}",
        "slower" if times.call > times.numpy else "",
    ]


def measured(case: Case, seconds: float = _SECONDS) -> Times:
    """How long the case takes.

    Args:
        case: primitive and inputs.
        seconds: for each of the three.
    """
    compiled = Compiled(program_of(case), this_machine(), threads=1)
    arrays = arrays_of(case)
    meaning = REGISTRY[case.name].meaning
    return Times(
        best_seconds(compiled.again(arrays), seconds),
        best_seconds(lambda: compiled(arrays), seconds),
        best_seconds(lambda: meaning(*arrays, **case.params), seconds),
    )


def best_seconds(run: Callable[[], object], seconds: float) -> float:
    """The shortest time of many."""
    run()
    start = time.perf_counter()
    run()
    often = _MANY if time.perf_counter() - start < seconds / _MANY / 4 else 1
    best, end = float("inf"), start + seconds
    while (start := time.perf_counter()) < end or best == float("inf"):
        for _ in range(often):
            run()
        best = min(best, (time.perf_counter() - start) / often)
    return best


if __name__ == "__main__":
    main()
