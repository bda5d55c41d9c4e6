"""A Program said again on other inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clearprop.ir.place import at_place
from clearprop.ir.program import Program
from clearprop.ir.value import Equation, Value


def inline(program: Program, inputs: Sequence[Value]) -> list[Value]:
    """The Program's outputs as new equations on ``inputs``, of their class."""
    return substitute(program, dict(zip(program.inputs, inputs, strict=True)))


def substitute(program: Program, value_of: Mapping[Value, Value]) -> list[Value]:
    """The Program's outputs with some of its values replaced, written down anew.

    Equations that no replaced value reaches are kept as they are.
    """
    new: dict[Value, Value] = dict(value_of)
    written: dict[Equation, tuple[Value, ...]] = {}
    for equation in program.equations:
        inputs = [new.get(value, value) for value in equation.inputs]
        if all(new_value is old for new_value, old in zip(inputs, equation.inputs, strict=True)):
            continue
        with at_place(equation.place):
            written[equation] = equation.primitive.apply_all(*inputs, **equation.params)
        for value in program.results[equation]:
            if value is not None:
                new[value] = written[equation][value.index]
    return [new.get(value, value) for value in program.outputs]
