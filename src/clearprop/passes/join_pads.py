"""Sums of arrays that stand beside one another between zeros: joined instead of added.

The gradient of slices is such a sum: each part of the whole receives its own derivative.  A
concatenation moves every number once; the sum fills and reads the whole for each part.

A number plus zero is that number, but -0 + 0 is 0: where the sign of zeros counts, this pass must
not be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clearprop.ir.program import Program
from clearprop.ir.value import Equation, Value
from clearprop.passes.rewrite import Rewriter, write
from clearprop.primitives.shape import CONCATENATE


class _Part(NamedTuple):
    """A part of a whole: an array, and where it begins on the axis."""

    start: int
    x: Value


def join_pads(program: Program) -> Program:
    """The same Program, up to the signs of zeros, with sums of padded arrays as concatenations."""
    readers: dict[Value, int] = {}
    for value in [v for e in program.equations for v in e.inputs] + list(program.outputs):
        readers[value] = readers.get(value, 0) + 1
    inner = {
        value
        for equation in program.equations
        if equation.primitive.name == "add"
        for value in equation.inputs
        if value.equation is not None
        and value.equation.primitive.name == "add"
        and readers[value] == 1
    }
    rewriter = Rewriter(program)
    for equation in program.equations:
        joined = None
        if equation.primitive.name == "add" and program.results[equation][0] not in inner:
            joined = _joined(equation, inner)
        if joined is None:
            rewriter.keep(equation)
            continue
        axis, parts = joined
        inputs = [rewriter.new(part.x) for part in parts]
        written = write(CONCATENATE, inputs, {"axis": axis}, equation.types, like=equation)
        rewriter.replace(equation, written)
    return rewriter.finish()


def _joined(equation: Equation, inner: set[Value]) -> tuple[int, list[_Part]] | None:
    """The axis and the parts of a sum that is a concatenation; None if it is none."""
    pads: list[Equation] = []
    stack: list[Value] = list(equation.inputs)
    while stack:
        value = stack.pop()
        source = value.equation
        if source is None:
            return None
        if value in inner:
            stack += source.inputs
        elif source.primitive.name == "pad" and _is_between_zeros(source):
            pads.append(source)
        else:
            return None
    axes = {axis for pad in pads for axis in _padded_axes(pad)}
    if len(axes) != 1:
        return None
    (axis,) = axes
    parts = sorted(
        (_Part(pad.params["low"][axis], pad.inputs[0]) for pad in pads), key=lambda p: p.start
    )
    return (axis, parts) if _covers(parts, axis, equation.types[0].shape[axis]) else None


def _is_between_zeros(pad: Equation) -> bool:
    filler = pad.inputs[1].array
    return filler is not None and not filler.any() and not any(pad.params["interior"])


def _padded_axes(pad: Equation) -> Sequence[int]:
    pairs = zip(pad.params["low"], pad.params["high"], strict=True)
    return [axis for axis, pair in enumerate(pairs) if any(pair)]


def _covers(parts: Sequence[_Part], axis: int, length: int) -> bool:
    """Whether the parts follow one another without gaps, from the first place to the last."""
    stop = 0
    for part in parts:
        if part.start != stop:
            return False
        stop += part.x.shape[axis]
    return stop == length
