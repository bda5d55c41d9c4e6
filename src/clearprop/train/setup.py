"""What ``compile`` was told, and what it means for a model whose outputs are known."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop import losses, metrics, optimizers
from clearprop.errors import ArgumentError
from clearprop.executors.choose import Executor, check_name, choose_executor
from clearprop.ir.place import here
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array
from clearprop.losses import Loss
from clearprop.metrics import Metric
from clearprop.optimizers import Optimizer
from clearprop.registry import Configurable
from clearprop.settings import is_seed, settings
from clearprop.tensor.tensor import Tensor
from clearprop.text import did_you_mean


class CompileArguments(Configurable):
    """The arguments of ``model.compile``, names resolved where that needs no model.

    Args:
        optimizer: name or Optimizer.
        loss: name, Loss, or a list or dict of them by output; None only for models whose layers
            add their own loss.
        metrics: names or Metrics; with several outputs a list or dict of lists by output.
        weighted_metrics: the same, weighted by sample and class weights.
        loss_weights: a factor for each output's loss, as a list or dict.
        executor: name, or None for the best here.
        threads: how many threads an executor may use, or None for as many as there are.
        seed: of initial weights, row orders and noise; None takes ``cp.set_seed``'s.
    """

    def __init__(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        loss_weights: Any = None,
        executor: str | None = None,
        threads: int | None = None,
        seed: int | None = None,
    ) -> None:
        if threads is not None and (not isinstance(threads, int) or threads < 1):
            raise ArgumentError(
                "compile: the number of threads is a whole number",
                found=f"threads={threads!r}",
                needed="1 or more, or None",
                at=str(here()),
            )
        if seed is not None and not is_seed(seed):
            raise ArgumentError(
                "compile: the seed is a whole number",
                found=f"seed={seed!r}",
                needed="0 <= seed < 2**64, or None for the one of cp.set_seed",
                at=str(here()),
            )
        if executor is not None:
            check_name(executor)
        self.optimizer: Optimizer = optimizers.get(optimizer)
        self.loss = _resolved(loss, losses.get)
        self.metrics, self.weighted_metrics = metrics, weighted_metrics
        _check_metrics((metrics, weighted_metrics))
        self.loss_weights, self.executor, self.threads = loss_weights, executor, threads
        self.seed = settings.seed if seed is None else int(seed)


@dataclass(frozen=True)
class MetricPlace:
    """One metric and the output it judges.

    Attributes:
        output: number of the model's output.
        metric: the metric.
        name: what the history calls it.
        weighted: whether sample weights count.
        output_shape: of the output, with a batch.
    """

    output: int
    metric: Metric
    name: str
    weighted: bool
    output_shape: Shape

    def first_state(self) -> dict[str, Array]:
        """The metric's state before the first sample of an epoch."""
        return self.metric.initial_state(self.output_shape)

    def path(self, state: str) -> str:
        """The name of one of the metric's states in the whole carry."""
        return f"{self.name}/{state}"


@dataclass(frozen=True)
class Setup:
    """What to minimize and to report, for each output of a model.

    Attributes:
        arguments: what ``compile`` was told.
        output_names: of the model.
        losses: one for each output; None where an output has none.
        loss_weights: one factor for each output.
        metrics: what to report.
        executor: what runs it.
    """

    arguments: CompileArguments
    output_names: tuple[str, ...]
    losses: tuple[Loss | None, ...]
    loss_weights: tuple[float, ...]
    metrics: tuple[MetricPlace, ...]
    executor: Executor

    @property
    def optimizer(self) -> Optimizer:
        """What changes the weights."""
        return self.arguments.optimizer

    def hyperparameters(self) -> dict[str, Array]:
        """The numbers a callback may change, as they are now."""
        return {
            name: np.asarray(number, np.float64)
            for name, number in self.optimizer.hyperparameters().items()
        }

    def first_metric_state(self) -> dict[str, Array]:
        """The state of all metrics before the first sample of an epoch."""
        return {
            place.path(name): array
            for place in self.metrics
            for name, array in place.first_state().items()
        }

    def results(
        self, sums: Mapping[str, float], count: int, state: Mapping[str, Array]
    ) -> dict[str, Any]:
        """What is told after ``count`` samples: the means of the losses, and the metrics.

        Args:
            sums: of the losses over the samples.
            count: number of samples seen so far.
            state: of the metrics.
        """
        results: dict[str, Any] = {name: total / max(count, 1) for name, total in sums.items()}
        if len(results) == 2:
            results = {"loss": results["loss"]}  # one output: its loss is told once
        for place in self.metrics:
            own = {name: Tensor.leaf(state[place.path(name)]) for name in place.first_state()}
            value = np.asarray(place.metric.result(own))
            results[place.name] = value.item() if value.size == 1 else value
        return results

    def loss_names(self) -> list[str]:
        """For each output with a loss what the history calls it."""
        return [
            f"{name}_loss"
            for name, loss in zip(self.output_names, self.losses, strict=True)
            if loss is not None
        ]


