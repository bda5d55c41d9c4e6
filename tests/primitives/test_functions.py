"""Elementwise functions against the math module, in the middle and at the edges."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import clearprop.primitives
from clearprop.ir.value import Array, Value
from clearprop.primitives import (
    arcsin,
    arctan2,
    erf,
    erf_inverse,
    exp,
    log,
    round_,
    rsqrt,
    sigmoid,
    sqrt,
    tanh,
    truncate,
)
from tests.support.numbers import compute, gradients, leaf, second_derivatives

NAN, INF = float("nan"), float("inf")
IN_MATH = {  # primitive: (its name in math, a range of arguments)
    "exp": ("exp", -20, 20),
    "expm1": ("expm1", -1, 1),
    "log": ("log", 0.01, 9),
    "log1p": ("log1p", -0.9, 0.9),
    "sqrt": ("sqrt", 0, 9),
    "sin": ("sin", -20, 20),
    "cos": ("cos", -20, 20),
    "tan": ("tan", -1.5, 1.5),
    "arcsin": ("asin", -1, 1),
    "arccos": ("acos", -1, 1),
    "arctan": ("atan", -20, 20),
    "sinh": ("sinh", -5, 5),
    "cosh": ("cosh", -5, 5),
    "tanh": ("tanh", -5, 5),
    "arcsinh": ("asinh", -20, 20),
    "arccosh": ("acosh", 1, 20),
    "arctanh": ("atanh", -0.99, 0.99),
    "erf": ("erf", -6.5, 6.5),
}


@pytest.mark.parametrize("name", IN_MATH)
def test_functions_are_those_of_the_math_module(name: str) -> None:
    math_name, low, high = IN_MATH[name]
    x = np.linspace(low, high, 401)
    expected = [getattr(math, math_name)(number) for number in x]
    found = compute(getattr(clearprop.primitives, name)(leaf(x)))
    np.testing.assert_allclose(found, expected, rtol=2e-15, atol=1e-16)


def units_apart(found: Array, expected: Array) -> float:
    """The greatest error in units in the last place."""
    return float(np.max(np.abs(found - expected) / np.spacing(np.abs(expected))))


def test_erf_is_exact_to_a_few_units_everywhere() -> None:
    x = np.concatenate([np.linspace(-7, 7, 4001), np.geomspace(1e-300, 1, 500)])
    expected = np.array([math.erf(number) for number in x])
    assert units_apart(compute(erf(leaf(x))), expected) <= 4
    narrow = x.astype(np.float32)[:4001]
    expected = np.array([math.erf(number) for number in narrow], np.float32)
    assert units_apart(compute(erf(leaf(narrow))), expected) <= 1


def test_erf_at_its_edges() -> None:
    found = compute(erf(leaf([INF, -INF, 30.0, -0.0, NAN])))
    np.testing.assert_array_equal(found, [1, -1, 1, 0, NAN])
    assert np.signbit(found[3])


def test_erf_inverse_undoes_erf() -> None:
    x = np.concatenate([np.linspace(-5, 5, 1001), np.geomspace(1e-200, 0.1, 100)])
    image = np.array([math.erf(number) for number in x])
    # An error of half a unit in erf(x) becomes erf_inverse's slope times as much.
    slope = math.sqrt(math.pi) / 2 * np.exp(x * x)
    tolerance = slope * np.spacing(np.abs(image)) + 1e-15 * np.abs(x)
    assert np.all(np.abs(compute(erf_inverse(leaf(image))) - x) <= tolerance)


def test_erf_inverse_knows_quantiles_of_the_normal_distribution() -> None:
    # sqrt(2) erf_inverse(2 p - 1) is the p-quantile; p = Phi(z) for these z.
    for z, tail in [(1.0, 0.15865525393145705), (3.0, 1.3498980316300946e-3)]:
        found = math.sqrt(2) * float(compute(erf_inverse(leaf(1 - 2 * tail))))
        assert found == pytest.approx(z, rel=1e-13)


def test_erf_inverse_at_its_edges() -> None:
    found = compute(erf_inverse(leaf([1.0, -1.0, 1.5, 0.0, NAN])))
    np.testing.assert_array_equal(found, [INF, -INF, NAN, 0, NAN])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_sigmoid_is_exact_in_its_tails(dtype: str) -> None:
    x = np.array([-80.0, -30.0, -1.0, 0.0, 1.0, 30.0, 80.0], dtype)
    expected = [math.exp(v) / (1 + math.exp(v)) if v < 0 else 1 / (1 + math.exp(-v)) for v in x]
    found = compute(sigmoid(leaf(x)))
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(dtype).eps)


def test_the_sigmoid_never_overflows() -> None:
    found = compute(sigmoid(leaf([-1e4, 1e4, -INF, INF, NAN])))
    np.testing.assert_array_equal(found, [0, 1, 0, 1, NAN])


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (exp, -INF, 0),
        (log, 0.0, -INF),
        (log, -1.0, NAN),
        (sqrt, -1.0, NAN),
        (rsqrt, 0.0, INF),
        (tanh, INF, 1),
        (arcsin, 1.5, NAN),
    ],
)
def test_edges(function: Callable[[Value], Value], x: float, expected: float) -> None:
    np.testing.assert_array_equal(compute(function(leaf(x))), expected)


def test_saturated_functions_have_slope_zero_not_nan() -> None:
    for function in (sigmoid, tanh, erf):
        (d_x,) = gradients(function, [-1e3, 1e3])
        assert d_x.tolist() == [0, 0]


def test_the_angle_of_tiny_and_huge_points_has_the_right_slope() -> None:
    d_y, d_x = gradients(arctan2, [3e-200, 3e200], [4e-200, 4e200])
    np.testing.assert_allclose(d_y, [1.6e199, 1.6e-201])
    np.testing.assert_allclose(d_x, [-1.2e199, -1.2e-201])


def test_angles_turn_through_all_quadrants() -> None:
    y, x = [0.0, 1.0, 0.0, -1.0, 1.0, -1.0], [1.0, 0.0, -1.0, 0.0, -1.0, -1.0]
    expected = [math.atan2(a, b) for a, b in zip(y, x, strict=True)]
    np.testing.assert_array_equal(compute(arctan2(leaf(y), leaf(x))), expected)


def test_rounding_goes_to_the_even_neighbor() -> None:
    x = leaf([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.6])
    assert compute(round_(x)).tolist() == [-2, -2, 0, 0, 2, 2, 3]
    assert compute(truncate(x)).tolist() == [-2, -1, 0, 0, 1, 2, 2]


def test_steps_have_no_derivative() -> None:
    assert gradients(round_, [0.3]) == [None]


def test_the_second_derivative_of_the_sigmoid() -> None:
    x = np.linspace(-3, 3, 7)
    s = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(
        second_derivatives(sigmoid, x), s * (1 - s) * (1 - 2 * s), atol=1e-15
    )
