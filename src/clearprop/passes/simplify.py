"""The same with less: each thing is computed once, and only if somebody reads it."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from clearprop.ir.program import Program, programs_in, with_programs
from clearprop.ir.value import Equation, Value
from clearprop.ir.verify import verify
from clearprop.passes.constants import spread_constants
from clearprop.passes.prune import prune_branches, prune_scans
from clearprop.passes.rewrite import Rewriter, write

_Key = tuple[Any, ...]


def simplify(program: Program) -> Program:
    """The same Program without repeated, idle and unread equations, in all Programs inside too.

    Values of outputs stay bit for bit what they were.
    """
    program = _simplified(program)
    verify(program)
    return program


def _simplified(program: Program) -> Program:
    program, before, size = _once(program), -2, -1
    # What one loop gives up, others need not give it; and those that differed in it are equal now.
    while _has_programs(program) and before != size:
        before = size
        program = _inside(prune_branches(prune_scans(_once(_merge_scans(program)))))
        size = _size(program)
    return program


def _has_programs(program: Program) -> bool:
    """Whether there are loops or choices in it; without them once is enough."""
    return any(equation.primitive.control for equation in program.equations)


def _size(program: Program) -> int:
    """How much there is to read, in the Programs inside too."""
    size = 0
    for equation in program.equations:
        size += 1 + len(equation.inputs) + len(equation.types)
        size += sum(_size(inside) for _, inside in programs_in(equation.params))
    return size


def _once(program: Program) -> Program:
    """Equal equations become one; an equation that changes nothing becomes its input."""
    rewriter = Rewriter(program)
    given = set(program.inputs)
    written: dict[_Key, Sequence[Value | None]] = {}
    for constant, spread in spread_constants(program).items():
        assert spread.equation is not None
        key = _key(spread.equation, spread.equation.inputs, given)
        (one,) = written.setdefault(key, (spread,))
        if one is not None:
            rewriter.stand_in(constant, one)
    for equation in program.equations:
        inputs = rewriter.inputs_of(equation)
        if equation.primitive.name == "reshape":
            inputs = (_before_reshape(inputs[0], given),)
        if _changes_nothing(equation, inputs):
            rewriter.replace(equation, inputs[:1])
            continue
        key = _key(equation, inputs, given)
        if key in written:
            rewriter.replace(equation, written[key])
        else:
            written[key] = rewriter.keep_on(inputs, equation)
    return rewriter.finish()


def _key(equation: Equation, inputs: tuple[Value, ...], given: Set[Value]) -> _Key:
    """The same for equations that give the same."""
    identities = tuple([
        value if value.array is None else _identity(value, given) for value in inputs
    ])
    return equation.primitive, identities, _frozen(equation)


def _before_reshape(value: Value, given: Set[Value]) -> Value:
    """What a reshape of ``value`` may read instead: a reshape before it has no effect."""
    while (
        value not in given
        and value.equation is not None
        and value.equation.primitive.name == "reshape"
    ):
        value = value.equation.inputs[0]
    return value


def _identity(value: Value, given: Set[Value]) -> Value | _Key:
    """Single constants are the same when their bits are; all else when it is the same value."""
    is_constant = value.array is not None and value.equation is None and value not in given
    if is_constant and value.array is not None and value.shape == ():
        return value.dtype, value.array.tobytes()
    return value


def _frozen(equation: Equation) -> _Key:
    params = equation.params
    return tuple([(name, _bits(params[name])) for name in sorted(params)])


def _bits(param: Any) -> _Key:
    """Equal only for equal params: True is not 1 here, and 0.0 is not -0.0."""
    if isinstance(param, tuple):
        if set(map(type, param)) <= {int}:
            return int, param
        return tuple(map(_bits, param))
    return type(param), param.hex() if isinstance(param, float) else param


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
    if not program.has("scan"):
        return program
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
    counts = params["carry_count"], params["step_count"]
    return equation.inputs, params["body"].inputs, counts, params["length"], params["reverse"]


def _extends(wide: Equation, narrow: Equation) -> bool:
    wide_outputs, outputs = wide.params["body"].outputs, narrow.params["body"].outputs
    return len(wide_outputs) >= len(outputs) and all(
        one is other for one, other in zip(wide_outputs, outputs, strict=False)
    )


def _inside(program: Program) -> Program:
    """The same with the Programs in its equations simplified."""
    if not _has_programs(program):
        return program
    rewriter = Rewriter(program)
    for equation in program.equations:
        if not any(programs_in(equation.params)):
            rewriter.keep(equation)
            continue
        params = with_programs(equation.params, _simplified)
        inputs = rewriter.inputs_of(equation)
        results = write(equation.primitive, inputs, params, equation.types, like=equation)
        rewriter.replace(equation, results)
    return rewriter.finish()
