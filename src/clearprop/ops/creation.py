"""Arrays made of nothing but a shape, and the same numbers in other types."""

from __future__ import annotations

import math

import numpy as np

from clearprop import primitives as p
from clearprop.dtypes import I64, DType, as_dtype
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.types import Shape
from clearprop.ir.value import Value, leaf_class
from clearprop.ops.axes import ShapeLike, as_shape
from clearprop.ops.lift import ArrayLike, leaf_array, lift, spread
from clearprop.ops.lift import as_dtype as in_dtype
from clearprop.ops.operation import operation
from clearprop.settings import settings

_DOING = "Making an array"


@operation
def cast(x: ArrayLike, dtype: object) -> Value:
    """x in another element type.

    Floats lose their fraction on the way to whole numbers; numbers out of range become the
    nearest that there is, NaN becomes 0.

    Args:
        x: the array.
        dtype: such as ``"float32"``.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.cast([1.7, 300.0], "uint8").numpy()
        array([  1, 255], dtype=uint8)
    """
    return in_dtype(lift(x)[0], as_dtype(dtype))


@operation
def stop_gradient(x: ArrayLike) -> Value:
    """x, which derivatives treat as a constant.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.stop_gradient([1.0, 2.0]).numpy()
        array([1., 2.], dtype=float32)
    """
    return p.stop_gradient(lift(x)[0])


@operation
def zeros(shape: ShapeLike, dtype: object = None) -> Value:
    """An array of zeros.

    Args:
        shape: its lengths.
        dtype: its element type; None means ``settings.dtype``.

    Shapes:
        Output: ``shape``

    Example:
        >>> import clearprop as cp
        >>> cp.ops.zeros((2, 3)).numpy()
        array([[0., 0., 0.],
               [0., 0., 0.]], dtype=float32)
    """
    return _filled(leaf_class(), 0, as_shape(shape, _DOING), _dtype(dtype))


@operation
def ones(shape: ShapeLike, dtype: object = None) -> Value:
    """An array of ones.

    Args:
        shape: its lengths.
        dtype: its element type; None means ``settings.dtype``.

    Shapes:
        Output: ``shape``

    Example:
        >>> import clearprop as cp
        >>> cp.ops.ones(3).numpy()
        array([1., 1., 1.], dtype=float32)
    """
    return _filled(leaf_class(), 1, as_shape(shape, _DOING), _dtype(dtype))


@operation
def full(shape: ShapeLike, fill_value: ArrayLike, dtype: object = None) -> Value:
    """An array of one value, again and again.

    Args:
        shape: its lengths.
        fill_value: a number, or an array that broadcasts to ``shape``.
        dtype: its element type; None means that of ``fill_value``.

    Shapes:
        Output: ``shape``

    Example:
        >>> import clearprop as cp
        >>> cp.ops.full((2, 2), 7).numpy()
        array([[7, 7],
               [7, 7]])
    """
    value = lift(fill_value)[0]
    if dtype is not None:
        value = _in_dtype(fill_value, value, as_dtype(dtype))
    return spread(value, as_shape(shape, _DOING))


def _in_dtype(fill: ArrayLike, value: Value, dtype: DType) -> Value:
    """``value``, which is ``fill`` lifted; plain numbers are not rounded twice on their way."""
    if isinstance(fill, Value):
        return in_dtype(value, dtype)
    return type(value).leaf(leaf_array(fill, dtype))


@operation
def zeros_like(x: ArrayLike, dtype: object = None) -> Value:
    """Zeros of the shape and type of x.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.zeros_like([1, 2]).numpy()
        array([0, 0])
    """
    value = lift(x)[0]
    return _filled(type(value), 0, value.shape, _dtype(dtype, value.dtype))


@operation
def ones_like(x: ArrayLike, dtype: object = None) -> Value:
    """Ones of the shape and type of x.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.ones_like([[1.5, 2.5]]).numpy()
        array([[1., 1.]], dtype=float32)
    """
    value = lift(x)[0]
    return _filled(type(value), 1, value.shape, _dtype(dtype, value.dtype))


@operation
def full_like(x: ArrayLike, fill_value: ArrayLike, dtype: object = None) -> Value:
    """One value again and again, in the shape and type of x.

    Shapes:
        x: S, fill_value: broadcasts to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.full_like([1, 2], 7).numpy()
        array([7, 7])
    """
    value, fill = lift(x, fill_value)
    fill = (
        in_dtype(fill, value.dtype)
        if dtype is None
        else _in_dtype(fill_value, fill, as_dtype(dtype))
    )
    return spread(fill, value.shape)


