"""The same numbers in another shape or order, or repeated."""

from __future__ import annotations

import math
from collections.abc import Sequence

from clearprop import primitives as p
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.value import Value
from clearprop.ops.axes import Axis, ShapeLike, all_axes, as_shape, one_axis
from clearprop.ops.lift import ArrayLike, common_shape, lift, spread
from clearprop.ops.operation import operation


@operation
def reshape(x: ArrayLike, shape: ShapeLike) -> Value:
    """The elements of x, row after row, in another shape.

    Args:
        x: the array.
        shape: the new lengths; one of them may be -1 and follows from the others.

    Shapes:
        x: S  ->  ``shape``, with as many elements

    Raises:
        ShapeError: the numbers of elements differ.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.reshape([1, 2, 3, 4], (2, -1)).numpy()
        array([[1, 2],
               [3, 4]])
    """
    value = lift(x)[0]
    asked = as_shape(shape, "Reshaping", smallest=-1)
    lengths = [*asked]
    known = math.prod(length for length in asked if length != -1)
    if lengths.count(-1) == 1 and known > 0:
        lengths[lengths.index(-1)] = value.type.size // known
    if min(lengths, default=0) < 0 or math.prod(lengths) != value.type.size:
        raise ShapeError(
            f"Reshaping: {value.type.size} elements do not fill the shape {asked}",
            found=f"x: {value.type}",
            needed=f"a shape with {value.type.size} elements; one length may be -1",
        )
    return _reshaped(value, tuple(lengths))


def _reshaped(value: Value, shape: tuple[int, ...]) -> Value:
    return value if value.shape == shape else p.reshape(value, shape=shape)


@operation
def ravel(x: ArrayLike) -> Value:
    """The elements of x, row after row, along one axis.

    Shapes:
        x: S  ->  (number of elements,)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.ravel([[1, 2], [3, 4]]).numpy()
        array([1, 2, 3, 4])
    """
    value = lift(x)[0]
    return _reshaped(value, (value.type.size,))


@operation
def expand_dims(x: ArrayLike, axis: int | Sequence[int]) -> Value:
    """x with new axes of length 1.

    Args:
        x: the array.
        axis: where the new axes are in the result.

    Shapes:
        x: (a, b), axis 1  ->  (a, 1, b)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.expand_dims([1, 2], 1).numpy()
        array([[1],
               [2]])
    """
    value = lift(x)[0]
    count = len(axis) if isinstance(axis, Sequence) else 1
    rank = len(value.shape) + count
    new = all_axes(axis, rank, "Adding axes")
    old = iter(value.shape)
    return _reshaped(value, tuple(1 if n in new else next(old) for n in range(rank)))


@operation
def squeeze(x: ArrayLike, axis: Axis = None) -> Value:
    """x without axes of length 1.

    Args:
        x: the array.
        axis: which to remove; None removes all that have length 1.

    Shapes:
        x: (a, 1, b)  ->  (a, b)

    Raises:
        ShapeError: an axis to be removed is longer than 1.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.squeeze([[1], [2]]).numpy()
        array([1, 2])
    """
    value = lift(x)[0]
    if axis is None:
        axis = [n for n, length in enumerate(value.shape) if length == 1]
    gone = all_axes(axis, len(value.shape), "Removing axes")
    for n in gone:
        if value.shape[n] != 1:
            raise ShapeError(
                f"Removing axes: axis {n} has length {value.shape[n]}",
                found=f"x: {value.type}",
                needed="axes of length 1",
                try_="take one element of it, or its mean or sum",
            )
    return _reshaped(value, tuple(m for n, m in enumerate(value.shape) if n not in gone))


@operation
def transpose(x: ArrayLike, axes: Sequence[int] | None = None) -> Value:
    """x with its axes in another order.

    Args:
        x: the array.
        axes: for each axis of the result the axis of x; None turns the order around.

    Shapes:
        x: (a, b, c), axes (0, 2, 1)  ->  (a, c, b)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.transpose([[1, 2], [3, 4]]).numpy()
        array([[1, 3],
               [2, 4]])
    """
    value = lift(x)[0]
    rank = len(value.shape)
    order = range(rank)[::-1] if axes is None else [one_axis(n, rank, "Transposing") for n in axes]
    if sorted(order) != list(range(rank)):
        raise ArgumentError(
            "Transposing: each axis must be named once",
            found=f"axes={axes} for x: {value.type}",
            needed=f"some order of {', '.join(map(str, range(rank)))}",
        )
    return _ordered(value, tuple(order))


def _ordered(value: Value, order: tuple[int, ...]) -> Value:
    return value if order == tuple(range(len(order))) else p.transpose(value, order=order)


