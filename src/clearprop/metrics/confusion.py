"""Which class is taken for which."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from clearprop import ops
from clearprop.dtypes import F64, I64
from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Array, Value
from clearprop.losses.shapes import check_same_shape
from clearprop.metrics.metric import Metric, State, weight_for
from clearprop.ops.lift import ArrayLike, lift


class ConfusionMetric(Metric):
    """A metric that remembers which class is taken for which, in a matrix.

    Args:
        num_classes: how many classes there are.
        name: what histories call it.

    Shapes:
        y_true: S, y_pred: S or (*S, classes)  ->  () or (classes, classes)

    Example:
        >>> import clearprop as cp
        >>> cp.metrics.ConfusionMatrix(3).initial_state()["matrix"].shape
        (3, 3)
    """

    def __init__(self, num_classes: int, name: str | None) -> None:
        if num_classes < 1:
            raise ArgumentError(
                f"{type(self).__name__}: there must be classes",
                found=f"num_classes={num_classes!r}",
                needed="1 or more",
                at=str(here()),
            )
        super().__init__(name)
        self.num_classes = num_classes

    @abstractmethod
    def classes(self, y_true: Value, y_pred: Value) -> tuple[Value, Value]:
        """The class numbers of labels and predictions.

        Shapes:
            y_true: S or (*S, classes), y_pred: S, (*S, 1) or (*S, classes)  ->  S, S
        """

    def initial_state(self, output_shape: Shape | None = None) -> dict[str, Array]:
        """No samples."""
        return {"matrix": np.zeros((self.num_classes, self.num_classes))}

    def update(
        self, state: State, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: Any = None
    ) -> dict[str, Value]:
        """The state after a batch; labels that are no class are left out.

        Shapes:
            y_true: S, y_pred: S or (*S, classes), sample_weight: the first axes of S
            ->  (classes, classes)
        """
        target, prediction = self.classes(lift(y_true)[0], lift(y_pred)[0])
        target, prediction = ops.cast(target, I64), ops.cast(prediction, I64)
        check_same_shape(self.name, target.shape, prediction.shape)
        weight = weight_for(self.name, sample_weight, target.shape)
        counts = ops.cast(self._is_counted(target, prediction), F64)
        if weight is not None:
            counts = ops.multiply(counts, weight)
        last = self.num_classes - 1
        row, column = ops.clip(target, 0, last), ops.clip(prediction, 0, last)
        place = ops.add(ops.multiply(row, self.num_classes), column)
        flat = ops.scatter_add(ops.ravel(state["matrix"]), ops.ravel(place), ops.ravel(counts))
        return {"matrix": ops.reshape(flat, state["matrix"].shape)}

    def _is_counted(self, target: Value, prediction: Value) -> Value:
        def is_class(x: Value) -> Value:
            return ops.logical_and(ops.greater_equal(x, 0), ops.less(x, self.num_classes))

        return ops.logical_and(is_class(target), is_class(prediction))


class ConfusionMatrix(ConfusionMetric):
    """How many samples of class i (row) are predicted as class j (column).

    Args:
        num_classes: how many classes there are.
        threshold: with two classes and a single output: above it the class is 1; 0 for logits.
        name: what histories call it.

    Shapes:
        y_true: class numbers S or one-hot (*S, classes); y_pred: scores (*S, classes), with two
        classes a single output (*S, 1), or class numbers S  ->  (classes, classes)

    Example:
        >>> import clearprop as cp
        >>> metric = cp.metrics.ConfusionMatrix(2)
        >>> metric([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """

    def __init__(
        self, num_classes: int, threshold: float = 0.5, name: str | None = "confusion_matrix"
    ) -> None:
        super().__init__(num_classes, name)
        self.threshold = threshold

    def classes(self, y_true: Value, y_pred: Value) -> tuple[Value, Value]:
        """The class numbers of labels and predictions.

        Shapes:
            y_true: S or (*S, classes), y_pred: S, (*S, 1) or (*S, classes)  ->  S, S
        """
        return self._numbers(y_true), self._numbers(y_pred, self.threshold)

    def _numbers(self, x: Value, threshold: float | None = None) -> Value:
        shape = x.shape
        if len(shape) > 1 and shape[-1] == self.num_classes and self.num_classes > 1:
            return ops.argmax(x, axis=-1)
        if threshold is not None and self.num_classes == 2:
            x = ops.greater(x, threshold)
        return ops.squeeze(x, -1) if len(shape) > 1 and shape[-1] == 1 else x

    def compute(self, state: State) -> Value:
        """The matrix.

        Shapes:
            (classes, classes)  ->  (classes, classes)
        """
        return state["matrix"]
