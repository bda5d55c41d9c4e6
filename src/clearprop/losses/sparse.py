"""Losses for samples that are each of one class, labels given as class numbers."""

from __future__ import annotations

import numpy as np

from clearprop import ops
from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Value
from clearprop.losses.loss import DEFAULT_REDUCTION, FunctionLoss
from clearprop.losses.numbers import log_probabilities
from clearprop.losses.shapes import check_index_shape, class_indices
from clearprop.ops.lift import ArrayLike, lift_float


def sparse_categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Value:
    """-log of the probability of the right class.

    Args:
        y_true: class numbers, counted from 0.
        y_pred: probabilities (rows are divided by their sums), or logits.
        from_logits: whether a softmax is still to be applied.
        ignore_class: a label whose samples have the loss 0.
        axis: along which the classes lie.

    Shapes:
        y_true: S or (*S, 1), y_pred: (*S, classes)  ->  S

    Example:
        >>> round(float(sparse_categorical_crossentropy([1], [[0.5, 0.5]])[0]), 4)
        0.6931
    """
    prediction = lift_float(y_pred)
    labels = class_indices(
        "sparse_categorical_crossentropy", y_true, prediction, axis, ignore_class=ignore_class
    )
    log_p = log_probabilities(prediction, axis, from_logits=from_logits)
    losses = ops.negative(_of_class(log_p, labels, axis))
    if ignore_class is None:
        return losses
    return ops.where(ops.equal(labels, ignore_class), 0, losses)


def _of_class(x: Value, labels: Value, axis: int) -> Value:
    """For each row the element of its class.

    A choice and a sum: unlike reading at an index, they fuse with what surrounds them.
    """
    hot = ops.one_hot(labels, x.shape[axis], axis=axis, dtype=bool)
    return ops.sum(ops.where(hot, x, 0), axis=axis)


def without_ignored(y_true: Value, shape: Shape, ignore_class: int | None) -> Value | None:
    """Whether each label is another than the ignored one; None where none is ignored.

    Shapes:
        y_true: S or (*S, 1), shape S  ->  bool S
    """
    if ignore_class is None:
        return None
    return ops.not_equal(ops.reshape(y_true, shape), ignore_class)


def categorical_generalized_cross_entropy(y_true: ArrayLike, y_pred: ArrayLike, q: float) -> Value:
    """(1 - p^q) / q, where p is the probability of the right class.

    Args:
        y_true: class numbers, counted from 0.
        y_pred: probabilities.
        q: between 0 (cross-entropy) and 1 (absolute error).

    Shapes:
        y_true: S or (*S, 1), y_pred: (*S, classes)  ->  S

    Reference:
        Z. Zhang, M. Sabuncu, Generalized cross entropy loss for training deep neural networks
        with noisy labels, 2018.
    """
    prediction = lift_float(y_pred)
    labels = class_indices("categorical_generalized_cross_entropy", y_true, prediction)
    p = _of_class(prediction, labels, -1)
    # At 0 a power has an infinite derivative: the smallest normal number stands for it.
    p = ops.maximum(p, float(np.finfo(p.dtype).tiny))
    return ops.divide(ops.subtract(1, ops.power(p, q)), q)


class SparseCategoricalCrossentropy(FunctionLoss):
    """-log of the probability of the right class, for labels that are class numbers.

    Args:
        from_logits: whether the model ends without a softmax, which is safer.
        ignore_class: a label whose samples do not count.
        reduction: what becomes of the samples' losses.
        axis: along which the classes lie.
        name: what histories call it.

    Shapes:
        y_true: S or (*S, 1), y_pred: (*S, classes)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> loss = cp.losses.SparseCategoricalCrossentropy(from_logits=True)
        >>> round(float(loss([1], [[2.0, 2.0]])), 4)
        0.6931
    """

    label_kind = "index"
    function = staticmethod(sparse_categorical_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = DEFAULT_REDUCTION,
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
    ) -> None:
        super().__init__(name, reduction)
        self.from_logits, self.ignore_class, self.axis = from_logits, ignore_class, axis

    def check_shapes(self, y_true: Shape, y_pred: Shape) -> None:
        """Refuse labels that are not one class number for each row of predictions.

        Raises:
            ShapeError: they do not fit.
        """
        check_index_shape(self.name, y_true, y_pred, self.axis)

    def counted(self, y_true: Value, losses: Value) -> Value | None:
        """Whether a sample has another label than the ignored one.

        Shapes:
            y_true: S or (*S, 1), losses: S  ->  bool S
        """
        return without_ignored(y_true, losses.shape, self.ignore_class)


class CategoricalGeneralizedCrossEntropy(FunctionLoss):
    """(1 - p^q) / q, where p is the probability of the right class: wrong labels harm it less.

    Args:
        q: between 0 (cross-entropy) and 1 (absolute error).
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: S or (*S, 1), y_pred: (*S, classes) of probabilities  ->  ()

    Raises:
        ArgumentError: q is not between 0 and 1.

    Reference:
        Z. Zhang, M. Sabuncu, Generalized cross entropy loss for training deep neural networks
        with noisy labels, 2018.
    """

    label_kind = "index"
    function = staticmethod(categorical_generalized_cross_entropy)

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = DEFAULT_REDUCTION,
        name: str | None = "categorical_generalized_cross_entropy",
    ) -> None:
        if not 0 < q < 1:
            raise ArgumentError(
                "CategoricalGeneralizedCrossEntropy: q lies between 0 and 1",
                found=f"q={q!r}",
                needed="0 < q < 1",
                try_="categorical_crossentropy is the limit at 0, mean_absolute_error that at 1",
                at=str(here()),
            )
        super().__init__(name, reduction)
        self.q = q

    def check_shapes(self, y_true: Shape, y_pred: Shape) -> None:
        """Refuse labels that are not one class number for each row of predictions.

        Raises:
            ShapeError: they do not fit.
        """
        check_index_shape(self.name, y_true, y_pred)
