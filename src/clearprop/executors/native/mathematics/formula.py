"""Formulas: operands with Python's operators, so that code that writes code reads like algebra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clearprop.executors.native.llvm.registers import Operand, constant
from clearprop.executors.native.llvm.writer import Function

_FLOATS = ("float", "double")


@dataclass(frozen=True)
class Format:
    """How floats of a type are made of bits.

    Attributes:
        integer: the integer type of the same width.
        digits: how many bits of the fraction are stored.
        bias: what is added to the exponent.
        smallest: the smallest normal number; below it numbers may count as 0.
        greatest: the greatest finite number.
    """

    integer: str
    digits: int
    bias: int
    smallest: float
    greatest: float

    @property
    def magic(self) -> float:
        """Added to a smaller number it leaves the nearest whole number in the last bits."""
        return 1.5 * 2.0**self.digits


FORMATS = {
    "float": Format("i32", 23, 127, 2.0**-126, (2 - 2.0**-23) * 2.0**127),
    "double": Format("i64", 52, 1023, 2.0**-1022, (2 - 2.0**-52) * 2.0**1023),
}


class Number:
    """An operand in a formula; the operators write the instructions.

    Numbers of Python stand for constants.  Comparisons of floats are false where one is NaN,
    those of integers are signed.

    Args:
        f: the function that is being written.
        operand: a float, integer or truth value, or a vector of them.
    """

    __slots__ = ("f", "operand")

    def __init__(self, f: Function, operand: Operand) -> None:
        self.f, self.operand = f, operand

    @property
    def format(self) -> Format:
        """How the float is made of bits."""
        return FORMATS[self.operand.element]

    def like(self, number: float) -> Number:
        """A constant of the same type."""
        return Number(self.f, constant(self.operand.type, number))

    def _with(self, word: str, other: Number | float) -> Number:
        y = other if isinstance(other, Number) else self.like(other)
        if self.operand.element in _FLOATS:
            word = f"f{word}"
        return Number(self.f, self.f.binary(word, self.operand, y.operand))

    def __add__(self, other: Number | float) -> Number:
        return self._with("add", other)

    def __radd__(self, other: float) -> Number:
        return self.like(other) + self

    def __sub__(self, other: Number | float) -> Number:
        return self._with("sub", other)

    def __rsub__(self, other: float) -> Number:
        return self.like(other) - self

    def __mul__(self, other: Number | float) -> Number:
        return self._with("mul", other)

    def __rmul__(self, other: float) -> Number:
        return self.like(other) * self

    def __truediv__(self, other: Number | float) -> Number:
        return self._with("div", other)

    def __rtruediv__(self, other: float) -> Number:
        return self.like(other) / self

    def __neg__(self) -> Number:
        return Number(self.f, self.f.negative(self.operand))

    def __and__(self, other: Number | int) -> Number:
        return self._with("and", other)

    def __or__(self, other: Number | int) -> Number:
        return self._with("or", other)

    def __xor__(self, other: Number | int) -> Number:
        return self._with("xor", other)

    def __invert__(self) -> Number:
        return self ^ (1 if self.operand.element == "i1" else -1)

    def __lshift__(self, other: int) -> Number:
        return self._with("shl", other)

    def __rshift__(self, other: int) -> Number:
        """The bits moved down; the sign bit is copied."""
        return self._with("ashr", other)

    def _compare(self, floats: str, integers: str, other: Number | float) -> Number:
        y = other if isinstance(other, Number) else self.like(other)
        is_float = self.operand.element in _FLOATS
        word = f"fcmp {floats}" if is_float else f"icmp {integers}"
        return Number(self.f, self.f.compare(word, self.operand, y.operand))

    def __lt__(self, other: Number | float) -> Number:
        return self._compare("olt", "slt", other)

    def __le__(self, other: Number | float) -> Number:
        return self._compare("ole", "sle", other)

    def __gt__(self, other: Number | float) -> Number:
        return self._compare("ogt", "sgt", other)

    def __ge__(self, other: Number | float) -> Number:
        return self._compare("oge", "sge", other)

    def equals(self, other: Number | float) -> Number:
        """x == y."""
        return self._compare("oeq", "eq", other)

    def is_nan(self) -> Number:
        """Whether it is NaN."""
        return self._compare("uno", "", self)

    def to(self, word: str, element: str) -> Number:
        """Converted by ``sitofp``, ``fpext`` ... to another element type."""
        return Number(self.f, self.f.convert(word, self.operand, element))

    def bits(self) -> Number:
        """The bits of a float as an integer."""
        return self.to("bitcast", self.format.integer)

    def absolute(self) -> Number:
        """|x| of floats."""
        return Number(self.f, self.f.intrinsic("llvm.fabs", self.operand))

    def with_sign_of(self, other: Number) -> Number:
        """|x| with the sign of another float."""
        return Number(self.f, self.f.intrinsic("llvm.copysign", self.operand, other.operand))

    def root(self) -> Number:
        """The square root."""
        return Number(self.f, self.f.intrinsic("llvm.sqrt", self.operand))

    def at_most(self, limit: Number | float) -> Number:
        """The lesser of both; NaN where x is NaN (one instruction on x86)."""
        y = limit if isinstance(limit, Number) else self.like(limit)
        return choose(y < self, y, self)

    def at_least(self, limit: Number | float) -> Number:
        """The greater of both; NaN where x is NaN (one instruction on x86)."""
        y = limit if isinstance(limit, Number) else self.like(limit)
        return choose(y > self, y, self)

    def times_plus(self, factor: Number | float, term: Number | float) -> Number:
        """x * factor + term, as ``Function.multiply_add`` says it."""
        y = factor if isinstance(factor, Number) else self.like(factor)
        z = term if isinstance(term, Number) else self.like(term)
        return Number(self.f, self.f.multiply_add(self.operand, y.operand, z.operand))


def choose(condition: Number, x: Number | float, y: Number | float) -> Number:
    """x where the condition is true, y elsewhere; one of both may be a Python number."""
    if not isinstance(x, Number):
        assert isinstance(y, Number)
        x = y.like(x)
    if not isinstance(y, Number):
        y = x.like(y)
    return Number(condition.f, condition.f.select(condition.operand, x.operand, y.operand))


def polynomial(x: Number, coefficients: Sequence[float]) -> Number:
    """A polynomial in x by Horner's rule, the coefficient of the highest power first."""
    result = x.like(coefficients[0])
    for coefficient in coefficients[1:]:
        result = result.times_plus(x, coefficient)
    return result


def split_product(x: Number, y: Number) -> tuple[Number, Number]:
    """x * y as an unevaluated sum: the rounded product and what was rounded off.

    Without a fused multiplication the factors are cut in halves, which overflows where one is
    above 2^990 (double) or 2^110 (float).

    Reference:
        T. J. Dekker, "A floating-point technique for extending the available precision",
        Numerische Mathematik 18 (1971), 224-242.
    """
    product = x * y
    if x.f.module.has_fma:
        return product, x.times_plus(y, -product)
    (x_high, x_low), (y_high, y_low) = _halves(x), _halves(y)
    rest = ((x_high * y_high - product) + x_high * y_low) + x_low * y_high
    return product, rest + x_low * y_low


def _halves(x: Number) -> tuple[Number, Number]:
    large = x * (2.0 ** ((x.format.digits + 2) // 2) + 1)
    high = large - (large - x)
    return high, x - high


def split_sum(x: Number, y: Number) -> tuple[Number, Number]:
    """x + y for |x| >= |y| as an unevaluated sum: the rounded sum and what was rounded off."""
    total = x + y
    return total, y - (total - x)
