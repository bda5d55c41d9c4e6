"""Losses for targets that are quantities: sizes of errors, and directions."""

from __future__ import annotations

import math

from clearprop import ops
from clearprop.ir.value import Value
from clearprop.losses.loss import DEFAULT_REDUCTION, FunctionLoss
from clearprop.losses.numbers import EPSILON, direction
from clearprop.losses.shapes import paired
from clearprop.ops.lift import ArrayLike


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """The mean of |y - p| over the outputs.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Example:
        >>> mean_absolute_error([[0.0, 1.0]], [[3.0, 2.0]]).tolist()
        [2.0]
    """
    target, prediction = paired("mean_absolute_error", y_true, y_pred)
    return ops.mean(ops.absolute(ops.subtract(prediction, target)), axis=-1)


def mean_absolute_percentage_error(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """100 times the mean of |y - p| / |y| over the outputs; |y| counts as 1e-7 at least.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Example:
        >>> mean_absolute_percentage_error([[2.0, 4.0]], [[3.0, 4.0]]).tolist()
        [25.0]
    """
    target, prediction = paired("mean_absolute_percentage_error", y_true, y_pred)
    size = ops.maximum(ops.absolute(target), EPSILON)
    shares = ops.absolute(ops.divide(ops.subtract(target, prediction), size))
    return ops.multiply(ops.mean(shares, axis=-1), 100.0)


def huber(y_true: ArrayLike, y_pred: ArrayLike, delta: float = 1.0) -> Value:
    """The mean of e^2 / 2 where |e| <= delta, else delta |e| - delta^2 / 2, with e = y - p.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Example:
        >>> huber([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
        [1.5]
    """
    target, prediction = paired("huber", y_true, y_pred)
    error = ops.subtract(prediction, target)
    size = ops.absolute(error)
    quadratic = ops.multiply(ops.square(error), 0.5)
    linear = ops.subtract(ops.multiply(size, delta), 0.5 * delta**2)
    return ops.mean(ops.where(ops.less_equal(size, delta), quadratic, linear), axis=-1)


def log_cosh(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """The mean of log(cosh(y - p)) over the outputs, without overflow.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Example:
        >>> round(float(log_cosh([[0.0]], [[1.0]])[0]), 4)
        0.4338
    """
    target, prediction = paired("log_cosh", y_true, y_pred)
    size = ops.absolute(ops.subtract(prediction, target))
    tail = ops.log1p(ops.exp(ops.multiply(size, -2.0)))
    return ops.mean(ops.add(size, ops.subtract(tail, math.log(2))), axis=-1)


class MeanAbsoluteError(FunctionLoss):
    """The mean of |y - p|: outliers count no more than others.

    Args:
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.losses.MeanAbsoluteError()([[0.0], [1.0]], [[3.0], [2.0]]))
        2.0
    """

    label_kind = "regression"
    function = staticmethod(mean_absolute_error)

    def __init__(
        self, reduction: str | None = DEFAULT_REDUCTION, name: str | None = "mean_absolute_error"
    ) -> None:
        super().__init__(name, reduction)


class MeanAbsolutePercentageError(FunctionLoss):
    """100 times the mean of |y - p| / |y|.

    Args:
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.losses.MeanAbsolutePercentageError()([[2.0], [4.0]], [[3.0], [4.0]]))
        25.0
    """

    label_kind = "regression"
    function = staticmethod(mean_absolute_percentage_error)

    def __init__(
        self,
        reduction: str | None = DEFAULT_REDUCTION,
        name: str | None = "mean_absolute_percentage_error",
    ) -> None:
        super().__init__(name, reduction)


class Huber(FunctionLoss):
    """Squares for small errors, distances for large ones.

    Args:
        delta: the size of an error from which on it counts linearly.
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Reference:
        P. J. Huber, Robust estimation of a location parameter, 1964.
    """

    label_kind = "regression"
    function = staticmethod(huber)

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = DEFAULT_REDUCTION,
        name: str | None = "huber_loss",
    ) -> None:
        super().__init__(name, reduction)
        self.delta = delta


class LogCosh(FunctionLoss):
    """The mean of log(cosh(y - p)): about e^2 / 2 for small errors, |e| - log 2 for large ones.

    Args:
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> round(float(cp.losses.LogCosh()([[0.0]], [[1.0]])), 4)
        0.4338
    """

    label_kind = "regression"
    function = staticmethod(log_cosh)

    def __init__(
        self, reduction: str | None = DEFAULT_REDUCTION, name: str | None = "log_cosh"
    ) -> None:
        super().__init__(name, reduction)


# -- directions -----------------------------------------------------------------------


def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Value:
    """Minus the cosine of the angle between y and p: -1 where they point the same way.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Example:
        >>> cosine_similarity([[0.0, 2.0]], [[0.0, 3.0]]).tolist()
        [-1.0]
    """
    target, prediction = paired("cosine_similarity", y_true, y_pred)
    product = ops.multiply(direction(target, axis), direction(prediction, axis))
    return ops.negative(ops.sum(product, axis=axis))


class CosineSimilarity(FunctionLoss):
    """Minus the cosine of the angle between y and p, from -1 (same direction) to 1 (opposite).

    Args:
        axis: along which the vectors lie.
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.losses.CosineSimilarity()([[0.0, 2.0]], [[3.0, 0.0]]) + 0.0)
        0.0
    """

    label_kind = "regression"
    function = staticmethod(cosine_similarity)

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = DEFAULT_REDUCTION,
        name: str | None = "cosine_similarity",
    ) -> None:
        super().__init__(name, reduction)
        self.axis = axis
