"""Blocks at computed places: NumPy's slices, and never outside of the array."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop.errors import ArgumentError, DTypeError, LabelError, ShapeError
from clearprop.primitives import dynamic_slice, dynamic_update
from tests.support.numbers import compute, gradients, leaf

X = np.arange(12.0).reshape(3, 4)


def test_a_block_is_read_and_written() -> None:
    block = compute(dynamic_slice(leaf(X), leaf(1), leaf(2), sizes=(2, 2)))
    np.testing.assert_array_equal(block, X[1:3, 2:4])
    written = compute(dynamic_update(leaf(X), leaf(-np.ones((1, 3))), leaf(2), leaf(1)))
    expected = X.copy()
    expected[2, 1:4] = -1
    np.testing.assert_array_equal(written, expected)


def test_what_is_replaced_has_no_derivative() -> None:
    d_x, d_update = gradients(
        lambda x, update: dynamic_update(x, update, leaf(1)), np.zeros(4), np.zeros(2)
    )
    assert d_x.tolist() == [1, 0, 0, 1]
    assert d_update.tolist() == [1, 1]


@pytest.mark.parametrize("start", [-1, 2])
def test_a_block_is_never_moved_into_the_array(start: int) -> None:
    for word, value in (
        ("dynamic_slice", dynamic_slice(leaf(X), leaf(start), leaf(0), sizes=(2, 4))),
        ("dynamic_update", dynamic_update(leaf(X), leaf(X[:2]), leaf(start), leaf(0))),
    ):
        with pytest.raises(LabelError) as caught:
            compute(value)
        assert str(caught.value).startswith(f"{word}: the block lies outside of axis 0")
        assert caught.value.needed == "a start from 0 to 1"


def test_blocks_that_cannot_fit_are_refused_at_once() -> None:
    zero = leaf(0)
    with pytest.raises(ShapeError, match="does not fit into the array"):
        dynamic_slice(leaf(X), zero, zero, sizes=(4, 1))
    with pytest.raises(ShapeError, match="does not fit into the array"):
        dynamic_slice(leaf(X), zero, zero, sizes=(-1, 1))
    with pytest.raises(ArgumentError, match="sizes must have one number for each axis"):
        dynamic_slice(leaf(X), zero, zero, sizes=(1,))
    with pytest.raises(ArgumentError, match="each axis needs one start"):
        dynamic_slice(leaf(X), zero, sizes=(1, 1))
    with pytest.raises(DTypeError, match="a start must be int64"):
        dynamic_slice(leaf(X), zero, leaf(0, "i4"), sizes=(1, 1))
    with pytest.raises(ShapeError, match="a start must be one number"):
        dynamic_slice(leaf(X), zero, leaf([0]), sizes=(1, 1))
    with pytest.raises(ShapeError, match="needs as many axes"):
        dynamic_update(leaf(X), leaf(X[0]), zero, zero)
    with pytest.raises(DTypeError, match="the update must be float64"):
        dynamic_update(leaf(X), leaf(X, "f4"), zero, zero)
