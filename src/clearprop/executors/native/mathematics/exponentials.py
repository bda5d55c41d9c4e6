"""exp, log and their kin as polynomials.

Each function takes floats or doubles in any number of lanes.  NaN, infinities, zeros and domain
errors come out as in NumPy; numbers below the smallest normal one may count as 0 on either side.

Reference:
    W. J. Cody, W. Waite, "Software Manual for the Elementary Functions", 1980, for the reduction
    of exp; fdlibm (Sun Microsystems, 1993), e_log.c, s_log1p.c, s_expm1.c, for the rest.
    The coefficients are best in the greatest relative error (Remez's exchange in 50 digits,
    then rounded): error below 2^-28 (exp, float), 2^-57 (exp, double), 2^-25 (log, float),
    2^-59 (log, double).
"""

from __future__ import annotations

import math

from clearprop.executors.native.llvm.registers import Operand, constant
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics.formula import Number, choose, polynomial

# e^r = 1 + r + r^2 * q(r) for |r| <= ln(2) / 2.
EXP = {
    "float": (
        0.0013814489357173443, 0.008368746377527714, 0.04166839271783829, 0.1666652113199234,
        0.4999999403953552,
    ),
    "double": (
        2.4999965953370417e-08, 2.763030635488147e-07, 2.7557586977540287e-06,
        2.4801492949639555e-05, 0.00019841269505573798, 0.00138888889437596,
        0.00833333333349507, 0.04166666666652973, 0.1666666666666641, 0.5000000000000011,
    ),
}  # fmt: skip
# log(1 + u) = u + u^2 * q(u) for sqrt(1/2) <= 1 + u <= sqrt(2).
_LOG_FLOAT = (
    0.0873485878109932, -0.143076553940773, 0.1491803675889969, -0.16570498049259186,
    0.19962064921855927, -0.25001755356788635, 0.33333951234817505, -0.49999991059303284,
)  # fmt: skip
# log(1 + u) = 2 s + s^3 * q(s^2) with s = u / (2 + u).
LOG_DOUBLE = (
    0.14799072445730785, 0.15313755177720018, 0.18183575187253945, 0.22222198378033936,
    0.2857142874414681, 0.3999999999940745, 0.6666666666666735,
)  # fmt: skip
# ln(2) in two parts; the first has few enough bits to be multiplied by an exponent exactly.
LN2 = {
    "float": (0.693359375, -2.12194440e-4),
    "double": (6.93147180369123816490e-01, 1.90821492927058770002e-10),
}
_LOG2_E = 1 / math.log(2)
# From the first x on exp(x) is infinite; up to the second one it is 0.
_EXP_RANGE = {
    "float": (88.72283935546875, -87.33654022216797),
    "double": (709.7827128933841, -708.3964185322641),
}
# vscalef: p * 2^floor(n) in one instruction, with overflow and underflow, by lanes.
_SCALE = {
    ("float", 16): ("llvm.x86.avx512.mask.scalef.ps.512", "i16"),
    ("double", 8): ("llvm.x86.avx512.mask.scalef.pd.512", "i8"),
}

# -- exp, expm1 ---------------------------------------------------------------


def reduce_exp(x: Number) -> tuple[Number, Number, Number]:
    """n, the bits of n in the last places of an integer, and r with x = n * ln(2) + r."""
    high, low = LN2[x.operand.element]
    shifted = x.times_plus(_LOG2_E, x.format.magic)
    n = shifted - x.format.magic
    r = n.times_plus(-low, n.times_plus(-high, x))
    return n, shifted.bits(), r


def exp_reduced(r: Number) -> Number:
    """e^r, for |r| <= ln(2) / 2."""
    return polynomial(r, (*EXP[r.operand.element], 1.0, 1.0))


def power_of_two(bits: Number, like: Number, shift: int = 0) -> Number:
    """2^(n + shift), n in the last places of ``bits``, where it is a normal number."""
    form = like.format
    exponent = (bits << form.digits) + ((form.bias + shift) << form.digits)
    return exponent.to("bitcast", like.operand.element)


def exp(f: Function, x: Operand) -> Operand:
    """e to the power x."""
    number = Number(f, x)
    if _has_scaling(number):
        greatest, least = _EXP_RANGE[x.element]
        # One step outside of the range, so that the scaling itself overflows or vanishes.
        inside = number.at_least(2 * least).at_most(2 * greatest)
        n, _, r = reduce_exp(inside)
        return _scaled(exp_reduced(r), n).operand
    greatest, least = _EXP_RANGE[x.element]
    _, bits, r = reduce_exp(number)
    # p is below 1 where n is 128: adding n to its exponent reaches all that is finite.
    power = (exp_reduced(r).bits() + (bits << number.format.digits)).to("bitcast", x.element)
    finite = choose(number < greatest, power, number * math.inf)
    return choose(number < least, 0.0, finite).operand


