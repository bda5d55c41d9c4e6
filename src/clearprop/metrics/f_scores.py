"""Precision and recall in one number."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearprop import ops
from clearprop.dtypes import F64
from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Array, Value
from clearprop.losses.numbers import EPSILON
from clearprop.losses.shapes import paired
from clearprop.metrics.metric import Metric, State, last_length, weight_for
from clearprop.metrics.regression import needs_rows
from clearprop.ops.lift import ArrayLike

_KEYS = ("true_positives", "false_positives", "false_negatives", "weights")
_AVERAGES = (None, "micro", "macro", "weighted")


class FBetaScore(Metric):
    """(1 + b^2) precision recall / (b^2 precision + recall), where recall counts b times as much.

    Args:
        average: None (a score for each class), ``"micro"`` (of all decisions together),
            ``"macro"`` (the classes' mean) or ``"weighted"`` (weighted by their labels).
        beta: b.
        threshold: what a prediction must be above to say yes; None lets the largest of a row.
        name: what histories call it.

    Shapes:
        y_true: (n, classes) of 0 and 1, y_pred: (n, classes)  ->  (), or (classes,)

    Reference:
        C. J. van Rijsbergen, Information Retrieval, 1979.
    """

    direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
    ) -> None:
        is_fine = average in _AVERAGES and beta > 0 and (threshold is None or 0 < threshold <= 1)
        if not is_fine:
            raise ArgumentError(
                f"{type(self).__name__}: an argument has a value that cannot work",
                found=f"average={average!r}, beta={beta!r}, threshold={threshold!r}",
                needed=f"average one of {_AVERAGES}, beta above 0, threshold above 0 up to 1",
                at=str(here()),
            )
        super().__init__(name)
        self.average, self.beta, self.threshold = average, beta, threshold

    def initial_state(self, output_shape: Shape | None = None) -> dict[str, Array]:
        """No decisions."""
        if self.average == "micro":
            return {key: np.zeros(()) for key in _KEYS}
        classes = last_length(self.name, output_shape)
        return {key: np.zeros(classes) for key in _KEYS}

    def update(
        self, state: State, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: Any = None
    ) -> dict[str, Value]:
        """The state after a batch.

        Shapes:
            y_true: (n, classes), y_pred: (n, classes), sample_weight: (n,)  ->  (classes,) each
        """
        target, prediction = paired(self.name, y_true, y_pred)
        needs_rows(self.name, prediction.shape)
        if self.threshold is None:
            largest = ops.max(prediction, axis=-1, keepdims=True)
            is_more_than_nothing = ops.greater(ops.absolute(prediction), 1e-9)
            says = ops.logical_and(ops.greater_equal(prediction, largest), is_more_than_nothing)
        else:
            says = ops.greater(prediction, self.threshold)
        yes, label = ops.cast(says, F64), ops.cast(target, F64)
        weight = weight_for(self.name, sample_weight, prediction.shape)
        decisions = {
            "true_positives": ops.multiply(yes, label),
            "false_positives": ops.multiply(yes, ops.subtract(1, label)),
            "false_negatives": ops.multiply(ops.subtract(1, yes), label),
            "weights": label,
        }
        axis = None if self.average == "micro" else 0
        return {
            key: ops.add(
                state[key], ops.sum(new if weight is None else ops.multiply(new, weight), axis=axis)
            )
            for key, new in decisions.items()
        }

    def compute(self, state: State) -> Value:
        """The score.

        Shapes:
            (classes,) each  ->  (), or (classes,)
        """
        right = state["true_positives"]
        precision = _share(right, ops.add(right, state["false_positives"]))
        recall = _share(right, ops.add(right, state["false_negatives"]))
        both = ops.add(ops.multiply(precision, self.beta**2), recall)
        scores = ops.multiply(_share(ops.multiply(precision, recall), both), 1 + self.beta**2)
        if self.average == "weighted":
            weights = _share(state["weights"], ops.sum(state["weights"]))
            return ops.sum(ops.multiply(scores, weights))
        return scores if self.average is None else ops.mean(scores)


def _share(part: Value, whole: Value) -> Value:
    return ops.divide(part, ops.add(whole, EPSILON))


class F1Score(FBetaScore):
    """2 precision recall / (precision + recall): their harmonic mean.

    Args:
        average: None (a score for each class), ``"micro"`` (of all decisions together),
            ``"macro"`` (the classes' mean) or ``"weighted"`` (weighted by their labels).
        threshold: what a prediction must be above to say yes; None lets the largest of a row.
        name: what histories call it.

    Shapes:
        y_true: (n, classes) of 0 and 1, y_pred: (n, classes)  ->  (), or (classes,)

    Example:
        >>> import clearprop as cp
        >>> metric = cp.metrics.F1Score(threshold=0.5, average="micro")
        >>> round(float(metric([[1, 1, 1], [1, 0, 0]], [[0.2, 0.6, 0.7], [0.6, 0.9, 0.1]])), 4)
        0.75
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
    ) -> None:
        super().__init__(average, 1.0, threshold, name)
