"""Comparisons: inputs of one type in, booleans out.   Steps have no derivative."""

from __future__ import annotations

import numpy as np

from clearprop.dtypes import BOOL
from clearprop.ir.value import Value
from clearprop.primitives.checks import ANY_KIND
from clearprop.primitives.elementwise import elementwise


def equal(x: Value, y: Value) -> Value:
    """x == y; NaN equals nothing."""
    return EQUAL.apply(x, y)


def not_equal(x: Value, y: Value) -> Value:
    """x != y; NaN differs from everything."""
    return NOT_EQUAL.apply(x, y)


def less(x: Value, y: Value) -> Value:
    """x < y; false where one is NaN."""
    return LESS.apply(x, y)


def less_equal(x: Value, y: Value) -> Value:
    """x <= y; false where one is NaN."""
    return LESS_EQUAL.apply(x, y)


def is_finite(x: Value) -> Value:
    """Whether x is neither infinite nor NaN."""
    return IS_FINITE.apply(x)


def is_nan(x: Value) -> Value:
    """Whether x is NaN."""
    return IS_NAN.apply(x)


EQUAL = elementwise("equal", meaning=np.equal, gradient=None, kinds=ANY_KIND, gives=BOOL)
NOT_EQUAL = elementwise(
    "not_equal", meaning=np.not_equal, gradient=None, kinds=ANY_KIND, gives=BOOL
)
LESS = elementwise("less", meaning=np.less, gradient=None, gives=BOOL)
LESS_EQUAL = elementwise("less_equal", meaning=np.less_equal, gradient=None, gives=BOOL)
IS_FINITE = elementwise("is_finite", meaning=np.isfinite, gradient=None, kinds="f", gives=BOOL)
IS_NAN = elementwise("is_nan", meaning=np.isnan, gradient=None, kinds="f", gives=BOOL)
