"""Order along an axis."""

from __future__ import annotations

from clearprop import primitives as p
from clearprop.errors import ArgumentError
from clearprop.ir.value import Value
from clearprop.ops.axes import one_axis
from clearprop.ops.lift import ArrayLike, lift
from clearprop.ops.operation import operation


@operation
def sort(x: ArrayLike, axis: int | None = -1) -> Value:
    """The elements from small to large along an axis, NaN last.

    Shapes:
        x: S  ->  S;  axis None: (number of elements,)

    Gradient:
        Each element's derivative goes back to where it came from.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.sort([3, 1, 2]).numpy()
        array([1, 2, 3])
    """
    value, place = _along(x, axis)
    return p.sort(value, axis=place)


@operation
def argsort(x: ArrayLike, axis: int | None = -1) -> Value:
    """The indices that sort x; equal elements keep their order.

    Shapes:
        x: S  ->  i64 S;  axis None: (number of elements,)

    Example:
        >>> import clearprop as cp
        >>> cp.ops.argsort([3, 1, 2]).numpy()
        array([1, 2, 0])
    """
    value, place = _along(x, axis)
    return p.argsort(value, axis=place)


def _along(x: ArrayLike, axis: int | None) -> tuple[Value, int]:
    value = lift(x)[0]
    if axis is None:
        return p.reshape(value, shape=(value.type.size,)), 0
    return value, one_axis(axis, len(value.shape), "Sorting")


@operation
def top_k(x: ArrayLike, k: int) -> tuple[Value, Value]:
    """The k largest elements along the last axis, the largest first, and their indices.

    Of equal elements the one with the smaller index comes first.  NaN counts as largest, as it
    does for ``sort`` and ``argmax``.

    Shapes:
        x: (*S, n)  ->  (*S, k) and i64 (*S, k)

    Gradient:
        Each element's derivative goes back to where it came from.

    Raises:
        ArgumentError: there are fewer than k elements.

    Example:
        >>> import clearprop as cp
        >>> [part.numpy() for part in cp.ops.top_k([3, 1, 4, 1, 5], 2)]
        [array([5, 4]), array([4, 2])]
    """
    value = lift(x)[0]
    last = one_axis(-1, len(value.shape), "Finding the largest")
    length = value.shape[last]
    if not 0 <= k <= length:
        raise ArgumentError(
            f"Finding the {k} largest: there are {length}",
            found=f"k={k} for x: {value.type}",
            needed=f"0 to {length}",
        )
    return p.top_k(value, k=k)
