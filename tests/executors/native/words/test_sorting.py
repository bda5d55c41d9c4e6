"""Sorting in machine code gives what the definitions give."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from clearprop.dtypes import BOOL, F32, F64, SHORT_NAMES, DType
from clearprop.ir.types import Shape
from clearprop.ir.value import Array
from tests.support.native_kernels import machines
from tests.support.native_programs import check_word

CASES: list[tuple[Shape, int]] = [
    ((1,), 0),
    ((2,), 0),
    ((5,), 0),
    ((37,), 0),
    ((100,), 0),
    ((255,), 0),
    ((256,), 0),
    ((257,), 0),
    ((1000,), 0),
    ((5, 6), 0),
    ((70, 33), 1),
    ((3, 40, 5), 1),
    ((2, 1, 5), 1),
    ((0, 5), 1),
    ((5, 0), 1),
    ((3, 300, 7), 1),
    ((300, 10), 1),
    ((7, 300), 1),
    ((300, 250), 1),
    ((40_000,), 0),
]


def numbers(shape: Shape, dtype: DType, seed: int) -> Array:
    """Numbers with many equal ones, or from the whole range of the type."""
    rng = np.random.default_rng(seed)
    if dtype.kind == "f":
        x = np.asarray(3 * rng.standard_normal(shape)).round(seed % 3).astype(dtype)
        if seed % 2:
            x.flat[::7], x.flat[2::9], x.flat[5::17] = -0.0, 0.0, np.nan
            x.flat[3::11], x.flat[4::13] = -np.inf, np.inf
        return x
    if dtype == BOOL:
        return rng.integers(0, 2, shape).astype(bool)
    limits = np.iinfo(dtype)
    if seed % 2:
        return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    return rng.integers(0, 20, shape).astype(dtype)


def sampled(count: int) -> list[Any]:
    """So many of all cases, element types and machines."""
    every = list(itertools.product(CASES, SHORT_NAMES, machines()))
    chosen = range(0, len(every), len(every) // count)
    return [(*every[at][0], *every[at][1:], at) for at in chosen]


@pytest.mark.parametrize(("shape", "axis", "dtype", "machine", "seed"), sampled(45))
def test_rows_are_sorted_as_defined(
    shape: Shape, axis: int, dtype: DType, machine: Any, seed: int
) -> None:
    x = numbers(shape, dtype, seed)
    check_word("sort", machine, x, axis=axis)
    check_word("argsort", machine, x, axis=axis)


@pytest.mark.parametrize(("shape", "axis", "dtype", "machine", "seed"), sampled(35))
def test_the_greatest_are_found_as_defined(
    shape: Shape, axis: int, dtype: DType, machine: Any, seed: int
) -> None:
    x, length = numbers(shape, dtype, seed), shape[-1]
    check_word("top_k", machine, x, k=(0, min(1, length), length // 2, length)[seed % 4])


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize("length", [9, 200, 5000])
def test_zeros_of_both_signs_keep_their_order(dtype: DType, length: int) -> None:
    x = np.random.default_rng(length).choice(np.array([0.0, -0.0, 1.5, -2, np.nan], dtype), length)
    for machine in machines():
        check_word("sort", machine, x, axis=0)
        check_word("top_k", machine, x, k=length // 2)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_long_keys_are_told_apart_by_all_their_digits(times: int) -> None:
    """Keys of which the first digits are those of as many others as ``times`` says."""
    rng = np.random.default_rng(times)
    first = rng.permutation(np.repeat(rng.integers(0, 1 << 44, 3000 // times), times))
    x = (first << 20 | rng.integers(0, 1 << 20, len(first))).astype(np.uint64)
    x[7::500] = x[5]  # and some are equal
    for machine in machines():
        check_word("sort", machine, x, axis=0)
        check_word("argsort", machine, x, axis=0)
