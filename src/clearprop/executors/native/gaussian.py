"""The error function and its inverse.

Reference:
    For doubles the approximations of the definition, ``primitives/gaussian.py``: Cody (1969) and
    Wichura (1988).  For floats erf is x * p(x^2) up to 1 and 1 - exp(q(|x|)) beyond, with
    coefficients that are best in the greatest error (Remez's exchange): below 2^-29 of erf.
"""

from __future__ import annotations

import math

from clearprop.executors.native.exponentials import exp_reduced, log, power_of_two, reduce_exp
from clearprop.executors.native.formula import Number, choose, polynomial
from clearprop.executors.native.writer import Function, Operand
from clearprop.primitives.gaussian import (
    ERF_MIDDLE,
    ERF_NEAR,
    INVERSE_CENTER,
    INVERSE_SHOULDER,
    INVERSE_TAIL,
)

# erf(x) / x - 1 in x^2, for |x| <= 1.
_NEAR_FLOAT = (
    7.853865827200934e-05, -0.0008010193705558777, 0.005188327748328447, -0.026853810995817184,
    0.1128358542919159, -0.3761262595653534, 0.1283791065216064,
)  # fmt: skip
# log(1 - erf(x)), for 1 <= x <= 3.93.
_FAR_FLOAT = (
    0.000187599056516774, -0.0029600600246340036, 0.02188943326473236, -0.10321778059005737,
    -0.638012707233429, -1.1271713972091675, -0.00032063800608739257,
)  # fmt: skip


def _less_one(
    polynomials: tuple[tuple[float, ...], tuple[float, ...]], factor: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The ratio ``factor`` * n / d - 1: x + x * that rounds less than x * n / d."""
    pairs = zip(*polynomials, strict=True)
    return tuple(factor * n - d for n, d in pairs), polynomials[1]


_NEAR_DOUBLE = _less_one(ERF_NEAR, 1.0)
_CENTER = _less_one(INVERSE_CENTER, math.sqrt(1 / 8))


def erf(f: Function, x: Operand) -> Operand:
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    number = Number(f, x)
    return (_erf_of_floats if x.element == "float" else _erf_of_doubles)(number).operand


def _erf_of_floats(x: Number) -> Number:
    size = x.absolute().at_most(3.93)  # from here on it rounds to 1
    near = x.times_plus(polynomial(x * x, _NEAR_FLOAT), x)
    far = (1.0 - _exp_of_moderate(polynomial(size, _FAR_FLOAT))).with_sign_of(x)
    return choose(size < 1.0, near, far)


def _erf_of_doubles(x: Number) -> Number:
    size = x.absolute().at_most(6.0)
    square = size * size
    near = x.times_plus(_ratio(square.at_most(0.5), _NEAR_DOUBLE), x)
    # Up to 4 in the definition; what it loses beyond is far below the last place of 1.
    rest = _exp_of_moderate(-square) * _ratio(size, ERF_MIDDLE)
    return choose(size <= 0.46875, near, (1.0 - rest).with_sign_of(x))


def _exp_of_moderate(x: Number) -> Number:
    """e^x, of an x that neither overflows nor vanishes; NaN of NaN."""
    _, bits, r = reduce_exp(x)
    return exp_reduced(r) * power_of_two(bits, x)


def _ratio(t: Number, polynomials: tuple[tuple[float, ...], tuple[float, ...]]) -> Number:
    numerator, denominator = polynomials
    return polynomial(t, numerator) / polynomial(t, denominator)


def erf_inverse(f: Function, x: Operand) -> Operand:
    """The number whose erf is x: -inf at -1, inf at 1, NaN outside; floats by way of doubles."""
    number = Number(f, x)
    if x.element == "float":
        wide = _erf_inverse_of_doubles(number.to("fpext", "double"))
        return wide.to("fptrunc", "float").operand
    return _erf_inverse_of_doubles(number).operand


def _erf_inverse_of_doubles(x: Number) -> Number:
    size = x.absolute()
    half = x * 0.5
    center = x.times_plus(_ratio(0.180625 - half * half, _CENTER), x)
    logarithm = Number(x.f, log(x.f, ((1.0 - size) * 0.5).operand))
    r = (-logarithm).root()
    is_shoulder = r <= 5.0
    t = choose(is_shoulder, r - 1.6, r - 5.0)
    numerator, denominator = (
        _blended(t, is_shoulder, shoulder, tail)
        for shoulder, tail in zip(INVERSE_SHOULDER, INVERSE_TAIL, strict=True)
    )
    outside = choose(size < 1.0, numerator * math.sqrt(0.5) / denominator, math.nan)
    outside = choose(size.equals(1.0), math.inf, outside)
    return choose(size <= 0.85, center, outside).with_sign_of(x)


def _blended(t: Number, condition: Number, yes: tuple[float, ...], no: tuple[float, ...]) -> Number:
    """One of two polynomials in t of the same degree."""
    result = choose(condition, t.like(yes[0]), no[0])
    for first, second in zip(yes[1:], no[1:], strict=True):
        result = result.times_plus(t, choose(condition, t.like(first), second))
    return result
