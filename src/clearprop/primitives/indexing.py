"""Reading and writing at places that are numbers themselves."""

from __future__ import annotations

import numpy as np

from clearprop.dtypes import I64, DType
from clearprop.errors import LabelError, ShapeError
from clearprop.ir.primitive import Gradients, Primitive, no_flops
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.arithmetic import add, multiply
from clearprop.primitives.checks import needs_axes, needs_dtype, needs_kind
from clearprop.primitives.constants import constant_like, zeros_like
from clearprop.primitives.convert import cast
from clearprop.primitives.shape import reshape, transpose

# -- iota ---------------------------------------------------------------------


def iota(like: Value, *, shape: Shape, axis: int, dtype: DType) -> Value:
    """0, 1, 2, ... along one axis, repeated along the others.

    Args:
        like: a value of the class that the result shall have; its numbers play no part.
        shape: shape of the result.
        axis: along which it counts.
        dtype: element type of the result (integers wrap around).

    Shapes:
        Output: ``shape``
    """
    return IOTA.apply_all(like=like, shape=shape, axis=axis, dtype=dtype)[0]


def _iota_infer(*, shape: Shape, axis: int, dtype: DType) -> TensorType:
    output = needs_kind("iota", TensorType(shape, dtype), "iuf")
    needs_axes("iota", output, (axis,))
    return output


def _iota_meaning(*, shape: Shape, axis: int, dtype: DType) -> Array:
    count = np.arange(shape[axis]).astype(dtype)
    others = tuple(each for each in range(len(shape)) if each != axis)
    return np.broadcast_to(np.expand_dims(count, others), shape)


IOTA = Primitive("iota", infer=_iota_infer, meaning=_iota_meaning, gradient=None, flops=no_flops)

# -- gather and scatter_add: each is the other's gradient -----------------------


def gather(x: Value, indices: Value, *, axis: int) -> Value:
    """The slices of x that lie at ``indices`` on ``axis``.

    Shapes:
        x: (*before, n, *after), indices: I of integers  ->  (*before, *I, *after)

    Gradient:
        d_x = zeros, to which each slice of d_output is added where it came from.

    Raises:
        LabelError: an index is not in 0 ... n - 1 (when the numbers are computed).
    """
    return GATHER.apply(x, indices, axis=axis)


def _gather_infer(x: TensorType, indices: TensorType, *, axis: int) -> TensorType:
    needs_axes("gather", x, (axis,))
    needs_kind("gather", indices, "iu")
    return TensorType(x.shape[:axis] + indices.shape + x.shape[axis + 1 :], x.dtype)


def _gather_meaning(x: Array, indices: Array, *, axis: int) -> Array:
    return np.asarray(np.take(x, _checked("gather", x, indices, axis), axis))


def _gather_gradient(
    d_output: Value, output: Value, x: Value, indices: Value, *, axis: int
) -> Gradients:
    return scatter_add(zeros_like(x), indices, d_output, axis=axis), None


def _checked(word: str, x: Array, indices: Array, axis: int) -> Array:
    """The indices, when all lie on the axis."""
    size = x.shape[axis]
    outside = (indices < 0) | (indices >= size)
    if np.any(outside):
        raise LabelError(
            f"{word}: an index lies outside of axis {axis}",
            found=f"index {np.extract(outside, indices)[0]} on an axis of {size} elements",
            needed=f"0 to {size - 1}" if size else "no indices at all",
            try_="check that labels count from 0 and that the table is large enough",
        )
    return indices.astype(np.intp, copy=False)


GATHER = Primitive(
    "gather",
    infer=_gather_infer,
    meaning=_gather_meaning,
    gradient=_gather_gradient,
    flops=no_flops,
)


def scatter_add(x: Value, indices: Value, updates: Value, *, axis: int) -> Value:
    """x, with slices added at ``indices`` on ``axis``; an index that occurs twice adds twice.

    Shapes:
        x: (*before, n, *after), indices: I of integers, updates: (*before, *I, *after)
        ->  the shape of x

    Gradient:
        d_x = d_output;  d_updates = the slices of d_output at ``indices``.

    Raises:
        LabelError: an index is not in 0 ... n - 1 (when the numbers are computed).
    """
    return SCATTER_ADD.apply(x, indices, updates, axis=axis)


