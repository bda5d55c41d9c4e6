"""sin, cos, tan and their inverses as polynomials.

Reference:
    S. L. Moshier, Cephes (1984-2000), for the reductions of arctan and arcsin.  The coefficients
    are best in the greatest relative error (Remez's exchange in 50 digits, then rounded), which
    is below 2^-27 for floats and 2^-55 for doubles.
"""

from __future__ import annotations

import math

from clearprop.executors.native.llvm.registers import Operand
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics.angles import reduce_angle
from clearprop.executors.native.mathematics.formula import Number, choose, polynomial

# sin(r) = r + r^3 q(r^2) and cos(r) = 1 - r^2 / 2 + r^4 q(r^2), for |r| <= pi / 4.
_SIN = {
    "float": (-0.00019516661996021867, 0.008332173340022564, -0.16666655242443085),
    "double": (
        1.5896504850742e-10, -2.5050753264222837e-08, 2.7557313662074314e-06,
        -0.00019841269829725368, 0.008333333333322316, -0.16666666666666632,
    ),
}  # fmt: skip
_COS = {
    "float": (2.443771700200159e-05, -0.001388736185617745, 0.04166664555668831),
    "double": (
        -1.1359448182842138e-11, 2.087571954996016e-09, -2.755731432597521e-07,
        2.4801587289394777e-05, -0.001388888888887399, 0.0416666666666666,
    ),
}  # fmt: skip
# arctan(u) = u + u^3 q(u^2), for |u| <= tan(pi / 8).
_ARCTAN = {
    "float": (
        -0.06081114709377289, 0.1059512197971344, -0.14243735373020172, 0.1999848335981369,
        -0.33333316445350647,
    ),
    "double": (
        -0.017907246669033056, 0.03806486572985212, -0.05039327288693745, 0.05847896595842746,
        -0.06663105343856725, 0.07692060351607095, -0.09090897766475688, 0.11111110783791742,
        -0.14285714280203515, 0.19999999999953658, -0.333333333333332,
    ),
}  # fmt: skip
# arcsin(s) = s + s^3 q(s^2), for |s| <= 1/2.
_ARCSIN = {
    "float": (
        0.042231254279613495, 0.024140534922480583, 0.045478444546461105, 0.07495231926441193,
        0.16666753590106964,
    ),
    "double": (
        0.03198167477528987, -0.016326647575366494, 0.019594295771562357, 0.006503543245127415,
        0.012174935570828865, 0.01388435164280453, 0.017359795516757492, 0.02237175194547152,
        0.030381959395225054, 0.044642856821979666, 0.075000000003448, 0.16666666666665375,
    ),
}  # fmt: skip
# pi as the nearest number and what is missing.
_PI = {
    "float": (3.1415927410125732, -8.742278000372485e-08),
    "double": (3.141592653589793, 1.2246467991473532e-16),
}
_TAN_EIGHTH = math.sqrt(2) - 1

# -- sin, cos, tan ------------------------------------------------------------


def sin(f: Function, x: Operand) -> Operand:
    """The sine of an angle in radians."""
    number = Number(f, x)
    sine, cosine, n = _both(number)
    result = _signed(_is_odd(n), cosine, sine, n)
    return choose(number.absolute() < number.format.smallest, number, result).operand


def cos(f: Function, x: Operand) -> Operand:
    """The cosine of an angle in radians."""
    sine, cosine, n = _both(Number(f, x))
    return _signed(_is_odd(n), sine, cosine, n + 1).operand


def tan(f: Function, x: Operand) -> Operand:
    """The tangent of an angle in radians."""
    number = Number(f, x)
    sine, cosine, n = _both(number)
    is_odd = _is_odd(n)
    ratio = choose(is_odd, cosine, sine) / choose(is_odd, -sine, cosine)
    return choose(number.absolute() < number.format.smallest, number, ratio).operand


def _both(x: Number) -> tuple[Number, Number, Number]:
    """Sine and cosine of the rest, and the number of quarter turns in integers of x's width."""
    element = x.operand.element
    if element == "float":
        rest, n = reduce_angle(x.to("fpext", "double"))
        rest, n = rest.to("fptrunc", "float"), n.to("trunc", "i32")
    else:
        rest, n = reduce_angle(x)
    square = rest * rest
    sine = rest.times_plus(square * polynomial(square, _SIN[element]), rest)
    near_one = square.times_plus(-0.5, 1.0)
    cosine = (square * square).times_plus(polynomial(square, _COS[element]), near_one)
    return sine, cosine, n


