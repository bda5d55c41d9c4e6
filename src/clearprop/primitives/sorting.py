"""Elements in ascending order, and the order itself."""

from __future__ import annotations

import math

import numpy as np

from clearprop.dtypes import I64
from clearprop.ir.primitive import Gradients, Primitive
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.checks import needs_axes
from clearprop.primitives.indexing import take_along

# -- sort ---------------------------------------------------------------------


def sort(x: Value, *, axis: int) -> Value:
    """The elements of each row along ``axis`` in ascending order, NaN last.

    Shapes:
        x: S  ->  S

    Gradient:
        Each element of d_output goes back to where its number came from.
    """
    return SORT.apply(x, axis=axis)


def _sort_infer(x: TensorType, *, axis: int) -> TensorType:
    needs_axes("sort", x, (axis,))
    return x


def _sort_meaning(x: Array, *, axis: int) -> Array:
    return np.sort(x, axis, kind="stable")


def _sort_gradient(d_output: Value, output: Value, x: Value, *, axis: int) -> Gradients:
    # The order of the order is where each element went.
    went_to = argsort(argsort(x, axis=axis), axis=axis)
    return (take_along(d_output, went_to, axis=axis),)


def _sort_flops(x: TensorType, *, axis: int) -> int:
    return x.size * max(1, math.ceil(math.log2(max(x.shape[axis], 1))))


SORT = Primitive(
    "sort", infer=_sort_infer, meaning=_sort_meaning, gradient=_sort_gradient, flops=_sort_flops
)

# -- argsort ------------------------------------------------------------------


def argsort(x: Value, *, axis: int) -> Value:
    """The indices, i64, that put each row along ``axis`` in ascending order, NaN last.

    Equal elements keep their order.

    Shapes:
        x: S  ->  S
    """
    return ARGSORT.apply(x, axis=axis)


def _argsort_infer(x: TensorType, *, axis: int) -> TensorType:
    needs_axes("argsort", x, (axis,))
    return TensorType(x.shape, I64)


def _argsort_meaning(x: Array, *, axis: int) -> Array:
    return np.argsort(x, axis, kind="stable").astype(I64, copy=False)


ARGSORT = Primitive(
    "argsort", infer=_argsort_infer, meaning=_argsort_meaning, gradient=None, flops=_sort_flops
)
