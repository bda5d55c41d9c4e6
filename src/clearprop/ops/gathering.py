"""Elements picked by index, and added up by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearprop import primitives as p
from clearprop.dtypes import I64, is_integer
from clearprop.dtypes import as_dtype as named_dtype
from clearprop.errors import DTypeError, LabelError, ShapeError
from clearprop.ir.types import Shape
from clearprop.ir.value import Array, Value
from clearprop.ops.axes import one_axis
from clearprop.ops.lift import ArrayLike, as_dtype, common_shape, lift, promote, spread
from clearprop.ops.operation import operation
from clearprop.settings import settings

# -- indices as primitives need them: from 0 up ------------------------------------------------


def known_indices(indices: Any, length: int, doing: str) -> Array:
    """Indices that are plain numbers, counted from the front, in i64.

    Shapes:
        indices: S  ->  S

    Raises:
        DTypeError: they are no whole numbers.
        LabelError: one lies outside of the axis.
    """
    array = np.asarray(indices)
    if array.size == 0 and not isinstance(indices, np.ndarray):
        array = array.astype(I64)
    if array.dtype.kind not in "iu":
        raise _not_indices(str(array.dtype), doing)
    outside = (array < -length) | (array >= length)
    if outside.any():
        raise LabelError(
            f"{doing}: {array[outside].flat[0]} lies outside of an axis of length {length}",
            found=f"index {array[outside].flat[0]}",
            needed=f"{-length} to {length - 1}" if length else "an axis that is not empty",
        )
    array = array.astype(I64)
    array = np.where(array < 0, array + length, array)
    array.flags.writeable = False
    return array


def counted_indices(indices: Value, length: int, doing: str) -> Value:
    """Indices that are Values, those below zero counted from the end.

    Shapes:
        indices: S  ->  S
    """
    if not is_integer(indices.dtype):
        raise _not_indices(str(indices.type), doing)
    if indices.dtype.kind == "u":
        return indices
    if np.iinfo(indices.dtype).max < length:
        indices = as_dtype(indices, I64)
    from_end = p.add(indices, p.constant_like(length, indices))
    return p.select(p.less(indices, p.constant_like(0, indices)), from_end, indices)


def _not_indices(found: str, doing: str) -> DTypeError:
    return DTypeError(
        f"{doing}: indices are whole numbers",
        found=found,
        needed="whole numbers, such as int32 or int64",
        try_='cast(indices, "int64")',
    )


def _indices(indices: ArrayLike, length: int, like: Value, doing: str) -> Value:
    if isinstance(indices, Value):
        return counted_indices(lift(indices)[0], length, doing)
    return type(like).leaf(known_indices(indices, length, doing))


# -- picking -------------------------------------------------------------------------------------


@operation
def take(x: ArrayLike, indices: ArrayLike, axis: int | None = None) -> Value:
    """The elements of x at some indices of an axis.

    Args:
        x: the array.
        indices: whole numbers; those below zero count from the end.
        axis: along which axis; None takes the elements along one axis first.

    Shapes:
        x: (a, n, b), indices: S, axis 1  ->  (a, *S, b)

    Raises:
        LabelError: an index lies outside of the axis (raised at once where it is a plain
            number, else when the numbers are computed).

    Example:
        >>> import clearprop as cp
        >>> cp.ops.take([10, 20, 30], [2, 0, -1]).numpy()
        array([30, 10, 30])
    """
    value = lift(x, beside=(indices,))[0]
    if axis is None:
        value, axis = p.reshape(value, shape=(value.type.size,)), 0
    place = one_axis(axis, len(value.shape), "Taking")
    return p.gather(value, _indices(indices, value.shape[place], value, "Taking"), axis=place)


@operation
def take_along_axis(x: ArrayLike, indices: ArrayLike, axis: int | None = None) -> Value:
    """For each index the element of x in its own row: what ``argsort`` and ``argmax`` tell.

    Args:
        x: the array.
        indices: whole numbers, with as many axes as x; those below zero count from the end.
        axis: the axis that they count along; None takes the elements of x along one axis first.

    Shapes:
        x: (a, n), indices: (a, m), axis 1  ->  (a, m); the other axes may be 1 in either

    Raises:
        ShapeError: the numbers of axes differ, or the other axes do not broadcast.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.take_along_axis([[3, 1, 2], [6, 5, 4]], [[1], [2]], 1).numpy()
        array([[1],
               [4]])
    """
    value = lift(x, beside=(indices,))[0]
    if axis is None:
        value, axis = p.reshape(value, shape=(value.type.size,)), 0
    rank = len(value.shape)
    place = one_axis(axis, rank, "Taking along an axis")
    picks = _indices(indices, value.shape[place], value, "Taking along an axis")
    if len(picks.shape) != rank:
        raise ShapeError(
            "Taking along an axis: indices and x need equally many axes",
            found=f"x: {value.type}, indices: {picks.type}",
            needed=f"indices with {rank} axes",
            try_="expand_dims(indices, axis)",
        )
    others = common_shape(
        [_one_at(value.shape, place), _one_at(picks.shape, place)], "Taking along an axis"
    )
    rows, taken = (
        spread(each, (*others[:place], each.shape[place], *others[place + 1 :]))
        for each in (value, picks)
    )
    return p.take_along(rows, taken, axis=place)


def _one_at(shape: Shape, axis: int) -> Shape:
    return (*shape[:axis], 1, *shape[axis + 1 :])


@operation
def one_hot(indices: ArrayLike, num_classes: int, axis: int = -1, dtype: object = None) -> Value:
    """For each index a row of zeros with a 1 at its place; all zeros where there is no such place.

    Args:
        indices: whole numbers.
        num_classes: the length of the rows.
        axis: where the rows lie in the result.
        dtype: element type of the result; None means ``settings.dtype``.

    Shapes:
        indices: S  ->  (*S, num_classes)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.one_hot([0, 2], 3).numpy()
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    picks = lift(indices)[0]
    if not is_integer(picks.dtype):
        raise _not_indices(str(picks.type), "Encoding one-hot")
    if np.iinfo(picks.dtype).max < num_classes:
        picks = as_dtype(picks, I64)
    rank = len(picks.shape) + 1
    place = one_axis(axis, rank, "Encoding one-hot")
    shape = (*picks.shape[:place], num_classes, *picks.shape[place:])
    column = p.reshape(picks, shape=(*picks.shape[:place], 1, *picks.shape[place:]))
    places = p.iota(picks, shape=shape, axis=place, dtype=picks.dtype)
    hot = p.equal(spread(column, shape), places)
    return as_dtype(hot, settings.dtype if dtype is None else named_dtype(dtype))