@operation
def swapaxes(x: ArrayLike, axis1: int, axis2: int) -> Value:
    """x with two axes exchanged.

    Shapes:
        x: (a, b, c), axes 0 and 2  ->  (c, b, a)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.swapaxes([[[1, 2, 3]]], 0, 2).shape
        (3, 1, 1)
    """
    value = lift(x)[0]
    order = list(range(len(value.shape)))
    first, second = (one_axis(n, len(order), "Exchanging axes") for n in (axis1, axis2))
    order[first], order[second] = order[second], order[first]
    return _ordered(value, tuple(order))


@operation
def moveaxis(x: ArrayLike, source: int | Sequence[int], destination: int | Sequence[int]) -> Value:
    """x with some axes moved to other places; the others keep their order.

    Shapes:
        x: (a, b, c), source 0, destination -1  ->  (b, c, a)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.moveaxis([[[1, 2, 3]]], -1, 0).shape
        (3, 1, 1)
    """
    value = lift(x)[0]
    rank, doing = len(value.shape), "Moving axes"
    sources, places = (
        [one_axis(n, rank, doing) for n in (given if isinstance(given, Sequence) else (given,))]
        for given in (source, destination)
    )
    if (
        len(sources) != len(places)
        or len({*sources}) < len(sources)
        or len({*places}) < len(places)
    ):
        raise ArgumentError(
            "Moving axes: each axis needs a place of its own",
            found=f"source={source}, destination={destination}",
            needed="as many different places as different axes",
        )
    order = [n for n in range(rank) if n not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return _ordered(value, tuple(order))


@operation
def broadcast_to(x: ArrayLike, shape: ShapeLike) -> Value:
    """x repeated to a shape, by NumPy's rules.

    Shapes:
        x: any that broadcasts to ``shape``  ->  ``shape``

    Raises:
        ShapeError: it does not broadcast to this shape.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.broadcast_to([1, 2], (2, 2)).numpy()
        array([[1, 2],
               [1, 2]])
    """
    value = lift(x)[0]
    target = as_shape(shape, "Broadcasting")
    if common_shape([value.shape, target], "Broadcasting") != target:
        raise ShapeError(
            "Broadcasting: an array is not repeated to fewer elements",
            found=f"x: {value.type}",
            needed=f"a shape that broadcasts to {target}",
        )
    return spread(value, target)


# -- repeating, turning around -------------------------------------------------------------


@operation
def tile(x: ArrayLike, repeats: ShapeLike) -> Value:
    """x laid out again and again.

    Args:
        x: the array.
        repeats: how often along each axis; axes are added in front where there are too few.

    Shapes:
        x: (a, b), repeats (2, 3)  ->  (2 a, 3 b)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.tile([1, 2], 2).numpy()
        array([1, 2, 1, 2])
    """
    value = lift(x)[0]
    counts = as_shape(repeats, "Tiling")
    rank = max(len(counts), len(value.shape))
    counts = (1,) * (rank - len(counts)) + counts
    lengths = (1,) * (rank - len(value.shape)) + value.shape
    value = _reshaped(value, tuple(n for length in lengths for n in (1, length)))
    pairs = list(zip(counts, lengths, strict=True))
    value = spread(value, tuple(n for pair in pairs for n in pair))
    return _reshaped(value, tuple(count * length for count, length in pairs))


@operation
def repeat(x: ArrayLike, repeats: int, axis: int | None = None) -> Value:
    """Each element several times in succession.

    Args:
        x: the array.
        repeats: how often.
        axis: along which axis; None takes the elements along one axis first.

    Shapes:
        x: (a, b), repeats 2, axis 1  ->  (a, 2 b)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.repeat([1, 2], 2).numpy()
        array([1, 1, 2, 2])
    """
    value = lift(x)[0]
    if axis is None:
        value, axis = _reshaped(value, (value.type.size,)), 0
    place = one_axis(axis, len(value.shape), "Repeating")
    (count,) = as_shape(repeats, "Repeating")
    before, length, after = value.shape[:place], value.shape[place], value.shape[place + 1 :]
    value = _reshaped(value, (*before, length, 1, *after))
    return _reshaped(
        spread(value, (*before, length, count, *after)), (*before, length * count, *after)
    )


@operation
def flip(x: ArrayLike, axis: Axis = None) -> Value:
    """x with its elements in opposite order along some axes; None means all.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.flip([1, 2, 3]).numpy()
        array([3, 2, 1])
    """
    value = lift(x)[0]
    axes = all_axes(axis, len(value.shape), "Reversing")
    return p.reverse(value, axes=axes) if axes else value
