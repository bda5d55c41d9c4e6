"""Muon: matrices move in directions whose singular values are all about one."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import ClassVar, Unpack

from clearprop.ir.value import Array, Value
from clearprop.ops import (
    add,
    divide,
    matmul,
    multiply,
    sqrt,
    square,
    subtract,
    transpose,
)
from clearprop.ops import sum as sum_
from clearprop.optimizers.adam import adam_step
from clearprop.optimizers.arguments import CommonButDecay, LearningRate
from clearprop.optimizers.optimizer import path_of
from clearprop.optimizers.rule import RuleOptimizer, Shared, Slots, mixed, zeros
from clearprop.tensor.parameter import Parameter

_LEAST_LENGTH = 1e-7


class Muon(RuleOptimizer):
    """Momentum, made orthogonal, for matrices; AdamW for everything else.

        m <- momentum * m + g;   d = g + momentum * m  (nesterov; else d = m)
        w <- w - learning_rate * rms_rate * sqrt(longer side) * orthogonal(d)

    ``orthogonal`` pulls all singular values of d / |d| towards 1 by ``ns_steps`` times
    x <- a * x + (b * x x' + c * (x x')^2) x.  Vectors, weights with more than two axes, embeddings
    and what ``exclude_layers`` names follow AdamW.

    Args:
        learning_rate: a number or a schedule.
        adam_beta_1: AdamW's beta_1.
        adam_beta_2: AdamW's beta_2.
        adam_weight_decay: AdamW's weight decay.
        epsilon: AdamW's epsilon.
        weight_decay: weight decay of the matrices.
        exclude_layers: patterns; weights whose path holds one follow AdamW.
        exclude_embeddings: whether weights with "embedding" in their path follow AdamW.
        muon_a: a above.
        muon_b: b above.
        muon_c: c above.
        adam_lr_ratio: AdamW's learning rate is so many times this one.
        momentum: how much of the last movement stays.
        ns_steps: how often the matrix is pulled towards an orthogonal one.
        nesterov: whether the gradient counts as taken one movement ahead.
        rms_rate: scales the step to the size of Adam's; None does not scale at all.
        **common: see ``RuleOptimizer``.

    Reference:
        K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024);
        J. Liu et al., "Muon is scalable for LLM training" (2025).
    """

    carried: ClassVar[tuple[str, ...]] = ("adam_weight_decay", "momentum")

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        *,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **common: Unpack[CommonButDecay],
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **common)
        self.adam_beta_1, self.adam_beta_2, self.epsilon = adam_beta_1, adam_beta_2, epsilon
        self.adam_weight_decay, self.adam_lr_ratio = adam_weight_decay, adam_lr_ratio
        self.exclude_layers = list(exclude_layers or [])
        self.exclude_embeddings = exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.momentum, self.nesterov = momentum, nesterov
        self.ns_steps, self.rms_rate = ns_steps, rms_rate

    def slots(self, parameter: Parameter) -> dict[str, Array]:
        """The last movement; for AdamW averages of the gradient and of its square."""
        if self._follows_adam(parameter):
            return {"momentum": zeros(parameter), "velocity": zeros(parameter)}
        return {"momentum": zeros(parameter)}

    def _follows_adam(self, parameter: Parameter) -> bool:
        path = path_of(parameter)
        return (
            len(parameter.shape) != 2
            or (self.exclude_embeddings and "embedding" in path.lower())
            or any(re.search(pattern, path) for pattern in self.exclude_layers)
        )

    def decay_for(self, slots: Slots) -> str:
        """AdamW's weight decay for what follows it."""
        return "adam_weight_decay" if "velocity" in slots else "weight_decay"

    def prepare(self, numbers: dict[str, Value]) -> dict[str, Value]:
        """AdamW's corrected learning rate.

        Shapes:
            () each  ->  () each
        """
        rate = multiply(numbers["learning_rate"], float(self.adam_lr_ratio))
        step = adam_step(rate, numbers["count"], self.adam_beta_1, self.adam_beta_2)
        return {"adam_step": step}

    def rule(
        self, weight: Value, gradient: Value, slots: Slots, shared: Shared
    ) -> tuple[Value, Slots]:
        """The new weight.

        Shapes:
            weight, gradient: S  ->  S
        """
        if "velocity" in slots:
            return self._adam_rule(weight, gradient, slots, shared)
        momentum = add(gradient, multiply(slots["momentum"], shared["momentum"]))
        direction = momentum
        if self.nesterov:
            direction = add(gradient, multiply(momentum, shared["momentum"]))
        scale = 1.0
        if self.rms_rate is not None:
            scale = self.rms_rate * math.sqrt(max(weight.shape))
        step = multiply(self._orthogonal(direction), multiply(shared["learning_rate"], scale))
        return subtract(weight, step), {"momentum": momentum}

    def _adam_rule(
        self, weight: Value, gradient: Value, slots: Slots, shared: Shared
    ) -> tuple[Value, Slots]:
        momentum = mixed(slots["momentum"], gradient, 1 - self.adam_beta_1)
        velocity = mixed(slots["velocity"], square(gradient), 1 - self.adam_beta_2)
        step = divide(multiply(momentum, shared["adam_step"]), add(sqrt(velocity), self.epsilon))
        return subtract(weight, step), {"momentum": momentum, "velocity": velocity}

    def _orthogonal(self, x: Value) -> Value:
        is_tall = x.shape[0] > x.shape[1]
        x = transpose(x) if is_tall else x  # so that x x' is the smaller square
        length = add(sqrt(sum_(square(x))), _LEAST_LENGTH)
        x = divide(x, length)
        for _ in range(self.ns_steps):
            squares = matmul(x, transpose(x))
            pull = add(
                multiply(squares, self.muon_b), multiply(matmul(squares, squares), self.muon_c)
            )
            x = add(multiply(x, self.muon_a), matmul(pull, x))
        return transpose(x) if is_tall else x
