"""Metrics for targets that are quantities, beyond the losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearprop import ops
from clearprop.dtypes import F64
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Array, Value
from clearprop.losses.distances import cosine_similarity
from clearprop.losses.numbers import EPSILON
from clearprop.losses.reduction import safe_divide
from clearprop.losses.shapes import paired
from clearprop.metrics.mean import FunctionMean, MeanOf
from clearprop.metrics.metric import Metric, State, last_length, weight_for
from clearprop.ops.lift import ArrayLike


class RootMeanSquaredError(MeanOf):
    """The square root of the mean of (y - p)^2: an error in the unit of the targets.

    Args:
        name: what histories call it.

    Shapes:
        y_true: S, y_pred: S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.RootMeanSquaredError()([[0.0], [0.0]], [[3.0], [3.0]]))
        3.0
    """

    direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error") -> None:
        super().__init__(name)

    def values(self, y_true: Value, y_pred: Value) -> Value:
        """The squares of the errors.

        Shapes:
            y_true: S, y_pred: S  ->  S
        """
        return ops.square(ops.subtract(y_pred, ops.cast(y_true, y_pred.dtype)))

    def compute(self, state: State) -> Value:
        """The root of their mean.

        Shapes:
            (), ()  ->  ()
        """
        return ops.sqrt(super().compute(state))


class CosineSimilarity(MeanOf):
    """The mean cosine of the angle between y and p: 1 where they point the same way.

    Args:
        name: what histories call it.
        axis: along which the vectors lie.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.CosineSimilarity()([[0.0, 2.0]], [[0.0, 3.0]]))
        1.0
    """

    direction = "up"

    def __init__(self, name: str | None = "cosine_similarity", axis: int = -1) -> None:
        super().__init__(name)
        self.axis = axis

    def values(self, y_true: Value, y_pred: Value) -> Value:
        """The cosines.

        Shapes:
            y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S
        """
        return ops.negative(cosine_similarity(y_true, y_pred, self.axis))


# -- correlations -------------------------------------------------------------------


def pearson_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Value:
    """The mean of the products of z-scores: 1 where p grows with y along a line.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Example:
        >>> round(float(pearson_correlation([[0.0, 1.0, 2.0]], [[1.0, 3.0, 5.0]])[0]), 4)
        1.0
    """
    target, prediction = paired("pearson_correlation", y_true, y_pred)
    product = ops.multiply(_z_score(target, axis), _z_score(prediction, axis))
    return ops.mean(product, axis=axis)


def _z_score(x: Value, axis: int) -> Value:
    centered = ops.subtract(x, ops.mean(x, axis=axis, keepdims=True))
    return ops.divide(centered, ops.std(x, axis=axis, keepdims=True))


def concordance_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Value:
    """2 cov(y, p) / (var(y) + var(p) + (mean(y) - mean(p))^2): 1 where p is y.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Reference:
        L. Lin, A concordance correlation coefficient to evaluate reproducibility, 1989.
    """
    target, prediction = paired("concordance_correlation", y_true, y_pred)
    target_mean = ops.mean(target, axis=axis, keepdims=True)
    prediction_mean = ops.mean(prediction, axis=axis, keepdims=True)
    centered = ops.subtract(prediction, prediction_mean)
    covariance = ops.multiply(ops.subtract(target, target_mean), centered)
    norm = ops.add(
        ops.add(ops.var(target, axis=axis, keepdims=True), EPSILON),
        ops.add(
            ops.var(prediction, axis=axis, keepdims=True),
            ops.square(ops.subtract(target_mean, prediction_mean)),
        ),
    )
    return ops.mean(ops.divide(ops.multiply(covariance, 2), norm), axis=axis)


class PearsonCorrelation(FunctionMean):
    """The mean correlation of the rows of y and p, from -1 to 1.

    Args:
        name: what histories call it.
        axis: along which to correlate.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> metric = cp.metrics.PearsonCorrelation()
        >>> round(float(metric([[0.0, 1.0, 2.0]], [[1.0, 3.0, 5.0]])), 4)
        1.0
    """

    direction = "up"
    function = staticmethod(pearson_correlation)

    def __init__(self, name: str | None = "pearson_correlation", axis: int = -1) -> None:
        super().__init__(name)
        self.axis = axis


class ConcordanceCorrelation(FunctionMean):
    """The mean concordance correlation of the rows of y and p: correlation that minds offsets.

    Args:
        name: what histories call it.
        axis: along which to correlate.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Reference:
        L. Lin, A concordance correlation coefficient to evaluate reproducibility, 1989.
    """

    direction = "up"
    function = staticmethod(concordance_correlation)

    def __init__(self, name: str | None = "concordance_correlation", axis: int = -1) -> None:
        super().__init__(name)
        self.axis = axis


# -- explained variance ---------------------------------------------------------------


class R2Score(Metric):
    """1 - sum((y - p)^2) / sum((y - mean(y))^2): how much of the targets' variance is explained.

    Args:
        class_aggregation: ``"uniform_average"``, ``"variance_weighted_average"`` or None (a score
            for each output).
        num_regressors: how many inputs the model has, for the adjusted score; 0 for none.
        name: what histories call it.

    Shapes:
        y_true: (n, outputs), y_pred: (n, outputs)  ->  (), or (outputs,)

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [2.0]]))
        0.5
    """

    direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
    ) -> None:
        known = {None, "uniform_average", "variance_weighted_average"}
        if class_aggregation not in known or num_regressors < 0:
            raise ArgumentError(
                "R2Score: an argument has a value that cannot work",
                found=f"class_aggregation={class_aggregation!r}, num_regressors={num_regressors}",
                needed='"uniform_average", "variance_weighted_average" or None; 0 or more',
                at=str(here()),
            )
        super().__init__(name)
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors

    def initial_state(self, output_shape: Shape | None = None) -> dict[str, Array]:
        """Sums for each output, and how many numbers there were."""
        outputs = last_length(self.name, output_shape)
        sums = {
            key: np.zeros(outputs) for key in ("count", "total", "total_of_squares", "residual")
        }
        return sums | {"numbers": np.zeros(())}

    def update(
        self, state: State, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: Any = None
    ) -> dict[str, Value]:
        """The state after a batch.

        Shapes:
            y_true: (n, outputs), y_pred: (n, outputs), sample_weight: (n,)  ->  (outputs,) each
        """
        target, prediction = paired(self.name, y_true, y_pred)
        needs_rows(self.name, prediction.shape)
        target, prediction = ops.cast(target, F64), ops.cast(prediction, F64)
        weight = weight_for(self.name, sample_weight, prediction.shape)
        if weight is None:
            weight = ops.ones_like(target)
        residual = ops.square(ops.subtract(target, prediction))
        added = {
            "count": weight,
            "total": ops.multiply(target, weight),
            "total_of_squares": ops.multiply(ops.square(target), weight),
            "residual": ops.multiply(residual, weight),
        }
        after = {key: ops.add(state[key], ops.sum(new, axis=0)) for key, new in added.items()}
        return after | {"numbers": ops.add(state["numbers"], float(target.type.size))}

    def compute(self, state: State) -> Value:
        """The score; outputs whose targets are all the same have none, and count 0.

        Shapes:
            (outputs,) each  ->  (), or (outputs,)
        """
        mean = ops.divide(state["total"], state["count"])
        variance = ops.subtract(state["total_of_squares"], ops.multiply(state["total"], mean))
        scores = ops.subtract(1, ops.divide(state["residual"], variance))
        scores = ops.where(ops.isinf(scores), 0, scores)
        if self.class_aggregation == "uniform_average":
            scores = ops.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            weighted = ops.sum(ops.multiply(variance, scores))
            scores = ops.divide(weighted, ops.sum(variance))
        if not self.num_regressors:
            return scores
        # Adjusted, where there are numbers enough for it.
        left = ops.subtract(state["numbers"], float(self.num_regressors + 1))
        ratio = safe_divide(ops.subtract(state["numbers"], 1), ops.maximum(left, 0))
        adjusted = ops.subtract(1, ops.multiply(ops.subtract(1, scores), ratio))
        return ops.where(ops.greater(left, 0), adjusted, scores)


def needs_rows(metric: str, shape: Shape) -> None:
    """Refuse predictions that are not one row of outputs for each sample.

    Raises:
        ShapeError: there are not two axes.
    """
    if len(shape) != 2:
        raise ShapeError(
            f"{metric}: predictions must be rows of outputs, one for each sample",
            found=f"shape {shape}",
            needed="(n, outputs)",
            try_="reshape both y_true and y_pred to (n, outputs)",
            at=str(here()),
        )
