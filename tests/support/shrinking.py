"""A random Program that shows a mistake, made small while it still shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from clearprop.ir.meaning import run
from clearprop.ir.program import Program
from clearprop.ir.value import Array, Value
from tests.support.random_programs import RandomProgram

T = TypeVar("T")
Check = Callable[[RandomProgram], None]


def shrink(found: RandomProgram, fails: Callable[[RandomProgram], bool]) -> RandomProgram:
    """A Program that still ``fails``, of which nothing more can be left out.

    Left out are outputs, equations that nobody reads, equations whose results can be inputs with
    the numbers that they have, equations whose inputs can be outputs, and inputs that nobody reads.
    """
    while True:
        smaller = next((each for each in _smaller(found) if fails(each)), None)
        if smaller is None:
            return found
        found = smaller


def fails_like(check: Check, error: BaseException) -> Callable[[RandomProgram], bool]:
    """Whether the check fails on a Program with an error of the same class."""

    def fails(random: RandomProgram) -> bool:
        try:
            check(random)
        except type(error):
            return True
        except Exception:  # another mistake than the one that is looked at
            return False
        return False

    return fails


def _smaller(found: RandomProgram) -> Iterator[RandomProgram]:
    program, arrays = found
    outputs, inputs = program.outputs, program.inputs
    if len(outputs) > 1:
        for output in outputs:
            yield RandomProgram(Program(inputs, program.equations, [output]), arrays)
        for i in range(len(outputs)):
            others = _without(outputs, i)
            yield RandomProgram(Program(inputs, program.equations, others), arrays)
    needed = Program.under(outputs, inputs)
    if len(needed.equations) < len(program.equations):
        yield RandomProgram(needed, arrays)
    for number, results in enumerate(program.results.values()):
        values = [value for value in results if value is not None]
        rest = _without(program.equations, number)
        numbers = _numbers(found, values)
        if numbers is not None:
            yield RandomProgram(Program([*inputs, *values], rest, outputs), [*arrays, *numbers])
    read = {value for equation in program.equations for value in equation.inputs}
    for number, (equation, results) in enumerate(program.results.items()):
        sources = [value for value in equation.inputs if value.equation is not None]
        others = [value for value in outputs if value not in results]
        if read.isdisjoint(results) and (others or sources):
            rest = _without(program.equations, number)
            yield RandomProgram(Program(inputs, rest, [*others, *sources]), arrays)
    read |= {*outputs}
    kept = [i for i, value in enumerate(inputs) if value in read]
    if len(kept) < len(inputs):
        fewer = Program([inputs[i] for i in kept], program.equations, outputs)
        yield RandomProgram(fewer, [arrays[i] for i in kept])


def _without(items: Sequence[T], number: int) -> list[T]:
    return [*items[:number], *items[number + 1 :]]


def _numbers(found: RandomProgram, values: Sequence[Value]) -> list[Array] | None:
    """What the values are when the Program runs, if it can."""
    program, arrays = found
    try:
        wanted = Program(program.inputs, program.equations, values)
        return [array.copy() for array in run(wanted, [array.copy() for array in arrays])]
    except Exception:  # that it cannot run is what is being looked at
        return None
