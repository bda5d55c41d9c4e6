"""Labels that a loss can work with, checked on the host before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from clearprop.errors import LabelError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Array

_SUM_TOLERANCE = 1e-3  # rows of probabilities in float32, rounded or smoothed, sum to nearly 1


def check_labels(
    kind: str, doing: str, y: Array, output_shape: Shape, options: Mapping[str, Any]
) -> None:
    """Refuse labels that are not of a kind.

    Args:
        kind: the ``label_kind`` of a loss.
        doing: who asks, for the message.
        y: the labels.
        output_shape: shape of the predictions, with the batch (its length may be None).
        options: ``axis`` and ``ignore_class`` of the loss, where it has them.

    Raises:
        LabelError: it names the index, the value and the range that is needed.
    """
    if kind in _RANGES:
        holds, needed, advice = _RANGES[kind]
        _refuse(doing, y, ~holds(y), needed, advice)
    elif kind == "index":
        axis = options.get("axis", -1)
        classes = output_shape[axis]
        _refuse_one_hot_rows(doing, y, output_shape)
        check_indices(doing, y, classes, ignore_class=options.get("ignore_class"))
    elif kind == "one_hot":
        _check_one_hot(doing, y, output_shape, options.get("axis", -1))
    elif kind == "hinge":
        _check_hinge(doing, y)
    elif kind == "sequence":
        check_indices(doing, y, output_shape[-1])


def check_indices(doing: str, y: Array, classes: int, *, ignore_class: int | None = None) -> None:
    """Refuse labels that are no class numbers from 0 up to ``classes``.

    Raises:
        LabelError: a label is no whole number, below 0, or too large.
    """
    good = (y >= 0) & (y < classes)
    if y.dtype.kind == "f":
        good &= y == np.floor(y)
    if ignore_class is not None:
        good |= y == ignore_class
    _refuse(doing, y, ~good, _whole_numbers_below(classes), _index_advice(y, classes))


def _whole_numbers_below(classes: int) -> str:
    return f"whole numbers from 0 to {classes - 1}, because there are {classes} classes"


def _index_advice(y: Array, classes: int) -> str:
    if classes == 1:
        return "with a single output: the loss binary_crossentropy, or two outputs"
    low, high = np.min(y), np.max(y)
    if low == 1 and high == classes:
        return "labels that count from 1: subtract 1"
    if low >= 0 and high == np.floor(high):
        return f"a last layer of {int(high) + 1} units, or labels that count from 0"
    return "labels that count the classes from 0"


def _refuse(doing: str, y: Array, bad: Array, needed: str, advice: str) -> None:
    """Raise for the first label that is bad, if there is one."""
    if not bad.any():
        return
    index = tuple(int(place) for place in np.argwhere(bad)[0])
    place = str(index[0] if len(index) == 1 else index)
    count = int(np.count_nonzero(bad))
    more = f" (and {count - 1:,} more like it)" if count > 1 else ""
    raise LabelError(
        f"{doing}: the label at index {place} cannot be used",
        found=f"{y[index].item()!r} at index {place}{more}",
        needed=needed,
        try_=advice,
        at=str(here()),
    )


# -- kinds that are ranges --------------------------------------------------------

_Range = tuple[Callable[[Array], Array], str, str]
_RANGES: Mapping[str, _Range] = MappingProxyType({
    "regression": (np.isfinite, "finite numbers", "leave rows without a target out"),
    "binary": (
        lambda y: (y >= 0) & (y <= 1),
        "0 or 1, or a probability between them",
        "labels of -1 and 1: (y + 1) / 2",
    ),
    "distribution": (
        lambda y: (y >= 0) & (y <= 1),
        "probabilities from 0 to 1",
        "divide each row by its sum",
    ),
    "nonnegative": (
        lambda y: (y >= 0) & np.isfinite(y),
        "numbers of 0 or more",
        "mean_squared_error for targets of any sign",
    ),
    "identity": (
        lambda y: y == np.floor(y),
        "whole numbers: which class each sample is of",
        "number the classes",
    ),
})


# -- kinds that are more -----------------------------------------------------------


def _check_one_hot(doing: str, y: Array, output_shape: Shape, axis: int) -> None:
    classes = output_shape[axis]
    if y.ndim < len(output_shape) or y.shape[axis] != classes:
        raise LabelError(
            f"{doing}: each sample needs a row of {classes} numbers, one for each class",
            found=f"labels of shape {y.shape}",
            needed=f"rows such as {[1] + [0] * (min(classes, 4) - 1)}: a 1 at the class",
            try_="the loss sparse_categorical_crossentropy, if the labels are class numbers",
            at=str(here()),
        )
    _refuse(
        doing,
        y,
        ~((y >= 0) & (y <= 1)),
        "0 or 1, or a probability between them",
        "one_hot(labels, classes)",
    )
    sums: Array = np.asarray(np.sum(y, axis=axis, dtype=np.float64))
    bad = np.abs(sums - 1) > _SUM_TOLERANCE
    if bad.any():
        index = tuple(int(place) for place in np.argwhere(bad)[0])
        place = str(index[0] if len(index) == 1 else index)
        raise LabelError(
            f"{doing}: the row of labels at index {place} does not sum to 1",
            found=f"a sum of {sums[index]:g} at index {place}",
            needed="rows that sum to 1: each sample is of one class",
            try_="binary_crossentropy with sigmoid outputs, if a sample may be of several classes",
            at=str(here()),
        )


def _check_hinge(doing: str, y: Array) -> None:
    needed, advice = "-1 or 1 (or 0 and 1 in all rows)", "2 * y - 1 for labels of 0 and 1"
    _refuse(doing, y, ~np.isin(y, (-1, 0, 1)), needed, advice)
    if (y == -1).any():
        _refuse(doing, y, y == 0, needed, "one way of writing labels for all rows")


def _refuse_one_hot_rows(doing: str, y: Array, output_shape: Shape) -> None:
    if y.ndim == len(output_shape) and y.shape[1:] == tuple(output_shape[1:]) and y.shape[-1] != 1:
        raise LabelError(
            f"{doing}: the labels are rows, one number for each class",
            found=f"labels of shape {y.shape}",
            needed=f"one class number for each sample: shape {y.shape[:-1]}",
            try_="the loss categorical_crossentropy, or y.argmax(axis=-1)",
            at=str(here()),
        )
