"""From a Program to code that can run: out of the cache, or written and compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from clearprop.executors.native import cache
from clearprop.executors.native.blueprint import Blueprint, packed, unpacked
from clearprop.executors.native.control import (
    ALONE,
    COUNTED,
    TOGETHER,
    Table,
    kept_bytes,
    kernels_in,
    slot_bytes,
    write_run,
)
from clearprop.executors.native.costs import estimated_seconds, pays, round_seconds
from clearprop.executors.native.homes import Buffer, Home
from clearprop.executors.native.keys import Identity, identify, places_of
from clearprop.executors.native.llvm.code import Code, object_code
from clearprop.executors.native.llvm.machine import Machine
from clearprop.executors.native.llvm.module import Module
from clearprop.executors.native.memory import check_capacity
from clearprop.executors.native.plan import Plan
from clearprop.executors.native.planning import Surroundings
from clearprop.executors.native.whole_plans import make_call_plan, make_loop_plan
from clearprop.ir.program import Program
from clearprop.ir.value import Array


@dataclass(frozen=True, eq=False)
class Order:
    """What code is wanted.

    Attributes:
        program: what it computes; for a loop, the body of one round.
        machine: for which processor.
        loop: for a loop, how many values it carries and how many inputs have a row for each round.
        threads: how many there are.
        counts: whether it counts the cycles that each kernel takes, on one thread.
        together: whether several threads work together; None: where that pays.
        lasting: how many of the last inputs are the same in most calls.
    """

    program: Program
    machine: Machine
    loop: tuple[int, int] | None
    threads: int
    counts: bool
    together: bool | None
    lasting: int = 0


class Draft(NamedTuple):
    """What has been planned and written, but not compiled.

    Attributes:
        plan: what is run.
        text: the code in LLVM IR.
        blueprint: what the run needs to know, but for the constants.
        constants: arrays that the code reads.
    """

    plan: Plan
    text: str
    blueprint: Blueprint
    constants: list[Array]


class Built(NamedTuple):
    """Code in this process, ready to run.

    Attributes:
        code: the machine code.
        blueprint: what the run needs to know.
        constants: arrays that the code reads.
        draft: what it was compiled from; None where it was in the cache.
    """

    code: Code
    blueprint: Blueprint
    constants: list[Array]
    draft: Draft | None


def build(order: Order) -> Built:
    """The code that was ordered: from the cache if it is there, else compiled and kept there.

    Raises:
        CapacityError: it would need more memory than there is.
    """
    options = (order.loop, order.threads, order.counts, order.together, order.lasting)
    identity = identify(order.program, order.machine, *options)
    known = _known(order, identity)
    if known is not None:
        return known
    draft = draw(order)
    _check_capacity(draft.blueprint, order)
    image = object_code(draft.text, order.machine)
    code = Code(image, (draft.blueprint.function,))
    places = places_of(draft.constants, identity.arrays)
    if identity.key is not None and places is not None:
        fields = {**vars(draft.blueprint), "constants": places}
        cache.store(identity.key, packed(Blueprint(**fields), image))
    return Built(code, draft.blueprint, draft.constants, draft)


def _known(order: Order, identity: Identity) -> Built | None:
    entry = None if identity.key is None else cache.load(identity.key)
    found = None if entry is None else unpacked(entry)
    if found is None:
        return None
    blueprint, image = found
    program, arrays = order.program, identity.arrays
    fits = (
        blueprint.function in {ALONE, TOGETHER, COUNTED}
        and (blueprint.inputs, blueprint.outputs) == (len(program.inputs), len(program.outputs))
        and all(place < len(arrays) for place in blueprint.constants)
    )
    if not fits:
        return None
    _check_capacity(blueprint, order)
    try:
        code = Code(image, (blueprint.function,))
    except RuntimeError:  # no object file, or not for here
        return None
    constants = [np.asarray(arrays[place], order="C") for place in blueprint.constants]
    return Built(code, blueprint, constants, None)


def _check_capacity(blueprint: Blueprint, order: Order) -> None:
    threads = order.threads if blueprint.function == TOGETHER else 1
    check_capacity(blueprint.needed_bytes(threads) + blueprint.kept_bytes)


def draw(order: Order) -> Draft:
    """Plan what was ordered, and write its code."""
    program, machine = order.program, order.machine
    module = Module(machine)
    is_alone = order.threads == 1 or order.counts
    surroundings = Surroundings(module, machine, {}, is_alone)
    if order.loop is None:
        inputs, outputs = (
            [
                Home.plain(Buffer(kind, value.type.size_bytes, number), value.type)
                for number, value in enumerate(values)
            ]
            for kind, values in (("input", program.inputs), ("output", program.outputs))
        )
        lasting = inputs[len(inputs) - order.lasting :]
        plan = make_call_plan(surroundings, program, inputs, outputs, lasting)
    else:
        plan = make_loop_plan(surroundings, program, *order.loop)
    table = Table(len(program.inputs), len(program.outputs))
    kept = kept_bytes(plan.kept)
    together = _works_together(order, plan)
    write_run(module, machine, plan, table, together=together, counts=order.counts)
    kernels = kernels_in(plan) if order.counts else []
    blueprint = Blueprint(
        COUNTED if order.counts else TOGETHER if together else ALONE,
        table.inputs,
        table.outputs,
        plan.arena.size_bytes,
        slot_bytes(plan),
        kept,
        (),
        estimated_seconds(plan),
        round_seconds(plan),
        module.stores_past,
        tuple((kernel.label, kernel.flops) for kernel in kernels),
    )
    arrays = [value.array for value in surroundings.constants if value.array is not None]
    return Draft(plan, module.text(), blueprint, arrays)


def _works_together(order: Order, plan: Plan) -> bool:
    if order.threads == 1 or order.counts:
        return False
    if order.together is not None:
        return order.together
    return pays(plan, order.threads, is_loop=order.loop is not None)
