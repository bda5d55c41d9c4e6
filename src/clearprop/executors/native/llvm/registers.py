"""What instructions work on: numbers, vectors and addresses, and how LLVM writes their types."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

INTEGER = "i64"
POINTER = "ptr"


class Operand(NamedTuple):
    """A number, vector or address while the code runs.

    Attributes:
        type: its LLVM type: ``float``, ``<16 x float>``, ``i64``, ``ptr``.
        text: how instructions name it.
        level: in how many loops it stands: 0 is known to the whole function.
    """

    type: str
    text: str
    level: int = 0

    @property
    def lanes(self) -> int:
        """How many numbers it holds: 1 if it is no vector."""
        return split_type(self.type)[0]

    @property
    def element(self) -> str:
        """The type of one of its numbers."""
        return split_type(self.type)[1]


@cache
def split_type(type_: str) -> tuple[int, str]:
    """Lanes and element of an LLVM type: 16 and ``float`` for ``<16 x float>``."""
    if not type_.startswith("<"):
        return 1, type_
    lanes, element = type_[1:-1].split(" x ")
    return int(lanes), element


def vector_type(element: str, lanes: int) -> str:
    """``<16 x float>``; the element itself for one lane."""
    return element if lanes == 1 else f"<{lanes} x {element}>"


def suffix(type_: str) -> str:
    """How the names of intrinsics call a type: ``v16f32`` for ``<16 x float>``."""
    lanes, element = split_type(type_)
    short = {"float": "f32", "double": "f64", "ptr": "p0"}.get(element, element)
    return short if lanes == 1 else f"v{lanes}{short}"


def number_text(element: str, number: float | int | bool) -> str:
    """A number as LLVM writes it: floats by the bits of the double that they are."""
    if element == "float":
        (single,) = struct.unpack("<f", _single_bytes(float(number)))
        return _double_text(single)
    if element == "double":
        return _double_text(float(number))
    return str(int(number))


def _single_bytes(number: float) -> bytes:
    try:
        return struct.pack("<f", number)
    except OverflowError:
        return struct.pack("<f", float("inf") if number > 0 else float("-inf"))


def _double_text(number: float) -> str:
    (bits,) = struct.unpack("<Q", struct.pack("<d", number))
    return f"0x{bits:016X}"


def constant(type_: str, number: float | int | bool) -> Operand:
    """The same number in every lane of ``type_``."""
    lanes, element = split_type(type_)
    text = number_text(element, number)
    return Operand(type_, text if lanes == 1 else f"splat ({element} {text})")


def integer(number: int) -> Operand:
    """A whole number for addresses and counts."""
    return Operand(INTEGER, str(number))


def constant_vector(element: str, numbers: Sequence[float | int]) -> Operand:
    """A vector of these numbers; a single one for one number."""
    if len(numbers) == 1:
        return constant(element, numbers[0])
    text = ", ".join(f"{element} {number_text(element, number)}" for number in numbers)
    return Operand(vector_type(element, len(numbers)), f"<{text}>")


def size_of(element: str) -> int:
    """Bytes that one element takes in memory."""
    return {"float": 4, "double": 8, "ptr": 8, "i1": 1}.get(element) or int(element[1:]) // 8
