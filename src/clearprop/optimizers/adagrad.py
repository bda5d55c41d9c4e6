"""Adagrad and what grew out of it: Adadelta and Ftrl."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.value import Array, Value
from clearprop.ops import (
    add,
    clip,
    divide,
    multiply,
    negative,
    power,
    reciprocal,
    sqrt,
    square,
    subtract,
)
from clearprop.optimizers.arguments import Common, LearningRate
from clearprop.optimizers.rule import RuleOptimizer, Shared, Slots, mixed, zeros
from clearprop.tensor.parameter import Parameter


class Adagrad(RuleOptimizer):
    """Gradient descent with each gradient divided by the root of the sum of all its squares.

        a <- a + g^2
        w <- w - learning_rate * g / sqrt(a + epsilon)

    Args:
        learning_rate: a number or a schedule.
        initial_accumulator_value: what a starts with.
        epsilon: keeps the divisor from zero.
        **common: see ``RuleOptimizer``.

    Reference:
        J. Duchi, E. Hazan, Y. Singer, "Adaptive subgradient methods for online learning and
        stochastic optimization", JMLR 12 (2011).
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def slots(self, parameter: Parameter) -> dict[str, Array]:
        """The sum of squares."""
        first = self.initial_accumulator_value
        return {"accumulator": np.full(parameter.shape, first, parameter.dtype)}

    def rule(
        self, weight: Value, gradient: Value, slots: Slots, shared: Shared
    ) -> tuple[Value, Slots]:
        """The new weight.

        Shapes:
            weight, gradient: S  ->  S
        """
        total = add(slots["accumulator"], square(gradient))
        step = divide(multiply(gradient, shared["learning_rate"]), sqrt(add(total, self.epsilon)))
        return subtract(weight, step), {"accumulator": total}


class Adadelta(RuleOptimizer):
    """Steps as large as recent steps, along gradients divided by their recent root mean square.

        a <- rho * a + (1 - rho) * g^2
        s  = g * sqrt(d + epsilon) / sqrt(a + epsilon)
        d <- rho * d + (1 - rho) * s^2
        w <- w - learning_rate * s

    Args:
        learning_rate: a number or a schedule; the paper has 1.
        rho: how much of the old averages stays.
        epsilon: keeps the divisor from zero, and starts the movement.
        **common: see ``RuleOptimizer``.

    Reference:
        M. D. Zeiler, "ADADELTA: an adaptive learning rate method" (2012).
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.rho, self.epsilon = rho, epsilon

    def slots(self, parameter: Parameter) -> dict[str, Array]:
        """Averages of the squares of gradients and of movements."""
        return {"gradient_square": zeros(parameter), "step_square": zeros(parameter)}

    def rule(
        self, weight: Value, gradient: Value, slots: Slots, shared: Shared
    ) -> tuple[Value, Slots]:
        """The new weight.

        Shapes:
            weight, gradient: S  ->  S
        """
        gradient_square = mixed(slots["gradient_square"], square(gradient), 1 - self.rho)
        ratio = divide(add(slots["step_square"], self.epsilon), add(gradient_square, self.epsilon))
        step = multiply(gradient, sqrt(ratio))
        step_square = mixed(slots["step_square"], square(step), 1 - self.rho)
        return subtract(weight, multiply(step, shared["learning_rate"])), {
            "gradient_square": gradient_square,
            "step_square": step_square,
        }


class Ftrl(RuleOptimizer):
    """Follow the regularized leader: weights that a penalty can hold at exactly zero.

        h  = g + 2 * l2_shrinkage * w
        z <- z + h - ((n + g^2)^-p - n^-p) / learning_rate * w
        n <- n + g^2
        w <- (clip(z, -l1, l1) - z) / (n^-p / learning_rate + 2 * l2 + beta / learning_rate)

    where p is ``learning_rate_power``.

    Args:
        learning_rate: a number or a schedule, above 0.
        learning_rate_power: how fast the step shrinks: -0.5 as Adagrad, 0 not at all.
        initial_accumulator_value: what n starts with.
        l1_regularization_strength: l1.
        l2_regularization_strength: l2.
        l2_shrinkage_regularization_strength: pulls weights to zero through the gradient.
        beta: of the paper.
        **common: see ``RuleOptimizer``.

    Reference:
        H. B. McMahan et al., "Ad click prediction: a view from the trenches", KDD (2013).
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        signs = {
            "learning_rate_power": -learning_rate_power,
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        }
        for name, not_negative in signs.items():
            if not_negative < 0:
                raise ArgumentError(
                    f"Ftrl: {name} has the wrong sign",
                    found=f"{name}={getattr(self, name)!r}",
                    needed="0 or less" if name == "learning_rate_power" else "0 or more",
                    at=str(here()),
                )

    def slots(self, parameter: Parameter) -> dict[str, Array]:
        """The sum of squares n and the sum of gradients z."""
        first = self.initial_accumulator_value
        accumulator = np.full(parameter.shape, first, parameter.dtype)
        return {"accumulator": accumulator, "linear": zeros(parameter)}

    def prepare(self, numbers: dict[str, Value]) -> dict[str, Value]:
        """1 / learning_rate and the part of the divisor that is the same for all.

        Shapes:
            () each  ->  () each
        """
        inverse = reciprocal(numbers["learning_rate"])
        fixed = add(multiply(inverse, self.beta), 2.0 * self.l2_regularization_strength)
        return {"inverse": inverse, "fixed": fixed}

    def rule(
        self, weight: Value, gradient: Value, slots: Slots, shared: Shared
    ) -> tuple[Value, Slots]:
        """The new weight.

        Shapes:
            weight, gradient: S  ->  S
        """
        exponent = -float(self.learning_rate_power)
        total = add(slots["accumulator"], square(gradient))
        before = multiply(power(slots["accumulator"], exponent), shared["inverse"])
        after = multiply(power(total, exponent), shared["inverse"])
        if self.l2_shrinkage_regularization_strength:
            shrinkage = 2.0 * self.l2_shrinkage_regularization_strength
            gradient = add(gradient, multiply(weight, shrinkage))
        change = subtract(gradient, multiply(subtract(after, before), weight))
        linear = add(slots["linear"], change)
        limit = float(self.l1_regularization_strength)
        rest = subtract(clip(linear, -limit, limit), linear) if limit else negative(linear)
        new = divide(rest, add(after, shared["fixed"]))
        return new, {"accumulator": total, "linear": linear}
