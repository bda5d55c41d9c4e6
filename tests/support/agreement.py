"""Whether machine code gives what a Program means: one table of tolerances for all comparisons.

The native executor treats denormal numbers as zero, so a Program in which one comes up is not
compared (``UnsteadyError``).  Everything else has to agree: integers and booleans in every bit,
floats up to rounding.
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


SUMMING = {
    "dot_general", "reduce_sum", "reduce_prod", "cumulative_sum", "cumulative_product",
    "window_sum", "window_spread", "window_scatter", "scatter_add",
}  # fmt: skip


class UnsteadyError(Exception):
    """What comes out hangs on what executors may do differently: denormals, the order of sums."""


def agrees(program: Program, arrays: Sequence[Array], machine: Machine) -> None:
    """Make sure that machine code gives what a Program means.

    Raises:
        UnsteadyError: a denormal number came up.
        AssertionError: it gives something else.
    """
    wanted = _by_definition(program, arrays)
    found = Compiled(program, machine)([array.copy(order="K") for array in arrays])
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
    """What the Program means; refuses denormal numbers on the way."""
    known: dict[Value, Array] = dict(zip(program.inputs, arrays, strict=True))
    known |= {value: value.array for value in program.constants if value.array is not None}
    for array in known.values():
        _refuse_denormals(array)
    for equation in program.equations:
        inputs = [known[value] for value in equation.inputs]
        _refuse_what_hangs_on_order(equation, inputs)
        for inner in all_programs_in(equation.params):
            for value in inner.constants:
                if value.array is not None:
                    _refuse_denormals(value.array)
        results = meaning.run_equation(equation, inputs)
        for value, result in zip(program.results[equation], results, strict=True):
            _refuse_denormals(result)
            if value is not None:
                known[value] = result
    return [known[value] for value in program.outputs]


def _refuse_what_hangs_on_order(equation: Equation, inputs: Sequence[Array]) -> None:
    """Refuse sums that overflow in one order of terms and not in another.

    Convolutions are also refused if a number is not finite: machine code multiplies it with the
    zeros around and between the elements of an image, the definition leaves those products out.
    """
    name = equation.primitive.name
    floats = [array for array in inputs if array.dtype.kind == "f"]
    if name.startswith("convolution") and not all(np.isfinite(each).all() for each in floats):
        raise UnsteadyError
    if name in SUMMING or name.startswith("convolution"):
        for array in floats:
            finite = np.abs(array[np.isfinite(array)])
            if finite.max(initial=0) > np.sqrt(np.finfo(array.dtype).max) / 1e3:
                raise UnsteadyError


def _refuse_denormals(array: Array) -> None:
    if array.dtype.kind == "f":
        size = np.abs(array)
        if ((size > 0) & (size < np.finfo(array.dtype).tiny)).any():
            raise UnsteadyError
