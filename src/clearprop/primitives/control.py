"""scan: the one loop of the language.

``scan`` runs its body, a Program, once per step:

    body inputs   (*carry, *per_step_inputs[step], *captured)
    body outputs  (*carry, *per_step_outputs)

and gives ``(*last carry, *stacked per_step_outputs)``.  Recurrent layers are scans over time;
training is a scan over mini-batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from clearprop.dtypes import is_float
from clearprop.errors import ProgramError, ShapeError
from clearprop.ir.meaning import run_consuming
from clearprop.ir.primitive import Gradients, Primitive
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Equation, Value
from clearprop.primitives.arithmetic import add
from clearprop.primitives.constants import zeros_like

# Results that cost nothing to compute again are not saved for the gradient; their inputs are.
_CHEAP = {"broadcast_to", "reshape", "transpose", "cast", "slice", "stop_gradient"}


def scan(
    body: Program,
    carry: Sequence[Value],
    per_step: Sequence[Value],
    captured: Sequence[Value] = (),
    *,
    length: int,
    reverse: bool = False,
) -> tuple[Value, ...]:
    """The last carry and the stacked outputs of running ``body`` ``length`` times.

    Args:
        body: the Program of one step (see the top of this file).
        carry: what each step hands to the next.
        per_step: arrays whose first axis is the step.
        captured: values that all steps read.
        length: number of steps.
        reverse: whether steps run from the last to the first; rows keep their places.

    Shapes:
        carry: as the body has them.  per_step: (length, *shape in the body).
        Outputs: the carry's shapes, then (length, *shape in the body) each.

    Gradient:
        A scan in the opposite direction over saved values.
    """
    return SCAN.apply_all(
        *carry,
        *per_step,
        *captured,
        body=body,
        carry_count=len(carry),
        step_count=len(per_step),
        length=length,
        reverse=reverse,
    )


def _scan_infer(
    *types: TensorType,
    body: Program,
    carry_count: int,
    step_count: int,
    length: int,
    reverse: bool,
) -> tuple[TensorType, ...]:
    stacked = types[carry_count : carry_count + step_count]
    for type_ in stacked:
        if not type_.shape or type_.shape[0] != length:
            raise ShapeError(
                "scan: a per-step input must have one row for each step",
                found=f"{type_}",
                needed=f"a first axis of length {length}",
            )
    rows = tuple(TensorType(type_.shape[1:], type_.dtype) for type_ in stacked)
    given = types[:carry_count] + rows + types[carry_count + step_count :]
    wanted = tuple(value.type for value in body.inputs)
    if given != wanted:
        raise ProgramError(
            "scan: the body was written for other inputs",
            found=", ".join(map(str, given)),
            needed=", ".join(map(str, wanted)),
        )
    results = tuple(value.type for value in body.outputs)
    for before, after in zip(types[:carry_count], results[:carry_count], strict=True):
        if before != after:
            raise ShapeError(
                "scan: the carry must keep its type from step to step",
                found=f"{before} goes in, {after} comes out",
                needed=f"{before}",
                try_="give the first carry the shape and dtype that the body returns",
            )
    return results[:carry_count] + tuple(
        TensorType((length, *type_.shape), type_.dtype) for type_ in results[carry_count:]
    )


def _scan_meaning(
    *arrays: Array,
    body: Program,
    carry_count: int,
    step_count: int,
    length: int,
    reverse: bool,
) -> tuple[Array, ...]:
    carry = list(arrays[:carry_count])
    per_step = arrays[carry_count : carry_count + step_count]
    captured = arrays[carry_count + step_count :]
    stacked = [
        np.empty((length, *value.shape), value.dtype) for value in body.outputs[carry_count:]
    ]
    for step in reversed(range(length)) if reverse else range(length):
        slots = [*carry, *(array[step, ...] for array in per_step), *captured]
        carry = results = []  # the body alone holds its carry now, and may write into it
        results = run_consuming(body, slots)
        carry = results[:carry_count]
        for rows, row in zip(stacked, results[carry_count:], strict=True):
            rows[step] = row
    return (*carry, *stacked)


def _scan_flops(
    *types: TensorType,
    body: Program,
    carry_count: int,
    step_count: int,
    length: int,
    reverse: bool,
) -> int:
    return length * sum(
        equation.primitive.flops(*(value.type for value in equation.inputs), **equation.params)
        for equation in body.equations
    )


def _scan_gradient(
    differentiate: Callable[..., list[Value | None]],
    wanted: Sequence[bool],
    d_outputs: Sequence[Value | None],
    outputs: Sequence[Value],
    *inputs: Value,
    body: Program,
    carry_count: int,
    step_count: int,
    length: int,
    reverse: bool,
) -> Gradients:
    """Run the body's gradient from the last step to the first.

    The backward body carries d_carry and, for each captured input, the sum of its derivatives so
    far; its per-step inputs are the derivatives of the stacked outputs and the values of the
    forward body that it reads, which a second forward scan saves.  (A pass merges the two forward
    scans: the second computes all that the first does.)
    """
    first_captured = carry_count + step_count
    carried = [i for i in range(carry_count) if is_float(body.inputs[i].dtype)]
    stacked = [i for i in range(carry_count, len(body.outputs)) if d_outputs[i] is not None]
    stepped = [i for i in range(carry_count, first_captured) if wanted[i]]
    summed = [i for i in range(first_captured, len(inputs)) if wanted[i]]
    backward_body, saved = _backward_body(
        differentiate, body, carry_count, _Parts(carried, stacked, stepped, summed)
    )
    saving_body = Program.under([*body.outputs, *saved], body.inputs)
    first, last = inputs[:carry_count], inputs[first_captured:]
    rows = inputs[carry_count:first_captured]
    stacks = scan(saving_body, first, rows, last, length=length, reverse=reverse)
    d_last = [_or_zeros(d_outputs[i], outputs[i]) for i in carried]
    zero_sums = [zeros_like(inputs[i]) for i in summed]
    d_stacks = [d for d in d_outputs[carry_count:] if d is not None]
    results = scan(
        backward_body,
        [*d_last, *zero_sums],
        [*d_stacks, *stacks[len(body.outputs) :], *rows],
        last,
        length=length,
        reverse=not reverse,
    )
    d_inputs: list[Value | None] = [None] * len(inputs)
    for i, result in zip([*carried, *summed, *stepped], results, strict=True):
        d_inputs[i] = result
    return tuple(d_inputs)


class _Parts(NamedTuple):
    """Numbers of the body's inputs and outputs that take part in the backward scan."""

    carried: list[int]  # floating-point carries
    stacked: list[int]  # per-step outputs with a derivative
    stepped: list[int]  # per-step inputs whose derivative is wanted
    summed: list[int]  # captured inputs whose derivative is wanted


