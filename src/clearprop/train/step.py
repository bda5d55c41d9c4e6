"""One training or evaluation step as a Program.

The body of a step has the inputs ``(*carry, rows, *given)`` and the outputs ``(*carry, *reports)``:

    carry    what the next step continues from: weights, optimizer slots, counters, metrics
    rows     i64 (batch,): which samples this step takes
    given    what stays during a chunk of steps: the seed, the numbers that a callback may change,
             all samples

Training is a scan over this body; so are ``evaluate`` and ``predict``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clearprop import ops, primitives
from clearprop.dtypes import F64, I64, U32
from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.layers.masks import masks_of
from clearprop.layers.mode import Mode
from clearprop.layers.weight import Weight
from clearprop.metrics.metric import masked_weight
from clearprop.passes.gradient import differentiate
from clearprop.passes.simplify import simplify
from clearprop.primitives.constants import constant_like
from clearprop.tensor.parameter import Trace
from clearprop.tensor.tensor import Tensor
from clearprop.train.samples import Samples

if TYPE_CHECKING:
    from clearprop.train.model import Model
    from clearprop.train.setup import Setup

KEY = TensorType((2,), U32)
COUNTER = TensorType((2,), U32)


@dataclass(frozen=True)
class Step:
    """The Program of one step, and what its inputs and outputs are.

    Attributes:
        body: inputs (*carry, rows, *given), outputs (*carry, *reports).
        carry_count: how many values are carried.
        reports: names of what each step reports: "loss", then one loss for each output.
    """

    body: Program
    carry_count: int
    reports: tuple[str, ...]


class _Tracing:
    """Placeholders for the inputs of a step, and the batch they select."""

    def __init__(self, samples: Samples, batch_size: int) -> None:
        self.rows = Tensor(TensorType((batch_size,), I64), name="rows")
        self.key = Tensor(KEY, name="seed")
        self.data = [Tensor(TensorType.of(array), name="data") for array in samples.arrays]
        batch = iter(primitives.gather(array, self.rows, axis=0) for array in self.data)
        self.inputs = [next(batch) for _ in samples.inputs]
        self.targets = [next(batch) for _ in samples.targets]
        self.weights = [None if weight is None else next(batch) for weight in samples.weights]


def training_step(model: Model, setup: Setup, samples: Samples, batch_size: int) -> Step:
    """The whole step: gather, forward, loss, backward, clip, update, metrics."""
    trained = model.trainable_weights
    learn = set(map(id, trained))
    others = [variable for variable in model.variables if id(variable) not in learn]
    weights = {weight: _placeholder(weight) for weight in [*trained, *others]}
    slots = {
        name: Tensor(TensorType.of(array), name=name)
        for name, array in setup.optimizer.state.items()
    }
    hyper = {name: Tensor(TensorType((), F64), name=name) for name in setup.hyperparameters()}
    counter = Tensor(COUNTER, name="counter")
    metric_state = _metric_placeholders(setup)
    traced = _Tracing(samples, batch_size)

    mode = Mode(True, traced.key, counter)
    with mode.active(), Trace(weights).active() as trace:
        losses, total, new_metrics = _forward(model, setup, traced, mode, metric_state)
        places = [weights[weight] for weight in trained]
        goal = setup.optimizer.scale_loss(total, slots)
        gradients = differentiate([goal], [constant_like(1, goal)], places)
        new_weights, new_slots = setup.optimizer.update(places, gradients, slots, hyper, trained)
        updated = [trace.updates.get(weight, weights[weight]) for weight in others]
    carry_in = [*weights.values(), *slots.values(), counter, *metric_state.values()]
    carry_out = [
        *new_weights,
        *updated,
        *(new_slots[name] for name in slots),
        _next_counter(counter),
        *(new_metrics[name] for name in metric_state),
    ]
    given = [traced.key, *hyper.values(), *traced.data]
    return _step(setup, carry_in, traced.rows, given, carry_out, [total, *losses])


def evaluation_step(model: Model, setup: Setup, samples: Samples, batch_size: int) -> Step:
    """Forward in inference mode, losses and metrics; the weights stay, states go on."""
    weights = {weight: _placeholder(weight) for weight in model.weights}
    states = {state: _placeholder(state) for state in model.states_inside}
    metric_state = _metric_placeholders(setup)
    traced = _Tracing(samples, batch_size)
    mode = Mode(False, traced.key, Tensor.leaf(np.zeros(2, np.uint32)))
    with mode.active(), Trace({**weights, **states}).active() as trace:
        losses, total, new_metrics = _forward(model, setup, traced, mode, metric_state)
    given = [*weights.values(), traced.key, *traced.data]
    carry_in = [*states.values(), *metric_state.values()]
    carry_out = [trace.read(state) for state in states]
    carry_out += [new_metrics[name] for name in metric_state]
    return _step(setup, carry_in, traced.rows, given, carry_out, [total, *losses])


def prediction_step(model: Model, samples: Samples, batch_size: int) -> Step:
    """Forward in inference mode; each step reports the outputs of its samples."""
    weights = {weight: _placeholder(weight) for weight in model.weights}
    states = {state: _placeholder(state) for state in model.states_inside}
    traced = _Tracing(samples, batch_size)
    mode = Mode(False, traced.key, Tensor.leaf(np.zeros(2, np.uint32)))
    with mode.active(), Trace({**weights, **states}).active() as trace:
        outputs = model.flat_outputs(traced.inputs)
    given = [*weights.values(), traced.key, *traced.data]
    after = [trace.read(state) for state in states]
    body = simplify(Program.under([*after, *outputs], [*states.values(), traced.rows, *given]))
    return Step(body, len(states), tuple(model.output_names))


def _forward(
    model: Model,
    setup: Setup,
    traced: _Tracing,
    mode: Mode,
    metric_state: Mapping[str, Value],
) -> tuple[list[Value], Value, dict[str, Value]]:
    """The loss of each output, their weighted sum with all that is added, the new metrics."""
    outputs = model.flat_outputs(traced.inputs)
    losses: list[Value] = []
    total: Value | None = None
    for output, target, weight, loss, factor in zip(
        outputs, traced.targets, traced.weights, setup.losses, setup.loss_weights, strict=False
    ):  # a model whose layers add the whole loss may have no targets
        if loss is None:
            continue
        value = loss(target, output, sample_weight=weight, mask=masks_of(output))
        losses.append(value)
        weighted = value if factor == 1 else ops.multiply(value, factor)
        total = weighted if total is None else ops.add(total, weighted)
    for term in [*_penalties(model), *mode.losses]:
        total = term if total is None else ops.add(total, term)
    if total is None:
        raise ArgumentError(
            f'Training "{model.name}": there is nothing to minimize',
            found="compile without a loss, and no layer that adds one",
            needed='for example model.compile(optimizer="adam", loss="mse")',
            at=str(here()),
        )
    new_metrics: dict[str, Value] = {}
    for place in setup.metrics:
        target, output = traced.targets[place.output], outputs[place.output]
        weight = traced.weights[place.output] if place.weighted else None
        mask = masks_of(output)
        if mask is not None:
            weight = masked_weight(weight, mask)
        state = {name: metric_state[place.path(name)] for name in place.first_state()}
        updated = place.metric.update(state, target, output, sample_weight=weight)
        new_metrics |= {place.path(name): value for name, value in updated.items()}
    return losses, total, new_metrics


def _penalties(model: Model) -> list[Value]:
    """What the regularizers of the weights that learn add to the loss."""
    return [
        weight.regularizer(weight.as_input())
        for weight in model.trainable_weights
        if weight.regularizer is not None
    ]


def _step(
    setup: Setup,
    carry_in: Sequence[Value],
    rows: Value,
    given: Sequence[Value],
    carry_out: Sequence[Value],
    reports: Sequence[Value],
) -> Step:
    body = simplify(Program.under([*carry_out, *reports], [*carry_in, rows, *given]))
    names = ("loss", *setup.loss_names())
    return Step(body, len(carry_in), names)


def _placeholder(weight: Weight) -> Tensor:
    return Tensor(weight.type, name=weight.name)


def _metric_placeholders(setup: Setup) -> dict[str, Value]:
    return {
        name: Tensor(TensorType.of(array), name=name)
        for name, array in setup.first_metric_state().items()
    }


def _next_counter(counter: Value) -> Value:
    """The 64-bit number in two 32-bit words, plus one."""
    low, high = ops.index(counter, 0), ops.index(counter, 1)
    next_low = ops.add(low, 1)
    carried = ops.cast(ops.equal(next_low, 0), U32)
    return ops.stack([next_low, ops.add(high, carried)])
