"""Optimizers for large models and batches: Lion, Lamb, Adafactor, schedule-free AdamW."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from clearprop.ir.value import Array, Value
from clearprop.ops import (
    add,
    divide,
    expand_dims,
    greater,
    logical_and,
    maximum,
    mean,
    minimum,
    multiply,
    power,
    rsqrt,
    sign,
    sqrt,
    square,
    subtract,
    where,
)
from clearprop.ops import sum as sum_
from clearprop.optimizers.arguments import Common, LearningRate
from clearprop.optimizers.rule import RuleOptimizer, Shared, Slots, mixed, zeros
from clearprop.tensor.parameter import Parameter


class Lion(RuleOptimizer):
    """Steps of one size, whose sign an average gradient decides.

        w <- w - learning_rate * sign(beta_1 * m + (1 - beta_1) * g)
        m <- beta_2 * m + (1 - beta_2) * g

    Args:
        learning_rate: a number or a schedule; three to ten times smaller than for Adam.
        beta_1: how much the average counts against the newest gradient.
        beta_2: how much of the old average stays.
        **common: see ``RuleOptimizer``.

    Reference:
        X. Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS (2023).
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1, self.beta_2 = beta_1, beta_2

    def slots(self, parameter: Parameter) -> dict[str, Array]:
        """The average gradient."""
        return {"momentum": zeros(parameter)}

    def rule(
        self, weight: Value, gradient: Value, slots: Slots, shared: Shared
    ) -> tuple[Value, Slots]:
        """The new weight.

        Shapes:
            weight, gradient: S  ->  S
        """
        direction = add(
            multiply(slots["momentum"], self.beta_1), multiply(gradient, 1 - self.beta_1)
        )
        momentum = add(
            multiply(slots["momentum"], self.beta_2), multiply(gradient, 1 - self.beta_2)
        )
        step = multiply(sign(direction), shared["learning_rate"])
        return subtract(weight, step), {"momentum": momentum}


class Lamb(RuleOptimizer):
    """Adam whose step for each weight is as long as the weight itself, times learning_rate.

        m <- m + (1 - beta_1) * (g - m);  v <- v + (1 - beta_2) * (g^2 - v)
        s  = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)
        w <- w - learning_rate * |w| / |s| * s

    Args:
        learning_rate: a number or a schedule.
        beta_1: how much of the old average of gradients stays.
        beta_2: how much of the old average of squares stays.
        epsilon: keeps the divisor from zero.
        **common: see ``RuleOptimizer``.

    Reference:
        Y. You et al., "Large batch optimization for deep learning: training BERT in 76 minutes",
        ICLR (2020).
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def slots(self, parameter: Parameter) -> dict[str, Array]:
        """Averages of the gradient and of its square."""
        return {"momentum": zeros(parameter), "velocity": zeros(parameter)}

    def prepare(self, numbers: dict[str, Value]) -> dict[str, Value]:
        """The corrections of m and of epsilon, both multiplied by sqrt(1 - beta_2^t).

        Shapes:
            () each  ->  () each
        """
        count = numbers["count"]
        whole = sqrt(subtract(1.0, power(self.beta_2, count)))
        return {
            "of_momentum": divide(whole, subtract(1.0, power(self.beta_1, count))),
            "epsilon": multiply(whole, self.epsilon),
        }

    def rule(
        self, weight: Value, gradient: Value, slots: Slots, shared: Shared
    ) -> tuple[Value, Slots]:
        """The new weight.

        Shapes:
            weight, gradient: S  ->  S
        """
        momentum = mixed(slots["momentum"], gradient, 1 - self.beta_1)
        velocity = mixed(slots["velocity"], square(gradient), 1 - self.beta_2)
        step = divide(
            multiply(momentum, shared["of_momentum"]), add(sqrt(velocity), shared["epsilon"])
        )
        weight_length = sqrt(sum_(square(weight)))
        step_length = sqrt(sum_(square(step)))
        both = logical_and(greater(weight_length, 0.0), greater(step_length, 0.0))
        ratio = where(both, divide(weight_length, step_length), 1.0)
        factor = multiply(ratio, shared["learning_rate"])
        return subtract(weight, multiply(step, factor)), {
            "momentum": momentum,
            "velocity": velocity,
        }


class Adafactor(RuleOptimizer):
    """Adam without momentum whose squares are kept by rows and columns only.

        b  = 1 - t^beta_2_decay;  r = min(learning_rate, 1 / sqrt(t)) * max(epsilon_2, rms(w))
        v <- b * v + (1 - b) * (g^2 + epsilon_1)       (its row and column means, see below)
        u  = g / sqrt(v)
        w <- w - r * u / max(1, rms(u) / clip_threshold)

    For a weight with two axes or more, v is the product of its means along the last axis and
    along the one before it, divided by the mean of all; only the two means are kept.

    Args:
        learning_rate: a number or a schedule.
        beta_2_decay: how slowly the averages get longer.
        epsilon_1: keeps the divisor from zero.
        epsilon_2: the least size of a weight that counts.
        clip_threshold: how large the root mean square of u may be.
        relative_step: of Keras's signature; the step is at most 1 / sqrt(t) either way, there too.
        **common: see ``RuleOptimizer``.

    Reference:
        N. Shazeer, M. Stern, "Adafactor: adaptive learning rates with sublinear memory cost",
        ICML (2018).
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = beta_2_decay, epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, relative_step

    def slots(self, parameter: Parameter) -> dict[str, Array]:
        """Average squares: for a matrix of its rows and of its columns."""
        shape = parameter.shape
        if len(shape) < 2:
            return {"velocity": zeros(parameter)}
        return {
            "row": np.zeros(shape[:-1], parameter.dtype),
            "column": np.zeros((*shape[:-2], shape[-1]), parameter.dtype),
        }

    def prepare(self, numbers: dict[str, Value]) -> dict[str, Value]:
        """The share of the new squares, and the step relative to a weight's size.

        Shapes:
            () each  ->  () each
        """
        count = numbers["count"]
        return {
            "share": power(count, float(self.beta_2_decay)),
            "relative": minimum(numbers["learning_rate"], rsqrt(count)),
        }

    def rule(
        self, weight: Value, gradient: Value, slots: Slots, shared: Shared
    ) -> tuple[Value, Slots]:
        """The new weight.

        Shapes:
            weight, gradient: S  ->  S
        """
        squares = add(square(gradient), self.epsilon_1)
        if "velocity" in slots:
            new = {"velocity": mixed(slots["velocity"], squares, shared["share"])}
            direction = divide(gradient, sqrt(new["velocity"]))
        else:
            row = mixed(slots["row"], mean(squares, -1), shared["share"])
            column = mixed(slots["column"], mean(squares, -2), shared["share"])
            new = {"row": row, "column": column}
            of_rows = divide(row, mean(row, -1, keepdims=True))
            velocity = multiply(expand_dims(of_rows, -1), expand_dims(column, -2))
            direction = divide(gradient, sqrt(velocity))
        size = maximum(_root_mean_square(weight), self.epsilon_2)
        excess = maximum(divide(_root_mean_square(direction), self.clip_threshold), 1.0)
        step = multiply(direction, divide(multiply(size, shared["relative"]), excess))
        return subtract(weight, step), new


