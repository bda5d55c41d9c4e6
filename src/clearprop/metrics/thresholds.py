"""Right and wrong decisions at thresholds: counts, precision and recall."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from clearprop import ops
from clearprop.dtypes import F64, I64
from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Array, Value
from clearprop.losses.reduction import safe_divide
from clearprop.losses.shapes import paired
from clearprop.metrics.metric import Metric, State, weight_for
from clearprop.ops.lift import ArrayLike

_NO_THRESHOLD = -1e10  # below every prediction


class Counts(NamedTuple):
    """Weights of right and wrong decisions, one number for each threshold."""

    true_positives: Value
    false_positives: Value
    true_negatives: Value
    false_negatives: Value


class ThresholdMetric(Metric):
    """A metric of yes-or-no decisions: a prediction above a threshold says yes.

    The state is a histogram: how many labels of 1 (``positives``) and of 0 (``negatives``) have
    predictions above exactly k of the thresholds, for each k.

    Args:
        limits: the thresholds, rising.
        name: what histories call it.
        top_k: how many of the largest predictions of a row can say yes; None for all.
        class_id: the one column to look at; None for all.

    Shapes:
        y_true: S, y_pred: S  ->  (), or one number for each threshold

    Example:
        >>> import clearprop as cp
        >>> class Yes(cp.metrics.ThresholdMetric):
        ...     def of_counts(self, counts):
        ...         return counts.true_positives + counts.false_positives
        >>> Yes([0.25, 0.5])([0.0, 1.0], [0.4, 0.8]).tolist()
        [2.0, 1.0]
    """

    def __init__(
        self,
        limits: Sequence[float],
        name: str | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
    ) -> None:
        super().__init__(name)
        self.limits, self.top_k, self.class_id = tuple(limits), top_k, class_id

    @abstractmethod
    def of_counts(self, counts: Counts) -> Value:
        """What the counts say.

        Shapes:
            counts: (thresholds,) each  ->  () or (thresholds,)
        """

    def initial_state(self, output_shape: Shape | None = None) -> dict[str, Array]:
        """Empty histograms."""
        bins = len(self.limits) + 1
        return {"positives": np.zeros(bins), "negatives": np.zeros(bins)}

    def update(
        self, state: State, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: Any = None
    ) -> dict[str, Value]:
        """The state after a batch.

        Shapes:
            y_true: S, y_pred: S, sample_weight: the first axes of S  ->  (thresholds + 1,) each
        """
        target, prediction = paired(self.name, y_true, y_pred)
        if self.top_k is not None:
            prediction = _only_top(prediction, self.top_k)
        if self.class_id is not None:
            column = (..., slice(self.class_id, self.class_id + 1))
            target, prediction = ops.index(target, column), ops.index(prediction, column)
        weight = weight_for(self.name, sample_weight, prediction.shape)
        return self.with_bins(state, target, self.bins(prediction), weight)

    def bins(self, y_pred: Value) -> Value:
        """Above how many thresholds each prediction lies.

        Shapes:
            y_pred: S  ->  i64 S
        """
        limits = np.array(self.limits, y_pred.dtype)
        return ops.sum(ops.greater(ops.expand_dims(y_pred, -1), limits), axis=-1)

    def with_bins(
        self, state: State, y_true: Value, bins: Value, weight: Value | None
    ) -> dict[str, Value]:
        """The histograms with some more labels.

        Shapes:
            y_true: S, bins: i64 S, weight: S  ->  (thresholds + 1,) each
        """
        is_yes = ops.cast(ops.not_equal(y_true, 0), F64)
        is_no = ops.subtract(1, is_yes)
        if weight is not None:
            is_yes, is_no = ops.multiply(is_yes, weight), ops.multiply(is_no, weight)
        places = ops.ravel(bins)
        return {
            "positives": ops.scatter_add(state["positives"], places, ops.ravel(is_yes)),
            "negatives": ops.scatter_add(state["negatives"], places, ops.ravel(is_no)),
        }

    def compute(self, state: State) -> Value:
        """What the state says.

        Shapes:
            (thresholds + 1,) each  ->  () or (thresholds,)
        """
        return self.of_counts(counts_of(state["positives"], state["negatives"]))


def counts_of(positives: Value, negatives: Value) -> Counts:
    """The decisions at each threshold, from histograms: yes where more thresholds lie below.

    Shapes:
        positives, negatives: (thresholds + 1, *S)  ->  (thresholds, *S) each
    """
    last = positives.shape[0]

    def above(histogram: Value) -> Value:
        return ops.index(ops.cumsum(histogram, axis=0, reverse=True), slice(1, last))

    def below(histogram: Value) -> Value:
        return ops.index(ops.cumsum(histogram, axis=0), slice(0, last - 1))

    return Counts(above(positives), above(negatives), below(negatives), below(positives))


def _only_top(y_pred: Value, k: int) -> Value:
    """Predictions, minus infinity where not among the k largest of their row."""
    _, best = ops.top_k(y_pred, k)
    hot = ops.one_hot(best, y_pred.shape[-1], dtype=bool)
    return ops.where(ops.any(hot, axis=-2), y_pred, -np.inf)


def checked_limits(
    metric: str, thresholds: float | Sequence[float] | None, default: float
) -> list[float]:
    """The thresholds as a list.

    Raises:
        ArgumentError: one is not between 0 and 1.
    """
    if thresholds is None:
        return [default]
    limits = list(thresholds) if isinstance(thresholds, Sequence) else [thresholds]
    bad = [limit for limit in limits if not 0 <= limit <= 1]
    if bad or not limits or sorted(limits) != limits:
        raise ArgumentError(
            f"{metric}: thresholds are rising numbers between 0 and 1",
            found=f"thresholds={thresholds!r}",
            needed="for example 0.5 or [0.25, 0.5, 0.75]",
            at=str(here()),
        )
    return limits


class _AtThresholds(ThresholdMetric):
    """What ``TruePositives`` and its kin have in common."""

    def __init__(
        self, thresholds: float | Sequence[float] | None = None, name: str | None = None
    ) -> None:
        super().__init__(checked_limits(type(self).__name__, thresholds, 0.5), name)
        self.thresholds = thresholds

    def of_counts(self, counts: Counts) -> Value:
        return _single(self.chosen(counts))

    @abstractmethod
    def chosen(self, counts: Counts) -> Value:
        """One of the counts."""


def _single(x: Value) -> Value:
    return ops.index(x, 0) if x.shape == (1,) else x


class TruePositives(_AtThresholds):
    """How many labels of 1 are predicted as such.

    Args:
        thresholds: what a prediction must be above to say yes; one number, or several.
        name: what histories call it.

    Shapes:
        y_true: S, y_pred: S  ->  (), or (thresholds,)

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.TruePositives()([0, 1, 1], [0.9, 0.8, 0.1]))
        1.0
    """

    def chosen(self, counts: Counts) -> Value:
        """The labels of 1 that are predicted as such.

        Shapes:
            counts: (thresholds,) each  ->  (thresholds,)
        """
        return counts.true_positives


class FalsePositives(_AtThresholds):
    """How many labels of 0 are predicted as 1.

    Args:
        thresholds: what a prediction must be above to say yes; one number, or several.
        name: what histories call it.

    Shapes:
        y_true: S, y_pred: S  ->  (), or (thresholds,)

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.FalsePositives()([0, 1, 1], [0.9, 0.8, 0.1]))
        1.0
    """

    def chosen(self, counts: Counts) -> Value:
        """The labels of 0 that are predicted as 1.

        Shapes:
            counts: (thresholds,) each  ->  (thresholds,)
        """
        return counts.false_positives


class TrueNegatives(_AtThresholds):
    """How many labels of 0 are predicted as such.

    Args:
        thresholds: what a prediction must be above to say yes; one number, or several.
        name: what histories call it.

    Shapes:
        y_true: S, y_pred: S  ->  (), or (thresholds,)

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.TrueNegatives()([0, 1, 1], [0.9, 0.8, 0.1]))
        0.0
    """

    def chosen(self, counts: Counts) -> Value:
        """The labels of 0 that are predicted as such.

        Shapes:
            counts: (thresholds,) each  ->  (thresholds,)
        """
        return counts.true_negatives


class FalseNegatives(_AtThresholds):
    """How many labels of 1 are predicted as 0.

    Args:
        thresholds: what a prediction must be above to say yes; one number, or several.
        name: what histories call it.

    Shapes:
        y_true: S, y_pred: S  ->  (), or (thresholds,)

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.FalseNegatives()([0, 1, 1], [0.9, 0.8, 0.1]))
        1.0
    """

    def chosen(self, counts: Counts) -> Value:
        """The labels of 1 that are predicted as 0.

        Shapes:
            counts: (thresholds,) each  ->  (thresholds,)
        """
        return counts.false_negatives


class Precision(ThresholdMetric):
    """Which share of what is predicted as 1 is 1.

    Args:
        thresholds: what a prediction must be above to say yes; one number, or several.
        top_k: how many of the largest predictions of a row can say yes; None for all.
        class_id: the one column to look at; None for all.
        name: what histories call it.

    Shapes:
        y_true: S, y_pred: S  ->  (), or (thresholds,)

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.Precision()([0, 1, 1], [0.9, 0.8, 0.1]))
        0.5
    """

    direction = "up"

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        default = 0.5 if top_k is None else _NO_THRESHOLD
        super().__init__(checked_limits("Precision", thresholds, default), name, top_k, class_id)
        self.thresholds = thresholds

    def of_counts(self, counts: Counts) -> Value:
        """True positives by all positives.

        Shapes:
            counts: (thresholds,) each  ->  (), or (thresholds,)
        """
        right = counts.true_positives
        return _single(safe_divide(right, ops.add(right, counts.false_positives)))


class Recall(ThresholdMetric):
    """Which share of the labels of 1 is predicted as such.

    Args:
        thresholds: what a prediction must be above to say yes; one number, or several.
        top_k: how many of the largest predictions of a row can say yes; None for all.
        class_id: the one column to look at; None for all.
        name: what histories call it.

    Shapes:
        y_true: S, y_pred: S  ->  (), or (thresholds,)

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.Recall()([0, 1, 1], [0.9, 0.8, 0.1]))
        0.5
    """

    direction = "up"

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        default = 0.5 if top_k is None else _NO_THRESHOLD
        super().__init__(checked_limits("Recall", thresholds, default), name, top_k, class_id)
        self.thresholds = thresholds

    def of_counts(self, counts: Counts) -> Value:
        """True positives by all labels of 1.

        Shapes:
            counts: (thresholds,) each  ->  (), or (thresholds,)
        """
        right = counts.true_positives
        return _single(safe_divide(right, ops.add(right, counts.false_negatives)))


def even_bins(y_pred: Value, thresholds: int, lowest: int) -> Value:
    """Above how many of the thresholds 0, 1/(n - 1), ..., 1 each prediction lies.

    Args:
        y_pred: predictions; those outside of 0 to 1 count as 0 and 1.
        thresholds: n.
        lowest: 1 where the first threshold lies a little below 0, so that all are above it.

    Shapes:
        y_pred: S  ->  i64 S
    """
    steps = ops.multiply(ops.clip(y_pred, 0.0, 1.0), float(thresholds - 1))
    return ops.cast(ops.maximum(ops.ceil(steps), float(lowest)), I64)
