"""Orders of a Program's equations that do the same with less copying."""

from __future__ import annotations

from clearprop.ir.program import Program
from clearprop.ir.value import Equation, Value


def overwriting_last(program: Program) -> list[Equation]:
    """The equations in an order in which an array is overwritten after all its other readers.

    An equation such as ``dynamic_update`` may write into its first input when nobody reads that
    any more; so its other readers go first, wherever they do not need its result.
    """
    equations = list(program.equations)
    for overwriting in [e for e in equations if e.primitive.overwrite is not None]:
        start = equations.index(overwriting)
        source = overwriting.inputs[0]
        readers = [
            number for number in range(start + 1, len(equations))
            if _reads(equations[number], source)
        ]  # fmt: skip
        if readers:
            segment = equations[start : readers[-1] + 1]
            equations[start : readers[-1] + 1] = _independent_first(segment)
    return equations


def _reads(equation: Equation, source: Value) -> bool:
    return any(value is source for value in equation.inputs)


def _independent_first(segment: list[Equation]) -> list[Equation]:
    """Those that do not need the first equation's results, then it and those that do."""
    dependent = {segment[0]}
    for equation in segment[1:]:
        if any(value.equation in dependent for value in equation.inputs):
            dependent.add(equation)
    return [e for e in segment if e not in dependent] + [e for e in segment if e in dependent]
