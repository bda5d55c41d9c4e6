"""New arrays, other types, and order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from clearprop import ops
from clearprop.errors import ArgumentError, DTypeError, ShapeError
from clearprop.tensor import tensor
from tests.ops.checks import exactly, same
from tests.support.numbers import gradients


@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3), 4, [2, 2]])
def test_filled_arrays_are_numpys(shape: Any) -> None:
    exactly(ops.zeros(shape), np.zeros(shape, "f4"))
    exactly(ops.ones(shape, "int32"), np.ones(shape, "i4"))
    exactly(ops.full(shape, 2.5), np.full(shape, 2.5, "f4"))
    exactly(ops.full(shape, np.float64(2.5)), np.full(shape, 2.5))
    exactly(ops.full(shape, 2, "f64"), np.full(shape, 2.0))


def test_filled_arrays_like_others() -> None:
    x = np.ones((2, 3), np.int16)
    exactly(ops.zeros_like(x), np.zeros_like(x))
    exactly(ops.ones_like(x, "f8"), np.ones_like(x, "f8"))
    exactly(ops.full_like(x, 7), np.full_like(x, 7))
    exactly(ops.full_like(x, [1, 2, 3], "f4"), np.full_like(x, [1, 2, 3], "f4"))


@pytest.mark.parametrize("args", [(5,), (2, 5), (5, 2), (0,), (1, 10, 3), (5, 0, -2)])
def test_ranges_are_numpys(args: Any) -> None:
    exactly(ops.arange(*args), np.arange(*args))
    exactly(ops.arange(*map(float, args)), np.arange(*map(float, args), dtype="f4"))


def test_ranges_of_broken_numbers() -> None:
    exactly(ops.arange(0, 1, 0.25), np.arange(0, 1, 0.25, "f4"))
    exactly(ops.arange(3, dtype="f8"), np.arange(3.0))
    with pytest.raises(ArgumentError, match="never arrives"):
        ops.arange(0, 1, 0)


def test_equal_distances_are_numpys() -> None:
    same(ops.linspace(0, 1, 5), np.linspace(0, 1, 5), dtype="f4")
    exactly(ops.linspace(-1, 1, 7, "f8"), np.linspace(-1, 1, 7))


def test_distances_between_tensors_have_the_digits_asked_for() -> None:
    first: Any = tensor(-2.0)
    exactly(ops.linspace(first, -3, 50, "f8"), np.linspace(-2, -3, 50))


@pytest.mark.parametrize("args", [(3,), (2, 3), (3, 2, 1), (3, 3, -1), (0,), (2, 2, 5)])
def test_eye_is_numpys(args: Any) -> None:
    exactly(ops.eye(*args), np.eye(*args, dtype="f4"))


def test_casts_saturate() -> None:
    x = np.array([1.9, -1.9, 300, np.nan, np.inf])
    exactly(ops.cast(x, "uint8"), np.array([1, 0, 255, 0, 255], "u1"))
    exactly(ops.cast(x, "bool"), np.array([True] * 5))
    exactly(ops.cast([1, 2], "f32"), np.array([1, 2], "f4"))
    with pytest.raises(DTypeError):
        ops.cast(x, "float33")


def test_stopped_gradients_are_zero() -> None:
    (d_x,) = gradients(lambda x: ops.multiply(x, ops.stop_gradient(x)), np.array([2.0, 3]))
    np.testing.assert_array_equal(d_x, [2, 3])


# -- order ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "u1", "?"])
def test_order_is_numpys(dtype: str, axis: int | None) -> None:
    x = np.random.default_rng(3).integers(0, 5, (4, 6)).astype(dtype)
    exactly(ops.sort(x, axis), np.sort(x, axis))
    exactly(ops.argsort(x, axis), np.argsort(x, axis, kind="stable"))


@pytest.mark.parametrize("k", [0, 1, 3, 5])
def test_the_largest_come_first_and_equal_ones_in_their_order(k: int) -> None:
    x = np.array([[3, 1, 3, 5, 1], [0, 0, 0, 0, 9]])
    order = np.argsort(-x, axis=-1, kind="stable")[:, :k]
    values, indices = ops.top_k(x, k)
    exactly(indices, order)
    exactly(values, np.take_along_axis(x, order, -1))


def test_the_largest_of_unsigned_numbers_and_of_too_few() -> None:
    values, indices = ops.top_k(np.array([0, 255, 3], np.uint8), 2)
    exactly(values, np.array([255, 3], np.uint8))
    exactly(indices, np.array([1, 2]))
    with pytest.raises(ArgumentError, match="the 4 largest: there are 3"):
        ops.top_k(np.ones(3), 4)


def test_the_largest_receive_the_derivative() -> None:
    (d_x,) = gradients(lambda x: ops.top_k(x, 2)[0], np.array([1.0, 3, 2]))
    np.testing.assert_array_equal(d_x, [0, 1, 1])


def test_a_number_for_float64_is_not_rounded_on_its_way() -> None:
    exactly(ops.full(2, 0.1, "float64"), np.full(2, 0.1))
    exactly(ops.full_like(np.ones(2, "f4"), 0.1, "float64"), np.full(2, 0.1))
    exactly(ops.full_like(np.ones(2, "f4"), ops.full((), 2), "float64"), np.full(2, 2.0))


def test_rows_that_cannot_be_are_refused() -> None:
    with pytest.raises(ArgumentError, match="infinity is never reached"):
        ops.arange(0, math.inf)
    with pytest.raises(ShapeError, match="whole numbers that are not negative"):
        ops.linspace(0, 1, -1)
    with pytest.raises(ShapeError, match="whole numbers that are not negative"):
        ops.linspace(0, 1, 2.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("indexing", ["xy", "ij"])
@pytest.mark.parametrize("lengths", [(2,), (2, 3), (1, 0, 2), (2, 3, 1, 2)])
def test_grids_are_numpys(lengths: tuple[int, ...], indexing: Any) -> None:
    xs = [np.arange(float(length)) + length for length in lengths]
    for found, wanted in zip(
        ops.meshgrid(*xs, indexing=indexing), np.meshgrid(*xs, indexing=indexing), strict=True
    ):
        exactly(found, wanted)


def test_grids_are_made_of_rows() -> None:
    with pytest.raises(ShapeError, match="coordinates lie on one axis"):
        ops.meshgrid(np.ones((2, 2)))
    with pytest.raises(ArgumentError, match="there is no such indexing"):
        ops.meshgrid([1], indexing="yx")