def _scatter_add_infer(
    x: TensorType, indices: TensorType, updates: TensorType, *, axis: int
) -> TensorType:
    needs_kind("scatter_add", x, "iuf")
    needs_axes("scatter_add", x, (axis,))
    needs_kind("scatter_add", indices, "iu")
    needs_dtype("scatter_add", "updates", updates, x.dtype)
    needed = x.shape[:axis] + indices.shape + x.shape[axis + 1 :]
    if updates.shape != needed:
        raise ShapeError(
            "scatter_add: the updates do not fit",
            found=f"x: {x}, indices: {indices}, updates: {updates}",
            needed=f"updates: {TensorType(needed, x.dtype)}",
        )
    return x


def _scatter_add_meaning(x: Array, indices: Array, updates: Array, *, axis: int) -> Array:
    return _scatter_add_overwrite(x.copy(), indices, updates, axis=axis)


def _scatter_add_overwrite(x: Array, indices: Array, updates: Array, *, axis: int) -> Array:
    places = _checked("scatter_add", x, indices, axis).reshape(-1)
    if updates.size == 0:
        return x
    # (places, one row for each): the axis and the axes of the indices come first.
    rows = np.moveaxis(updates, range(axis, axis + indices.ndim), range(indices.ndim)).reshape(
        len(places), -1
    )
    # Rows of one place side by side, in the order given, so that the sum is always the same.
    order = np.argsort(places, kind="stable")
    places = places[order]
    first = np.flatnonzero(np.diff(places, prepend=-1))
    sums = np.add.reduceat(rows[order], first, axis=0, dtype=x.dtype)
    target = np.moveaxis(x, axis, 0)
    target[places[first]] += sums.reshape(len(first), *target.shape[1:])
    return x


def _scatter_add_gradient(
    d_output: Value, output: Value, x: Value, indices: Value, updates: Value, *, axis: int
) -> Gradients:
    return d_output, None, gather(d_output, indices, axis=axis)


def _scatter_add_flops(
    x: TensorType, indices: TensorType, updates: TensorType, *, axis: int
) -> int:
    return updates.size


SCATTER_ADD = Primitive(
    "scatter_add",
    infer=_scatter_add_infer,
    meaning=_scatter_add_meaning,
    gradient=_scatter_add_gradient,
    flops=_scatter_add_flops,
    overwrite=_scatter_add_overwrite,
)

# -- along an axis: not words of their own, but sentences many use ------------------


def take_along(x: Value, indices: Value, *, axis: int) -> Value:
    """For each row of x along ``axis`` the elements at its own row of ``indices``.

    Shapes:
        x: (*before, n, *after), indices: (*before, m, *after) of integers
        ->  the shape of ``indices``
    """
    last, back = _axis_last(x, axis)
    if indices.shape[axis] and x.shape[axis] == 0:
        raise ShapeError(
            f"take_along: there is nothing on axis {axis} to take from",
            found=f"x: {x.type}, indices: {indices.type}",
            needed="an axis with elements",
        )
    places = transpose(indices, order=last)
    line = reshape(transpose(x, order=last), shape=(x.type.size,))
    taken = gather(line, _places_in_line(places, x.shape[axis]), axis=0)
    return transpose(reshape(taken, shape=places.shape), order=back)


def add_along(x: Value, indices: Value, updates: Value, *, axis: int) -> Value:
    """x, with updates added in each row along ``axis`` at its own row of ``indices``.

    Shapes:
        x: (*before, n, *after), indices: (*before, m, *after) of integers,
        updates: as indices  ->  the shape of x
    """
    last, back = _axis_last(x, axis)
    rows = transpose(x, order=last)
    places = _places_in_line(transpose(indices, order=last), x.shape[axis])
    added = reshape(transpose(updates, order=last), shape=places.shape)
    line = scatter_add(reshape(rows, shape=(x.type.size,)), places, added, axis=0)
    return transpose(reshape(line, shape=rows.shape), order=back)


def _axis_last(x: Value, axis: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The order of axes that brings one to the end, and the order that brings it back."""
    rank = len(x.shape)
    last = (*(each for each in range(rank) if each != axis), axis)
    return last, tuple(last.index(each) for each in range(rank))


def _places_in_line(places: Value, size: int) -> Value:
    """Index i of row r is element r * size + i of all rows in one line."""
    count = places.shape[-1]
    rows = (places.type.size // count if count else 0, count)
    row = iota(places, shape=rows, axis=0, dtype=I64)
    starts = multiply(row, constant_like(size, row))
    return add(starts, reshape(cast(places, dtype=I64), shape=rows))
