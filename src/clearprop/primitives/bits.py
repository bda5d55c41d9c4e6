"""Arithmetic of bits, on integers; the logical ones on booleans too.   No derivatives."""

from __future__ import annotations

import numpy as np

from clearprop.ir.value import Array, Value
from clearprop.primitives.elementwise import elementwise


def bitwise_and(x: Value, y: Value) -> Value:
    """Bits that are set in both; for booleans: x and y."""
    return BITWISE_AND.apply(x, y)


def bitwise_or(x: Value, y: Value) -> Value:
    """Bits that are set in one or both; for booleans: x or y."""
    return BITWISE_OR.apply(x, y)


def bitwise_xor(x: Value, y: Value) -> Value:
    """Bits that are set in exactly one; for booleans: x differs from y."""
    return BITWISE_XOR.apply(x, y)


def bitwise_not(x: Value) -> Value:
    """All bits turned over; for booleans: not x."""
    return BITWISE_NOT.apply(x)


def shift_left(x: Value, y: Value) -> Value:
    """The bits of x moved up by y places; 0 where y is negative or not below x's width."""
    return SHIFT_LEFT.apply(x, y)


def shift_right(x: Value, y: Value) -> Value:
    """The bits of x moved down by y places; 0 where y is negative or not below x's width.

    A signed x keeps its sign: the places that become free are filled with its sign bit.
    """
    return SHIFT_RIGHT.apply(x, y)


def _shift_left_meaning(x: Array, y: Array) -> Array:
    return _shifted(np.left_shift, x, y)


def _shift_right_meaning(x: Array, y: Array) -> Array:
    return _shifted(np.right_shift, x, y)


def _shifted(shift: np.ufunc, x: Array, y: Array) -> Array:
    fits = (y >= 0) & (y < 8 * y.dtype.itemsize)
    if np.all(fits):
        return np.asarray(shift(x, y))
    return np.where(fits, shift(x, np.where(fits, y, 0)), 0).astype(x.dtype)


BITWISE_AND = elementwise("bitwise_and", meaning=np.bitwise_and, gradient=None, kinds="biu")
BITWISE_OR = elementwise("bitwise_or", meaning=np.bitwise_or, gradient=None, kinds="biu")
BITWISE_XOR = elementwise("bitwise_xor", meaning=np.bitwise_xor, gradient=None, kinds="biu")
BITWISE_NOT = elementwise("bitwise_not", meaning=np.invert, gradient=None, kinds="biu")
SHIFT_LEFT = elementwise("shift_left", meaning=_shift_left_meaning, gradient=None, kinds="iu")
SHIFT_RIGHT = elementwise("shift_right", meaning=_shift_right_meaning, gradient=None, kinds="iu")