def _is_odd(n: Number) -> Number:
    return (n & 1).equals(1)


def _signed(condition: Number, x: Number, y: Number, n: Number) -> Number:
    """x or y, with the other sign where the second bit of n is set."""
    chosen = choose(condition, x, y)
    width = int(n.operand.element[1:])
    return (chosen.bits() ^ ((n & 2) << (width - 2))).to("bitcast", x.operand.element)


# -- arctan, arctan2 ----------------------------------------------------------


def arctan(f: Function, x: Operand) -> Operand:
    """The angle whose tangent is x, -pi/2 to pi/2."""
    number = Number(f, x)
    size = number.absolute()
    is_steep = size > 1.0
    angle = _arctan_of_ratio(choose(is_steep, 1.0, size), choose(is_steep, size, 1.0))
    high, low = _PI[x.element]
    steep = 0.5 * high - (angle - 0.5 * low)
    return choose(is_steep, steep, angle).with_sign_of(number).operand


def arctan2(f: Function, y: Operand, x: Operand) -> Operand:
    """The angle of the point (x, y) seen from the origin, -pi to pi."""
    vertical, horizontal = Number(f, y), Number(f, x)
    a, b = vertical.absolute(), horizontal.absolute()
    is_steep = a > b
    less, more = choose(is_steep, b, a), choose(is_steep, a, b)
    ratio = choose(more.equals(0.0), 0.0, less / more)
    ratio = choose(less.equals(math.inf), 1.0, ratio)
    angle = _arctan_of_ratio(ratio, ratio.like(1.0))
    high, low = _PI[x.element]
    angle = choose(is_steep, 0.5 * high - (angle - 0.5 * low), angle)
    is_left = horizontal.bits() < 0
    angle = choose(is_left, high - (angle - low), angle)
    total = vertical + horizontal
    is_broken = vertical.is_nan() | horizontal.is_nan()
    return choose(is_broken, total, angle.with_sign_of(vertical)).operand


def _arctan_of_ratio(above: Number, below: Number) -> Number:
    """arctan(above / below) for 0 <= above <= below; near the diagonal, as pi / 4 + another."""
    element = above.operand.element
    is_middle = above > below * _TAN_EIGHTH
    numerator = choose(is_middle, above - below, above)
    denominator = choose(is_middle, above + below, below)
    u = numerator / denominator
    square = u * u
    tail = u * (square * polynomial(square, _ARCTAN[element]))
    high, low = _PI[element]
    start, missing = choose(is_middle, u.like(0.25 * high), 0.0), 0.25 * low
    # pi / 4 + (u + ...): what pi / 4 misses goes to the small part.
    return start + (u + choose(is_middle, tail + missing, tail))


# -- arcsin, arccos -----------------------------------------------------------


def _arcsin_parts(size: Number) -> tuple[Number, Number, Number]:
    """Whether |x| > 1/2, and s and arcsin(s) - s, with s = |x| or sqrt((1 - |x|) / 2) then."""
    is_large = size > 0.5
    square = choose(is_large, (1.0 - size) * 0.5, size * size)
    s = choose(is_large, square.root(), size)
    return is_large, s, s * (square * polynomial(square, _ARCSIN[size.operand.element]))


def arcsin(f: Function, x: Operand) -> Operand:
    """The angle whose sine is x, -pi/2 to pi/2; NaN beyond 1."""
    number = Number(f, x)
    is_large, s, tail = _arcsin_parts(number.absolute())
    high, low = _PI[x.element]
    large = 0.5 * high - (2.0 * s + (2.0 * tail - 0.5 * low))
    return choose(is_large, large, s + tail).with_sign_of(number).operand


def arccos(f: Function, x: Operand) -> Operand:
    """The angle whose cosine is x, 0 to pi; NaN beyond 1."""
    number = Number(f, x)
    is_large, s, tail = _arcsin_parts(number.absolute())
    high, low = _PI[x.element]
    double = 2.0 * (s + tail)
    large = choose(number < 0.0, high - (double - low), double)
    signed, signed_tail = s.with_sign_of(number), tail.with_sign_of(number)
    small = 0.5 * high - (signed + (signed_tail - 0.5 * low))
    return choose(is_large, large, small).operand
