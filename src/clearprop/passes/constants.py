"""Constants that are one number, many times, become that number and a broadcast."""

from __future__ import annotations

from clearprop.ir.program import Program
from clearprop.ir.value import Value, repeats_one
from clearprop.primitives import broadcast_to


def spread_constants(program: Program) -> dict[Value, Value]:
    """For each constant that repeats a single element, that element and a broadcast.

    While a function is traced, ``x + 1`` computes the spread of its plain number at once, as a
    view that repeats it.  Executors rather see the number.
    """
    spread: dict[Value, Value] = {}
    for value in program.constants:
        array = value.array
        if array is not None and repeats_one(array):
            number = Value.leaf(array[(0,) * array.ndim].reshape(()))
            axes = tuple(range(array.ndim))
            spread[value] = broadcast_to(number, shape=array.shape, new_axes=axes)
    return spread
