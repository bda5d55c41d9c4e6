"""What can be written with operators and methods: Python's signs on top of ``ops``."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from clearprop import ops
from clearprop.ir.types import Shape

Self = TypeVar("Self", bound="Operators")
Axis = int | tuple[int, ...] | None


class Operators:
    """Operators and methods of whatever can stand in a formula.

    Each is one public operation of ``clearprop.ops``, so what holds there (broadcasting,
    promotion, errors) holds here.
    """

    __slots__ = ()
    __array_priority__ = 1000

    @property
    def shape(self) -> Any:
        """Length of each axis."""
        raise AttributeError("shape")

    def __add__(self: Self, other: Any) -> Self:
        return cast("Self", ops.add(self, other))

    def __radd__(self: Self, other: Any) -> Self:
        return cast("Self", ops.add(other, self))

    def __sub__(self: Self, other: Any) -> Self:
        return cast("Self", ops.subtract(self, other))

    def __rsub__(self: Self, other: Any) -> Self:
        return cast("Self", ops.subtract(other, self))

    def __mul__(self: Self, other: Any) -> Self:
        return cast("Self", ops.multiply(self, other))

    def __rmul__(self: Self, other: Any) -> Self:
        return cast("Self", ops.multiply(other, self))

    def __truediv__(self: Self, other: Any) -> Self:
        return cast("Self", ops.divide(self, other))

    def __rtruediv__(self: Self, other: Any) -> Self:
        return cast("Self", ops.divide(other, self))

    def __floordiv__(self: Self, other: Any) -> Self:
        return cast("Self", ops.floor_divide(self, other))

    def __rfloordiv__(self: Self, other: Any) -> Self:
        return cast("Self", ops.floor_divide(other, self))

    def __mod__(self: Self, other: Any) -> Self:
        return cast("Self", ops.remainder(self, other))

    def __rmod__(self: Self, other: Any) -> Self:
        return cast("Self", ops.remainder(other, self))

    def __pow__(self: Self, other: Any) -> Self:
        return cast("Self", ops.power(self, other))

    def __rpow__(self: Self, other: Any) -> Self:
        return cast("Self", ops.power(other, self))

    def __matmul__(self: Self, other: Any) -> Self:
        return cast("Self", ops.matmul(self, other))

    def __rmatmul__(self: Self, other: Any) -> Self:
        return cast("Self", ops.matmul(other, self))

    def __neg__(self: Self) -> Self:
        return cast("Self", ops.negative(self))

    def __pos__(self: Self) -> Self:
        return self

    def __abs__(self: Self) -> Self:
        return cast("Self", ops.absolute(self))

    def __invert__(self: Self) -> Self:
        return cast("Self", ops.bitwise_not(self))

    def __and__(self: Self, other: Any) -> Self:
        return cast("Self", ops.bitwise_and(self, other))

    def __or__(self: Self, other: Any) -> Self:
        return cast("Self", ops.bitwise_or(self, other))

    def __xor__(self: Self, other: Any) -> Self:
        return cast("Self", ops.bitwise_xor(self, other))

    def __rand__(self: Self, other: Any) -> Self:
        return cast("Self", ops.bitwise_and(other, self))

    def __ror__(self: Self, other: Any) -> Self:
        return cast("Self", ops.bitwise_or(other, self))

    def __rxor__(self: Self, other: Any) -> Self:
        return cast("Self", ops.bitwise_xor(other, self))

    def __lshift__(self: Self, other: Any) -> Self:
        return cast("Self", ops.left_shift(self, other))

    def __rshift__(self: Self, other: Any) -> Self:
        return cast("Self", ops.right_shift(self, other))

    def __eq__(self: Self, other: Any) -> Self:  # type: ignore[override]
        return cast("Self", ops.equal(self, other))

    def __ne__(self: Self, other: Any) -> Self:  # type: ignore[override]
        return cast("Self", ops.not_equal(self, other))

    def __lt__(self: Self, other: Any) -> Self:
        return cast("Self", ops.less(self, other))

    def __le__(self: Self, other: Any) -> Self:
        return cast("Self", ops.less_equal(self, other))

    def __gt__(self: Self, other: Any) -> Self:
        return cast("Self", ops.greater(self, other))

    def __ge__(self: Self, other: Any) -> Self:
        return cast("Self", ops.greater_equal(self, other))

    __hash__ = object.__hash__  # a node is itself; == compares numbers

    def __getitem__(self: Self, key: Any) -> Self:
        return cast("Self", ops.index(self, key))

    def sum(self: Self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Sum of the elements along ``axis`` (None: of all)."""
        return cast("Self", ops.sum(self, axis, keepdims=keepdims))

    def mean(self: Self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Mean of the elements along ``axis`` (None: of all)."""
        return cast("Self", ops.mean(self, axis, keepdims=keepdims))

    def var(self: Self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Variance along ``axis``: the mean of the squared distances from the mean."""
        return cast("Self", ops.var(self, axis, keepdims=keepdims))

    def std(self: Self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Standard deviation along ``axis``: the square root of the variance."""
        return cast("Self", ops.std(self, axis, keepdims=keepdims))

    def max(self: Self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Largest element along ``axis`` (None: of all)."""
        return cast("Self", ops.max(self, axis, keepdims=keepdims))

    def min(self: Self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Smallest element along ``axis`` (None: of all)."""
        return cast("Self", ops.min(self, axis, keepdims=keepdims))

    def prod(self: Self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Product of the elements along ``axis`` (None: of all)."""
        return cast("Self", ops.prod(self, axis, keepdims=keepdims))

    def argmax(self: Self, axis: int | None = None) -> Self:
        """Index of the largest element along ``axis``."""
        return cast("Self", ops.argmax(self, axis))

    def argmin(self: Self, axis: int | None = None) -> Self:
        """Index of the smallest element along ``axis``."""
        return cast("Self", ops.argmin(self, axis))

    def reshape(self: Self, *shape: int | Shape) -> Self:
        """The same elements in another shape; one length may be -1."""
        sizes = shape[0] if len(shape) == 1 else shape
        return cast("Self", ops.reshape(self, sizes))

    def transpose(self: Self, *order: int) -> Self:
        """Axes in another order; reversed when none is given."""
        return cast("Self", ops.transpose(self, order or None))

    @property
    def T(self: Self) -> Self:  # noqa: N802 -- NumPy's name
        """Axes in reversed order."""
        return cast("Self", ops.transpose(self))

    def astype(self: Self, dtype: Any) -> Self:
        """The same numbers as another element type."""
        return cast("Self", ops.cast(self, dtype))
