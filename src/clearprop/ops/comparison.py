"""Questions about each element, the logic of their answers, and bits."""

from __future__ import annotations

from clearprop import primitives as p
from clearprop.dtypes import BOOL, is_float
from clearprop.errors import DTypeError
from clearprop.ir.value import Value
from clearprop.ops.lift import (
    ArrayLike,
    as_condition,
    broadcast,
    lift,
    meet,
    promote,
)
from clearprop.ops.operation import operation

# -- comparisons ------------------------------------------------------------------------


@operation
def equal(x: ArrayLike, y: ArrayLike) -> Value:
    """Whether x is y; NaN equals nothing.

    Shapes:
        x, y: broadcast to S  ->  bool S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.equal([1, 2], 2).numpy()
        array([False,  True])
    """
    return p.equal(*meet(x, y, doing="Comparing"))


@operation
def not_equal(x: ArrayLike, y: ArrayLike) -> Value:
    """Whether x is not y.

    Shapes:
        x, y: broadcast to S  ->  bool S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.not_equal([1, 2], 2).numpy()
        array([ True, False])
    """
    return p.not_equal(*meet(x, y, doing="Comparing"))


@operation
def less(x: ArrayLike, y: ArrayLike) -> Value:
    """Whether x is below y.

    Shapes:
        x, y: broadcast to S  ->  bool S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.less([1, 2], 2).numpy()
        array([ True, False])
    """
    return p.less(*meet(x, y, doing="Comparing"))


@operation
def less_equal(x: ArrayLike, y: ArrayLike) -> Value:
    """Whether x is y or below.

    Shapes:
        x, y: broadcast to S  ->  bool S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.less_equal([1, 2], 2).numpy()
        array([ True,  True])
    """
    return p.less_equal(*meet(x, y, doing="Comparing"))


@operation
def greater(x: ArrayLike, y: ArrayLike) -> Value:
    """Whether x is above y.

    Shapes:
        x, y: broadcast to S  ->  bool S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.greater([2, 3], 2).numpy()
        array([False,  True])
    """
    first, second = meet(x, y, doing="Comparing")
    return p.less(second, first)


@operation
def greater_equal(x: ArrayLike, y: ArrayLike) -> Value:
    """Whether x is y or above.

    Shapes:
        x, y: broadcast to S  ->  bool S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.greater_equal([2, 3], 2).numpy()
        array([ True,  True])
    """
    first, second = meet(x, y, doing="Comparing")
    return p.less_equal(second, first)


# -- logic ------------------------------------------------------------------------------


def _conditions(*args: ArrayLike) -> tuple[Value, ...]:
    return broadcast(*map(as_condition, lift(*args)), doing="Joining conditions")


@operation
def logical_and(x: ArrayLike, y: ArrayLike) -> Value:
    """Whether both hold; a number holds when it is not zero.

    Shapes:
        x, y: broadcast to S  ->  bool S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.logical_and([True, True], [True, False]).numpy()
        array([ True, False])
    """
    return p.bitwise_and(*_conditions(x, y))


@operation
def logical_or(x: ArrayLike, y: ArrayLike) -> Value:
    """Whether at least one holds; a number holds when it is not zero.

    Shapes:
        x, y: broadcast to S  ->  bool S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.logical_or([0, 0], [0, 3]).numpy()
        array([False,  True])
    """
    return p.bitwise_or(*_conditions(x, y))


@operation
def logical_xor(x: ArrayLike, y: ArrayLike) -> Value:
    """Whether exactly one holds; a number holds when it is not zero.

    Shapes:
        x, y: broadcast to S  ->  bool S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.logical_xor([True, True], [True, False]).numpy()
        array([False,  True])
    """
    return p.bitwise_xor(*_conditions(x, y))


@operation
def logical_not(x: ArrayLike) -> Value:
    """Whether it does not hold; a number holds when it is not zero.

    Shapes:
        x: S  ->  bool S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.logical_not([True, False]).numpy()
        array([False,  True])
    """
    return p.bitwise_not(*_conditions(x))


@operation
def where(condition: ArrayLike, x: ArrayLike, y: ArrayLike) -> Value:
    """x where the condition holds, y elsewhere: the ``if`` of the graph.

    Shapes:
        condition, x, y: broadcast to S  ->  S

    Gradient:
        Each of x and y receives the derivative where it was chosen and 0 elsewhere.

    Example:
        >>> import clearprop as cp
        >>> cp.ops.where([True, False], [1, 2], 0).numpy()
        array([1, 0])
    """
    chosen = as_condition(lift(condition, beside=(x, y))[0])
    first, second = promote(*lift(x, y, beside=(chosen,)))
    return p.select(*broadcast(chosen, first, second, doing="Choosing by a condition"))


# -- bits ---------------------------------------------------------------------------------


def _bits(*args: ArrayLike, doing: str, also_bool: bool = True) -> tuple[Value, ...]:
    values = meet(*args, doing=doing)
    if is_float(values[0].dtype) or (values[0].dtype == BOOL and not also_bool):
        raise DTypeError(
            f"{doing}: only whole numbers have bits",
            found=" and ".join(str(lifted.type) for lifted in lift(*args)),
            needed="whole numbers" + (" or booleans" if also_bool else ""),
            try_='cast(x, "int32") first',
        )
    return values


@operation
def bitwise_and(x: ArrayLike, y: ArrayLike) -> Value:
    """The bits that both have.

    Shapes:
        x, y: whole numbers or booleans, broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.bitwise_and(6, [1, 3]).numpy()
        array([0, 2])
    """
    return p.bitwise_and(*_bits(x, y, doing="Joining bits"))


@operation
def bitwise_or(x: ArrayLike, y: ArrayLike) -> Value:
    """The bits that at least one has.

    Shapes:
        x, y: whole numbers or booleans, broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.bitwise_or(6, [1, 3]).numpy()
        array([7, 7])
    """
    return p.bitwise_or(*_bits(x, y, doing="Joining bits"))


@operation
def bitwise_xor(x: ArrayLike, y: ArrayLike) -> Value:
    """The bits that exactly one has.

    Shapes:
        x, y: whole numbers or booleans, broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.bitwise_xor(6, [1, 3]).numpy()
        array([7, 5])
    """
    return p.bitwise_xor(*_bits(x, y, doing="Joining bits"))


@operation
def bitwise_not(x: ArrayLike) -> Value:
    """All bits turned over.

    Shapes:
        x: whole numbers or booleans, S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.bitwise_not([0, 5]).numpy()
        array([-1, -6])
    """
    return p.bitwise_not(*_bits(x, doing="Turning bits over"))


@operation
def left_shift(x: ArrayLike, y: ArrayLike) -> Value:
    """The bits of x moved up y places; 0 beyond the width.

    Shapes:
        x, y: whole numbers, broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.left_shift([1, 3], 2).numpy()
        array([ 4, 12])
    """
    return p.shift_left(*_bits(x, y, doing="Shifting bits", also_bool=False))


@operation
def right_shift(x: ArrayLike, y: ArrayLike) -> Value:
    """The bits of x moved down y places; the sign stays.

    Shapes:
        x, y: whole numbers, broadcast to S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.right_shift([8, -8], 2).numpy()
        array([ 2, -2])
    """
    return p.shift_right(*_bits(x, y, doing="Shifting bits", also_bool=False))
