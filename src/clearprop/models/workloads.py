"""Trainings to measure speed with, described once: data, net, batch, optimizer.

The data are synthetic: normal numbers, and the class is the largest of as many random
projections, so that there is something to learn.  This file needs nothing but NumPy: the races
of ``benchmarks`` read it where ClearProp is not installed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Workload:
    """What every framework trains.

    Attributes:
        kind: of net: ``mlp``, ``lenet``, ``resnet20``, ``lstm`` or ``transformer``.
        input_shape: of one sample; images are (height, width, channels).
        classes: number of logits.
        samples: in an epoch.
        batch: samples of one step; the last step of an epoch may have fewer.
        optimizer: ``adam``, ``sgd``, or ``momentum``: SGD with momentum 0.9.
        learning_rate: of the optimizer.
        flops: floating-point operations that training takes for one sample: two for each
            multiply-add of the contractions, forward and in both directions backward.
        options: of the net: ``units`` and ``activation`` of an MLP, ...
    """

    kind: str
    input_shape: tuple[int, ...]
    classes: int
    samples: int
    batch: int
    optimizer: str
    learning_rate: float
    flops: float
    options: dict[str, Any] = field(default_factory=dict)


def _mlp(sizes: tuple[int, ...], activation: str, **others: Any) -> Workload:
    options = {"units": sizes[1:-1], "activation": activation}
    return Workload("mlp", sizes[:1], sizes[-1], options=options, **others)


def _adam(samples: int, batch: int, flops: float) -> dict[str, Any]:
    return {
        "samples": samples, "batch": batch, "flops": flops,
        "optimizer": "adam", "learning_rate": 1e-3,
    }  # fmt: skip


WORKLOADS = {
    "playground": _mlp(
        (2, 8, 8, 2),
        "tanh",
        samples=500,
        batch=10,
        optimizer="sgd",
        learning_rate=0.03,
        flops=0.6e3,
    ),
    "tabular": _mlp((30, 64, 64, 2), "relu", **_adam(8_000, 32, 37e3)),
    "mnist": _mlp((784, 256, 128, 10), "relu", **_adam(20_000, 128, 1.0e6)),
    "wide": _mlp((1024, 1024, 1024, 10), "relu", **_adam(8_192, 256, 10.5e6)),
    "lenet": Workload("lenet", (28, 28, 1), 10, **_adam(4_096, 64, 25e6)),
    "resnet20": Workload(
        "resnet20",
        (32, 32, 3),
        10,
        samples=1_024,
        batch=64,
        optimizer="momentum",
        learning_rate=0.05,
        flops=246e6,
    ),
    "lstm": Workload("lstm", (50, 32), 10, options={"units": 128}, **_adam(2_048, 64, 25e6)),
    "transformer": Workload(
        "transformer",
        (64, 128),
        10,
        options={"layers": 2, "heads": 4, "feed_forward": 512},
        **_adam(1_024, 32, 164e6),
    ),
}


def make_data(workload: Workload, seed: int = 0) -> tuple[Array, Array]:
    """The samples and their classes.

    Shapes:
        (samples, *input_shape) float32, (samples,) int64.
    """
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((workload.samples, *workload.input_shape), dtype=np.float32)
    flat = x.reshape(len(x), -1)
    directions = rng.standard_normal((flat.shape[1], workload.classes), dtype=np.float32)
    return x, (flat @ directions).argmax(axis=1)
