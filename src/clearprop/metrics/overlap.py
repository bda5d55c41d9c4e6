"""How well predicted regions cover the true ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clearprop import ops
from clearprop.dtypes import I64
from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.losses.numbers import EPSILON
from clearprop.metrics.confusion import ConfusionMetric
from clearprop.metrics.metric import State


class IoU(ConfusionMetric):
    """How much of what is labeled or predicted as a class is both; the mean over some classes.

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes to look at.
        name: what histories call it.
        ignore_class: a label whose samples do not count.
        sparse_y_true: whether labels are class numbers, not one-hot rows.
        sparse_y_pred: whether predictions are class numbers, not scores.
        axis: along which the classes lie where they are not sparse.

    Shapes:
        y_true: S or (*S, classes), y_pred: S or (*S, classes)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> metric = cp.metrics.IoU(num_classes=2, target_class_ids=[0])
        >>> round(float(metric([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name)
        if not all(0 <= number < num_classes for number in target_class_ids):
            raise ArgumentError(
                f"{type(self).__name__}: a class is looked at that is not there",
                found=f"target_class_ids={list(target_class_ids)}",
                needed=f"0 to {num_classes - 1}",
                at=str(here()),
            )
        self.target_class_ids, self.ignore_class = list(target_class_ids), ignore_class
        self.sparse_y_true, self.sparse_y_pred, self.axis = sparse_y_true, sparse_y_pred, axis

    def classes(self, y_true: Value, y_pred: Value) -> tuple[Value, Value]:
        """The class numbers of labels and predictions, the ignored one below all classes.

        Shapes:
            y_true: S or (*S, classes), y_pred: S or (*S, classes)  ->  S, S
        """
        target = y_true if self.sparse_y_true else ops.argmax(y_true, axis=self.axis)
        prediction = y_pred if self.sparse_y_pred else ops.argmax(y_pred, axis=self.axis)
        if self.ignore_class is not None:
            target = ops.cast(target, I64)
            target = ops.where(ops.equal(target, self.ignore_class), -1, target)
        return target, prediction

    def compute(self, state: State) -> Value:
        """The mean over the classes that occur; 0 where none does.

        Shapes:
            (classes, classes)  ->  ()
        """
        matrix = state["matrix"]
        both = ops.diagonal(matrix)
        either = ops.add(ops.sum(matrix, axis=0), ops.sum(matrix, axis=1))
        either = ops.subtract(either, both)
        both = ops.take(both, np.array(self.target_class_ids, I64), axis=0)
        either = ops.take(either, np.array(self.target_class_ids, I64), axis=0)
        occurs = ops.greater(either, 1e-9)
        shares = ops.where(occurs, ops.divide(both, ops.add(either, EPSILON)), 0)
        return ops.divide(ops.sum(shares), ops.add(ops.sum(occurs), EPSILON))


class BinaryIoU(IoU):
    """IoU of the classes 0 and 1, predicted by numbers above or below a threshold.

    Args:
        target_class_ids: the classes to look at.
        threshold: from which on a prediction is of class 1; 0 for logits.
        name: what histories call it.

    Shapes:
        y_true: S, y_pred: S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> metric = cp.metrics.BinaryIoU(threshold=0.3)
        >>> round(float(metric([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 4)
        0.3333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
    ) -> None:
        super().__init__(2, target_class_ids, name)
        self.threshold = threshold

    def classes(self, y_true: Value, y_pred: Value) -> tuple[Value, Value]:
        """The class numbers of labels and predictions.

        Shapes:
            y_true: S, y_pred: S  ->  S, S
        """
        return y_true, ops.greater_equal(y_pred, self.threshold)


class MeanIoU(IoU):
    """IoU of all classes.

    Args:
        num_classes: how many classes there are.
        name: what histories call it.
        ignore_class: a label whose samples do not count.
        sparse_y_true: whether labels are class numbers, not one-hot rows.
        sparse_y_pred: whether predictions are class numbers, not scores.
        axis: along which the classes lie where they are not sparse.

    Shapes:
        y_true: S or (*S, classes), y_pred: S or (*S, classes)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> round(float(cp.metrics.MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes,
            range(num_classes),
            name,
            ignore_class,
            sparse_y_true=sparse_y_true,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )


class OneHotIoU(IoU):
    """IoU of some classes, for one-hot labels.

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes to look at.
        name: what histories call it.
        ignore_class: a label whose samples do not count.
        sparse_y_pred: whether predictions are class numbers, not scores.
        axis: along which the classes lie.

    Shapes:
        y_true: (*S, classes), y_pred: S or (*S, classes)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> metric = cp.metrics.OneHotIoU(num_classes=2, target_class_ids=[0])
        >>> round(float(metric([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]])), 4)
        0.5
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes,
            target_class_ids,
            name,
            ignore_class,
            sparse_y_true=False,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )


class OneHotMeanIoU(MeanIoU):
    """IoU of all classes, for one-hot labels.

    Args:
        num_classes: how many classes there are.
        name: what histories call it.
        ignore_class: a label whose samples do not count.
        sparse_y_pred: whether predictions are class numbers, not scores.
        axis: along which the classes lie.

    Shapes:
        y_true: (*S, classes), y_pred: S or (*S, classes)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> metric = cp.metrics.OneHotMeanIoU(num_classes=2)
        >>> round(float(metric([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]])), 4)
        0.25
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes,
            name,
            ignore_class,
            sparse_y_true=False,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )
