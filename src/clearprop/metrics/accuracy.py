"""How often predictions are right."""

from __future__ import annotations

from clearprop import ops
from clearprop.ir.types import Shape
from clearprop.ir.value import Value
from clearprop.losses.shapes import check_index_shape, paired, without_axis
from clearprop.metrics.mean import FunctionMean
from clearprop.ops.lift import ArrayLike, lift, lift_float

# -- functions: 1 where right, 0 where wrong ---------------------------------------


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """1 where y and p are the same number, else 0.

    Shapes:
        y_true: S, y_pred: S  ->  S

    Example:
        >>> accuracy([1, 2], [1, 3]).tolist()
        [1.0, 0.0]
    """
    target, prediction = paired("accuracy", y_true, y_pred)
    return ops.cast(ops.equal(target, prediction), prediction.dtype)


def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> Value:
    """1 where a label of 0 or 1 and its prediction are on one side of a threshold, else 0.

    Shapes:
        y_true: S, y_pred: S  ->  S

    Example:
        >>> binary_accuracy([1.0, 0.0], [0.7, 0.6]).tolist()
        [1.0, 0.0]
    """
    target, prediction = paired("binary_accuracy", y_true, y_pred)
    decided = ops.cast(ops.greater(prediction, threshold), prediction.dtype)
    return ops.cast(ops.equal(target, decided), prediction.dtype)


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """1 where the largest of a row of scores is at the class of a one-hot row, else 0.

    Shapes:
        y_true: (*S, classes), y_pred: (*S, classes)  ->  S

    Example:
        >>> categorical_accuracy([[0, 1], [0, 1]], [[0.1, 0.9], [0.6, 0.4]]).tolist()
        [1.0, 0.0]
    """
    target, prediction = paired("categorical_accuracy", y_true, y_pred)
    is_right = ops.equal(ops.argmax(target, axis=-1), ops.argmax(prediction, axis=-1))
    return ops.cast(is_right, prediction.dtype)


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """1 where the largest of a row of scores is at the class with this number, else 0.

    Shapes:
        y_true: S or (*S, 1), y_pred: (*S, classes)  ->  S

    Example:
        >>> sparse_categorical_accuracy([1, 1], [[0.1, 0.9], [0.6, 0.4]]).tolist()
        [1.0, 0.0]
    """
    prediction = lift_float(y_pred)
    labels = _labels("sparse_categorical_accuracy", y_true, prediction)
    is_right = ops.equal(labels, ops.argmax(prediction, axis=-1))
    return ops.cast(is_right, prediction.dtype)


def top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> Value:
    """1 where the class of a one-hot row has one of the k largest scores, else 0.

    Shapes:
        y_true: (*S, classes), y_pred: (*S, classes)  ->  S

    Example:
        >>> top_k_categorical_accuracy([[0, 0, 1]], [[0.1, 0.6, 0.3]], k=2).tolist()
        [1.0]
    """
    target, prediction = paired("top_k_categorical_accuracy", y_true, y_pred)
    return _in_top(ops.argmax(target, axis=-1), prediction, k)


def sparse_top_k_categorical_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, k: int = 5, from_sorted_ids: bool = False
) -> Value:
    """1 where the class with this number has one of the k largest scores, else 0.

    Args:
        y_true: class numbers.
        y_pred: scores of the classes, or with ``from_sorted_ids`` classes, the best first.
        k: how many scores count.
        from_sorted_ids: whether y_pred is a ranking.

    Shapes:
        y_true: S or (*S, 1), y_pred: (*S, classes)  ->  S

    Example:
        >>> sparse_top_k_categorical_accuracy([2], [[0.1, 0.6, 0.3]], k=2).tolist()
        [1.0]
    """
    prediction = lift_float(y_pred)
    labels = _labels("sparse_top_k_categorical_accuracy", y_true, prediction)
    if not from_sorted_ids:
        return _in_top(labels, prediction, k)
    best = ops.index(prediction, (..., slice(0, k)))
    is_there = ops.any(ops.equal(ops.expand_dims(labels, -1), best), axis=-1)
    return ops.cast(is_there, prediction.dtype)


def _labels(doing: str, y_true: ArrayLike, y_pred: Value) -> Value:
    labels = lift(y_true)[0]
    check_index_shape(doing, labels.shape, y_pred.shape)
    return ops.reshape(labels, without_axis(y_pred.shape, -1))


