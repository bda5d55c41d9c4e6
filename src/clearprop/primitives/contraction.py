"""Sums of products over shared axes: every matrix product, batched or not."""

from __future__ import annotations

import math
from itertools import chain

import numpy as np

from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.primitive import Gradients, Primitive
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.checks import needs_axes, needs_dtype, needs_kind
from clearprop.primitives.shape import transpose

Axes = tuple[int, ...]
AxesPair = tuple[Axes, Axes]


def dot_general(x: Value, y: Value, *, contract: AxesPair, batch: AxesPair) -> Value:
    """The sum of x * y over pairs of axes, for each index of pairs of batch axes.

    Args:
        x: any array.
        y: another of the same element type.
        contract: axes of x and axes of y that are multiplied and summed, pair by pair.
        batch: axes of x and axes of y that walk together and stay.

    Shapes:
        Output: (batch axes in their order, x's other axes, y's other axes).
        A matrix product (n, k), (k, m)  ->  (n, m) has contract ((1,), (0,)), batch ((), ()).

    Gradient:
        d_x = d_output times y over y's other axes,  d_y = x times d_output over x's other axes.

    Cost:
        2 * batch * rows * columns * contracted operations.
    """
    return DOT_GENERAL.apply(x, y, contract=contract, batch=batch)


def _dot_general_infer(
    x: TensorType, y: TensorType, *, contract: AxesPair, batch: AxesPair
) -> TensorType:
    for type_, side in ((x, 0), (y, 1)):
        needs_kind("dot_general", type_, "iuf")
        needs_axes("dot_general", type_, batch[side] + contract[side])
    needs_dtype("dot_general", "y", y, x.dtype)
    for what, (x_axes, y_axes) in (("contracted", contract), ("batch", batch)):
        if len(x_axes) != len(y_axes):
            raise ArgumentError(
                f"dot_general: each {what} axis of x needs one of y",
                found=f"axes {x_axes} of x, {y_axes} of y",
                needed="equally many",
            )
        for x_axis, y_axis in zip(x_axes, y_axes, strict=True):
            if x.shape[x_axis] != y.shape[y_axis]:
                raise ShapeError(
                    f"dot_general: {what} axes must be equally long",
                    found=f"x: {x}, y: {y}",
                    needed=f"axis {x_axis} of x and axis {y_axis} of y of one length",
                    try_="transpose one side, or check the number of features",
                )
    x_free, y_free = _free(x.shape, contract, batch, 0), _free(y.shape, contract, batch, 1)
    x_kept = (x.shape[axis] for axis in chain(batch[0], x_free))
    return TensorType((*x_kept, *(y.shape[axis] for axis in y_free)), x.dtype)


def _free(shape: Shape, contract: AxesPair, batch: AxesPair, side: int) -> Axes:
    """The axes that are neither contracted nor batched, in order."""
    used = contract[side] + batch[side]
    return tuple(axis for axis in range(len(shape)) if axis not in used)


def _dot_general_meaning(x: Array, y: Array, *, contract: AxesPair, batch: AxesPair) -> Array:
    x_free, y_free = _free(x.shape, contract, batch, 0), _free(y.shape, contract, batch, 1)
    batches = tuple(x.shape[axis] for axis in batch[0])
    rows = tuple(x.shape[axis] for axis in x_free)
    columns = tuple(y.shape[axis] for axis in y_free)
    contracted = math.prod(x.shape[axis] for axis in contract[0])
    # Transposing and reshaping two matrices gives views, which BLAS reads in place.
    x_matrix = x.transpose(batch[0] + x_free + contract[0])
    y_matrix = y.transpose(batch[1] + contract[1] + y_free)
    product = np.matmul(
        x_matrix.reshape(*batches, math.prod(rows), contracted),
        y_matrix.reshape(*batches, contracted, math.prod(columns)),
    )
    return np.asarray(product.reshape(batches + rows + columns))


def _dot_general_gradient(
    d_output: Value, output: Value, x: Value, y: Value, *, contract: AxesPair, batch: AxesPair
) -> Gradients:
    x_free, y_free = _free(x.shape, contract, batch, 0), _free(y.shape, contract, batch, 1)
    first_row = len(batch[0])
    first_column = first_row + len(x_free)
    d_batch = tuple(range(first_row))
    d_rows = tuple(range(first_row, first_column))
    d_columns = tuple(range(first_column, len(output.shape)))
    d_x = dot_general(d_output, y, contract=(d_columns, y_free), batch=(d_batch, batch[1]))
    d_y = dot_general(x, d_output, contract=(x_free, d_rows), batch=(batch[0], d_batch))
    # The contracted axes come out in the order of the *other* input's axes.
    x_contracted = _sorted_by(contract[0], contract[1])
    y_contracted = _sorted_by(contract[1], contract[0])
    return (
        _put_back(d_x, batch[0] + x_free + x_contracted),
        _put_back(d_y, batch[1] + y_contracted + y_free),
    )


def _sorted_by(axes: Axes, keys: Axes) -> Axes:
    return tuple(axis for _, axis in sorted(zip(keys, axes, strict=True)))


def _put_back(value: Value, axes: Axes) -> Value:
    """Axis k of ``value`` becomes axis ``axes[k]``."""
    order = tuple(axes.index(axis) for axis in range(len(axes)))
    return value if order == tuple(range(len(axes))) else transpose(value, order=order)


def _dot_general_flops(x: TensorType, y: TensorType, *, contract: AxesPair, batch: AxesPair) -> int:
    y_free = _free(y.shape, contract, batch, 1)
    return 2 * x.size * math.prod(y.shape[axis] for axis in y_free)


DOT_GENERAL = Primitive(
    "dot_general",
    infer=_dot_general_infer,
    meaning=_dot_general_meaning,
    gradient=_dot_general_gradient,
    flops=_dot_general_flops,
)
