"""Operations on each element are NumPy's, over element types and shapes."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop import ops
from clearprop.errors import ArgumentError, ClearPropError, DTypeError
from tests.ops.checks import exactly, numbers, same
from tests.support.numbers import gradients

FLOATS = ["f4", "f8"]
INTEGERS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
RNG = np.random.default_rng(0)

_erf = np.vectorize(math.erf)
UNARY = {  # operation: (NumPy's, lowest, highest)
    "exp": (np.exp, -5, 5), "exp2": (np.exp2, -5, 5), "expm1": (np.expm1, -5, 5),
    "log": (np.log, 0.1, 9), "log1p": (np.log1p, -0.9, 9),
    "log2": (np.log2, 0.1, 9), "log10": (np.log10, 0.1, 9),
    "sqrt": (np.sqrt, 0, 9), "rsqrt": (lambda x: 1 / np.sqrt(x), 0.1, 9),
    "reciprocal": (lambda x: 1 / x, 0.1, 9),
    "sin": (np.sin, -7, 7), "cos": (np.cos, -7, 7), "tan": (np.tan, -1, 1),
    "arcsin": (np.arcsin, -1, 1), "arccos": (np.arccos, -1, 1), "arctan": (np.arctan, -9, 9),
    "sinh": (np.sinh, -4, 4), "cosh": (np.cosh, -4, 4), "tanh": (np.tanh, -4, 4),
    "arcsinh": (np.arcsinh, -9, 9), "arccosh": (np.arccosh, 1.01, 9),
    "arctanh": (np.arctanh, -0.9, 0.9),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), -9, 9),
    "erf": (_erf, -3, 3),
}  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", UNARY)
def test_functions_of_floats_are_numpys(name: str, dtype: str) -> None:
    reference, low, high = UNARY[name]
    for shape in [(), (1,), (0, 3), (2, 3, 4)]:
        x = RNG.uniform(low, high, shape).astype(dtype)
        wanted = np.asarray(reference(x.astype("f8")) if x.size else x)
        array = np.asarray(wanted).astype(dtype)
        value = getattr(ops, name)(x)
        assert value.dtype == np.dtype(dtype)
        same(value, array)


@pytest.mark.parametrize("name", [*UNARY, "erf_inverse"])
def test_functions_of_whole_numbers_and_booleans_are_of_the_default_float(name: str) -> None:
    function = getattr(ops, name)
    for dtype in ("i4", "u1", "?"):
        x = np.array([1, 1], dtype)
        assert function(x).dtype == np.float32
        exactly(function(x), numbers(function(x.astype("f4"))))


def test_erf_inverse_undoes_erf() -> None:
    x = np.linspace(-2, 2, 9)
    same(ops.erf_inverse(ops.erf(x)), x)


def test_sigmoid_does_not_overflow() -> None:
    exactly(ops.sigmoid(np.array([-1000.0, 0, 1000])), np.array([0, 0.5, 1.0]))


# -- arithmetic ------------------------------------------------------------------------------

BINARY = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply,
    "maximum": np.maximum, "minimum": np.minimum,
    "equal": np.equal, "not_equal": np.not_equal, "less": np.less,
    "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal,
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor,
}  # fmt: skip


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
@pytest.mark.parametrize("name", BINARY)
def test_arithmetic_and_comparison_are_numpys(name: str, dtype: str) -> None:
    x = RNG.integers(0, 5, (2, 1, 3)).astype(dtype)
    y = RNG.integers(0, 5, (4, 1)).astype(dtype)
    exactly(getattr(ops, name)(x, y), BINARY[name](x, y))


@pytest.mark.parametrize("dtype", [*FLOATS, "i4", "u1"])
@pytest.mark.parametrize(
    ("name", "reference"),
    [("floor_divide", np.floor_divide), ("remainder", np.remainder), ("mod", np.mod)],
)
def test_division_with_remainder_is_numpys(name: str, reference: Any, dtype: str) -> None:
    x = np.array([7, 8, 9, 10], dtype)
    y = np.array([2, 3, 4, 5], dtype)
    if np.dtype(dtype).kind != "u":
        x[::2] *= -1
        y[2:] *= -1
    exactly(getattr(ops, name)(x, y), reference(x, y))


def test_whole_numbers_divided_are_floats() -> None:
    exactly(ops.divide([1, 2], 4), np.array([0.25, 0.5], np.float32))
    exactly(ops.divide(np.array([1.0, 2.0]), 4), np.array([0.25, 0.5]))
    exactly(ops.divide(np.int64(1), np.float64(4)), np.float64(0.25))


def test_whole_numbers_divided_by_zero_give_zero() -> None:
    exactly(ops.floor_divide([7, -7], 0), np.array([0, 0]))
    exactly(ops.remainder([7, -7], 0), np.array([0, 0]))


@pytest.mark.parametrize("dtype", [*FLOATS, "i1", "i8", "u1"])
@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("negative", np.negative), ("absolute", np.absolute), ("abs", np.abs),
        ("sign", np.sign), ("square", np.square),
        ("floor", np.floor), ("ceil", np.ceil), ("round", np.round), ("trunc", np.trunc),
    ],
)  # fmt: skip
def test_signs_and_rounding_are_numpys(name: str, reference: Any, dtype: str) -> None:
    x = np.array([-2.5, -1.5, -0.3, 0, 0.5, 1.5, 2.7])
    x = (np.abs(x) if dtype == "u1" else x).astype(dtype)
    exactly(getattr(ops, name)(x), reference(x).astype(dtype))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("add", [2, 1, 0]), ("subtract", [0, 1, 0]), ("multiply", [1, 0, 0])],
)
def test_booleans_count_as_whole_numbers(name: str, wanted: list[int]) -> None:
    x, y = np.array([True, True, False]), np.array([True, False, False])
    exactly(getattr(ops, name)(x, y), np.array(wanted))


def test_single_booleans_count_as_whole_numbers() -> None:
    x = np.array([True, False])
    for name in ("negative", "absolute", "sign", "square", "floor", "round"):
        same(getattr(ops, name)(x), [-1 if name == "negative" else 1, 0], dtype="i8")


def test_maximum_and_minimum_keep_nan_and_booleans() -> None:
    exactly(ops.maximum(np.array([np.nan, 1]), np.array([0, np.nan])), np.full(2, np.nan))
    exactly(ops.maximum(np.array([True, False]), np.array([False, False])), np.array([True, False]))
    exactly(ops.minimum(np.array([True, False]), np.array([True, True])), np.array([True, False]))


@pytest.mark.parametrize("limits", [(-1, 1), (None, 1), (-1, None), (None, None), (0.5, 1)])
def test_clip_is_numpys(limits: tuple[float | None, float | None]) -> None:
    x = np.linspace(-2, 2, 9)
    wanted = x if limits == (None, None) else np.clip(x, *limits)
    exactly(ops.clip(x, *limits), wanted)


def test_clip_broadcasts_and_promotes() -> None:
    x = np.arange(4)
    exactly(ops.clip(x, 0, 2), np.array([0, 1, 2, 2]))
    exactly(ops.clip(x, np.array([[1], [2]]), 3), np.clip(x, np.array([[1], [2]]), 3))
    same(ops.clip(x, 0.5, None), np.array([0.5, 1, 2, 3]), dtype="f4")


@pytest.mark.parametrize("dtype", FLOATS)
def test_functions_of_two_numbers_are_numpys(dtype: str) -> None:
    x = RNG.uniform(-3, 3, (2, 1)).astype(dtype)
    y = RNG.uniform(-3, 3, 3).astype(dtype)
    same(ops.arctan2(x, y), np.arctan2(x, y))
    same(ops.logaddexp(x, y), np.logaddexp(x, y))
    same(ops.power(np.abs(x), y), np.abs(x) ** y)


def test_logaddexp_is_safe() -> None:
    infinity = math.inf
    x = np.array([1000, -1000, infinity, -infinity, -infinity, infinity, 0, np.nan])
    y = np.array([1000, 0, infinity, -infinity, 1, -infinity, -40, 1])
    with np.errstate(invalid="ignore"):
        wanted = np.logaddexp(x, y)
    same(ops.logaddexp(x, y), wanted)


def test_logaddexp_has_the_softmax_as_derivative() -> None:
    x, y = np.array([0.0, 1, 1000, 2]), np.array([0.0, 3, 0, 2])
    wanted = 1 / (1 + np.exp(np.clip(y - x, -700, 700)))
    d_x, d_y = gradients(ops.logaddexp, x, y)
    np.testing.assert_allclose(d_x, wanted, rtol=1e-12)
    np.testing.assert_allclose(d_y, 1 - wanted, rtol=1e-12, atol=1e-300)


# -- powers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 7, 8, 9, 20, -1, -2, 2.0, 0.5, -0.5, 1.5, 0.0])
def test_powers_are_numpys(exponent: float, dtype: str) -> None:
    x = np.array([0.3, 1, 1.7, 2], dtype)
    same(ops.power(x, exponent), x ** np.array(exponent, dtype))


@pytest.mark.parametrize("exponent", [0, 1, 2, 5, 13])
@pytest.mark.parametrize("dtype", ["i2", "i8", "u1"])
def test_powers_of_whole_numbers_stay_whole(exponent: int, dtype: str) -> None:
    x = np.array([0, 1, 2, 3], dtype)
    exactly(ops.power(x, exponent), np.power(x, np.array(exponent, dtype)))


def test_powers_have_the_right_derivative_at_zero() -> None:
    for exponent, wanted in [(1, 1.0), (2, 0.0), (3, 0.0), (2.0, 0.0)]:
        (d_x,) = gradients(lambda x, n=exponent: ops.power(x, n), np.zeros(2))
        np.testing.assert_array_equal(d_x, np.full(2, wanted))


def test_negative_whole_powers_of_whole_numbers_are_refused() -> None:
    with pytest.raises(ArgumentError, match="no negative powers among whole numbers"):
        ops.power(np.array([1, 2]), -1)


def test_whole_numbers_to_broken_powers_are_floats() -> None:
    same(ops.power(np.array([4, 9]), 0.5), [2, 3], dtype="f4")


def test_negative_numbers_have_whole_powers() -> None:
    x = np.array([-2.0, -3.0])
    for exponent in (2, 3, 9, -1):
        same(ops.power(x, exponent), x**exponent)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(ops.power(x, 0.5), x**0.5)


# -- questions, logic, bits ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite"])
def test_questions_are_numpys(name: str) -> None:
    reference = getattr(np, name)
    for dtype in FLOATS:
        x = np.array([0, 1, np.nan, np.inf, -np.inf], dtype)
        exactly(getattr(ops, name)(x), reference(x))
    for dtype in ("i4", "u1", "?"):
        exactly(getattr(ops, name)(np.ones((2, 3), dtype)), reference(np.ones((2, 3))))


def test_not_is_numpys() -> None:
    for x in (np.array([True, False]), np.array([0, 3]), np.array([0.0, np.nan])):
        exactly(ops.logical_not(x), np.logical_not(x))


def test_logic_joins_types_and_shapes() -> None:
    x, y = np.array([[0.0], [2.0]]), np.array([True, False])
    exactly(ops.logical_and(x, y), np.logical_and(x, y))


@given(
    st.sampled_from([(), (3,), (2, 1), (2, 3)]),
    st.sampled_from(["f4", "f8", "i4", "?"]),
    st.sampled_from(["f4", "f8", "i4", "?"]),
)
def test_where_is_numpys(shape: tuple[int, ...], first: str, second: str) -> None:
    condition = RNG.integers(0, 2, shape).astype(bool)
    x, y = np.full((2, 1), 1, first), np.full(3, 0, second)
    value = ops.where(condition, x, y)
    same(value, np.where(condition, x, y), dtype=ops.add(x, y).dtype if first != second else first)


def test_where_keeps_plain_numbers_weak() -> None:
    x = np.ones(2, np.float32)
    exactly(ops.where(x > 2, x, 0.5), np.full(2, 0.5, np.float32))
    exactly(ops.where([1, 0], x, 0), np.array([1, 0], np.float32))


def test_where_gives_each_side_its_part_of_the_derivative() -> None:
    condition = np.array([True, False, True])
    d_x, d_y = gradients(lambda x, y: ops.where(condition, x, y), np.ones(3), np.ones(3))
    np.testing.assert_array_equal(d_x, [1, 0, 1])
    np.testing.assert_array_equal(d_y, [0, 1, 0])


@pytest.mark.parametrize("dtype", ["?", *INTEGERS])
def test_bits_are_numpys(dtype: str) -> None:
    x = np.array([0, 1, 5, 100]).astype(dtype)
    y = np.array([[1], [3]]).astype(dtype)
    exactly(ops.bitwise_and(x, y), np.bitwise_and(x, y))
    exactly(ops.bitwise_or(x, y), np.bitwise_or(x, y))
    exactly(ops.bitwise_xor(x, y), np.bitwise_xor(x, y))
    exactly(ops.bitwise_not(x), np.bitwise_not(x))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_shifts_are_numpys_within_the_width(dtype: str) -> None:
    x = np.array([1, 5, 100]).astype(dtype)
    exactly(ops.left_shift(x, 2), np.left_shift(x, np.array(2, dtype)))
    exactly(ops.right_shift(x, 2), np.right_shift(x, np.array(2, dtype)))
    exactly(ops.left_shift(x, 100), np.zeros(3, dtype))


def test_floats_have_no_bits() -> None:
    with pytest.raises(DTypeError) as error:
        ops.bitwise_and(np.ones(2), 1)
    assert str(error.value).startswith(
        "Joining bits: only whole numbers have bits\n"
        "  found:  f64[2] and f64[]\n"
        "  needed: whole numbers or booleans\n"
        '  try:    cast(x, "int32") first\n'
    )
    with pytest.raises(ClearPropError, match="Shifting bits"):
        ops.left_shift(np.array([True]), True)


def test_the_longest_side_does_not_overflow() -> None:
    x = np.array([3.0, 0.0, -3e200, 1e-200, np.inf, 1.0, np.nan, -np.inf])
    y = np.array([-4.0, 0.0, 4e200, 1e-200, 1.0, -np.inf, 1.0, np.inf])
    same(ops.hypot(x, y), np.hypot(x, y))
    d_x, d_y = gradients(ops.hypot, [3.0, 0.0, -2.0, 0.0], [4.0, 0.0, 2.0, -5.0])
    np.testing.assert_allclose(d_x, [0.6, 0, -math.sqrt(0.5), 0], atol=1e-15)
    np.testing.assert_allclose(d_y, [0.8, 0, math.sqrt(0.5), -1], atol=1e-15)


def test_nothing_times_a_logarithm_is_nothing() -> None:
    x, y = np.array([0.0, 0.0, 0.0, 2.0, 2.0, 0.0]), np.array([0.0, -1.0, np.inf, 0.0, 3.0, 5.0])
    same(ops.xlogy(x, y), np.array([0, 0, 0, -np.inf, 2 * math.log(3), 0]))
    assert np.isnan(numbers(ops.xlogy(0.0, math.nan)))
    d_x, d_y = gradients(ops.xlogy, [0.0, 2.0, 0.0], [0.0, 3.0, 5.0])
    np.testing.assert_allclose(d_x, [0, math.log(3), math.log(5)])
    np.testing.assert_allclose(d_y, [0, 2 / 3, 0])
