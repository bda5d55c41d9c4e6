"""``x[...]``: whole numbers, slices, None, ``...`` and arrays of indices, as NumPy has them."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from types import EllipsisType
from typing import Any

import numpy as np

from clearprop import primitives as p
from clearprop.dtypes import BOOL, I64
from clearprop.errors import ArgumentError, LabelError, ShapeError, TraceError
from clearprop.ir.value import Array, Value
from clearprop.ops.gathering import counted_indices, known_indices
from clearprop.ops.lift import ArrayLike, as_dtype, broadcast, lift
from clearprop.ops.operation import operation

Index = int | slice | EllipsisType | Value | Array | None
_DOING = "Indexing"


@operation
def index(x: ArrayLike, key: Any) -> Value:
    """``x[key]``.

    Args:
        x: the array.
        key: a whole number, a slice, None (a new axis), ``...``, an array of whole numbers (a
            Value too), an array of conditions that is no Value, or a tuple of these.

    Shapes:
        x: (a, b), key 0  ->  (b,);  key (slice(2), None)  ->  (2, 1, b);
        key with an array of shape S  ->  (*S, b)

    Raises:
        LabelError: an index lies outside of its axis, or there are more indices than axes.
        TraceError: a condition is a Value: how many elements it picks is not known beforehand.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.index([[1, 2, 3], [4, 5, 6]], (slice(None), -1)).numpy()
        array([3, 6])
    """
    entries = key if isinstance(key, tuple) else (key,)
    value = lift(x, beside=entries)[0]
    parts = [_read(part) for part in entries]
    by_array = any(isinstance(part, (Value, np.ndarray)) for part in parts)
    # NumPy: the indexed axes stay at their place when nothing, not even ..., stands between them.
    places = [n for n, part in enumerate(parts) if isinstance(part, (int, Value, np.ndarray))]
    stay = bool(places) and places[-1] - places[0] == len(places) - 1
    parts = _with_masks_found(_without_ellipsis(parts, value), value)
    value = _slice(value, [part for part in parts if part is not None], numbers=not by_array)
    return _pick(value, parts, stay=stay) if by_array else _lay_out(value, parts)


# -- reading the key ---------------------------------------------------------------------


def _read(part: Any) -> Index:
    """One entry of a key, made an int, a slice, None, ``...``, a Value or an array."""
    if part is None or part is Ellipsis or isinstance(part, slice):
        return part
    if isinstance(part, Value):
        if part.dtype == BOOL:
            raise TraceError(
                "Indexing by a condition: how many elements it picks is not known beforehand",
                found=f"a condition of type {part.type}",
                needed="a result whose shape is known",
                try_="where(condition, x, 0), or x[condition.numpy()] for a choice made once",
            )
        return part.as_input()
    if not isinstance(part, (bool, np.bool_, np.ndarray)):
        try:
            return operator.index(part)
        except TypeError:
            pass  # a list, or nothing that can be an index
    array = np.asarray(part)
    if array.size == 0 and not isinstance(part, np.ndarray):
        array = array.astype(I64)
    if array.dtype.kind in "iu" or (array.dtype == BOOL and array.shape):
        return array
    raise ArgumentError(
        "Indexing: this does not say which elements",
        found=repr(part),
        needed="whole numbers, slices, None, ... or arrays of whole numbers",
    )


def _axes_of(part: Index) -> int:
    """How many axes of x an entry of the key speaks of."""
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if isinstance(part, np.ndarray) and part.dtype == BOOL else 1


def _without_ellipsis(parts: list[Index], x: Value) -> list[Index]:
    """The key with whole slices for ``...``, and for axes it does not name."""
    places = [place for place, part in enumerate(parts) if part is Ellipsis]
    named = sum(map(_axes_of, parts))
    if len(places) > 1 or named > len(x.shape):
        raise LabelError(
            "Indexing: " + ("two ..." if len(places) > 1 else "more indices than axes"),
            found=f"{named} indices for x: {x.type}" if len(places) < 2 else repr(parts),
            needed="one ... at most" if len(places) > 1 else f"at most {len(x.shape)}",
        )
    place = places[0] if places else len(parts)
    missing: list[Index] = [slice(None)] * (len(x.shape) - named)
    return parts[:place] + missing + parts[place + 1 :]


def _with_masks_found(parts: list[Index], x: Value) -> list[Index]:
    """The key with, for each array of conditions, the indices at which it holds."""
    found: list[Index] = []
    axis = 0
    for part in parts:
        if not isinstance(part, np.ndarray) or part.dtype != BOOL:
            found.append(part)
        elif part.shape != x.shape[axis : axis + part.ndim]:
            raise ShapeError(
                "Indexing by a condition: it needs the lengths of the axes it chooses from",
                found=f"a condition of shape {part.shape} for x: {x.type}",
                needed=f"the shape {x.shape[axis : axis + part.ndim]}",
            )
        else:
            found += np.nonzero(part)
        axis += _axes_of(part)
    return found


# -- numbers and slices ---------------------------------------------------------------------


def _slice(x: Value, parts: Sequence[Index], *, numbers: bool) -> Value:
    """x cut by the slices among ``parts`` (and by the ``numbers``); each axis stays."""
    starts, stops, strides, turned = [], [], [], []
    for axis, (part, length) in enumerate(zip(parts, x.shape, strict=True)):
        steps = range(length)
        if isinstance(part, slice):
            steps = _steps(part, length)
        elif isinstance(part, int) and numbers:
            start = _counted(part, length, axis)
            steps = range(start, start + 1)
        if steps.step < 0:
            steps = steps[::-1]
            turned.append(axis)
        starts.append(steps.start if steps else 0)
        stops.append(steps[-1] + 1 if steps else 0)
        strides.append(steps.step if len(steps) > 1 else 1)
    if (*stops,) != x.shape or any(starts) or any(stride != 1 for stride in strides):
        x = p.slice_(x, starts=(*starts,), stops=(*stops,), strides=(*strides,))
    turned = [axis for axis in turned if x.shape[axis] > 1]
    return p.reverse(x, axes=(*turned,)) if turned else x


def _steps(part: slice, length: int) -> range:
    try:
        return range(*part.indices(length))
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            "Indexing: a slice is made of whole numbers that are known beforehand",
            found=repr(part),
            needed="such as x[2:10] or x[::-1]; the step is not 0",
            try_="take(x, start + arange(count)) where the start is a Value",
        ) from error


def _counted(part: int, length: int, axis: int) -> int:
    if not -length <= part < length:
        raise LabelError(
            f"Indexing: {part} lies outside of axis {axis}",
            found=f"index {part} on an axis of length {length}",
            needed=f"{-length} to {length - 1}" if length else "an axis that is not empty",
        )
    return part % length


def _lay_out(x: Value, parts: Sequence[Index]) -> Value:
    """x without the axes of whole numbers, and with new axes."""
    lengths = iter(x.shape)
    shape = []
    for part in parts:
        length = 1 if part is None else next(lengths)
        if not isinstance(part, int):
            shape.append(length)
    return x if x.shape == (*shape,) else p.reshape(x, shape=(*shape,))


# -- arrays of indices ---------------------------------------------------------------------


def _pick(x: Value, parts: Sequence[Index], *, stay: bool) -> Value:
    """x at arrays of indices, beside which whole numbers are arrays of one index too."""
    entries = [part for part in parts if part is not None]
    axes = [axis for axis, part in enumerate(entries) if not isinstance(part, slice)]
    indices = _flat_indices(x, axes, [entries[axis] for axis in axes])
    rest = [axis for axis in range(len(entries)) if axis not in axes]
    # The indexed axes become one axis, at their place or in front.
    before = axes[0] if stay else 0
    order = (*rest[:before], *axes, *rest[before:])
    if order != tuple(range(len(order))):
        x = p.transpose(x, order=order)
    kept = [x.shape[order.index(axis)] for axis in rest]
    merged = math.prod(x.shape[order.index(axis)] for axis in axes)
    if len(axes) > 1:
        x = p.reshape(x, shape=(*kept[:before], merged, *kept[before:]))
    x = p.gather(x, indices, axis=before)
    lengths = iter(kept)
    shape: list[int] = [] if stay else [*indices.shape]
    todo = [*indices.shape] if stay else []
    for part in parts:
        if part is None:
            shape.append(1)
        elif isinstance(part, slice):
            shape.append(next(lengths))
        else:  # the first of them says where the axes of the indices go
            shape, todo = shape + todo, []
    return x if x.shape == (*shape,) else p.reshape(x, shape=(*shape,))


def _flat_indices(x: Value, axes: Sequence[int], parts: Sequence[Index]) -> Value:
    """The indices into some axes of x as indices into one axis made of them."""
    lengths = [x.shape[axis] for axis in axes]
    known = [
        part if isinstance(part, Value) else known_indices(part, length, f"Indexing axis {axis}")
        for part, length, axis in zip(parts, lengths, axes, strict=True)
    ]
    if len(known) == 1 and isinstance(known[0], Value):
        return counted_indices(known[0], lengths[0], f"Indexing axis {axes[0]}")
    steps = [math.prod(lengths[n + 1 :]) for n in range(len(lengths))]
    counted = [
        as_dtype(counted_indices(part, length, f"Indexing axis {axis}"), I64)
        if isinstance(part, Value)
        else type(x).leaf(part)
        for part, length, axis in zip(known, lengths, axes, strict=True)
    ]
    result, *others = (
        p.multiply(part, p.constant_like(step, part)) if step != 1 else part
        for part, step in zip(counted, steps, strict=True)
    )
    for other in others:
        result = p.add(*broadcast(result, other, doing="Indexing by several arrays"))
    return result
