"""Sums, products, powers and rounding of each element."""

from __future__ import annotations

from clearprop import primitives as p
from clearprop.dtypes import is_float, is_integer
from clearprop.errors import ArgumentError
from clearprop.ir.value import Value
from clearprop.ops.lift import (
    ArrayLike,
    as_number,
    lift,
    lift_float,
    lift_number,
    meet,
    meet_floats,
    meet_numbers,
)
from clearprop.ops.operation import operation

_LARGEST_REPEATED_FLOAT_EXPONENT = 8  # beyond it, rounding adds up to more than `power` errs


@operation
def add(x: ArrayLike, y: ArrayLike) -> Value:
    """x + y.

    Shapes:
        x, y: broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.add([1, 2], 10).numpy()
        array([11, 12])
    """
    return p.add(*meet_numbers(x, y, doing="Adding"))


@operation
def subtract(x: ArrayLike, y: ArrayLike) -> Value:
    """x - y.

    Shapes:
        x, y: broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.subtract([1, 2], 10).numpy()
        array([-9, -8])
    """
    return p.subtract(*meet_numbers(x, y, doing="Subtracting"))


@operation
def multiply(x: ArrayLike, y: ArrayLike) -> Value:
    """x * y, element by element.

    Shapes:
        x, y: broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.multiply([1, 2], [[10], [20]]).numpy()
        array([[10, 20],
               [20, 40]])
    """
    return p.multiply(*meet_numbers(x, y, doing="Multiplying"))


@operation
def divide(x: ArrayLike, y: ArrayLike) -> Value:
    """x / y, a float: whole numbers become ``settings.dtype`` first.

    Shapes:
        x, y: broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.divide([1, 2], 4).numpy()
        array([0.25, 0.5 ], dtype=float32)
    """
    return p.divide(*meet_floats(x, y, doing="Dividing"))


@operation
def floor_divide(x: ArrayLike, y: ArrayLike) -> Value:
    """The largest whole number below x / y; a whole number divided by 0 gives 0.

    Shapes:
        x, y: broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.floor_divide([7, -7], 2).numpy()
        array([ 3, -4])
    """
    return p.floor_divide(*meet_numbers(x, y, doing="Dividing"))


@operation
def remainder(x: ArrayLike, y: ArrayLike) -> Value:
    """What x leaves when divided by y, with the sign of y.

    Shapes:
        x, y: broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.remainder([7, -7], 3).numpy()
        array([1, 2])
    """
    return p.remainder(*meet_numbers(x, y, doing="Dividing"))


mod = remainder


@operation
def negative(x: ArrayLike) -> Value:
    """-x.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.negative([1, -2]).numpy()
        array([-1,  2])
    """
    return p.negate(lift_number(x))


@operation
def absolute(x: ArrayLike) -> Value:
    """|x|.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.absolute([1, -2]).numpy()
        array([1, 2])
    """
    return p.absolute(lift_number(x))


@operation
def sign(x: ArrayLike) -> Value:
    """-1, 0 or 1: the sign of each element.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.sign([-0.5, 0, 3]).numpy()
        array([-1.,  0.,  1.], dtype=float32)
    """
    return p.sign(lift_number(x))


@operation
def square(x: ArrayLike) -> Value:
    """x * x.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.square([1, -3]).numpy()
        array([1, 9])
    """
    value = lift_number(x)
    return p.multiply(value, value)


@operation
def reciprocal(x: ArrayLike) -> Value:
    """1 / x, a float.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.reciprocal([2, 4]).numpy()
        array([0.5 , 0.25], dtype=float32)
    """
    value = lift_float(x)
    return p.divide(p.constant_like(1, value), value)


@operation
def maximum(x: ArrayLike, y: ArrayLike) -> Value:
    """The larger of x and y; NaN where either is NaN.

    Shapes:
        x, y: broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.maximum([1, 5], 3).numpy()
        array([3, 5])
    """
    return p.maximum(*meet(x, y, doing="Comparing"))


@operation
def minimum(x: ArrayLike, y: ArrayLike) -> Value:
    """The smaller of x and y; NaN where either is NaN.

    Shapes:
        x, y: broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.minimum([1, 5], 3).numpy()
        array([1, 3])
    """
    return p.minimum(*meet(x, y, doing="Comparing"))


