"""Numbers as keys: integers without a sign that are in the same order.

NaN is the greatest key, and all NaN are equal; so are 0 and -0.
"""

from __future__ import annotations

from clearprop.dtypes import DType
from clearprop.executors.native.llvm.registers import Operand, constant
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics.elementwise import memory_type


def key_type(dtype: DType) -> str:
    """The LLVM type of the keys of numbers of some type: ``i32``."""
    return f"i{8 * dtype.itemsize}"


def write_key(f: Function, x: Operand, dtype: DType, *, descending: bool = False) -> Operand:
    """The keys of some numbers, or keys in the opposite order."""
    element = key_type(dtype)
    if dtype.kind == "f":
        key = _float_key(f, x, element)
    elif dtype.kind == "i":
        key = flipped(f, x)
    else:
        key = f.convert("zext", x, element)
    return f.binary("xor", key, constant(key.type, -1)) if descending else key


def flipped(f: Function, key: Operand) -> Operand:
    """Keys without a sign as keys with a sign, and back."""
    return f.binary("xor", key, constant(key.type, _sign_bit(key)))


def _float_key(f: Function, x: Operand, element: str) -> Operand:
    # Adding 0 makes -0 to 0.  Negative floats have their bits in the opposite order.
    x = f.binary("fadd", x, constant(x.type, 0))
    bits = f.convert("bitcast", x, element)
    is_negative = f.compare("icmp slt", bits, constant(bits.type, 0))
    turned = f.binary("xor", bits, constant(bits.type, -1))
    key = f.select(is_negative, turned, flipped(f, bits))
    return f.select(f.compare("fcmp uno", x, x), constant(bits.type, -1), key)


def write_number(f: Function, key: Operand, dtype: DType) -> Operand:
    """The numbers of some keys."""
    if dtype.kind == "b":
        return f.compare("icmp ne", key, constant(key.type, 0))
    if dtype.kind == "u":
        return key
    bits = flipped(f, key)
    if dtype.kind == "i":
        return bits
    was_negative = f.compare("icmp sge", key, constant(key.type, 0))
    turned = f.binary("xor", key, constant(key.type, -1))
    chosen = f.select(was_negative, turned, bits)
    return f.convert("bitcast", chosen, memory_type(dtype))


def _sign_bit(key: Operand) -> int:
    return -(1 << (int(key.element[1:]) - 1))
