"""Angles, and the hyperbolic functions.  All results are floats."""

from __future__ import annotations

from clearprop import primitives as p
from clearprop.ir.value import Value
from clearprop.ops.lift import ArrayLike, lift_float, meet_floats
from clearprop.ops.operation import operation


@operation
def sin(x: ArrayLike) -> Value:
    """The sine of x, in radians.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.sin([0.0, 1.0]).numpy().round(4)
        array([0.    , 0.8415], dtype=float32)
    """
    return p.sin(lift_float(x))


@operation
def cos(x: ArrayLike) -> Value:
    """The cosine of x, in radians.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.cos([0.0, 1.0]).numpy().round(4)
        array([1.    , 0.5403], dtype=float32)
    """
    return p.cos(lift_float(x))


@operation
def tan(x: ArrayLike) -> Value:
    """The tangent of x, in radians.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.tan([0.0, 1.0]).numpy().round(4)
        array([0.    , 1.5574], dtype=float32)
    """
    return p.tan(lift_float(x))


@operation
def arcsin(x: ArrayLike) -> Value:
    """The angle from -pi/2 to pi/2 whose sine is x; NaN outside of -1 to 1.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.arcsin([0.0, 1.0]).numpy().round(4)
        array([0.    , 1.5708], dtype=float32)
    """
    return p.arcsin(lift_float(x))


@operation
def arccos(x: ArrayLike) -> Value:
    """The angle from 0 to pi whose cosine is x; NaN outside of -1 to 1.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.arccos([1.0, 0.0]).numpy().round(4)
        array([0.    , 1.5708], dtype=float32)
    """
    return p.arccos(lift_float(x))


@operation
def arctan(x: ArrayLike) -> Value:
    """The angle between -pi/2 and pi/2 whose tangent is x.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.arctan([0.0, 1.0]).numpy().round(4)
        array([0.    , 0.7854], dtype=float32)
    """
    return p.arctan(lift_float(x))


@operation
def sinh(x: ArrayLike) -> Value:
    """The hyperbolic sine of x, (e^x - e^-x) / 2.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.sinh([0.0, 1.0]).numpy().round(4)
        array([0.    , 1.1752], dtype=float32)
    """
    return p.sinh(lift_float(x))


@operation
def cosh(x: ArrayLike) -> Value:
    """The hyperbolic cosine of x, (e^x + e^-x) / 2.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.cosh([0.0, 1.0]).numpy().round(4)
        array([1.    , 1.5431], dtype=float32)
    """
    return p.cosh(lift_float(x))


@operation
def tanh(x: ArrayLike) -> Value:
    """The hyperbolic tangent of x, sinh(x) / cosh(x), from -1 to 1.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.tanh([0.0, 1.0]).numpy().round(4)
        array([0.    , 0.7616], dtype=float32)
    """
    return p.tanh(lift_float(x))


@operation
def arcsinh(x: ArrayLike) -> Value:
    """The number whose hyperbolic sine is x.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.arcsinh([0.0, 1.0]).numpy().round(4)
        array([0.    , 0.8814], dtype=float32)
    """
    return p.arcsinh(lift_float(x))


@operation
def arccosh(x: ArrayLike) -> Value:
    """The number from 0 up whose hyperbolic cosine is x; NaN below 1.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.arccosh([1.0, 2.0]).numpy().round(4)
        array([0.   , 1.317], dtype=float32)
    """
    return p.arccosh(lift_float(x))


@operation
def arctanh(x: ArrayLike) -> Value:
    """The number whose hyperbolic tangent is x; NaN outside of -1 to 1.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.arctanh([0.0, 0.5]).numpy().round(4)
        array([0.    , 0.5493], dtype=float32)
    """
    return p.arctanh(lift_float(x))


@operation
def arctan2(x: ArrayLike, y: ArrayLike) -> Value:
    """The angle from -pi to pi of the point with ordinate x and abscissa y.

    Shapes:
        x, y: broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.arctan2([0.0, 1.0], [-1.0, 0.0]).numpy().round(4)
        array([3.1416, 1.5708], dtype=float32)
    """
    return p.arctan2(*meet_floats(x, y, doing="Measuring an angle"))
