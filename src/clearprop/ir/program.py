"""Programs: the nodes under some outputs, in the order they can be computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from clearprop.errors import TraceError
from clearprop.ir.value import Equation, Value


class Program:
    """A whole computation: inputs, equations in order, outputs.

    It is a list of the graph's own nodes, so making one copies nothing.  A value that is named
    as an input counts as given here, wherever else it may come from.  Leaves that the equations
    read are the Program's constants.

    Attributes:
        inputs: the values a caller supplies.
        equations: in an order in which each reads only what stands before it.
        outputs: the values a caller gets.
    """

    def __init__(
        self, inputs: Sequence[Value], equations: Sequence[Equation], outputs: Sequence[Value]
    ) -> None:
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        self.equations = tuple(equations)

    @classmethod
    def under(cls, outputs: Sequence[Value], inputs: Sequence[Value]) -> Program:
        """The Program that computes ``outputs`` from ``inputs``: only what they need."""
        return cls(inputs, equations_under(outputs, set(inputs).__contains__), outputs)

    def check_closed(self) -> None:
        """Make sure that everything it reads is an input, a constant or a result.

        Raises:
            TraceError: it reads a placeholder of another computation.
        """
        for value in self.leaves:
            if value.is_placeholder:
                raise TraceError(
                    "Listing a Program: a value belongs to another, finished computation",
                    found=f"a placeholder {value.name} of type {value.type}",
                    needed="one of this computation's own inputs",
                    try_="return it from the function it was made in, or pass it as an argument",
                )

    def __str__(self) -> str:
        from clearprop.ir.printing import program_text

        return program_text(self)

    @cached_property
    def leaves(self) -> tuple[Value, ...]:
        """Values that the equations and outputs read and that nothing in the Program gives."""
        known = set(self.inputs)
        found: dict[Value, None] = {}
        for value in [*self._reads(), *self.outputs]:
            if value.equation is None and value not in known:
                found[value] = None
        return tuple(found)

    @property
    def constants(self) -> tuple[Value, ...]:
        """The leaves with numbers of their own."""
        return tuple(value for value in self.leaves if value.array is not None)

    @cached_property
    def results(self) -> dict[Equation, tuple[Value | None, ...]]:
        """For each equation the values of it that anybody reads (None where nobody does)."""
        read: dict[Equation, list[Value | None]] = {
            equation: [None] * len(equation.types) for equation in self.equations
        }
        known = set(self.inputs)
        for value in [*self._reads(), *self.outputs]:
            if value.equation in read and value not in known:
                values = read[value.equation]
                if 0 <= value.index < len(values):  # else `verify` has something to say
                    values[value.index] = value
        return {equation: tuple(values) for equation, values in read.items()}

    def has(self, name: str) -> bool:
        """Whether there is an equation of the primitive of this name."""
        return any(equation.primitive.name == name for equation in self.equations)

    def _reads(self) -> Iterable[Value]:
        for equation in self.equations:
            yield from equation.inputs


def equations_under(outputs: Iterable[Value], is_given: Callable[[Value], bool]) -> list[Equation]:
    """The equations that ``outputs`` need, each after those it reads.

    Args:
        outputs: where to start.
        is_given: tells the values that count as known; nothing below them is visited.
    """
    ordered: dict[Equation, None] = {}
    seen: set[Equation] = set()

    def unseen(values: Sequence[Value]) -> list[Equation]:
        return [
            value.equation
            for value in reversed(values)
            if value.equation is not None and value.equation not in seen and not is_given(value)
        ]

    stack = unseen(list(outputs))
    # Each equation is met twice: first to visit what it reads, then to be written down.
    while stack:
        equation = stack[-1]
        if equation in seen:
            ordered[stack.pop()] = None
        else:
            seen.add(equation)
            stack += unseen(equation.inputs)
    return list(ordered)


def programs_in(params: Mapping[str, Any]) -> Iterator[tuple[str, Program]]:
    """The Programs that an equation's params hold, and what each is called there.

    Yields:
        ``("body", program)``, or ``("bodies[0]", program)`` for one in a tuple.
    """
    for name, param in params.items():
        if isinstance(param, Program):
            yield name, param
        elif isinstance(param, tuple):
            for number, part in enumerate(param):
                if isinstance(part, Program):
                    yield f"{name}[{number}]", part


def with_programs(
    params: Mapping[str, Any], change: Callable[[Program], Program]
) -> dict[str, Any]:
    """The params with each of their Programs changed."""

    def changed(param: Any) -> Any:
        if isinstance(param, tuple):
            return tuple(map(changed, param))
        return change(param) if isinstance(param, Program) else param

    return {name: changed(param) for name, param in params.items()}
