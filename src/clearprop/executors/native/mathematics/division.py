"""Division that rounds down, and its remainder, of integers and floats."""

from __future__ import annotations

from collections.abc import Sequence

from clearprop.dtypes import DType
from clearprop.executors.native.llvm.registers import Operand, vector_type
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics import rounding
from clearprop.executors.native.mathematics.formula import Number, choose


def floor_divide(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
    """x / y rounded down; for integers 0 where y is 0."""
    x, y = (Number(f, each) for each in inputs)
    if dtype.kind == "f":
        return _floor_divide_floats(x, y).operand
    return _floor_divide_integers(x, y, dtype).operand


def remainder(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
    """x - y * floor(x / y), with the sign of y; for integers 0 where y is 0."""
    x, y = (Number(f, each) for each in inputs)
    if dtype.kind == "f":
        rest, _ = _floored(x, y)
        return rest.operand
    quotient = _floor_divide_integers(x, y, dtype)
    return choose(y.equals(0), 0, x - quotient * y).operand


# -- integers -----------------------------------------------------------------


def _floor_divide_integers(x: Number, y: Number, dtype: DType) -> Number:
    is_zero = y.equals(0)
    if dtype.kind == "u":
        return choose(is_zero, 0, _floored_ratio(x, choose(is_zero, 1, y), dtype))
    # -2^(N-1) / -1 does not exist: division by -1 is done by negation, which wraps around.
    is_minus_one = y.equals(-1)
    quotient = _floored_ratio(x, choose(is_zero | is_minus_one, 1, y), dtype)
    return choose(is_zero, 0, choose(is_minus_one, 0 - x, quotient))


def _floored_ratio(x: Number, y: Number, dtype: DType) -> Number:
    """x / y rounded down, where y is neither 0 nor -1."""
    f, element, is_signed = x.f, x.operand.element, dtype.kind == "i"
    if x.operand.lanes == 1 or dtype.itemsize == 8:
        word = "sdiv" if is_signed else "udiv"
        quotient = Number(f, f.binary(word, x.operand, y.operand))
        if not is_signed:
            return quotient
        rest = x - quotient * y
        is_high = ~rest.equals(0) & ((rest ^ y) < 0)
        return choose(is_high, quotient - 1, quotient)
    # Vectors have no division of integers.  That of floats with at least twice the digits is
    # never rounded up to a whole number that it does not reach.
    wide = "float" if dtype.itemsize < 4 else "double"
    word = "sitofp" if is_signed else "uitofp"
    ratio = x.to(word, wide) / y.to(word, wide)
    floored = Number(f, rounding.floor(f, ratio.operand))
    if dtype.itemsize < 4:
        return floored.to("fptosi", "i32").to("trunc", element)
    return floored.to("fptosi" if is_signed else "fptoui", element)


# -- floats -------------------------------------------------------------------


def _floor_divide_floats(x: Number, y: Number) -> Number:
    _, quotient = _floored(x, y)
    ratio = x / y
    floored = Number(x.f, rounding.floor(x.f, quotient.operand))
    floored = choose((quotient - floored) > 0.5, floored + 1.0, floored)
    floored = choose(quotient.equals(0.0), quotient.like(0.0).with_sign_of(ratio), floored)
    return choose(y.equals(0.0), ratio, floored)


def _floored(x: Number, y: Number) -> tuple[Number, Number]:
    """The remainder with the sign of y, and a quotient close to the one rounded down.

    Reference:
        NumPy, ``npy_divmod``, which follows Python's ``float.__divmod__``.
    """
    rest = _truncated_remainder(x, y)
    quotient = (x - rest) / y
    differs = (rest < 0.0) ^ (y < 0.0)
    is_zero = rest.equals(0.0)
    signed = choose(is_zero, rest.like(0.0).with_sign_of(y), rest)
    moved = differs & ~is_zero & ~rest.is_nan()
    return choose(moved, rest + y, signed), choose(moved, quotient - 1.0, quotient)


def _truncated_remainder(x: Number, y: Number) -> Number:
    """x - y * trunc(x / y), exactly, with the sign of x: C's ``fmod``.

    Each round takes away a multiple of |y| that is near to what is left, as exactly as one
    multiplication can; a quotient of one or few digits needs one round.
    """
    if x.operand.element == "float" and not x.f.module.has_fma:
        wide = _truncated_remainder(x.to("fpext", "double"), y.to("fpext", "double"))
        return wide.to("fptrunc", "float")
    f, divisor = x.f, y.absolute()
    with f.repeat([x.absolute().operand]) as loop:
        left = Number(f, loop.carried[0])
        after = _reduced_once(left, divisor)
        loop.next = [after.operand]
        again = (after.absolute() >= divisor) & (divisor > 0.0)
        loop.again = _any(again)
    left = Number(f, loop.results[0])
    left = choose(left < 0.0, left + divisor, left)
    bad = y.equals(0.0) | (x - x).is_nan() | y.is_nan()
    return choose(bad, float("nan"), left.with_sign_of(x))


def _reduced_once(left: Number, divisor: Number) -> Number:
    """``left`` without a multiple of the divisor; unchanged where it is smaller already."""
    f, large = left.f, 2.0 ** (left.format.bias - 1)
    step = choose(left.absolute() * (1 / large) > divisor, divisor * large, divisor)
    quotient = left / step
    if not f.module.has_fma:  # so few digits that its products with half of the step are exact
        mask = -(2 ** (left.format.digits - 25))
        quotient = (quotient.bits() & mask).to("bitcast", left.operand.element)
    quotient = Number(f, rounding.truncate(f, quotient.operand))
    if f.module.has_fma:
        after = (-quotient).times_plus(step, left)
    else:
        mask = -(2 ** ((left.format.digits + 3) // 2))
        high = (step.bits() & mask).to("bitcast", left.operand.element)
        after = (left - quotient * high) - quotient * (step - high)
    return choose(left.absolute() >= divisor, after, left)


def _any(condition: Number) -> Operand:
    """Whether it is true in one lane."""
    operand = condition.operand
    if operand.lanes == 1:
        return operand
    return condition.f.intrinsic("llvm.vector.reduce.or", operand, type_=vector_type("i1", 1))