def exp_split(x: Number, low: Number) -> Number:
    """e^(x + low) for a small ``low``; NaN of NaN."""
    limit = 1.1 * x.format.bias * math.log(2)
    n, _, r = reduce_exp(x.at_least(-limit).at_most(limit))
    return scaled(exp_reduced(r + low.at_least(-1.0).at_most(1.0)), n)


def scaled(p: Number, n: Number) -> Number:
    """p * 2^n, for whole numbers n of which halves are exponents of normal numbers."""
    if _has_scaling(p):
        return _scaled(p, n)
    # In two steps, as the power of two alone may be out of range.
    shifted = n.times_plus(0.5, n.format.magic)
    rest = (n - (shifted - n.format.magic)) + n.format.magic
    return p * power_of_two(shifted.bits(), p) * power_of_two(rest.bits(), p)


def exp_moderate(x: Number) -> Number:
    """e^x, of an x that neither overflows nor vanishes; NaN of NaN."""
    _, bits, r = reduce_exp(x)
    return exp_reduced(r) * power_of_two(bits, x)


def _has_scaling(x: Number) -> bool:
    return x.f.module.has_scaling and (x.operand.element, x.operand.lanes) in _SCALE


def _scaled(p: Number, n: Number) -> Number:
    """p * 2^n by the instruction of AVX-512."""
    f, type_ = p.f, p.operand.type
    name, mask = _SCALE[p.operand.element, p.operand.lanes]
    f.module.declarations[f"declare {type_} @{name}({type_}, {type_}, {type_}, {mask}, i32)"] = None
    given = f"{type_} {p.operand.text}, {type_} {n.operand.text}, {type_} poison"
    text = f"call {type_} @{name}({given}, {mask} -1, i32 4)"
    return Number(f, f.pure(type_, text, p.operand, n.operand))


def _expm1_scaled(x: Number, shift: int) -> Number:
    """(e^x - 1) * 2^-shift, where 2^-shift times the power of two near e^x is a normal number."""
    _, bits, r = reduce_exp(x)
    p = (r * r).times_plus(polynomial(r, EXP[x.operand.element]), r)
    scale = power_of_two(bits, x, -shift)
    return scale.times_plus(p, scale - 2.0**-shift)


def expm1(f: Function, x: Operand) -> Operand:
    """e to the power x, minus 1; exact near 0."""
    number = Number(f, x)
    least = -(number.format.digits + 3) * math.log(2)  # from here on it is -1
    inside = number.at_least(least).at_most((number.format.bias + 1.4) * math.log(2))
    half = _expm1_scaled(inside, 1)
    return (half + half).with_sign_of(number).operand


# -- sigmoid and hyperbolic functions -----------------------------------------


def sigmoid(f: Function, x: Operand) -> Operand:
    """1 / (1 + e^-x), with full relative precision in both tails."""
    number = Number(f, x)
    limit = (number.format.bias - 0.51) * math.log(2)  # beyond: below the smallest number, or 1
    inside = (-number).at_least(-limit).at_most(limit)
    _, bits, r = reduce_exp(inside)
    return (1.0 / (exp_reduced(r).times_plus(power_of_two(bits, number), 1.0))).operand


def tanh(f: Function, x: Operand) -> Operand:
    """sinh(x) / cosh(x) = m / (m + 2) with m = expm1(2 x)."""
    number = Number(f, x)
    limit = (number.format.digits + 3) * math.log(2)  # of 2 x: from here on it is 1
    double = (number.absolute() * 2.0).at_most(limit)
    m = _expm1_scaled(double, 0)
    return (m / (m + 2.0)).with_sign_of(number).operand


def sinh(f: Function, x: Operand) -> Operand:
    """(e^x - e^-x) / 2 = (m + m / (m + 1)) / 2 with m = expm1(x)."""
    number = Number(f, x)
    size = number.absolute().at_most((number.format.bias + 2.4) * math.log(2))
    quarter = _expm1_scaled(size, 2)
    half = quarter + quarter / quarter.times_plus(4.0, 1.0)
    return (half + half).with_sign_of(number).operand


def cosh(f: Function, x: Operand) -> Operand:
    """(e^x + e^-x) / 2."""
    number = Number(f, x)
    size = number.absolute().at_most((number.format.bias + 2.4) * math.log(2))
    _, bits, r = reduce_exp(size)
    quarter = exp_reduced(r) * power_of_two(bits, number, -2)
    half = quarter + 0.0625 / quarter
    return (half + half).operand


# -- log, log1p ---------------------------------------------------------------


