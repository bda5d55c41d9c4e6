"""Running sums and products."""

from __future__ import annotations

import numpy as np

from clearprop.ir.primitive import Gradients, Primitive, one_flop_per_element
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.arithmetic import add, multiply
from clearprop.primitives.checks import needs_axes, needs_kind
from clearprop.primitives.constants import scalar_like
from clearprop.primitives.shape import pad, slice_

# -- cumulative_sum -----------------------------------------------------------


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

# -- cumulative_product -------------------------------------------------------


def cumulative_product(x: Value, *, axis: int, reverse: bool = False) -> Value:
    """For each element the product of those before it on ``axis``, and itself.

    Args:
        x: any array of numbers.
        axis: along which the product runs.
        reverse: whether it runs from the end to the start.

    Shapes:
        x: S  ->  S

    Gradient:
        An element is a factor of its own product and of all later ones: d_x = (product of the
        elements before) * (sum of the later d_output times the elements in between), without a
        division: right for zeros too.
    """
    return CUMULATIVE_PRODUCT.apply(x, axis=axis, reverse=reverse)


def _cumulative_product_infer(x: TensorType, *, axis: int, reverse: bool) -> TensorType:
    needs_axes("cumulative_product", x, (axis,))
    return needs_kind("cumulative_product", x, "iuf")


def _cumulative_product_meaning(x: Array, *, axis: int, reverse: bool) -> Array:
    if reverse:
        return np.flip(np.cumprod(np.flip(x, axis), axis, dtype=x.dtype), axis)
    return np.cumprod(x, axis, dtype=x.dtype)


def _cumulative_product_gradient(
    d_output: Value, output: Value, x: Value, *, axis: int, reverse: bool
) -> Gradients:
    later = 1 if reverse else -1  # a shift by this brings each element its later neighbor
    # The sums obey total[i] = d_output[i] + x[i + 1] * total[i + 1]: in each round every element
    # takes in twice as many of those after it.
    total, factor, step = d_output, shifted(x, later, axis=axis, fill=1), 1
    while step < x.shape[axis]:
        total = add(total, multiply(factor, shifted(total, later * step, axis=axis, fill=0)))
        factor = multiply(factor, shifted(factor, later * step, axis=axis, fill=1))
        step *= 2
    before = shifted(output, -later, axis=axis, fill=1)
    return (multiply(before, total),)


CUMULATIVE_PRODUCT = Primitive(
    "cumulative_product",
    infer=_cumulative_product_infer,
    meaning=_cumulative_product_meaning,
    gradient=_cumulative_product_gradient,
    flops=one_flop_per_element,
)

# -- shifted: not a word of its own -------------------------------------------


def shifted(x: Value, step: int, *, axis: int, fill: float) -> Value:
    """x moved along an axis, by ``step`` places to the end (or to the front, if negative).

    Args:
        x: any array.
        step: by how many places.
        axis: along which axis.
        fill: what stands where nothing was moved to.

    Shapes:
        x: S  ->  S
    """
    rank, size = len(x.shape), x.shape[axis]
    cut, gap = min(max(-step, 0), size), min(max(step, 0), size)

    def here(number: int) -> tuple[int, ...]:
        return tuple(number if each == axis else 0 for each in range(rank))

    stops = tuple(size - gap if each == axis else x.shape[each] for each in range(rank))
    kept = slice_(x, starts=here(cut), stops=stops, strides=(1,) * rank)
    border = scalar_like(fill, x)
    return pad(kept, border, low=here(gap), high=here(cut), interior=(0,) * rank)
