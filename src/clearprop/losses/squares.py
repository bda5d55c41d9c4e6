"""Losses for targets that are quantities: squares of errors."""

from __future__ import annotations

from clearprop import ops
from clearprop.ir.value import Value
from clearprop.losses.loss import DEFAULT_REDUCTION, FunctionLoss
from clearprop.losses.numbers import EPSILON
from clearprop.losses.shapes import paired
from clearprop.ops.lift import ArrayLike


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """The mean of (y - p)^2 over the outputs.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Example:
        >>> mean_squared_error([[0.0, 1.0]], [[3.0, 1.0]]).tolist()
        [4.5]
    """
    target, prediction = paired("mean_squared_error", y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(prediction, target)), axis=-1)


def residual_sum_of_squares(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """The sum of (y - p)^2 over the outputs.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Example:
        >>> residual_sum_of_squares([[0.0, 1.0]], [[3.0, 2.0]]).tolist()
        [10.0]
    """
    target, prediction = paired("residual_sum_of_squares", y_true, y_pred)
    return ops.sum(ops.square(ops.subtract(prediction, target)), axis=-1)


def half_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """Half the sum of (y - p)^2 over the outputs, whose derivative is p - y.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Example:
        >>> half_squared_error([[0.0, 1.0]], [[3.0, 2.0]]).tolist()
        [5.0]
    """
    target, prediction = paired("half_squared_error", y_true, y_pred)
    return ops.multiply(ops.sum(ops.square(ops.subtract(prediction, target)), axis=-1), 0.5)


def mean_squared_logarithmic_error(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """The mean of (log(1 + y) - log(1 + p))^2 over the outputs; below 0 counts as 0.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Example:
        >>> mean_squared_logarithmic_error([[0.0, 1.0]], [[0.0, 1.0]]).tolist()
        [0.0]
    """
    target, prediction = paired("mean_squared_logarithmic_error", y_true, y_pred)
    first = ops.log1p(ops.maximum(prediction, EPSILON))
    second = ops.log1p(ops.maximum(target, EPSILON))
    return ops.mean(ops.square(ops.subtract(first, second)), axis=-1)


class MeanSquaredError(FunctionLoss):
    """The mean of (y - p)^2: large errors count most.

    Args:
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.losses.MeanSquaredError()([[0.0], [1.0]], [[3.0], [2.0]]))
        5.0
    """

    label_kind = "regression"
    function = staticmethod(mean_squared_error)

    def __init__(
        self, reduction: str | None = DEFAULT_REDUCTION, name: str | None = "mean_squared_error"
    ) -> None:
        super().__init__(name, reduction)


class ResidualSumOfSquares(FunctionLoss):
    """The sum of (y - p)^2 over all outputs and samples of a batch, as in least squares.

    Args:
        reduction: what becomes of the samples' losses; their sum unless given.
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.losses.ResidualSumOfSquares()([[0.0], [1.0]], [[3.0], [2.0]]))
        10.0
    """

    label_kind = "regression"
    function = staticmethod(residual_sum_of_squares)

    def __init__(
        self, reduction: str | None = "sum", name: str | None = "residual_sum_of_squares"
    ) -> None:
        super().__init__(name, reduction)


class HalfSquaredError(FunctionLoss):
    """1/2 * the sum of (o - y)^2 over the outputs, the error of the textbooks' small networks.

    Args:
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.losses.HalfSquaredError()([[0.0, 1.0]], [[3.0, 2.0]]))
        5.0
    """

    label_kind = "regression"
    function = staticmethod(half_squared_error)

    def __init__(
        self, reduction: str | None = DEFAULT_REDUCTION, name: str | None = "half_squared_error"
    ) -> None:
        super().__init__(name, reduction)


class MeanSquaredLogarithmicError(FunctionLoss):
    """The mean of (log(1 + y) - log(1 + p))^2: errors count by their ratio.

    Args:
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs) of 0 or more, y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.losses.MeanSquaredLogarithmicError()([[1.0]], [[1.0]]))
        0.0
    """

    label_kind = "nonnegative"
    function = staticmethod(mean_squared_logarithmic_error)

    def __init__(
        self,
        reduction: str | None = DEFAULT_REDUCTION,
        name: str | None = "mean_squared_logarithmic_error",
    ) -> None:
        super().__init__(name, reduction)