def set_up(
    arguments: CompileArguments,
    output_names: Sequence[str],
    output_types: Sequence[TensorType],
    target_shapes: Sequence[tuple[int, ...]],
) -> Setup:
    """What the compile arguments mean for a model with these outputs and targets.

    Raises:
        ArgumentError: they name an output that is not there, or give no loss at all.
    """
    names = tuple(output_names)
    chosen = _by_output(arguments.loss, names, "loss")
    factors = _by_output(arguments.loss_weights, names, "loss_weights")
    places: list[MetricPlace] = []
    for weighted, argument in ((False, "metrics"), (True, "weighted_metrics")):
        lists = _metric_lists(getattr(arguments, argument), names, argument)
        for output, wanted in enumerate(lists):
            shape = output_types[output].shape
            for one in wanted:
                metric = metrics.get(
                    one,
                    loss=chosen[output],
                    output_shape=shape,
                    label_shape=target_shapes[output] if target_shapes else None,
                )
                prefix = f"{names[output]}_" if len(names) > 1 else ""
                name = _unique_name(prefix, metric.name, weighted, {p.name for p in places})
                places.append(MetricPlace(output, metric, name, weighted, shape))
    return Setup(
        arguments,
        names,
        tuple(chosen),
        tuple(1.0 if factor is None else float(factor) for factor in factors),
        tuple(places),
        choose_executor(arguments.executor),
    )


def _resolved(nest: Any, get: Any) -> Any:
    if isinstance(nest, dict):
        return {name: None if part is None else get(part) for name, part in nest.items()}
    if isinstance(nest, (list, tuple)):
        return [None if part is None else get(part) for part in nest]
    return None if nest is None else get(nest)


def _check_metrics(nest: Any) -> None:
    """Refuse what is no metric before there is a model: the right one is chosen later."""
    if isinstance(nest, (list, tuple, dict)):
        for part in nest.values() if isinstance(nest, dict) else nest:
            _check_metrics(part)
    elif nest is not None:
        metrics.get(nest)


def _by_output(given: Any, names: Sequence[str], argument: str) -> list[Any]:
    """One entry for each output."""
    if isinstance(given, dict):
        for name in given:
            if name not in names:
                raise ArgumentError(
                    f"compile: {argument} names an output that the model does not have",
                    found=f"{name!r}" + did_you_mean(name, names),
                    needed=", ".join(names),
                    at=str(here()),
                )
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ArgumentError(
                f"compile: {argument} has another number of entries than the model has outputs",
                found=f"{len(given)} entries",
                needed=f"{len(names)}: {', '.join(names)}",
                at=str(here()),
            )
        return list(given)
    return [given] * len(names)


def _metric_lists(spec: Any, names: Sequence[str], argument: str) -> list[list[Any]]:
    """The metrics of each output; a list with as many entries as outputs has one for each."""
    if spec is None:
        return [[] for _ in names]
    listed = list(spec) if isinstance(spec, (list, tuple)) else [spec]
    if isinstance(spec, dict):
        listed = _by_output(spec, names, argument)
    elif len(names) == 1:
        return [[one for part in listed for one in _as_list(part)]]
    elif any(isinstance(part, (list, tuple)) for part in listed):
        listed = _by_output(listed, names, argument)
    elif len(listed) != len(names):
        return [listed for _ in names]
    return [_as_list(part) for part in listed]


def _as_list(part: Any) -> list[Any]:
    if part is None:
        return []
    return list(part) if isinstance(part, (list, tuple)) else [part]


def _unique_name(prefix: str, name: str, weighted: bool, taken: Collection[str]) -> str:
    """``mae``, or ``weighted_mae`` or ``mae_1`` where that name is taken."""
    plain = prefix + name
    if plain in taken and weighted:
        plain = f"{prefix}weighted_{name}"
    unique, count = plain, 0
    while unique in taken:
        count += 1
        unique = f"{plain}_{count}"
    return unique
