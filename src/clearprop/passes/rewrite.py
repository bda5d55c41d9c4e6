"""Saying a Program again with changes: what all passes that replace equations share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_
from types import MappingProxyType
from typing import Any

from clearprop.ir.primitive import Primitive
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Equation, Value


class Rewriter:
    """A Program in the making, equation by equation, from an old one.

    Attributes:
        old: the Program that is said again.
    """

    def __init__(self, old: Program) -> None:
        self.old = old
        self._new: dict[Value, Value] = {}

    def new(self, value: Value) -> Value:
        """What stands for a value of the old Program."""
        return self._new.get(value, value)

    def inputs_of(self, equation: Equation) -> tuple[Value, ...]:
        """What an old equation reads, in new values."""
        return tuple([self._new.get(value, value) for value in equation.inputs])

    def replace(self, equation: Equation, results: Sequence[Value | None]) -> None:
        """From here on the results of the old ``equation`` are these new values."""
        for old, new in zip(self.old.results[equation], results, strict=True):
            if old is not None and new is not None:
                self._new[old] = new

    def stand_in(self, old: Value, new: Value) -> None:
        """From here on the old value is this new one."""
        self._new[old] = new

    def keep(self, equation: Equation) -> Sequence[Value | None]:
        """Write an old equation on new inputs, and return its new results.

        Where nothing has changed, and its results are plain values already, it is the old one.
        """
        return self.keep_on(self.inputs_of(equation), equation)

    def keep_on(self, inputs: Sequence[Value], equation: Equation) -> Sequence[Value | None]:
        """The same on inputs that have been found already."""
        results = self.old.results[equation]
        if all(map(is_, inputs, equation.inputs)) and _are_plain(results):
            return results
        new = write(equation.primitive, inputs, equation.params, equation.types, like=equation)
        self.replace(equation, new)
        return new

    def finish(self) -> Program:
        """The new Program: what the outputs still need."""
        return Program.under([self.new(value) for value in self.old.outputs], self.old.inputs)


def _are_plain(results: Sequence[Value | None]) -> bool:
    """Whether those of the results that are read are Values and nothing more."""
    return all(value is None or type(value) is Value for value in results)


def write(
    primitive: Primitive,
    inputs: Sequence[Value],
    params: Mapping[str, Any],
    types: tuple[TensorType, ...],
    *,
    like: Equation,
) -> tuple[Value, ...]:
    """New plain values from an equation at the place of ``like``."""
    if not isinstance(params, MappingProxyType):
        params = MappingProxyType(dict(params))
    equation = Equation(primitive, tuple(inputs), params, types, like.place)
    results = Value.results(equation)
    equation.remember(results)
    return results
