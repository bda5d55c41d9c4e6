"""Orders: equal elements, NaN, and derivatives that find their way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.errors import ArgumentError, ShapeError
from clearprop.primitives import argmax, argsort, sort, top_k
from tests.support.numbers import compute, gradients, leaf

NAN = float("nan")


@given(st.lists(st.integers(0, 3), max_size=7), st.integers(0, 7))
def test_the_greatest_are_those_of_a_stable_descending_sort(row: list[int], k: int) -> None:
    k = min(k, len(row))
    values, indices = map(compute, top_k(leaf(row, "i4"), k=k))
    order = sorted(range(len(row)), key=lambda i: -row[i])  # stable
    assert indices.tolist() == order[:k]
    assert values.tolist() == [row[i] for i in order[:k]]


def test_nan_is_greatest_for_all_orders() -> None:
    x = leaf([1.0, NAN, 3.0, NAN])
    values, indices = map(compute, top_k(x, k=3))
    assert indices.tolist() == [1, 3, 2]
    assert np.isnan(values[:2]).all()
    assert compute(argmax(x, axis=0)) == 1
    assert compute(argsort(x, axis=0)).tolist() == [0, 2, 1, 3]
    assert np.isnan(compute(sort(x, axis=0))[2:]).all()


def test_minus_zero_is_no_less_than_zero() -> None:
    assert compute(top_k(leaf([-0.0, 0.0]), k=2)[1]).tolist() == [0, 1]


def test_each_derivative_goes_back_to_its_place() -> None:
    (d_x,) = gradients(lambda x: top_k(x, k=2)[0], [[5.0, 1.0, 5.0, 7.0], [0.0, 0.0, 0.0, 0.0]])
    assert d_x.tolist() == [[1, 0, 0, 1], [1, 1, 0, 0]]


def test_there_are_no_more_than_all() -> None:
    with pytest.raises(ArgumentError, match="there are no 4 greatest elements"):
        top_k(leaf([1.0, 2.0, 3.0]), k=4)
    with pytest.raises(ArgumentError, match="there are no -1 greatest elements"):
        top_k(leaf([1.0, 2.0, 3.0]), k=-1)
    with pytest.raises(ShapeError, match="one number has no order"):
        top_k(leaf(1.0), k=1)
