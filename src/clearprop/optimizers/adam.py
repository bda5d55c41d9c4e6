"""Adam and its closest relatives: averages of the gradient and of its square."""

from __future__ import annotations

from typing import Unpack

from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.value import Array, Value
from clearprop.ops import (
    absolute,
    add,
    divide,
    maximum,
    multiply,
    power,
    sqrt,
    square,
    subtract,
)
from clearprop.optimizers.arguments import Common, CommonButDecay, LearningRate
from clearprop.optimizers.rule import RuleOptimizer, Shared, Slots, mixed, zeros
from clearprop.tensor.parameter import Parameter


def adam_step(learning_rate: Value, count: Value, beta_1: float, beta_2: float) -> Value:
    """learning_rate * sqrt(1 - beta_2^count) / (1 - beta_1^count).

    The averages start at zero; the fraction makes up for that.

    Shapes:
        learning_rate, count: ()  ->  ()
    """
    whole = sqrt(subtract(1.0, power(beta_2, count)))
    return divide(multiply(learning_rate, whole), subtract(1.0, power(beta_1, count)))


class Adam(RuleOptimizer):
    """Steps along the average gradient, divided by its recent root mean square.

        m <- m + (1 - beta_1) * (g - m)
        v <- v + (1 - beta_2) * (g^2 - v)
        a  = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t)
        w <- w - a * m / (sqrt(v) + epsilon)

    Args:
        learning_rate: a number or a schedule.
        beta_1: how much of the old average of gradients stays.
        beta_2: how much of the old average of squares stays.
        epsilon: keeps the divisor from zero; the epsilon-hat of the paper.
        amsgrad: whether the largest v so far is used instead of v.
        **common: see ``RuleOptimizer``.

    Reference:
        D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR (2015); S. J.
        Reddi, S. Kale, S. Kumar, "On the convergence of Adam and beyond", ICLR (2018).
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.epsilon, self.amsgrad = epsilon, amsgrad

    def slots(self, parameter: Parameter) -> dict[str, Array]:
        """Averages of the gradient and of its square."""
        names = ["momentum", "velocity", *(["velocity_hat"] if self.amsgrad else [])]
        return {name: zeros(parameter) for name in names}

    def prepare(self, numbers: dict[str, Value]) -> dict[str, Value]:
        """The corrected learning rate.

        Shapes:
            () each  ->  () each
        """
        rate, count = numbers["learning_rate"], numbers["count"]
        return {"step": adam_step(rate, count, self.beta_1, self.beta_2)}

    def rule(
        self, weight: Value, gradient: Value, slots: Slots, shared: Shared
    ) -> tuple[Value, Slots]:
        """The new weight.

        Shapes:
            weight, gradient: S  ->  S
        """
        new = {
            "momentum": mixed(slots["momentum"], gradient, 1 - self.beta_1),
            "velocity": mixed(slots["velocity"], square(gradient), 1 - self.beta_2),
        }
        velocity = new["velocity"]
        if self.amsgrad:
            velocity = new["velocity_hat"] = maximum(slots["velocity_hat"], velocity)
        step = multiply(new["momentum"], shared["step"])
        return subtract(weight, divide(step, add(sqrt(velocity), self.epsilon))), new


class AdamW(Adam):
    """Adam with weight decay.

    Each step first multiplies the weights by 1 - learning_rate * weight_decay.

    Args:
        learning_rate: a number or a schedule.
        weight_decay: how fast weights decay.
        beta_1: how much of the old average of gradients stays.
        beta_2: how much of the old average of squares stays.
        epsilon: keeps the divisor from zero.
        amsgrad: whether the largest v so far is used instead of v.
        **common: see ``RuleOptimizer``.

    Reference:
        I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR (2019).
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Unpack[CommonButDecay],
    ) -> None:
        if weight_decay is None:
            raise ArgumentError(
                "AdamW: it is Adam with weight decay",
                found="weight_decay=None",
                needed="a number such as 0.004",
                try_="cp.optimizers.Adam for none",
                at=str(here()),
            )
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **common
        )


