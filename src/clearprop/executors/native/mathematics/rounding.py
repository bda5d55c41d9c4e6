"""Rounding of floats to whole numbers, for processors with and without an instruction for it."""

from __future__ import annotations

from clearprop.executors.native.llvm.registers import Operand
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics.formula import Number, choose


def round_even(f: Function, x: Operand) -> Operand:
    """The nearest whole number; of two equally near, the even one."""
    if f.module.has_rounding:
        return f.intrinsic("llvm.roundeven", x)
    return _rounded(Number(f, x)).operand


def floor(f: Function, x: Operand) -> Operand:
    """The greatest whole number that is not above x."""
    if f.module.has_rounding:
        return f.intrinsic("llvm.floor", x)
    number = Number(f, x)
    near = _rounded(number)
    return choose(near > number, near - 1, near).with_sign_of(number).operand


def ceil(f: Function, x: Operand) -> Operand:
    """The least whole number that is not below x."""
    if f.module.has_rounding:
        return f.intrinsic("llvm.ceil", x)
    number = Number(f, x)
    near = _rounded(number)
    return choose(near < number, near + 1, near).with_sign_of(number).operand


def truncate(f: Function, x: Operand) -> Operand:
    """The next whole number towards zero."""
    if f.module.has_rounding:
        return f.intrinsic("llvm.trunc", x)
    number = Number(f, x)
    size = number.absolute()
    near = _rounded(size)
    return choose(near > size, near - 1, near).with_sign_of(number).operand


def _rounded(x: Number) -> Number:
    """The nearest whole number: from 2^digits on the last bit of a sum counts ones."""
    size, limit = x.absolute(), 2.0**x.format.digits
    near = ((size + limit) - limit).with_sign_of(x)
    return choose(size < limit, near, x)
