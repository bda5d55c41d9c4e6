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
    """
    return p.sin(lift_float(x))


@operation
def cos(x: ArrayLike) -> Value:
    """The cosine of x, in radians.

    Shapes:
        x: S  ->  S
    """
    return p.cos(lift_float(x))


@operation
def tan(x: ArrayLike) -> Value:
    """The tangent of x, in radians.

    Shapes:
        x: S  ->  S
    """
    return p.tan(lift_float(x))


@operation
def arcsin(x: ArrayLike) -> Value:
    """The angle from -pi/2 to pi/2 whose sine is x; NaN outside of -1 to 1.

    Shapes:
        x: S  ->  S
    """
    return p.arcsin(lift_float(x))


@operation
def arccos(x: ArrayLike) -> Value:
    """The angle from 0 to pi whose cosine is x; NaN outside of -1 to 1.

    Shapes:
        x: S  ->  S
    """
    return p.arccos(lift_float(x))


@operation
def arctan(x: ArrayLike) -> Value:
    """The angle between -pi/2 and pi/2 whose tangent is x.

    Shapes:
        x: S  ->  S
    """
    return p.arctan(lift_float(x))


@operation
def sinh(x: ArrayLike) -> Value:
    """The hyperbolic sine of x, (e^x - e^-x) / 2.

    Shapes:
        x: S  ->  S
    """
    return p.sinh(lift_float(x))


@operation
def cosh(x: ArrayLike) -> Value:
    """The hyperbolic cosine of x, (e^x + e^-x) / 2.

    Shapes:
        x: S  ->  S
    """
    return p.cosh(lift_float(x))


@operation
def tanh(x: ArrayLike) -> Value:
    """The hyperbolic tangent of x, sinh(x) / cosh(x), from -1 to 1.

    Shapes:
        x: S  ->  S
    """
    return p.tanh(lift_float(x))


@operation
def arcsinh(x: ArrayLike) -> Value:
    """The number whose hyperbolic sine is x.

    Shapes:
        x: S  ->  S
    """
    return p.arcsinh(lift_float(x))


@operation
def arccosh(x: ArrayLike) -> Value:
    """The number from 0 up whose hyperbolic cosine is x; NaN below 1.

    Shapes:
        x: S  ->  S
    """
    return p.arccosh(lift_float(x))


@operation
def arctanh(x: ArrayLike) -> Value:
    """The number whose hyperbolic tangent is x; NaN outside of -1 to 1.

    Shapes:
        x: S  ->  S
    """
    return p.arctanh(lift_float(x))


@operation
def arctan2(x: ArrayLike, y: ArrayLike) -> Value:
    """The angle from -pi to pi of the point with ordinate x and abscissa y.

    Shapes:
        x, y: broadcast to S  ->  S
    """
    return p.arctan2(*meet_floats(x, y, doing="Measuring an angle"))
