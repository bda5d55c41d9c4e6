"""Many numbers made one: sums, means, extremes, along some axes or all.

``axis`` is None (all axes), an axis, or several; with ``keepdims`` they stay with length 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from clearprop import primitives as p
from clearprop.dtypes import I64, U64, is_float
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.value import Value
from clearprop.ops.axes import Axis, all_axes, one_axis
from clearprop.ops.lift import (
    ArrayLike,
    as_condition,
    as_dtype,
    lift,
    lift_float,
    spread,
)
from clearprop.ops.operation import operation

Reduction = Callable[..., Value]


def reduced(reduction: Reduction, x: Value, axes: tuple[int, ...], *, keepdims: bool) -> Value:
    """x reduced along ``axes``.

    Shapes:
        x: S  ->  S without ``axes``, or with length 1 there
    """
    result = reduction(x, axes=axes) if axes else x
    if not keepdims:
        return result
    kept = tuple(1 if n in axes else length for n, length in enumerate(x.shape))
    return result if result.shape == kept else p.reshape(result, shape=kept)


def without_overflow(x: Value) -> Value:
    """X, its whole numbers and booleans in 64 bits, as sums and products need them.

    Shapes:
        x: S  ->  S
    """
    if is_float(x.dtype):
        return x
    return as_dtype(x, U64 if x.dtype.kind == "u" else I64)


# -- sums and products ------------------------------------------------------------------------


@operation
def sum_(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Value:
    """The sum; of whole numbers and booleans in 64 bits.

    Shapes:
        x: (a, b), axis 1  ->  (a,), or (a, 1) with keepdims

    Example:
        >>> import clearprop as cp
        >>> cp.ops.sum([[1, 2], [3, 4]], axis=1).numpy()
        array([3, 7])
    """
    value = without_overflow(lift(x)[0])
    axes = all_axes(axis, len(value.shape), "Summing")
    return reduced(p.reduce_sum, value, axes, keepdims=keepdims)


@operation
def prod(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Value:
    """The product; of whole numbers and booleans in 64 bits.

    Shapes:
        x: (a, b), axis 1  ->  (a,), or (a, 1) with keepdims

    Example:
        >>> import clearprop as cp
        >>> cp.ops.prod([2, 3, 4]).numpy()
        array(24)
    """
    value = without_overflow(lift(x)[0])
    axes = all_axes(axis, len(value.shape), "Multiplying")
    return reduced(p.reduce_prod, value, axes, keepdims=keepdims)


@operation
def cumsum(x: ArrayLike, axis: int | None = None, reverse: bool = False) -> Value:
    """The sum of each element and all before it.

    Args:
        x: the array.
        axis: along which axis; None takes the elements along one axis first.
        reverse: sum each element and all after it.

    Shapes:
        x: S, an axis  ->  S;  without one: (number of elements,)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.cumsum([1, 2, 3]).numpy()
        array([1, 3, 6])
    """
    return _running(p.cumulative_sum, x, axis, reverse=reverse, doing="Summing up")


@operation
def cumprod(x: ArrayLike, axis: int | None = None, reverse: bool = False) -> Value:
    """The product of each element and all before it.

    Args:
        x: the array.
        axis: along which axis; None takes the elements along one axis first.
        reverse: multiply each element and all after it.

    Shapes:
        x: S, an axis  ->  S;  without one: (number of elements,)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.cumprod([1, 2, 3, 4]).numpy()
        array([ 1,  2,  6, 24])
    """
    return _running(p.cumulative_product, x, axis, reverse=reverse, doing="Multiplying up")


def _running(
    word: Reduction, x: ArrayLike, axis: int | None, *, reverse: bool, doing: str
) -> Value:
    value = without_overflow(lift(x)[0])
    if axis is None:
        value, axis = p.reshape(value, shape=(value.type.size,)), 0
    return word(value, axis=one_axis(axis, len(value.shape), doing), reverse=reverse)


# -- means --------------------------------------------------------------------------------------


def _mean(value: Value, axes: tuple[int, ...], *, keepdims: bool, less: float = 0) -> Value:
    count = math.prod(value.shape[n] for n in axes) - less
    total = reduced(p.reduce_sum, value, axes, keepdims=keepdims)
    return p.divide(total, p.constant_like(count, total))


@operation
def mean(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Value:
    """The mean, a float; of no elements NaN.

    Shapes:
        x: (a, b), axis 1  ->  (a,), or (a, 1) with keepdims

    Example:
        >>> import clearprop as cp
        >>> cp.ops.mean([[1, 2], [3, 4]], axis=0).numpy()
        array([2., 3.], dtype=float32)
    """
    value = lift_float(x)
    axes = all_axes(axis, len(value.shape), "Averaging")
    return _mean(value, axes, keepdims=keepdims)


@operation
def var(x: ArrayLike, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Value:
    """The mean squared distance from the mean.

    Args:
        x: the array.
        axis: along which axes.
        keepdims: whether the axes stay with length 1.
        ddof: taken off the number of elements before dividing; 1 is the estimate from a sample.

    Shapes:
        x: (a, b), axis 1  ->  (a,), or (a, 1) with keepdims

    Example:
        >>> import clearprop as cp
        >>> cp.ops.var([1, 2, 3, 4]).numpy()
        array(1.25, dtype=float32)
    """
    value = lift_float(x)
    axes = all_axes(axis, len(value.shape), "Measuring a variance")
    center = _mean(value, axes, keepdims=True)
    distance = p.subtract(value, spread(center, value.shape))
    return _mean(p.multiply(distance, distance), axes, keepdims=keepdims, less=ddof)


@operation
def std(x: ArrayLike, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Value:
    """The standard deviation: the root of the variance.

    Args:
        x: the array.
        axis: along which axes.
        keepdims: whether the axes stay with length 1.
        ddof: taken off the number of elements before dividing; 1 is the estimate from a sample.

    Shapes:
        x: (a, b), axis 1  ->  (a,), or (a, 1) with keepdims

    Example:
        >>> import clearprop as cp
        >>> cp.ops.std([1.0, 3.0]).numpy()
        array(1., dtype=float32)
    """
    return _root(var(x, axis, keepdims, ddof))


@operation
def norm(x: ArrayLike, axis: Axis = None, keepdims: bool = False, order: float = 2) -> Value:
    """The length of vectors.

    Args:
        x: the array.
        axis: along which axes the vectors lie; None: all of x is one vector.
        keepdims: whether the axes stay with length 1.
        order: 2 is the ordinary length, 1 the sum of distances, infinity the largest.

    Shapes:
        x: (a, b), axis 1  ->  (a,), or (a, 1) with keepdims

    Example:
        >>> import clearprop as cp
        >>> cp.ops.norm([3.0, 4.0]).numpy()
        array(5., dtype=float32)
    """
    value = lift_float(x)
    axes = all_axes(axis, len(value.shape), "Measuring a length")
    if order == 2:
        squares = p.multiply(value, value)
        return _root(reduced(p.reduce_sum, squares, axes, keepdims=keepdims))
    if order not in {1, math.inf}:
        raise ArgumentError(
            "Measuring a length: only three ways are known",
            found=f"order={order}",
            needed="1, 2 or math.inf",
        )
    reduction = p.reduce_sum if order == 1 else p.reduce_max
    return reduced(reduction, p.absolute(value), axes, keepdims=keepdims)


def _root(x: Value) -> Value:
    """The square root, whose derivative at 0 is taken as 0 (it has none there)."""
    zero = p.constant_like(0, x)
    at_zero = p.equal(x, zero)
    root = p.sqrt(p.select(at_zero, p.constant_like(1, x), x))
    return p.select(at_zero, zero, root)


# -- extremes ------------------------------------------------------------------------------------


def _extreme(
    reduction: Reduction, x: ArrayLike, axis: Axis, *, keepdims: bool, doing: str
) -> Value:
    value = lift(x)[0]
    axes = all_axes(axis, len(value.shape), doing)
    _refuse_nothing(value, axes, doing)
    return reduced(reduction, value, axes, keepdims=keepdims)


def _refuse_nothing(value: Value, axes: tuple[int, ...], doing: str) -> None:
    if any(value.shape[n] == 0 for n in axes):
        raise ShapeError(
            f"{doing}: there are no elements to choose from",
            found=f"x: {value.type}",
            needed="at least one element along each of the axes",
        )


@operation
def max_(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Value:
    """The largest element; NaN where one is NaN.

    Shapes:
        x: (a, b), axis 1  ->  (a,), or (a, 1) with keepdims

    Example:
        >>> import clearprop as cp
        >>> cp.ops.max([[1, 5], [3, 4]], axis=1).numpy()
        array([5, 4])
    """
    return _extreme(p.reduce_max, x, axis, keepdims=keepdims, doing="Finding the largest")


@operation
def min_(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Value:
    """The smallest element; NaN where one is NaN.

    Shapes:
        x: (a, b), axis 1  ->  (a,), or (a, 1) with keepdims

    Example:
        >>> import clearprop as cp
        >>> cp.ops.min([[1, 5], [3, 4]], axis=1).numpy()
        array([1, 3])
    """
    return _extreme(p.reduce_min, x, axis, keepdims=keepdims, doing="Finding the smallest")


def _place(
    choose: Reduction, x: ArrayLike, axis: int | None, *, keepdims: bool, doing: str
) -> Value:
    value = lift(x)[0]
    rank = len(value.shape)
    axes = all_axes(axis, rank, doing)
    _refuse_nothing(value, axes, doing)
    if axis is None:
        value = p.reshape(value, shape=(value.type.size,))
    result = choose(value, axis=axes[0] if axis is not None else 0)
    if not keepdims:
        return result
    kept = [1] * rank if axis is None else list(value.shape)
    if axis is not None:
        kept[axes[0]] = 1
    return p.reshape(result, shape=tuple(kept))


@operation
def argmax(x: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Value:
    """The index of the largest element, of equal ones the first.

    Shapes:
        x: (a, b), axis 1  ->  i64 (a,), or (a, 1) with keepdims;  axis None: the index in a row

    Example:
        >>> import clearprop as cp
        >>> cp.ops.argmax([1, 5, 5]).numpy()
        array(1)
    """
    return _place(p.argmax, x, axis, keepdims=keepdims, doing="Finding the largest")


@operation
def argmin(x: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Value:
    """The index of the smallest element, of equal ones the first.

    Shapes:
        x: (a, b), axis 1  ->  i64 (a,), or (a, 1) with keepdims;  axis None: the index in a row

    Example:
        >>> import clearprop as cp
        >>> cp.ops.argmin([3, 1, 1]).numpy()
        array(1)
    """
    return _place(p.argmin, x, axis, keepdims=keepdims, doing="Finding the smallest")


# -- conditions ----------------------------------------------------------------------------------


@operation
def any_(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Value:
    """Whether at least one holds; a number holds when it is not zero.

    Shapes:
        x: (a, b), axis 1  ->  bool (a,), or (a, 1) with keepdims

    Example:
        >>> import clearprop as cp
        >>> cp.ops.any([[0, 0], [0, 1]], axis=1).numpy()
        array([False,  True])
    """
    return _any(as_condition(lift(x)[0]), axis, keepdims=keepdims)


@operation
def all_(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Value:
    """Whether all hold (of none, they do); a number holds when it is not zero.

    Shapes:
        x: (a, b), axis 1  ->  bool (a,), or (a, 1) with keepdims

    Example:
        >>> import clearprop as cp
        >>> cp.ops.all([[1, 1], [0, 1]], axis=1).numpy()
        array([ True, False])
    """
    opposite = p.bitwise_not(as_condition(lift(x)[0]))
    return p.bitwise_not(_any(opposite, axis, keepdims=keepdims))


def _any(condition: Value, axis: Axis, *, keepdims: bool) -> Value:
    return as_condition(_count(condition, axis, keepdims=keepdims))


def _count(condition: Value, axis: Axis, *, keepdims: bool) -> Value:
    axes = all_axes(axis, len(condition.shape), "Joining conditions")
    return reduced(p.reduce_sum, as_dtype(condition, I64), axes, keepdims=keepdims)


@operation
def count_nonzero(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Value:
    """How many elements are not zero.

    Shapes:
        x: (a, b), axis 1  ->  i64 (a,), or (a, 1) with keepdims

    Example:
        >>> import clearprop as cp
        >>> cp.ops.count_nonzero([[0, 3], [1, 1]], axis=1).numpy()
        array([1, 2])
    """
    return _count(as_condition(lift(x)[0]), axis, keepdims=keepdims)
