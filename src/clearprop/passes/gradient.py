"""Reverse-mode derivatives, written down as more equations.

One pass serves everything: ``backward()`` on the user's graph, ``grad``, the training step, and
(handed down through ``scan``) the Programs inside control primitives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from clearprop.dtypes import is_float
from clearprop.ir.place import at_place
from clearprop.ir.primitive import Gradients
from clearprop.ir.program import Program, equations_under
from clearprop.ir.value import Equation, Value
from clearprop.primitives import BROADCAST_TO, SCATTER_ADD, add, scatter_add
from clearprop.primitives.constants import constant_like, zeros_like


def differentiate(
    outputs: Sequence[Value],
    d_outputs: Sequence[Value | None],
    wrt: Sequence[Value],
    given: Iterable[Value] = (),
) -> list[Value | None]:
    """The derivatives of ``sum(d_output * output)`` by each value of ``wrt``.

    Args:
        outputs: where derivatives start.
        d_outputs: what each output's derivative is; None counts as zero.
        wrt: leaves, placeholders or results in between.
        given: values whose own origin does not matter here (a Program's inputs).

    Returns:
        For each value of ``wrt`` its derivative, of the same type; None where no output
        depends on it (or on it only through whole numbers and conditions).
    """
    equations = equations_under(outputs, set(given).__contains__)
    wanted = {value for value in wrt if is_float(value.dtype)}
    active = _active_equations(equations, wanted)
    results = _results_read(equations, outputs)

    def matters(value: Value) -> bool:
        return is_float(value.dtype) and (value in wanted or value.equation in active)

    derivative_of: dict[Value, Value] = {}

    def receive(value: Value, derivative: Value) -> None:
        earlier = derivative_of.get(value)
        derivative_of[value] = derivative if earlier is None else _sum(earlier, derivative)

    for output, d_output in zip(outputs, d_outputs, strict=True):
        if d_output is not None and is_float(output.dtype):
            receive(output, d_output)
    for equation in reversed(equations):
        values = results[equation]
        derivatives = [derivative_of.get(value) for value in values]
        if equation not in active or all(derivative is None for derivative in derivatives):
            continue  # nothing wanted depends on it, or no output does
        d_inputs = _apply_rule(equation, values, derivatives, [matters(v) for v in equation.inputs])
        for value, d_input in zip(equation.inputs, d_inputs, strict=True):
            if d_input is not None and matters(value):
                with at_place(equation.place):
                    receive(value, d_input)
    return [derivative_of.get(value) if value in wanted else None for value in wrt]


def value_and_gradients(program: Program, wrt: Sequence[int]) -> Program:
    """The Program that also returns its first output's derivatives.

    Args:
        program: its first output is a single floating-point number, the loss.
        wrt: which of its inputs to differentiate by.

    Returns:
        A Program with the same inputs and the outputs ``(*program.outputs, *derivatives)``.
    """
    loss = program.outputs[0]
    values = [program.inputs[index] for index in wrt]
    derivatives = differentiate([loss], [constant_like(1, loss)], values, program.inputs)
    filled = [
        zeros_like(value) if derivative is None else derivative
        for value, derivative in zip(values, derivatives, strict=True)
    ]
    return Program.under([*program.outputs, *filled], program.inputs)


def _sum(earlier: Value, derivative: Value) -> Value:
    """Both derivatives together; what was scattered into zeros is scattered into the earlier one.

    So the derivative of a few rows of an array costs as much as those rows, not as the array:
    a loop that gathers rows of what it carries takes time in proportion to the rows.
    """
    equation = derivative.equation
    if equation is not None and equation.primitive is SCATTER_ADD:
        zeros, indices, updates = equation.inputs
        if _is_zeros(zeros):
            return scatter_add(earlier, indices, updates, axis=equation.params["axis"])
    return add(earlier, derivative)


def _is_zeros(value: Value) -> bool:
    """Whether the value is a spread of the number 0, as ``zeros_like`` makes it."""
    while value.equation is not None and value.equation.primitive is BROADCAST_TO:
        value = value.equation.inputs[0]
    array = value.array
    if array is None or value.equation is not None:
        return False
    is_spread = all(stride == 0 for stride in array.strides)
    return is_spread and array.size > 0 and not array[(0,) * array.ndim]


def _active_equations(equations: Sequence[Equation], wanted: set[Value]) -> set[Equation]:
    """Those that a wanted value reaches, by floats alone."""
    active: set[Equation] = set()
    for equation in equations:
        floats = [value for value in equation.inputs if is_float(value.dtype)]
        if any(value in wanted or value.equation in active for value in floats):
            active.add(equation)
    return active


def _results_read(
    equations: Sequence[Equation], outputs: Sequence[Value]
) -> dict[Equation, list[Value]]:
    """For each equation all of its results, also those that nobody reads."""
    read: dict[Equation, dict[int, Value]] = {equation: {} for equation in equations}
    for value in [*(v for equation in equations for v in equation.inputs), *outputs]:
        if value.equation in read:
            read[value.equation][value.index] = value
    return {
        equation: [
            values[index] if index in values else equation.result(index)
            for index in range(len(equation.types))
        ]
        for equation, values in read.items()
    }


def _apply_rule(
    equation: Equation,
    outputs: Sequence[Value],
    d_outputs: Sequence[Value | None],
    wanted: Sequence[bool],
) -> Gradients:
    primitive = equation.primitive
    rule = primitive.gradient
    if rule is None:
        return (None,) * len(equation.inputs)
    with at_place(equation.place):
        if primitive.control:
            return rule(
                differentiate, wanted, d_outputs, outputs, *equation.inputs, **equation.params
            )
        if primitive.multiple:
            return rule(tuple(d_outputs), tuple(outputs), *equation.inputs, **equation.params)
        return rule(d_outputs[0], outputs[0], *equation.inputs, **equation.params)
