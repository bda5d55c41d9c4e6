"""Sums of products that a loop carries along: one long product after the loop.

The gradient of a weight that every step of a recurrence uses is such a sum: each step adds the
product of what came in and what came back.  All steps together are one contraction that also sums
over the steps; it is done faster, and nothing is carried.

    scan: total = total + dot_general(x, y)    ->    first total + dot_general(all x, all y)

The terms are added in another order.
"""

from __future__ import annotations

from typing import NamedTuple

from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Equation, Value
from clearprop.passes.rewrite import Rewriter, write
from clearprop.primitives.arithmetic import ADD
from clearprop.primitives.contraction import DOT_GENERAL


class _Sum(NamedTuple):
    """A carry that only adds up products: its number, and the product of a step."""

    carry: int
    product: Equation


def sum_after_loops(program: Program) -> Program:
    """The same Program, up to rounding, with sums of products taken out of its scans."""
    rewriter = Rewriter(program)
    for equation in program.equations:
        sums = _sums(equation) if equation.primitive.name == "scan" else []
        if sums:
            _take_out(rewriter, equation, sums)
        else:
            rewriter.keep(equation)
    return rewriter.finish()


def _sums(equation: Equation) -> list[_Sum]:
    body, count = equation.params["body"], equation.params["carry_count"]
    readers: dict[Value, int] = {}
    for value in [v for e in body.equations for v in e.inputs] + list(body.outputs):
        readers[value] = readers.get(value, 0) + 1
    found = []
    for number in range(count):
        before, after = body.inputs[number], body.outputs[number]
        source = after.equation
        if source is None or source.primitive.name != "add" or readers.get(before) != 1:
            continue
        if readers[after] != 1 or not any(each is before for each in source.inputs):
            continue
        others = [each for each in source.inputs if each is not before]
        if len(others) != 1 or others[0].equation is None or readers[others[0]] != 1:
            continue
        product = others[0].equation
        if product.primitive.name == "dot_general" and others[0] not in set(body.inputs):
            found.append(_Sum(number, product))
    return found


def _take_out(rewriter: Rewriter, equation: Equation, sums: list[_Sum]) -> None:
    """Write the scan without these carries, and their sums after it."""
    params = equation.params
    body, count, length = params["body"], params["carry_count"], params["length"]
    stepped = count + params["step_count"]
    gone = {each.carry for each in sums}
    kept = [number for number in range(len(body.inputs)) if number not in gone]
    factors = list(dict.fromkeys(value for each in sums for value in each.product.inputs))
    rows = {value: count + n for n, value in enumerate(body.inputs[count:stepped])}
    outputs = [value for n, value in enumerate(body.outputs) if n not in gone]
    told = {value: n for n, value in enumerate(outputs) if n >= count - len(gone)}
    stacked = [value for value in factors if value not in rows and value not in told]
    new_body = Program.under([*outputs, *stacked], [body.inputs[n] for n in kept])
    old_inputs = rewriter.inputs_of(equation)
    types = [type_ for n, type_ in enumerate(equation.types) if n not in gone]
    types += [TensorType((length, *value.shape), value.dtype) for value in stacked]
    written = write(
        equation.primitive,
        [old_inputs[n] for n in kept],
        dict(params) | {"body": new_body, "carry_count": count - len(gone)},
        tuple(types),
        like=equation,
    )
    everything = {value: old_inputs[n] for value, n in rows.items()}
    everything |= {value: written[n] for value, n in told.items()}
    everything |= dict(zip(stacked, written[len(outputs) :], strict=True))
    following = iter(written)
    totals = {each.carry: _total(each, everything, old_inputs[each.carry]) for each in sums}
    results = [totals[n] if n in gone else next(following) for n in range(len(equation.types))]
    rewriter.replace(equation, results)


def _total(each: _Sum, everything: dict[Value, Value], first: Value) -> Value:
    """The first total and the product over all steps."""
    product = each.product
    x, y = (everything[value] for value in product.inputs)
    (x_axes, y_axes), (x_batch, y_batch) = product.params["contract"], product.params["batch"]
    params = {
        "contract": ((0, *_after(x_axes)), (0, *_after(y_axes))),
        "batch": (_after(x_batch), _after(y_batch)),
    }
    (sum_,) = write(DOT_GENERAL, (x, y), params, product.types, like=product)
    (total,) = write(ADD, (first, sum_), {}, product.types, like=product)
    return total


def _after(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The same axes of arrays that have one more axis in front."""
    return tuple(axis + 1 for axis in axes)
