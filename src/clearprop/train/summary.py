"""A model as a table: layers, shapes, parameters, bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clearprop import text, tree
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.layers.layer import Layer
from clearprop.layers.mode import Mode
from clearprop.layers.symbolic import symbolic_shape_text
from clearprop.tensor.parameter import Trace
from clearprop.tensor.tensor import Tensor
from clearprop.train.model import Model


def summary_text(model: Model) -> str:
    """The table that ``model.summary()`` prints.

    The shape of a layer's output is shown as at its last call in the model; a batch is None.
    """
    rows = []
    shapes = _output_shapes(model)
    for layer in model.layers:
        weights = layer.weights
        count = sum(weight.size for weight in weights)
        rows.append((
            layer.name,
            type(layer).__name__,
            shapes.get(id(layer), "?"),
            f"{count:,}" if count else "0",
            text.bytes_text(sum(weight.type.size_bytes for weight in weights)),
            "" if layer.trainable or not weights else "frozen",
        ))
    header = ("layer", "type", "output shape", "parameters", "size", "")
    title = f"{model.name} ({type(model).__name__})"
    return f"{title}\n\n{text.table(rows, header=header, right='lllrrl')}\n\n{_totals(model)}"


def _totals(model: Model) -> str:
    trained = sum(weight.size for weight in model.trainable_weights)
    others = sum(weight.size for weight in model.non_trainable_weights)
    size = sum(weight.type.size_bytes for weight in model.weights)
    lines = [
        f"{text.count_text(trained + others, 'parameter')} ({text.bytes_text(size)}), "
        f"{trained:,} trainable, {others:,} not"
    ]
    if not model.weights:
        lines.append("The weights are made when the model first sees an input.")
    flops = _flops_per_sample(model)
    if flops:
        lines.append(f"{flops:,} arithmetic operations for one sample forward")
    return "\n".join(lines)


def _inputs(model: Model) -> Sequence[TensorType] | None:
    """What the model saw last, or else what its ``Input``s say; None where neither tells."""
    seen = model.known_input_types(batch=2)
    drawn = getattr(model, "inputs", None) or [getattr(model, "input", None)]
    if seen is not None or any(x is None or None in x.shape[1:] for x in drawn):
        return seen
    return [TensorType((2, *x.shape[1:]), x.dtype) for x in drawn]


def _output_shapes(model: Model) -> dict[int, str]:
    """For each layer the shape of its output as text, from a trace with a batch of two."""
    types = _inputs(model)
    if types is None:
        return {}
    seen: dict[int, str] = {}

    def observe(layer: Layer, output: Any) -> None:
        leaves, _ = tree.flatten(output)
        shapes = [symbolic_shape_text((None, *leaf.shape[1:])) for leaf in leaves]
        seen[id(layer)] = ", ".join(shapes)

    _trace(model, types, observe)
    return seen


def _flops_per_sample(model: Model) -> int:
    types = _inputs(model)
    if types is None:
        return 0
    program = _trace(model, types, lambda layer, output: None)
    flops = sum(
        equation.primitive.flops(*(value.type for value in equation.inputs), **equation.params)
        for equation in program.equations
    )
    return flops // 2


def _trace(model: Model, types: Sequence[TensorType], observe: Any) -> Program:
    inputs = [Tensor(type_) for type_ in types]
    nothing = Tensor.leaf(np.zeros(2, np.uint32))
    mode = Mode(False, nothing, nothing)
    mode.observers.append(observe)
    with mode.active(), Trace(binds_all=True).active() as trace:
        outputs = model.flat_outputs(inputs)
    return Program.under(outputs, [*inputs, *trace.bindings.values()])
