"""Metrics and the kind of batches they take: the one table of examples for tests of metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.losses.examples import Array, batches


@dataclass(frozen=True)
class Example:
    """A metric, its arguments, and which arrays of a batch it takes."""

    metric: str
    y_true: str
    y_pred: str
    arguments: dict[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = (8, 5)

    def __str__(self) -> str:
        options = ", ".join(f"{key}={value}" for key, value in self.arguments.items())
        return f"{self.metric}({options}){list(self.shape)}"

    def batches(self, count: int = 3) -> list[tuple[Array, Array, Array]]:
        """Targets, predictions and weights of some batches."""
        return [
            (data[self.y_true], data[self.y_pred], data["weights"])
            for data in (drawn(self.shape) for _ in range(count))
        ]


_RNG = np.random.default_rng(17)
_MORE: dict[str, Callable[[tuple[int, ...]], Array]] = {
    "weights": lambda shape: _RNG.uniform(size=shape[0]),
    "yes": lambda shape: _RNG.integers(0, 2, shape).astype(float),
    "scores": lambda shape: _RNG.uniform(size=shape),
    "rounded": lambda shape: _RNG.integers(0, 11, shape) / 10,
    "guesses": lambda shape: _RNG.integers(0, 3, shape[:-1]),
    "ranking": lambda shape: _RNG.permuted(
        np.broadcast_to(np.arange(shape[-1]), shape), axis=-1
    ).astype(float),
}


def drawn(shape: tuple[int, ...]) -> dict[str, Array]:
    """A batch of all kinds."""
    return batches(shape) | {name: make(shape) for name, make in _MORE.items()}


def _means(shape: tuple[int, ...]) -> list[Example]:
    regression = (
        *("MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError"),
        *("RootMeanSquaredError", "LogCoshError", "CosineSimilarity"),
        *("PearsonCorrelation", "ConcordanceCorrelation"),
    )
    sparse_top = "SparseTopKCategoricalAccuracy"
    sparse = "SparseCategoricalCrossentropy"
    return [
        *(Example(name, "numbers", "logits", {}, shape) for name in regression),
        Example("Accuracy", "labels", "guesses", {}, shape),
        Example("BinaryAccuracy", "binary", "probabilities", {}, shape),
        Example("BinaryAccuracy", "binary", "probabilities", {"threshold": 0.2}, shape),
        Example("CategoricalAccuracy", "one_hot", "logits", {}, shape),
        Example("SparseCategoricalAccuracy", "labels", "logits", {}, shape),
        Example("TopKCategoricalAccuracy", "one_hot", "logits", {"k": 2}, shape),
        Example(sparse_top, "labels", "logits", {"k": 3}, shape),
        Example(sparse_top, "labels", "ranking", {"k": 2, "from_sorted_ids": True}, shape),
        Example("MeanSquaredLogarithmicError", "counts", "positive", {}, shape),
        Example("Poisson", "counts", "positive", {}, shape),
        Example("KLDivergence", "other", "probabilities", {}, shape),
        Example("Hinge", "signs", "logits", {}, shape),
        Example("SquaredHinge", "signs", "logits", {}, shape),
        Example("CategoricalHinge", "one_hot", "logits", {}, shape),
        Example("BinaryCrossentropy", "binary", "probabilities", {}, shape),
        Example("BinaryCrossentropy", "binary", "logits", {"from_logits": True}, shape),
        Example("CategoricalCrossentropy", "one_hot", "probabilities", {}, shape),
        Example("CategoricalCrossentropy", "one_hot", "logits", {"from_logits": True}, shape),
        Example(sparse, "labels", "probabilities", {}, shape),
        Example(sparse, "labels", "logits", {"from_logits": True}, shape),
    ]


COUNTS = ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")
_RATES = [
    Example(name, "yes", predictions, arguments, shape)
    for name in (*COUNTS, "Precision", "Recall")
    for predictions in ("scores", "rounded")
    for arguments in ({}, {"thresholds": 0.3}, {"thresholds": [0.0, 0.25, 0.5, 0.8]})
    for shape in ((8, 5), (30, 1))
]
_TOP = [
    Example(name, "binary", "logits", arguments)
    for name in ("Precision", "Recall")
    for arguments in ({"top_k": 2}, {"top_k": 1, "class_id": 3})
] + [Example(name, "yes", "scores", {"class_id": 2}) for name in ("Precision", "Recall")]
_POINTS = [
    Example(name, "yes", predictions, arguments | {promise: value}, (40, 1))
    for name, promise in (
        ("SensitivityAtSpecificity", "specificity"),
        ("SpecificityAtSensitivity", "sensitivity"),
        ("PrecisionAtRecall", "recall"),
        ("RecallAtPrecision", "precision"),
    )
    for predictions in ("scores", "rounded")
    for value in (0.4, 1.0)
    for arguments in ({}, {"num_thresholds": 1}, {"num_thresholds": 20})
]
_AREAS = [
    Example("AUC", "yes", predictions, arguments | {"curve": curve}, shape)
    for curve in ("ROC", "PR", "PRGAIN")
    for predictions in ("scores", "rounded")
    for shape in ((40, 1), (8, 5))
    for arguments in (
        {},
        {"summation_method": "minoring"},
        {"summation_method": "majoring", "num_thresholds": 13},
        {"thresholds": [0.1, 0.25, 0.7]},
    )
] + [
    Example("AUC", "yes", "logits", {"from_logits": True}, (40, 1)),
    *(
        Example("AUC", "yes", "scores", {"multi_label": True, "curve": curve} | options)
        for curve in ("ROC", "PR")
        for options in (
            {},
            {"label_weights": [1.0, 0.5, 2.0, 0.0, 3.0]},
            {"thresholds": [0.2, 0.7], "num_labels": 5},
        )
    ),
    Example("AUC", "yes", "scores", {"label_weights": [1.0, 0.5, 2.0, 0.0, 3.0]}),
]
_SCORES = [
    Example(name, "yes", predictions, {"average": average, "threshold": threshold} | more)
    for average in (None, "micro", "macro", "weighted")
    for threshold, predictions in ((None, "scores"), (0.4, "scores"))
    for name, more in (("F1Score", {}), ("FBetaScore", {"beta": 2.0}))
] + [
    Example("R2Score", "numbers", "logits", {"class_aggregation": how, "num_regressors": count})
    for how in (None, "uniform_average", "variance_weighted_average")
    for count in (0, 4)
]
_OVERLAPS = [
    Example("IoU", "labels", "guesses", {"num_classes": 5, "target_class_ids": [0, 2]}),
    Example("IoU", "labels", "guesses", {"num_classes": 3, "target_class_ids": [1]}, (6, 4, 3)),
    Example(
        "IoU", "labels", "scores",
        {"num_classes": 5, "target_class_ids": [0, 2], "sparse_y_pred": False},
    ),
    Example("MeanIoU", "labels", "guesses", {"num_classes": 5}),
    Example("MeanIoU", "labels", "guesses", {"num_classes": 5, "ignore_class": 1}),
    Example("BinaryIoU", "yes", "scores", {}),
    Example("BinaryIoU", "yes", "scores", {"threshold": 0.3, "target_class_ids": [1]}),
    Example("OneHotIoU", "one_hot", "scores", {"num_classes": 5, "target_class_ids": [1, 4]}),
    Example("OneHotMeanIoU", "one_hot", "scores", {"num_classes": 5}),
]  # fmt: skip
KERAS = [
    *_means((8, 5)), *_means((3, 4, 5)),
    *_RATES, *_TOP, *_POINTS, *_AREAS, *_SCORES, *_OVERLAPS,
]  # fmt: skip
OWN = [
    Example("ConfusionMatrix", "labels", "logits", {"num_classes": 5}),
    Example("ConfusionMatrix", "one_hot", "logits", {"num_classes": 5}),
    Example("ConfusionMatrix", "labels", "guesses", {"num_classes": 5}),
    Example("ConfusionMatrix", "yes", "scores", {"num_classes": 2}, (30, 1)),
]
EXAMPLES = [*KERAS, *OWN]
