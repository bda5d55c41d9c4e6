"""Gather, scatter and sort: duplicates, order, borders, and each adjoint pair as a pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.dtypes import F64, I64, U8
from clearprop.errors import LabelError
from clearprop.ir.value import Value
from clearprop.primitives import argsort, gather, iota, multiply, scatter_add, sort, take_along
from tests.support.numbers import compute, gradients, leaf

NAN, INF = float("nan"), float("inf")


class Special(Value):
    """A class of values that is not Value."""


@st.composite
def places(draw: st.DrawFn) -> tuple[tuple[int, ...], int, np.ndarray]:
    """(shape, axis, indices) that fit together."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    axis = draw(st.integers(0, len(shape) - 1))
    indices_shape = tuple(draw(st.lists(st.integers(0, 3), max_size=2)))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    return shape, axis, rng.integers(0, shape[axis], indices_shape)


@given(places())
def test_gather_is_numpys_take_and_scatter_add_its_adjoint(
    example: tuple[tuple[int, ...], int, np.ndarray],
) -> None:
    shape, axis, indices = example
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape)
    taken = compute(gather(leaf(x), leaf(indices), axis=axis))
    np.testing.assert_array_equal(taken, np.take(x, indices, axis))

    updates = rng.normal(size=taken.shape)
    scattered = compute(scatter_add(leaf(x), leaf(indices), leaf(updates), axis=axis))
    expected = x.copy()
    np.add.at(np.moveaxis(expected, axis, 0), indices, _indices_first(updates, axis, indices.ndim))
    np.testing.assert_allclose(scattered, expected, atol=1e-12)

    (d_x,) = gradients(lambda x: multiply(gather(x, leaf(indices), axis=axis), leaf(updates)), x)
    np.testing.assert_allclose(d_x, expected - x, atol=1e-12)


def _indices_first(updates: np.ndarray, axis: int, count: int) -> np.ndarray:
    return np.moveaxis(updates, range(axis, axis + count), range(count))


def test_scattered_sums_do_not_depend_on_what_else_is_scattered() -> None:
    rng = np.random.default_rng(0)
    updates, indices = rng.normal(size=(90, 3)).astype("f4"), rng.integers(0, 5, 90)
    table = leaf(np.zeros((5, 3), "f4"))
    together = compute(scatter_add(table, leaf(indices), leaf(updates), axis=0))
    for place in range(5):
        mine = indices == place
        alone = compute(scatter_add(table, leaf(indices[mine]), leaf(updates[mine]), axis=0))
        np.testing.assert_array_equal(together[place], alone[place])


def test_scatter_add_leaves_its_input_alone() -> None:
    x = np.zeros(3)
    compute(scatter_add(Value.leaf(x), leaf([1]), leaf([5.0]), axis=0))
    assert x.tolist() == [0, 0, 0]


@pytest.mark.parametrize("index", [3, -1, 2**40])
def test_an_index_outside_is_named(index: int) -> None:
    x = leaf([10.0, 20.0, 30.0])
    with pytest.raises(LabelError) as caught:
        compute(gather(x, leaf([0, index]), axis=0))
    assert caught.value.found == f"index {index} on an axis of 3 elements"
    assert caught.value.needed == "0 to 2"
    with pytest.raises(LabelError, match="scatter_add: an index lies outside of axis 0"):
        compute(scatter_add(x, leaf([0, index]), leaf([1.0, 1.0]), axis=0))


def test_nothing_can_be_taken_from_nothing() -> None:
    with pytest.raises(LabelError):
        compute(gather(leaf(np.zeros((0, 2))), leaf([0]), axis=0))
    taken = compute(gather(leaf(np.zeros((0, 2))), leaf([], "i8"), axis=0))
    assert taken.shape == (0, 2)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("shape", [(3, 4, 2), (2, 1, 3), (0, 2, 2)], ids=str)
def test_take_along_is_that_of_numpy(shape: tuple[int, ...], axis: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape)
    order = np.take(np.argsort(x, axis), range(min(2, shape[axis])), axis)
    found = compute(take_along(leaf(x), leaf(order), axis=axis))
    np.testing.assert_array_equal(found, np.take_along_axis(x, order, axis))


def test_sorting_puts_nan_last_and_keeps_the_order_of_equals() -> None:
    x = leaf([2.0, NAN, -INF, 2.0, INF, -0.0, 0.0])
    np.testing.assert_array_equal(compute(sort(x, axis=0)), [-INF, -0.0, 0.0, 2, 2, INF, NAN])
    assert compute(argsort(x, axis=0)).tolist() == [2, 5, 6, 0, 3, 4, 1]


def test_the_gradient_of_a_sort_goes_back_to_where_each_number_came_from() -> None:
    weight = leaf([[1.0, 10.0, 100.0], [1.0, 10.0, 100.0]])
    (d_x,) = gradients(
        lambda x: multiply(sort(x, axis=1), weight), [[5.0, 4.0, 6.0], [1.0, 1.0, 0.0]]
    )
    assert d_x.tolist() == [[10, 1, 100], [10, 100, 1]]


def test_iota_counts_along_its_axis_in_any_type() -> None:
    like = leaf(0.0)
    counted = compute(iota(like, shape=(2, 3), axis=1, dtype=F64))
    assert (counted.tolist(), counted.dtype) == ([[0, 1, 2], [0, 1, 2]], F64)
    assert compute(iota(like, shape=(258,), axis=0, dtype=U8))[254:].tolist() == [254, 255, 0, 1]


def test_iota_has_the_class_it_is_told() -> None:
    special = Special.leaf(np.zeros(2))
    assert type(iota(special, shape=(3,), axis=0, dtype=I64)) is Special
    assert type(sort(special, axis=0)) is Special
