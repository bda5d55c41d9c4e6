"""Angles of any size as a number of quarter turns and a rest of at most an eighth turn.

Up to 2^26 multiples of pi/2 are taken away in parts of pi/2 whose products are exact.  Beyond,
each such number is multiplied by just those bits of 2/pi that make a difference, one lane after
the other, in a loop that runs only if there is one: slow, but as exact.

Reference:
    W. J. Cody, W. Waite, "Software Manual for the Elementary Functions", 1980; M. H. Payne,
    R. N. Hanek, "Radian reduction for trigonometric functions", SIGNUM Newsletter 18 (1983).
"""

from __future__ import annotations

from functools import lru_cache

from clearprop.executors.native.llvm.registers import Operand, integer, vector_type
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics.formula import Number, choose

# pi/2 in parts of 53 bits, for products that are rounded with their sums ...
_WHOLE_PARTS = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33)
# ... and of 26 bits, for products that are rounded alone.
_SHORT_PARTS = (
    1.5707963109016418, 1.5893254712295857e-08, 6.123233932053594e-17, 6.368317055225283e-25,
    1.082856673921914e-32,
)  # fmt: skip
_TWO_OVER_PI = 0.6366197723675814
_LIMIT = 2.0**26
_TABLE_BITS, _PADDING = 1344, 64


def reduce_angle(x: Number) -> tuple[Number, Number]:
    """The rest r and the number n of quarter turns with x = n * pi / 2 + r.

    Args:
        x: doubles.

    Returns:
        r, |r| <= pi / 4 and a little, as doubles; n modulo 4 in the last two bits of integers.
    """
    shifted = x.times_plus(_TWO_OVER_PI, x.format.magic)
    turns = shifted - x.format.magic
    r = x
    for part in _WHOLE_PARTS if x.f.module.has_fma else _SHORT_PARTS:
        r = turns.times_plus(-part, r)
    size = x.absolute()
    is_large = (size >= _LIMIT) & (size <= x.format.greatest)
    return _with_large(x, is_large, r, shifted.bits())


def _with_large(x: Number, is_large: Number, r: Number, n: Number) -> tuple[Number, Number]:
    """r and n, done again for the large numbers."""
    f, lanes = x.f, x.operand.lanes
    found = is_large.operand
    if lanes > 1:
        found = f.intrinsic("llvm.vector.reduce.or", found, type_=vector_type("i1", 1))
    rounds = f.select(found, integer(lanes), integer(0))
    with f.loop(0, rounds, carried=[r.operand, n.operand]) as loop:
        assert loop.index is not None
        before = [Number(f, each) for each in loop.carried]
        one = _lane(x, loop.index)
        applies = _lane(is_large, loop.index)
        after = _reduce_exactly(choose(applies, one, 2.0 * _LIMIT))
        loop.next = [
            _with_lane(old, loop.index, choose(applies, new, _lane(old, loop.index)))
            for old, new in zip(before, after, strict=True)
        ]
    r_operand, n_operand = loop.results
    return Number(f, r_operand), Number(f, n_operand)


def _lane(x: Number, index: Operand) -> Number:
    operand = x.operand
    if operand.lanes == 1:
        return x
    text = f"extractelement {operand.type} {operand.text}, i64 {index.text}"
    return Number(x.f, x.f.pure(operand.element, text, operand, index))


def _with_lane(x: Number, index: Operand, new: Number) -> Operand:
    operand, one = x.operand, new.operand
    if operand.lanes == 1:
        return one
    text = f"insertelement {operand.type} {operand.text}, {one.type} {one.text}, i64 {index.text}"
    return x.f.pure(operand.type, text, operand, one, index)


# -- one large number ---------------------------------------------------------


