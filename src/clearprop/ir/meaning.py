"""What a Program means: its equations' NumPy meanings, one after the other.

This loop is the definition that every executor is compared with.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from clearprop.errors import ClearPropError
from clearprop.ir.ordering import overwriting_last
from clearprop.ir.program import Program
from clearprop.ir.value import Array, Equation, Value


class _Step(NamedTuple):
    meaning: Callable[..., Any]
    params: Mapping[str, Any]
    reads: tuple[int, ...]
    writes: tuple[int, ...]  # one slot for each result; the last slot of all takes unread ones
    multiple: bool
    frees: tuple[int, ...]  # slots whose last reader this is
    overwrite: Callable[..., Any] | None  # instead of the meaning, if nobody else holds its array
    equation: Equation


class _Listing(NamedTuple):
    """A Program with a numbered slot for each value."""

    slot_count: int
    constants: tuple[tuple[int, Array], ...]
    steps: tuple[_Step, ...]
    outputs: tuple[int, ...]


_listings: WeakKeyDictionary[Program, _Listing] = WeakKeyDictionary()


def run(program: Program, arrays: Sequence[Array]) -> list[Array]:
    """The Program's outputs for these inputs; each value is freed after its last reader."""
    return run_consuming(program, list(arrays))


def run_consuming(program: Program, slots: list[Any]) -> list[Array]:
    """The Program's outputs; ``slots`` holds the input arrays and is used up.

    An input array that nobody but the list holds may be written into, so that a loop that
    changes a few rows of what it carries does not copy the rest.
    """
    listing = _listings.get(program)
    if listing is None:
        listing = _listings[program] = _list(program)
    slots += [None] * (listing.slot_count - len(slots))
    for slot, array in listing.constants:
        slots[slot] = array
    with np.errstate(all="ignore"):
        for meaning, params, reads, writes, multiple, frees, overwrite, equation in listing.steps:
            if overwrite is not None and _is_alone(slots, reads[0]):
                meaning = overwrite
            try:
                result = meaning(*[slots[slot] for slot in reads], **params)
            except ClearPropError as error:
                error.at = error.at or str(equation.place)
                raise
            if multiple:
                for number, slot in enumerate(writes):
                    slots[slot] = result[number]
            else:
                slots[writes[0]] = result
            del result  # the slots alone hold what was computed
            for slot in frees:
                slots[slot] = None
    return [np.asarray(slots[slot]) for slot in listing.outputs]


def _holders(slots: list[Any], slot: int) -> int:
    """How often the array in the slot is referred to, this function's own look included."""
    array = slots[slot]
    return sys.getrefcount(array)


_ALONE = _holders([np.empty(1)], 0)


def _is_alone(slots: list[Any], slot: int) -> bool:
    """Whether the slot holds the only reference to an array with memory of its own."""
    if _holders(slots, slot) != _ALONE:
        return False
    array = slots[slot]
    return isinstance(array, np.ndarray) and array.base is None and array.flags.writeable


def run_equation(equation: Equation, arrays: Sequence[Array]) -> tuple[Array, ...]:
    """The results of one equation for these inputs."""
    with np.errstate(all="ignore"):
        try:
            result = equation.primitive.meaning(*arrays, **equation.params)
        except ClearPropError as error:
            error.at = error.at or str(equation.place)
            raise
    results = result if equation.primitive.multiple else (result,)
    return tuple(map(np.asarray, results))


def _list(program: Program) -> _Listing:
    program.check_closed()
    slot_of: dict[Value, int] = {value: slot for slot, value in enumerate(program.inputs)}
    constants = []
    for slot, value in enumerate(program.constants, start=len(program.inputs)):
        slot_of[value] = slot
        constants.append((slot, value.array))
    count = len(program.inputs) + len(constants)
    for results in program.results.values():
        for result in results:
            if result is not None:
                slot_of[result] = count
                count += 1
    unread = count
    kept = {slot_of[value] for value in program.outputs}
    last_reader: dict[int, int] = {}
    equations = overwriting_last(program)
    for number, equation in enumerate(equations):
        for value in equation.inputs:
            last_reader[slot_of[value]] = number
    steps = []
    for number, equation in enumerate(equations):
        reads = tuple(slot_of[value] for value in equation.inputs)
        writes = tuple(
            unread if value is None else slot_of[value] for value in program.results[equation]
        )
        frees = {slot for slot in reads if last_reader[slot] == number} - kept
        frees |= {unread} & {*writes}
        primitive = equation.primitive
        is_last = reads != () and reads[0] in frees and reads.count(reads[0]) == 1
        steps.append(
            _Step(
                primitive.meaning,
                equation.params,
                reads,
                writes,
                primitive.multiple,
                tuple(sorted(frees)),
                primitive.overwrite if is_last else None,
                equation,
            )
        )
    outputs = tuple(slot_of[value] for value in program.outputs)
    return _Listing(count + 1, tuple(constants), tuple(steps), outputs)  # type: ignore[arg-type]


class NonFinite(NamedTuple):
    """An equation whose result holds NaN or infinity although its inputs do not."""

    equation: Equation
    array: Array


def first_nonfinite(program: Program, arrays: Sequence[Array]) -> NonFinite | None:
    """The first equation of the Program that makes NaN or infinity out of finite numbers."""
    known = dict(zip(program.inputs, arrays, strict=True))
    known |= {value: value.array for value in program.constants if value.array is not None}
    for equation in program.equations:
        inputs = [known[value] for value in equation.inputs]
        results = run_equation(equation, inputs)
        for value, result in zip(program.results[equation], results, strict=True):
            if value is not None:
                known[value] = result
            is_bad = result.dtype.kind == "f" and not np.isfinite(result).all()
            if is_bad and all(np.isfinite(x).all() for x in inputs if x.dtype.kind == "f"):
                return NonFinite(equation, result)
    return None
