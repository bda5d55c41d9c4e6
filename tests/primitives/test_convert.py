"""Casts saturate, and pass derivatives between floats only."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop.dtypes import BOOL, F32, F64, I8, I64, SHORT_NAMES, U8, U64, DType
from clearprop.primitives import cast, multiply, stop_gradient
from tests.support.numbers import compute, gradients, leaf

INTEGERS = [dtype for dtype in SHORT_NAMES if dtype.kind in "iu"]
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("source", [F32, F64], ids=str)
@pytest.mark.parametrize("target", INTEGERS, ids=str)
def test_floats_saturate_to_integers(source: DType, target: DType) -> None:
    limits = np.iinfo(target)
    numbers = np.array([NAN, INF, -INF, 1e30, -1e30, 2.0**63, -(2.0**63), 127.9, 0.5, -0.9], source)
    expected = [
        0 if np.isnan(v) else limits.max if v == INF else limits.min if v == -INF
        else min(max(int(v), limits.min), limits.max)
        for v in numbers.tolist()
    ]  # fmt: skip
    assert compute(cast(leaf(numbers), dtype=target)).tolist() == expected


@pytest.mark.parametrize("source", INTEGERS, ids=str)
@pytest.mark.parametrize("target", INTEGERS, ids=str)
def test_integers_saturate_to_integers(source: DType, target: DType) -> None:
    own, limits = np.iinfo(source), np.iinfo(target)
    numbers = [own.min, own.max, 0, 1, 100]
    expected = [min(max(number, limits.min), limits.max) for number in numbers]
    assert compute(cast(leaf(numbers, source), dtype=target)).tolist() == expected


def test_every_number_but_zero_is_true() -> None:
    numbers = leaf([0.0, -0.0, 0.3, NAN, -INF])
    assert compute(cast(numbers, dtype=BOOL)).tolist() == [False, False, True, True, True]
    assert compute(cast(leaf([0, 256], I64), dtype=BOOL)).tolist() == [False, True]
    for target in (F32, I8, U64):
        assert compute(cast(leaf([True, False]), dtype=target)).tolist() == [1, 0]


def test_wide_floats_become_narrow_as_ieee_says() -> None:
    narrow = compute(cast(leaf([1e300, 1 / 3, 1e-60]), dtype=F32))
    assert narrow.tolist() == [INF, float(np.float32(1 / 3)), 0.0]


def test_a_derivative_passes_between_floats_and_keeps_the_type_of_the_input() -> None:
    (d_x,) = gradients(lambda x: multiply(cast(x, dtype=F32), leaf([2, 3], F32)), [1.0, 1.0])
    assert (d_x.tolist(), d_x.dtype) == ([2, 3], F64)


@pytest.mark.parametrize("between", [I64, U8, BOOL], ids=str)
def test_no_derivative_passes_through_whole_numbers(between: DType) -> None:
    assert gradients(lambda x: cast(cast(x, dtype=between), dtype=F64), [1.5]) == [None]


def test_stop_gradient_keeps_the_number_and_stops_the_derivative() -> None:
    assert compute(stop_gradient(leaf([3.0]))).tolist() == [3.0]
    (d_x,) = gradients(lambda x: multiply(x, stop_gradient(x)), [3.0])
    assert d_x.tolist() == [3.0]
