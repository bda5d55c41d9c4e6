"""The rules for plain numbers, types and sizes that meet: lifting, promotion, broadcasting.

Everything implicit about arithmetic happens here, as explicit equations, so that no floor below
ever has to undo it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, Protocol

import numpy as np

from clearprop import dtypes
from clearprop import primitives as p
from clearprop.dtypes import BOOL, I64, SHORT_NAMES, DType, is_float
from clearprop.errors import ArgumentError, DTypeError, ShapeError
from clearprop.ir.types import Shape
from clearprop.ir.value import Array, Value, leaf_class
from clearprop.primitives.spread import everywhere
from clearprop.settings import settings


class HasArray(Protocol):
    """Whatever NumPy can read, such as a column of a table."""

    def __array__(self) -> Array:
        """The numbers."""


ArrayLike = Value | Array | np.generic | bool | int | float | Sequence[Any] | HasArray

_PYTHON_NUMBERS = {bool, int, float}


# -- lifting: plain numbers become leaves ---------------------------------------


def lift(*args: ArrayLike, beside: Sequence[object] = ()) -> tuple[Value, ...]:
    """The arguments as Values; Python numbers, lists and arrays become leaves.

    Arrays and NumPy scalars keep their element type.  Python numbers (and lists of nothing else)
    are weak: they take the type of the arrays they meet, except that a float makes integers
    ``settings.dtype`` and an integer makes booleans i64; with no array in sight a float is
    ``settings.dtype``, an integer i64.  Leaves are copies, unless an array and all that it is a
    view of are read-only.

    Args:
        args: what to lift.
        beside: other arguments of the same operation.  All have a say in the class of the new
            leaves, which is the most special one among the Values, but not in element types.

    Raises:
        DTypeError: text, objects, complex numbers, or a list that holds Values.
        ShapeError: rows of different lengths.
        ArgumentError: a Python integer is too large for the type it has to take.
    """
    found = [arg.as_input() if isinstance(arg, Value) else _read(arg) for arg in args]
    values = [item for item in found if isinstance(item, Value)]
    if len(values) == len(found):
        return tuple(values)
    values += [other.as_input() for other in beside if isinstance(other, Value)]
    class_ = _most_special_class(values) if values else leaf_class()
    dtype = _weak_dtype(found)
    return tuple(
        item
        if isinstance(item, Value)
        else class_.leaf(_converted(item.array, dtype) if item.is_weak else item.array)
        for item in found
    )


def leaf_array(data: Any, dtype: DType | None = None) -> Array:
    """The read-only array of a leaf with these numbers.

    Args:
        data: numbers as ``lift`` reads them.
        dtype: element type; Python numbers are converted to it directly, without rounding twice.

    Shapes:
        The shape of ``data``.
    """
    read = _read(data)
    if dtype is None:
        return _converted(read.array, _weak_dtype([read])) if read.is_weak else read.array
    array = np.asarray(p.CAST.meaning(read.array, dtype=dtype))
    array.flags.writeable = False
    return array


def lift_float(x: ArrayLike) -> Value:
    """``x`` as a floating-point Value: whole numbers and booleans become ``settings.dtype``."""
    return as_float(lift(x)[0])


def lift_number(x: ArrayLike) -> Value:
    """``x`` as a Value one can calculate with: booleans become i64."""
    return as_number(lift(x)[0])


class _Plain:
    """Numbers on their way to a leaf."""

    __slots__ = ("array", "is_weak")

    def __init__(self, array: Array, *, is_weak: bool) -> None:
        self.array, self.is_weak = array, is_weak


def _read(arg: Any) -> _Plain:
    if type(arg) in _PYTHON_NUMBERS:
        return _Plain(_python_array(arg), is_weak=True)
    if isinstance(arg, (list, tuple)):
        kinds = _kinds_inside(arg)
        if any(issubclass(kind, Value) for kind in kinds):
            raise DTypeError(
                "Reading numbers: a list holds values of the graph, not only plain numbers",
                found=", ".join(sorted(kind.__name__ for kind in kinds)),
                needed="Python numbers or NumPy arrays",
                try_="join the values with stack([...]) or concatenate([...])",
            )
        return _Plain(_python_array(arg), is_weak=kinds <= _PYTHON_NUMBERS)
    array = np.asarray(arg)
    dtype = array.dtype.newbyteorder("=")
    if dtype not in SHORT_NAMES:
        raise _not_numbers(arg, array.dtype)
    if array is arg and not _is_fixed(array):
        array = np.array(array, dtype=dtype, order="C")
    else:
        array = array.astype(dtype, copy=not _is_fixed(array))
    array.flags.writeable = False
    return _Plain(array, is_weak=False)


def _kinds_inside(nest: Sequence[Any]) -> set[type[Any]]:
    kinds = set(map(type, nest))
    if not kinds & {list, tuple}:
        return kinds
    kinds -= {list, tuple}
    for item in nest:
        if isinstance(item, (list, tuple)):
            kinds |= _kinds_inside(item)
    return kinds


def _python_array(arg: Any) -> Array:
    try:
        array = np.array(arg)
    except ValueError as error:
        raise ShapeError(
            "Reading numbers: the rows of a list have different lengths",
            found=_shortened(arg),
            needed="rows of equal length",
            try_="pad the shorter rows",
        ) from error
    if array.dtype not in SHORT_NAMES:
        raise _not_numbers(arg, array.dtype)
    array.flags.writeable = False
    return array


def _is_fixed(array: Any) -> bool:
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return True


def _not_numbers(arg: Any, dtype: np.dtype[Any]) -> DTypeError:
    kinds = {"O": "objects", "U": "text", "S": "text", "c": "complex numbers", "M": "dates"}
    try_ = {
        "O": "make it an array of numbers; integers must fit into 64 bits",
        "U": "encode text as whole numbers, one for each word or category",
        "S": "encode text as whole numbers, one for each word or category",
        "f": 'array.astype("float32")',
        "c": "use the real and the imaginary part as two arrays",
    }
    return DTypeError(
        f"Reading numbers: there is no element type for {kinds.get(dtype.kind, dtype.name)}",
        found=_shortened(arg),
        needed="numbers: " + ", ".join(known.name for known in SHORT_NAMES),
        try_=try_.get(dtype.kind, "convert it to an array of numbers"),
    )


def _shortened(arg: object) -> str:
    text = repr(arg)
    return text if len(text) <= 60 else text[:57] + "..."


def _most_special_class(values: Sequence[Value]) -> type[Value]:
    chosen = type(values[0])
    for value in values[1:]:
        if issubclass(type(value), chosen):
            chosen = type(value)
    return chosen


def _weak_dtype(found: Sequence[Value | _Plain]) -> DType:
    """The type that weak numbers among ``found`` take."""
    strong: list[DType] = []
    weak_kinds = set()
    for item in found:
        if isinstance(item, Value):
            strong.append(item.dtype)
        elif item.is_weak:
            weak_kinds.add(item.array.dtype.kind)
        else:
            strong.append(item.array.dtype)
    meeting = reduce(dtypes.promote, strong) if strong else BOOL
    if is_float(meeting):
        return meeting
    if "f" in weak_kinds:
        return settings.dtype
    return I64 if meeting == BOOL and weak_kinds & {"i", "u"} else meeting


def _converted(array: Array, dtype: DType) -> Array:
    if dtypes.is_integer(dtype) and array.size:
        limits = np.iinfo(dtype)
        low, high = int(array.min()), int(array.max())
        if low < limits.min or high > limits.max:
            raise ArgumentError(
                f"Giving a Python number the type of its array: it does not fit into {dtype.name}",
                found=str(low if low < limits.min else high),
                needed=f"{limits.min} to {limits.max}",
                try_='make the array wider first: cast(x, "int64")',
            )
    with np.errstate(over="ignore"):  # 1e300 in float32 is infinity
        converted = array.astype(dtype)
    converted.flags.writeable = False
    return converted


# -- promotion: one element type ---------------------------------------------------


def as_dtype(x: Value, dtype: DType) -> Value:
    """``x`` with this element type; no equation where it has it already."""
    return x if x.dtype == dtype else p.cast(x, dtype=dtype)


def as_float(x: Value) -> Value:
    """``x``, or its numbers as ``settings.dtype`` where it holds whole numbers or booleans."""
    return x if is_float(x.dtype) else p.cast(x, dtype=settings.dtype)


def as_number(x: Value) -> Value:
    """``x``, or its booleans as 0 and 1 in i64."""
    return p.cast(x, dtype=I64) if x.dtype == BOOL else x


def as_condition(x: Value) -> Value:
    """``x``, or whether its numbers differ from zero."""
    return as_dtype(x, BOOL)


def promote(*values: Value) -> tuple[Value, ...]:
    """The values with the one element type that they agree on."""
    dtype = reduce(dtypes.promote, (value.dtype for value in values))
    return tuple(as_dtype(value, dtype) for value in values)


# -- broadcasting: one shape ---------------------------------------------------------


def spread(x: Value, shape: Shape) -> Value:
    """``x`` repeated to ``shape``, to which its own shape must broadcast.

    Shapes:
        x: any shape that broadcasts to ``shape``  ->  ``shape``
    """
    if x.shape == shape:
        return x
    if x.is_constant and x.array is not None and x.shape == ():
        return type(x).leaf(everywhere(x.array, shape))
    missing = len(shape) - len(x.shape)
    repeated = [
        axis
        for axis, length in enumerate(shape)
        if axis < missing or (x.shape[axis - missing] == 1 and length != 1)
    ]
    kept = tuple(length for axis, length in enumerate(shape) if axis not in repeated)
    if x.shape != kept:
        x = p.reshape(x, shape=kept)
    return p.broadcast_to(x, shape=shape, new_axes=tuple(repeated)) if repeated else x


def common_shape(shapes: Sequence[Shape], doing: str = "Bringing arrays to one shape") -> Shape:
    """The shape that arrays of these shapes broadcast to, by NumPy's rules.

    Raises:
        ShapeError: two lengths of one axis differ and neither is 1.
    """
    different = set(shapes) - {()}
    if len(different) < 2:
        return different.pop() if different else ()
    rank = max(map(len, shapes), default=0)
    result = []
    for axis in range(-rank, 0):
        lengths = {shape[axis] for shape in shapes if len(shape) >= -axis} - {1}
        if len(lengths) > 1:
            raise ShapeError(
                f"{doing}: lengths {' and '.join(map(str, sorted(lengths)))} "
                f"of axis {axis} do not fit together",
                found=" and ".join(map(_shape_text, shapes)),
                needed="equal lengths on each axis, counted from the last one, or a length of 1",
                try_=_fitting_advice(shapes),
            )
        result.append(lengths.pop() if lengths else 1)
    return tuple(result)


def broadcast(*values: Value, doing: str = "Bringing arrays to one shape") -> tuple[Value, ...]:
    """The values repeated along axes of length 1 until all have one shape.

    Shapes:
        each value: any; together they must broadcast  ->  the common shape
    """
    first = values[0].shape
    if all(value.shape == first for value in values):
        return values
    shape = common_shape([value.shape for value in values], doing)
    return tuple(spread(value, shape) for value in values)


def _shape_text(shape: Shape) -> str:
    return str(tuple(shape))


def _fitting_advice(shapes: Sequence[Shape]) -> str:
    """A change that makes two shapes fit, where a simple one does."""
    if len(shapes) == 2:
        short, long = sorted(shapes, key=len)
        extended = (*short, 1)
        if len(short) < len(long) and _fit(extended, long):
            return f"expand_dims(x, -1) makes the {_shape_text(short)} a {_shape_text(extended)}"
        if len(short) == len(long) == 2 and _fit(short[::-1], long):
            return f"transpose(x) makes the {_shape_text(short)} a {_shape_text(short[::-1])}"
    return "compare the shapes axis by axis; reshape, expand_dims or transpose one of them"


def _fit(first: Shape, second: Shape) -> bool:
    pairs = zip(reversed(first), reversed(second), strict=False)
    return all(one == other or 1 in {one, other} for one, other in pairs)


# -- all three -------------------------------------------------------------------------


def meet(*args: ArrayLike, doing: str = "Bringing arrays to one shape") -> tuple[Value, ...]:
    """The arguments as Values of one element type and one shape.

    Shapes:
        each argument: any; together they must broadcast  ->  the common shape
    """
    return broadcast(*promote(*lift(*args)), doing=doing)


def meet_numbers(
    *args: ArrayLike, doing: str = "Bringing arrays to one shape"
) -> tuple[Value, ...]:
    """As ``meet``; booleans among themselves count as 0 and 1 in i64.

    Shapes:
        each argument: any; together they must broadcast  ->  the common shape
    """
    return broadcast(*map(as_number, promote(*lift(*args))), doing=doing)


def meet_floats(*args: ArrayLike, doing: str = "Bringing arrays to one shape") -> tuple[Value, ...]:
    """As ``meet``; whole numbers and booleans become ``settings.dtype``.

    Shapes:
        each argument: any; together they must broadcast  ->  the common shape
    """
    return broadcast(*map(as_float, promote(*lift(*args))), doing=doing)
