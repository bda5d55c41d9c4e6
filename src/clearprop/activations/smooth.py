"""Activations that are smooth curves (ELU and its kin have a bend at 0)."""

from __future__ import annotations

import math

from clearprop import ops
from clearprop.activations.activation import activation
from clearprop.errors import ArgumentError
from clearprop.ir.value import Value
from clearprop.ops.lift import ArrayLike, lift_float

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946
_MISH_IS_LINEAR = 20.0  # from here on tanh(softplus(z)) is 1 in float64

# -- from one level to another -----------------------------------------------------------


@activation
def sigmoid(x: ArrayLike) -> Value:
    """The logistic curve g = 1 / (1 + e^-z): a probability from a logit.

    Range: (0, 1).  Derivative: g (1 - g), at most 1/4.  Saturates: on both sides.
    Zero-centered: no, around 1/2.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.activations.sigmoid([-1000.0, 0.0, 1000.0]).tolist()
        [0.0, 0.5, 1.0]
    """
    return ops.sigmoid(x)


@activation
def tanh(x: ArrayLike) -> Value:
    """The hyperbolic tangent g = (e^z - e^-z) / (e^z + e^-z).

    Range: (-1, 1).  Derivative: 1 - g^2, at most 1.  Saturates: on both sides.
    Zero-centered: yes.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.activations.tanh([-100.0, 0.0, 100.0]).tolist()
        [-1.0, 0.0, 1.0]
    """
    return ops.tanh(x)


@activation
def softsign(x: ArrayLike) -> Value:
    """z / (1 + |z|): as tanh, but it comes near its limits slowly.

    Range: (-1, 1).  Derivative: 1 / (1 + |z|)^2, at most 1.  Saturates: on both sides, slowly.
    Zero-centered: yes.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.activations.softsign([-1.0, 0.0, 3.0]).tolist()
        [-0.5, 0.0, 0.75]
    """
    value = lift_float(x)
    return ops.divide(value, ops.add(ops.absolute(value), 1.0))


# -- from nothing upwards -------------------------------------------------------------------


@activation
def exponential(x: ArrayLike) -> Value:
    """e^z.

    Range: above 0.  Derivative: itself.  Saturates: below 0.  Zero-centered: no.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.activations.exponential([0.0]).tolist()
        [1.0]
    """
    return ops.exp(x)


@activation
def softplus(x: ArrayLike) -> Value:
    """The smooth ReLU log(1 + e^z), without overflow.

    Range: above 0.  Derivative: sigmoid(z).  Saturates: below 0.  Zero-centered: no.

    Shapes:
        x: S  ->  S

    Reference:
        C. Dugas, Y. Bengio, F. Bélisle, C. Nadeau, R. Garcia, "Incorporating second-order
        functional knowledge for better option pricing", NIPS (2000).
    """
    value = lift_float(x)
    return _softplus(value, ops.negative(value))


def _softplus(value: Value, opposite: Value) -> Value:
    # Two selects and not maximum(z, 0) and -|z|: at 0 each side's derivative is whole, so that
    # their sum and its derivatives are right there too.
    is_negative = ops.less_equal(value, 0.0)
    small = ops.exp(ops.where(is_negative, value, opposite))
    return ops.add(ops.where(is_negative, 0.0, value), ops.log1p(small))


@activation
def log_sigmoid(x: ArrayLike) -> Value:
    """The logarithm of the sigmoid, -log(1 + e^-z), without overflow.

    Range: below 0.  Derivative: sigmoid(-z).  Saturates: above 0.  Zero-centered: no.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.activations.log_sigmoid([-1000.0, -100.0]).tolist()
        [-1000.0, -100.0]
    """
    value = lift_float(x)
    return ops.negative(_softplus(ops.negative(value), value))


@activation
def squareplus(x: ArrayLike, b: float = 4) -> Value:
    """A softplus without exponential, (z + sqrt(z^2 + b)) / 2.

    Range: above 0 (for b > 0).  Derivative: (1 + z / sqrt(z^2 + b)) / 2.  Saturates: below 0,
    slowly.  Zero-centered: no.

    Args:
        x: the weighted sums z.
        b: how round it is; with b = 0 it is ReLU.

    Shapes:
        x: S  ->  S

    Reference:
        J. T. Barron, "Squareplus: a softplus-like algebraic rectifier", arXiv:2112.11687 (2021).
    """
    value = lift_float(x)
    root = ops.sqrt(ops.add(ops.multiply(value, value), b))
    return ops.multiply(ops.add(value, root), 0.5)


# -- linear above 0, an exponential below ----------------------------------------------------


@activation
def elu(x: ArrayLike, alpha: float = 1.0) -> Value:
    """The exponential linear unit: z above 0, alpha (e^z - 1) below.

    Range: above -alpha.  Derivative: 1 above 0, alpha e^z below and at 0.  Saturates: below 0.
    Zero-centered: nearly; results below 0 pull the mean of a layer towards 0.

    Shapes:
        x: S  ->  S

    Reference:
        D.-A. Clevert, T. Unterthiner, S. Hochreiter, "Fast and accurate deep network learning by
        exponential linear units", ICLR (2016).
    """
    return _elu(lift_float(x), below=alpha)


