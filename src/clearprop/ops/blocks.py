"""Blocks of an array whose place is computed: read, and written."""

from __future__ import annotations

from collections.abc import Sequence

from clearprop import primitives as p
from clearprop.dtypes import I64
from clearprop.errors import ArgumentError, DTypeError, ShapeError
from clearprop.ir.types import Shape
from clearprop.ir.value import Value
from clearprop.ops.axes import ShapeLike, as_shape
from clearprop.ops.gathering import counted_indices
from clearprop.ops.lift import ArrayLike, as_dtype, lift
from clearprop.ops.operation import operation

_READING, _WRITING = "Reading a block", "Writing a block"


@operation
def dynamic_slice(x: ArrayLike, starts: Sequence[ArrayLike], sizes: ShapeLike) -> Value:
    """The block of x that begins at some indices, which may be computed; its size is fixed.

    (``x[2:5]`` is shorter where the place is known.)

    Args:
        x: the array.
        starts: for each axis the index at which the block begins; those below zero count from
            the end.
        sizes: how long the block is on each axis.

    Shapes:
        x: S, starts: () each  ->  ``sizes``

    Gradient:
        d_output, with zeros around it.

    Raises:
        ShapeError: the block is longer than x.
        LabelError: the block does not lie inside of x (when the numbers are computed).

    Example:
        >>> import clearprop as cp
        >>> best = cp.ops.argmax([3, 9, 7, 1])
        >>> cp.ops.dynamic_slice([3, 9, 7, 1], [best], [2]).numpy()
        array([9, 7])
    """
    value = lift(x, beside=starts)[0]
    lengths = as_shape(sizes, _READING)
    _check_fit(value, lengths, f"sizes={lengths}", _READING)
    return p.dynamic_slice(value, *_counted(value, starts, _READING), sizes=lengths)


@operation
def dynamic_update(x: ArrayLike, update: ArrayLike, starts: Sequence[ArrayLike]) -> Value:
    """x with a block replaced that begins at some indices, which may be computed.

    Args:
        x: the array.
        update: the new block, with as many axes; it takes the element type of x.
        starts: for each axis the index at which the block begins; those below zero count from
            the end.

    Shapes:
        x: S, update: no axis longer than in S, starts: () each  ->  S

    Gradient:
        That of x is d_output with zeros in the block; that of update is the block of d_output.

    Raises:
        DTypeError: update is floating-point and x is not.
        ShapeError: the block is longer than x.
        LabelError: the block does not lie inside of x (when the numbers are computed).

    Example:
        >>> import clearprop as cp
        >>> cp.ops.dynamic_update([1, 2, 3, 4], [7, 8], [-2]).numpy()
        array([1, 2, 7, 8])
    """
    value, block = lift(x, update, beside=starts)
    if block.dtype.kind == "f" and value.dtype.kind != "f":
        raise DTypeError(
            f"{_WRITING}: the array cannot hold the update's fractions",
            found=f"x: {value.type}, update: {block.type}",
            needed="a floating-point x",
            try_=f'cast(x, "{block.dtype.name}") first',
        )
    _check_fit(value, block.shape, f"update: {block.type}", _WRITING)
    starting = _counted(value, starts, _WRITING)
    return p.dynamic_update(value, as_dtype(block, value.dtype), *starting)


def _check_fit(x: Value, sizes: Shape, found: str, doing: str) -> None:
    if len(sizes) != len(x.shape) or any(
        size > length for size, length in zip(sizes, x.shape, strict=True)
    ):
        raise ShapeError(
            f"{doing}: it does not fit into the array",
            found=f"x: {x.type}, {found}",
            needed=f"{len(x.shape)} lengths, none above {x.shape}",
        )


def _counted(x: Value, starts: Sequence[ArrayLike], doing: str) -> list[Value]:
    """The starts as primitives need them: from 0 up, in i64."""
    if not isinstance(starts, Sequence) or len(starts) != len(x.shape):
        raise ArgumentError(
            f"{doing}: each axis needs one start",
            found=f"{starts!r} for x: {x.type}",
            needed=f"a list of {len(x.shape)}",
        )
    values = [lift(start, beside=(x,))[0] for start in starts]
    for start in values:
        if start.shape:
            raise ShapeError(
                f"{doing}: a start is one number", found=f"start: {start.type}", needed="()"
            )
    return [
        as_dtype(counted_indices(start, length, doing), I64)
        for start, length in zip(values, x.shape, strict=True)
    ]
