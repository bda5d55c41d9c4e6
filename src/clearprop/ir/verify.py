"""The rules of the language, checked: what every pass may rely on and must keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from clearprop.dtypes import SHORT_NAMES
from clearprop.errors import ClearPropError, ProgramError
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.printing import equation_text, value_names
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Equation, Value

_PLAIN = (bool, int, float, str, type(None))


def verify(program: Program) -> None:
    """Make sure that a Program, and each Program inside it, keeps the rules.

    1. No value is named as an input twice.
    2. An equation stands in it once and applies a word of the language.
    3. Each value that is read, or is an output, is an input, a leaf with numbers of its type, or
       *the* result of an equation above.
    4. The types of an equation are those that the primitive infers.
    5. Params are booleans, whole numbers, floats, text, None, dtypes, tuples of these, and, where
       the primitive is a control primitive, Programs.

    Raises:
        ProgramError: one does not; the message shows the equation.
    """
    programs = [program]
    while programs:
        programs += _verify_one(programs.pop())


def _verify_one(program: Program) -> list[Program]:
    """Check one Program; the Programs inside it."""
    known: dict[Value, None] = {}
    for value in program.inputs:
        if value in known:
            raise _broken(program, "an input is named twice", str(value), "each input once")
        known[value] = None
    inside: list[Program] = []
    results: dict[Equation, dict[int, Value]] = {}
    for equation in program.equations:
        if equation in results:
            raise _broken(program, "it stands there twice", needed="once", equation=equation)
        if REGISTRY.get(equation.primitive.name) is not equation.primitive:
            raise _broken(
                program, "no word of the language", needed="a primitive", equation=equation
            )
        for value in equation.inputs:
            if value not in known:
                _check_read(program, value, known, results, equation)
        inside += _check_params(program, equation)
        _check_types(program, equation)
        results[equation] = {}
    for value in program.outputs:
        if value not in known:
            _check_read(program, value, known, results, None)
    return inside


def _check_read(
    program: Program,
    value: Value,
    known: dict[Value, None],
    results: dict[Equation, dict[int, Value]],
    reader: Equation | None,
) -> None:
    problem = _problem(value, results)
    if problem is not None:
        what = f"a value named {value.name!r} of type {value.type}"
        raise _broken(program, problem[0], what, problem[1], reader)
    known[value] = None


def _problem(value: Value, results: dict[Equation, dict[int, Value]]) -> tuple[str, str] | None:
    """What is wrong with a value that is read for the first time, and what is needed."""
    if value.equation is None:
        if value.array is None:
            return "a placeholder is read that is no input", "the Program's own inputs"
        if value.type != TensorType.of(value.array):
            return "a leaf's numbers are of another type than the leaf", str(value.type)
        return None
    if value.equation not in results:
        return "a value is read before any equation gives it", "an equation above"
    types = value.equation.types
    if not 0 <= value.index < len(types) or types[value.index] != value.type:
        needed = f"one of {', '.join(map(str, types))}, by its index"
        return "a value is no result of its equation", needed
    if results[value.equation].setdefault(value.index, value) is not value:
        return "two values stand for one result", "one value for each result"
    return None


def _check_params(program: Program, equation: Equation) -> Iterator[Program]:
    for name, param in equation.params.items():
        stack = [param]
        while stack:
            part = stack.pop()
            if type(part) is tuple:
                stack += part
            elif isinstance(part, Program) and equation.primitive.control:
                yield part
            elif type(part) not in _PLAIN and not _is_dtype(part):
                raise _broken(
                    program,
                    f"the param {name} is of a kind that no Program may hold",
                    found=f"{part!r}, a {type(part).__name__}",
                    needed="bool, int, float, str, None, dtype or a tuple; a Program in control "
                    "primitives",
                    equation=equation,
                )


def _is_dtype(part: Any) -> bool:
    return isinstance(part, np.dtype) and part in SHORT_NAMES


def _check_types(program: Program, equation: Equation) -> None:
    try:
        inferred = equation.primitive.infer(
            *(value.type for value in equation.inputs), **equation.params
        )
    except (ClearPropError, TypeError, ValueError, LookupError) as error:
        raise _broken(
            program, "its types cannot be inferred", str(error), "valid inputs", equation
        ) from error
    types = (inferred,) if isinstance(inferred, TensorType) else inferred
    if types != equation.types:
        raise _broken(
            program,
            "it does not give the types that its primitive infers",
            found=", ".join(map(str, equation.types)),
            needed=", ".join(map(str, types)),
            equation=equation,
        )


def _broken(
    program: Program, rule: str, found: str = "", needed: str = "", equation: Equation | None = None
) -> ProgramError:
    doing = f"Verifying a Program: {rule}"
    if equation is None:
        return ProgramError(doing, found=found, needed=needed)
    text = equation_text(equation, program.results[equation], value_names(program))
    return ProgramError(
        f"{doing}\n  in:     {text}", found=found, needed=needed, at=str(equation.place)
    )
