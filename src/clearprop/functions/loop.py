"""scan for people: a Python function of one step becomes the body of a loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from clearprop import tree
from clearprop.errors import ArgumentError, ShapeError, TraceError
from clearprop.functions.capture import captured_by, refuse_updates
from clearprop.functions.trace import as_tensor, as_tensors, placeholders
from clearprop.ir.place import here
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.primitives import control
from clearprop.tensor.parameter import Trace
from clearprop.tensor.tensor import Tensor


def scan(
    body: Callable[[Any, Any], tuple[Any, Any]],
    carry: Any,
    xs: Any = None,
    *,
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """A loop whose every step is the same Program: ``carry, y = body(carry, x)`` for each row x.

    Args:
        body: function of (carry, one row of each of ``xs``) that returns (carry, outputs); it is
            called once, to be traced, and may use Tensors and parameters from outside.
        carry: Tensors (or a nest of them) that each step hands to the next.
        xs: arrays (or a nest of them) whose first axis is the step.
        length: number of steps; needed only without ``xs``.
        reverse: whether to run from the last row to the first; outputs keep their rows.

    Shapes:
        xs: (length, ...) each.  Returns (carry, outputs); outputs are (length, ...) each.

    Raises:
        ShapeError: lengths differ, or the carry changes its shape or dtype.

    Example:
        >>> import clearprop as cp
        >>> total, partial = cp.scan(lambda c, x: (c + x, c + x), 0.0, cp.tensor([1.0, 2.0, 3.0]))
        >>> partial.tolist()
        [1.0, 3.0, 6.0]
    """
    carry_leaves, carry_structure = tree.flatten(as_tensors(carry))
    rows, row_structure = tree.flatten(as_tensors(xs))
    length = _length(rows, length)
    row_types = [TensorType(value.shape[1:], value.dtype) for value in rows]
    inputs = placeholders([*(value.type for value in carry_leaves), *row_types])
    carry_inputs, row_inputs = inputs[: len(carry_leaves)], inputs[len(carry_leaves) :]
    with Trace().active() as trace:
        result = body(
            tree.unflatten(carry_structure, carry_inputs),
            tree.unflatten(row_structure, row_inputs),
        )
    needed = "values that change from step to step in the carry"
    refuse_updates(trace, "scan", "loop", needed=needed)
    if not (isinstance(result, tuple) and len(result) == 2):
        raise TraceError(
            "scan: the body must return a pair",
            found=f"{type(result).__name__}",
            needed="(carry, outputs), e.g. return carry, None",
            at=str(here()),
        )
    new_carry, new_structure = tree.flatten(result[0])
    _check_carry(carry_leaves, carry_structure, new_carry, new_structure)
    outputs, output_structure = tree.flatten(result[1])
    body_outputs = [as_tensor(value) for value in [*new_carry, *outputs]]
    captured = captured_by(body_outputs, inputs)
    program = Program.under(body_outputs, [*inputs, *captured])
    count = len(carry_leaves)
    twins = _twins(program, count) if length else {}
    kept = [number for number in range(count) if number not in twins]
    program = Program.under(
        [value for n, value in enumerate(program.outputs) if n not in twins],
        [value for n, value in enumerate(program.inputs) if n not in twins],
    )
    first = [carry_leaves[number] for number in kept]
    results = control.scan(program, first, rows, captured, length=length, reverse=reverse)
    last = dict(zip(kept, results, strict=False))
    last |= {number: last[other] for number, other in twins.items()}
    return (
        tree.unflatten(carry_structure, [last[number] for number in range(count)]),
        tree.unflatten(output_structure, results[len(kept) :]),
    )


def _twins(body: Program, count: int) -> dict[int, int]:
    """Carries that no step reads and that are the same as an earlier one after every step."""
    read = {value for equation in body.equations for value in equation.inputs} | set(body.outputs)
    first: dict[Value, int] = {}
    found = {}
    for number in range(count):
        other = first.setdefault(body.outputs[number], number)
        if other != number and body.inputs[number] not in read:
            found[number] = other
    return found


def _length(rows: Sequence[Tensor], length: int | None) -> int:
    lengths = {value.shape[0] if value.shape else None for value in rows}
    if length is not None:
        if not isinstance(length, (int, np.integer)) or length < 0:
            raise ArgumentError(
                "scan: the number of steps is a whole number", found=f"length={length!r}",
                needed="0 or more", at=str(here()),
            )  # fmt: skip
        lengths.add(int(length))
    if len(lengths) == 1 and None not in lengths:
        return next(iter(lengths))  # type: ignore[return-value]
    if not lengths:
        raise ArgumentError(
            "scan: how many steps?", found="neither xs nor length", needed="one of them",
            at=str(here()),
        )  # fmt: skip
    raise ShapeError(
        "scan: all per-step inputs need the same first axis, the step",
        found=", ".join(str(value.type) for value in rows) + f", length={length}",
        needed="one row for each step",
        at=str(here()),
    )


def _check_carry(
    before: Sequence[Tensor],
    structure: tree.Structure,
    after: Sequence[Any],
    new_structure: tree.Structure,
) -> None:
    found = [as_tensor(value).type for value in after]
    needed = [value.type for value in before]
    if structure != new_structure or found != needed:
        raise ShapeError(
            "scan: the body must return the carry in the form it got it",
            found=", ".join(map(str, found)) or "nothing",
            needed=", ".join(map(str, needed)) or "nothing",
            try_="start with a carry of the shape and dtype that the body returns",
            at=str(here()),
        )
