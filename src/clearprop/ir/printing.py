"""A Program as text, in the words of its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from clearprop.dtypes import SHORT_NAMES
from clearprop.ir.program import Program, programs_in
from clearprop.ir.value import Equation, Value, repeats_one

Names = Mapping[Value, str]
_INDENT = "  "


def program_text(program: Program, *, places: bool = False) -> str:
    """The Program, one equation per line, with its Programs inside indented below.

    Values have their own names where they have one, else ``v0``, ``v1``, ...; constants ``c0``,
    ``c1``, ...; constants of one number, once or many times, stand where they are read; ``_`` is
    read by nobody.

    Args:
        program: what to print; one that breaks the rules is printed too.
        places: whether each equation tells the user's line and the layer that it comes from.
    """
    lines = list(_lines(program, ""))
    width = max(len(text) for text, _ in lines) if places else 0
    return "\n".join(
        f"{text.ljust(width)}  # {place}" if places and place else text for text, place in lines
    )


def value_names(program: Program) -> dict[Value, str]:
    """What each value of the Program is called in its text."""
    names: dict[Value, str] = {}
    taken = {"_"}
    for value in program.inputs:
        _give_name(value, "v", names, taken)
    for value in program.leaves:
        if _is_inline(value):
            assert value.array is not None
            names.setdefault(value, str(value.array[(0,) * value.array.ndim]))
        else:
            _give_name(value, "c", names, taken)
    for results in program.results.values():
        for result in results:
            if result is not None:
                _give_name(result, "v", names, taken)
    return names


def equation_text(equation: Equation, results: Iterable[Value | None], names: Names) -> str:
    """``v3: f32[5] = multiply v1 v2``: one equation without the Programs inside it.

    Args:
        equation: what to print.
        results: the values it gives, None for those that nobody reads.
        names: what values are called; ``?`` where they have no name.
    """
    outputs = ", ".join(
        f"{'_' if value is None else names.get(value, '?')}: {type_}"
        for value, type_ in zip(results, equation.types, strict=True)
    )
    inputs = [names.get(value, f"?{value.name}") for value in equation.inputs]
    params = [
        f"{name}={_param_text(value)}"
        for name, value in equation.params.items()
        if not any(programs_in({name: value}))
    ]
    return f"{outputs} = " + " ".join([equation.primitive.name, *inputs, *params])


def _is_inline(value: Value) -> bool:
    is_number = value.array is not None and (value.shape == () or repeats_one(value.array))
    return is_number and not value.name


def _give_name(value: Value, letter: str, names: dict[Value, str], taken: set[str]) -> None:
    if value in names:
        return
    base = value.name.replace(" ", "_")
    name, number = base, 0
    while not name or name in taken:
        name = f"{base}_{number + 1}" if base else f"{letter}{number}"
        number += 1
    taken.add(name)
    names[value] = name


def _lines(program: Program, indent: str, title: str = "program") -> Iterator[tuple[str, str]]:
    """The lines, each with the place that it comes from."""
    names = value_names(program)
    inputs = ", ".join(f"{names[value]}: {value.type}" for value in program.inputs)
    yield f"{indent}{title}({inputs}):", ""
    indent += _INDENT
    for value in program.leaves:
        if not _is_inline(value):
            kind = "placeholder" if value.is_placeholder else "constant"
            yield f"{indent}{names[value]}: {value.type} = {kind}", ""
    for equation in program.equations:
        text = equation_text(equation, program.results[equation], names)
        yield indent + text, str(equation.place)
        for name, inside in programs_in(equation.params):
            yield from _lines(inside, indent + _INDENT, f"{name} = program")
    outputs = ", ".join(names.get(value, "?") for value in program.outputs)
    yield f"{indent}return {outputs}".rstrip(), ""


def _param_text(param: Any) -> str:
    if isinstance(param, np.dtype):
        return SHORT_NAMES.get(param, param.name)
    if isinstance(param, tuple):
        inside = ", ".join(map(_param_text, param))
        return f"({inside},)" if len(param) == 1 else f"({inside})"
    return repr(param)
