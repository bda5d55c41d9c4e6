"""NaN and infinity: found, replaced, and passed by."""

from __future__ import annotations

import numpy as np

from clearprop import primitives as p
from clearprop.dtypes import is_float
from clearprop.ir.value import Value
from clearprop.ops.lift import ArrayLike, lift, lift_number, meet_floats, spread
from clearprop.ops.operation import operation


@operation
def isnan(x: ArrayLike) -> Value:
    """Whether x is not a number.

    Shapes:
        x: S  ->  bool S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.isnan([1.0, float("nan")]).numpy()
        array([False,  True])
    """
    value = lift(x)[0]
    return p.is_nan(value) if is_float(value.dtype) else _everywhere(False, value)


@operation
def isfinite(x: ArrayLike) -> Value:
    """Whether x is neither infinite nor NaN.

    Shapes:
        x: S  ->  bool S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.isfinite([1.0, float("inf")]).numpy()
        array([ True, False])
    """
    value = lift(x)[0]
    return p.is_finite(value) if is_float(value.dtype) else _everywhere(True, value)


@operation
def isinf(x: ArrayLike) -> Value:
    """Whether x is infinite, with either sign.

    Shapes:
        x: S  ->  bool S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.isinf([1.0, float("inf")]).numpy()
        array([False,  True])
    """
    value = lift(x)[0]
    if not is_float(value.dtype):
        return _everywhere(False, value)
    return p.bitwise_not(p.bitwise_or(p.is_finite(value), p.is_nan(value)))


def _everywhere(answer: bool, like: Value) -> Value:
    return spread(type(like).leaf(np.asarray(answer)), like.shape)


@operation
def nan_to_num(
    x: ArrayLike,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Value:
    """x with plain numbers in place of NaN and infinity.

    Args:
        x: the array.
        nan: what stands for NaN.
        posinf: what stands for infinity; None means the largest number of the element type.
        neginf: what stands for minus infinity; None means the smallest number.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.nan_to_num([1.0, float("nan"), float("inf")], posinf=9.0).numpy()
        array([1., 0., 9.], dtype=float32)
    """
    value = lift_number(x)
    if not is_float(value.dtype):
        return value
    limits = np.finfo(value.dtype)
    high = p.constant_like(float(limits.max) if posinf is None else posinf, value)
    low = p.constant_like(float(limits.min) if neginf is None else neginf, value)
    positive = p.less(p.constant_like(0, value), value)
    infinite = p.select(positive, high, low)
    infinite = p.select(p.is_nan(value), p.constant_like(nan, value), infinite)
    return p.select(p.is_finite(value), value, infinite)


@operation
def isclose(
    x: ArrayLike,
    y: ArrayLike,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Value:
    """Whether x and y are nearly equal: ``|x - y| <= atol + rtol * |y|``.

    Args:
        x: an array.
        y: another, by which nearness is measured.
        rtol: the distance that counts as near, as a part of y.
        atol: and beside it.
        equal_nan: whether two NaNs are near each other.

    Shapes:
        x, y: broadcast to S  ->  bool S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.isclose([1.0, 2.0], [1.000001, 2.1]).numpy()
        array([ True, False])
    """
    first, second = meet_floats(x, y, doing="Comparing")
    distance = p.absolute(p.subtract(first, second))
    part = p.multiply(p.constant_like(rtol, second), p.absolute(second))
    near = p.less_equal(distance, p.add(p.constant_like(atol, second), part))
    near = p.bitwise_and(near, p.bitwise_and(p.is_finite(first), p.is_finite(second)))
    near = p.bitwise_or(near, p.equal(first, second))
    if equal_nan:
        near = p.bitwise_or(near, p.bitwise_and(p.is_nan(first), p.is_nan(second)))
    return near
