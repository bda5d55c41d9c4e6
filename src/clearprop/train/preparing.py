"""From what the user gave to samples and steps that fit the model, checked before any work."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from clearprop import tree
from clearprop.errors import ArgumentError, NotBuiltError, ShapeError
from clearprop.garbage import collection_put_off
from clearprop.ir.place import here
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array
from clearprop.losses.shapes import match_target_rank
from clearprop.train.chunks import ChunkRunner
from clearprop.train.samples import Samples, read_samples
from clearprop.train.setup import CompileArguments, Setup, set_up
from clearprop.train.step import Step
from clearprop.train.suitability import (
    check_suitability,
    warn_of_accuracy,
    warn_of_linear_stacks,
)

if TYPE_CHECKING:
    from clearprop.train.model import Model

_MOST_RUNNERS = 32
_KINDS_OF_CLASSES = {"index", "one_hot", "binary", "hinge", "distribution", "any"}


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
    names = model.input_names_for(x)
    first = read_samples(x, input_names=names)
    outputs = model.output_types(batch_types(first.inputs))
    has_targets = _check_targets_given(y, model.arguments, doing)
    samples = read_samples(
        x,
        y,
        input_names=names,
        output_names=model.output_names if has_targets else (),
        sample_weight=sample_weight,
        class_weight=class_weight,
    )
    samples = samples.with_targets([
        match_target_rank(target, output)
        for target, output in zip(samples.targets, outputs, strict=False)  # none, or all
    ])
    for weight in model.weights:
        weight.reseed(model.arguments.seed)
    shapes = [target.shape for target in samples.targets]
    setup = set_up(model.arguments, model.output_names, outputs, shapes)
    check_suitability(model, setup, outputs)
    if doing == "fit":
        warn_of_linear_stacks(model)
        warn_of_accuracy(setup, samples)
    if class_weight is not None:
        _check_losses_of_classes(setup)
    for loss, target, output in zip(setup.losses, samples.targets, outputs, strict=False):
        if loss is not None:
            loss.check_labels(target, output.shape)
            loss.check_shapes(target.shape, output.shape)
    return samples, setup


def _check_targets_given(y: Any, arguments: CompileArguments, doing: str) -> bool:
    """Whether there are targets; only a model whose layers add the whole loss can do without."""
    told = (arguments.loss, arguments.metrics, arguments.weighted_metrics)
    if y is None and any(tree.flatten(nest)[0] for nest in told):
        raise ArgumentError(
            f"{doing}: the loss and the metrics compare with targets",
            found="y=None",
            needed="validation_data=(x, y)" if doing == "validation" else f"model.{doing}(x, y)",
            at=str(here()),
        )
    return y is not None


def _check_losses_of_classes(setup: Setup) -> None:
    """Refuse class weights for several outputs, or where the targets are no classes."""
    several = len(setup.losses) > 1
    for loss in setup.losses:
        if several or (loss is not None and loss.label_kind not in _KINDS_OF_CLASSES):
            raise ArgumentError(
                "fit: class_weight is for one output whose targets are classes",
                found=f"{len(setup.losses)} outputs"
                if several or loss is None
                else f"the loss {loss.name}",
                needed="one output" if several else "a loss over classes",
                try_="sample_weight: one number for each sample"
                + (", in a dict by output" if several else ""),
                at=str(here()),
            )


def check_counts(doing: str, *, at_least: int = 1, **counts: Any) -> None:
    """Refuse what is no whole number of at least ``at_least``.

    Raises:
        ArgumentError: it names the argument.
    """
    for name, count in counts.items():
        is_whole = isinstance(count, (int, np.integer)) and not isinstance(count, bool)
        if not is_whole or count < at_least:
            raise ArgumentError(
                f"{doing}: {name} is a whole number of at least {at_least}",
                found=f"{name}={count!r}",
                needed=", ".join(str(at_least + number) for number in range(3)) + ", ...",
                at=str(here()),
            )


def check_batches(model: Model, doing: str, count: int, batch_size: int) -> None:
    """Refuse batches of another size than stateful layers remember.

    Raises:
        ShapeError: a batch has another number of samples.
    """
    fixed = model.fixed_batch
    if fixed is not None and (batch_size != fixed or count % fixed):
        raise ShapeError(
            f'{doing}: "{model.name}" has stateful layers, which remember {fixed} samples',
            found=f"{count} samples in batches of {batch_size}",
            needed=f"batch_size={fixed}, and a multiple of {fixed} samples",
            try_=f"leave out {count % fixed} samples" if count % fixed else "",
            at=str(here()),
        )


def batch_types(arrays: Sequence[Array]) -> list[TensorType]:
    """The types of one batch of all rows of these arrays."""
    return [TensorType.of(array) for array in arrays]


def runner_for(
    model: Model, kind: str, samples: Samples, batch_size: int, make: Callable[[], Step]
) -> ChunkRunner:
    """The step for batches of one size, traced and compiled once for each kind of samples."""

    def signature() -> Hashable:
        return (
            kind,
            batch_size,
            None if model.input_keys is None else tuple(model.input_keys),
            tuple((array.shape, array.dtype) for array in samples.arrays),
            tuple(weight is None for weight in samples.weights),
            tuple((id(weight), weight.shape) for weight in model.variables),
            tuple(id(weight) for weight in model.trainable_weights),
            tuple((layer.trainable, layer.changes) for layer in model.all_layers()),
            model.arguments.optimizer.structure() if kind == "train" and model.arguments else None,
        )

    runners, wanted = model.runners, signature()
    if wanted not in runners:
        if len(runners) >= _MOST_RUNNERS:
            runners.pop(next(iter(runners)))
        threads = None if model.arguments is None else model.arguments.threads
        with collection_put_off():
            step = make()
        runner = ChunkRunner(step, model.executor, threads)
        wanted = signature()  # tracing may have assigned attributes
        runners[wanted] = runner
    return runners[wanted]