class Adamax(RuleOptimizer):
    """Adam with the largest recent gradient in place of the root mean square.

        m <- m + (1 - beta_1) * (g - m)
        u <- max(beta_2 * u, |g|)
        w <- w - learning_rate / (1 - beta_1^t) * m / (u + epsilon)

    Args:
        learning_rate: a number or a schedule.
        beta_1: how much of the old average of gradients stays.
        beta_2: how fast the largest gradient fades.
        epsilon: keeps the divisor from zero.
        **common: see ``RuleOptimizer``.

    Reference:
        D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR (2015), section 7.
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
        """The average gradient, and its largest recent size."""
        return {"momentum": zeros(parameter), "norm": zeros(parameter)}

    def prepare(self, numbers: dict[str, Value]) -> dict[str, Value]:
        """The corrected learning rate.

        Shapes:
            () each  ->  () each
        """
        missing = power(self.beta_1, numbers["count"])
        return {"step": divide(numbers["learning_rate"], subtract(1.0, missing))}

    def rule(
        self, weight: Value, gradient: Value, slots: Slots, shared: Shared
    ) -> tuple[Value, Slots]:
        """The new weight.

        Shapes:
            weight, gradient: S  ->  S
        """
        momentum = mixed(slots["momentum"], gradient, 1 - self.beta_1)
        norm = maximum(multiply(slots["norm"], self.beta_2), absolute(gradient))
        step = divide(multiply(momentum, shared["step"]), add(norm, self.epsilon))
        return subtract(weight, step), {"momentum": momentum, "norm": norm}


_NADAM_DECAY = 0.96  # of the paper's schedule of momentum


class Nadam(RuleOptimizer):
    """Adam with Nesterov's momentum, which rises towards beta_1.

        u(t) = beta_1 * (1 - 0.96^t / 2);  p = u(1) * ... * u(t)
        m <- m + (1 - beta_1) * (g - m)
        v <- v + (1 - beta_2) * (g^2 - v)
        h  = u(t+1) * m / (1 - p * u(t+1)) + (1 - u(t)) * g / (1 - p)
        w <- w - learning_rate * h / (sqrt(v / (1 - beta_2^t)) + epsilon)

    Args:
        learning_rate: a number or a schedule.
        beta_1: how much of the old average of gradients stays.
        beta_2: how much of the old average of squares stays.
        epsilon: keeps the divisor from zero.
        **common: see ``RuleOptimizer``.

    Reference:
        T. Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop (2016).
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

    def whole_state(self) -> dict[str, float]:
        """The product of the momenta so far."""
        return {"momentum_product": 1.0}

    def prepare(self, numbers: dict[str, Value]) -> dict[str, Value]:
        """The factors of m, of g and of epsilon, everything multiplied by sqrt(1 - beta_2^t).

        Shapes:
            () each  ->  () each
        """
        count = numbers["count"]
        now, then = self._momentum(count), self._momentum(add(count, 1.0))
        product = multiply(numbers["momentum_product"], now)
        whole = sqrt(subtract(1.0, power(self.beta_2, count)))
        rate = multiply(numbers["learning_rate"], whole)
        return {
            "momentum_product": product,
            "of_momentum": divide(multiply(rate, then), subtract(1.0, multiply(product, then))),
            "of_gradient": divide(multiply(rate, subtract(1.0, now)), subtract(1.0, product)),
            "epsilon": multiply(whole, self.epsilon),
        }

    def _momentum(self, count: Value) -> Value:
        faded = multiply(0.5, power(_NADAM_DECAY, count))
        return multiply(self.beta_1, subtract(1.0, faded))

    def rule(
        self, weight: Value, gradient: Value, slots: Slots, shared: Shared
    ) -> tuple[Value, Slots]:
        """The new weight.

        Shapes:
            weight, gradient: S  ->  S
        """
        momentum = mixed(slots["momentum"], gradient, 1 - self.beta_1)
        velocity = mixed(slots["velocity"], square(gradient), 1 - self.beta_2)
        step = add(
            multiply(momentum, shared["of_momentum"]), multiply(gradient, shared["of_gradient"])
        )
        step = divide(step, add(sqrt(velocity), shared["epsilon"]))
        return subtract(weight, step), {"momentum": momentum, "velocity": velocity}
