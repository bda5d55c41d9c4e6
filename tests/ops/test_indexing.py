"""Indexing and gathering are NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from clearprop import ops
from clearprop.errors import (
    ArgumentError,
    ClearPropError,
    DTypeError,
    LabelError,
    ShapeError,
    TraceError,
)
from clearprop.executors.reference import evaluate
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from tests.ops.checks import exactly, same
from tests.support.numbers import gradients

X = np.arange(120).reshape(2, 3, 4, 5)
PICKS = [np.array([1, 0, -1]), np.array([[0], [1]]), np.array(-2), [0, 1, 1]]


@given(hnp.basic_indices(X.shape, allow_newaxis=True, allow_ellipsis=True))
def test_numbers_slices_and_new_axes_are_numpys(key: Any) -> None:
    exactly(ops.index(X, key), X[key])


PARTS = st.one_of(
    st.sampled_from(PICKS),
    st.integers(-2, 1),
    st.just(None),
    st.sampled_from([slice(None), slice(1, None), slice(None, None, -1), slice(0, 0)]),
)


@st.composite
def mixed_keys(draw: st.DrawFn) -> tuple[Any, ...]:
    """Keys of all kinds of entries, with at most one ``...``."""
    key = draw(st.lists(PARTS, min_size=1, max_size=6))
    while sum(part is not None for part in key) > X.ndim:
        key.pop(next(n for n, part in enumerate(key) if part is not None))
    if draw(st.booleans()):
        key.insert(draw(st.integers(0, len(key))), Ellipsis)
    return tuple(key)


@given(mixed_keys())
@example((slice(None), 0, ..., PICKS[0]))
@example((slice(None), PICKS[0], ..., PICKS[0]))
@example((PICKS[0], ..., PICKS[0], 1, 1))
@example((0, slice(None), PICKS[1], None))
def test_arrays_of_indices_are_numpys(key: tuple[Any, ...]) -> None:
    exactly(ops.index(X, key), X[key])
    as_values = tuple(
        Value.leaf(np.asarray(part)) if isinstance(part, (list, np.ndarray)) else part
        for part in key
    )
    exactly(ops.index(X, as_values), X[key])


@given(st.data())
def test_masks_are_numpys(data: st.DataObject) -> None:
    first = data.draw(st.integers(0, 2))
    count = data.draw(st.integers(1, X.ndim - first))
    mask = data.draw(hnp.arrays(bool, X.shape[first : first + count]))
    key = (*[slice(None)] * first, mask)
    exactly(ops.index(X, key), X[key])
    exactly(ops.index(X, (..., mask)) if first + count == X.ndim else ops.index(X, key), X[key])


def test_masks_stand_beside_numbers_and_arrays() -> None:
    mask = np.array([True, False, True])
    for key in [(0, mask), (slice(None), mask, 1), (mask[:2], mask), (1, mask, PICKS[0][:2])]:
        exactly(ops.index(X, key), X[key])
    exactly(ops.index(X, [True, False]), X[[True, False]])


def test_one_key_of_numbers_writes_one_slice() -> None:
    value = ops.index(Value.leaf(X), (0, slice(1, 3), ..., -1))
    names = []
    while value.equation is not None:
        names.append(value.equation.primitive.name)
        (value,) = value.equation.inputs
    assert names == ["reshape", "slice"]


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (2, LabelError), (-3, LabelError), ((0, 0, 0, 5), LabelError),
        ((0, 0, 0, 0, 0), LabelError), ((..., 0, ...), LabelError),
        ([0, 2], LabelError), (([0], [3]), LabelError),
        ("x", ArgumentError), (1.0, ArgumentError), ([0.5], ArgumentError),
        (slice(0.5), ArgumentError), (slice(None, None, 0), ArgumentError),
        (True, ArgumentError), (np.ones(3, bool), ShapeError),
        (Value.leaf(np.ones(2)), DTypeError), (Value.leaf(np.ones(2, bool)), TraceError),
        (([0, 1], [0, 1, 2]), ShapeError),
    ],
    ids=repr,
)  # fmt: skip
def test_keys_that_cannot_be_are_refused(key: Any, error: type[ClearPropError]) -> None:
    with pytest.raises(error) as caught:
        ops.index(X, key)
    assert caught.value.found
    assert caught.value.needed


def test_an_index_out_of_range_is_explained() -> None:
    with pytest.raises(LabelError) as error:
        ops.index(np.ones((10, 3)), 12)
    assert isinstance(error.value, IndexError)
    assert str(error.value).startswith(
        "Indexing: 12 lies outside of axis 0\n"
        "  found:  index 12 on an axis of length 10\n"
        "  needed: -10 to 9\n"
    )


def test_a_computed_condition_is_refused_with_advice() -> None:
    x = Value.leaf(np.ones(3))
    with pytest.raises(TraceError, match=r"where\(condition, x, 0\)"):
        ops.index(x, ops.greater(x, 0))


def test_computed_indices_are_checked_when_they_are_known() -> None:
    indices = Value(TensorType((2,), np.dtype(np.int8)))
    value = ops.take(np.arange(200), indices)
    given = np.array([-1, 100], np.int8)
    np.testing.assert_array_equal(evaluate([value], {indices: given})[0], [199, 100])
    with pytest.raises(LabelError):
        evaluate([ops.take(np.arange(5), indices)], {indices: given})


def test_unsigned_indices_count_from_the_front() -> None:
    exactly(ops.take(np.arange(5), Value.leaf(np.array([4, 0], np.uint8))), np.array([4, 0]))


# -- picking -----------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [None, 0, 2, -1])
@pytest.mark.parametrize("indices", [0, [1, 0], PICKS[1], []], ids=str)
def test_take_is_numpys(indices: Any, axis: int | None) -> None:
    exactly(ops.take(X, indices, axis), np.take(X, np.asarray(indices, int), axis))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_take_along_axis_is_numpys(axis: int) -> None:
    x = np.random.default_rng(0).permutation(24).reshape(2, 3, 4)
    order = np.argsort(x, axis)
    exactly(ops.take_along_axis(x, order, axis), np.take_along_axis(x, order, axis))
    best = np.argmax(x, axis, keepdims=True) - x.shape[axis]
    exactly(ops.take_along_axis(x, best, axis), np.max(x, axis, keepdims=True))


def test_take_along_axis_broadcasts_the_other_axes() -> None:
    x, rows = np.arange(12).reshape(3, 4), np.array([[3, 0]])
    exactly(ops.take_along_axis(x, rows, 1), np.take_along_axis(x, rows, 1))
    exactly(ops.take_along_axis(x[:1], np.zeros((3, 2), int), 1), np.zeros((3, 2), int))
    exactly(ops.take_along_axis(x, [1, -1]), np.array([1, 11]))
    with pytest.raises(ShapeError, match="equally many axes"):
        ops.take_along_axis(x, [0], 1)
    with pytest.raises(ShapeError, match="Taking along an axis"):
        ops.take_along_axis(x, np.zeros((2, 1), int), 1)


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_one_hot_puts_a_one_at_each_index(axis: int) -> None:
    labels = np.array([[0, 2, 1]])
    wanted = np.moveaxis(np.eye(3, dtype=np.float32)[labels], -1, axis)
    exactly(ops.one_hot(labels, 3, axis), wanted)


def test_one_hot_of_a_label_outside_is_zero() -> None:
    labels = np.array([-1, 300, 5], np.int16)
    exactly(ops.one_hot(labels, 6, dtype="int8"), np.array([[0] * 6, [0] * 6, [0] * 5 + [1]], "i1"))
    exactly(ops.one_hot(np.array([200], np.uint8), 300, dtype="bool"), np.arange(300)[None] == 200)
    with pytest.raises(DTypeError, match="indices are whole numbers"):
        ops.one_hot([0.5], 3)


# -- adding up -----------------------------------------------------------------------------------


def test_equal_indices_add_up() -> None:
    x, updates = np.ones((3, 2)), np.arange(6.0).reshape(3, 2)
    wanted = x.copy()
    np.add.at(wanted, [0, 2, -1], updates)
    exactly(ops.scatter_add(x, [0, 2, -1], updates), wanted)


def test_updates_broadcast_and_promote() -> None:
    exactly(ops.scatter_add(np.zeros(3, np.float32), [1, 1], 1), np.array([0, 2, 0], np.float32))
    exactly(ops.scatter_add(np.zeros((2, 3)), [0, 2], [[1], [2]], axis=1),
            np.array([[1.0, 0, 1], [2, 0, 2]]))  # fmt: skip
    with pytest.raises(ShapeError, match="updates do not fit the indices"):
        ops.scatter_add(np.zeros(3), [0, 1], np.ones(3))


def test_segments_are_summed() -> None:
    x = np.arange(8.0).reshape(4, 2)
    exactly(ops.segment_sum(x, [1, 0, 1, 1], 3), np.array([[2.0, 3], [10, 13], [0, 0]]))


def test_picking_and_adding_up_are_each_others_derivatives() -> None:
    (d_x,) = gradients(lambda x: ops.index(x, ([0, 0, -1], [1, 1, 0])), np.zeros((2, 3)))
    np.testing.assert_array_equal(d_x, [[0, 2, 0], [1, 0, 0]])
    (d_x,) = gradients(lambda x: ops.index(x, (slice(None, None, -2), 0)), np.zeros((3, 2)))
    np.testing.assert_array_equal(d_x, [[1, 0], [0, 0], [1, 0]])
    d_x, d_updates = gradients(
        lambda x, u: ops.multiply(ops.scatter_add(x, [0, 0], u), [[1.0], [2]]),
        np.zeros((2, 1)),
        np.zeros((2, 1)),
    )
    np.testing.assert_array_equal(d_x, [[1], [2]])
    np.testing.assert_array_equal(d_updates, [[1], [1]])


def test_taking_a_sorted_order_sorts() -> None:
    x = np.random.default_rng(1).normal(size=(3, 5))
    same(ops.take_along_axis(x, ops.argsort(x), -1), np.sort(x))
