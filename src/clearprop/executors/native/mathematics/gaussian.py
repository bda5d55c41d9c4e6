"""The error function and its inverse.

Reference:
    erf is x * p(x^2) up to 1 and 1 - exp(q(|x|)) beyond.  Its inverse has the form of M. Giles,
    "Approximating the erfinv function", GPU Computing Gems (2011), for floats; for doubles it is
    that of the definition, ``primitives/gaussian.py``: Wichura (1988).  The coefficients are best
    in the greatest error (Remez's exchange and weighted least squares): below 2^-29 and 2^-56 of
    erf, 2^-26 of its inverse.
"""

from __future__ import annotations

import math

from clearprop.executors.native.llvm.registers import Operand
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics.exponentials import (
    exp_moderate,
    log,
    log_split,
    split_exponent,
)
from clearprop.executors.native.mathematics.formula import Number, choose, polynomial
from clearprop.primitives.gaussian import (
    INVERSE_CENTER,
    INVERSE_SHOULDER,
    INVERSE_TAIL,
)

# erf(x) / x - 1 in x^2, for |x| <= 1.
_NEAR = {
    "float": (
        7.853865827200934e-05, -0.0008010193705558777, 0.005188327748328447,
        -0.026853810995817184, 0.1128358542919159, -0.3761262595653534, 0.1283791065216064,
    ),
    "double": (
        -7.779467751091709e-10, 1.3710980202645715e-08, -1.6206313769690034e-07,
        1.644713158143662e-06, -1.49247123036256e-05, 0.00012055293577027264,
        -0.0008548325929319941, 0.005223977606118598, -0.02686617064311148,
        0.11283791670944185, -0.3761263890318352, 0.12837916709551256,
    ),
}  # fmt: skip
# log(1 - erf(x)) in x, for 1 <= x <= 3.93 ...
_FAR_FLOAT = (
    0.000187599056516774, -0.0029600600246340036, 0.02188943326473236, -0.10321778059005737,
    -0.638012707233429, -1.1271713972091675, -0.00032063800608739257,
)  # fmt: skip
# ... and in x - 1, for 1 <= x <= 5.95.
_FAR_DOUBLE = (
    -4.946561510942756e-12, 1.2110391345823583e-10, -1.3365061558616981e-09,
    8.619965819417416e-09, -3.378116708524127e-08, 5.9063102584627034e-08,
    2.0276811467620196e-07, -2.1290345496340827e-06, 9.668343539248245e-06,
    -2.71966558053154e-05, 2.6295048224164253e-05, 0.00023731693394149332,
    -0.001977901349150748, 0.010033825202313808, -0.04156109802751209, -0.8431072563592771,
    -2.638967514234779, -1.8496055099332482,
)  # fmt: skip
# erf_inverse(x) / x - 1 in w - 2.5 with w = -log(1 - x^2), for w < 5 ...
_CENTER_FLOAT = (
    -8.791020356113677e-09, 2.3232624712932193e-08, 4.6617017801509064e-07,
    -3.4627046261448413e-06, -4.963345418218523e-06, 0.00021834444487467408,
    -0.0012527419021353126, -0.004177386872470379, 0.24664027988910675, 0.5014094114303589,
)  # fmt: skip
# ... and in sqrt(w) - 3 beyond.
_TAIL_FLOAT = (
    0.00011570419155759737, -0.00030957310809753835, -5.677693843608722e-05,
    0.0014850925654172897, -0.0035974052734673023, 0.005686973221600056,
    -0.007637288887053728, 0.009445286355912685, 1.001675009727478, 1.832976818084717,
)  # fmt: skip


_Ratio = tuple[tuple[float, ...], tuple[float, ...]]


def _less_one(ratio: _Ratio, factor: float) -> _Ratio:
    """The ratio ``factor`` * n / d - 1: x + x * that rounds less than x * n / d."""
    pairs = zip(*ratio, strict=True)
    return tuple(factor * n - d for n, d in pairs), ratio[1]


def _less_root(ratio: _Ratio, center: float) -> _Ratio:
    """The ratio n / d / sqrt(2) - r in r - center: all of it is small beside r."""
    above, below = ratio
    n = (0.0, *(math.sqrt(0.5) * each for each in above))
    shifted = zip((*below, 0.0), (0.0, *below), strict=True)  # d * (r - center), d
    return tuple(
        each - (higher + center * same) for each, (higher, same) in zip(n, shifted, strict=True)
    ), below


_CENTER = _less_one(INVERSE_CENTER, math.sqrt(1 / 8))
_SHOULDER, _TAIL = _less_root(INVERSE_SHOULDER, 1.6), _less_root(INVERSE_TAIL, 5.0)


def erf(f: Function, x: Operand) -> Operand:
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    number = Number(f, x)
    near = number.times_plus(polynomial(number * number, _NEAR[x.element]), number)
    size = number.absolute()
    if x.element == "float":
        size = size.at_most(3.93)  # from here on it rounds to 1
        logarithm = polynomial(size, _FAR_FLOAT)
    else:
        size = size.at_most(5.95)
        logarithm = polynomial(size - 1.0, _FAR_DOUBLE)
    far = (1.0 - exp_moderate(logarithm)).with_sign_of(number)
    return choose(size < 1.0, near, far).operand


def _ratio(t: Number, ratio: _Ratio) -> Number:
    numerator, denominator = ratio
    return polynomial(t, numerator) / polynomial(t, denominator)


def erf_inverse(f: Function, x: Operand) -> Operand:
    """The number whose erf is x: -inf at -1, inf at 1, NaN outside."""
    number = Number(f, x)
    is_float = x.element == "float"
    return (_erf_inverse_of_floats if is_float else _erf_inverse_of_doubles)(number).operand


def _erf_inverse_of_floats(x: Number) -> Number:
    size = x.absolute()
    e, _, m = split_exponent((1.0 - size) * (1.0 + size))
    w = -log_split(e, m - 1.0)
    is_center = w < 5.0
    t = choose(is_center, w - 2.5, w.root() - 3.0)
    inside = x.times_plus(_blended(t, is_center, _CENTER_FLOAT, _TAIL_FLOAT), x)
    outside = choose(size.equals(1.0), x * math.inf, math.nan)
    return choose(size < 1.0, inside, outside).with_sign_of(x)


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
        for shoulder, tail in zip(_SHOULDER, _TAIL, strict=True)
    )
    outside = choose(size < 1.0, r + numerator / denominator, math.nan)
    outside = choose(size.equals(1.0), math.inf, outside)
    return choose(size <= 0.85, center, outside).with_sign_of(x)


def _blended(t: Number, condition: Number, yes: tuple[float, ...], no: tuple[float, ...]) -> Number:
    """One of two polynomials in t of the same degree."""
    result = choose(condition, t.like(yes[0]), no[0])
    for first, second in zip(yes[1:], no[1:], strict=True):
        result = result.times_plus(t, choose(condition, t.like(first), second))
    return result
