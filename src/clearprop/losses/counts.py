"""The loss for targets that are counts: how often something happens."""

from __future__ import annotations

from clearprop import ops
from clearprop.ir.value import Value
from clearprop.losses.loss import DEFAULT_REDUCTION, FunctionLoss
from clearprop.losses.numbers import EPSILON
from clearprop.losses.shapes import paired
from clearprop.ops.lift import ArrayLike


def poisson(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """The mean of p - y log p over the outputs.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  S

    Example:
        >>> poisson([[0.0, 2.0]], [[3.0, 1.0]]).numpy().round(4).tolist()
        [2.0]
    """
    target, prediction = paired("poisson", y_true, y_pred)
    logs = ops.log(ops.add(prediction, EPSILON))
    return ops.mean(ops.subtract(prediction, ops.multiply(target, logs)), axis=-1)


class Poisson(FunctionLoss):
    """The mean of p - y log p, where p is the expected count.

    Args:
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs) of 0 or more, y_pred: (*S, outputs) above 0  ->  ()

    Reference:
        The negative logarithm of a Poisson distribution's probability, without the part that
        does not depend on p.
    """

    label_kind = "nonnegative"
    function = staticmethod(poisson)

    def __init__(
        self, reduction: str | None = DEFAULT_REDUCTION, name: str | None = "poisson"
    ) -> None:
        super().__init__(name, reduction)