def _backward_body(
    differentiate: Callable[..., list[Value | None]], body: Program, carry_count: int, parts: _Parts
) -> tuple[Program, list[Value]]:
    """The Program of one backward step, and the forward values that it reads.

    Inputs (*d_carry, *sums so far, *d_per_step_outputs, *forward values, *per-step inputs,
    *captured); outputs (*d_carry, *sums, *d_per_step_inputs).
    """
    ends = [body.outputs[i] for i in [*parts.carried, *parts.stacked]]
    d_ends = [Value(end.type) for end in ends]
    by = [*parts.carried, *parts.stepped, *parts.summed]
    d_inputs = differentiate(ends, d_ends, [body.inputs[i] for i in by], body.inputs)
    derivative = {
        i: zeros_like(body.inputs[i]) if d_input is None else d_input
        for i, d_input in zip(by, d_inputs, strict=True)
    }
    sums = [Value(body.inputs[i].type) for i in parts.summed]
    targets = [
        *(derivative[i] for i in parts.carried),
        *(add(total, derivative[i]) for total, i in zip(sums, parts.summed, strict=True)),
        *(derivative[i] for i in parts.stepped),
    ]
    saved = _values_to_save(body, targets, body.inputs[:carry_count])
    carry_end = len(parts.carried)
    given = [*d_ends[:carry_end], *sums, *d_ends[carry_end:], *saved, *body.inputs[carry_count:]]
    return Program.under(targets, given), saved


def _values_to_save(body: Program, targets: Sequence[Value], carry: Sequence[Value]) -> list[Value]:
    """The forward values that computing ``targets`` reads, besides what every step is given."""
    forward = set(body.equations)
    given, carried = set(body.inputs), set(carry)
    saved: dict[Value, None] = {}
    seen: set[Equation] = set()
    stack = list(reversed(targets))
    while stack:
        value = stack.pop()
        equation = value.equation
        if value in given:
            if value in carried:
                saved[value] = None
        elif equation is None or equation in seen:
            continue
        elif equation in forward and equation.primitive.name not in _CHEAP:
            saved[value] = None
        else:
            seen.add(equation)
            stack += reversed(equation.inputs)
    return list(saved)


def _or_zeros(derivative: Value | None, value: Value) -> Value:
    return zeros_like(value) if derivative is None else derivative


SCAN = Primitive(
    "scan",
    infer=_scan_infer,
    meaning=_scan_meaning,
    gradient=_scan_gradient,
    flops=_scan_flops,
    multiple=True,
    control=True,
)
