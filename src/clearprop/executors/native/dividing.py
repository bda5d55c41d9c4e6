"""What the tasks of a loop's round are divided by: units of layers, samples, or each kernel's own.

Brief steps have no time for threads that wait for one another at each kernel, and fetch from each
other's caches what they have written there.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import NamedTuple

from clearprop.executors.native.homes import Buffer, Home
from clearprop.executors.native.kernels.kernel import MULTIPLY_ADDS_PER_SECOND, Samples
from clearprop.executors.native.llvm.machine import LINE_BYTES, Machine
from clearprop.executors.native.samples import (
    LEAST_SECONDS,
    contractions,
    divided_samples,
    products,
    products_seconds,
    recurrent_samples,
    sums_first,
)
from clearprop.executors.native.units import Divided, divided_units
from clearprop.ir.program import Program
from clearprop.ir.value import Value

_PARTS = 2
_MOST_SECONDS = 4e-3  # of all products, by the estimate, for units to be divided
_LINE_SECONDS = 5e-9  # until what another core wrote is there, where many lines are asked for
_UPDATE_SECONDS = 2.5e-9  # of a line of weights
_MEETING_SECONDS = 2e-7


class Division(NamedTuple):
    """A Program whose kernels divide their work alike.

    Attributes:
        program: perhaps told otherwise than it was.
        inputs: where each input lies.
        carried: where the first inputs lie, which the first outputs are to replace.
        samples: what all kernels divide among their tasks; None if each divides its own.
        exchanged: arrays of which every part reads what others have computed.
    """

    program: Program
    inputs: Sequence[Home]
    carried: Sequence[Home]
    samples: Samples | None
    exchanged: Set[Value]


def divide(
    machine: Machine,
    program: Program,
    inputs: Sequence[Home],
    carried: Sequence[Home],
    lasting: Set[Buffer],
) -> Division:
    """How a Program is divided; each kernel divides its own work if it is no round of a loop.

    Args:
        machine: for which processor.
        program: what to compute.
        inputs: where each input lies.
        carried: where the first inputs lie, if the first outputs are to take their places.
        lasting: memory that is the same in all rounds of a loop, or in most calls.
    """
    state = sum(home.type.size_bytes for home in carried)
    is_short = LEAST_SECONDS <= products_seconds(program) <= _MOST_SECONDS
    if carried and is_short and state // _PARTS <= 2 * machine.level2_bytes:
        units = divided_units(program, len(carried), _PARTS, machine.vector_bytes)
        if units is not None and not are_better_whole(program, units):
            return _by_units(units, inputs, carried)
    homes = dict(zip(program.inputs, inputs, strict=True))
    rows = {value for value, home in homes.items() if home.buffer.kind == "row"}
    weights = {value for value, home in homes.items() if home.buffer in lasting}
    pairs = list(zip(program.inputs, program.outputs, strict=False))[: len(carried)]
    samples = divided_samples(program, rows)
    samples = samples or recurrent_samples(machine, program, rows, pairs, weights)
    return Division(program, inputs, carried, samples, set())


def _by_units(units: Divided, inputs: Sequence[Home], carried: Sequence[Home]) -> Division:
    homes = [
        home if layout is None else layout.home(home, _PARTS)
        for layout, home in zip(units.layouts, carried, strict=True)
    ]
    samples = Samples(_PARTS, _PARTS, units.values, are_parts=True)
    own = [*homes, *inputs[len(homes) :]]
    return Division(units.program, own, homes, samples, units.exchanged.keys())


def are_better_whole(program: Program, units: Divided) -> bool:
    """Whether a step should rather divide its samples than its units.

    Dividing samples exchanges the gradients of all weights, which each thread then updates;
    dividing units exchanges what lies between layers, and where a layer stays whole each thread
    computes all of it.

    Args:
        program: the step.
        units: the same with units in parts.
    """
    found = contractions(program)
    gradients = sum(each.types[0].size_bytes for each in found if sums_first(each))
    by_samples = gradients / LINE_BYTES * (_LINE_SECONDS + _UPDATE_SECONDS) + _MEETING_SECONDS
    whole = [each for each in contractions(units.program) if not each.params["batch"][0]]
    lines = sum(units.exchanged.values()) / LINE_BYTES
    by_units = lines * _LINE_SECONDS + len(units.exchanged) * _MEETING_SECONDS
    by_units += sum(map(products, whole)) / MULTIPLY_ADDS_PER_SECOND
    return by_samples < by_units
