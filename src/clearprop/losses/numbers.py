"""Pieces of formulas that several losses share, each safe for all numbers."""

from __future__ import annotations

from clearprop import ops
from clearprop.ir.value import Value

EPSILON = 1e-7  # how near probabilities may come to 0 and 1: Keras's


def inside_unit(p: Value) -> Value:
    """Probabilities kept away from 0 and 1, where logarithms end.

    Shapes:
        p: S  ->  S
    """
    return ops.clip(p, EPSILON, 1 - EPSILON)


def normalized(p: Value, axis: int) -> Value:
    """Probabilities that sum to 1 along an axis, kept away from 0 and 1.

    Shapes:
        p: S  ->  S
    """
    return inside_unit(ops.divide(p, ops.sum(p, axis=axis, keepdims=True)))


def log_probabilities(y_pred: Value, axis: int, *, from_logits: bool) -> Value:
    """The logarithms of the classes' probabilities.

    Shapes:
        y_pred: S  ->  S
    """
    if from_logits:
        return ops.log_softmax(y_pred, axis=axis)
    return ops.log(normalized(y_pred, axis))


def direction(x: Value, axis: int) -> Value:
    """x divided by its length; a vector of zeros stays one.

    Shapes:
        x: S  ->  S
    """
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return ops.multiply(x, ops.rsqrt(ops.maximum(squares, EPSILON**2)))


def smoothed(y_true: Value, label_smoothing: float, classes: int) -> Value:
    """One-hot labels that leave a share for all classes alike.

    Shapes:
        y_true: S  ->  S
    """
    if not label_smoothing:
        return y_true
    kept = ops.multiply(y_true, 1.0 - label_smoothing)
    return ops.add(kept, label_smoothing / classes)
