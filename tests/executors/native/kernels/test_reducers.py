"""Where the extremes of a row are: the first of equal ones, and the first NaN before all others."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.llvm.machine import Machine
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives import argmax, argmin
from tests.support.native_kernels import machines, width_name


def places(x: Array, machine: Machine) -> list[Array]:
    """Of the greatest and of the least number in each row."""
    value = Value(TensorType.of(x))
    program = Program.under([argmax(value, axis=1), argmin(value, axis=1)], [value])
    return Compiled(program, machine)([x])


@pytest.mark.parametrize("machine", machines(), ids=width_name)
@pytest.mark.parametrize("lanes", [1, 5, 33, 67, 100, 1000])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i1", "u2", "i4", "i8"])
def test_the_first_of_equal_numbers_counts(dtype: str, lanes: int, machine: Machine) -> None:
    x = np.random.default_rng(lanes).integers(0, 5, (7, lanes)).astype(dtype)
    greatest, least = places(x, machine)
    np.testing.assert_array_equal(greatest, x.argmax(axis=1))
    np.testing.assert_array_equal(least, x.argmin(axis=1))
    assert greatest.dtype == np.int64


@pytest.mark.parametrize("machine", machines(), ids=width_name)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_first_nan_counts(dtype: str, machine: Machine) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (20, 203)).astype(dtype)
    for row, where in enumerate([0, 7, 8, 31, 32, 100, 199, 200, 202]):
        x[row, [where, -1]] = np.nan
    x[-1] = np.nan
    x[-2] = -np.inf
    for found, wanted in zip(places(x, machine), (x.argmax(axis=1), x.argmin(axis=1)), strict=True):
        np.testing.assert_array_equal(found, wanted)
