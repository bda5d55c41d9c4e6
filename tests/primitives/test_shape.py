"""Moves: against NumPy, and each adjoint pair as a pair."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clearprop.ir.value import Value
from clearprop.primitives import (
    broadcast_to,
    concatenate,
    multiply,
    pad,
    reduce_sum,
    slice_,
    transpose,
)
from tests.support.numbers import compute, gradients, leaf


@st.composite
def ranges(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """(size, start, stop, stride) of one axis."""
    size = draw(st.integers(0, 6))
    start = draw(st.integers(0, size))
    return size, start, draw(st.integers(start, size)), draw(st.integers(1, 4))


@given(st.lists(ranges(), max_size=3))
def test_slices_are_those_of_python_and_their_gradient_marks_what_they_took(
    axes: list[tuple[int, int, int, int]],
) -> None:
    shape, starts, stops, strides = zip(*axes, strict=True) if axes else ((),) * 4
    x = np.arange(float(np.prod(shape))).reshape(shape)
    python = tuple(slice(*each[1:]) for each in axes)
    params = {"starts": starts, "stops": stops, "strides": strides}
    np.testing.assert_array_equal(compute(slice_(leaf(x), **params)), x[python])
    (d_x,) = gradients(lambda value: slice_(value, **params), x)
    expected = np.zeros(shape)
    expected[python] = 1
    np.testing.assert_array_equal(d_x, expected)


COUNTS = st.tuples(*(st.integers(0, 3) for _ in range(4)))  # size, low, high, interior


@given(st.lists(COUNTS, min_size=1, max_size=3))
def test_padding_puts_numbers_apart_and_its_gradient_takes_them_back(
    axes: list[tuple[int, int, int, int]],
) -> None:
    shape, low, high, interior = zip(*axes, strict=True)
    x = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    expected = x
    for axis, (before, after, between) in enumerate(zip(low, high, interior, strict=True)):
        for place in range(expected.shape[axis] - 1, 0, -1):
            expected = np.insert(expected, [place] * between, -1.0, axis)
        width = [(0, 0)] * x.ndim
        width[axis] = (before, after)
        expected = np.pad(expected, width, constant_values=-1.0)
    found = compute(pad(leaf(x), leaf(-1.0), low=low, high=high, interior=interior))
    np.testing.assert_array_equal(found, expected)

    weight = np.random.default_rng(0).normal(size=expected.shape)

    def weighted(x: Value, value: Value) -> Value:
        return multiply(pad(x, value, low=low, high=high, interior=interior), leaf(weight))

    d_x, d_value = gradients(weighted, x, -1.0)
    np.testing.assert_array_equal(d_x.ravel(), weight[expected != -1])
    np.testing.assert_allclose(d_value, weight[expected == -1].sum(), atol=1e-13)


@given(st.permutations(range(4)))
def test_transposing_is_that_of_numpy_and_is_undone_by_its_gradient(order: list[int]) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 1, 4))
    np.testing.assert_array_equal(
        compute(transpose(leaf(x), order=tuple(order))), x.transpose(order)
    )
    weight = x.transpose(order)
    (d_x,) = gradients(lambda x: multiply(transpose(x, order=tuple(order)), leaf(weight)), x)
    np.testing.assert_array_equal(d_x, x)


def test_each_joined_array_receives_its_own_part() -> None:
    parts = np.ones((2, 1)), np.ones((2, 0)), np.ones((2, 2))
    weight = leaf(np.arange(6.0).reshape(2, 3))
    first, empty, last = gradients(lambda *xs: multiply(concatenate(*xs, axis=1), weight), *parts)
    assert first.tolist() == [[0], [3]]
    assert empty.shape == (2, 0)
    assert last.tolist() == [[1, 2], [4, 5]]


def test_broadcasting_and_summing_are_each_others_gradient() -> None:
    x = np.random.default_rng(0).normal(size=(3,))
    (d_x,) = gradients(lambda x: broadcast_to(x, shape=(2, 3, 4), new_axes=(0, 2)), x)
    assert d_x.tolist() == [8, 8, 8]
    (d_x,) = gradients(lambda x: reduce_sum(x, axes=(0, 2)), np.zeros((2, 3, 4)))
    np.testing.assert_array_equal(d_x, np.ones((2, 3, 4)))


def test_sums_keep_the_element_type() -> None:
    assert compute(reduce_sum(leaf([200, 100], "u1"), axes=(0,))) == np.uint8(44)
