"""A model as a table: layers, shapes, parameters, bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clearprop import text, tree
from clearprop.ir.program import Program
from clearprop.ir.types import Shape, TensorType
from clearprop.layers.layer import Layer
from clearprop.layers.mode import inference_mode
from clearprop.layers.symbolic import SymbolicTensor
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


def _input_types(model: Model) -> list[list[TensorType]]:
    """The types of the inputs: twice, with different unknown sizes, where ``Input`` says them.

    Else as the model saw them last, or nothing before it saw any.
    """
    drawn = getattr(model, "inputs", None) or [getattr(model, "input", None)]
    if all(isinstance(x, SymbolicTensor) for x in drawn):
        return [[x.stand_ins[which].type for x in drawn] for which in range(2)]
    seen = [model.known_input_types(batch) for batch in (2, 3)]
    return [types for types in seen if types is not None]


def _output_shapes(model: Model) -> dict[int, str]:
    """For each layer the shape of its output as text; what depends on unknown sizes is None."""
    seen: dict[int, list[list[Shape]]] = {}

    def observe(layer: Layer, output: Any) -> None:
        leaves, _ = tree.flatten(output)
        seen[id(layer)] = [*seen.get(id(layer), []), [leaf.shape for leaf in leaves]]

    for types in _input_types(model):
        _trace(model, types, observe)
    return {layer: _shapes_text(*_last_of_each(calls)) for layer, calls in seen.items()}


def _last_of_each(calls: list[list[Shape]]) -> tuple[list[Shape], list[Shape]]:
    """The shapes of the last call in the first and in the second trace."""
    return calls[len(calls) // 2 - 1], calls[-1]


def _shapes_text(first: Sequence[Shape], second: Sequence[Shape]) -> str:
    both = zip(first, second, strict=True)
    return ", ".join(
        str(tuple(a if a == b else None for a, b in zip(one, other, strict=True)))
        for one, other in both
    )


def _flops_per_sample(model: Model) -> int:
    """What one sample more costs; 0 where that depends on a length that is not known."""
    both = _input_types(model)
    if not both or any(a.shape[1:] != b.shape[1:] for a, b in zip(*both, strict=True)):
        return 0
    few, more = (_flops(model, types) for types in both)
    samples = both[1][0].shape[0] - both[0][0].shape[0]
    return (more - few) // samples if samples else few // both[0][0].shape[0]


def _flops(model: Model, types: Sequence[TensorType]) -> int:
    program = _trace(model, types, lambda layer, output: None)
    return sum(
        equation.primitive.flops(*(value.type for value in equation.inputs), **equation.params)
        for equation in program.equations
    )


def _trace(model: Model, types: Sequence[TensorType], observe: Any) -> Program:
    inputs = [Tensor(type_) for type_ in types]
    given = [model.cast_input(number, value) for number, value in enumerate(inputs)]
    mode = inference_mode()
    mode.observers.append(observe)
    with mode.active(), Trace(binds_all=True).active() as trace:
        outputs, _ = tree.flatten(model(model.arrange_inputs(given)))
    return Program.under(outputs, [*inputs, *trace.placeholders.values()])
