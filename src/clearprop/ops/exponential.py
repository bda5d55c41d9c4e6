"""Exponentials, logarithms, roots, and the curves made of them.  All results are floats."""

from __future__ import annotations

import math

from clearprop import primitives as p
from clearprop.ir.value import Value
from clearprop.ops.lift import ArrayLike, lift_float, meet_floats
from clearprop.ops.operation import operation


@operation
def exp(x: ArrayLike) -> Value:
    """e to the power x.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.exp([0.0, 1.0]).numpy().round(4)
        array([1.    , 2.7183], dtype=float32)
    """
    return p.exp(lift_float(x))


@operation
def expm1(x: ArrayLike) -> Value:
    """e^x - 1, exact for small x too.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.expm1([0.0, 1.0]).numpy().round(4)
        array([0.    , 1.7183], dtype=float32)
    """
    return p.expm1(lift_float(x))


@operation
def log(x: ArrayLike) -> Value:
    """The natural logarithm of x: -infinity at 0, NaN below.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.log([1.0, 10.0]).numpy().round(4)
        array([0.    , 2.3026], dtype=float32)
    """
    return p.log(lift_float(x))


@operation
def log1p(x: ArrayLike) -> Value:
    """log(1 + x), exact for small x too.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.log1p([0.0, 1.0]).numpy().round(4)
        array([0.    , 0.6931], dtype=float32)
    """
    return p.log1p(lift_float(x))


@operation
def sqrt(x: ArrayLike) -> Value:
    """The square root of x; NaN below 0.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.sqrt([4.0, 9.0]).numpy()
        array([2., 3.], dtype=float32)
    """
    return p.sqrt(lift_float(x))


@operation
def rsqrt(x: ArrayLike) -> Value:
    """1 / sqrt(x).

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.rsqrt([4.0, 0.25]).numpy()
        array([0.5, 2. ], dtype=float32)
    """
    return p.rsqrt(lift_float(x))


@operation
def sigmoid(x: ArrayLike) -> Value:
    """1 / (1 + e^-x), from 0 to 1, without overflow for any x.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.sigmoid([-1000.0, 0.0, 1.0]).numpy().round(4)
        array([0.    , 0.5   , 0.7311], dtype=float32)
    """
    return p.sigmoid(lift_float(x))


@operation
def erf(x: ArrayLike) -> Value:
    """The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.erf([0.0, 0.5]).numpy().round(4)
        array([0.    , 0.5205], dtype=float32)
    """
    return p.erf(lift_float(x))


@operation
def erf_inverse(x: ArrayLike) -> Value:
    """The number whose error function is x; infinite at -1 and 1.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.erf_inverse([0.0, 0.5]).numpy().round(4)
        array([0.    , 0.4769], dtype=float32)
    """
    return p.erf_inverse(lift_float(x))


@operation
def exp2(x: ArrayLike) -> Value:
    """2 to the power x.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.exp2([0, 3]).numpy()
        array([1., 8.], dtype=float32)
    """
    value = lift_float(x)
    return p.power(p.constant_like(2, value), value)


@operation
def log2(x: ArrayLike) -> Value:
    """The logarithm of x to base 2.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.log2([1, 8]).numpy().round(4)
        array([0., 3.], dtype=float32)
    """
    value = lift_float(x)
    return p.multiply(p.log(value), p.constant_like(1 / math.log(2), value))


@operation
def log10(x: ArrayLike) -> Value:
    """The logarithm of x to base 10.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.log10([1, 1000]).numpy().round(4)
        array([0., 3.], dtype=float32)
    """
    value = lift_float(x)
    return p.multiply(p.log(value), p.constant_like(1 / math.log(10), value))


@operation
def logaddexp(x: ArrayLike, y: ArrayLike) -> Value:
    """log(e^x + e^y), without overflow for any x and y.

    Shapes:
        x, y: broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.logaddexp([0.0], 0.0).numpy().round(4)
        array([0.6931], dtype=float32)
    """
    first, second = meet_floats(x, y, doing="Adding exponentials")
    high, low = p.maximum(first, second), p.minimum(first, second)
    # Equal infinities have no difference; equal numbers have the difference 0.
    difference = p.select(p.equal(high, low), p.constant_like(0, high), p.subtract(low, high))
    return p.add(high, p.log1p(p.exp(difference)))


@operation
def xlogy(x: ArrayLike, y: ArrayLike) -> Value:
    """x log y, and 0 where x is 0, whatever y (unless it is NaN): a term of an entropy.

    Shapes:
        x, y: broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.xlogy([0.0, 2.0], [0.0, 1.0]).numpy()
        array([0., 0.], dtype=float32)
    """
    first, second = meet_floats(x, y, doing="Multiplying by a logarithm")
    zero = p.constant_like(0, second)
    usual = p.bitwise_and(p.less(zero, second), p.is_finite(second))
    kept = p.bitwise_or(p.not_equal(first, zero), p.bitwise_or(usual, p.is_nan(second)))
    return p.multiply(first, p.log(p.select(kept, second, p.constant_like(1, second))))


@operation
def hypot(x: ArrayLike, y: ArrayLike) -> Value:
    """sqrt(x^2 + y^2), the longest side of a right triangle, without overflow.

    Shapes:
        x, y: broadcast to S  ->  S

    Gradient:
        x / hypot and y / hypot; 0 at (0, 0), where there is none.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.hypot([3.0, 1e38], [4.0, 0.0]).numpy()
        array([5.e+00, 1.e+38], dtype=float32)
    """
    first, second = map(p.absolute, meet_floats(x, y, doing="Measuring a length"))
    high, low = p.maximum(first, second), p.minimum(first, second)
    one = p.constant_like(1, high)
    usual = p.bitwise_and(p.is_finite(high), p.not_equal(high, p.constant_like(0, high)))
    ratio = p.divide(low, p.select(usual, high, one))
    return p.multiply(high, p.sqrt(p.add(one, p.multiply(ratio, ratio))))
