"""Products of matrices and their kin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clearprop import primitives as p
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.value import Value
from clearprop.ops.axes import one_axis
from clearprop.ops.indexing import index
from clearprop.ops.lift import ArrayLike, as_number, common_shape, lift, promote, spread
from clearprop.ops.operation import operation
from clearprop.ops.reductions import sum_
from clearprop.ops.shapes import moveaxis

_NONE: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())


def _pair(x: ArrayLike, y: ArrayLike) -> tuple[Value, Value]:
    first, second = map(as_number, promote(*lift(x, y)))
    return first, second


def _needs_equal(x: Value, y: Value, x_axis: int, y_axis: int, doing: str) -> None:
    if x.shape[x_axis] != y.shape[y_axis]:
        raise ShapeError(
            f"{doing}: axis {x_axis} of x has length {x.shape[x_axis]}, "
            f"axis {y_axis} of y has {y.shape[y_axis]}",
            found=f"x: {x.type}, y: {y.type}",
            needed="equal lengths, such as x: (n, k), y: (k, m)",
            try_="transpose one of them, or check the number of features",
        )


@operation
def matmul(x: ArrayLike, y: ArrayLike) -> Value:
    """The product of matrices, x @ y.

    Axes before the last two are batches and broadcast.  A vector x counts as a row, a vector y
    as a column, which the result does not have.

    Shapes:
        x: (*A, n, k), y: (*B, k, m)  ->  (*C, n, m), where A and B broadcast to C;
        x: (k,), y: (k, m)  ->  (m,);  x: (n, k), y: (k,)  ->  (n,);  (k,), (k,)  ->  ()

    Gradient:
        d_x = d_output y^T,  d_y = x^T d_output.

    Raises:
        ShapeError: the lengths k differ, the batches do not broadcast, or one is a single number.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.matmul([[1, 2], [3, 4]], [10, 1]).numpy()
        array([12, 34])
    """
    first, second = _pair(x, y)
    x_rank, y_rank = len(first.shape), len(second.shape)
    if not x_rank or not y_rank:
        raise ShapeError(
            "Multiplying matrices: a single number is no matrix",
            found=f"x: {first.type}, y: {second.type}",
            needed="vectors, matrices, or batches of them",
            try_="x * y multiplies by a number",
        )
    y_axis = max(y_rank - 2, 0)
    _needs_equal(first, second, x_rank - 1, y_axis, "Multiplying matrices")
    if y_rank <= 2:  # one matrix for the whole batch: all rows of x are rows of one matrix
        return p.dot_general(first, second, contract=((x_rank - 1,), (y_axis,)), batch=_NONE)
    if x_rank == 1:
        return p.dot_general(first, second, contract=((0,), (y_axis,)), batch=_NONE)
    batch = common_shape([first.shape[:-2], second.shape[:-2]], "Multiplying batches of matrices")
    first = spread(first, batch + first.shape[-2:])
    second = spread(second, batch + second.shape[-2:])
    rank = len(batch)
    axes = tuple(range(rank))
    return p.dot_general(first, second, contract=((rank + 1,), (rank,)), batch=(axes, axes))


@operation
def dot(x: ArrayLike, y: ArrayLike) -> Value:
    """The sum of products over the last axis of x and the one before last of y.

    Shapes:
        (k,), (k,)  ->  ();  (*A, k), (k,)  ->  A;  (*A, k), (*B, k, m)  ->  (*A, *B, m);
        a single number multiplies

    Raises:
        ShapeError: the lengths k differ.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.dot([1, 2], [10, 1]).numpy()
        array(12)
    """
    first, second = _pair(x, y)
    x_rank, y_rank = len(first.shape), len(second.shape)
    if not x_rank or not y_rank:
        shape = first.shape + second.shape
        return p.multiply(spread(first, shape), spread(second, shape))
    y_axis = max(y_rank - 2, 0)
    _needs_equal(first, second, x_rank - 1, y_axis, "Multiplying")
    return p.dot_general(first, second, contract=((x_rank - 1,), (y_axis,)), batch=_NONE)


@operation
def outer(x: ArrayLike, y: ArrayLike) -> Value:
    """Each element of x times each element of y.

    Shapes:
        x: n elements, y: m elements  ->  (n, m)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.outer([1, 2], [10, 20]).numpy()
        array([[10, 20],
               [20, 40]])
    """
    first, second = (p.reshape(v, shape=(v.type.size,)) for v in _pair(x, y))
    return p.dot_general(first, second, contract=_NONE, batch=_NONE)


@operation
def tensordot(
    x: ArrayLike, y: ArrayLike, axes: int | Sequence[int] | Sequence[Sequence[int]] = 2
) -> Value:
    """The sum of products over several axes.

    Args:
        x: an array.
        y: another.
        axes: a pair: the axes of x and, in the same order, those of y; or a number n: the last n
            of x and the first n of y.

    Shapes:
        x: (*A, *K), y: (*K, *B)  ->  (*A, *B)

    Raises:
        ShapeError: the lengths differ.
        ArgumentError: the axes do not pair up.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.tensordot([[1, 2], [3, 4]], [[1, 0], [0, 1]]).numpy()
        array(5)
    """
    first, second = _pair(x, y)
    ranks = len(first.shape), len(second.shape)
    if isinstance(axes, Sequence):
        sides = [tuple(side) if isinstance(side, Sequence) else (side,) for side in axes]
    else:
        sides = [tuple(range(ranks[0] - axes, ranks[0])), tuple(range(axes))]
    doing = "Multiplying over several axes"
    if len(sides) != 2 or len(sides[0]) != len(sides[1]):
        raise ArgumentError(
            f"{doing}: each axis of x needs one of y",
            found=f"axes={axes}",
            needed="a number, or a pair of equally long lists",
        )
    x_axes, y_axes = (
        tuple(one_axis(axis, rank, doing) for axis in side)
        for side, rank in zip(sides, ranks, strict=True)
    )
    for x_axis, y_axis in zip(x_axes, y_axes, strict=True):
        _needs_equal(first, second, x_axis, y_axis, doing)
    return p.dot_general(first, second, contract=(x_axes, y_axes), batch=_NONE)


@operation
def diagonal(x: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    """The elements whose indices on two axes are equal, or ``offset`` apart, as a last axis.

    Shapes:
        x: (n, m, a), axes 0 and 1  ->  (a, min(n, m)) with offset 0

    Raises:
        ArgumentError: x has no two such axes.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.diagonal([[1, 2], [3, 4]]).numpy()
        array([1, 4])
    """
    value = lift(x)[0]
    value = moveaxis(value, (axis1, axis2), (-2, -1))
    rows, columns = value.shape[-2:]
    places = np.arange(max(0, min(rows, columns - offset) - max(0, -offset)))
    return index(value, (..., places + max(0, -offset), places + max(0, offset)))


@operation
def trace(x: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    """The sum of a diagonal.

    Shapes:
        x: (n, m, a), axes 0 and 1  ->  (a,)

    Raises:
        ArgumentError: x has no two such axes.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.trace([[1, 2], [3, 4]]).numpy()
        array(5)
    """
    return sum_(diagonal(x, offset, axis1, axis2), axis=-1)


@operation
def inner(x: ArrayLike, y: ArrayLike) -> Value:
    """The sum of products over the last axes.

    Shapes:
        x: (*A, k), y: (*B, k)  ->  (*A, *B);  a single number multiplies

    Raises:
        ShapeError: the lengths k differ.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.inner([1, 2], [[10, 1], [1, 10]]).numpy()
        array([12, 21])
    """
    first, second = _pair(x, y)
    x_rank, y_rank = len(first.shape), len(second.shape)
    if not x_rank or not y_rank:
        return dot(first, second)
    _needs_equal(first, second, x_rank - 1, y_rank - 1, "Multiplying")
    return p.dot_general(first, second, contract=((x_rank - 1,), (y_rank - 1,)), batch=_NONE)


@operation
def tril(x: ArrayLike, k: int = 0) -> Value:
    """x with zeros above a diagonal of its last two axes.

    Args:
        x: matrices.
        k: which diagonal is the last to be kept: 0 is the main one, 1 the next above it.

    Shapes:
        x: (*S, n, m)  ->  (*S, n, m)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.tril([[1, 2], [3, 4]]).numpy()
        array([[1, 0],
               [3, 4]])
    """
    return _triangle(x, k, keep_low=True)


@operation
def triu(x: ArrayLike, k: int = 0) -> Value:
    """x with zeros below a diagonal of its last two axes.

    Args:
        x: matrices.
        k: which diagonal is the first to be kept: 0 is the main one, 1 the next above it.

    Shapes:
        x: (*S, n, m)  ->  (*S, n, m)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.triu([[1, 2], [3, 4]]).numpy()
        array([[1, 2],
               [0, 4]])
    """
    return _triangle(x, k - 1, keep_low=False)


def _triangle(x: ArrayLike, last_low: int, *, keep_low: bool) -> Value:
    value = lift(x)[0]
    if len(value.shape) < 2:
        raise ShapeError(
            "Taking a triangle: only matrices have one",
            found=f"x: {value.type}",
            needed="two axes or more",
        )
    rows, columns = value.shape[-2:]
    low = np.tri(rows, columns, last_low, dtype=np.bool_)
    low.flags.writeable = False
    is_low = spread(type(value).leaf(low), value.shape)
    parts = (value, p.zeros_like(value)) if keep_low else (p.zeros_like(value), value)
    return p.select(is_low, *parts)
