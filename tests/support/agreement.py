"""Whether machine code gives what a Program means: one table of tolerances for all comparisons.

The native executor treats denormal numbers as zero, so a Program in which one comes up is not
compared, nor one with a sum that may overflow or not, by its order (``UnsteadyError``).  Everything
else has to agree: integers and booleans in every bit, floats up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clearprop.dtypes import F32, F64
from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.llvm.machine import Machine
from clearprop.ir import meaning
from clearprop.ir.program import Program
from clearprop.ir.value import Array, Equation, Value
from tests.support.random_control import all_programs_in

# Of the greatest finite number of an array: what cancels keeps the rounding errors of what it
# came from.
TOLERANCES = {F32: 2e-5, F64: 1e-12}


# Words that add up; below this, no sum of products comes near the largest number.
_SUMS = frozenset({
    *("dot_general", "convolution", "convolution_input_gradient", "convolution_kernel_gradient"),
    *("reduce_sum", "cumulative_sum", "scatter_add"),
    *("window_sum", "window_spread", "window_scatter"),
})
_SMALL = 1e9


class UnsteadyError(Exception):
    """A denormal number came up, or a sum beyond the largest: executors treat them differently."""


def agrees(program: Program, arrays: Sequence[Array], machine: Machine) -> None:
    """Make sure that machine code gives what a Program means.

    Raises:
        UnsteadyError: a denormal number came up, or a sum that may overflow or not.
        AssertionError: it gives something else.
    """
    all_agree(program, [arrays], machine)


def all_agree(program: Program, calls: Sequence[Sequence[Array]], machine: Machine) -> None:
    """The same for several calls, compiled once."""
    wanted = [_by_definition(program, arrays) for arrays in calls]
    compiled = Compiled(program, machine)
    for arrays, results in zip(calls, wanted, strict=True):
        _compare(program, compiled([array.copy(order="K") for array in arrays]), results)


def _compare(program: Program, found: Sequence[Array], wanted: Sequence[Array]) -> None:
    for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        told = f"output {number}: {program.outputs[number].type}"
        if other.dtype.kind != "f":
            np.testing.assert_array_equal(one, other, told)
            continue
        tolerance = TOLERANCES[other.dtype]
        finite = np.abs(other[np.isfinite(other)])
        greatest = float(finite.max(initial=0)) if finite.size else 0.0
        np.testing.assert_allclose(
            one, other, rtol=tolerance, atol=tolerance * max(greatest, 1e-3), err_msg=told
        )


def _by_definition(program: Program, arrays: Sequence[Array]) -> list[Array]:
    """What the Program means; refuses on the way what executors treat differently."""
    known: dict[Value, Array] = dict(zip(program.inputs, arrays, strict=True))
    known |= {value: value.array for value in program.constants if value.array is not None}
    for array in known.values():
        _refuse_denormals(array)
    for equation in program.equations:
        inputs = [known[value] for value in equation.inputs]
        for inner in all_programs_in(equation.params):
            for value in inner.constants:
                if value.array is not None:
                    _refuse_denormals(value.array)
        _refuse_overflow(equation, inputs)
        results = meaning.run_equation(equation, inputs)
        for value, result in zip(program.results[equation], results, strict=True):
            _refuse_denormals(result)
            if value is not None:
                known[value] = result
    return [known[value] for value in program.outputs]


def _refuse_denormals(array: Array) -> None:
    if array.dtype.kind == "f":
        size = np.abs(array)
        if ((size > 0) & (size < np.finfo(array.dtype).tiny)).any():
            raise UnsteadyError


def _refuse_overflow(equation: Equation, inputs: Sequence[Array]) -> None:
    """Refuse sums with terms of both signs whose magnitudes add up to more than fits."""
    floats = [array for array in inputs if array.dtype.kind == "f"]
    if equation.primitive.name not in _SUMS or all((array >= 0).all() for array in floats):
        return
    sizes = [
        np.abs(np.where(np.isfinite(array), array, 0)) if array.dtype.kind == "f" else array
        for array in inputs
    ]
    if all((array <= _SMALL).all() for array in sizes if array.dtype.kind == "f"):
        return
    for result in meaning.run_equation(equation, sizes):
        if not np.isfinite(result).all():
            raise UnsteadyError
