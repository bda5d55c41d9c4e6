"""Activations are their formulas, with the derivatives of the textbook."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from clearprop import activations, registry
from clearprop.errors import ArgumentError, ShapeError, UnknownNameError
from clearprop.functions import check_gradients, grad
from clearprop.layers import Input
from clearprop.tensor import Tensor
from tests.activations.formulas import CURVES, GROUPS, Curve

POINTS = np.array([-15.0, -3.0, -1.5, -1.0, -0.5, -1e-3, 0.0, 1e-3, 0.5, 1.0, 2.0, 3.0, 6.0, 15.0])
NAMES = sorted(set(activations.__all__) - {"get"})
each_curve = pytest.mark.parametrize("curve", CURVES, ids=str)
each_name = pytest.mark.parametrize("name", NAMES)


def function(curve: Curve) -> Any:
    named = getattr(activations, curve.name)
    return lambda x: named(x, **curve.arguments)


def test_every_activation_is_in_the_table() -> None:
    assert {curve.name for curve in CURVES} | {*GROUPS, "swish", "hard_swish"} == set(NAMES)


@each_curve
def test_values_are_those_of_the_formula(curve: Curve) -> None:
    value = function(curve)(POINTS).numpy()
    assert value.dtype == np.float64
    np.testing.assert_allclose(value, curve.value(POINTS), rtol=1e-12, atol=1e-14)


@each_curve
def test_derivatives_are_those_of_the_formula_also_at_kinks(curve: Curve) -> None:
    derivative = grad(lambda x: function(curve)(x).sum())(POINTS).numpy()
    np.testing.assert_allclose(derivative, curve.derivative(POINTS), rtol=1e-12, atol=1e-14)


@each_curve
def test_derivatives_are_those_that_can_be_measured(curve: Curve) -> None:
    away_from_kinks = POINTS + 0.123
    assert check_gradients(function(curve), away_from_kinks)


@each_curve
def test_far_values_do_not_break_neighbors_or_derivatives(curve: Curve) -> None:
    far = np.array([-1e4, 1e4])
    with np.errstate(over="ignore"):
        derivative = grad(lambda x: function(curve)(x).sum())(far).numpy()
        assert not np.isnan(function(curve)(far).numpy()).any()
    assert not np.isnan(derivative).any()


@each_curve
def test_single_precision_stays_and_nan_passes(curve: Curve) -> None:
    value = function(curve)(np.array([np.nan, 1.5], np.float32)).numpy()
    assert value.dtype == np.float32
    assert np.isnan(value[0])
    np.testing.assert_allclose(value[1], curve.value(np.array(1.5)), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["softplus", "log_sigmoid", "mish", "silu", "gelu", "celu"])
def test_smooth_curves_have_second_derivatives_at_zero(name: str) -> None:
    curve = getattr(activations, name)
    slope = grad(lambda x: curve(x).sum())
    second = grad(lambda x: slope(x).sum())(np.array([0.0])).item()
    step = 1e-5
    measured = (slope(np.array([step])) - slope(np.array([-step]))).item() / (2 * step)
    one_sided = name == "celu"  # its slope has a bend at 0
    assert second == pytest.approx(1.0 if one_sided else measured, abs=1e-6)


@each_name
def test_whole_numbers_are_taken(name: str) -> None:
    arguments = {"threshold": 1.0, "default_value": 0.0} if name == "threshold" else {}
    value = getattr(activations, name)([[1, -2], [3, 0]], **arguments).numpy()
    assert value.dtype == (np.int64 if name == "linear" else np.float32)


# -- numbers that act together --------------------------------------------------------

LOGITS = np.array([[1.0, 2.0, 4.0], [0.0, -1000.0, 1000.0]])


@pytest.mark.parametrize("axis", [0, 1, -1, None, (0, 1)])
def test_softmax_is_a_distribution(axis: Any) -> None:
    value = activations.softmax(LOGITS, axis).numpy()
    np.testing.assert_allclose(value.sum(axis), 1.0)
    shifted = np.exp(LOGITS - LOGITS.max(axis, keepdims=True))
    np.testing.assert_allclose(value, shifted / shifted.sum(axis, keepdims=True))
    logarithm = activations.log_softmax(LOGITS, axis).numpy()
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(np.exp(logarithm), value, atol=1e-15)
    assert np.isfinite(logarithm).all()


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "sparsemax"])
@pytest.mark.parametrize("axis", [0, -1])
def test_gradients_of_groups_can_be_measured(name: str, axis: int) -> None:
    rng = np.random.default_rng(3)
    together = getattr(activations, name)
    assert check_gradients(lambda x: together(x, axis=axis), rng.normal(size=(4, 5)))


def nearest_distribution(z: np.ndarray) -> np.ndarray:
    """The projection on the simplex, by bisection of the threshold."""
    low, high = z.min() - 1.0, z.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(z - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(z - high, 0)


def test_sparsemax_is_the_nearest_distribution() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(50, 6)) * rng.uniform(0.1, 5, size=(50, 1)) + 1000
    value = activations.sparsemax(rows).numpy()
    expected = np.array([nearest_distribution(row) for row in rows])
    np.testing.assert_allclose(value, expected, atol=1e-12)
    np.testing.assert_allclose(value.sum(-1), 1.0)
    assert (value == 0).any()


def test_sparsemax_shares_among_equals() -> None:
    np.testing.assert_allclose(activations.sparsemax([[2.0, 2.0, 2.0]]).numpy(), 1 / 3, rtol=1e-6)


def test_glu_opens_and_closes_gates() -> None:
    value = activations.glu([[2.0, 3.0, 100.0, -100.0]]).numpy()
    np.testing.assert_allclose(value, [[2.0, 0.0]], atol=1e-12)
    assert check_gradients(activations.glu, np.random.default_rng(5).normal(size=(3, 4)))
    assert activations.glu(np.zeros((4, 3)), axis=0).shape == (2, 3)


def test_glu_cannot_halve_an_odd_axis() -> None:
    with pytest.raises(ShapeError) as caught:
        activations.glu([1.0, 2.0, 3.0])
    caught.value.at = ""
    assert str(caught.value) == (
        "glu: axis -1 has length 3 and cannot be halved\n"
        "  found:  x: f32[3]\n"
        "  needed: an even length: values in the first half, gates in the second\n"
        "  try:    a layer with 4 units before it"
    )


# -- names ------------------------------------------------------------------------------


@each_name
def test_each_is_found_by_its_name_and_saved_by_it(name: str) -> None:
    found = activations.get(name)
    assert found is getattr(activations, name)
    assert registry.describe(found) == {"function": f"activations.{found.__name__}"}
    assert registry.rebuild(registry.describe(found)) is found


def test_none_is_linear_and_functions_are_themselves() -> None:
    assert activations.get(None) is activations.linear
    assert activations.get(np.tanh) is np.tanh


@each_name
def test_each_is_recorded_in_functional_models(name: str) -> None:
    x = Input((6,))
    arguments = {"threshold": 1.0, "default_value": 0.0} if name == "threshold" else {}
    recorded = getattr(activations, name)(x, **arguments)
    assert recorded.shape == (None, 3 if name == "glu" else 6)
    assert recorded.call.function is getattr(activations, name)


@each_name
def test_each_tells_what_one_must_know_of_it(name: str) -> None:
    told = getattr(activations, name).__doc__
    for word in ("Range: ", "Derivative: ", "Saturates: ", "Zero-centered: "):
        assert re.search(rf"\b{word.strip()}\s", told), word


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        activations.get("reluu")
    lines = str(caught.value).splitlines()
    assert lines[0] == 'Looking up an activation: there is none called "reluu"'
    assert lines[1] == '  found:  "reluu" did you mean "relu"?'
    assert lines[2].startswith("  needed: celu, elu, exponential, gelu, ")
    assert lines[3].startswith(f"  at:     {__file__}:")


def test_a_class_is_no_activation() -> None:
    with pytest.raises(ArgumentError) as caught:
        activations.get(Tensor)
    assert str(caught.value).splitlines()[:4] == [
        "Looking up an activation: it must be a name or a function",
        "  found:  <class 'clearprop.tensor.tensor.Tensor'>",
        '  needed: for example "relu" or cp.activations.relu',
        "  try:    Tensor(), with brackets",
    ]
    with pytest.raises(ArgumentError):
        activations.get(3)  # type: ignore[arg-type]
