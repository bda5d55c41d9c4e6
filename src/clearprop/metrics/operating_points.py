"""The best point on a curve of decisions that keeps a promise."""

from __future__ import annotations

from abc import abstractmethod

from clearprop import ops
from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.losses.reduction import safe_divide
from clearprop.metrics.thresholds import Counts, ThresholdMetric, even_bins


class _BestPoint(ThresholdMetric):
    """The best value of one rate among the thresholds at which another is high enough."""

    direction = "up"

    def __init__(
        self, promise: str, num_thresholds: int, class_id: int | None, name: str | None
    ) -> None:
        kept = getattr(self, promise)
        if not 0 <= kept <= 1 or num_thresholds < 1:
            raise ArgumentError(
                f"{type(self).__name__}: an argument has a value that cannot work",
                found=f"{promise}={kept!r}, num_thresholds={num_thresholds!r}",
                needed=f"{promise} from 0 to 1, one threshold at least",
                at=str(here()),
            )
        steps = max(num_thresholds - 1, 1)
        even = [step / steps for step in range(num_thresholds)]
        super().__init__([0.5] if num_thresholds == 1 else even, name, class_id=class_id)
        self.num_thresholds = num_thresholds

    def bins(self, y_pred: Value) -> Value:
        if self.num_thresholds == 1:
            return super().bins(y_pred)
        return even_bins(y_pred, self.num_thresholds, lowest=0)

    def of_counts(self, counts: Counts) -> Value:
        kept, best, promised = self.rates(counts)
        allowed = ops.greater_equal(kept, promised)
        return ops.max(ops.where(allowed, ops.maximum(best, 0), 0))

    @abstractmethod
    def rates(self, counts: Counts) -> tuple[Value, Value, float]:
        """The rate that must be high enough, the rate to make high, and what is enough."""


def _recall(counts: Counts) -> Value:
    return safe_divide(
        counts.true_positives, ops.add(counts.true_positives, counts.false_negatives)
    )


def _precision(counts: Counts) -> Value:
    return safe_divide(
        counts.true_positives, ops.add(counts.true_positives, counts.false_positives)
    )


def _specificity(counts: Counts) -> Value:
    return safe_divide(
        counts.true_negatives, ops.add(counts.true_negatives, counts.false_positives)
    )


class SensitivityAtSpecificity(_BestPoint):
    """The best share of labels of 1 found, while enough labels of 0 are predicted as such.

    Args:
        specificity: the share of labels of 0 that must be predicted as such.
        num_thresholds: how many thresholds are tried.
        class_id: the one column to look at; None for all.
        name: what histories call it.

    Shapes:
        y_true: S, y_pred: S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> metric = cp.metrics.SensitivityAtSpecificity(0.5)
        >>> float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        self.specificity = specificity
        super().__init__("specificity", num_thresholds, class_id, name)

    def rates(self, counts: Counts) -> tuple[Value, Value, float]:
        """Specificity, sensitivity, and the specificity that is enough.

        Shapes:
            counts: (thresholds,) each  ->  (thresholds,), (thresholds,)
        """
        return _specificity(counts), _recall(counts), self.specificity


class SpecificityAtSensitivity(_BestPoint):
    """The best share of labels of 0 predicted as such, while enough labels of 1 are found.

    Args:
        sensitivity: the share of labels of 1 that must be found.
        num_thresholds: how many thresholds are tried.
        class_id: the one column to look at; None for all.
        name: what histories call it.

    Shapes:
        y_true: S, y_pred: S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> metric = cp.metrics.SpecificityAtSensitivity(0.5)
        >>> round(float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])), 4)
        0.6667
    """

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        self.sensitivity = sensitivity
        super().__init__("sensitivity", num_thresholds, class_id, name)

    def rates(self, counts: Counts) -> tuple[Value, Value, float]:
        """Sensitivity, specificity, and the sensitivity that is enough.

        Shapes:
            counts: (thresholds,) each  ->  (thresholds,), (thresholds,)
        """
        return _recall(counts), _specificity(counts), self.sensitivity


class PrecisionAtRecall(_BestPoint):
    """The best precision, while enough labels of 1 are found.

    Args:
        recall: the share of labels of 1 that must be found.
        num_thresholds: how many thresholds are tried.
        class_id: the one column to look at; None for all.
        name: what histories call it.

    Shapes:
        y_true: S, y_pred: S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> metric = cp.metrics.PrecisionAtRecall(0.5)
        >>> float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        self.recall = recall
        super().__init__("recall", num_thresholds, class_id, name)

    def rates(self, counts: Counts) -> tuple[Value, Value, float]:
        """Recall, precision, and the recall that is enough.

        Shapes:
            counts: (thresholds,) each  ->  (thresholds,), (thresholds,)
        """
        return _recall(counts), _precision(counts), self.recall


class RecallAtPrecision(_BestPoint):
    """The best share of labels of 1 found, while predictions of 1 are right often enough.

    Args:
        precision: the share of predictions of 1 that must be right.
        num_thresholds: how many thresholds are tried.
        class_id: the one column to look at; None for all.
        name: what histories call it.

    Shapes:
        y_true: S, y_pred: S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> metric = cp.metrics.RecallAtPrecision(0.8)
        >>> float(metric([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
        0.5
    """

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        self.precision = precision
        super().__init__("precision", num_thresholds, class_id, name)

    def rates(self, counts: Counts) -> tuple[Value, Value, float]:
        """Precision, recall, and the precision that is enough.

        Shapes:
            counts: (thresholds,) each  ->  (thresholds,), (thresholds,)
        """
        return _precision(counts), _recall(counts), self.precision
