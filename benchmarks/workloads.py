"""The workloads of the race, and nets that only predict.

The workloads are those of ``clearprop bench``.  Their file is read as a file: no other framework's
process imports ClearProp.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_FILE = Path(__file__).parents[1] / "src" / "clearprop" / "models" / "workloads.py"


def _read() -> Any:
    name = "benchmarks._workloads"
    spec = importlib.util.spec_from_file_location(name, _FILE)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_described = _read()
Workload = _described.Workload
WORKLOADS = _described.WORKLOADS
make_data = _described.make_data


def sinusoids(steps: int, features: int) -> Array:
    """What the Transformer adds to each step: sines at even places, cosines at odd ones.

    Shapes:
        (steps, features) float32.
    """
    pairs = np.arange(features) // 2 * 2
    angles = np.arange(steps)[:, None] / 10_000.0 ** (pairs / features)
    waves = np.where(np.arange(features) % 2 == 0, np.sin(angles), np.cos(angles))
    return waves.astype(np.float32)


@dataclass(frozen=True)
class Inference:
    """A net that only predicts, and how many samples at once.

    Attributes:
        kind: ``mlp`` or ``lenet``.
        input_shape: of one sample.
        units: hidden units of an MLP.
        classes: number of logits.
        batch: samples in one call.
    """

    kind: str
    input_shape: tuple[int, ...]
    units: tuple[int, ...]
    classes: int
    batch: int


INFERENCE = {
    "mlp-1": Inference("mlp", (64,), (64, 32), 10, 1),
    "lenet-1": Inference("lenet", (28, 28, 1), (32, 64, 128), 10, 1),
    "lenet-256": Inference("lenet", (28, 28, 1), (32, 64, 128), 10, 256),
}


def inference_weights(inference: Inference, seed: int = 0) -> list[Array]:
    """Kernels and biases, layer by layer: dense (inputs, units), convolution (3, 3, in, out)."""
    rng = np.random.default_rng(seed)

    def drawn(*shape: int) -> Array:
        inputs = int(np.prod(shape[:-1]))
        return (rng.standard_normal(shape) * (2 / inputs) ** 0.5).astype(np.float32)

    weights: list[Array] = []
    before, units = inference.input_shape[-1], inference.units
    if inference.kind == "lenet":
        height, width, _ = inference.input_shape
        for filters in units[:2]:
            weights += [drawn(3, 3, before, filters), drawn(filters)]
            before, height, width = filters, height // 2, width // 2
        before, units = height * width * before, units[2:]
    for count in (*units, inference.classes):
        weights += [drawn(before, count), drawn(count)]
        before = count
    return weights


def inference_batch(inference: Inference, seed: int = 1) -> Array:
    """Samples to predict.

    Shapes:
        (batch, *input_shape) float32.
    """
    rng = np.random.default_rng(seed)
    return rng.standard_normal((inference.batch, *inference.input_shape), dtype=np.float32)
