"""Losses for samples that are each of one class, labels given as one-hot rows."""

from __future__ import annotations

from clearprop import ops
from clearprop.ir.value import Value
from clearprop.losses.loss import DEFAULT_REDUCTION, FunctionLoss
from clearprop.losses.numbers import EPSILON, log_probabilities, normalized, smoothed
from clearprop.losses.shapes import paired
from clearprop.ops.lift import ArrayLike


def categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Value:
    """The sum of -y log p over the classes.

    Args:
        y_true: one-hot rows, or rows of probabilities.
        y_pred: probabilities (rows are divided by their sums), or logits.
        from_logits: whether a softmax is still to be applied.
        label_smoothing: the share of each label that goes to all classes alike.
        axis: along which the classes lie.

    Shapes:
        y_true: (*S, classes), y_pred: (*S, classes)  ->  S

    Example:
        >>> round(float(categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
        0.6931
    """
    target, prediction = paired("categorical_crossentropy", y_true, y_pred)
    target = smoothed(target, label_smoothing, prediction.shape[axis])
    log_p = log_probabilities(prediction, axis, from_logits=from_logits)
    return ops.negative(ops.sum(ops.multiply(target, log_p), axis=axis))


def categorical_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Value:
    """The sum of -alpha (1 - p)^gamma y log p over the classes.

    Args:
        y_true: one-hot rows, or rows of probabilities.
        y_pred: probabilities, or logits.
        alpha: a factor.
        gamma: how much less what is already right counts.
        from_logits: whether a softmax is still to be applied.
        label_smoothing: the share of each label that goes to all classes alike.
        axis: along which the classes lie.

    Shapes:
        y_true: (*S, classes), y_pred: (*S, classes)  ->  S

    Reference:
        T.-Y. Lin et al., Focal loss for dense object detection, 2017.
    """
    target, prediction = paired("categorical_focal_crossentropy", y_true, y_pred)
    target = smoothed(target, label_smoothing, prediction.shape[axis])
    log_p = log_probabilities(prediction, axis, from_logits=from_logits)
    p = ops.softmax(prediction, axis=axis) if from_logits else normalized(prediction, axis)
    weight = ops.multiply(ops.power(ops.subtract(1, p), gamma), alpha)
    losses = ops.multiply(weight, ops.multiply(target, log_p))
    return ops.negative(ops.sum(losses, axis=axis))


def kl_divergence(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """The sum of y log(y / p) over the classes: how far the distribution p is from y.

    Shapes:
        y_true: (*S, classes), y_pred: (*S, classes)  ->  S

    Example:
        >>> round(float(kl_divergence([[0.5, 0.5]], [[0.25, 0.75]])[0]), 4)
        0.1438
    """
    target, prediction = paired("kl_divergence", y_true, y_pred)
    y, p = ops.clip(target, EPSILON, 1.0), ops.clip(prediction, EPSILON, 1.0)
    return ops.sum(ops.multiply(y, ops.log(ops.divide(y, p))), axis=-1)


class CategoricalCrossentropy(FunctionLoss):
    """The sum of -y log p over the classes, for one-hot labels.

    Args:
        from_logits: whether the model ends without a softmax, which is safer.
        label_smoothing: the share of each label that goes to all classes alike.
        axis: along which the classes lie.
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, classes), y_pred: (*S, classes)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> loss = cp.losses.CategoricalCrossentropy(from_logits=True)
        >>> round(float(loss([[0.0, 1.0]], [[2.0, 2.0]])), 4)
        0.6931
    """

    label_kind = "one_hot"
    function = staticmethod(categorical_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = DEFAULT_REDUCTION,
        name: str | None = "categorical_crossentropy",
    ) -> None:
        super().__init__(name, reduction)
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis


class CategoricalFocalCrossentropy(FunctionLoss):
    """The categorical cross-entropy in which samples that are already right count less.

    Args:
        alpha: a factor.
        gamma: how much less what is already right counts.
        from_logits: whether the model ends without a softmax.
        label_smoothing: the share of each label that goes to all classes alike.
        axis: along which the classes lie.
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, classes), y_pred: (*S, classes)  ->  ()

    Reference:
        T.-Y. Lin et al., Focal loss for dense object detection, 2017.
    """

    label_kind = "one_hot"
    function = staticmethod(categorical_focal_crossentropy)

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = DEFAULT_REDUCTION,
        name: str | None = "categorical_focal_crossentropy",
    ) -> None:
        super().__init__(name, reduction)
        self.alpha, self.gamma = alpha, gamma
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis


class KLDivergence(FunctionLoss):
    """The sum of y log(y / p) over the classes.

    Args:
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, classes) of 0 to 1, y_pred: (*S, classes) of 0 to 1  ->  ()

    Reference:
        S. Kullback, R. A. Leibler, On information and sufficiency, 1951.
    """

    label_kind = "distribution"
    function = staticmethod(kl_divergence)

    def __init__(
        self, reduction: str | None = DEFAULT_REDUCTION, name: str | None = "kl_divergence"
    ) -> None:
        super().__init__(name, reduction)