def _in_top(labels: Value, scores: Value, k: int) -> Value:
    """1 where fewer than k scores are above that of the label's class."""
    hot = ops.one_hot(ops.cast(labels, "int32"), scores.shape[-1], dtype=bool)
    score = ops.sum(ops.where(hot, scores, 0), axis=-1, keepdims=True)
    above = ops.sum(ops.greater(scores, score), axis=-1)
    is_there = ops.logical_and(ops.less(above, k), ops.any(hot, axis=-1))
    is_number = ops.isfinite(ops.squeeze(score, -1))
    return ops.cast(ops.logical_and(is_there, is_number), scores.dtype)


# -- classes -----------------------------------------------------------------------


class Accuracy(FunctionMean):
    """How often y and p are the same number.

    Args:
        name: what histories call it.

    Shapes:
        y_true: S, y_pred: S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.Accuracy()([1, 2], [1, 3]))
        0.5
    """

    direction = "up"
    function = staticmethod(accuracy)

    def __init__(self, name: str | None = "accuracy") -> None:
        super().__init__(name)


class BinaryAccuracy(FunctionMean):
    """How often labels of 0 or 1 and predictions are on one side of a threshold.

    Args:
        name: what histories call it.
        threshold: what a prediction must be above to say yes; 0 for logits.

    Shapes:
        y_true: S, y_pred: S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.BinaryAccuracy()([[1], [0]], [[0.7], [0.6]]))
        0.5
    """

    direction = "up"
    function = staticmethod(binary_accuracy)

    def __init__(self, name: str | None = "binary_accuracy", threshold: float = 0.5) -> None:
        super().__init__(name)
        self.threshold = threshold


class CategoricalAccuracy(FunctionMean):
    """How often the largest score is that of the right class, for one-hot labels.

    Args:
        name: what histories call it.

    Shapes:
        y_true: (*S, classes), y_pred: (*S, classes)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.CategoricalAccuracy()([[0, 1]], [[0.1, 0.9]]))
        1.0
    """

    direction = "up"
    function = staticmethod(categorical_accuracy)

    def __init__(self, name: str | None = "categorical_accuracy") -> None:
        super().__init__(name)


class SparseCategoricalAccuracy(FunctionMean):
    """How often the largest score is that of the right class, for class numbers.

    Args:
        name: what histories call it.

    Shapes:
        y_true: S or (*S, 1), y_pred: (*S, classes)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.SparseCategoricalAccuracy()([1], [[0.1, 0.9]]))
        1.0
    """

    direction = "up"
    function = staticmethod(sparse_categorical_accuracy)

    def __init__(self, name: str | None = "sparse_categorical_accuracy") -> None:
        super().__init__(name)

    def check_shapes(self, y_true: Shape, y_pred: Shape) -> None:
        """Refuse labels that are not one class number for each row of predictions.

        Raises:
            ShapeError: they do not fit.
        """
        check_index_shape(self.name, y_true, y_pred)


class TopKCategoricalAccuracy(FunctionMean):
    """How often the right class has one of the k largest scores, for one-hot labels.

    Args:
        k: how many scores count.
        name: what histories call it.

    Shapes:
        y_true: (*S, classes), y_pred: (*S, classes)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.TopKCategoricalAccuracy(k=2)([[0, 0, 1]], [[0.1, 0.6, 0.3]]))
        1.0
    """

    direction = "up"
    function = staticmethod(top_k_categorical_accuracy)

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy") -> None:
        super().__init__(name)
        self.k = k


class SparseTopKCategoricalAccuracy(FunctionMean):
    """How often the right class has one of the k largest scores, for class numbers.

    Args:
        k: how many scores count.
        name: what histories call it.
        from_sorted_ids: whether predictions are rankings of classes instead of scores.

    Shapes:
        y_true: S or (*S, 1), y_pred: (*S, classes)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.SparseTopKCategoricalAccuracy(k=2)([2], [[0.1, 0.6, 0.3]]))
        1.0
    """

    direction = "up"
    function = staticmethod(sparse_top_k_categorical_accuracy)

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(name)
        self.k, self.from_sorted_ids = k, from_sorted_ids

    def check_shapes(self, y_true: Shape, y_pred: Shape) -> None:
        """Refuse labels that are not one class number for each row of predictions.

        Raises:
            ShapeError: they do not fit.
        """
        check_index_shape(self.name, y_true, y_pred)
