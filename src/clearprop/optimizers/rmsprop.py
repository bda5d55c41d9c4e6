"""RMSprop: gradients divided by their recent size."""

from __future__ import annotations

from typing import ClassVar, Unpack

from clearprop.ir.value import Array, Value
from clearprop.ops import add, divide, multiply, sqrt, square, subtract
from clearprop.optimizers.arguments import Common, LearningRate
from clearprop.optimizers.rule import RuleOptimizer, Shared, Slots, mixed, zeros
from clearprop.optimizers.sgd import late_momentum
from clearprop.tensor.parameter import Parameter


class RMSprop(RuleOptimizer):
    """Gradient descent with each gradient divided by its recent root mean square.

        v <- rho * v + (1 - rho) * g^2
        w <- w - learning_rate * g / sqrt(v + epsilon)

    ``centered`` divides by the recent standard deviation: v less the square of the average
    gradient.  With momentum the movement is added to ``momentum`` times the last one.

    Args:
        learning_rate: a number or a schedule.
        rho: how much of the old average stays.
        momentum: how much of the last movement stays.
        epsilon: keeps the divisor from zero.
        centered: whether the average gradient is subtracted.
        **common: see ``RuleOptimizer``.

    Reference:
        T. Tieleman, G. Hinton, "Lecture 6.5: rmsprop", COURSERA: neural networks for machine
        learning (2012).
    """

    carried: ClassVar[tuple[str, ...]] = ("momentum",)

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def slots(self, parameter: Parameter) -> dict[str, Array]:
        """Averages of the gradient's square and of the gradient, and the last movement."""
        names = ["velocity"]
        names += ["momentum"] if self.momentum > 0 else []
        names += ["average_gradient"] if self.centered else []
        return {name: zeros(parameter) for name in names}

    def structure(self) -> object:
        """What the formulas of a step depend on besides data."""
        return (super().structure(), self.momentum > 0)

    def rule(
        self, weight: Value, gradient: Value, slots: Slots, shared: Shared
    ) -> tuple[Value, Slots]:
        """The new weight.

        Shapes:
            weight, gradient: S  ->  S
        """
        new = {"velocity": mixed(slots["velocity"], square(gradient), 1 - self.rho)}
        spread = new["velocity"]
        if self.centered:
            average = mixed(slots["average_gradient"], gradient, 1 - self.rho)
            new["average_gradient"] = average
            spread = subtract(spread, square(average))
        step = divide(multiply(gradient, shared["learning_rate"]), sqrt(add(spread, self.epsilon)))
        if "momentum" in slots:
            step = add(multiply(slots["momentum"], shared["momentum"]), step)
            new["momentum"] = step
        elif self.momentum > 0:
            raise late_momentum("RMSprop", self.momentum)
        return subtract(weight, step), new
