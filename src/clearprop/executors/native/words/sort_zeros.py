"""Zeros of sorted floats: 0 and -0 are equal and keep their order, but not their keys."""

from __future__ import annotations

from clearprop.executors.native.llvm.registers import Operand, constant, integer, vector_type
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.words.sort_rows import Rows


def is_negative_zero(f: Function, x: Operand) -> Operand:
    """Whether any of some floats is -0, as an i1."""
    element = "i32" if x.element == "float" else "i64"
    bits = f.convert("bitcast", x, element)
    sign = constant(bits.type, -(1 << (int(element[1:]) - 1)))
    return any_of(f, f.compare("icmp eq", bits, sign))


def any_of(f: Function, x: Operand) -> Operand:
    """Whether any of some conditions is true."""
    if x.lanes == 1:
        return x
    type_ = f"i{x.lanes}"
    bits = f.pure(type_, f"bitcast {x.type} {x.text} to {type_}", x)
    return f.compare("icmp ne", bits, constant(type_, 0))


def find_negative_zero(rows: Rows, lanes: int) -> Operand:
    """Whether a long row has a -0."""
    f = rows.f
    element = "i32" if rows.dtype.itemsize == 4 else "i64"
    found = f.stack(element, lanes)
    zero = constant(vector_type(element, lanes), 0)
    f.store(zero, found)

    def look(place: Operand, width: int) -> None:
        bits = f.convert("bitcast", rows.load(place, width), element)
        sign = constant(bits.type, -(1 << (int(element[1:]) - 1)))
        more = f.convert("sext", f.compare("icmp eq", bits, sign), element)
        f.store(f.binary("or", f.load(bits.type, found, pinned=True), more), found)

    rows.over(rows.length, lanes, look)
    return any_of(f, f.compare("icmp ne", f.load(zero.type, found, pinned=True), zero))


def write_zeros_in_order(rows: Rows, condition: Operand) -> None:
    """Put the zeros of a sorted row in the order in which they came, where ``condition`` holds."""
    f, none = rows.f, integer(0)
    with f.when(condition):
        with f.loop(0, rows.length, carried=[none]) as counting:
            assert counting.index is not None
            x = rows.load(counting.index)
            is_less = f.compare("fcmp olt", x, constant(x.type, 0))
            counting.next = [f.add(counting.carried[0], f.convert("zext", is_less, "i64"))]
        with f.loop(0, rows.length, carried=counting.results) as loop:
            assert loop.index is not None
            x = rows.load(loop.index)
            is_zero = f.compare("fcmp oeq", x, constant(x.type, 0))
            with f.when(is_zero):
                rows.put_value(x, loop.carried[0])
            loop.next = [f.add(loop.carried[0], f.convert("zext", is_zero, "i64"))]
