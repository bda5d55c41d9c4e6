"""Limits on gradients, so that one bad batch cannot throw the weights far away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from clearprop import ops
from clearprop.dtypes import F64
from clearprop.ir.value import Value


def clip_to_norm(gradient: Value, limit: Value) -> Value:
    """A gradient made shorter to length ``limit`` if it is longer.

    Shapes:
        gradient: S, limit: ()  ->  S
    """
    limit = ops.cast(limit, gradient.dtype)
    length = ops.sqrt(ops.sum(ops.square(gradient)))
    return ops.multiply(gradient, ops.divide(limit, ops.maximum(length, limit)))


def clip_to_global_norm(gradients: Sequence[Value], limit: Value) -> list[Value]:
    """Gradients made shorter by one factor if all of them together are longer than ``limit``.

    If their length is not finite, they all become NaN, so that it is noticed.

    Shapes:
        gradients: S each, limit: ()  ->  S each
    """
    if not gradients:
        return []
    limit = ops.cast(limit, F64)
    squares = [ops.cast(ops.sum(ops.square(gradient)), F64) for gradient in gradients]
    length = ops.sqrt(reduce(ops.add, squares))
    factor = ops.divide(limit, ops.maximum(length, limit))
    factor = ops.where(ops.isfinite(length), factor, float("nan"))
    return [ops.multiply(gradient, ops.cast(factor, gradient.dtype)) for gradient in gradients]


def clip_to_value(gradient: Value, limit: Value) -> Value:
    """A gradient whose elements are moved to between -limit and limit.

    Shapes:
        gradient: S, limit: ()  ->  S
    """
    limit = ops.cast(limit, gradient.dtype)
    return ops.clip(gradient, ops.negative(limit), limit)
