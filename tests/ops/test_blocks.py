"""Blocks at computed places."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop import ops
from clearprop.errors import ArgumentError, DTypeError, LabelError, ShapeError
from tests.ops.checks import exactly, numbers

X = np.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize("starts", [(0, 0), (1, 2), (-2, -2), (np.int32(1), np.uint8(2))])
def test_starts_count_from_the_end_when_negative(starts: tuple[int, int]) -> None:
    row, column = (int(start) for start in starts)
    block = X[row:, column:][:2, :2]
    exactly(ops.dynamic_slice(X, starts, (2, 2)), block)
    expected = X.copy()
    expected[row:, column:][:2, :2] = -1
    exactly(ops.dynamic_update(X, -np.ones((2, 2)), starts), expected)


def test_starts_may_be_computed() -> None:
    start = ops.argmax([3, 9, 7])
    exactly(ops.dynamic_slice(np.array([3, 9, 7]), [start], 2), np.array([9, 7]))


def test_updates_take_the_element_type() -> None:
    exactly(ops.dynamic_update(X, [[1, 2]], (0, 0))[0], np.array([1.0, 2, 2, 3]))
    x = np.zeros(2, "f4")
    exactly(ops.dynamic_update(x, np.ones(1), [0]), np.array([1, 0], "f4"))
    with pytest.raises(DTypeError, match="cannot hold the update's fractions"):
        ops.dynamic_update(np.array([1, 2]), [0.5], [0])


def test_blocks_outside_are_refused() -> None:
    with pytest.raises(ShapeError, match="Reading a block: it does not fit"):
        ops.dynamic_slice(X, (0, 0), (4, 1))
    with pytest.raises(ShapeError, match="Writing a block: it does not fit"):
        ops.dynamic_update(X, np.ones((1, 5)), (0, 0))
    with pytest.raises(ArgumentError, match="each axis needs one start"):
        ops.dynamic_slice(X, [0], (1, 1))
    with pytest.raises(LabelError, match="the block lies outside of axis 1"):
        numbers(ops.dynamic_slice(X, (0, -1), (1, 2)))
    with pytest.raises(DTypeError, match="indices are whole numbers"):
        ops.dynamic_slice(X, (0.5, 0), (1, 1))
    with pytest.raises(ShapeError, match="a start is one number"):
        ops.dynamic_slice(X, ([0], 0), (1, 1))
