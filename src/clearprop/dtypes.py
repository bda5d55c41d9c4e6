"""Element types: their names, and what comes out when two of them meet.

ClearProp uses NumPy's dtypes and gives them short names in print: ``f32[32, 784]``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from clearprop.errors import DTypeError
from clearprop.text import did_you_mean

DType = np.dtype[Any]

F32, F64 = np.dtype(np.float32), np.dtype(np.float64)
I8, I16, I32, I64 = (np.dtype(t) for t in (np.int8, np.int16, np.int32, np.int64))
U8, U16, U32, U64 = (np.dtype(t) for t in (np.uint8, np.uint16, np.uint32, np.uint64))
BOOL = np.dtype(np.bool_)

SHORT_NAMES: dict[DType, str] = {
    F32: "f32", F64: "f64",
    I8: "i8", I16: "i16", I32: "i32", I64: "i64",
    U8: "u8", U16: "u16", U32: "u32", U64: "u64",
    BOOL: "bool",
}  # fmt: skip
_BY_NAME = {short: dtype for dtype, short in SHORT_NAMES.items()} | {
    dtype.name: dtype for dtype in SHORT_NAMES
}


def as_dtype(spec: object) -> DType:
    """The dtype that ``"float32"``, ``"f32"``, ``np.float32`` or a dtype names.

    Raises:
        DTypeError: ClearProp has no such element type.
    """
    if isinstance(spec, str) and spec in _BY_NAME:
        return _BY_NAME[spec]
    try:
        dtype = np.dtype(spec).newbyteorder("=")  # type: ignore[call-overload]
    except (TypeError, ValueError, SyntaxError):
        dtype = None
    if dtype in SHORT_NAMES and spec is not None:
        return dtype  # type: ignore[no-any-return]
    raise DTypeError(
        f"Choosing an element type: {spec!r} is not one that ClearProp knows",
        found=f"{spec!r}" + did_you_mean(str(spec), _BY_NAME),
        needed=", ".join(dtype.name for dtype in SHORT_NAMES),
    )


def short_name(dtype: DType) -> str:
    """``f32`` for float32."""
    return SHORT_NAMES[dtype]


def is_float(dtype: DType) -> bool:
    """Whether numbers of this type have derivatives."""
    return dtype.kind == "f"


def is_integer(dtype: DType) -> bool:
    """Whether this is a signed or unsigned whole-number type."""
    return dtype.kind in "iu"


def promote(first: DType, second: DType) -> DType:
    """The type of the result when arrays of two types meet.

    Equal types stay; a boolean gives way to a number; an integer gives way to a float and
    takes *its* width (i64 with f32 is f32); of two floats or two integers the wider wins, and
    signed with unsigned is the narrowest signed type that holds both (u8 with i8 is i16), i64
    where none does.
    """
    if first == second:
        return first
    for one, other in ((first, second), (second, first)):
        if one.kind == "b":
            return other
        if one.kind == "f" and other.kind in "iu":
            return one
    if {first, second} <= {I64, U64}:
        return I64
    if first.kind != second.kind and U64 in {first, second}:
        return I64
    return np.result_type(first, second)
