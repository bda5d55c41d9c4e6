"""How the native executor says each primitive that acts on every element alone.

In registers a boolean is an i1, an integer an iN whose sign is known from the dtype only.  All
meanings are total, as in the definitions: no element makes a processor trap.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from clearprop.dtypes import DType
from clearprop.executors.native.llvm.registers import Operand, constant
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics import rounding, vector_math
from clearprop.executors.native.mathematics.division import floor_divide, remainder

Writer = Callable[[Function, DType, Sequence[Operand]], Operand]


def element_type(dtype: DType) -> str:
    """The LLVM type of an element in a register: ``float``, ``i8``, and i1 for a boolean."""
    return "i1" if dtype.kind == "b" else memory_type(dtype)


def memory_type(dtype: DType) -> str:
    """The LLVM type of an element in memory: ``float``, ``i8``; also i8 for a boolean."""
    if dtype.kind == "f":
        return "float" if dtype.itemsize == 4 else "double"
    return f"i{8 * dtype.itemsize}"


# -- arithmetic ---------------------------------------------------------------


def _arithmetic(word: str) -> Writer:
    def write(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
        x, y = inputs
        return f.binary(f"f{word}" if dtype.kind == "f" else word, x, y)

    return write


def _negate(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
    (x,) = inputs
    return f.negative(x) if dtype.kind == "f" else f.binary("sub", constant(x.type, 0), x)


def _absolute(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
    (x,) = inputs
    if dtype.kind == "f":
        return f.intrinsic("llvm.fabs", x)
    return x if dtype.kind == "u" else f.intrinsic("llvm.abs", x, Operand("i1", "false"))


def _sign(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
    (x,) = inputs
    zero, one, minus = (constant(x.type, number) for number in (0, 1, -1))
    if dtype.kind == "u":
        return f.select(f.compare("icmp ne", x, zero), one, zero)
    if dtype.kind == "i":
        below = f.select(f.compare("icmp slt", x, zero), minus, zero)
        return f.select(f.compare("icmp sgt", x, zero), one, below)
    unsigned_zero_or_nan = f.binary("fadd", x, zero)
    below = f.select(f.compare("fcmp olt", x, zero), minus, unsigned_zero_or_nan)
    return f.select(f.compare("fcmp ogt", x, zero), one, below)


def _extreme(f: Function, dtype: DType, inputs: Sequence[Operand], greater: bool) -> Operand:
    x, y = inputs
    if dtype.kind == "b":
        return f.binary("or" if greater else "and", x, y)
    if dtype.kind in "iu":
        sign = "s" if dtype.kind == "i" else "u"
        return f.intrinsic(f"llvm.{sign}{'max' if greater else 'min'}", x, y)
    machine = f.module.machine
    if machine is not None and not machine.is_x86:
        return f.intrinsic("llvm.maximum" if greater else "llvm.minimum", x, y)
    # x86's own maximum gives its second operand where one is NaN.
    word = "fcmp ogt" if greater else "fcmp olt"
    if _is_known_number(x):
        x, y = y, x
    found = f.select(f.compare(word, y, x), y, x)  # x where one is NaN
    if _is_known_number(y):
        return found
    return f.select(f.compare("fcmp uno", y, y), y, found)


def _is_known_number(x: Operand) -> bool:
    """Whether it is a constant that is not NaN."""
    bits = [int(digits, 16) for digits in re.findall(r"0x(\w+)", x.text)]
    return bool(bits) and all(each & ~(1 << 63) <= 0x7FF << 52 for each in bits)


def _maximum(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
    return _extreme(f, dtype, inputs, greater=True)


def _minimum(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
    return _extreme(f, dtype, inputs, greater=False)


# -- bits ---------------------------------------------------------------------


def _bitwise(word: str) -> Writer:
    def write(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
        x, y = inputs
        return f.binary(word, x, y)

    return write


def _bitwise_not(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
    (x,) = inputs
    return f.binary("xor", x, constant(x.type, 1 if dtype.kind == "b" else -1))


def _shift(left: bool) -> Writer:
    def write(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
        x, y = inputs
        word = "shl" if left else "ashr" if dtype.kind == "i" else "lshr"
        zero = constant(x.type, 0)
        # Compared without a sign, a negative number of places is large as well.
        fits = f.compare("icmp ult", y, constant(y.type, 8 * dtype.itemsize))
        return f.select(fits, f.binary(word, x, f.select(fits, y, zero)), zero)

    return write


# -- comparison ---------------------------------------------------------------


def _comparison(floats: str, signed: str, unsigned: str) -> Writer:
    def write(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
        x, y = inputs
        words = {"f": f"fcmp {floats}", "i": f"icmp {signed}"}
        return f.compare(words.get(dtype.kind, f"icmp {unsigned}"), x, y)

    return write


def _is_finite(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
    size = f.intrinsic("llvm.fabs", inputs[0])
    return f.compare("fcmp one", size, constant(size.type, float("inf")))


def _is_nan(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
    return f.compare("fcmp uno", inputs[0], inputs[0])


# -- the rest -----------------------------------------------------------------


def _select(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
    condition, x, y = inputs
    return f.select(condition, x, y)


def _stop_gradient(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
    return inputs[0]


def _of_floats(function: Callable[..., Operand]) -> Writer:
    def write(f: Function, dtype: DType, inputs: Sequence[Operand]) -> Operand:
        return function(f, *inputs)

    return write


_ROUNDING = {
    "floor": rounding.floor,
    "ceil": rounding.ceil,
    "round": rounding.round_even,
    "truncate": rounding.truncate,
}

# By the name of the primitive; ``cast`` has a function of its own.  The dtype is that of the
# first input, for ``select`` that of the second.
WRITERS: dict[str, Writer] = {
    "add": _arithmetic("add"),
    "subtract": _arithmetic("sub"),
    "multiply": _arithmetic("mul"),
    "divide": _arithmetic("div"),
    "negate": _negate,
    "absolute": _absolute,
    "sign": _sign,
    "maximum": _maximum,
    "minimum": _minimum,
    "floor_divide": floor_divide,
    "remainder": remainder,
    "bitwise_and": _bitwise("and"),
    "bitwise_or": _bitwise("or"),
    "bitwise_xor": _bitwise("xor"),
    "bitwise_not": _bitwise_not,
    "shift_left": _shift(left=True),
    "shift_right": _shift(left=False),
    "equal": _comparison("oeq", "eq", "eq"),
    "not_equal": _comparison("une", "ne", "ne"),
    "less": _comparison("olt", "slt", "ult"),
    "less_equal": _comparison("ole", "sle", "ule"),
    "is_finite": _is_finite,
    "is_nan": _is_nan,
    "select": _select,
    "stop_gradient": _stop_gradient,
    **{name: _of_floats(function) for name, function in _ROUNDING.items()},
    **{name: _of_floats(function) for name, function in vector_math.FUNCTIONS.items()},
}

# -- cast ---------------------------------------------------------------------


def write_cast(f: Function, x: Operand, source: DType, target: DType) -> Operand:
    """x in another element type: saturating, NaN as 0 in integers, all but 0 true."""
    if source == target:
        return x
    element = element_type(target)
    if target.kind == "b":
        word = "fcmp une" if source.kind == "f" else "icmp ne"
        return f.compare(word, x, constant(x.type, 0))
    if source.kind == "f":
        if target.kind == "f":
            word = "fpext" if target.itemsize > source.itemsize else "fptrunc"
            return f.convert(word, x, element)
        return _integer_of_float(f, x, target)
    if target.kind == "f":
        return f.convert("sitofp" if source.kind == "i" else "uitofp", x, element)
    if source.kind == "b":
        return f.convert("zext", x, element)
    return _integer_of_integer(f, x, source, target)


def _limits(dtype: DType) -> tuple[int, int]:
    bits = 8 * dtype.itemsize
    return (0, 2**bits - 1) if dtype.kind == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _integer_of_integer(f: Function, x: Operand, source: DType, target: DType) -> Operand:
    (least, greatest), (own_least, own_greatest) = _limits(target), _limits(source)
    sign = "s" if source.kind == "i" else "u"
    if least > own_least:
        x = f.intrinsic(f"llvm.{sign}max", x, constant(x.type, least))
    if greatest < own_greatest:
        x = f.intrinsic(f"llvm.{sign}min", x, constant(x.type, greatest))
    if target.itemsize < source.itemsize:
        return f.convert("trunc", x, element_type(target))
    return f.convert("sext" if sign == "s" else "zext", x, element_type(target))


def _integer_of_float(f: Function, x: Operand, target: DType) -> Operand:
    least, greatest = _limits(target)
    bits, element = 8 * target.itemsize, element_type(target)
    word = "fptosi" if target.kind == "i" else "fptoui"
    # The greatest number may be no float: from the next power of two on it is put in later.
    digits = 24 if x.element == "float" else 53
    highest = (
        float(greatest)
        if bits <= digits
        else greatest + 1 - 2.0 ** (greatest.bit_length() - digits)
    )
    number = f.select(f.compare("fcmp uno", x, x), constant(x.type, 0), x)
    lowest = constant(x.type, least)
    number = f.select(f.compare("fcmp ogt", number, lowest), number, lowest)
    top = constant(x.type, highest)
    inside = f.select(f.compare("fcmp olt", number, top), number, top)
    if bits < 32:
        return f.convert("trunc", f.convert("fptosi", inside, "i32"), element)
    result = f.convert(word, inside, element)
    if bits <= digits:
        return result
    above = f.compare("fcmp oge", x, constant(x.type, greatest + 1))
    return f.select(above, constant(result.type, greatest), result)
