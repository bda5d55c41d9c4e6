"""Reductions are NumPy's, over axes, element types and empty arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from clearprop import ops
from clearprop.errors import ArgumentError, ShapeError
from tests.ops.checks import exactly, same
from tests.support.numbers import gradients

RNG = np.random.default_rng(1)
AXES: list[int | Sequence[int] | None] = [None, 0, 1, -1, (0, 2), (-1, 0), (), [0, 1, 2]]
REDUCTIONS = {
    "sum": np.sum, "prod": np.prod, "mean": np.mean, "var": np.var, "std": np.std,
    "max": np.max, "min": np.min, "any": np.any, "all": np.all,
}  # fmt: skip


def as_numpy_axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_are_numpys(name: str, axis: Any, keepdims: bool) -> None:
    function, reference = getattr(ops, name), REDUCTIONS[name]
    options = {"keepdims": keepdims}
    for dtype in ("f8", "f4", "i4", "u1", "?"):
        x = RNG.integers(0, 3, (2, 3, 4)).astype(dtype)
        wanted = reference(x, axis=as_numpy_axis(axis), **options)
        if name in {"mean", "var", "std"} and dtype not in {"f4", "f8"}:
            wanted = wanted.astype("f4")
        same(function(x, axis=axis, **options), wanted, dtype=wanted.dtype)


@pytest.mark.parametrize("name", ["sum", "prod", "any", "all"])
def test_reductions_of_nothing_have_a_value(name: str) -> None:
    for axis in (None, 0, 1):
        x = np.zeros((0, 3))
        same(getattr(ops, name)(x, axis=axis), REDUCTIONS[name](x, axis=axis))


def test_the_mean_of_nothing_is_nan() -> None:
    exactly(ops.mean(np.zeros((0, 2)), axis=0), np.full(2, np.nan))


def test_a_number_alone_is_its_own_sum() -> None:
    for name in ("sum", "mean", "max", "prod", "logsumexp"):
        same(getattr(ops, name)(2.5), np.float32(2.5))


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
def test_nothing_has_no_largest_element(name: str) -> None:
    with pytest.raises(ShapeError, match="no elements to choose from"):
        getattr(ops, name)(np.zeros((3, 0)), axis=1)
    assert getattr(ops, name)(np.zeros((3, 0)), axis=0).shape == (0,)


@pytest.mark.parametrize("ddof", [0, 1, 2])
def test_variance_of_a_sample_is_numpys(ddof: int) -> None:
    x = RNG.normal(1000, 1, (4, 5))
    same(ops.var(x, 1, ddof=ddof), np.var(x, 1, ddof=ddof))
    same(ops.std(x, ddof=ddof), np.std(x, ddof=ddof))


def test_variance_survives_a_large_mean() -> None:
    x = (1e4 + np.array([0.0, 1, 2])).astype("f4")
    same(ops.var(x), np.float32(2 / 3))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_places_are_numpys(name: str, axis: int | None, keepdims: bool) -> None:
    for dtype in ("f4", "i8", "?"):
        x = RNG.integers(0, 3, (3, 4)).astype(dtype)
        wanted = getattr(np, name)(x, axis=axis, keepdims=keepdims)
        exactly(getattr(ops, name)(x, axis=axis, keepdims=keepdims), np.asarray(wanted))


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_cumulative_sums_are_numpys(axis: int | None) -> None:
    for dtype in ("f8", "i4", "?"):
        x = RNG.integers(0, 3, (3, 4)).astype(dtype)
        exactly(ops.cumsum(x, axis), np.cumsum(x, axis))
    x = np.array([1.0, 2, 3])
    exactly(ops.cumsum(x, reverse=True), np.array([6.0, 5, 3]))


@pytest.mark.parametrize("order", [1, 2, math.inf])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_lengths_are_numpys(axis: int | None, order: float) -> None:
    x = RNG.normal(size=(3, 4))
    wanted = np.linalg.norm(x.ravel() if axis is None else x, order, axis)
    same(ops.norm(x, axis, order=order), wanted)
    with pytest.raises(ArgumentError, match="only three ways"):
        ops.norm(x, order=3)


@pytest.mark.parametrize("function", [ops.norm, ops.std])
def test_lengths_have_a_finite_derivative_at_zero(function: Any) -> None:
    (d_x,) = gradients(function, np.zeros(3))
    np.testing.assert_array_equal(d_x, np.zeros(3))


def test_lengths_and_deviations_keep_nan() -> None:
    exactly(ops.norm(np.array([1.0, np.nan])), np.float64(np.nan))


# -- exponentials ----------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
def test_exponentials_are_summed_as_by_hand(axis: Any) -> None:
    x = RNG.normal(size=(3, 4))
    same(ops.logsumexp(x, axis), np.log(np.exp(x).sum(axis)))
    kept = np.log(np.exp(x).sum(axis, keepdims=True))
    same(ops.logsumexp(x, axis, keepdims=True), kept)
    same(ops.log_softmax(x, axis), x - kept)
    same(ops.softmax(x, axis), np.exp(x - kept))


def test_exponentials_do_not_overflow() -> None:
    infinity = math.inf
    x = np.array([[1000, 1001], [-1000, -1001], [-infinity, 0], [3, -infinity]], "f4")
    same(ops.logsumexp(x, 1), np.array([1001.3132617, -999.6867383, 0, 3], "f4"))
    firsts = np.array([0.26894142, 0.73105858, 0, 1], "f4")
    same(ops.index(ops.softmax(x), (..., 0)), firsts)
    same(ops.index(ops.log_softmax(x), (2, 0)), np.float32(-infinity))


def test_sums_of_infinite_exponentials() -> None:
    infinity = math.inf
    x = np.array([[-infinity, -infinity], [infinity, 1], [np.nan, 1]])
    exactly(ops.logsumexp(x, 1), np.array([-infinity, infinity, np.nan]))
    exactly(ops.logsumexp(np.zeros((2, 0)), 1), np.full(2, -infinity))
    assert ops.softmax(np.zeros((2, 0))).shape == (2, 0)


def test_log_softmax_is_exact_where_softmax_is_zero() -> None:
    same(ops.log_softmax(np.array([0.0, -2000.0])), [0, -2000])


def test_softmax_has_the_derivative_of_the_books() -> None:
    x = RNG.normal(size=4)
    softmax = np.exp(x) / np.exp(x).sum()
    weights = np.arange(4.0)
    (d_x,) = gradients(lambda v: ops.multiply(ops.softmax(v), weights), x)
    np.testing.assert_allclose(d_x, softmax * (weights - softmax @ weights), rtol=1e-12)
    (d_x,) = gradients(ops.logsumexp, x)
    np.testing.assert_allclose(d_x, softmax, rtol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_running_products_are_numpys(axis: int | None, reverse: bool) -> None:
    x = RNG.uniform(-2, 2, (3, 4))
    turned = np.cumprod(np.flip(x, axis), axis) if reverse else np.cumprod(x, axis)
    same(ops.cumprod(x, axis, reverse), np.flip(turned, axis) if reverse else turned)
    exactly(ops.cumprod(np.full(9, 100, "i1")), np.cumprod(np.full(9, 100, "i1"), dtype="i8"))


@pytest.mark.parametrize("axis", AXES, ids=str)
def test_what_is_not_zero_is_counted(axis: Any) -> None:
    x = RNG.integers(-1, 2, (2, 3, 2))
    expected = np.sum(x != 0, axis=as_numpy_axis(axis))
    exactly(ops.count_nonzero(x, axis), np.asarray(expected, "i8"))
