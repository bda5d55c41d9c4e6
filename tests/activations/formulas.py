"""The table of activations: the formula and the derivative of each, as a textbook writes them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Formula = Callable[[Any], Any]
_erf = np.vectorize(math.erf, otypes=[np.float64])


def logistic(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def inside(z: Any, low: float, high: float) -> Any:
    return ((z > low) & (z < high)).astype(z.dtype)


def density(z: Any) -> Any:
    return np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def normal(z: Any) -> Any:
    return (1 + _erf(z / math.sqrt(2))) / 2


@dataclass(frozen=True)
class Curve:
    """An activation of single numbers.

    Attributes:
        name: in ``clearprop.activations``.
        value, derivative: its formulas.
        arguments: other than the defaults.
    """

    name: str
    value: Formula
    derivative: Formula
    arguments: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name + "".join(f",{k}={v}" for k, v in self.arguments.items())


def above(z: Any) -> Any:
    return (z > 0).astype(z.dtype)


def mish_gate(z: Any) -> Any:
    return np.tanh(np.log1p(np.exp(z)))


def tanh_gate(z: Any) -> Any:
    return (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))) / 2


def tanh_gate_slope(z: Any) -> Any:
    g = tanh_gate(z)
    return 2 * g * (1 - g) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z**2)


A, S = 1.6732632423543772, 1.0507009873554805
CURVES = [
    Curve("linear", lambda z: z, np.ones_like),
    Curve("relu", lambda z: np.maximum(z, 0), above),
    Curve(
        "relu",
        lambda z: np.where(z >= 2, 2, np.where(z > 1, z, 0.1 * (z - 1))),
        lambda z: np.where(z >= 2, 0, np.where(z > 1, 1, 0.1)),
        {"negative_slope": 0.1, "max_value": 2.0, "threshold": 1.0},
    ),
    Curve(
        "relu",
        lambda z: np.where(z > -1, np.clip(z, 0, 2), 0),
        lambda z: inside(z, 0, 2),
        {"max_value": 2.0, "threshold": -1.0},
    ),
    Curve("relu6", lambda z: np.clip(z, 0, 6), lambda z: inside(z, 0, 6)),
    Curve("leaky_relu", lambda z: np.maximum(z, 0.2 * z), lambda z: np.where(z > 0, 1, 0.2)),
    Curve(
        "leaky_relu",
        lambda z: np.maximum(z, 0.01 * z),
        lambda z: np.where(z > 0, 1, 0.01),
        {"negative_slope": 0.01},
    ),
    Curve(
        "threshold",
        lambda z: np.where(z > 1, z, -3),
        lambda z: (z > 1) * 1.0,
        {"threshold": 1.0, "default_value": -3.0},
    ),
    Curve("hard_tanh", lambda z: np.clip(z, -1, 1), lambda z: inside(z, -1, 1)),
    Curve("hard_sigmoid", lambda z: np.clip(z / 6 + 0.5, 0, 1), lambda z: inside(z, -3, 3) / 6),
    Curve(
        "hard_silu",
        lambda z: z * np.clip(z / 6 + 0.5, 0, 1),
        lambda z: np.where(z >= 3, 1, inside(z, -3, 3) * (z / 3 + 0.5)),
    ),
    Curve("sparse_sigmoid", lambda z: np.clip((z + 1) / 2, 0, 1), lambda z: inside(z, -1, 1) / 2),
    Curve(
        "sparse_plus",
        lambda z: np.where(z >= 1, z, np.where(z > -1, (z + 1) ** 2 / 4, 0)),
        lambda z: np.clip((z + 1) / 2, 0, 1),
    ),
    Curve(
        "soft_shrink",
        lambda z: np.sign(z) * np.maximum(np.abs(z) - 0.5, 0),
        lambda z: (np.abs(z) > 0.5) * 1.0,
    ),
    Curve(
        "hard_shrink",
        lambda z: np.where(np.abs(z) > 0.5, z, 0),
        lambda z: (np.abs(z) > 0.5) * 1.0,
    ),
    Curve("sigmoid", logistic, lambda z: logistic(z) * (1 - logistic(z))),
    Curve("tanh", np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    Curve("softsign", lambda z: z / (1 + np.abs(z)), lambda z: 1 / (1 + np.abs(z)) ** 2),
    Curve("exponential", np.exp, np.exp),
    Curve("softplus", lambda z: np.log1p(np.exp(z)), logistic),
    Curve("log_sigmoid", lambda z: np.log(logistic(z)), lambda z: logistic(-z)),
    Curve(
        "squareplus",
        lambda z: (z + np.sqrt(z**2 + 4)) / 2,
        lambda z: (1 + z / np.sqrt(z**2 + 4)) / 2,
    ),
    Curve(
        "elu",
        lambda z: np.where(z > 0, z, np.exp(z) - 1),
        lambda z: np.where(z > 0, 1, np.exp(z)),
    ),
    Curve(
        "elu",
        lambda z: np.where(z > 0, z, 2 * np.exp(z) - 2),
        lambda z: np.where(z > 0, 1, 2 * np.exp(z)),
        {"alpha": 2.0},
    ),
    Curve(
        "selu",
        lambda z: S * np.where(z > 0, z, A * np.exp(z) - A),
        lambda z: S * np.where(z > 0, 1, A * np.exp(z)),
    ),
    Curve(
        "celu",
        lambda z: np.where(z > 0, z, 2 * np.exp(z / 2) - 2),
        lambda z: np.where(z > 0, 1, np.exp(z / 2)),
        {"alpha": 2.0},
    ),
    Curve(
        "silu",
        lambda z: z * logistic(z),
        lambda z: logistic(z) * (1 + z * (1 - logistic(z))),
    ),
    Curve("gelu", lambda z: z * normal(z), lambda z: normal(z) + z * density(z)),
    Curve(
        "gelu",
        lambda z: z * tanh_gate(z),
        lambda z: tanh_gate(z) + z * tanh_gate_slope(z),
        {"approximate": True},
    ),
    Curve(
        "mish",
        lambda z: z * mish_gate(z),
        lambda z: mish_gate(z) + z * logistic(z) * (1 - mish_gate(z) ** 2),
    ),
    Curve("tanh_shrink", lambda z: z - np.tanh(z), lambda z: np.tanh(z) ** 2),
]
GROUPS = ["softmax", "log_softmax", "sparsemax", "glu"]
