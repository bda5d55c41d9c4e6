"""Samples: the arrays of a ``fit``, ``evaluate`` or ``predict``, read and checked before any work.

A model may have several inputs and outputs; here they are flat lists of arrays, in the model's
order, all with the samples along their first axis.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearprop.data.intake import as_array, check_data, check_same_length
from clearprop.errors import ArgumentError, ClearPropError, DataError, ShapeError
from clearprop.ir.place import here
from clearprop.ir.value import Array
from clearprop.text import did_you_mean


@dataclass(frozen=True)
class Samples:
    """What a model learns from, is judged by, or predicts for.

    Attributes:
        inputs: one array for each input of the model.
        targets: one for each output; empty when predicting.
        weights: for each output the weight of each sample, or None.
    """

    inputs: tuple[Array, ...]
    targets: tuple[Array, ...] = ()
    weights: tuple[Array | None, ...] = ()

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(self.inputs[0])

    @property
    def arrays(self) -> list[Array]:
        """All arrays: inputs, targets, and the weights that there are."""
        return [*self.inputs, *self.targets, *(w for w in self.weights if w is not None)]

    def rows(self, selection: slice | Array) -> Samples:
        """Some of the samples."""
        return Samples(
            tuple(array[selection] for array in self.inputs),
            tuple(array[selection] for array in self.targets),
            tuple(None if weight is None else weight[selection] for weight in self.weights),
        )

    def split_last(self, fraction: float) -> tuple[Samples, Samples]:
        """The first samples, and the last ``fraction`` of them (Keras's validation split)."""
        cut = int(self.count * (1 - fraction))
        if not 0 < cut < self.count:
            raise DataError(
                "fit: the validation split leaves one part without samples",
                found=f"validation_split={fraction} of {self.count} samples",
                needed="a fraction between 0 and 1 that leaves samples in both parts",
                at=str(here()),
            )
        return self.rows(slice(None, cut)), self.rows(slice(cut, None))

    def with_targets(self, targets: Sequence[Array]) -> Samples:
        """The same with other targets."""
        return replace(self, targets=tuple(targets))

    def digest(self) -> str:
        """A hash of all numbers, to tell whether a resumed training sees the same data."""
        digest = hashlib.sha256()
        for array in self.arrays:
            digest.update(repr((array.shape, array.dtype.str)).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def read_samples(
    x: Any,
    y: Any = None,
    *,
    input_names: Sequence[str],
    output_names: Sequence[str] = (),
    sample_weight: Any = None,
    class_weight: Mapping[int, float] | None = None,
) -> Samples:
    """The arrays that the user gave, as Samples.

    Args:
        x: one array, or a list in the model's order, or a dict by input name.
        y: the same for the outputs.
        input_names: the model's inputs.
        output_names: the model's outputs; empty when only inputs are needed.
        sample_weight: one number for each sample, or a list or dict of them by output.
        class_weight: for each class the weight of its samples; multiplies sample_weight.

    Raises:
        DataError: NaN, infinity, text, nothing at all; a missing or unknown input.
        ShapeError: different numbers of samples.
        ArgumentError: class weights for targets that are no classes.
    """
    try:
        return _read(x, y, input_names, output_names, sample_weight, class_weight)
    except ClearPropError as error:
        error.at = error.at or str(here())
        raise


def _read(
    x: Any,
    y: Any,
    input_names: Sequence[str],
    output_names: Sequence[str],
    sample_weight: Any,
    class_weight: Mapping[int, float] | None,
) -> Samples:
    inputs = _by_name(x, input_names, "x", "input")
    targets = _by_name(y, output_names, "y", "output") if output_names else {}
    for name, array in {**inputs, **targets}.items():
        check_data(array, name)
    weights = _weights(sample_weight, output_names)
    check_same_length(**inputs, **targets, **weights)
    folded = [
        _fold(weights.get(_weight_name(name, output_names)), target, class_weight)
        for name, target in zip(output_names, targets.values(), strict=True)
    ]
    return Samples(tuple(inputs.values()), tuple(targets.values()), tuple(folded))


def _by_name(given: Any, names: Sequence[str], argument: str, kind: str) -> dict[str, Array]:
    """The arrays in the model's order; keys are what error messages call them."""
    if isinstance(given, dict):
        for name in given:
            if name not in names:
                raise DataError(
                    f"Reading {argument}: the model has no {kind} called {name!r}",
                    found=f"{name!r}" + did_you_mean(name, names),
                    needed=", ".join(names),
                    at=str(here()),
                )
        missing = [name for name in names if name not in given]
        if missing:
            raise DataError(
                f"Reading {argument}: an {kind} of the model has no array",
                found=", ".join(given) or "an empty dict",
                needed=", ".join(names),
                at=str(here()),
            )
        return {f"{argument}[{name!r}]": as_array(given[name], argument) for name in names}
    if len(names) == 1:
        single = given[0] if _is_list_of_one_array(given) else given
        return {argument: as_array(single, argument)}
    if not isinstance(given, (list, tuple)) or len(given) != len(names):
        raise DataError(
            f"Reading {argument}: the model has {len(names)} {kind}s",
            found=f"{len(given)} arrays" if isinstance(given, (list, tuple)) else "one array",
            needed=f"a list of {len(names)} arrays in the order {', '.join(names)}, or a dict",
            at=str(here()),
        )
    return {
        f"{argument}[{number}]": as_array(part, f"{argument}[{number}]")
        for number, part in enumerate(given)
    }


def _is_list_of_one_array(given: Any) -> bool:
    return isinstance(given, (list, tuple)) and len(given) == 1 and isinstance(given[0], np.ndarray)


def _weight_name(output: str, outputs: Sequence[str]) -> str:
    return "sample_weight" if len(outputs) == 1 else f"sample_weight[{output!r}]"


def _weights(given: Any, outputs: Sequence[str]) -> dict[str, Array]:
    if given is None:
        return {}
    if isinstance(given, dict):
        parts = {name: given[name] for name in outputs if given.get(name) is not None}
    elif len(outputs) > 1 and isinstance(given, (list, tuple)) and len(given) == len(outputs):
        parts = {name: part for name, part in zip(outputs, given, strict=True) if part is not None}
    else:
        parts = dict.fromkeys(outputs, given)
    weights = {}
    for name, part in parts.items():
        argument = _weight_name(name, outputs)
        array = as_array(part, argument)
        check_data(array, argument)
        if array.ndim != 1:
            raise ShapeError(
                f"Reading {argument}: one number for each sample",
                found=f"shape {array.shape}",
                needed="shape (samples,)",
                at=str(here()),
            )
        weights[argument] = array.astype(np.float32)
    return weights


def _fold(
    weight: Array | None, target: Array, class_weight: Mapping[int, float] | None
) -> Array | None:
    """The weights of the samples times those of their classes."""
    if class_weight is None:
        return weight
    if not isinstance(class_weight, Mapping):
        raise ArgumentError(
            "fit: class_weight tells the weight of each class",
            found=f"class_weight={class_weight!r}"[:80],
            needed="a dict such as {0: 1.0, 1: 5.0}",
        )
    if target.ndim > 2 or not (target == np.floor(target)).all():
        raise ArgumentError(
            "fit: class_weight is for targets that are classes",
            found=f"targets of shape {target.shape}"
            if target.ndim > 2
            else f"targets such as {target[target != np.floor(target)][0].item():g}",
            needed="one class number or one row with a single 1 for each sample",
            try_="sample_weight=one number for each sample",
        )
    if target.ndim == 2 and target.shape[1] > 1:
        classes = np.argmax(target, axis=1)
    else:
        classes = target.reshape(len(target)).astype(np.int64)
    of_class = np.ones(len(classes), np.float32)
    for label, factor in class_weight.items():
        of_class[classes == label] = factor
    return of_class if weight is None else weight * of_class
