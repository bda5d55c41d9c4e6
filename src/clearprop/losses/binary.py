"""Losses for outputs that each say yes or no: two classes, or several labels per sample."""

from __future__ import annotations

from clearprop import ops
from clearprop.activations.smooth import softplus
from clearprop.ir.value import Value
from clearprop.losses.loss import DEFAULT_REDUCTION, FunctionLoss
from clearprop.losses.numbers import inside_unit, smoothed
from clearprop.losses.shapes import paired
from clearprop.ops.lift import ArrayLike


def binary_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Value:
    """The mean of -(y log p + (1 - y) log(1 - p)) over the outputs.

    Args:
        y_true: 0 or 1, or a probability.
        y_pred: probabilities, or with ``from_logits`` what a sigmoid would make them of.
        from_logits: computes log(1 + e^z) - y z instead, which no logit z makes overflow.
        label_smoothing: labels 0 and 1 become half of this, and 1 minus half of this.
        axis: along which to take the mean.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Example:
        >>> round(float(binary_crossentropy([[1.0]], [[0.5]])[0]), 4)
        0.6931
    """
    target, prediction = paired("binary_crossentropy", y_true, y_pred)
    target = smoothed(target, label_smoothing, 2)
    return ops.mean(_crossentropy(target, prediction, from_logits=from_logits), axis=axis)


def _crossentropy(target: Value, prediction: Value, *, from_logits: bool) -> Value:
    if from_logits:
        return ops.subtract(softplus(prediction), ops.multiply(target, prediction))
    p = inside_unit(prediction)
    yes = ops.multiply(target, ops.log(p))
    no = ops.multiply(ops.subtract(1, target), ops.log(ops.subtract(1, p)))
    return ops.negative(ops.add(yes, no))


def binary_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Value:
    """The binary cross-entropy times (1 - p_t)^gamma, where p_t is the label's probability.

    Args:
        y_true: 0 or 1, or a probability.
        y_pred: probabilities, or logits.
        apply_class_balancing: whether to weight yes by alpha and no by 1 - alpha.
        alpha: the weight of yes.
        gamma: how much less what is already right counts.
        from_logits: whether a sigmoid is still to be applied.
        label_smoothing: labels 0 and 1 become half of this, and 1 minus half of this.
        axis: along which to take the mean.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Reference:
        T.-Y. Lin et al., Focal loss for dense object detection, 2017.
    """
    target, prediction = paired("binary_focal_crossentropy", y_true, y_pred)
    target = smoothed(target, label_smoothing, 2)
    other = ops.subtract(1, target)
    if from_logits:
        yes, no = ops.sigmoid(prediction), ops.sigmoid(ops.negative(prediction))
    else:
        yes, no = prediction, ops.subtract(1, prediction)
    wrong = ops.add(ops.multiply(target, no), ops.multiply(other, yes))
    losses = ops.multiply(
        ops.power(wrong, gamma), _crossentropy(target, prediction, from_logits=from_logits)
    )
    if apply_class_balancing:
        weight = ops.add(ops.multiply(target, alpha), ops.multiply(other, 1 - alpha))
        losses = ops.multiply(weight, losses)
    return ops.mean(losses, axis=axis)


class BinaryCrossentropy(FunctionLoss):
    """The mean of -(y log p + (1 - y) log(1 - p)): two classes, or several labels at once.

    Args:
        from_logits: whether the model ends without a sigmoid, which is safer.
        label_smoothing: labels 0 and 1 become half of this, and 1 minus half of this.
        axis: along which to take the mean.
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs) of 0 to 1, y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> loss = cp.losses.BinaryCrossentropy(from_logits=True)
        >>> round(float(loss([[1.0], [0.0]], [[0.0], [-100.0]])), 4)
        0.3466
    """

    label_kind = "binary"
    function = staticmethod(binary_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = DEFAULT_REDUCTION,
        name: str | None = "binary_crossentropy",
    ) -> None:
        super().__init__(name, reduction)
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis


class BinaryFocalCrossentropy(FunctionLoss):
    """The binary cross-entropy in which samples that are already right count less.

    Args:
        apply_class_balancing: whether to weight yes by alpha and no by 1 - alpha.
        alpha: the weight of yes.
        gamma: how much less what is already right counts.
        from_logits: whether the model ends without a sigmoid.
        label_smoothing: labels 0 and 1 become half of this, and 1 minus half of this.
        axis: along which to take the mean.
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs) of 0 to 1, y_pred: (*S, outputs)  ->  ()

    Reference:
        T.-Y. Lin et al., Focal loss for dense object detection, 2017.
    """

    label_kind = "binary"
    function = staticmethod(binary_focal_crossentropy)

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = DEFAULT_REDUCTION,
        name: str | None = "binary_focal_crossentropy",
    ) -> None:
        super().__init__(name, reduction)
        self.apply_class_balancing, self.alpha, self.gamma = apply_class_balancing, alpha, gamma
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis
