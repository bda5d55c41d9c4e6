"""The figures of the reference executor beside scikit-learn, of the import and of the install.

    python -m benchmarks.spine            # needs scikit-learn in the same environment

Both train the same network (784-256-128-10, relu, Adam, batches of 128) on the same synthetic
samples, each in a process of its own with the same number of threads; rounds alternate, and the
median of the per-round ratios is told.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

SAMPLES, BATCH, SIZES = 20_000, 128, (784, 256, 128, 10)

_DATA = f"""
import time
import numpy as np
rng = np.random.default_rng(0)
x = rng.standard_normal(({SAMPLES}, {SIZES[0]}), dtype=np.float32)
y = (x @ rng.standard_normal(({SIZES[0]}, {SIZES[-1]}), dtype=np.float32)).argmax(1)
"""

_CLEARPROP = f"""{_DATA}
import clearprop as cp
layers = [cp.layers.Dense(units, activation="relu") for units in {SIZES[1:-1]}]
model = cp.Sequential([*layers, cp.layers.Dense({SIZES[-1]})])
loss = cp.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("adam", loss, executor="reference")
def epochs(count):
    model.fit(x, y, epochs=count, batch_size={BATCH}, verbose=0)
"""

_SKLEARN = f"""{_DATA}
import warnings
from sklearn.neural_network import MLPClassifier
warnings.simplefilter("ignore")
model = MLPClassifier({SIZES[1:-1]}, alpha=0.0, batch_size={BATCH}, max_iter=1,
                      warm_start=True, n_iter_no_change=10**6, random_state=0)
def epochs(count):
    model.set_params(max_iter=count)
    model.fit(x, y)
"""

_MEASURE = f"""
epochs(1)
start = time.perf_counter()
epochs(2)
print({2 * SAMPLES} / (time.perf_counter() - start))
"""

_IMPORT = """
import time
start = time.perf_counter()
import clearprop
print(time.perf_counter() - start)
"""

_INSTALLED = """
import importlib.metadata, json, pathlib
names = ["clearprop", "numpy", "safetensors", "rich", "typer"]
sizes = {}
for name in names:
    files = importlib.metadata.files(name) or []
    paths = [pathlib.Path(file.locate()) for file in files]
    sizes[name] = sum(path.stat().st_size for path in paths if path.is_file())
print(json.dumps(sizes))
"""


def run(program: str, threads: int) -> str:
    """What a Python program prints, in a process of its own with so many threads."""
    limits = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = os.environ | dict.fromkeys(limits, str(threads))
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()

    print(f"{platform.machine()}, {os.cpu_count()} cores, {options.threads} threads, "
          f"Python {platform.python_version()}")  # fmt: skip
    ours, theirs = [], []
    print("round  scikit-learn  ClearProp  ratio   (samples/s of training)")
    for number in range(1, options.rounds + 1):
        theirs.append(float(run(_SKLEARN + _MEASURE, options.threads)))
        ours.append(float(run(_CLEARPROP + _MEASURE, options.threads)))
        print(f"{number:>5}  {theirs[-1]:>12,.0f}  {ours[-1]:>9,.0f}  {ours[-1] / theirs[-1]:5.2f}")
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"median of the ratios: {ratio:.2f}")

    seconds = [float(run(_IMPORT, options.threads)) for _ in range(5)]
    print(f"import clearprop: {statistics.median(seconds):.3f} s (median of {len(seconds)})")
    sizes = json.loads(run(_INSTALLED, options.threads))
    folder = Path(__file__).parents[1] / "src" / "clearprop"
    own = sum(path.stat().st_size for path in folder.rglob("*") if path.suffix not in {".pyc"}
              and path.is_file())  # fmt: skip
    sizes["clearprop"] = max(sizes["clearprop"], own)
    told = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sizes.items())
    print(f"installed: {told}")


if __name__ == "__main__":
    main()
