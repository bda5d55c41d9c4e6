"""Rows added at computed places in machine code give what the definition gives."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from clearprop.dtypes import F32, F64, I8, I32, I64, U8, U64, DType
from clearprop.errors import LabelError
from clearprop.executors.native.executor import Compiled
from clearprop.ir.types import Shape
from tests.support.native_kernels import machines
from tests.support.native_programs import check_word, one_word

CASES: list[tuple[Shape, int, Shape]] = [
    ((5,), 0, (3,)),
    ((5,), 0, ()),
    ((5,), 0, (2, 3)),
    ((50, 16), 0, (70,)),
    ((50, 131), 0, (7, 3)),
    ((3, 5, 7), 1, (9,)),
    ((3, 5, 7), 2, (9,)),
    ((40, 5, 65), 1, (2, 2)),
    ((2, 1, 3), 1, (5,)),
    ((4, 3), 0, (0,)),
    ((0, 3), 1, (2,)),
    ((3, 0), 0, (2,)),
    ((200, 300), 0, (400,)),
]


def sampled(count: int) -> list[Any]:
    """So many of all cases, element types and machines."""
    types = [F32, F64, U8, I64], [U8, I8, I32, U64]
    every = list(itertools.product(CASES, *types, machines()))
    return [(*every[at][0], *every[at][1:]) for at in range(0, len(every), len(every) // count)]


@pytest.mark.parametrize(("shape", "axis", "listed", "dtype", "kind", "machine"), sampled(60))
def test_rows_are_added_as_the_definition_adds_them(
    shape: Shape, axis: int, listed: Shape, dtype: DType, kind: DType, machine: Any
) -> None:
    rng = np.random.default_rng(2)
    x = np.asarray(4 * rng.standard_normal(shape)).astype(dtype)
    indices = rng.integers(0, min(shape[axis], 100), listed).astype(kind)
    new = (*shape[:axis], *listed, *shape[axis + 1 :])
    updates = np.asarray(4 * rng.standard_normal(new)).astype(dtype)
    exact = dtype.kind != "f"
    check_word("scatter_add", machine, x, indices, updates, exact=exact, axis=axis)


@pytest.mark.parametrize("shape", [(4, 3), (0, 3), (4, 0)])
@pytest.mark.parametrize("index", [-1, 4, 2**40])
def test_an_index_outside_is_told(shape: Shape, index: int) -> None:
    x, updates = np.zeros(shape, np.float32), np.ones((2, shape[1]), np.float32)
    indices = np.array([0, index])
    program = one_word("scatter_add", [x, indices, updates], axis=0)
    with pytest.raises(LabelError, match="outside of axis 0"):
        Compiled(program, machines()[0])([x, indices, updates])
