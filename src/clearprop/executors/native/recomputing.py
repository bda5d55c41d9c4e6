"""Values that are computed again wherever they are read, because to store them would cost more.

An array beyond the caches takes longer to write and read than a subtraction takes.  Where a value
is cheap to make of one other array of its size, its later readers read that one instead: batch
normalization reads what the convolution gave in all its passes, and stores none of the steps
between.
"""

from __future__ import annotations

from collections.abc import Mapping

from clearprop.executors.native.groups import MAPS, REDUCTIONS, SOURCES
from clearprop.executors.native.kernels.affine import VIEWS
from clearprop.ir.program import Program
from clearprop.ir.value import Equation, Value

_CHEAP = frozenset({"add", "subtract", "multiply", "negate", "maximum", "minimum"})
_LEAST_BYTES = 1 << 18  # smaller ones stay in the caches
_SMALL = 8  # times as few elements: that is read at no cost
_MOST_READ = 2  # arrays of its size, to make what is only summed
_MOST_STEPS = 4  # from one that is stored


def recomputed_values(program: Program) -> frozenset[Value]:
    """The values of a Program that are not stored, but computed again by all their readers."""
    readers: dict[Value, list[Equation]] = {}
    for equation in program.equations:
        for each in dict.fromkeys(equation.inputs):
            readers.setdefault(each, []).append(equation)
    phases = _phases(program)
    known = {*program.inputs, *program.outputs}
    steps: dict[Value, int] = {}  # for each that is computed again, from one that is stored
    for equation in program.equations:
        value = program.results[equation][0]
        if value is None or value in known or value.type.size_bytes < _LEAST_BYTES:
            continue
        own = readers.get(value, [])
        if equation.primitive.name not in _CHEAP or not all(map(_reads_elements, own)):
            continue
        is_read_later = any(phases[each] > phases[equation] for each in own)
        is_summed = len(own) == 1 and _is_barrier(own[0])
        large = [each for each in dict.fromkeys(equation.inputs) if not _is_small(each, value)]
        if not all(each.type == value.type and _lies(each) for each in large):
            continue
        count = 1 + max((steps.get(each, 0) for each in large), default=0)
        is_easy = len(large) <= (_MOST_READ if is_summed else 1) and count <= _MOST_STEPS
        if is_easy and (is_read_later or is_summed):
            steps[value] = count
    return frozenset(steps)


def _phases(program: Program) -> Mapping[Equation, int]:
    """For each equation how many barriers, at most, one after the other come before it."""
    phases: dict[Equation, int] = {}
    for equation in program.equations:
        phases[equation] = max(
            (
                phases[each.equation] + _is_barrier(each.equation)
                for each in equation.inputs
                if each.equation in phases
            ),
            default=0,
        )
    return phases


def _is_barrier(equation: Equation) -> bool:
    """Whether what follows needs all of an array, and cannot be computed in the same walk."""
    name = equation.primitive.name
    if name in REDUCTIONS:
        axes = equation.params.get("axes", (equation.params.get("axis"),))
        return 0 in axes  # over all rows
    return name not in MAPS | VIEWS | SOURCES


def _reads_elements(equation: Equation) -> bool:
    return equation.primitive.name in MAPS | REDUCTIONS


def _is_small(value: Value, result: Value) -> bool:
    """Whether reading it costs nothing beside an array of the size of ``result``."""
    while value.equation is not None and value.equation.primitive.name in VIEWS:
        (value,) = value.equation.inputs
    return _SMALL * value.type.size <= result.type.size


def _lies(value: Value) -> bool:
    return value.equation is None or value.equation.primitive.name not in VIEWS | SOURCES
