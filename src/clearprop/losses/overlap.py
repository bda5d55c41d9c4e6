"""Losses for regions: how little a predicted region covers of the true one."""

from __future__ import annotations

from clearprop import ops
from clearprop.ir.value import Value
from clearprop.losses.loss import DEFAULT_REDUCTION, FunctionLoss
from clearprop.losses.numbers import EPSILON
from clearprop.losses.shapes import paired
from clearprop.ops.axes import Axis
from clearprop.ops.lift import ArrayLike


def dice(y_true: ArrayLike, y_pred: ArrayLike, axis: Axis = None) -> Value:
    """1 - 2 sum(y p) / (sum(y) + sum(p)): 0 where the regions are the same, 1 where apart.

    Args:
        y_true: 1 inside of the region, 0 outside.
        y_pred: probabilities of being inside.
        axis: the axes that a region lies on; None takes the whole batch as one region.

    Shapes:
        y_true: S, y_pred: S  ->  S without the axes

    Example:
        >>> dice([[1.0, 0.0]], [[0.0, 1.0]]).tolist()
        1.0
    """
    target, prediction = paired("dice", y_true, y_pred)
    both = ops.sum(ops.multiply(target, prediction), axis=axis)
    sizes = ops.add(ops.sum(target, axis=axis), ops.sum(prediction, axis=axis))
    return ops.subtract(1, ops.divide(ops.multiply(both, 2), ops.add(sizes, EPSILON)))


def tversky(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: Axis = None,
) -> Value:
    """1 - c / (c + alpha m + beta w): c covered, m missing, w wrongly added.

    Args:
        y_true: 1 inside of the region, 0 outside.
        y_pred: probabilities of being inside.
        alpha: what each missing part costs, sum((1 - p) y).
        beta: what each wrongly added part costs, sum(p (1 - y)).
        axis: the axes that a region lies on; None takes the whole batch as one region.

    Shapes:
        y_true: S, y_pred: S  ->  S without the axes

    Reference:
        S. Salehi et al., Tversky loss function for image segmentation, 2017.
    """
    target, prediction = paired("tversky", y_true, y_pred)
    covered = ops.sum(ops.multiply(target, prediction), axis=axis)
    missing = ops.sum(ops.multiply(ops.subtract(1, prediction), target), axis=axis)
    added = ops.sum(ops.multiply(prediction, ops.subtract(1, target)), axis=axis)
    cost = ops.add(ops.multiply(missing, alpha), ops.multiply(added, beta))
    whole = ops.add(ops.add(covered, cost), EPSILON)
    return ops.subtract(1, ops.divide(covered, whole))


class Dice(FunctionLoss):
    """1 - 2 sum(y p) / (sum(y) + sum(p)), from 0 (same region) to 1 (apart).

    Args:
        reduction: what becomes of the regions' losses.
        name: what histories call it.
        axis: the axes that a region lies on; None takes the whole batch as one region.

    Shapes:
        y_true: S of 0 to 1, y_pred: S of 0 to 1  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.losses.Dice()([[1.0, 0.0]], [[0.0, 1.0]]))
        1.0
    """

    label_kind = "binary"
    function = staticmethod(dice)

    def __init__(
        self,
        reduction: str | None = DEFAULT_REDUCTION,
        name: str | None = "dice",
        axis: Axis = None,
    ) -> None:
        super().__init__(name, reduction)
        self.axis = axis


class Tversky(FunctionLoss):
    """1 - c / (c + alpha m + beta w): c covered, m missing, w wrongly added.

    Args:
        alpha: what each missing part costs.
        beta: what each wrongly added part costs.
        reduction: what becomes of the regions' losses.
        name: what histories call it.
        axis: the axes that a region lies on; None takes the whole batch as one region.

    Shapes:
        y_true: S of 0 to 1, y_pred: S of 0 to 1  ->  ()

    Reference:
        S. Salehi et al., Tversky loss function for image segmentation, 2017.
    """

    label_kind = "binary"
    function = staticmethod(tversky)

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = DEFAULT_REDUCTION,
        name: str | None = "tversky",
        axis: Axis = None,
    ) -> None:
        super().__init__(name, reduction)
        self.alpha, self.beta, self.axis = alpha, beta, axis
