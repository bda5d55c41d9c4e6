"""Arrays as they come in: made into NumPy arrays, and checked before the first step.

Whatever holds numbers is accepted: NumPy, lists, anything with ``__array__`` or Arrow's
``__arrow_c_stream__`` (polars, pandas, pyarrow).  What training could only answer with
NaN is refused here, with the first place where it stands.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from clearprop.data.extras import import_polars
from clearprop.errors import DataError, ShapeError
from clearprop.text import count_text

Array = np.ndarray[Any, Any]


def as_array(x: object, name: str = "x") -> Array:
    """The NumPy array that ``x`` holds; a NumPy array is returned as it is.

    Shapes:
        any -> the same; a table of n rows and k columns -> (n, k).

    Raises:
        ShapeError: lists of different lengths, which make no array.
        DataError: ``x`` holds no numbers at all (a dict, a set, a generator).

    Example:
        >>> as_array([[1.0, 2.0], [3.0, 4.0]]).shape
        (2, 2)
    """
    if isinstance(x, np.ndarray):
        return x
    if hasattr(x, "__array__"):
        return _numbers_if_possible(np.asarray(x))
    if hasattr(x, "__arrow_c_stream__"):
        frame: Any = import_polars("reading Arrow data").DataFrame(x)
        return _numbers_if_possible(np.asarray(frame.to_numpy()))
    if not isinstance(x, (list, tuple, range, str, numbers.Number)):
        raise DataError(
            f"Reading {name}: a {type(x).__name__} is not an array",
            found=f"{name}: {type(x).__name__}",
            needed="a NumPy array, a list of numbers, or a pandas, polars or Arrow table",
            try_="np.array(list(...)) makes an array of things that come one by one",
        )
    try:
        return _numbers_if_possible(np.asarray(x))
    except ValueError as error:
        raise ShapeError(
            f"Reading {name}: its lists have different lengths",
            found=_ragged_rows(x, name),
            needed="rows of one length, so that they make an array",
            try_="pad the shorter rows, or leave the longer ones out",
        ) from error


def check_data(x: Array, name: str = "x") -> None:
    """Refuse what no network can learn from: no rows, text, NaN, infinity.

    Shapes:
        any shape with at least one element.

    Raises:
        DataError: with the first bad place, its value, and how many there are.
    """
    if x.size == 0:
        raise DataError(
            f"Checking {name}: it is empty",
            found=f"{name} of shape {x.shape}",
            needed="at least one row with at least one number",
        )
    if x.dtype.kind not in "biuf":
        _refuse_elements(x, name)
    if x.dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):
            all_finite = bool(np.isfinite(x.sum()))
        if not all_finite:  # or the sum of finite numbers overflowed
            _refuse_where(~np.isfinite(x), x, name)


def check_same_length(**arrays: Array | None) -> None:
    """Refuse arrays with different numbers of rows; ``None`` is left out.

    Shapes:
        every array (n, ...), n the same for all.

    Raises:
        ShapeError: two lengths differ, or an array is a single number.
    """
    lengths: dict[str, int] = {}
    for name, array in arrays.items():
        if array is None:
            continue
        if np.ndim(array) == 0:
            raise ShapeError(
                f"Comparing lengths: {name} is a single number, not rows",
                found=f"{name} of shape ()",
                needed="an array with one row for each sample",
            )
        lengths[name] = len(array)
    if len(set(lengths.values())) > 1:
        raise ShapeError(
            f"Comparing lengths: {' and '.join(lengths)} have different numbers of rows",
            found=", ".join(f"{name}: {count_text(n, 'row')}" for name, n in lengths.items()),
            needed="one row for each sample in every array",
        )


def _numbers_if_possible(array: Array) -> Array:
    """An object array as float64 if it holds numbers only; any other array as it is."""
    if array.dtype == object and all(isinstance(v, numbers.Real) for v in array.flat):
        return array.astype(np.float64)
    return array


def _ragged_rows(x: object, name: str) -> str:
    if isinstance(x, (list, tuple)):
        lengths = [len(row) if isinstance(row, (list, tuple)) else None for row in x]
        for row, length in enumerate(lengths):
            if length != lengths[0]:
                told = "a single value" if length is None else f"length {length}"
                first = "a single value" if lengths[0] is None else f"length {lengths[0]}"
                return f"{name}[0] has {first}, {name}[{row}] has {told}"
    return f"{name}: nested lists of different lengths"


def _refuse_elements(x: Array, name: str) -> None:
    first = x.flat[0]
    if x.dtype == object:
        first = next((v for v in x.flat if not isinstance(v, numbers.Real)), first)
    shown = first.item() if isinstance(first, np.generic) else first
    raise DataError(
        f"Checking {name}: it holds {_element_word(x, first)}, not numbers",
        found=f"{name} of dtype {x.dtype}, with {shown!r}",
        needed="integers or floating-point numbers",
        try_="cp.data.TableEncoder turns text and missing values into numbers",
    )


def _element_word(x: Array, first: object) -> str:
    if x.dtype.kind == "c":
        return "complex numbers"
    if x.dtype.kind in "mM":
        return "dates or times"
    return "text" if isinstance(first, str) else f"objects ({type(first).__name__})"


def _refuse_where(bad: Array, x: Array, name: str) -> None:
    count = int(np.count_nonzero(bad))
    if count == 0:
        return
    place = _first_place(bad)
    nan = int(np.count_nonzero(np.isnan(x)))
    kinds = f" ({nan:,} NaN, {count - nan:,} infinite)" if 0 < nan < count else ""
    what = "NaN" if nan == count else "infinite" if nan == 0 else "NaN or infinite"
    raise DataError(
        f"Checking {name}: {count_text(count, 'value is', 'values are')} {what}",
        found=f"{name}{_index(place)} = {float(x[place])}"
        + (f", the first of {count:,}{kinds}" if count > 1 else ""),
        needed="finite numbers: NaN and infinity spread to every weight in one step",
        try_="fill or leave out those rows; cp.data.TableEncoder fills missing values",
    )


def _first_place(bad: Array) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))


def _index(place: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, place))}]" if place else ""
