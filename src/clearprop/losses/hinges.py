"""Losses that ask for a margin, and no more once it is reached."""

from __future__ import annotations

from clearprop import ops
from clearprop.ir.value import Value
from clearprop.losses.loss import DEFAULT_REDUCTION, FunctionLoss
from clearprop.losses.shapes import paired
from clearprop.ops.lift import ArrayLike


def _missing_margin(doing: str, y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """max(1 - y p, 0), where labels of 0 and 1 alone become -1 and 1."""
    target, prediction = paired(doing, y_true, y_pred)
    is_binary = ops.all(ops.logical_or(ops.equal(target, 0), ops.equal(target, 1)))
    signs = ops.subtract(ops.multiply(target, 2), 1)
    target = ops.where(is_binary, signs, target)
    return ops.maximum(ops.subtract(1, ops.multiply(target, prediction)), 0)


def hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """The mean of max(1 - y p, 0) over the outputs, for labels -1 and 1 (or 0 and 1).

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Example:
        >>> hinge([[-1.0, 1.0]], [[0.5, 3.0]]).tolist()
        [0.75]
    """
    return ops.mean(_missing_margin("hinge", y_true, y_pred), axis=-1)


def squared_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """The mean of max(1 - y p, 0)^2 over the outputs, for labels -1 and 1 (or 0 and 1).

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Example:
        >>> squared_hinge([[-1.0, 1.0]], [[1.0, 3.0]]).tolist()
        [2.0]
    """
    return ops.mean(ops.square(_missing_margin("squared_hinge", y_true, y_pred)), axis=-1)


def categorical_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """max(n - s + 1, 0), where s is the right class's score, n the largest of the others.

    Shapes:
        y_true: (*S, classes) one-hot, y_pred: (*S, classes)  ->  S

    Example:
        >>> categorical_hinge([[0.0, 1.0]], [[0.5, 0.75]]).tolist()
        [0.75]
    """
    target, prediction = paired("categorical_hinge", y_true, y_pred)
    right = ops.sum(ops.multiply(target, prediction), axis=-1)
    wrong = ops.max(ops.multiply(ops.subtract(1, target), prediction), axis=-1)
    return ops.maximum(ops.add(ops.subtract(wrong, right), 1), 0)


class Hinge(FunctionLoss):
    """The mean of max(1 - y p, 0), for labels -1 and 1; 0 and 1 alone count as -1 and 1.

    Args:
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.losses.Hinge()([[-1.0], [1.0]], [[0.5], [3.0]]))
        0.75
    """

    label_kind = "hinge"
    function = staticmethod(hinge)

    def __init__(
        self, reduction: str | None = DEFAULT_REDUCTION, name: str | None = "hinge"
    ) -> None:
        super().__init__(name, reduction)


class SquaredHinge(FunctionLoss):
    """The mean of max(1 - y p, 0)^2, for labels -1 and 1; 0 and 1 alone count as -1 and 1.

    Args:
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.losses.SquaredHinge()([[-1.0], [1.0]], [[1.0], [3.0]]))
        2.0
    """

    label_kind = "hinge"
    function = staticmethod(squared_hinge)

    def __init__(
        self, reduction: str | None = DEFAULT_REDUCTION, name: str | None = "squared_hinge"
    ) -> None:
        super().__init__(name, reduction)


class CategoricalHinge(FunctionLoss):
    """max(n - s + 1, 0), where s is the right class's score, n the largest of the others.

    Args:
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, classes) one-hot, y_pred: (*S, classes)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.losses.CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]))
        0.75
    """

    label_kind = "one_hot"
    function = staticmethod(categorical_hinge)

    def __init__(
        self, reduction: str | None = DEFAULT_REDUCTION, name: str | None = "categorical_hinge"
    ) -> None:
        super().__init__(name, reduction)
