"""Reductions: ties, zeros, broken numbers, nothing at all."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from clearprop.errors import ShapeError
from clearprop.primitives import (
    argmax,
    argmin,
    cumulative_product,
    cumulative_sum,
    reduce_max,
    reduce_min,
    reduce_prod,
)
from tests.support.numbers import compute, gradients, leaf, second_derivatives

NAN = float("nan")


def test_equal_winners_share_the_gradient() -> None:
    x = [[3.0, 1.0, 3.0], [2.0, 2.0, 2.0]]
    (d_x,) = gradients(lambda x: reduce_max(x, axes=(1,)), x)
    np.testing.assert_allclose(d_x, [[0.5, 0, 0.5], [1 / 3, 1 / 3, 1 / 3]])
    (d_x,) = gradients(lambda x: reduce_min(x, axes=(0, 1)), x)
    np.testing.assert_array_equal(d_x, [[0, 1, 0], [0, 0, 0]])


def test_nan_wins_every_reduction() -> None:
    x = leaf([1.0, NAN, 3.0])
    assert np.isnan(compute(reduce_max(x, axes=(0,))))
    assert np.isnan(compute(reduce_min(x, axes=(0,))))
    assert compute(argmax(x, axis=0)) == 1
    assert compute(argmin(x, axis=0)) == 1


def test_the_first_of_equal_ones_is_found() -> None:
    x = leaf([[1, 3, 3], [2, 2, 2]])
    assert compute(argmax(x, axis=1)).tolist() == [1, 0]
    assert compute(argmin(x, axis=1)).tolist() == [0, 0]


def test_on_booleans_the_greatest_is_any_and_the_least_is_all() -> None:
    x = leaf([[True, False], [True, True], [False, False]])
    assert compute(reduce_max(x, axes=(1,))).tolist() == [True, True, False]
    assert compute(reduce_min(x, axes=(1,))).tolist() == [False, True, False]


@pytest.mark.parametrize("reduce", [reduce_max, reduce_min])
def test_there_is_no_greatest_of_nothing(reduce: object) -> None:
    with pytest.raises(ShapeError, match="no elements to choose from on axis 1"):
        reduce(leaf(np.zeros((2, 0))), axes=(0, 1))  # type: ignore[operator]


def test_the_product_of_nothing_is_one() -> None:
    assert compute(reduce_prod(leaf(np.zeros((2, 0))), axes=(1,))).tolist() == [1, 1]


@pytest.mark.parametrize("size", range(8))
def test_derivatives_of_a_product_are_products_of_the_others(size: int) -> None:
    rng = np.random.default_rng(size)
    for zeros in range(min(size, 3) + 1):
        x = rng.uniform(-2, 2, size)
        x[rng.permutation(size)[:zeros]] = 0
        places = range(size)
        first = [np.prod(np.delete(x, i)) for i in places]
        second = [sum(np.prod(np.delete(x, [i, j])) for j in places if j != i) for i in places]
        (d_x,) = gradients(lambda x: reduce_prod(x, axes=(0,)), x)
        np.testing.assert_allclose(d_x, first, rtol=1e-13)
        if size:
            found = second_derivatives(lambda x: reduce_prod(x, axes=(0,)), x)
            np.testing.assert_allclose(found, second, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3), 2)), ids=str)
def test_products_over_any_axes_have_the_right_derivative(axes: tuple[int, int]) -> None:
    x = np.random.default_rng(0).uniform(0.5, 2, (2, 3, 4))
    (d_x,) = gradients(lambda x: reduce_prod(x, axes=axes), x)
    np.testing.assert_allclose(d_x, np.prod(x, axis=axes, keepdims=True) / x)


def test_running_sums_go_both_ways() -> None:
    x = leaf([[1, 2, 3], [4, 5, 6]])
    assert compute(cumulative_sum(x, axis=1)).tolist() == [[1, 3, 6], [4, 9, 15]]
    assert compute(cumulative_sum(x, axis=1, reverse=True)).tolist() == [[6, 5, 3], [15, 11, 6]]
    assert compute(cumulative_sum(leaf([200, 100], "u1"), axis=0)).tolist() == [200, 44]


def test_an_element_counts_in_every_running_sum_after_it() -> None:
    (d_x,) = gradients(lambda x: cumulative_sum(x, axis=0), np.zeros(4))
    assert d_x.tolist() == [4, 3, 2, 1]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("zeros", range(4))
def test_running_products_have_the_right_derivatives_with_zeros(zeros: int, reverse: bool) -> None:
    rng = np.random.default_rng(zeros)
    x = rng.uniform(-2, 2, 7)
    x[rng.permutation(7)[:zeros]] = 0
    way = slice(None, None, -1 if reverse else 1)
    y = compute(cumulative_product(leaf(x), axis=0, reverse=reverse))
    np.testing.assert_allclose(y, np.cumprod(x[way])[way], rtol=1e-13)

    def slopes(*gone: int) -> float:
        """How the sum of products changes with the elements that are gone."""
        if len(set(gone)) < len(gone):
            return 0.0
        row = x.copy()
        row[list(gone)] = 1
        order = list(range(7))[way]
        return float(np.cumprod(row[way])[max(map(order.index, gone)) :].sum())

    (d_x,) = gradients(lambda x: cumulative_product(x, axis=0, reverse=reverse), x)
    np.testing.assert_allclose(d_x, [slopes(i) for i in range(7)], rtol=1e-12, atol=1e-13)
    found = second_derivatives(lambda x: cumulative_product(x, axis=0, reverse=reverse), x)
    expected = [sum(slopes(i, j) for j in range(7)) for i in range(7)]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def test_running_products_keep_the_element_type() -> None:
    assert compute(cumulative_product(leaf([20, 20], "u1"), axis=0)).tolist() == [20, 144]
