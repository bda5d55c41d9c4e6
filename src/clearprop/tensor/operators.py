"""What can be written with operators and methods: Python's signs on top of ``ops``."""

from __future__ import annotations

from typing import Any, Self, cast

from clearprop import ops
from clearprop.ir.types import Shape

Axis = int | tuple[int, ...] | None
_ops: Any = ops  # operations take Values and symbolic Tensors; only the first are in their types


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

    def __add__(self, other: Any) -> Self:
        return cast("Self", _ops.add(self, other))

    def __radd__(self, other: Any) -> Self:
        return cast("Self", _ops.add(other, self))

    def __sub__(self, other: Any) -> Self:
        return cast("Self", _ops.subtract(self, other))

    def __rsub__(self, other: Any) -> Self:
        return cast("Self", _ops.subtract(other, self))

    def __mul__(self, other: Any) -> Self:
        return cast("Self", _ops.multiply(self, other))

    def __rmul__(self, other: Any) -> Self:
        return cast("Self", _ops.multiply(other, self))

    def __truediv__(self, other: Any) -> Self:
        return cast("Self", _ops.divide(self, other))

    def __rtruediv__(self, other: Any) -> Self:
        return cast("Self", _ops.divide(other, self))

    def __floordiv__(self, other: Any) -> Self:
        return cast("Self", _ops.floor_divide(self, other))

    def __rfloordiv__(self, other: Any) -> Self:
        return cast("Self", _ops.floor_divide(other, self))

    def __mod__(self, other: Any) -> Self:
        return cast("Self", _ops.remainder(self, other))

    def __rmod__(self, other: Any) -> Self:
        return cast("Self", _ops.remainder(other, self))

    def __pow__(self, other: Any) -> Self:
        return cast("Self", _ops.power(self, other))

    def __rpow__(self, other: Any) -> Self:
        return cast("Self", _ops.power(other, self))

    def __matmul__(self, other: Any) -> Self:
        return cast("Self", _ops.matmul(self, other))

    def __rmatmul__(self, other: Any) -> Self:
        return cast("Self", _ops.matmul(other, self))

    def __neg__(self) -> Self:
        return cast("Self", _ops.negative(self))

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return cast("Self", _ops.absolute(self))

    def __invert__(self) -> Self:
        return cast("Self", _ops.bitwise_not(self))

    def __and__(self, other: Any) -> Self:
        return cast("Self", _ops.bitwise_and(self, other))

    def __or__(self, other: Any) -> Self:
        return cast("Self", _ops.bitwise_or(self, other))

    def __xor__(self, other: Any) -> Self:
        return cast("Self", _ops.bitwise_xor(self, other))

    def __rand__(self, other: Any) -> Self:
        return cast("Self", _ops.bitwise_and(other, self))

    def __ror__(self, other: Any) -> Self:
        return cast("Self", _ops.bitwise_or(other, self))

    def __rxor__(self, other: Any) -> Self:
        return cast("Self", _ops.bitwise_xor(other, self))

    def __lshift__(self, other: Any) -> Self:
        return cast("Self", _ops.left_shift(self, other))

    def __rshift__(self, other: Any) -> Self:
        return cast("Self", _ops.right_shift(self, other))

    def __eq__(self, other: Any) -> Self:  # type: ignore[override]
        return cast("Self", _ops.equal(self, other))

    def __ne__(self, other: Any) -> Self:  # type: ignore[override]
        return cast("Self", _ops.not_equal(self, other))

    def __lt__(self, other: Any) -> Self:
        return cast("Self", _ops.less(self, other))

    def __le__(self, other: Any) -> Self:
        return cast("Self", _ops.less_equal(self, other))

    def __gt__(self, other: Any) -> Self:
        return cast("Self", _ops.greater(self, other))

    def __ge__(self, other: Any) -> Self:
        return cast("Self", _ops.greater_equal(self, other))

    __hash__ = object.__hash__  # a node is itself; == compares numbers

    def __getitem__(self, key: Any) -> Self:
        return cast("Self", _ops.index(self, key))

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Sum of the elements along ``axis`` (None: of all)."""
        return cast("Self", _ops.sum(self, axis, keepdims=keepdims))

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Mean of the elements along ``axis`` (None: of all)."""
        return cast("Self", _ops.mean(self, axis, keepdims=keepdims))

    def var(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Variance along ``axis``: the mean of the squared distances from the mean."""
        return cast("Self", _ops.var(self, axis, keepdims=keepdims))

    def std(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Standard deviation along ``axis``: the square root of the variance."""
        return cast("Self", _ops.std(self, axis, keepdims=keepdims))

    def max(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Largest element along ``axis`` (None: of all)."""
        return cast("Self", _ops.max(self, axis, keepdims=keepdims))

    def min(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Smallest element along ``axis`` (None: of all)."""
        return cast("Self", _ops.min(self, axis, keepdims=keepdims))

    def prod(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Product of the elements along ``axis`` (None: of all)."""
        return cast("Self", _ops.prod(self, axis, keepdims=keepdims))

    def argmax(self, axis: int | None = None) -> Self:
        """Index of the largest element along ``axis``."""
        return cast("Self", _ops.argmax(self, axis))

    def argmin(self, axis: int | None = None) -> Self:
        """Index of the smallest element along ``axis``."""
        return cast("Self", _ops.argmin(self, axis))

    def reshape(self, *shape: int | Shape) -> Self:
        """The same elements in another shape; one length may be -1."""
        sizes = shape[0] if len(shape) == 1 else shape
        return cast("Self", _ops.reshape(self, sizes))

    def transpose(self, *order: int) -> Self:
        """Axes in another order; reversed when none is given."""
        return cast("Self", _ops.transpose(self, order or None))

    @property
    def T(self) -> Self:  # noqa: N802 -- NumPy's name
        """Axes in reversed order."""
        return cast("Self", _ops.transpose(self))

    def astype(self, dtype: Any) -> Self:
        """The same numbers as another element type."""
        return cast("Self", _ops.cast(self, dtype))
