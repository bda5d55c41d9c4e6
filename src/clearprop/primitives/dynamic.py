"""Blocks of an array whose place is a number itself: read, and written.

Each is the other's gradient.
"""

from __future__ import annotations

import numpy as np

from clearprop.dtypes import I64
from clearprop.errors import ArgumentError, LabelError, ShapeError
from clearprop.ir.primitive import Gradients, Primitive, no_flops
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.checks import needs_dtype, needs_one_per_axis
from clearprop.primitives.constants import zeros_like


def _needs_block(word: str, x: TensorType, starts: tuple[TensorType, ...], sizes: Shape) -> None:
    """Check that there is one start for each axis, and that the block can lie inside of x."""
    needs_one_per_axis(word, x, sizes=sizes)
    if len(starts) != len(x.shape):
        raise ArgumentError(
            f"{word}: each axis needs one start",
            found=f"{len(starts)} starts for {x}",
            needed=f"{len(x.shape)} starts",
        )
    for start in starts:
        needs_dtype(word, "a start", start, I64)
        if start.shape:
            raise ShapeError(
                f"{word}: a start must be one number",
                found=f"start: {start}",
                needed=str(TensorType((), I64)),
            )
    if any(not 0 <= size <= length for size, length in zip(sizes, x.shape, strict=True)):
        raise ShapeError(
            f"{word}: the block does not fit into the array",
            found=f"a block of {sizes} in {x}",
            needed="no axis longer than that of the array",
        )


def _block(word: str, x: Array, starts: tuple[Array, ...], sizes: Shape) -> tuple[slice, ...]:
    """Where the block lies."""
    for axis, (start, size, length) in enumerate(zip(starts, sizes, x.shape, strict=True)):
        if not 0 <= start <= length - size:
            raise LabelError(
                f"{word}: the block lies outside of axis {axis}",
                found=f"{size} elements from {start} on an axis of {length} elements",
                needed=f"a start from 0 to {length - size}",
            )
    return tuple(
        slice(int(start), int(start) + size) for start, size in zip(starts, sizes, strict=True)
    )


# -- dynamic_slice ------------------------------------------------------------


def dynamic_slice(x: Value, *starts: Value, sizes: Shape) -> Value:
    """The block of x that begins at ``starts``.

    Args:
        x: any array.
        starts: where the block begins, one number for each axis.
        sizes: how long it is on each axis.

    Shapes:
        x: S, starts: () of i64 each  ->  ``sizes``

    Gradient:
        d_x = zeros, in which the block is d_output.

    Raises:
        LabelError: the block does not lie inside of x (when the numbers are computed).
    """
    return DYNAMIC_SLICE.apply(x, *starts, sizes=sizes)


def _dynamic_slice_infer(x: TensorType, *starts: TensorType, sizes: Shape) -> TensorType:
    _needs_block("dynamic_slice", x, starts, sizes)
    return TensorType(sizes, x.dtype)


def _dynamic_slice_meaning(x: Array, *starts: Array, sizes: Shape) -> Array:
    return np.asarray(x[_block("dynamic_slice", x, starts, sizes)])


def _dynamic_slice_gradient(
    d_output: Value, output: Value, x: Value, *starts: Value, sizes: Shape
) -> Gradients:
    return dynamic_update(zeros_like(x), d_output, *starts), *(None for _ in starts)


DYNAMIC_SLICE = Primitive(
    "dynamic_slice",
    infer=_dynamic_slice_infer,
    meaning=_dynamic_slice_meaning,
    gradient=_dynamic_slice_gradient,
    flops=no_flops,
)

# -- dynamic_update -----------------------------------------------------------


def dynamic_update(x: Value, update: Value, *starts: Value) -> Value:
    """x with the block that begins at ``starts`` replaced.

    Args:
        x: any array.
        update: the new block.
        starts: where the block begins, one number for each axis.

    Shapes:
        x: S, update: no axis longer than in S, starts: () of i64 each  ->  S

    Gradient:
        d_x = d_output with zeros in the block;  d_update = the block of d_output.

    Raises:
        LabelError: the block does not lie inside of x (when the numbers are computed).
    """
    return DYNAMIC_UPDATE.apply(x, update, *starts)


def _dynamic_update_infer(x: TensorType, update: TensorType, *starts: TensorType) -> TensorType:
    needs_dtype("dynamic_update", "the update", update, x.dtype)
    if len(update.shape) != len(x.shape):
        raise ShapeError(
            "dynamic_update: the update needs as many axes as the array",
            found=f"x: {x}, update: {update}",
            needed=f"{len(x.shape)} axes",
        )
    _needs_block("dynamic_update", x, starts, update.shape)
    return x


def _dynamic_update_meaning(x: Array, update: Array, *starts: Array) -> Array:
    return _dynamic_update_overwrite(np.array(x), update, *starts)


def _dynamic_update_overwrite(x: Array, update: Array, *starts: Array) -> Array:
    x[_block("dynamic_update", x, starts, update.shape)] = update
    return x


def _dynamic_update_gradient(
    d_output: Value, output: Value, x: Value, update: Value, *starts: Value
) -> Gradients:
    d_x = dynamic_update(d_output, zeros_like(update), *starts)
    d_update = dynamic_slice(d_output, *starts, sizes=update.shape)
    return d_x, d_update, *(None for _ in starts)


DYNAMIC_UPDATE = Primitive(
    "dynamic_update",
    infer=_dynamic_update_infer,
    meaning=_dynamic_update_meaning,
    gradient=_dynamic_update_gradient,
    flops=no_flops,
    overwrite=_dynamic_update_overwrite,
)
