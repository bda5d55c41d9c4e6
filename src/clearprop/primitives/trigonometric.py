"""Circular and hyperbolic functions of floats, element by element.

Reference:
    DLMF, sections 4.20, 4.24, 4.34 and 4.38, for the derivatives.
"""

from __future__ import annotations

import numpy as np

from clearprop.ir.primitive import Gradients
from clearprop.ir.value import Value
from clearprop.primitives.arithmetic import (
    absolute,
    add,
    divide,
    maximum,
    multiply,
    negate,
    subtract,
)
from clearprop.primitives.constants import constant_like
from clearprop.primitives.convert import stop_gradient
from clearprop.primitives.elementwise import elementwise
from clearprop.primitives.exponential import sqrt


def _one_minus_square(x: Value) -> Value:
    one = constant_like(1, x)
    return multiply(subtract(one, x), add(one, x))  # keeps its digits near |x| = 1


def _one_plus_square(x: Value) -> Value:
    return add(constant_like(1, x), multiply(x, x))


# -- sin, cos, tan ------------------------------------------------------------


def sin(x: Value) -> Value:
    """The sine of an angle in radians.   Gradient: d_output * cos(x)."""
    return SIN.apply(x)


def _sin_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (multiply(d_output, cos(x)),)


def cos(x: Value) -> Value:
    """The cosine of an angle in radians.   Gradient: -d_output * sin(x)."""
    return COS.apply(x)


def _cos_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (negate(multiply(d_output, sin(x))),)


def tan(x: Value) -> Value:
    """The tangent of an angle in radians.   Gradient: d_output * (1 + output^2)."""
    return TAN.apply(x)


def _tan_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (multiply(d_output, _one_plus_square(output)),)


SIN = elementwise("sin", meaning=np.sin, gradient=_sin_gradient, kinds="f")
COS = elementwise("cos", meaning=np.cos, gradient=_cos_gradient, kinds="f")
TAN = elementwise("tan", meaning=np.tan, gradient=_tan_gradient, kinds="f")

# -- arcsin, arccos, arctan, arctan2 ------------------------------------------


def arcsin(x: Value) -> Value:
    """The angle whose sine is x, -pi/2 to pi/2.   Gradient: d_output / sqrt(1 - x^2)."""
    return ARCSIN.apply(x)


def _arcsin_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (divide(d_output, sqrt(_one_minus_square(x))),)


def arccos(x: Value) -> Value:
    """The angle whose cosine is x, 0 to pi.   Gradient: -d_output / sqrt(1 - x^2)."""
    return ARCCOS.apply(x)


def _arccos_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (negate(divide(d_output, sqrt(_one_minus_square(x)))),)


def arctan(x: Value) -> Value:
    """The angle whose tangent is x, -pi/2 to pi/2.   Gradient: d_output / (1 + x^2)."""
    return ARCTAN.apply(x)


def _arctan_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (divide(d_output, _one_plus_square(x)),)


def arctan2(y: Value, x: Value) -> Value:
    """The angle of the point (x, y) seen from the origin, -pi to pi.

    Gradient:
        d_y = d_output * x / (x^2 + y^2),  d_x = -d_output * y / (x^2 + y^2).
    """
    return ARCTAN2.apply(y, x)


def _arctan2_gradient(d_output: Value, output: Value, y: Value, x: Value) -> Gradients:
    # Scaled so that squares neither overflow nor vanish.  The scale cancels, so it may be a
    # constant to the second derivative.
    scale = stop_gradient(maximum(absolute(x), absolute(y)))
    u, v = divide(x, scale), divide(y, scale)
    weight = divide(divide(d_output, scale), add(multiply(u, u), multiply(v, v)))
    return multiply(weight, u), negate(multiply(weight, v))


ARCSIN = elementwise("arcsin", meaning=np.arcsin, gradient=_arcsin_gradient, kinds="f")
ARCCOS = elementwise("arccos", meaning=np.arccos, gradient=_arccos_gradient, kinds="f")
ARCTAN = elementwise("arctan", meaning=np.arctan, gradient=_arctan_gradient, kinds="f")
ARCTAN2 = elementwise("arctan2", meaning=np.arctan2, gradient=_arctan2_gradient, kinds="f")

# -- sinh, cosh, tanh ---------------------------------------------------------


def sinh(x: Value) -> Value:
    """(e^x - e^-x) / 2.   Gradient: d_output * cosh(x)."""
    return SINH.apply(x)


def _sinh_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (multiply(d_output, cosh(x)),)


def cosh(x: Value) -> Value:
    """(e^x + e^-x) / 2.   Gradient: d_output * sinh(x)."""
    return COSH.apply(x)


def _cosh_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (multiply(d_output, sinh(x)),)


def tanh(x: Value) -> Value:
    """sinh(x) / cosh(x).

    Gradient:
        d_x = d_output * (1 - output^2).  Written with the output, so that no exponential is
        taken twice and large |x| gives 0.
    """
    return TANH.apply(x)


def _tanh_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (multiply(d_output, _one_minus_square(output)),)


SINH = elementwise("sinh", meaning=np.sinh, gradient=_sinh_gradient, kinds="f")
COSH = elementwise("cosh", meaning=np.cosh, gradient=_cosh_gradient, kinds="f")
TANH = elementwise("tanh", meaning=np.tanh, gradient=_tanh_gradient, kinds="f")

# -- arcsinh, arccosh, arctanh ------------------------------------------------


def arcsinh(x: Value) -> Value:
    """The number whose sinh is x.   Gradient: d_output / sqrt(1 + x^2)."""
    return ARCSINH.apply(x)


def _arcsinh_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (divide(d_output, sqrt(_one_plus_square(x))),)


def arccosh(x: Value) -> Value:
    """The number >= 0 whose cosh is x, for x >= 1.   Gradient: d_output / sqrt(x^2 - 1)."""
    return ARCCOSH.apply(x)


def _arccosh_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (divide(d_output, sqrt(negate(_one_minus_square(x)))),)


def arctanh(x: Value) -> Value:
    """The number whose tanh is x, for |x| <= 1.   Gradient: d_output / (1 - x^2)."""
    return ARCTANH.apply(x)


def _arctanh_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (divide(d_output, _one_minus_square(x)),)


ARCSINH = elementwise("arcsinh", meaning=np.arcsinh, gradient=_arcsinh_gradient, kinds="f")
ARCCOSH = elementwise("arccosh", meaning=np.arccosh, gradient=_arccosh_gradient, kinds="f")
ARCTANH = elementwise("arctanh", meaning=np.arctanh, gradient=_arctanh_gradient, kinds="f")
