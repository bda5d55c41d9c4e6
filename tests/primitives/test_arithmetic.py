"""Arithmetic at its edges: zero divisors, ties, signs, wrapping, broken numbers."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop.ir.value import Value
from clearprop.passes.gradient import differentiate
from clearprop.primitives import (
    absolute,
    add,
    constant_like,
    divide,
    floor_divide,
    maximum,
    minimum,
    negate,
    power,
    remainder,
    sign,
)
from tests.support.numbers import compute, gradients, leaf, second_derivatives

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("dtype", ["i1", "i4", "i8", "u1"])
def test_integers_divided_by_zero_give_zero(dtype: str) -> None:
    x, zero = leaf([0, 1, 100], dtype), leaf([0, 0, 0], dtype)
    assert compute(floor_divide(x, zero)).tolist() == [0, 0, 0]
    assert compute(remainder(x, zero)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("dtype", ["i8", "f8"])
def test_quotient_and_remainder_are_those_of_python(dtype: str) -> None:
    pairs = [(x, y) for x in range(-7, 8) for y in (-3, -2, -1, 1, 2, 3)]
    x, y = (leaf(side, dtype) for side in zip(*pairs, strict=True))
    assert compute(floor_divide(x, y)).tolist() == [a // b for a, b in pairs]
    assert compute(remainder(x, y)).tolist() == [a % b for a, b in pairs]


def test_integers_wrap_around() -> None:
    assert compute(add(leaf([127], "i1"), leaf([1], "i1"))).tolist() == [-128]
    assert compute(negate(leaf([1], "u1"))).tolist() == [255]
    assert compute(absolute(leaf([-128], "i1"))).tolist() == [-128]


def test_floats_divided_by_zero_keep_their_sign() -> None:
    quotient = compute(divide(leaf([1.0, -1.0, 0.0]), leaf([0.0, 0.0, 0.0])))
    np.testing.assert_array_equal(quotient, [INF, -INF, NAN])


def test_maximum_and_minimum_hand_nan_on() -> None:
    x, y = leaf([NAN, 1.0, NAN, INF]), leaf([1.0, NAN, NAN, -INF])
    np.testing.assert_array_equal(compute(maximum(x, y)), [NAN, NAN, NAN, INF])
    np.testing.assert_array_equal(compute(minimum(x, y)), [NAN, NAN, NAN, -INF])


def test_the_winner_takes_the_gradient_and_equal_ones_share_it() -> None:
    x, y = [1.0, 2.0, 3.0, INF], [2.0, 2.0, 2.0, INF]
    d_x, d_y = gradients(maximum, x, y)
    assert (d_x.tolist(), d_y.tolist()) == ([0, 0.5, 1, 0.5], [1, 0.5, 0, 0.5])
    d_x, d_y = gradients(minimum, x, y)
    assert (d_x.tolist(), d_y.tolist()) == ([1, 0.5, 0, 0.5], [0, 0.5, 1, 0.5])


def test_the_absolute_value_has_slope_zero_at_zero() -> None:
    (d_x,) = gradients(absolute, [-2.0, 0.0, -0.0, 3.0])
    assert d_x.tolist() == [-1, 0, 0, 1]


def test_the_sign_of_nan_is_nan() -> None:
    np.testing.assert_array_equal(compute(sign(leaf([NAN, -0.0, -3.0]))), [NAN, 0, -1])


def test_the_slope_of_a_power_is_finite_where_the_limit_is() -> None:
    x = [0.0, 0.0, 0.0, 0.0, 5e-324, 2.0, -3.0, -3.0]
    y = [0.0, 1.0, 2.0, 3.0, 0.0, 0.0, 2.0, 3.0]
    d_x, d_y = gradients(power, x, y)
    assert d_x.tolist() == [0, 1, 0, 0, 0, 0, -6, 27]
    np.testing.assert_array_equal(d_y[:4], 0)
    assert d_y[5] == pytest.approx(np.log(2))
    assert np.isnan(d_y[6:]).all()


def test_the_slope_of_a_root_at_zero_is_infinite() -> None:
    d_x, _ = gradients(power, [0.0, 0.0], [0.5, -1.0])
    np.testing.assert_array_equal(d_x, [INF, -INF])


@pytest.mark.parametrize(("exponent", "expected"), [(0, 0), (1, 0), (2, 2), (3, 0)])
def test_the_second_slope_of_a_power_at_zero(exponent: int, expected: float) -> None:
    second = second_derivatives(lambda x: power(x, leaf([float(exponent)])), [0.0])
    assert second is not None
    assert second.tolist() == [expected]


def test_the_mixed_slope_of_a_power_is_right_where_the_exponent_is_zero() -> None:
    # d/dy d/dx x^y = x^(y - 1) (1 + y log x), at y = 0 just 1 / x.
    x = leaf([2.0])

    def slope(y: Value) -> Value:
        output = power(x, y)
        (d_x,) = differentiate([output], [constant_like(1, output)], [x])
        assert d_x is not None
        return d_x

    (mixed,) = gradients(slope, [0.0])
    assert mixed.tolist() == [0.5]
