"""What the tests of operations share: numbers of a value, and comparison with NumPy."""

from __future__ import annotations

import numpy as np

from clearprop.executors.reference import evaluate
from clearprop.ir.value import Array, Value

TOLERANCE = {np.dtype(np.float32): 3e-6, np.dtype(np.float64): 1e-13}


def numbers(value: Value) -> Array:
    """The numbers of a value, which must have the type that was promised."""
    array = evaluate([value])[0]
    assert array.shape == value.shape
    assert array.dtype == value.dtype
    return array


def same(value: Value, expected: object, *, dtype: object = None) -> None:
    """Exactly the expected shape, and its numbers: within rounding for floats."""
    array, wanted = numbers(value), np.asarray(expected)
    assert array.shape == wanted.shape
    if dtype is not None:
        assert array.dtype == np.dtype(dtype)
    tolerance = TOLERANCE.get(array.dtype, 0.0)
    np.testing.assert_allclose(array, wanted, rtol=tolerance, atol=tolerance)


def exactly(value: Value, expected: object) -> None:
    """The expected shape, element type and bits (NaN is NaN)."""
    array, wanted = numbers(value), np.asarray(expected)
    assert array.shape == wanted.shape
    assert array.dtype == wanted.dtype
    np.testing.assert_array_equal(array, wanted)