def split_exponent(x: Number) -> tuple[Number, Number, Number]:
    """e, 2^(1 - e) and m with x = m * 2^e and sqrt(1/2) <= m < sqrt(2), for a normal x > 0."""
    form = x.format
    root = constant(x.operand.type, math.sqrt(0.5))
    bits = x.bits()
    start = Number(x.f, x.f.convert("bitcast", root, form.integer))
    places = ((bits - start) >> form.digits) << form.digits
    m = (bits - places).to("bitcast", x.operand.element)
    two = (form.bias + 1) << form.digits
    inverse = (places.like(two) - places).to("bitcast", x.operand.element)
    return _whole(places >> form.digits, x), inverse, m


def _whole(n: Number, like: Number) -> Number:
    """A small integer as a float of the type of ``like``."""
    if like.operand.element == "float":
        return n.to("sitofp", "float")
    # Converting i64 is slow before AVX-512; sums with the magic number convert small ones.
    magic = like.like(like.format.magic)
    return (n + magic.bits()).to("bitcast", "double") - magic


def log_split(e: Number, u: Number, coefficients: tuple[float, ...] = LOG_DOUBLE) -> Number:
    """log((1 + u) * 2^e).

    Args:
        e: whole numbers.
        u: between sqrt(1/2) - 1 and sqrt(2) - 1.
        coefficients: of the polynomial for doubles.
    """
    high, low = LN2[u.operand.element]
    square = u * u
    if u.operand.element == "float":
        tail = square * polynomial(u, _LOG_FLOAT)
    else:
        s = u / (u + 2.0)
        # 2 s = u - s * u, and u - u^2 / 2 + s * (u^2 / 2 + R) loses less.
        half = square * 0.5
        z = s * s
        rest = z * polynomial(z, coefficients)
        tail = s.times_plus(half + rest, -half)
    return e.times_plus(high, u + e.times_plus(low, tail))


def _log_edges(x: Number, inside: Number) -> Number:
    """``inside`` where x is a normal number > 0, and what log gives elsewhere."""
    smallest = x.format.smallest
    upper = choose(x < math.inf, inside, x)
    lower = choose(x > -smallest, x.like(-math.inf), math.nan)
    return choose(x < smallest, lower, upper)


def log(f: Function, x: Operand) -> Operand:
    """The natural logarithm; -inf at 0, NaN below."""
    number = Number(f, x)
    e, _, m = split_exponent(number)
    return _log_edges(number, log_split(e, m - 1.0)).operand


def log1p(f: Function, x: Operand) -> Operand:
    """log(1 + x), exact near 0."""
    return _log1p(Number(f, x)).operand


def _log1p(x: Number) -> Number:
    total = x + 1.0
    part = total - x
    rounded_off = (x - (total - part)) + (1.0 - part)
    e, inverse, m = split_exponent(total)
    u = (rounded_off * 0.5).times_plus(inverse, m - 1.0)
    inside = _log_edges(total, log_split(e, u))
    return choose(x.absolute() < x.format.smallest, x, inside)


# -- inverse hyperbolic functions ---------------------------------------------


def arcsinh(f: Function, x: Operand) -> Operand:
    """The number whose sinh is x: log1p(a + a^2 / (1 + sqrt(1 + a^2))) with a = |x|."""
    number = Number(f, x)
    a = number.absolute()
    w = a.times_plus(a / (a.times_plus(a, 1.0).root() + 1.0), a)
    return _with_large(a, w).with_sign_of(number).operand


def arccosh(f: Function, x: Operand) -> Operand:
    """The number >= 0 whose cosh is x: log1p(t + sqrt(t (t + 2))) with t = x - 1; NaN below 1."""
    number = Number(f, x)
    t = number - 1.0
    inside = _with_large(number, t + (t * (t + 2.0)).root())
    return choose(number < 1.0, math.nan, inside).operand


def _with_large(x: Number, w: Number) -> Number:
    """log1p(w); log(2 x) where x is so large that its square is not at hand."""
    is_large = x > 2.0**60
    result = _log1p(choose(is_large, x, w))
    return choose(is_large, result + math.log(2), result)


def arctanh(f: Function, x: Operand) -> Operand:
    """The number whose tanh is x: log1p(2 a / (1 - a)) / 2 with a = |x|; NaN beyond 1."""
    number = Number(f, x)
    a = number.absolute()
    return (_log1p((a + a) / (1.0 - a)) * 0.5).with_sign_of(number).operand


# -- roots --------------------------------------------------------------------


def sqrt(f: Function, x: Operand) -> Operand:
    """The square root, rounded correctly; NaN below 0."""
    return Number(f, x).root().operand


def rsqrt(f: Function, x: Operand) -> Operand:
    """1 / sqrt(x), rounded twice."""
    return (1.0 / Number(f, x).root()).operand
