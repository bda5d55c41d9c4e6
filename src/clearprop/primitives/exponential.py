"""Exponentials, logarithms, powers and roots of floats, element by element."""

from __future__ import annotations

import numpy as np

from clearprop.ir.primitive import Gradients
from clearprop.ir.value import Array, Value
from clearprop.primitives.arithmetic import (
    absolute,
    add,
    divide,
    multiply,
    subtract,
)
from clearprop.primitives.bits import bitwise_and
from clearprop.primitives.comparison import equal, less, less_equal
from clearprop.primitives.constants import constant_like, zeros_like
from clearprop.primitives.elementwise import elementwise
from clearprop.primitives.selection import select

# -- exp, expm1, log, log1p ---------------------------------------------------


def exp(x: Value) -> Value:
    """e to the power x.   Gradient: d_output * output."""
    return EXP.apply(x)


def _exp_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (multiply(d_output, output),)


def expm1(x: Value) -> Value:
    """exp(x) - 1, exact near 0.   Gradient: d_output * (output + 1)."""
    return EXPM1.apply(x)


def _expm1_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (multiply(d_output, add(output, constant_like(1, output))),)


def log(x: Value) -> Value:
    """The natural logarithm; -inf at 0, NaN below.   Gradient: d_output / x."""
    return LOG.apply(x)


def _log_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (divide(d_output, x),)


def log1p(x: Value) -> Value:
    """log(1 + x), exact near 0.   Gradient: d_output / (1 + x)."""
    return LOG1P.apply(x)


def _log1p_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (divide(d_output, add(x, constant_like(1, x))),)


EXP = elementwise("exp", meaning=np.exp, gradient=_exp_gradient, kinds="f")
EXPM1 = elementwise("expm1", meaning=np.expm1, gradient=_expm1_gradient, kinds="f")
LOG = elementwise("log", meaning=np.log, gradient=_log_gradient, kinds="f")
LOG1P = elementwise("log1p", meaning=np.log1p, gradient=_log1p_gradient, kinds="f")

# -- sqrt, rsqrt --------------------------------------------------------------


def sqrt(x: Value) -> Value:
    """The square root; NaN below 0.   Gradient: d_output / (2 * output)."""
    return SQRT.apply(x)


def _sqrt_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    return (divide(d_output, add(output, output)),)


def rsqrt(x: Value) -> Value:
    """1 / sqrt(x).   Gradient: -d_output * output^3 / 2."""
    return RSQRT.apply(x)


def _rsqrt_meaning(x: Array) -> Array:
    return np.reciprocal(np.sqrt(x))


def _rsqrt_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    half = multiply(output, constant_like(-0.5, output))
    return (multiply(d_output, multiply(half, multiply(output, output))),)


SQRT = elementwise("sqrt", meaning=np.sqrt, gradient=_sqrt_gradient, kinds="f")
RSQRT = elementwise("rsqrt", meaning=_rsqrt_meaning, gradient=_rsqrt_gradient, kinds="f")

# -- power --------------------------------------------------------------------


def power(x: Value, y: Value) -> Value:
    """x to the power y, of floats; 1 where y is 0; NaN for a negative x and a broken y.

    Gradient:
        d_x = d_output * y * x^(y - 1), and 0 at x = y = 0, where the formula says 0 * inf.
        d_y = d_output * output * log(x), and 0 at x = 0, y >= 0, the limit from the right;
        NaN for a negative x, where x^y exists for single points y only.
    """
    return POWER.apply(x, y)


def _power_gradient(d_output: Value, output: Value, x: Value, y: Value) -> Gradients:
    # Where a formula would meet 0 * inf, its input is exchanged, not its result: a discarded
    # NaN would come back in the second derivative as 0 * NaN.
    zero, one = zeros_like(x), constant_like(1, x)
    smallest = constant_like(float(np.finfo(x.dtype).smallest_normal), x)
    overflows = bitwise_and(equal(y, zero), less(absolute(x), smallest))
    lower = subtract(select(overflows, one, y), one)
    d_x = multiply(d_output, multiply(y, power(x, lower)))
    flat = bitwise_and(equal(x, zero), less_equal(zero, y))
    d_y = multiply(d_output, multiply(output, log(select(flat, one, x))))
    return d_x, d_y


POWER = elementwise("power", meaning=np.power, gradient=_power_gradient, kinds="f")

# -- sigmoid ------------------------------------------------------------------


def sigmoid(x: Value) -> Value:
    """1 / (1 + e^-x), without overflow and with full relative precision in both tails.

    Gradient:
        d_x = d_output * output * (1 - output).
    """
    return SIGMOID.apply(x)


def _sigmoid_meaning(x: Array) -> Array:
    # exp(min(x, 0)) / (1 + exp(-|x|)): no exponential is ever taken of a positive number.
    return np.asarray(np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.absolute(x))))


def _sigmoid_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    rest = subtract(constant_like(1, output), output)
    return (multiply(d_output, multiply(output, rest)),)


SIGMOID = elementwise("sigmoid", meaning=_sigmoid_meaning, gradient=_sigmoid_gradient, kinds="f")
