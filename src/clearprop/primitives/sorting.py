"""Elements in ascending order, the order itself, and the greatest of them."""

from __future__ import annotations

import math

import numpy as np

from clearprop.dtypes import I64
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.primitive import Gradients, Primitive
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.checks import needs_axes
from clearprop.primitives.constants import zeros_like
from clearprop.primitives.indexing import add_along, take_along

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

# -- top_k --------------------------------------------------------------------


def top_k(x: Value, *, k: int) -> tuple[Value, Value]:
    """The k greatest elements of each row of the last axis, the greatest first; and where they are.

    NaN is greater than all numbers, as it is for ``sort`` and ``argmax``.  Of equal elements the
    one with the smaller index comes first.

    Shapes:
        x: (*S, n)  ->  (*S, k) and (*S, k) of i64

    Gradient:
        Each element of d_values goes back to where its number came from.
    """
    values, indices = TOP_K.apply_all(x, k=k)
    return values, indices


def _top_k_infer(x: TensorType, *, k: int) -> tuple[TensorType, TensorType]:
    if not x.shape:
        raise ShapeError("top_k: one number has no order", found=str(x), needed="at least one axis")
    if not 0 <= k <= x.shape[-1]:
        raise ArgumentError(
            f"top_k: there are no {k} greatest elements",
            found=f"k={k} for {x}",
            needed=f"0 <= k <= {x.shape[-1]}",
        )
    shape = (*x.shape[:-1], k)
    return TensorType(shape, x.dtype), TensorType(shape, I64)


def _top_k_meaning(x: Array, *, k: int) -> tuple[Array, Array]:
    # The ascending order of the reversed row, read from its end: equal elements keep their order.
    order = np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1][..., :k]
    indices = (x.shape[-1] - 1 - order).astype(I64, copy=False)
    return np.take_along_axis(x, indices, axis=-1), indices


def _top_k_gradient(
    d_outputs: tuple[Value | None, ...], outputs: tuple[Value, ...], x: Value, *, k: int
) -> Gradients:
    d_values, indices = d_outputs[0], outputs[1]
    if d_values is None:
        return (None,)
    return (add_along(zeros_like(x), indices, d_values, axis=len(x.shape) - 1),)


def _top_k_flops(x: TensorType, *, k: int) -> int:
    return x.size * max(1, math.ceil(math.log2(max(x.shape[-1], 1))))


TOP_K = Primitive(
    "top_k",
    infer=_top_k_infer,
    meaning=_top_k_meaning,
    gradient=_top_k_gradient,
    flops=_top_k_flops,
    multiple=True,
)
