"""One framework in a process of its own: it trains as often as it is told and says how long.

    python -m benchmarks.runner torch_side compile lenet --threads 2

It answers each line of the standard input with one line of JSON: ``run 3`` trains three
epochs, or predicts so often; ``peak`` measures multiply-adds, where the side can; ``end`` ends
it.  What a library prints goes to the standard error.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Set the stage before the framework is imported, then obey."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("side", help="a module of this package")
    parser.add_argument("mode", help="one of the side's MODES")
    parser.add_argument("task", help="a workload, or an inference")
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    _limit(options.threads)
    imported = time.perf_counter()
    import numpy as np

    numpy_seconds = time.perf_counter() - imported
    side = importlib.import_module(f"benchmarks.{options.side}")
    side.prepare(options.mode, options.threads)  # imports the framework
    import_seconds = time.perf_counter() - imported
    first = _Task(side, options.mode, options.task)
    told = first.told | {
        "import_seconds": import_seconds,
        "numpy_seconds": numpy_seconds,
        "version": side.version(),
        "numpy": np.__version__,
    }
    print(json.dumps(told), file=answers, flush=True)
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "end":
            break
        if word == "peak":
            print(json.dumps(side.peak()), file=answers, flush=True)
            continue
        start = time.perf_counter()
        first.run(int(rest[0]))
        seconds = time.perf_counter() - start
        memory = {"resident_bytes": memory_bytes("VmRSS"), "peak_bytes": memory_bytes("VmHWM")}
        print(json.dumps({"seconds": seconds, **memory}), file=answers, flush=True)


class _Task:
    """What is run, and what its first run told.

    Attributes:
        run: trains so many epochs, or predicts so often.
        told: seconds of the first run, which builds and compiles.
    """

    def __init__(self, side: Any, mode: str, name: str) -> None:
        from benchmarks.workloads import (
            INFERENCE,
            WORKLOADS,
            inference_batch,
            inference_weights,
            make_data,
        )

        self.told: dict[str, Any] = {}
        if name in WORKLOADS:
            workload = WORKLOADS[name]
            x, y = make_data(workload)
            start = time.perf_counter()
            self.run = side.trainer(workload, mode, x, y)
            self.run(1)
        else:
            inference = INFERENCE[name]
            weights, x = inference_weights(inference), inference_batch(inference)
            start = time.perf_counter()
            predict = side.predictor(inference, mode, weights)
            outputs = predict(x)
            self.told["outputs"] = [float(number) for number in outputs[0]]

            def run(count: int) -> None:
                for _ in range(count):
                    predict(x)

            self.run = run
        self.told["first_seconds"] = time.perf_counter() - start


def memory_bytes(name: str) -> int:
    """What the system counts for this process: ``VmRSS`` now, ``VmHWM`` at most; 0 if unknown."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    sizes = dict(line.split(":", 1) for line in lines)
    return int(sizes[name].split()[0]) * 1024 if name in sizes else 0


def _limit(threads: int) -> None:
    """Give this process so many cores, and tell the libraries."""
    for name in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{name}_NUM_THREADS"] = str(threads)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[:threads])


if __name__ == "__main__":
    main()
