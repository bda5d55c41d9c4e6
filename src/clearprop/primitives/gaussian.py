"""The error function and its inverse, element by element.

NumPy has neither, so the definitions are here, in float64 and rounded at the end.
"""

from __future__ import annotations

import math

import numpy as np

from clearprop.ir.primitive import Gradients
from clearprop.ir.value import Array, Value
from clearprop.primitives.arithmetic import multiply, negate
from clearprop.primitives.constants import constant_like
from clearprop.primitives.elementwise import elementwise
from clearprop.primitives.exponential import exp

# -- erf ----------------------------------------------------------------------


def erf(x: Value) -> Value:
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    Gradient:
        d_x = d_output * 2 / sqrt(pi) * exp(-x^2).

    Reference:
        W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of
        Computation 23 (1969), 631-637.
    """
    return ERF.apply(x)


# Numerators and denominators, highest power first, for |x| <= 0.46875 (in x^2) ...
_NEAR = (
    (
        1.85777706184603153e-1, 3.16112374387056560e00, 1.13864154151050156e02,
        3.77485237685302021e02, 3.20937758913846947e03,
    ),
    (
        1.0, 2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03,
        2.84423683343917062e03,
    ),
)  # fmt: skip
# ... for 0.46875 < |x| <= 4 (in |x|) ...
_MIDDLE = (
    (
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e00,
        6.61191906371416295e01, 2.98635138197400131e02, 8.81952221241769090e02,
        1.71204761263407058e03, 2.05107837782607147e03, 1.23033935479799725e03,
    ),
    (
        1.0, 1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02,
        1.62138957456669019e03, 3.29079923573345963e03, 4.36261909014324716e03,
        3.43936767414372164e03, 1.23033935480374942e03,
    ),
)  # fmt: skip
# ... and for 4 < |x| (in 1 / x^2).
_FAR = (
    (
        1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1,
        1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4,
    ),
    (
        1.0, 2.56852019228982242e00, 1.87295284992346725e00, 5.27905102951428412e-1,
        6.05183413124413191e-2, 2.33520497626869185e-3,
    ),
)  # fmt: skip


def _erf_meaning(x: Array) -> Array:
    wide = np.asarray(x, np.float64)
    size = np.absolute(wide)
    result = np.asarray(np.copysign(1.0, wide))  # what |x| >= 6 rounds to
    near, middle = size <= 0.46875, (size > 0.46875) & (size <= 4)
    far = (size > 4) & (size < 6)
    if near.any():
        t = wide[near]
        result[near] = t * _ratio(t * t, _NEAR)
    if middle.any():
        t = size[middle]
        result[middle] *= 1 - np.exp(-t * t) * _ratio(t, _MIDDLE)
    if far.any():
        t = size[far]
        inverse = 1 / (t * t)
        tail = (1 / math.sqrt(math.pi) - inverse * _ratio(inverse, _FAR)) / t
        result[far] *= 1 - np.exp(-t * t) * tail
    return np.where(np.isnan(wide), wide, result).astype(x.dtype)


def _ratio(t: Array, polynomials: tuple[tuple[float, ...], tuple[float, ...]]) -> Array:
    numerator, denominator = polynomials
    return _polynomial(t, numerator) / _polynomial(t, denominator)


def _polynomial(t: Array, coefficients: tuple[float, ...]) -> Array:
    result = np.full_like(t, coefficients[0])
    for coefficient in coefficients[1:]:
        result *= t
        result += coefficient
    return result


def _erf_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    bell = exp(negate(multiply(x, x)))
    return (multiply(d_output, multiply(bell, constant_like(2 / math.sqrt(math.pi), x))),)


ERF = elementwise("erf", meaning=_erf_meaning, gradient=_erf_gradient, kinds="f")

# -- erf_inverse --------------------------------------------------------------


def erf_inverse(x: Value) -> Value:
    """The number whose erf is x: -inf at -1, inf at 1, NaN outside.

    With normal quantiles: erf_inverse(x) = quantile((1 + x) / 2) / sqrt(2).

    Gradient:
        d_x = d_output * sqrt(pi) / 2 * exp(output^2).

    Reference:
        M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution",
        Applied Statistics 37 (1988), 477-484.
    """
    return ERF_INVERSE.apply(x)


# Highest power first, for |x| <= 0.85 (in 0.180625 - x^2 / 4) ...
INVERSE_CENTER = (
    (
        2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
        4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
        1.3314166789178437745e2, 3.3871328727963666080e0,
    ),
    (
        5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
        2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
        4.2313330701600911252e1, 1.0,
    ),
)  # fmt: skip
# ... for r = sqrt(-log((1 - |x|) / 2)) <= 5 (in r - 1.6) ...
INVERSE_SHOULDER = (
    (
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
        1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
        4.63033784615654529590e0, 1.42343711074968357734e0,
    ),
    (
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
        1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
        2.05319162663775882187e0, 1.0,
    ),
)  # fmt: skip
# ... and beyond (in r - 5).
INVERSE_TAIL = (
    (
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
        2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
        5.46378491116411436990e0, 6.65790464350110377720e0,
    ),
    (
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
        7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
        5.99832206555887937690e-1, 1.0,
    ),
)  # fmt: skip


def _erf_inverse_meaning(x: Array) -> Array:
    wide = np.asarray(x, np.float64)
    half = wide / 2
    result = np.asarray(half * _ratio(0.180625 - half * half, INVERSE_CENTER))
    outside = ~(np.absolute(wide) <= 0.85)  # NaN too
    if outside.any():
        result[outside] = _outer_quantile(wide[outside])
    return (result / math.sqrt(2)).astype(x.dtype, copy=False)


def _outer_quantile(x: Array) -> Array:
    """The normal quantile of (1 + x) / 2 for x that are far from 0.

    Shapes:
        x: (n,)  ->  (n,)
    """
    size = np.absolute(x)
    r = np.sqrt(-np.log((1 - size) / 2))
    quantile = _ratio(r - 1.6, INVERSE_SHOULDER)
    far = ~(r <= 5)
    if far.any():
        quantile[far] = _ratio(r[far] - 5, INVERSE_TAIL)
        quantile[size == 1] = np.inf
    return np.copysign(quantile, x)


def _erf_inverse_gradient(d_output: Value, output: Value, x: Value) -> Gradients:
    steepness = exp(multiply(output, output))
    return (multiply(d_output, multiply(steepness, constant_like(math.sqrt(math.pi) / 2, x))),)


ERF_INVERSE = elementwise(
    "erf_inverse", meaning=_erf_inverse_meaning, gradient=_erf_inverse_gradient, kinds="f"
)
