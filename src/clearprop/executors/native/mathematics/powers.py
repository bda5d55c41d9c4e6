"""x to the power y as exp(y * log(x)), with a logarithm of more digits than the result.

Reference:
    fdlibm (Sun Microsystems, 1993), e_pow.c, for the cases; T. J. Dekker's arithmetic of
    unevaluated sums (see ``formula.split_product``) for the logarithm.
"""

from __future__ import annotations

import math

from clearprop.executors.native.llvm.registers import Operand
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics import rounding
from clearprop.executors.native.mathematics.exponentials import (
    LN2,
    exp_reduced,
    exp_split,
    scaled,
    split_exponent,
)
from clearprop.executors.native.mathematics.formula import (
    Number,
    choose,
    polynomial,
    split_product,
    split_sum,
)

# log(1 + u) = 2 s + 2/3 s^3 + s^5 q(s^2) with s = u / (2 + u); the error is below 2^-66.
_LOG = (
    0.1319925687633766, 0.13256511507392912, 0.15386770056721225, 0.1818178410081421,
    0.22222222522843726, 0.28571428570083957, 0.4000000000000229,
)  # fmt: skip
# log2(1 + u) = u q(u) for sqrt(1/2) <= 1 + u <= sqrt(2), with an error below 2^-38: for floats.
_SHORT_LOG2 = (
    -0.06973901546634072, 0.13251207476971702, -0.13462944282121442, 0.1302756270675068,
    -0.14249860513357204, 0.16021666247225472, -0.18043675353169408, 0.20610712352763205,
    -0.2404464334709402, 0.28853879571204777, -0.36067379313866543, 0.48089834880302496,
    -0.7213475203275513, 1.442695040886574,
)  # fmt: skip
_TWO_THIRDS = (2 / 3, 3.700743415417188e-17)
_GREATEST_POWER = 2.0**64  # beyond it every power but that of 1 is 0 or infinite


def power(f: Function, x: Operand, y: Operand) -> Operand:
    """x to the power y; 1 where y is 0 or x is 1; NaN for a negative x and a broken y."""
    base, exponent = Number(f, x), Number(f, y)
    a = base.absolute()
    if x.element == "float":
        size = _power_of_floats(a, exponent)
    else:
        size = _power_of_positive(a, exponent)
    return _with_cases(base, exponent, size).operand


def _power_of_floats(a: Number, y: Number) -> Number:
    """a^y of floats, a > 0: the logarithm and its product in double, all else in float."""
    e, _, m = split_exponent(a)
    u, y = (m - 1.0).to("fpext", "double"), _limited(y).to("fpext", "double")
    square = u * u  # two short chains of multiply-adds instead of a long one
    odd, even = polynomial(square, _SHORT_LOG2[::2]), polynomial(square, _SHORT_LOG2[1::2])
    log2 = u.times_plus(u.times_plus(odd, even), e.to("fpext", "double"))
    # Beyond 200 a float is 0 or infinite; NaN stays what it is.
    product = (y * log2).at_least(-200.0).at_most(200.0)
    magic = product.format.magic
    n = (product + magic) - magic
    r = (product - n) * math.log(2)
    return scaled(exp_reduced(r.to("fptrunc", "float")), n.to("fptrunc", "float"))


def _power_of_positive(a: Number, y: Number) -> Number:
    """a^y of doubles, a > 0."""
    y = _limited(y)
    high, low = _split_log(a)
    product, rest = split_product(y, high)
    return exp_split(product, y.times_plus(low, rest))


def _limited(y: Number) -> Number:
    return y.at_least(-_GREATEST_POWER).at_most(_GREATEST_POWER)


def _split_log(a: Number) -> tuple[Number, Number]:
    """log(a) of a positive double as a sum of two numbers, good to about 2^-66."""
    e, _, m = split_exponent(a)
    u = m - 1.0
    # s = u / (2 + u), with what the division rounds off.
    below, below_low = split_sum(u.like(2.0), u)
    s = u / below
    product, product_low = split_product(s, below)
    s_low = ((u - product) - product_low - s * below_low) / below
    # log(1 + u) = 2 s + s^3 (2/3 + s^2 q(s^2)).
    square, square_low = split_product(s, s)
    square_low = s_low.times_plus(s + s, square_low)
    tail = square * polynomial(square, _LOG)
    factor, factor_low = split_sum(square.like(_TWO_THIRDS[0]), tail)
    factor_low = factor_low + _TWO_THIRDS[1]
    cubic, cubic_low = split_product(square, factor)
    cubic_low = square.times_plus(factor_low, square_low.times_plus(factor, cubic_low))
    # 2 s + s * cubic, then e * ln(2) + that.
    term, term_low = split_product(s, cubic)
    term_low = s.times_plus(cubic_low, s_low.times_plus(cubic, term_low))
    high, low = split_sum(s + s, term)
    low = low + (term_low + (s_low + s_low))
    ln2_high, ln2_low = LN2["double"]
    whole, whole_low = e * ln2_high, e * ln2_low
    total = whole + high
    part = total - whole
    rounded_off = (whole - (total - part)) + (high - part)
    return split_sum(total, rounded_off + (low + whole_low))


def _with_cases(x: Number, y: Number, size: Number) -> Number:
    """``size`` = |x|^y with its sign, and the values at 0, 1, infinity and of broken powers."""
    a = x.absolute()
    falls = y < 0.0
    size = choose(a < x.format.smallest, choose(falls, x.like(math.inf), 0.0), size)
    size = choose(a.equals(math.inf), choose(falls, x.like(0.0), math.inf), size)
    size = choose(y.is_nan(), y, choose(x.is_nan(), x, size))
    size = choose(a.equals(1.0) & ~y.is_nan(), 1.0, size)
    half = y * 0.5
    is_whole = Number(y.f, rounding.truncate(y.f, y.operand)).equals(y)
    is_odd = is_whole & ~Number(y.f, rounding.truncate(y.f, half.operand)).equals(half)
    signed = choose(is_odd, size.with_sign_of(x), size)
    is_broken = (x < 0.0) & (x > -math.inf) & ~is_whole & ~(a < x.format.smallest)
    result = choose(is_broken, math.nan, signed)
    return choose(y.equals(0.0) | x.equals(1.0), 1.0, result)