def _root_mean_square(x: Value) -> Value:
    return sqrt(mean(square(x)))


class ScheduleFreeAdamW(RuleOptimizer):
    """AdamW that averages its weights instead of lowering its learning rate.

        v <- v + (1 - beta_2) * (g^2 - v)
        x  = (w - (1 - beta_1) * z) / beta_1
        z <- z - r * g / (sqrt(v / (1 - beta_2^t)) + epsilon)
        x <- x + (z - x) / t
        w <- (1 - beta_1) * z + beta_1 * x

    where r is learning_rate, times t / warmup_steps while that is below 1.

    Args:
        learning_rate: a number or a schedule.
        beta_1: how near to the average the gradient is taken.
        beta_2: how much of the old average of squares stays.
        epsilon: keeps the divisor from zero.
        warmup_steps: how long the learning rate rises.
        **common: see ``RuleOptimizer``.

    Reference:
        A. Defazio et al., "The road less scheduled", NeurIPS (2024).
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.epsilon, self.warmup_steps = epsilon, warmup_steps

    def slots(self, parameter: Parameter) -> dict[str, Array]:
        """The weight z that takes the steps, and the average of squares."""
        return {"momentum": parameter.numpy().copy(), "velocity": zeros(parameter)}

    def prepare(self, numbers: dict[str, Value]) -> dict[str, Value]:
        """The learning rate and epsilon times sqrt(1 - beta_2^t), and the weight of the newest.

        Shapes:
            () each  ->  () each
        """
        rate, count = numbers["learning_rate"], numbers["count"]
        if self.warmup_steps > 0:
            rate = multiply(rate, minimum(divide(count, self.warmup_steps), 1.0))
        whole = sqrt(subtract(1.0, power(self.beta_2, count)))
        return {
            "step": multiply(rate, whole),
            "epsilon": multiply(whole, self.epsilon),
            "newest": divide(1.0, count),
        }

    def rule(
        self, weight: Value, gradient: Value, slots: Slots, shared: Shared
    ) -> tuple[Value, Slots]:
        """The new weight.

        Shapes:
            weight, gradient: S  ->  S
        """
        velocity = mixed(slots["velocity"], square(gradient), 1 - self.beta_2)
        divisor = add(sqrt(velocity), shared["epsilon"])
        step = divide(multiply(gradient, shared["step"]), divisor)
        momentum = subtract(slots["momentum"], step)
        own = multiply(slots["momentum"], 1 - self.beta_1)
        average = multiply(subtract(weight, own), 1 / self.beta_1)
        average = mixed(average, momentum, shared["newest"])
        return mixed(momentum, average, self.beta_1), {
            "momentum": momentum,
            "velocity": velocity,
        }
