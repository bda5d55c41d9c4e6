"""branch: the one choice of the language between whole computations.

``branch`` runs one of its bodies, Programs with the same types, and never the others:

    body inputs   operands
    body outputs  the results

(``select`` chooses between numbers that have all been computed.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from clearprop.dtypes import I64, is_float
from clearprop.errors import ArgumentError, LabelError, ProgramError, ShapeError
from clearprop.ir.meaning import run
from clearprop.ir.primitive import Gradients, Primitive
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.checks import needs_dtype
from clearprop.primitives.constants import zeros_like

Bodies = tuple[Program, ...]


def branch(index: Value, *operands: Value, bodies: Bodies) -> tuple[Value, ...]:
    """The outputs of ``bodies[index]`` for the operands.

    Args:
        index: which body runs.
        operands: what each body is given.
        bodies: Programs with inputs of the same types, and outputs of the same types.

    Shapes:
        index: () of i64, operands: as the bodies have them  ->  as the bodies have them

    Gradient:
        A branch over the bodies' gradients, each of which computes its body once more.

    Raises:
        LabelError: the index is not in 0 ... number of bodies - 1 (when it is known).
    """
    return BRANCH.apply_all(index, *operands, bodies=bodies)


def _branch_infer(
    index: TensorType, *operands: TensorType, bodies: Bodies
) -> tuple[TensorType, ...]:
    needs_dtype("branch", "the index", index, I64)
    if index.shape:
        raise ShapeError(
            "branch: the index must be one number",
            found=f"index: {index}",
            needed=str(TensorType((), I64)),
        )
    if not bodies:
        raise ArgumentError(
            "branch: there is nothing to choose from", found="no bodies", needed="one or more"
        )
    first = _types(bodies[0].outputs)
    for number, body in enumerate(bodies):
        if _types(body.inputs) != operands:
            raise ProgramError(
                f"branch: body {number} was written for other operands",
                found=_text(operands),
                needed=_text(_types(body.inputs)),
            )
        if _types(body.outputs) != first:
            raise ProgramError(
                f"branch: body {number} gives other results than body 0",
                found=_text(_types(body.outputs)),
                needed=_text(first),
                try_="cast and reshape, so that all bodies give the same types",
            )
    return first


def _types(values: Sequence[Value]) -> tuple[TensorType, ...]:
    return tuple(value.type for value in values)


def _text(types: Sequence[TensorType]) -> str:
    return ", ".join(map(str, types)) or "nothing"


def _branch_meaning(index: Array, *operands: Array, bodies: Bodies) -> tuple[Array, ...]:
    number = int(index)
    if not 0 <= number < len(bodies):
        raise LabelError(
            "branch: there is no body with this index",
            found=f"index {number} for {len(bodies)} bodies",
            needed=f"0 to {len(bodies) - 1}",
        )
    return tuple(np.asarray(array) for array in run(bodies[number], operands))


def _branch_flops(*types: TensorType, bodies: Bodies) -> int:
    """The cost of the dearest body."""
    return max(
        sum(
            equation.primitive.flops(*_types(equation.inputs), **equation.params)
            for equation in body.equations
        )
        for body in bodies
    )


def _branch_gradient(
    differentiate: Callable[..., list[Value | None]],
    wanted: Sequence[bool],
    d_outputs: Sequence[Value | None],
    outputs: Sequence[Value],
    index: Value,
    *operands: Value,
    bodies: Bodies,
) -> Gradients:
    """Choose between the bodies' gradients: what ran forward runs backward.

    A backward body is given the operands and the derivatives of the outputs.
    """
    received = [i for i, d_output in enumerate(d_outputs) if d_output is not None]
    by = [i for i, value in enumerate(operands) if wanted[i + 1] and is_float(value.dtype)]
    backward = []
    for body in bodies:
        ends = [body.outputs[i] for i in received]
        d_ends = [Value(end.type) for end in ends]
        sources = [body.inputs[i] for i in by]
        derivatives = [
            zeros_like(source) if derivative is None else derivative
            for source, derivative in zip(
                sources, differentiate(ends, d_ends, sources, body.inputs), strict=True
            )
        ]
        backward.append(Program.under(derivatives, [*body.inputs, *d_ends]))
    given = [d_output for d_output in d_outputs if d_output is not None]
    results = branch(index, *operands, *given, bodies=tuple(backward))
    d_operands: list[Value | None] = [None] * len(operands)
    for i, result in zip(by, results, strict=True):
        d_operands[i] = result
    return None, *d_operands


BRANCH = Primitive(
    "branch",
    infer=_branch_infer,
    meaning=_branch_meaning,
    gradient=_branch_gradient,
    flops=_branch_flops,
    multiple=True,
    control=True,
)
