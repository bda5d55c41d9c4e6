"""From what the user gave to samples and steps that fit the model, checked before any work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clearprop.errors import NotBuiltError
from clearprop.ir.place import here
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array
from clearprop.losses.shapes import match_target_rank
from clearprop.train.chunks import ChunkRunner
from clearprop.train.samples import Samples, read_samples
from clearprop.train.setup import Setup, set_up
from clearprop.train.step import Step
from clearprop.train.suitability import check_suitability

if TYPE_CHECKING:
    from clearprop.train.model import Model

_MOST_RUNNERS = 32


def prepared_samples(
    model: Model,
    x: Any,
    y: Any,
    sample_weight: Any,
    class_weight: Mapping[int, float] | None,
    *,
    doing: str,
) -> tuple[Samples, Setup]:
    """The samples, and the setup of the model for them.

    Raises:
        NotBuiltError: the model was not compiled.
        ClearPropError: anything about the samples, the labels or the losses that does not fit.
    """
    if model.arguments is None:
        raise NotBuiltError(
            f"{doing}: the model does not know what to minimize",
            found="a model that was not compiled",
            needed='model.compile(optimizer="adam", loss=...) before',
            at=str(here()),
        )
    first = read_samples(x, input_names=model.input_names)
    outputs = model.output_types(batch_types(first.inputs))
    samples = read_samples(
        x,
        y,
        input_names=model.input_names,
        output_names=model.output_names,
        sample_weight=sample_weight,
        class_weight=class_weight,
    )
    samples = samples.with_targets([
        match_target_rank(target, output)
        for target, output in zip(samples.targets, outputs, strict=True)
    ])
    for weight in model.weights:
        weight.reseed(model.arguments.seed)
    shapes = [target.shape for target in samples.targets]
    setup = set_up(model.arguments, model.output_names, outputs, shapes)
    check_suitability(model, setup, outputs)
    for loss, target, output in zip(setup.losses, samples.targets, outputs, strict=True):
        if loss is not None:
            loss.check_labels(target, output.shape)
    return samples, setup


def batch_types(arrays: Sequence[Array]) -> list[TensorType]:
    """The types of a small batch of these arrays."""
    return [TensorType((min(2, len(a)), *a.shape[1:]), a.dtype) for a in arrays]


def runner_for(
    model: Model, kind: str, samples: Samples, batch_size: int, make: Callable[[], Step]
) -> ChunkRunner:
    """The step for batches of one size, traced and compiled once for each kind of samples."""
    signature = (
        kind,
        batch_size,
        tuple((array.shape, array.dtype) for array in samples.arrays),
        tuple(weight is None for weight in samples.weights),
        tuple((id(weight), weight.shape) for weight in model.weights),
        tuple(id(weight) for weight in model.trainable_weights),
        tuple(layer.trainable for layer in model.all_layers()),
        model.arguments.optimizer.structure() if kind == "train" and model.arguments else None,
    )
    runners = model.runners
    if signature not in runners:
        if len(runners) >= _MOST_RUNNERS:
            runners.pop(next(iter(runners)))
        runners[signature] = ChunkRunner(make(), model.executor)
    return runners[signature]