def _reduce_exactly(x: Number) -> tuple[Number, Number]:
    """The same for one finite double of at least 2^26."""
    f = x.f
    bits = x.bits()
    exponent = _shifted_down(bits, 52) & 0x7FF
    fraction = (bits & (2**52 - 1)) | 2**52  # |x| = fraction * 2^(exponent - 1075)
    # Bits of 2/pi above 2^(1075 + 1 - exponent) only add whole turns.  Of the following 192 the
    # product begins with two bits for the quarter turns.
    start = exponent - (1075 + 2 - _PADDING)
    words = _table_words(f, start)
    product = _low_product(fraction, words)
    high, low = (part.to("trunc", "i64") for part in (_shifted_down(product, 64), product))
    n = _shifted_down(high + 2**61, 62)
    rest_high = high - (n << 62)
    is_negative = rest_high < 0
    rest = (rest_high.to("zext", "i128") << 64) | low.to("zext", "i128")
    rest = choose(is_negative, 0 - rest, rest)
    r = _times_half_pi(rest)
    flips = is_negative ^ (x < 0.0)
    return choose(flips, -r, r), choose(x < 0.0, 0 - n, n)


def _low_product(fraction: Number, words: list[Number]) -> Number:
    """The upper 128 of the lowest 192 bits of fraction * (three words, the highest first)."""
    wide = fraction.to("zext", "i128")
    high, middle, low = (wide * word.to("zext", "i128") for word in words)
    return (high << 64) + middle + _shifted_down(low, 64)


def _times_half_pi(rest: Number) -> Number:
    """rest * 2^-126 * pi / 2 as a double, rounded little more than once."""
    high = _shifted_down(rest, 64).to("trunc", "i64")  # below 2^62
    low = _shifted_down(rest.to("trunc", "i64"), 1)
    upper = high.to("sitofp", "double")
    rounded_off = (high - upper.to("fptosi", "i64")).to("sitofp", "double")
    lower = low.to("sitofp", "double").times_plus(2.0**-63, rounded_off)
    whole, part, _ = _WHOLE_PARTS
    return upper.times_plus(whole, upper.times_plus(part, lower * whole)) * 2.0**-62


def _shifted_down(x: Number, places: int) -> Number:
    """The bits of an integer moved down, zeros put in."""
    return Number(x.f, x.f.binary("lshr", x.operand, x.like(places).operand))


def _table_words(f: Function, start: Number) -> list[Number]:
    """Three words of the bits of 2/pi from bit number ``start`` of the table on."""
    name = "@two_over_pi"
    words = _two_over_pi_words()
    text = ", ".join(f"i64 {word}" for word in words)
    f.module.declarations[f"{name} = internal constant [{len(words)} x i64] [{text}]"] = None
    first = _shifted_down(start, 6).operand
    places = (start & 63).operand
    table = Operand("ptr", name)
    loaded = [f.load("i64", f.address(table, "i64", f.add(first, offset))) for offset in range(4)]
    return [Number(f, f.intrinsic("llvm.fshl", loaded[i], loaded[i + 1], places)) for i in range(3)]


@lru_cache(maxsize=1)
def _two_over_pi_words() -> tuple[int, ...]:
    """The bits of 2/pi behind the binary point in words of 64, the first ones zero.

    Reference:
        J. Machin's formula (1706): pi / 4 = 4 arctan(1 / 5) - arctan(1 / 239).
    """
    digits = _TABLE_BITS + 64
    pi = 4 * (4 * _arctan_of_inverse(5, digits) - _arctan_of_inverse(239, digits))
    ratio = (2 << (digits + _TABLE_BITS)) // pi
    count = _TABLE_BITS // 64
    mask = 2**64 - 1
    words = [(ratio >> 64 * (count - 1 - i)) & mask for i in range(count)]
    return (*([0] * (_PADDING // 64)), *words)


def _arctan_of_inverse(x: int, digits: int) -> int:
    """arctan(1 / x) * 2^digits, to within a few units."""
    term = (1 << digits) // x
    total, k = term, 1
    while term:
        term //= -x * x
        k += 2
        total += term // k
        if term == -1:
            break
    return total
