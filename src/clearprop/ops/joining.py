"""Arrays put together, taken apart, and given borders."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import index
from typing import Any

import numpy as np

from clearprop import primitives as p
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.value import Value
from clearprop.ops.axes import one_axis
from clearprop.ops.lift import ArrayLike, lift, lift_number, promote
from clearprop.ops.operation import operation


@operation
def concatenate(xs: Sequence[ArrayLike], axis: int | None = 0) -> Value:
    """Arrays one after the other along an axis.

    Args:
        xs: the arrays.
        axis: along which; None takes the elements of each along one axis first.

    Shapes:
        xs: (a, n), (b, n), ..., axis 0  ->  (a + b + ..., n)

    Raises:
        ShapeError: lengths differ along another axis.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.concatenate([[1, 2], [3]]).numpy()
        array([1, 2, 3])
    """
    values = _several(xs, "Joining arrays")
    if axis is None:
        values = tuple(p.reshape(value, shape=(value.type.size,)) for value in values)
    place = one_axis(axis or 0, len(values[0].shape), "Joining arrays")
    return _joined(values, place)


def _several(xs: Sequence[ArrayLike], doing: str) -> tuple[Value, ...]:
    if not isinstance(xs, (list, tuple)) or not xs:
        raise ArgumentError(
            f"{doing}: give them as one list",
            found=f"an empty {type(xs).__name__}" if isinstance(xs, (list, tuple)) else repr(xs),
            needed="a list of at least one array, such as [x, y]",
        )
    return promote(*lift(*xs))


def _joined(values: Sequence[Value], axis: int) -> Value:
    first = values[0].shape
    for value in values[1:]:
        if len(value.shape) != len(first) or any(
            one != other and n != axis
            for n, (one, other) in enumerate(zip(value.shape, first, strict=True))
        ):
            raise ShapeError(
                f"Joining arrays along axis {axis}: the other axes differ",
                found=" and ".join(str(each.type) for each in (values[0], value)),
                needed=f"equal lengths on every axis but {axis}",
            )
    return p.concatenate(*values, axis=axis) if len(values) > 1 else values[0]


@operation
def stack(xs: Sequence[ArrayLike], axis: int = 0) -> Value:
    """Arrays of one shape along a new axis.

    Shapes:
        xs: n times (a, b), axis 0  ->  (n, a, b)

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.stack([[1, 2], [3, 4]], axis=1).numpy()
        array([[1, 3],
               [2, 4]])
    """
    values = _several(xs, "Stacking arrays")
    shape = values[0].shape
    for value in values:
        if value.shape != shape:
            raise ShapeError(
                "Stacking arrays: they have different shapes",
                found=f"{values[0].type} and {value.type}",
                needed="one shape",
                try_="join arrays of different lengths with concatenate([...])",
            )
    place = one_axis(axis, len(shape) + 1, "Stacking arrays")
    layer = (*shape[:place], 1, *shape[place:])
    return _joined([p.reshape(value, shape=layer) for value in values], place)


@operation
def hstack(xs: Sequence[ArrayLike]) -> Value:
    """Arrays side by side: along the second axis, vectors one after the other.

    Shapes:
        xs: (a, n), (a, m), ...  ->  (a, n + m + ...);  (n,), (m,)  ->  (n + m,)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.hstack([[1, 2], [3]]).numpy()
        array([1, 2, 3])
    """
    values = [_at_least(value, 1) for value in _several(xs, "Joining arrays")]
    return _joined(values, 0 if len(values[0].shape) == 1 else 1)


@operation
def vstack(xs: Sequence[ArrayLike]) -> Value:
    """Arrays below each other: along the first axis, vectors as rows.

    Shapes:
        xs: (a, n), (b, n), ...  ->  (a + b + ..., n);  (n,), (n,)  ->  (2, n)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.vstack([[1, 2], [3, 4]]).numpy()
        array([[1, 2],
               [3, 4]])
    """
    return _joined([_at_least(value, 2) for value in _several(xs, "Joining arrays")], 0)


def _at_least(value: Value, rank: int) -> Value:
    missing = rank - len(value.shape)
    return p.reshape(value, shape=(1,) * missing + value.shape) if missing > 0 else value


@operation
def unstack(x: ArrayLike, axis: int = 0) -> list[Value]:
    """The slices of x along an axis, which disappears: ``stack`` undone.

    Shapes:
        x: (n, a, b), axis 0  ->  n times (a, b)

    Example:
        >>> import clearprop as cp
        >>> [part.numpy() for part in cp.ops.unstack([[1, 2], [3, 4]], axis=1)]
        [array([1, 3]), array([2, 4])]
    """
    value = lift(x)[0]
    place = one_axis(axis, len(value.shape), "Unstacking")
    shape = value.shape[:place] + value.shape[place + 1 :]
    return [
        p.reshape(sliced(value, place, n, n + 1), shape=shape) for n in range(value.shape[place])
    ]


@operation
def split(x: ArrayLike, sections: int | Sequence[int], axis: int = 0) -> list[Value]:
    """The parts of x along an axis.

    Args:
        x: the array.
        sections: the number of equal parts, or the indices at which new parts begin.
        axis: along which axis.

    Shapes:
        x: (6, n), sections 3  ->  3 times (2, n);  sections [1, 4]  ->  (1, n), (3, n), (2, n)

    Raises:
        ShapeError: the length cannot be divided into so many equal parts.
        ArgumentError: ``sections`` is something else.

    Example:
        >>> import clearprop as cp
        >>> [part.numpy() for part in cp.ops.split([1, 2, 3, 4], 2)]
        [array([1, 2]), array([3, 4])]
    """
    value = lift(x)[0]
    place = one_axis(axis, len(value.shape), "Splitting")
    cuts = _cuts(sections, value, place)
    return [
        sliced(value, place, start, max(start, stop))
        for start, stop in pairwise([0, *cuts, value.shape[place]])
    ]


def _cuts(sections: Any, x: Value, axis: int) -> list[int]:
    """The indices at which new parts begin."""
    length = x.shape[axis]
    try:
        if np.ndim(sections):
            return [slice(None, index(cut)).indices(length)[1] for cut in sections]
        count = index(sections)
    except (TypeError, ValueError):
        raise ArgumentError(
            "Splitting: the parts are told by their number, or by the indices where they begin",
            found=f"sections={sections!r}",
            needed="such as sections=3 or sections=[2, 5]",
        ) from None
    if count < 1 or length % count:
        raise ShapeError(
            f"Splitting: {length} elements do not make {count} equal parts",
            found=f"x: {x.type}, axis {axis}",
            needed=f"a number of parts that divides {length}",
            try_="give the indices at which parts begin: split(x, [2, 5])",
        )
    return [length // count * n for n in range(1, count)]


def sliced(x: Value, axis: int, start: int, stop: int) -> Value:
    """x from ``start`` up to ``stop`` along one axis.

    Shapes:
        x: (a, n, b), axis 1  ->  (a, stop - start, b)
    """
    if (start, stop) == (0, x.shape[axis]):
        return x
    rank = len(x.shape)
    starts = tuple(start if n == axis else 0 for n in range(rank))
    stops = tuple(stop if n == axis else x.shape[n] for n in range(rank))
    return p.slice_(x, starts=starts, stops=stops, strides=(1,) * rank)


@operation
def roll(
    x: ArrayLike, shift: int | Sequence[int], axis: int | Sequence[int] | None = None
) -> Value:
    """x moved along an axis; what leaves at the end comes in at the front.

    Args:
        x: the array.
        shift: by how many places; one number for each axis where several are named.
        axis: along which axis or axes; None moves the elements row after row.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.roll([1, 2, 3, 4], 1).numpy()
        array([4, 1, 2, 3])
    """
    value = lift(x)[0]
    axes = [0] if axis is None else [*axis] if isinstance(axis, Sequence) else [axis]
    shifts = [*shift] if isinstance(shift, Sequence) else [shift] * len(axes)
    if len(shifts) != len(axes):
        raise ArgumentError(
            "Rolling: each axis needs one shift",
            found=f"shift={shift}, axis={axis}",
            needed="one number, or as many as axes",
        )
    if axis is None:
        flat = p.reshape(value, shape=(value.type.size,))
        return p.reshape(_rolled(flat, shifts[0], 0), shape=value.shape)
    for places, each in zip(shifts, axes, strict=True):
        value = _rolled(value, places, one_axis(each, len(value.shape), "Rolling"))
    return value


def _rolled(value: Value, shift: int, axis: int) -> Value:
    length = value.shape[axis]
    cut = -shift % length if length else 0
    if cut == 0:
        return value
    return p.concatenate(sliced(value, axis, cut, length), sliced(value, axis, 0, cut), axis=axis)


@operation
def diff(x: ArrayLike, n: int = 1, axis: int = -1) -> Value:
    """What each element is more than the one before it.

    Args:
        x: the array.
        n: how often to take differences of the differences.
        axis: along which axis.

    Shapes:
        x: (a, m), n 1  ->  (a, m - 1), at least 0

    Raises:
        ArgumentError: n is negative, or there is no such axis.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.diff([1, 4, 9, 16]).numpy()
        array([3, 5, 7])
    """
    value = lift_number(x)
    place = one_axis(axis, len(value.shape), "Taking differences")
    if n < 0:
        raise ArgumentError(
            "Taking differences: how often?", found=f"n={n}", needed="a whole number from 0"
        )
    for _ in range(n):
        length = value.shape[place]
        later = sliced(value, place, min(1, length), length)
        value = p.subtract(later, sliced(value, place, 0, max(0, length - 1)))
    return value


# -- borders ------------------------------------------------------------------------------

PAD_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


@operation
def pad(
    x: ArrayLike,
    pad_width: int | Sequence[int] | Sequence[Sequence[int]],
    mode: str = "constant",
    constant_values: ArrayLike = False,
) -> Value:
    """x with borders.

    Args:
        x: the array.
        pad_width: how many elements before and after: one number for all sides, a pair for all
            axes, or a pair for each axis.
        mode: ``constant`` borders are ``constant_values``, ``edge`` repeats the outermost
            element, ``reflect`` mirrors without it, ``symmetric`` with it, ``wrap`` goes round.
        constant_values: one number; False is the zero of every type.

    Shapes:
        x: (a, b), pad_width ((1, 2), (3, 4))  ->  (a + 3, b + 7)

    Raises:
        ArgumentError: the widths or the mode cannot be.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.pad([1, 2], (1, 2)).numpy()
        array([0, 1, 2, 0, 0])
    """
    value = lift(x, beside=(constant_values,))[0]
    widths = _pad_widths(pad_width, len(value.shape))
    if mode not in PAD_MODES:
        raise ArgumentError(
            "Padding: there is no such mode",
            found=f"mode={mode!r}",
            needed=", ".join(PAD_MODES),
        )
    if mode == "constant":
        border = lift(value, constant_values)[1]
        if border.shape:
            raise ShapeError(
                "Padding: the border is one number",
                found=f"constant_values: {border.type}",
                needed="a single number",
            )
        value, border = promote(value, border)
        low, high = (tuple(side) for side in zip(*widths, strict=True)) if widths else ((), ())
        return p.pad(value, border, low=low, high=high, interior=(0,) * len(widths))
    for axis, width in enumerate(widths):
        if width != (0, 0):
            value = _mirrored(value, axis, width, mode)
    return value


def _mirrored(value: Value, axis: int, width: tuple[int, int], mode: str) -> Value:
    length = value.shape[axis]
    if length == 0:
        raise ShapeError(
            f"Padding: an empty axis has nothing to repeat for the mode {mode!r}",
            found=f"x: {value.type}, axis {axis}",
            needed="at least one element",
        )
    source = np.pad(np.arange(length), width, mode=mode)  # type: ignore[call-overload]
    source.flags.writeable = False
    return p.gather(value, type(value).leaf(source), axis=axis)


def _pad_widths(
    pad_width: int | Sequence[int] | Sequence[Sequence[int]], rank: int
) -> list[tuple[int, int]]:
    try:
        table = np.broadcast_to(np.asarray(pad_width), (rank, 2))
    except ValueError:
        table = np.full((1, 2), -1)
    if table.dtype.kind not in "iu" or (table < 0).any():
        raise ArgumentError(
            "Padding: the widths do not fit the array",
            found=f"pad_width={pad_width} for an array with {rank} axes",
            needed="a whole number, a pair, or a pair for each axis; none negative",
        )
    return [(int(before), int(after)) for before, after in table]
