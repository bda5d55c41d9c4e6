"""The area under a curve of decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clearprop import ops
from clearprop.dtypes import F64, I64
from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Array, Value
from clearprop.losses.numbers import EPSILON
from clearprop.losses.reduction import safe_divide
from clearprop.losses.shapes import paired
from clearprop.metrics.metric import State, last_length, weight_for
from clearprop.metrics.regression import needs_rows
from clearprop.metrics.thresholds import Counts, ThresholdMetric, even_bins
from clearprop.ops.lift import ArrayLike, lift_float

_CURVES = ("ROC", "PR", "PRGAIN")
_SUMMATIONS = ("interpolation", "minoring", "majoring")


class AUC(ThresholdMetric):
    """The area under a curve of decisions, drawn through a number of thresholds.

    Args:
        num_thresholds: how many points the curve has.
        curve: ``"ROC"`` (true by false positives), ``"PR"`` (precision by recall) or
            ``"PRGAIN"`` (the same as gains over chance).
        summation_method: what lies between two points: ``"interpolation"``, ``"minoring"`` (the
            lower of both) or ``"majoring"``.
        name: what histories call it.
        thresholds: thresholds between 0 and 1, instead of evenly spread ones.
        multi_label: whether each column has its own curve; the result is their mean.
        num_labels: how many columns there are, where that cannot be seen.
        label_weights: how much each column counts.
        from_logits: whether a sigmoid is still to be applied.

    Shapes:
        y_true: S, y_pred: S; multi_label: (n, labels) both  ->  ()

    Example:
        >>> import clearprop as cp
        >>> round(float(cp.metrics.AUC()([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9])), 4)
        0.75

    Reference:
        J. Davis, M. Goadrich, The relationship between precision-recall and ROC curves, 2006:
        interpolation between points of precision and recall.
    """

    direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        self.curve, self.summation_method = str(curve).upper(), str(summation_method).lower()
        if self.curve not in _CURVES or self.summation_method not in _SUMMATIONS:
            raise ArgumentError(
                "AUC: there is no such curve or summation",
                found=f"curve={curve!r}, summation_method={summation_method!r}",
                needed=f"one of {', '.join(_CURVES)}; one of {', '.join(_SUMMATIONS)}",
                at=str(here()),
            )
        count = num_thresholds if thresholds is None else len(thresholds) + 2
        if count < 2 or (num_labels and not multi_label):
            raise ArgumentError(
                "AUC: an argument has a value that cannot work",
                found=f"num_thresholds={num_thresholds}, num_labels={num_labels}",
                needed="two thresholds at least; num_labels only with multi_label=True",
                at=str(here()),
            )
        inner = (
            [step / (count - 1) for step in range(1, count - 1)]
            if thresholds is None
            else sorted(thresholds)
        )
        super().__init__([-EPSILON, *inner, 1 + EPSILON], name)
        self.num_thresholds, self.thresholds = count, thresholds
        self.multi_label, self.num_labels = multi_label, num_labels
        self.label_weights, self.from_logits = label_weights, from_logits

    def initial_state(self, output_shape: Shape | None = None) -> dict[str, Array]:
        """Empty histograms."""
        shape: Shape = (self.num_thresholds + 1,)
        if self.multi_label:
            shape = (*shape, self.num_labels or last_length(self.name, output_shape))
        return {"positives": np.zeros(shape), "negatives": np.zeros(shape)}

    def update(
        self, state: State, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: Any = None
    ) -> dict[str, Value]:
        """The state after a batch.

        Shapes:
            y_true: S, y_pred: S, sample_weight: the first axes of S
            ->  (thresholds + 1,) each, or (thresholds + 1, labels)
        """
        prediction = lift_float(y_pred)
        if self.from_logits:
            prediction = ops.sigmoid(prediction)
        target, prediction = paired(self.name, y_true, prediction)
        weight = weight_for(self.name, sample_weight, prediction.shape)
        bins = self.bins(prediction)
        if not self.multi_label:
            if self.label_weights is not None:
                columns = np.broadcast_to(np.array(self.label_weights, F64), prediction.shape)
                weight = ops.multiply(1.0 if weight is None else weight, columns)
            return self.with_bins(state, target, bins, weight)
        needs_rows(self.name, prediction.shape)
        # Column c of the histograms is every labels-th bin of one long histogram, from c on.
        labels = prediction.shape[-1]
        places = ops.add(ops.multiply(bins, labels), np.arange(labels, dtype=I64))
        flat = {key: ops.ravel(histogram) for key, histogram in state.items()}
        after = self.with_bins(flat, target, places, weight)
        return {key: ops.reshape(after[key], state[key].shape) for key in after}

    def bins(self, y_pred: Value) -> Value:
        """Above how many thresholds each prediction lies.

        Shapes:
            y_pred: S  ->  i64 S
        """
        if self.thresholds is None:
            return even_bins(y_pred, self.num_thresholds, lowest=1)
        return super().bins(y_pred)

    def of_counts(self, counts: Counts) -> Value:
        """The area under the curve.

        Shapes:
            counts: (thresholds,) or (thresholds, labels) each  ->  ()
        """
        if self.curve == "PR" and self.summation_method == "interpolation":
            parts = _interpolated_precision(counts)
        else:
            x, y = _points(self.curve, counts)
            high, low = _neighbors(y)
            if self.summation_method == "interpolation":
                height = ops.multiply(ops.add(high, low), 0.5)
            elif self.summation_method == "minoring":
                height = ops.minimum(high, low)
            else:
                height = ops.maximum(high, low)
            parts = ops.multiply(ops.subtract(*_neighbors(x)), height)
        areas = ops.sum(parts, axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        weights = np.array(self.label_weights, F64)
        return ops.divide(ops.sum(ops.multiply(areas, weights)), float(weights.sum()))


def _neighbors(x: Value) -> tuple[Value, Value]:
    """The values at all thresholds but the last, and at all but the first."""
    last = x.shape[0]
    return ops.index(x, slice(0, last - 1)), ops.index(x, slice(1, last))


def _points(curve: str, counts: Counts) -> tuple[Value, Value]:
    right, wrong, rejected, missed = counts
    recall = safe_divide(right, ops.add(right, missed))
    if curve == "ROC":
        return safe_divide(wrong, ops.add(wrong, rejected)), recall
    if curve == "PR":
        return recall, safe_divide(right, ops.add(right, wrong))
    scale = safe_divide(ops.add(right, missed), ops.add(rejected, wrong))
    is_none = ops.equal(right, 0)
    recall_gain = ops.subtract(1, ops.multiply(scale, safe_divide(missed, right)))
    recall_gain = ops.maximum(ops.where(is_none, 0, recall_gain), 0)
    precision_gain = ops.subtract(1, ops.multiply(scale, safe_divide(wrong, right)))
    return recall_gain, ops.where(is_none, 1, precision_gain)


def _interpolated_precision(counts: Counts) -> Value:
    """The areas between points of precision and recall, along the curve and not a chord.

    Between two points true positives grow linearly with all positives p, so precision is
    slope + intercept / p.
    """
    right, wrong, _, missed = counts
    high, low = _neighbors(right)
    p_high, p_low = _neighbors(ops.add(right, wrong))
    grown = ops.subtract(high, low)
    slope = safe_divide(grown, ops.maximum(ops.subtract(p_high, p_low), 0))
    intercept = ops.subtract(low, ops.multiply(slope, p_low))
    both = ops.logical_and(ops.greater(p_high, 0), ops.greater(p_low, 0))
    ratio = ops.where(both, safe_divide(p_high, p_low), 1)
    area = ops.multiply(slope, ops.add(grown, ops.multiply(intercept, ops.log(ratio))))
    _, low_missed = _neighbors(missed)
    return safe_divide(area, ops.add(low, low_missed))
