"""One column of a table: its values, which of them are missing, and of what kind they are."""

from __future__ import annotations

import datetime
import decimal
import numbers
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from clearprop.data.cells import (
    TRUTH_WORDS,
    category_text,
    days_since_1970,
    days_text,
    is_missing,
    plain_number_text,
    read_days,
    read_number,
)
from clearprop.data.intake import Array
from clearprop.errors import DataError

Kind = Literal["number", "bool", "date", "text"]
LARGEST = 1e30  # beyond it, squares and sums soon overflow
_READERS: dict[Kind, Callable[[str], float | None]] = {
    "number": read_number,
    "bool": lambda word: TRUTH_WORDS.get(word.lower()),
    "date": read_days,
}


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a table.

    Attributes:
        name: the column's name.
        kind: ``number``, ``bool`` (0 or 1), ``date`` (days since 1970-01-01) or ``text``.
        values: float64, NaN where missing; for ``text`` an object array of ``str``, "" where
            missing.
        missing: where a value is missing.
        words: the cells as they stood in a text file, if the column comes from one; "" where
            missing, spaces around them left out.

    Shapes:
        values, missing, words: (rows,).
    """

    name: str
    kind: Kind
    values: Array
    missing: Array
    words: Array | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Array) -> Column:
        """The column with these rows only (indices or a mask)."""
        words = None if self.words is None else self.words[rows]
        return Column(self.name, self.kind, self.values[rows], self.missing[rows], words)

    def categories(self) -> Array:
        """Every value as the text of a category; "" where missing.

        Shapes:
            object array of str, (rows,).
        """
        if self.words is not None:
            texts = [category_text(word) for word in self.words]
        elif self.kind == "text":
            texts = [category_text(word) for word in self.values]
        else:
            write = {"number": plain_number_text, "bool": _truth_text, "date": days_text}
            some = np.where(self.missing, 0.0, self.values).tolist()
            texts = [write[self.kind](value) for value in some]
        found = _object_array(texts)
        found[self.missing] = ""
        return found

    def numbers(self, row_numbers: Array) -> Array:
        """Every value as a number (true is 1); NaN where missing.

        Args:
            row_numbers: what to call each row in an error.

        Shapes:
            row_numbers: (rows,) -> float64 (rows,).

        Raises:
            DataError: a text that is no number, a date, or a number beyond `LARGEST`.
        """
        if self.missing.all():
            return np.full(len(self), np.nan)
        if self.kind == "date":
            first = int(np.argmin(self.missing))
            raise DataError(
                f'Reading the column "{self.name}" as numbers: it holds dates',
                found=f"row {row_numbers[first]}: {days_text(float(self.values[first]))}",
                needed="numbers, as in the training data",
            )
        values = self.values
        if self.kind == "text":
            values = self._read(read_number, "is not a number", "a number", row_numbers)
        with np.errstate(invalid="ignore"):
            too_large = np.abs(values) > LARGEST
        if too_large.any():
            first = int(np.argmax(too_large))
            raise DataError(
                f'Reading the column "{self.name}" as numbers: a number is infinite or too large',
                found=f"row {row_numbers[first]}: {values[first]}",
                needed=f"numbers from {-LARGEST:g} to {LARGEST:g}, or an empty cell where a value "
                "is missing",
            )
        return values

    def days(self, row_numbers: Array) -> Array:
        """Every value as days since 1970-01-01; NaN where missing.

        Args:
            row_numbers: what to call each row in an error.

        Shapes:
            row_numbers: (rows,) -> float64 (rows,).

        Raises:
            DataError: a value that is no ISO date.
        """
        if self.kind == "date" or self.missing.all():
            return np.where(self.missing, np.nan, self.values).astype(np.float64)
        return self._read(read_days, "is not a date", "a date such as 2024-02-29", row_numbers)

    def _read(
        self, reader: Callable[[str], float | None], problem: str, needed: str, row_numbers: Array
    ) -> Array:
        texts = self.categories()
        values = np.full(len(self), np.nan)
        for index in np.flatnonzero(~self.missing):
            value = reader(texts[index])
            if value is None:
                what = "numbers" if reader is read_number else "dates"
                raise DataError(
                    f'Reading the column "{self.name}" as {what}: a value {problem}',
                    found=f'row {row_numbers[index]}: "{texts[index]}"',
                    needed=f"{needed}, or an empty cell (or -, NA, ?) where the value is missing",
                    try_="correct the cell; or train again with this column as text",
                )
            values[index] = value
        return values


def column_from_words(name: str, cells: Sequence[str | None], *, from_file: bool = True) -> Column:
    """A column from text cells; its kind is found out.

    Args:
        name: the column's name.
        cells: the text of each cell; ``None`` is missing.
        from_file: the text comes from a file without types, where numbers and truth values
            are text too; otherwise the text was typed as text, and only dates are read.

    Shapes:
        cells: one per row.

    Example:
        >>> column_from_words("age", ["12", "?", "40"]).kind
        'number'
    """
    texts = ["" if cell is None else cell.strip() for cell in cells]
    missing = np.fromiter((is_missing(text) for text in texts), bool, len(texts))
    texts = ["" if gone else text for text, gone in zip(texts, missing, strict=True)]
    words = _object_array(texts)
    present = words[~missing]
    kinds: tuple[Kind, ...] = ("number", "bool", "date") if from_file else ("date",)
    for kind in kinds:
        if len(present) == 0 and not from_file:
            break
        numbers_read = _read_all(present, _READERS[kind])
        if numbers_read is not None:
            values = np.full(len(words), np.nan)
            values[~missing] = numbers_read
            return Column(name, kind, values, missing, words)
    return Column(name, "text", words, missing, words if from_file else None)


def column_from_array(name: str, array: Array) -> Column:
    """A column from a one-dimensional array of any element type.

    Shapes:
        array: (rows,).

    Raises:
        DataError: more than one dimension, or elements that a table cannot hold.
    """
    if array.ndim != 1:
        raise DataError(
            f'Reading the column "{name}": a column has one value in each row',
            found=f"an array of shape {array.shape}",
            needed="shape (rows,)",
        )
    letter = array.dtype.kind
    if letter in "iuf":
        values = array.astype(np.float64)
        return Column(name, "number", values, np.isnan(values))
    if letter == "b":
        return Column(name, "bool", array.astype(np.float64), np.zeros(len(array), bool))
    if letter == "M":
        missing = np.isnat(array)
        days = (array - np.datetime64(0, "D")) / np.timedelta64(1, "D")
        return Column(name, "date", np.where(missing, np.nan, days), missing)
    if letter == "m":
        seconds = array / np.timedelta64(1, "s")
        return Column(name, "number", seconds, np.isnan(seconds))
    return _column_from_objects(name, array.tolist())


def _column_from_objects(name: str, objects: list[Any]) -> Column:
    found: list[Any] = [None if _is_nothing(value) else value for value in objects]
    missing = np.fromiter((value is None for value in found), bool, len(found))
    present = [value for value in found if value is not None]
    typed: tuple[tuple[Kind, tuple[type, ...], Callable[[Any], float]], ...] = (
        ("number" if not present else "bool", (bool, np.bool_), float),
        ("number", (numbers.Real, decimal.Decimal, np.bool_), float),
        ("date", (datetime.date,), days_since_1970),
    )
    for kind, types, convert in typed:
        if all(isinstance(value, types) for value in present):
            values = np.full(len(found), np.nan)
            values[~missing] = [convert(value) for value in present]
            return Column(name, kind, values, missing)
    texts = [value if value is None else _object_text(name, value) for value in found]
    return column_from_words(name, texts, from_file=False)


def _object_text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return _truth_text(float(value))
    if isinstance(value, (numbers.Real, decimal.Decimal)):
        return plain_number_text(float(value))
    raise DataError(
        f'Reading the column "{name}": a table cannot hold a {type(value).__name__}',
        found=f"{value!r}"[:80],
        needed="numbers, text, true or false, or dates",
        try_="leave this column out",
    )


def _is_nothing(value: Any) -> bool:
    """None, NaN, and the marks by which pandas says that a value is missing."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, (float, np.floating, decimal.Decimal)) and bool(value != value)


def _read_all(words: Array, reader: Callable[[str], float | None]) -> list[float] | None:
    values = []
    for word in words:
        value = reader(word)
        if value is None:
            return None
        values.append(value)
    return values


def _truth_text(value: float) -> str:
    return "true" if value else "false"


def _object_array(texts: Sequence[str]) -> Array:
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array
