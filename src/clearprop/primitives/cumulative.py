"""Running sums."""

from __future__ import annotations

import numpy as np

from clearprop.ir.primitive import Gradients, Primitive, one_flop_per_element
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.checks import needs_axes, needs_kind


def cumulative_sum(x: Value, *, axis: int, reverse: bool = False) -> Value:
    """For each element the sum of those before it on ``axis``, and itself.

    Args:
        x: any array of numbers.
        axis: along which the sum runs.
        reverse: whether it runs from the end to the start.

    Shapes:
        x: S  ->  S

    Gradient:
        The running sum of d_output in the other direction.
    """
    return CUMULATIVE_SUM.apply(x, axis=axis, reverse=reverse)


def _cumulative_sum_infer(x: TensorType, *, axis: int, reverse: bool) -> TensorType:
    needs_axes("cumulative_sum", x, (axis,))
    return needs_kind("cumulative_sum", x, "iuf")


def _cumulative_sum_meaning(x: Array, *, axis: int, reverse: bool) -> Array:
    if reverse:
        return np.flip(np.cumsum(np.flip(x, axis), axis, dtype=x.dtype), axis)
    return np.cumsum(x, axis, dtype=x.dtype)


def _cumulative_sum_gradient(
    d_output: Value, output: Value, x: Value, *, axis: int, reverse: bool
) -> Gradients:
    return (cumulative_sum(d_output, axis=axis, reverse=not reverse),)


CUMULATIVE_SUM = Primitive(
    "cumulative_sum",
    infer=_cumulative_sum_infer,
    meaning=_cumulative_sum_meaning,
    gradient=_cumulative_sum_gradient,
    flops=one_flop_per_element,
)
