"""Many elements into one: the greatest, the least, the product, and where the greatest is.

(The sum is in ``spread``, beside its gradient.)
"""

from __future__ import annotations

import math

import numpy as np

from clearprop.dtypes import I64
from clearprop.errors import ShapeError
from clearprop.ir.primitive import Gradients, Primitive, one_flop_per_element
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.arithmetic import divide, multiply
from clearprop.primitives.checks import ANY_KIND, needs_axes, needs_kind
from clearprop.primitives.comparison import equal
from clearprop.primitives.constants import zeros_like
from clearprop.primitives.convert import cast
from clearprop.primitives.cumulative import cumulative_product, shifted
from clearprop.primitives.selection import select
from clearprop.primitives.shape import reshape, transpose
from clearprop.primitives.spread import broadcast_to, reduce_sum

Axes = tuple[int, ...]


def _without_axes(word: str, x: TensorType, axes: Axes) -> TensorType:
    needs_axes(word, x, axes)
    kept = tuple(size for axis, size in enumerate(x.shape) if axis not in axes)
    return TensorType(kept, x.dtype)


def _needs_elements(word: str, x: TensorType, axes: Axes) -> None:
    for axis in axes:
        if x.shape[axis] == 0:
            raise ShapeError(
                f"{word}: no elements to choose from on axis {axis}",
                found=str(x),
                needed="at least one element on each reduced axis",
                try_="check whether the data or the batch is empty",
            )


# -- reduce_max, reduce_min ---------------------------------------------------


def reduce_max(x: Value, *, axes: Axes) -> Value:
    """The greatest element over some axes, which disappear; NaN where one is NaN.

    For booleans: whether any is true.

    Shapes:
        x: S  ->  S without ``axes``

    Gradient:
        d_output goes to the greatest element, in equal parts to equal ones.

    Raises:
        ShapeError: one of the axes has no elements.
    """
    return REDUCE_MAX.apply(x, axes=axes)


def _reduce_max_infer(x: TensorType, *, axes: Axes) -> TensorType:
    output = _without_axes("reduce_max", x, axes)
    _needs_elements("reduce_max", x, axes)
    return output


def _reduce_max_meaning(x: Array, *, axes: Axes) -> Array:
    return np.asarray(np.max(x, axis=axes))


def reduce_min(x: Value, *, axes: Axes) -> Value:
    """The least element over some axes, which disappear; NaN where one is NaN.

    For booleans: whether all are true.

    Shapes:
        x: S  ->  S without ``axes``

    Gradient:
        d_output goes to the least element, in equal parts to equal ones.

    Raises:
        ShapeError: one of the axes has no elements.
    """
    return REDUCE_MIN.apply(x, axes=axes)


def _reduce_min_infer(x: TensorType, *, axes: Axes) -> TensorType:
    output = _without_axes("reduce_min", x, axes)
    _needs_elements("reduce_min", x, axes)
    return output


def _reduce_min_meaning(x: Array, *, axes: Axes) -> Array:
    return np.asarray(np.min(x, axis=axes))


def _to_winners(d_output: Value, output: Value, x: Value, *, axes: Axes) -> Gradients:
    wins = equal(x, broadcast_to(output, shape=x.shape, new_axes=axes))
    winners = reduce_sum(cast(wins, dtype=x.dtype), axes=axes)
    share = broadcast_to(divide(d_output, winners), shape=x.shape, new_axes=axes)
    return (select(wins, share, zeros_like(x)),)


REDUCE_MAX = Primitive(
    "reduce_max",
    infer=_reduce_max_infer,
    meaning=_reduce_max_meaning,
    gradient=_to_winners,
    flops=one_flop_per_element,
)
REDUCE_MIN = Primitive(
    "reduce_min",
    infer=_reduce_min_infer,
    meaning=_reduce_min_meaning,
    gradient=_to_winners,
    flops=one_flop_per_element,
)

# -- reduce_prod --------------------------------------------------------------


def reduce_prod(x: Value, *, axes: Axes) -> Value:
    """The product over some axes, which disappear; the element type stays, 1 for no elements.

    Shapes:
        x: S  ->  S without ``axes``

    Gradient:
        d_x = d_output times the product of all *other* elements, without a division: right for
        zeros too.
    """
    return REDUCE_PROD.apply(x, axes=axes)


def _reduce_prod_infer(x: TensorType, *, axes: Axes) -> TensorType:
    return _without_axes("reduce_prod", needs_kind("reduce_prod", x, "iuf"), axes)


def _reduce_prod_meaning(x: Array, *, axes: Axes) -> Array:
    return np.asarray(np.prod(x, axis=axes, dtype=x.dtype))


def _reduce_prod_gradient(d_output: Value, output: Value, x: Value, *, axes: Axes) -> Gradients:
    # All reduced axes become one, the last: (rows, n).
    order = tuple(axis for axis in range(len(x.shape)) if axis not in axes) + axes
    moved = transpose(x, order=order)
    rows = reshape(moved, shape=(output.type.size, math.prod(x.shape[axis] for axis in axes)))
    before = shifted(cumulative_product(rows, axis=1), 1, axis=1, fill=1)
    after = shifted(cumulative_product(rows, axis=1, reverse=True), -1, axis=1, fill=1)
    others = multiply(before, after)
    back = tuple(order.index(axis) for axis in range(len(order)))
    factor = transpose(reshape(others, shape=moved.shape), order=back)
    return (multiply(broadcast_to(d_output, shape=x.shape, new_axes=axes), factor),)


REDUCE_PROD = Primitive(
    "reduce_prod",
    infer=_reduce_prod_infer,
    meaning=_reduce_prod_meaning,
    gradient=_reduce_prod_gradient,
    flops=one_flop_per_element,
)

# -- argmax, argmin -----------------------------------------------------------


def argmax(x: Value, *, axis: int) -> Value:
    """Where the greatest element of an axis is: the first index, i64; a NaN beats all.

    Shapes:
        x: S  ->  S without ``axis``

    Raises:
        ShapeError: the axis has no elements.
    """
    return ARGMAX.apply(x, axis=axis)


def _argmax_infer(x: TensorType, *, axis: int) -> TensorType:
    output = _without_axes("argmax", needs_kind("argmax", x, ANY_KIND), (axis,))
    _needs_elements("argmax", x, (axis,))
    return TensorType(output.shape, I64)


def _argmax_meaning(x: Array, *, axis: int) -> Array:
    return np.asarray(np.argmax(x, axis), I64)


def argmin(x: Value, *, axis: int) -> Value:
    """Where the least element of an axis is: the first index, i64; a NaN beats all.

    Shapes:
        x: S  ->  S without ``axis``

    Raises:
        ShapeError: the axis has no elements.
    """
    return ARGMIN.apply(x, axis=axis)


def _argmin_infer(x: TensorType, *, axis: int) -> TensorType:
    output = _without_axes("argmin", needs_kind("argmin", x, ANY_KIND), (axis,))
    _needs_elements("argmin", x, (axis,))
    return TensorType(output.shape, I64)


def _argmin_meaning(x: Array, *, axis: int) -> Array:
    return np.asarray(np.argmin(x, axis), I64)


ARGMAX = Primitive(
    "argmax",
    infer=_argmax_infer,
    meaning=_argmax_meaning,
    gradient=None,
    flops=one_flop_per_element,
)
ARGMIN = Primitive(
    "argmin",
    infer=_argmin_infer,
    meaning=_argmin_meaning,
    gradient=None,
    flops=one_flop_per_element,
)