# -- adding up -----------------------------------------------------------------------------------


@operation
def scatter_add(x: ArrayLike, indices: ArrayLike, updates: ArrayLike, axis: int = 0) -> Value:
    """x with updates added at some indices of an axis; equal indices add up.

    Shapes:
        x: (a, n, b), indices: S, updates: broadcast to (a, *S, b), axis 1  ->  (a, n, b)

    Raises:
        LabelError: an index lies outside of the axis.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.scatter_add([0, 0, 0], [0, 2, 0], [1, 5, 10]).numpy()
        array([11,  0,  5])
    """
    value, added = promote(*lift(x, updates, beside=(indices,)))
    place = one_axis(axis, len(value.shape), "Scattering")
    picks = _indices(indices, value.shape[place], value, "Scattering")
    shape = (*value.shape[:place], *picks.shape, *value.shape[place + 1 :])
    if added.shape != shape:
        added = _spread_updates(added, shape)
    return p.scatter_add(value, picks, added, axis=place)


def _spread_updates(updates: Value, shape: tuple[int, ...]) -> Value:
    pairs = zip(reversed(updates.shape), reversed(shape), strict=False)
    if len(updates.shape) > len(shape) or any(one not in {1, other} for one, other in pairs):
        raise ShapeError(
            "Scattering: the updates do not fit the indices",
            found=f"updates: {updates.type}",
            needed=f"a shape that broadcasts to {shape}",
        )
    return spread(updates, shape)


@operation
def segment_sum(x: ArrayLike, segment_ids: ArrayLike, num_segments: int) -> Value:
    """The sums of the rows of x that have the same number.

    Shapes:
        x: (n, *S), segment_ids: (n,)  ->  (num_segments, *S)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.segment_sum([1, 2, 3], [0, 1, 0], 2).numpy()
        array([4, 2])
    """
    value = lift(x, beside=(segment_ids,))[0]
    shape = (num_segments, *value.shape[1:])
    zero = type(value).leaf(np.zeros((), value.dtype))
    return scatter_add(spread(zero, shape), segment_ids, value)
