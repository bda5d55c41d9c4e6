"""From a cell to what a loop repeats: the part for all steps at once, and the part of each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clearprop import ops
from clearprop.ir.value import Value
from clearprop.layers.recurrent.cell import RecurrentCell
from clearprop.layers.recurrent.stacked import StackedRNNCells, output_size

Step = Callable[[Value, Any], tuple[Value, Any]]


def steps_of(cell: Any, inputs: Value, training: bool) -> tuple[Value, Step]:
    """What is computed for all steps together, and a function (row of that, states) of one step.

    Dropout is drawn here, once for all steps.

    Shapes:
        inputs: (steps, batch, features)  ->  (steps, batch, ...)
    """
    if isinstance(cell, RecurrentCell):
        noise = cell.draw_noise(inputs.shape[1:], training)
        return cell.project(inputs, noise), lambda row, states: cell.step(row, states, noise)
    if isinstance(cell, StackedRNNCells):
        rows, first = steps_of(cell.cells[0], inputs, training)
        others = []
        for below, above in zip(cell.cells, cell.cells[1:], strict=False):
            shape = (inputs.shape[1], output_size(below))
            others.append(_whole_step(above, shape, training))

        def step(row: Value, states: Any) -> tuple[Value, Any]:
            output, new = first(row, states[0])
            after = [new]
            for one, before in zip(others, states[1:], strict=True):
                output, new = one(output, before)
                after.append(new)
            return output, after

        return rows, step
    return inputs, lambda row, states: cell(row, states, training=training)


def _whole_step(cell: Any, shape: tuple[int, int], training: bool) -> Step:
    """A function (input, states) of one step."""
    if not isinstance(cell, RecurrentCell):
        return lambda x, states: cell(x, states, training=training)
    noise = cell.draw_noise(shape, training)
    return lambda x, states: cell.step(cell.project(x, noise), states, noise)


def zero_states(cell: Any, batch: int) -> list[Any]:
    """The states before the first step, in the nest that the cell takes.

    Shapes:
        (batch, length of the state) each
    """
    own = getattr(cell, "get_initial_state", None)
    if own is not None:
        states = own(batch_size=batch)
    elif isinstance(cell, StackedRNNCells):
        states = [zero_states(each, batch) for each in cell.cells]
    else:
        sizes = cell.state_size
        sizes = [sizes] if isinstance(sizes, int) else sizes
        states = [ops.zeros((batch, size), cell.dtype) for size in sizes]
    return list(states) if isinstance(states, (list, tuple)) else [states]
