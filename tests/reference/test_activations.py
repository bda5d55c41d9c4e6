"""Activations equal Keras's in float32 and PyTorch's in float64, values and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812 - PyTorch's custom

from clearprop import activations
from clearprop.functions import grad
from tests.activations.formulas import CURVES, GROUPS, Curve

CASES = [*CURVES, *(Curve(name, np.exp, np.exp) for name in GROUPS)]
CASES += [Curve(name, np.exp, np.exp, {"axis": 0}) for name in GROUPS]
RNG = np.random.default_rng(11)
X = RNG.normal(0, 3, (40, 6))
KINKS = np.array([[-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0]])

TORCH: dict[str, Callable[..., Any]] = {
    "relu": F.relu,
    "relu6": F.relu6,
    "leaky_relu": F.leaky_relu,
    "threshold": lambda x, threshold, default_value: F.threshold(x, threshold, default_value),
    "hard_tanh": F.hardtanh,
    "hard_sigmoid": F.hardsigmoid,
    "hard_silu": F.hardswish,
    "soft_shrink": F.softshrink,
    "hard_shrink": F.hardshrink,
    "sigmoid": F.sigmoid,
    "tanh": F.tanh,
    "softsign": F.softsign,
    "exponential": torch.exp,
    "softplus": F.softplus,
    "log_sigmoid": F.logsigmoid,
    "elu": F.elu,
    "selu": F.selu,
    "celu": F.celu,
    "silu": F.silu,
    "gelu": lambda x, approximate=False: F.gelu(x, approximate="tanh" if approximate else "none"),
    "mish": F.mish,
    "tanh_shrink": F.tanhshrink,
    "softmax": lambda x, axis=-1: F.softmax(x, axis),
    "log_softmax": lambda x, axis=-1: F.log_softmax(x, axis),
    "glu": lambda x, axis=-1: F.glu(x, axis),
}
WITHOUT_PYTORCH = {"linear", "squareplus", "sparse_plus", "sparse_sigmoid", "sparsemax"}


def weighted(shape: tuple[int, ...]) -> np.ndarray:
    """A direction, so that the gradient of a sum of 1 (softmax) is not 0."""
    return np.random.default_rng(1).normal(size=shape)


def theirs(function: Callable[..., Any], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    leaf = torch.tensor(x, requires_grad=True)
    y = function(leaf)
    (y * torch.tensor(weighted(y.shape), dtype=y.dtype)).sum().backward()
    assert leaf.grad is not None
    return y.detach().numpy(), leaf.grad.numpy()


def ours(case: Curve, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    function = getattr(activations, case.name)
    y = function(x, **case.arguments).numpy()
    direction = weighted(y.shape).astype(x.dtype)
    slope = grad(lambda z: (function(z, **case.arguments) * direction).sum())(x)
    return y, slope.numpy()


# Keras 3.15 adds up the wrong sums in sparsemax: its rows do not have the sum 1.
# tests/activations finds the nearest distributions by bisection.
RIGHT_IN_KERAS = [case for case in CASES if case.name != "sparsemax"]


@pytest.mark.parametrize("case", RIGHT_IN_KERAS, ids=str)
def test_keras_in_float32(case: Curve) -> None:
    x = X.astype(np.float32)
    function = getattr(keras.activations, case.name)
    for got, expected in zip(
        ours(case, x), theirs(lambda z: function(z, **case.arguments), x), strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def in_pytorch(case: Curve) -> bool:
    return case.name in TORCH and not (case.name == "relu" and case.arguments)


@pytest.mark.parametrize("case", [case for case in CASES if in_pytorch(case)], ids=str)
def test_pytorch_in_float64_also_at_kinks(case: Curve) -> None:
    arguments = dict(case.arguments)
    if case.name == "leaky_relu":
        arguments.setdefault("negative_slope", 0.2)  # PyTorch's own default is 0.01
    for x in [X, KINKS] if case.arguments.get("axis") != 0 else [X]:
        value, gradient = theirs(lambda z: TORCH[case.name](z, **arguments), x)
        own_value, own_gradient = ours(case, x)
        np.testing.assert_allclose(own_value, value, rtol=1e-12, atol=1e-12)
        # PyTorch's slope of the hard sigmoid is 1/6 rounded to float32, in float64 too.
        tolerance = 1e-7 if case.name == "hard_sigmoid" else 1e-12
        np.testing.assert_allclose(own_gradient, gradient, rtol=tolerance, atol=1e-12)


def test_all_that_pytorch_has_are_compared() -> None:
    assert {case.name for case in CASES} == set(TORCH) | WITHOUT_PYTORCH


def test_no_activation_of_keras_is_missing() -> None:
    not_functions = {"serialize", "deserialize"}
    found = {
        name
        for name in dir(keras.activations)
        if not name.startswith("_") and callable(getattr(keras.activations, name))
    }
    assert found - not_functions == set(activations.__all__)


def test_names_find_the_same_functions() -> None:
    for name in set(activations.__all__) - {"get"}:
        assert keras.activations.get(name).__name__ == activations.get(name).__name__
