"""How the shapes of targets and predictions must fit: a loss broadcasts nothing silently."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, TypeVar

import numpy as np

from clearprop import ops
from clearprop.dtypes import I32
from clearprop.errors import ShapeError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Array, Value
from clearprop.losses.labels import check_indices
from clearprop.ops.lift import ArrayLike, lift, lift_float

_FLATTEN = "put Flatten() before the last Dense, which works on the last axis alone"
_Numbers = TypeVar("_Numbers", bound="Value | Array")


def paired(doing: str, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Value, Value]:
    """Targets and predictions as Values of one shape and one floating-point type.

    Shapes:
        y_true: S, y_pred: S  ->  S, S

    Raises:
        ShapeError: the shapes differ.
    """
    target, prediction = lift(y_true)[0], lift_float(y_pred)
    check_same_shape(doing, target.shape, prediction.shape)
    return ops.cast(target, prediction.dtype), prediction


def check_same_shape(doing: str, y_true: Shape, y_pred: Shape) -> None:
    """Refuse targets and predictions of different shapes.

    Raises:
        ShapeError: it tells what broadcasting would have made of them, and what to try.
    """
    if y_true == y_pred:
        return
    found = f"y_true: {y_true}, y_pred: {y_pred}"
    with suppress(ValueError):
        found += f"; together they would broadcast to {np.broadcast_shapes(y_true, y_pred)}"
    raise ShapeError(
        f"{doing}: targets and predictions have different shapes",
        found=found,
        needed="equal shapes: one target for each prediction",
        try_=_advice(y_true, y_pred),
        at=str(here()),
    )


def _has_axes_left(y_true: Shape, needed: Shape) -> bool:
    """Whether predictions still have axes of the input, which targets do not have."""
    return 0 < len(y_true) < len(needed) and y_true[0] == needed[0]


def _advice(y_true: Shape, y_pred: Shape) -> str:
    if np.prod(y_true) == np.prod(y_pred):
        return f"y_true.reshape{y_pred}"
    if y_true in {y_pred[:-1], (*y_pred[:-1], 1)}:
        return (
            "if the targets are class numbers: the loss sparse_categorical_crossentropy; "
            "else check the units of the last layer"
        )
    if _has_axes_left(y_true, y_pred):
        return _FLATTEN
    return "check the units of the last layer, and which columns are the targets"


def match_target_rank(y_true: _Numbers, y_pred: Any) -> _Numbers:
    """The targets with the last axis of length 1 that the predictions have, or without it.

    Targets (n,) for predictions (n, 1) become (n, 1), and the other way round; nothing else
    changes, because nothing else has one meaning only.

    Args:
        y_true: the targets, an array or a Value.
        y_pred: the predictions, or anything else with their ``shape``.

    Shapes:
        y_true: S, y_pred: (*S, 1)  ->  (*S, 1);  y_true: (*S, 1), y_pred: S  ->  S

    Example:
        >>> import numpy as np
        >>> match_target_rank(np.zeros(5), np.zeros((5, 1))).shape
        (5, 1)
    """
    given: Shape = tuple(y_true.shape)
    needed: Shape = tuple(y_pred.shape)
    new: Shape
    if len(given) + 1 == len(needed) and needed[-1] == 1:
        new = (*given, 1)
    elif len(given) == len(needed) + 1 and given[-1] == 1:
        new = given[:-1]
    else:
        return y_true
    if isinstance(y_true, np.ndarray):
        return y_true.reshape(new)  # type: ignore[return-value]
    return ops.reshape(y_true, new)  # type: ignore[return-value]


def without_axis(shape: Shape, axis: int) -> Shape:
    """The shape without one of its axes."""
    place = axis % len(shape)
    return (*shape[:place], *shape[place + 1 :])


def check_index_shape(doing: str, y_true: Shape, y_pred: Shape, axis: int = -1) -> None:
    """Refuse labels that are not one class number for each row of predictions.

    Raises:
        ShapeError: the shape is neither that of y_pred without its classes, nor with 1 class.
    """
    needed = without_axis(y_pred, axis) if y_pred else ()
    if y_true == needed:
        return
    if len(y_true) == len(y_pred) and y_true[axis] == 1 and without_axis(y_true, axis) == needed:
        return
    advice = "check that targets and predictions are of the same samples"
    if y_true == y_pred:
        advice = (
            "one-hot rows are for categorical_crossentropy; y_true.argmax(axis=-1) gives numbers"
        )
    elif len(y_true) > len(y_pred):
        advice = "y_true comes first, then y_pred"
    elif _has_axes_left(y_true, needed):
        advice = _FLATTEN
    raise ShapeError(
        f"{doing}: there must be one class number for each row of predictions",
        found=f"y_true: {y_true}, y_pred: {y_pred}",
        needed=f"y_true: {needed}",
        try_=advice,
        at=str(here()),
    )


def class_indices(
    doing: str,
    y_true: ArrayLike,
    y_pred: Value,
    axis: int = -1,
    *,
    ignore_class: int | None = None,
) -> Value:
    """Class numbers in i32, one for each row of predictions; those that are known are checked.

    Shapes:
        y_true: S or (*S, 1), y_pred: (*S, classes)  ->  i32 S

    Raises:
        ShapeError: the shapes do not fit.
        LabelError: a label whose number is known lies outside of the classes.
    """
    labels = lift(y_true)[0]
    check_index_shape(doing, labels.shape, y_pred.shape, axis)
    if labels.array is not None:
        check_indices(doing, labels.array, y_pred.shape[axis], ignore_class=ignore_class)
    shape = without_axis(y_pred.shape, axis)
    if labels.shape != shape:
        labels = ops.reshape(labels, shape)
    return ops.cast(labels, I32)
