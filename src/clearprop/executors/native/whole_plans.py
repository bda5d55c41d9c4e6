"""Plans of what is called from outside: a Program, or a loop over one."""

from __future__ import annotations

from collections.abc import Sequence

from clearprop.executors.native.homes import Buffer, Home
from clearprop.executors.native.memory import Lifetime, place
from clearprop.executors.native.plan import Plan, Preparation, Repetition
from clearprop.executors.native.planning import Surroundings, make_plan
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType


def make_call_plan(
    surroundings: Surroundings,
    program: Program,
    inputs: Sequence[Home],
    outputs: Sequence[Home],
    lasting: Sequence[Home],
) -> Plan:
    """The plan of a Program that is called again and again.

    Args:
        surroundings: what is shared.
        program: what to compute.
        inputs: where each input lies.
        outputs: where each output shall lie.
        lasting: inputs that are the same in most calls.
    """
    plan = make_plan(surroundings, program, inputs, outputs, (), lasting)
    if plan.before:
        plan.steps.insert(0, Preparation(plan.before))
        _share_arena(plan, [plan.arena, *plan.borrowed])
    return plan


def _share_arena(plan: Plan, parts: Sequence[Buffer]) -> None:
    """Give a plan an arena with room for all these parts at the same time."""
    plan.arena = Buffer("arena", place([Lifetime(part, 0, 0) for part in parts]))
    for part in parts:
        part.whole = plan.arena


def make_loop_plan(
    surroundings: Surroundings, body: Program, carry_count: int, step_count: int
) -> Plan:
    """The plan of a loop over as many rounds as there are rows, known when the code runs.

    Its inputs are (*carry, *stacked per-step inputs, *captured), its outputs (*carry, *stacked
    per-step outputs).  The carry is expected where the outputs lie, and is changed there.
    """
    stepped = carry_count + step_count
    carried = [
        Home.plain(Buffer("output", value.type.size_bytes, number), value.type)
        for number, value in enumerate(body.outputs[:carry_count])
    ]
    rows = [
        _first_row(Buffer("input", 0, carry_count + number), value.type)
        for number, value in enumerate(body.inputs[carry_count:stepped])
    ]
    captured = [
        Home.plain(Buffer("input", value.type.size_bytes, stepped + number), value.type)
        for number, value in enumerate(body.inputs[stepped:])
    ]
    reports = [
        _first_row(Buffer("output", 0, carry_count + number), value.type)
        for number, value in enumerate(body.outputs[carry_count:])
    ]
    inner = make_plan(
        surroundings,
        body,
        [*carried, *rows, *captured],
        [*([None] * carry_count), *reports],
        carried,
        captured,
    )
    plan = Plan()
    moving = [home.buffer for home in [*rows, *reports]]
    plan.steps += [*inner.before, Repetition(inner, None, reverse=False, rows=moving)]
    plan.kept, inner.kept = inner.kept, []
    _share_arena(plan, [inner.arena, *inner.borrowed])
    return plan


def _first_row(whole: Buffer, type_: TensorType) -> Home:
    """The part of a stack of arrays that one round works on."""
    buffer = Buffer("row", type_.size_bytes, 0, whole=whole, row_bytes=type_.size_bytes)
    return Home.plain(buffer, type_)
