"""Addition, multiplication and their kin, element by element.

All inputs of one primitive have exactly one type, S, S -> S.
"""

from __future__ import annotations

import numpy as np

from clearprop.ir.primitive import Gradients
from clearprop.ir.value import Value
from clearprop.primitives.checks import ANY_KIND
from clearprop.primitives.comparison import equal, less
from clearprop.primitives.constants import constant_like, zeros_like
from clearprop.primitives.elementwise import elementwise
from clearprop.primitives.selection import select

# -- add, subtract ------------------------------------------------------------


def add(x: Value, y: Value) -> Value:
    """x + y.   Gradient: both inputs receive d_output."""
    return ADD.apply(x, y)


def _add_gradient(d_output: Value, output: Value, x: Value, y: Value) -> Gradients:
    return d_output, d_output


def subtract(x: Value, y: Value) -> Value:
    """x - y.   Gradient: x receives d_output, y receives -d_output."""
    return SUBTRACT.apply(x, y)


def _subtract_gradient(d_output: Value, output: Value, x: Value, y: Value) -> Gradients:
    return d_output, negate(d_output)


ADD = elementwise("add", meaning=np.add, gradient=_add_gradient)
SUBTRACT = elementwise("subtract", meaning=np.subtract, gradient=_subtract_gradient)

# -- multiply, divide ---------------------------------------------------------


def multiply(x: Value, y: Value) -> Value:
    """x * y.   Gradient: each input receives d_output times the other input."""
    return MULTIPLY.apply(x, y)


def _multiply_gradient(d_output: Value, output: Value, x: Value, y: Value) -> Gradients:
    return multiply(d_output, y), multiply(d_output, x)


def divide(x: Value, y: Value) -> Value:
    """x / y, of floats.   Gradient: d_x = d_output / y, d_y = -d_x * output."""
    return DIVIDE.apply(x, y)


def _divide_gradient(d_output: Value, output: Value, x: Value, y: Value) -> Gradients:
    d_x = divide(d_output, y)
    return d_x, negate(multiply(d_x, output))


MULTIPLY = elementwise("multiply", meaning=np.multiply, gradient=_multiply_gradient)
DIVIDE = elementwise("divide", meaning=np.divide, gradient=_divide_gradient, kinds="f")

# -- negate, absolute, sign ---------------------------------------------------


def negate(x: Value) -> Value:
    """-x (unsigned integers wrap around).   Gradient: -d_output."""
    return NEGATE.apply(x)


def _negate_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (negate(d_output),)


def absolute(x: Value) -> Value:
    """The distance of x from 0.   Gradient: d_output * sign(x), so 0 at 0."""
    return ABSOLUTE.apply(x)


def _absolute_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (multiply(d_output, sign(x)),)


def sign(x: Value) -> Value:
    """-1, 0 or 1; NaN stays.   It is constant on both sides of 0: no derivative."""
    return SIGN.apply(x)


NEGATE = elementwise("negate", meaning=np.negative, gradient=_negate_gradient)
ABSOLUTE = elementwise("absolute", meaning=np.absolute, gradient=_absolute_gradient)
SIGN = elementwise("sign", meaning=np.sign, gradient=None)

# -- maximum, minimum ---------------------------------------------------------


def maximum(x: Value, y: Value) -> Value:
    """The greater of both; NaN where one is NaN; for booleans: x or y.

    Gradient:
        The greater input receives d_output; equal ones receive half of it each.
    """
    return MAXIMUM.apply(x, y)


def _maximum_gradient(d_output: Value, output: Value, x: Value, y: Value) -> Gradients:
    return _to_winner(d_output, x, y, x_loses=less(x, y), y_loses=less(y, x))


def minimum(x: Value, y: Value) -> Value:
    """The lesser of both; NaN where one is NaN; for booleans: x and y.

    Gradient:
        The lesser input receives d_output; equal ones receive half of it each.
    """
    return MINIMUM.apply(x, y)


def _minimum_gradient(d_output: Value, output: Value, x: Value, y: Value) -> Gradients:
    return _to_winner(d_output, x, y, x_loses=less(y, x), y_loses=less(x, y))


def _to_winner(d_output: Value, x: Value, y: Value, *, x_loses: Value, y_loses: Value) -> Gradients:
    half = multiply(d_output, constant_like(0.5, d_output))
    shared = select(equal(x, y), half, d_output)
    zero = zeros_like(d_output)
    return select(x_loses, zero, shared), select(y_loses, zero, shared)


MAXIMUM = elementwise("maximum", meaning=np.maximum, gradient=_maximum_gradient, kinds=ANY_KIND)
MINIMUM = elementwise("minimum", meaning=np.minimum, gradient=_minimum_gradient, kinds=ANY_KIND)

# -- floor_divide, remainder --------------------------------------------------


def floor_divide(x: Value, y: Value) -> Value:
    """x / y rounded down; for integers 0 where y is 0.   It moves in steps: no derivative."""
    return FLOOR_DIVIDE.apply(x, y)


def remainder(x: Value, y: Value) -> Value:
    """x - y * floor(x / y), with the sign of y, as Python's ``%``; for integers 0 where y is 0.

    Gradient:
        d_x = d_output, d_y = -d_output * floor(x / y).
    """
    return REMAINDER.apply(x, y)


def _remainder_gradient(d_output: Value, output: Value, x: Value, y: Value) -> Gradients:
    return d_output, negate(multiply(d_output, floor_divide(x, y)))


FLOOR_DIVIDE = elementwise("floor_divide", meaning=np.floor_divide, gradient=None)
REMAINDER = elementwise("remainder", meaning=np.remainder, gradient=_remainder_gradient)
