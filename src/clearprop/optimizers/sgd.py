"""Gradient descent, with and without momentum."""

from __future__ import annotations

from typing import ClassVar, Unpack

from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.value import Array, Value
from clearprop.ops import add, multiply, subtract
from clearprop.optimizers.arguments import Common, LearningRate
from clearprop.optimizers.rule import RuleOptimizer, Shared, Slots, zeros
from clearprop.tensor.parameter import Parameter


class SGD(RuleOptimizer):
    """Stochastic gradient descent.

    w <- w - learning_rate * g.  With momentum:

        m <- momentum * m - learning_rate * g
        w <- w + m                                       (or, with nesterov:
        w <- w + momentum * m - learning_rate * g)

    Args:
        learning_rate: a number or a schedule.
        momentum: how much of the last movement stays, 0 to 1.
        nesterov: whether the gradient counts as taken one movement ahead.
        **common: see ``RuleOptimizer``.

    Reference:
        I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of initialization and
        momentum in deep learning", ICML (2013).

    Example:
        >>> import clearprop as cp
        >>> w = cp.parameter([1.0])
        >>> cp.optimizers.SGD(0.5).apply([[1.0]], [w])
        >>> w.tolist()
        [0.5]
    """

    carried: ClassVar[tuple[str, ...]] = ("momentum",)

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        if not 0 <= momentum <= 1:
            raise ArgumentError(
                "SGD: momentum is the share of the last movement that stays",
                found=f"momentum={momentum!r}",
                needed="0 to 1",
                at=str(here()),
            )
        self.momentum, self.nesterov = momentum, nesterov

    def slots(self, parameter: Parameter) -> dict[str, Array]:
        """The last movement."""
        return {"momentum": zeros(parameter)} if self.momentum else {}

    def structure(self) -> object:
        """What the formulas of a step depend on besides data."""
        return (super().structure(), bool(self.momentum))

    def rule(
        self, weight: Value, gradient: Value, slots: Slots, shared: Shared
    ) -> tuple[Value, Slots]:
        """The new weight.

        Shapes:
            weight, gradient: S  ->  S
        """
        step = multiply(gradient, shared["learning_rate"])
        if "momentum" not in slots:
            if self.momentum:
                raise late_momentum("SGD", self.momentum)
            return subtract(weight, step), {}
        momentum = subtract(multiply(slots["momentum"], shared["momentum"]), step)
        moved = momentum
        if self.nesterov:
            moved = subtract(multiply(momentum, shared["momentum"]), step)
        return add(weight, moved), {"momentum": momentum}


def late_momentum(name: str, momentum: float) -> ArgumentError:
    """The error of an optimizer that is to begin with momentum in the middle of training."""
    return ArgumentError(
        f"{name}: training began without momentum, so no movement was kept",
        found=f"momentum={momentum!r}",
        needed="0, as when training began",
        try_=f"{name}(momentum=...), even a tiny one, when the optimizer is made",
        at=str(here()),
    )
