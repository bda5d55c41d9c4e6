"""Bits: shifts beyond the width, signs, booleans."""

from __future__ import annotations

import pytest

from clearprop.primitives import (
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    shift_left,
    shift_right,
)
from tests.support.numbers import compute, leaf

WIDTHS = {"i1": 8, "u1": 8, "i4": 32, "u4": 32, "i8": 64, "u8": 64}


@pytest.mark.parametrize("dtype", WIDTHS)
def test_shifts_beyond_the_width_give_zero(dtype: str) -> None:
    width = WIDTHS[dtype]
    far = leaf([width, width + 1, 100], dtype)
    for x in ([1, 2, 3], [127, 127, 127]):
        assert compute(shift_left(leaf(x, dtype), far)).tolist() == [0, 0, 0]
        assert compute(shift_right(leaf(x, dtype), far)).tolist() == [0, 0, 0]


def test_shifts_by_negative_counts_give_zero() -> None:
    x, back = leaf([5, -5], "i4"), leaf([-1, -1], "i4")
    assert compute(shift_left(x, back)).tolist() == [0, 0]
    assert compute(shift_right(x, back)).tolist() == [0, 0]


def test_a_signed_shift_to_the_right_keeps_the_sign() -> None:
    places = leaf([1, 31], "i4")
    assert compute(shift_right(leaf([-8, -8], "i4"), places)).tolist() == [-4, -1]
    assert compute(shift_right(leaf([2**31, 2**31], "u4"), leaf([1, 31], "u4"))).tolist() == [
        2**30,
        1,
    ]


def test_a_shift_to_the_left_drops_what_leaves_the_width() -> None:
    assert compute(shift_left(leaf([0x81], "u1"), leaf([1], "u1"))).tolist() == [2]


def test_on_booleans_bits_are_logic() -> None:
    x, y = leaf([True, True, False, False]), leaf([True, False, True, False])
    assert compute(bitwise_and(x, y)).tolist() == [True, False, False, False]
    assert compute(bitwise_or(x, y)).tolist() == [True, True, True, False]
    assert compute(bitwise_xor(x, y)).tolist() == [False, True, True, False]
    assert compute(bitwise_not(x)).tolist() == [False, False, True, True]