@operation
def clip(x: ArrayLike, x_min: ArrayLike | None, x_max: ArrayLike | None) -> Value:
    """X, but at least ``x_min`` and at most ``x_max`` (None: no limit).

    Shapes:
        x, x_min, x_max: broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.clip([-1, 0.5, 7], 0, 1).numpy()
        array([0. , 0.5, 1. ], dtype=float32)
    """
    limits = [limit for limit in (x_min, x_max) if limit is not None]
    value, *bounds = meet_numbers(x, *limits, doing="Clipping")
    if x_min is not None:
        value = p.maximum(value, bounds[0])
    return p.minimum(value, bounds[-1]) if x_max is not None else value


# -- powers ---------------------------------------------------------------------------


@operation
def power(x: ArrayLike, y: ArrayLike) -> Value:
    """x to the power y.

    A small whole exponent that is a Python number is computed by multiplication, 0.5 as a square
    root; these also have the right derivative at zero.

    Shapes:
        x, y: broadcast to S  ->  S

    Raises:
        ArgumentError: whole numbers to a negative whole power, which are not whole numbers.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.power([1, 2, 3], 2).numpy()
        array([1, 4, 9])
    """
    if type(y) in {int, float}:
        easy = _easy_power(lift_number(x), y)  # type: ignore[arg-type]
        if easy is not None:
            return easy
    base, exponent = meet_numbers(x, y, doing="Raising to a power")
    return p.power(base, exponent)


def _easy_power(x: Value, exponent: float) -> Value | None:
    if is_integer(x.dtype):
        if not isinstance(exponent, int):
            return None
        if exponent < 0:
            raise ArgumentError(
                "Raising to a power: whole numbers have no negative powers among whole numbers",
                found=f"{x.type} to the power {exponent}",
                needed="an exponent of 0 or more, or floating-point numbers",
                try_='cast(x, "float32") first',
            )
        return _repeated_product(x, exponent)
    if exponent == 0.5:
        return p.sqrt(x)
    if exponent == -0.5:
        return p.rsqrt(x)
    whole = exponent == int(exponent) if abs(exponent) < 2**31 else False
    if not whole or abs(exponent) > _LARGEST_REPEATED_FLOAT_EXPONENT:
        return None
    product = _repeated_product(x, abs(int(exponent)))
    return product if exponent >= 0 else p.divide(p.constant_like(1, x), product)


def _repeated_product(x: Value, exponent: int) -> Value:
    """x to a whole power, by squaring."""
    result = None
    while exponent:
        if exponent & 1:
            result = x if result is None else p.multiply(result, x)
        exponent >>= 1
        if exponent:
            x = p.multiply(x, x)
    return p.constant_like(1, x) if result is None else result


# -- rounding ---------------------------------------------------------------------------


@operation
def floor(x: ArrayLike) -> Value:
    """The largest whole number not above x; the element type stays.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.floor([1.7, -1.2]).numpy()
        array([ 1., -2.], dtype=float32)
    """
    value = lift(x)[0]
    return p.floor(value) if is_float(value.dtype) else as_number(value)


@operation
def ceil(x: ArrayLike) -> Value:
    """The smallest whole number not below x; the element type stays.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.ceil([1.2, -1.7]).numpy()
        array([ 2., -1.], dtype=float32)
    """
    value = lift(x)[0]
    return p.ceil(value) if is_float(value.dtype) else as_number(value)


@operation
def round_(x: ArrayLike) -> Value:
    """The nearest whole number, of two equally near the even one; the element type stays.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.round([0.5, 1.5, 1.7]).numpy()
        array([0., 2., 2.], dtype=float32)
    """
    value = lift(x)[0]
    return p.round_(value) if is_float(value.dtype) else as_number(value)


@operation
def trunc(x: ArrayLike) -> Value:
    """x without its fraction; the element type stays.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.trunc([1.7, -1.7]).numpy()
        array([ 1., -1.], dtype=float32)
    """
    value = lift(x)[0]
    return p.truncate(value) if is_float(value.dtype) else as_number(value)
