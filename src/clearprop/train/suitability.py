"""Combinations of output activation and loss that cannot work, told before training."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array
from clearprop.layers import Dense, Softmax
from clearprop.layers.layer import Layer
from clearprop.losses import Loss
from clearprop.registry import registered_name
from clearprop.train.samples import Samples
from clearprop.train.setup import Setup

if TYPE_CHECKING:
    from clearprop.train.model import Model

_CLASSES = {"index", "one_hot"}
_ACCURACIES = {"accuracy", "acc"}


def check_suitability(model: Model, setup: Setup, outputs: Sequence[TensorType]) -> None:
    """Refuse output activations that cannot fit their losses.

    Raises:
        ArgumentError: softmax over one unit, softmax or sigmoid applied twice, sigmoid with a
            loss over exclusive classes, a loss on probabilities after a layer that gives none.
    """
    for layer, loss, output in zip(model.output_layers(), setup.losses, outputs, strict=True):
        name = _activation_of(layer)
        if layer is not None and loss is not None and name:
            problem = _problem(name, loss, output)
            if problem:
                found, try_ = problem
                raise ArgumentError(
                    f'Before training: the output of layer "{layer.name}" does not suit the loss',
                    found=found,
                    needed="an activation and a loss that belong together",
                    try_=try_,
                    at=str(here()),
                )


def _problem(activation: str, loss: Loss, output: TensorType) -> tuple[str, str] | None:
    """What is wrong and what to try, or None."""
    name = type(loss).__name__
    units = output.shape[-1] if output.shape else 1
    from_logits = bool(getattr(loss, "from_logits", False))
    over_classes = loss.label_kind in _CLASSES
    if activation == "softmax" and units == 1:
        return (
            "softmax over one unit, which is 1 whatever the input",
            "Dense(1, activation='sigmoid') for two classes, or one unit for each class",
        )
    if from_logits and activation in {"softmax", "sigmoid", "log_softmax"}:
        return (
            f"{activation} in the layer, and {name}(from_logits=True) applies it again",
            f"leave the activation out, or use {name}(from_logits=False)",
        )
    if over_classes and not from_logits and "crossentropy" in name.lower():
        if activation == "sigmoid":
            return (
                f"sigmoid with {name}: the outputs of exclusive classes must sum to 1",
                "activation='softmax', or BinaryCrossentropy for labels that exclude nothing",
            )
        if activation in {"linear", "relu", "tanh"}:
            return (
                f"{activation} outputs are no probabilities, which {name} expects",
                f"{name}(from_logits=True), or activation='softmax'",
            )
    is_binary = loss.label_kind == "binary" and hasattr(loss, "from_logits")
    if is_binary and not from_logits and activation in {"linear", "relu", "tanh"}:
        return (
            f"{activation} outputs are no probabilities, which {name} expects",
            f"{name}(from_logits=True), or activation='sigmoid'",
        )
    return None


def warn_of_linear_stacks(model: Model) -> None:
    """Warn of two linear layers in a row, which can do no more than one."""
    for first, second in model.following_layers():
        if not (isinstance(first, Dense) and isinstance(second, Dense)):
            continue
        if _activation_of(first) == "linear":
            _warn(
                f'layer "{first.name}" is linear: together with "{second.name}" right after it, '
                f'it can do no more than one layer; give it an activation, e.g. activation="relu"'
            )


def warn_of_accuracy(setup: Setup, samples: Samples) -> None:
    """Warn of an accuracy of targets that are no classes, which would be 0 or nearly so."""
    for place in setup.metrics:
        loss = setup.losses[place.output]
        is_number = loss is not None and loss.label_kind == "regression"
        if not (is_number and place.metric.name in _ACCURACIES and samples.targets):
            continue
        target = samples.targets[place.output]
        if target.dtype.kind == "f" and bool(np.any(target != np.round(target))):
            _warn(
                f'metric "{place.name}" counts predictions that are equal to their targets, and '
                'these targets are no classes; "mae" tells how far off the predictions are'
            )


def warn_of_unseen_classes(samples: Samples, validation: Samples, setup: Setup) -> None:
    """Warn of classes that only the part of the samples kept for validation has."""
    pairs = zip(setup.losses, samples.targets, validation.targets, strict=False)
    for loss, learned, judged in pairs:
        kind = "" if loss is None else loss.label_kind
        if kind not in {*_CLASSES, "binary"}:
            continue
        unseen = sorted(_classes(kind, judged) - _classes(kind, learned))
        if unseen:
            words = ", ".join(f"{number:g}" for number in unseen[:5])
            words += ", ..." if len(unseen) > 5 else ""
            _warn(
                f"validation_split keeps the last samples, and class {words} is only among them: "
                "it is never learned. Mix the rows first, as cp.data.train_test_split does"
            )


def _classes(kind: str, target: Array) -> set[Any]:
    """The classes that targets name, or that have a column of their own."""
    if kind == "index" or target.ndim < 2 or target.shape[-1] == 1:
        return set(np.unique(target).tolist())
    columns = np.any(target != 0, axis=tuple(range(target.ndim - 1)))
    return set(np.flatnonzero(columns).tolist())


def _warn(message: str) -> None:
    place = here()
    warnings.warn_explicit(message, UserWarning, place.file, place.line)


def _activation_of(layer: Layer | None) -> str:
    """``relu`` for a layer that ends with ClearProp's own; "" for what nobody registered."""
    if isinstance(layer, Softmax):
        return "softmax"
    return (registered_name(getattr(layer, "activation", None)) or "").rpartition(".")[2]