@activation
def selu(x: ArrayLike) -> Value:
    """The scaled ELU: s z above 0, s alpha (e^z - 1) below, with s = 1.0507, alpha = 1.6733.

    The two numbers make mean 0 and variance 1 a fixed point from layer to layer (with LeCun
    normal weights).

    Range: above -1.7581.  Derivative: s above 0, s alpha e^z below and at 0.  Saturates: below 0.
    Zero-centered: yes, in this sense.

    Shapes:
        x: S  ->  S

    Reference:
        G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, "Self-normalizing neural networks",
        NIPS (2017).
    """
    return _elu(lift_float(x), below=SELU_ALPHA * SELU_SCALE, above=SELU_SCALE)


@activation
def celu(x: ArrayLike, alpha: float = 1.0) -> Value:
    """The continuously differentiable ELU: z above 0, alpha (e^(z / alpha) - 1) below.

    Range: above -alpha.  Derivative: 1 above 0, e^(z / alpha) below: it has no bend at 0.
    Saturates: below 0.  Zero-centered: nearly.

    Shapes:
        x: S  ->  S

    Reference:
        J. T. Barron, "Continuously differentiable exponential linear units", arXiv:1704.07483
        (2017).
    """
    if alpha == 0:
        raise ArgumentError(
            "celu: alpha divides, so it cannot be 0", found=f"alpha={alpha}", needed="alpha > 0"
        )
    return _elu(lift_float(x), below=alpha, stretch=alpha)


def _elu(x: Value, *, below: float, above: float = 1.0, stretch: float = 1.0) -> Value:
    """``above * x`` above 0, ``below * (e^(x / stretch) - 1)`` elsewhere."""
    is_positive = ops.greater(x, 0.0)
    negative = ops.where(is_positive, 0.0, x)  # the unused side must not overflow
    if stretch != 1:
        negative = ops.divide(negative, stretch)
    curve = ops.expm1(negative)
    if below != 1:
        curve = ops.multiply(curve, below)
    return ops.where(is_positive, ops.multiply(x, above) if above != 1 else x, curve)


# -- z times a gate --------------------------------------------------------------------------


@activation
def silu(x: ArrayLike) -> Value:
    """z sigmoid(z): z through a gate that z itself opens; also called swish.

    Range: above -0.2785.  Derivative: s (1 + z (1 - s)) with s = sigmoid(z).  Saturates: below 0.
    Zero-centered: no.

    Shapes:
        x: S  ->  S

    Reference:
        S. Elfwing, E. Uchibe, K. Doya, "Sigmoid-weighted linear units for neural network function
        approximation in reinforcement learning", Neural Networks 107 (2018).
    """
    value = lift_float(x)
    return ops.multiply(value, ops.sigmoid(value))


@activation
def gelu(x: ArrayLike, approximate: bool = False) -> Value:
    """The Gaussian error linear unit z F(z), F the normal distribution function.

    Range: above -0.17.  Derivative: F(z) + z f(z), f the normal density.  Saturates: below 0.
    Zero-centered: no.

    Args:
        x: the weighted sums z.
        approximate: F(z) by a sigmoid, s(sqrt(8 / pi) (z + 0.044715 z^3)): cheaper, within 0.0005.

    Shapes:
        x: S  ->  S

    Reference:
        D. Hendrycks, K. Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415 (2016).
    """
    value = lift_float(x)
    if approximate:
        slope = math.sqrt(8 / math.pi)
        cubic = ops.multiply(ops.multiply(value, value), slope * 0.044715)
        gate = ops.sigmoid(ops.multiply(value, ops.add(cubic, slope)))
        return ops.multiply(value, gate)
    gate = ops.add(ops.erf(ops.multiply(value, math.sqrt(0.5))), 1.0)
    return ops.multiply(ops.multiply(value, 0.5), gate)


@activation
def mish(x: ArrayLike) -> Value:
    """z tanh(softplus(z)).

    Range: above -0.3089.  Derivative: t + z s (1 - t^2) with t = tanh(softplus(z)), s =
    sigmoid(z).  Saturates: below 0.  Zero-centered: no.

    Shapes:
        x: S  ->  S

    Reference:
        D. Misra, "Mish: a self regularized non-monotonic activation function", BMVC (2020).
    """
    value = lift_float(x)
    # tanh(log(1 + e)) = n / (n + 2) with n = e (e + 2).
    is_linear = ops.greater(value, _MISH_IS_LINEAR)
    power = ops.exp(ops.where(is_linear, _MISH_IS_LINEAR, value))
    number = ops.multiply(power, ops.add(power, 2.0))
    return ops.multiply(value, ops.divide(number, ops.add(number, 2.0)))


@activation
def tanh_shrink(x: ArrayLike) -> Value:
    """z - tanh(z): nearly 0 around 0, a line outside.

    Range: all numbers.  Derivative: tanh(z)^2.  Saturates: around 0.  Zero-centered: yes.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.activations.tanh_shrink([-11.0, 0.0, 11.0]).tolist()
        [-10.0, 0.0, 10.0]
    """
    value = lift_float(x)
    return ops.subtract(value, ops.tanh(value))
