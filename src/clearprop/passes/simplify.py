"""The same with less: each thing is computed once, and only if somebody reads it."""

from __future__ import annotations

from typing import Any

from clearprop.ir.program import Program
from clearprop.ir.value import Equation, Value
from clearprop.ir.verify import verify
from clearprop.passes.constants import spread_constants
from clearprop.passes.prune import prune_scans
from clearprop.passes.rewrite import Rewriter, write

_Key = tuple[Any, ...]


def simplify(program: Program) -> Program:
    """The same Program without repeated, idle and unread equations, in all Programs inside too.

    Values of outputs stay bit for bit what they were.
    """
    program = _once(_merge_scans(spread_constants(program)))
    program = prune_scans(program)
    program = _inside(program)
    verify(program)
    return program


def _once(program: Program) -> Program:
    """Equal equations become one; an equation that changes nothing becomes its input."""
    rewriter = Rewriter(program)
    written: dict[_Key, tuple[Value, ...]] = {}
    for equation in program.equations:
        inputs = rewriter.inputs_of(equation)
        if equation.primitive.name == "reshape":
            inputs = (_before_reshape(inputs[0]),)
        if _changes_nothing(equation, inputs):
            rewriter.replace(equation, inputs[:1])
            continue
        key = (equation.primitive, tuple(map(_identity, inputs)), _frozen(equation))
        if key not in written:
            written[key] = write(
                equation.primitive, inputs, equation.params, equation.types, like=equation
            )
        rewriter.replace(equation, written[key])
    return rewriter.finish()


def _before_reshape(value: Value) -> Value:
    """What a reshape of ``value`` may read instead: a reshape before it has no effect."""
    while value.equation is not None and value.equation.primitive.name == "reshape":
        value = value.equation.inputs[0]
    return value


def _identity(value: Value) -> _Key:
    """Single numbers are the same when their bits are; all else when it is the same value."""
    if value.array is not None and value.equation is None and value.shape == ():
        return value.dtype, value.array.tobytes()
    return (value,)


def _frozen(equation: Equation) -> _Key:
    return tuple(sorted(equation.params.items(), key=lambda item: item[0]))


def _changes_nothing(equation: Equation, inputs: tuple[Value, ...]) -> bool:
    match equation.primitive.name:
        case "reshape" | "cast" | "broadcast_to":
            return equation.types[0] == inputs[0].type
        case "transpose":
            order = equation.params["order"]
            return bool(order == tuple(range(len(order))))
        case "stop_gradient":
            return True  # derivatives have been taken when Programs are simplified
    return False


def _merge_scans(program: Program) -> Program:
    """A scan whose outputs another scan over the same inputs gives too becomes that one.

    The gradient of a scan runs the forward body a second time, with more outputs; here the two
    become one.
    """
    rewriter = Rewriter(program)
    widest: dict[_Key, Equation] = {}
    for equation in program.equations:
        if equation.primitive.name == "scan":
            key = _scan_key(equation)
            other = widest.get(key)
            if other is None or _extends(equation, other):
                widest[key] = equation
    written: dict[_Key, tuple[Value, ...]] = {}
    for equation in program.equations:
        if equation.primitive.name != "scan":
            rewriter.keep(equation)
            continue
        key = _scan_key(equation)
        wide = widest[key]
        if not _extends(wide, equation):
            rewriter.keep(equation)
            continue
        if key not in written:
            inputs = rewriter.inputs_of(equation)
            written[key] = write(wide.primitive, inputs, wide.params, wide.types, like=equation)
        rewriter.replace(equation, written[key][: len(equation.types)])
    return rewriter.finish()


def _scan_key(equation: Equation) -> _Key:
    params = equation.params
    return equation.inputs, params["body"].inputs, params["length"], params["reverse"]


def _extends(wide: Equation, narrow: Equation) -> bool:
    wide_outputs, outputs = wide.params["body"].outputs, narrow.params["body"].outputs
    return len(wide_outputs) >= len(outputs) and all(
        one is other for one, other in zip(wide_outputs, outputs, strict=False)
    )


def _inside(program: Program) -> Program:
    """The same with the Programs in its equations simplified."""
    rewriter = Rewriter(program)
    for equation in program.equations:
        params = {
            name: simplify(param) if isinstance(param, Program) else param
            for name, param in equation.params.items()
        }
        if params == dict(equation.params):
            rewriter.keep(equation)
        else:
            inputs = rewriter.inputs_of(equation)
            results = write(equation.primitive, inputs, params, equation.types, like=equation)
            rewriter.replace(equation, results)
    return rewriter.finish()
