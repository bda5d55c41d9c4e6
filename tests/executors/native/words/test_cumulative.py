"""Running sums and products in machine code give what their definitions give."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from clearprop.dtypes import F32, F64, I16, I64, U8, DType
from clearprop.ir.types import Shape
from clearprop.ir.value import Array
from tests.support.native_kernels import machines
from tests.support.native_programs import check_word

CASES: list[tuple[Shape, int]] = [
    ((1,), 0),
    ((5,), 0),
    ((37,), 0),
    ((1000,), 0),
    ((5, 6), 0),
    ((5, 6), 1),
    ((70, 33), 0),
    ((70, 33), 1),
    ((3, 40, 5), 1),
    ((2, 1, 5), 1),
    ((0, 5), 1),
    ((5, 0), 1),
    ((3, 30, 70), 1),
    ((20_000, 9), 1),
    ((9, 20_000), 0),
    ((3, 7, 128), 2),
]


def sampled(count: int) -> list[Any]:
    """So many of all cases, element types, directions and machines."""
    everything = itertools.product(CASES, [F32, F64, U8, I16, I64], [False, True], machines())
    every = list(everything)
    return [(*every[at][0], *every[at][1:]) for at in range(0, len(every), len(every) // count)]


def numbers(shape: Shape, dtype: DType) -> Array:
    return np.asarray(4 * np.random.default_rng(3).standard_normal(shape)).astype(dtype)


@pytest.mark.parametrize(("shape", "axis", "dtype", "reverse", "machine"), sampled(50))
def test_running_numbers_are_those_of_the_definition(
    shape: Shape, axis: int, dtype: DType, reverse: bool, machine: Any
) -> None:
    x = numbers(shape, dtype)
    how = {"axis": axis, "reverse": reverse}
    check_word("cumulative_sum", machine, x, exact=dtype.kind != "f", **how)
    check_word("cumulative_product", machine, x, **how)


@pytest.mark.parametrize("machine", machines())
@pytest.mark.parametrize("reverse", [False, True])
def test_special_numbers_reach_what_comes_after_them_only(reverse: bool, machine: Any) -> None:
    x = np.full((4, 50), -0.0, np.float32)
    x[1, 20], x[2, 30], x[3, 10], x[3, 40] = np.nan, np.inf, np.inf, -np.inf
    for word, axis in itertools.product(["cumulative_sum", "cumulative_product"], [0, 1]):
        check_word(word, machine, x, axis=axis, reverse=reverse)


@pytest.mark.parametrize("machine", machines())
def test_products_do_not_overflow_where_those_of_the_definition_do_not(machine: Any) -> None:
    x = np.tile(np.array([1e30, 1e-30, 1e30, 1e30, 1e-30, 1e-30, 0.0, 1.0], np.float32), 8)
    check_word("cumulative_product", machine, x, axis=0, reverse=False)
