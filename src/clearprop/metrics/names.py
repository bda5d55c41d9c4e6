"""Metrics by the names and functions that stand for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from typing import Any

from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.losses.loss import Loss
from clearprop.losses.names import ALIASES as LOSS_ALIASES
from clearprop.losses.names import without_arguments
from clearprop.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
)
from clearprop.metrics.mean import FunctionMean, MeanMetricWrapper
from clearprop.metrics.metric import Metric
from clearprop.metrics.overlap import BinaryIoU
from clearprop.registry import named, register, registered_name

_ALIASES = {
    **{name: kind for name, kind in LOSS_ALIASES.items() if kind.startswith(("Mean", "Bin", "KL"))},
    "rmse": "RootMeanSquaredError",
    "RMSE": "RootMeanSquaredError",
    "r2": "R2Score",
    "log_cosh": "LogCoshError",
}
_ACCURACIES = {"accuracy", "acc"}


def get(
    spec: object,
    loss: Loss | None = None,
    output_shape: Shape | None = None,
    label_shape: Shape | None = None,
) -> Metric:
    """The metric that ``spec`` stands for.

    ``"accuracy"`` is binary, categorical or sparse categorical accuracy, as outputs, labels and
    loss say.  A metric chosen by name looks at logits where the loss does.

    Args:
        spec: a name such as ``"accuracy"`` or ``"AUC"``, a Metric or a class of them, a Loss, or a
            function of (y_true, y_pred).
        loss: what the model is trained with.
        output_shape: shape of the predictions, with the batch.
        label_shape: shape of the targets, with the batch.

    Shapes:
        The metric takes y_true: S, y_pred: S  ->  ()

    Raises:
        UnknownNameError: no metric has this name; the message tells the nearest.
        ArgumentError: it is none of these things, or a metric whose name does not say enough.

    Example:
        >>> get("acc", output_shape=(32, 10), label_shape=(32,))
        <SparseCategoricalAccuracy 'acc'>
    """
    if isinstance(spec, Metric):
        return spec
    if isinstance(spec, str):
        metric = _by_name(spec, loss, output_shape, label_shape)
        metric.name = spec
        return metric
    if isinstance(spec, type) and issubclass(spec, Metric):
        return without_arguments(spec)
    if isinstance(spec, Loss) or (callable(spec) and not isinstance(spec, type)):
        is_known = isinstance(spec, Hashable) and spec in _CLASS_OF
        return _CLASS_OF[spec]() if is_known else MeanMetricWrapper(spec)
    raise ArgumentError(
        "Choosing a metric: this is not one",
        found=f"{spec!r}"[:80],
        needed='a name such as "accuracy", cp.metrics.AUC(), or a function of (y_true, y_pred)',
        at=str(here()),
    )


def _by_name(
    name: str, loss: Loss | None, output_shape: Shape | None, label_shape: Shape | None
) -> Metric:
    if name.lower() in _ACCURACIES:
        metric = _accuracy(loss, output_shape, label_shape)()
    else:
        base: type[Metric] = Metric  # type: ignore[type-abstract]
        metric = without_arguments(named(name, base, _ALIASES, at=str(here())))
    return _for_logits(metric, loss) if getattr(loss, "from_logits", False) else metric


def _accuracy(
    loss: Loss | None, output_shape: Shape | None, label_shape: Shape | None
) -> Callable[[], Metric]:
    """The accuracy that fits; labels of several outputs are judged one by one."""
    kind = "any" if loss is None else loss.label_kind
    if kind == "binary" or (output_shape and output_shape[-1] == 1):
        return BinaryAccuracy
    if kind == "index":
        return SparseCategoricalAccuracy
    if output_shape and label_shape is not None:
        is_number = len(label_shape) < len(output_shape) or label_shape[-1:] == (1,)
        return SparseCategoricalAccuracy if is_number else CategoricalAccuracy
    return CategoricalAccuracy if output_shape or kind == "one_hot" else Accuracy


def _for_logits(metric: Metric, loss: Loss | None) -> Metric:
    """The metric for outputs before sigmoid or softmax, where 0 stands for a probability of 0.5."""
    parameters = inspect.signature(type(metric)).parameters
    is_binary = loss is not None and loss.label_kind == "binary"
    changes: dict[str, Any] = {}
    if "from_logits" in parameters and (is_binary or isinstance(metric, FunctionMean)):
        changes["from_logits"] = True
    elif is_binary and isinstance(metric, (BinaryAccuracy, BinaryIoU)):
        changes["threshold"] = 0.0
    elif is_binary and "thresholds" in parameters:
        changes["thresholds"] = 0.0
    return type(metric)(**changes) if changes else metric


# Functions are saved by name, as classes are; a function stands for its class.
_CLASS_OF: dict[Any, Callable[[], Metric]] = {}
for _class in FunctionMean.__subclasses__():
    if _class.__module__.startswith(f"{__package__}."):
        _CLASS_OF[_class.function] = _class
        if registered_name(_class.function) is None:
            register(f"metrics.{_class.function.__name__}")(_class.function)