def _dtype(dtype: object, default: DType | None = None) -> DType:
    if dtype is not None:
        return as_dtype(dtype)
    return settings.dtype if default is None else default


def _filled(class_: type[Value], number: int, shape: Shape, dtype: DType) -> Value:
    return spread(class_.leaf(np.asarray(number, dtype)), shape)


# -- rows of numbers -------------------------------------------------------------------------


@operation
def arange(start: float, stop: float | None = None, step: float = 1, dtype: object = None) -> Value:
    """start, start + step, ..., up to but without stop.

    Args:
        start: the first number; where it is the only one given, it is ``stop``, and 0 the first.
        stop: the end.
        step: the distance.
        dtype: element type; None means i64, with a float among the three ``settings.dtype``.

    Shapes:
        Output: (number of elements,)

    Raises:
        ArgumentError: the step is 0, or a number is infinite or NaN.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.arange(2, 10, 3).numpy()
        array([2, 5, 8])
    """
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ArgumentError(
            "Counting: a step of 0 never arrives", found="step=0", needed="another step"
        )
    if not all(math.isfinite(number) for number in (start, stop, step)):
        raise ArgumentError(
            "Counting: infinity is never reached",
            found=f"from {start} to {stop} in steps of {step}",
            needed="numbers that are finite",
        )
    is_whole = all(isinstance(number, (int, np.integer)) for number in (start, stop, step))
    numbers = np.arange(start, stop, step)
    return leaf_class().leaf(numbers.astype(_dtype(dtype, I64 if is_whole else None)))


@operation
def linspace(start: float, stop: float, num: int = 50, dtype: object = None) -> Value:
    """``num`` numbers at equal distances, from ``start`` to ``stop`` inclusive.

    Shapes:
        Output: (num,)

    Raises:
        ShapeError: ``num`` is no whole number, or negative.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.linspace(0, 1, 5).numpy()
        array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    (count,) = as_shape(num, _DOING)
    first, last = (np.asarray(end, np.float64) for end in (start, stop))
    return leaf_class().leaf(np.linspace(first, last, count).astype(_dtype(dtype)))


@operation
def eye(rows: int, columns: int | None = None, k: int = 0, dtype: object = None) -> Value:
    """Zeros, with ones on a diagonal.

    Args:
        rows: how many.
        columns: how many; None means as many as rows.
        k: which diagonal: 0 is the main one, 1 the one above it.
        dtype: element type; None means ``settings.dtype``.

    Shapes:
        Output: (rows, columns)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.eye(2).numpy()
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    shape = as_shape((rows, rows if columns is None else columns), _DOING)
    like = leaf_class().leaf(np.zeros((), I64))
    row = p.iota(like, shape=shape, axis=0, dtype=I64)
    column = p.iota(like, shape=shape, axis=1, dtype=I64)
    return in_dtype(p.equal(p.add(row, p.constant_like(k, row)), column), _dtype(dtype))


@operation
def meshgrid(*xs: ArrayLike, indexing: str = "xy") -> list[Value]:
    """The coordinates of all points of a grid, one array for each axis.

    Args:
        xs: the coordinates on each axis.
        indexing: ``"ij"``, the axes in order, or ``"xy"``, the first two exchanged, as in pictures.

    Shapes:
        xs: (n,), (m,)  ->  twice (m, n), or (n, m) with ``"ij"``

    Raises:
        ArgumentError: there is no such indexing.
        ShapeError: one of xs has more than one axis.

    Example:
        >>> import clearprop as cp
        >>> [part.tolist() for part in cp.ops.meshgrid([1, 2], [3, 4])]
        [[[1, 2], [1, 2]], [[3, 3], [4, 4]]]
    """
    if indexing not in {"xy", "ij"}:
        raise ArgumentError(
            "Making a grid: there is no such indexing",
            found=f"indexing={indexing!r}",
            needed='"xy" or "ij"',
        )
    values = lift(*xs)
    for value in values:
        if len(value.shape) > 1:
            raise ShapeError(
                "Making a grid: coordinates lie on one axis",
                found=f"{value.type}",
                needed="one axis at most",
            )
    order = list(range(len(values)))
    if indexing == "xy":
        order[:2] = order[:2][::-1]
    lengths = tuple(values[n].type.size for n in order)
    return [
        spread(
            p.reshape(value, shape=(value.type.size,) + (1,) * (len(values) - 1 - order.index(n))),
            lengths,
        )
        for n, value in enumerate(values)
    ]
