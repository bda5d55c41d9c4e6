"""Batches that each loss can work with: the one table of examples for all tests of losses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_RNG = np.random.default_rng(5)
_SAMPLES, _CLASSES = 7, 5


@dataclass(frozen=True)
class Example:
    """A loss, its arguments, and a batch for it."""

    loss: str
    y_true: Array
    y_pred: Array
    arguments: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        options = ", ".join(f"{key}={value}" for key, value in self.arguments.items())
        return f"{self.loss}({options}){list(self.y_pred.shape)}"


def softmax(x: Array, axis: int = -1) -> Array:
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def batches(shape: tuple[int, ...]) -> dict[str, Array]:
    """Arrays of all kinds, with classes (or outputs) along the last axis."""
    logits = _RNG.normal(size=shape) * 2
    labels = _RNG.integers(0, shape[-1], shape[:-1])
    return {
        "numbers": _RNG.normal(size=shape),
        "positive": np.abs(_RNG.normal(size=shape)) + 0.1,
        "counts": _RNG.integers(0, 5, shape).astype(float),
        "logits": logits,
        "probabilities": softmax(logits),
        "other": softmax(_RNG.normal(size=shape)),
        "binary": _RNG.integers(0, 2, shape).astype(float),
        "signs": _RNG.choice([-1.0, 1.0], shape),
        "labels": labels,
        "one_hot": np.eye(shape[-1])[labels],
        "unit": logits / np.linalg.norm(logits, axis=-1, keepdims=True),
    }


def _of_shape(shape: tuple[int, ...]) -> list[Example]:
    data = batches(shape)
    numbers, logits, p = data["numbers"], data["logits"], data["probabilities"]
    examples = [
        *(Example(name, numbers, logits) for name in SIMPLE),
        Example("MeanSquaredLogarithmicError", data["counts"], data["positive"]),
        Example("Poisson", data["counts"], data["positive"]),
        Example("Huber", numbers, logits, {"delta": 0.3}),
        Example("CosineSimilarity", numbers, logits, {"axis": 0}),
        *(Example(name, data["binary"], logits) for name in ("Hinge", "SquaredHinge")),
        *(Example(name, data["signs"], logits) for name in ("Hinge", "SquaredHinge")),
        Example("CategoricalHinge", data["one_hot"], logits),
        Example("KLDivergence", data["other"], p),
        Example("Dice", data["binary"], p),
        Example("Dice", data["binary"], p, {"axis": -1}),
        Example("Tversky", data["binary"], p),
        Example("Tversky", data["binary"], p, {"axis": (1,), "alpha": 0.3, "beta": 0.9}),
        Example("CategoricalGeneralizedCrossEntropy", data["labels"], p),
        Example("CategoricalGeneralizedCrossEntropy", data["labels"], p, {"q": 0.8}),
    ]
    for from_logits, y_pred in ((True, logits), (False, p)):
        for smoothing in (0.0, 0.1):
            options = {"from_logits": from_logits, "label_smoothing": smoothing}
            focal = options | {"gamma": 1.5, "alpha": 0.4}
            balanced = focal | {"apply_class_balancing": True}
            examples += [
                Example("BinaryCrossentropy", data["binary"], y_pred, options),
                Example("BinaryFocalCrossentropy", data["binary"], y_pred, options),
                Example("BinaryFocalCrossentropy", data["binary"], y_pred, balanced),
                Example("CategoricalCrossentropy", data["one_hot"], y_pred, options),
                Example("CategoricalFocalCrossentropy", data["one_hot"], y_pred, options),
                Example("CategoricalFocalCrossentropy", data["one_hot"], y_pred, focal),
            ]
        sparse = "SparseCategoricalCrossentropy"
        options = {"from_logits": from_logits}
        examples += [
            Example(sparse, data["labels"], y_pred, options),
            Example(sparse, data["labels"][..., None].astype(float), y_pred, options),
            Example(sparse, data["labels"], y_pred, options | {"ignore_class": 2}),
        ]
    return examples


def _others() -> list[Example]:
    data = batches((_SAMPLES, _CLASSES))
    labels = np.array([[1, 2, 2, 0], [3, 0, 0, 0], [1, 1, 4, 1], [0, 0, 0, 0]])
    along_first = np.swapaxes(data["probabilities"], 0, 1).copy()
    sparse = "SparseCategoricalCrossentropy"
    return [
        Example("Circle", data["labels"], data["unit"]),
        Example("Circle", data["labels"][:, None], data["unit"], {"gamma": 8, "margin": 0.2}),
        Example("Circle", data["labels"], data["unit"], {"remove_diagonal": False}),
        Example("Circle", np.arange(_SAMPLES), data["unit"]),
        Example("CTC", labels, _RNG.normal(size=(4, 7, 5))),
        Example("CTC", labels[:, :1], _RNG.normal(size=(4, 1, 5))),
        Example(sparse, data["labels"], along_first, {"axis": 0}),
        Example("CategoricalCrossentropy", data["one_hot"].T.copy(), along_first, {"axis": 0}),
    ]


SIMPLE = (
    "MeanSquaredError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "Huber",
    "LogCosh",
    "CosineSimilarity",
)
OWN = [
    Example(name, _RNG.normal(size=shape), _RNG.normal(size=shape))
    for name in ("ResidualSumOfSquares", "HalfSquaredError")
    for shape in ((_SAMPLES, _CLASSES), (3, 4, _CLASSES))
]
KERAS = [*_of_shape((_SAMPLES, _CLASSES)), *_of_shape((3, 4, _CLASSES)), *_others()]
EXAMPLES = [*KERAS, *OWN]
