"""Columns that are meant to be numbers but are not read as numbers, found before training.

A column of text out of a file is refused if at least 9 in 10 of its cells (of at least 10)
are numbers as a person reads them: a decimal comma or commas between thousands count as well.
Codes are left alone: at most 20 different numbers, and no other text that stands alone, such
as 0, 1, 2 and 3+.
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from clearprop.data.cells import read_number
from clearprop.data.columns import Column
from clearprop.data.intake import Array
from clearprop.errors import DataError
from clearprop.text import count_text

FEWEST_CELLS, NUMBERS_SHARE = 10, 0.9
MOST_CODES, MOST_CLASSES = 20, 20
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_DECIMAL_ADVICE = 'write a decimal point; or, in Python: cp.data.read_csv(path, decimal=",")'
_THOUSANDS_ADVICE = "leave out the commas between the thousands"


def refuse_nearly_numbers(column: Column, row_numbers: Array) -> None:
    """Refuse a column of text that is numbers but for a few cells, or but for their commas.

    Args:
        column: of all rows, or of the training rows.
        row_numbers: what to call each row.

    Shapes:
        row_numbers: (rows,).

    Raises:
        DataError: it is such a column; the first cell that is no number is named.
    """
    if column.kind != "text" or column.words is None:
        return  # numbers already, or typed as text by whoever made the table
    places = np.flatnonzero(~column.missing)
    words = [str(column.words[place]) for place in places]
    is_number = np.array([read_number(word) is not None for word in words], bool)
    with_comma = np.array([_has_comma(word) for word in words], bool)
    readable = is_number | with_comma
    if len(words) < FEWEST_CELLS or readable.sum() < NUMBERS_SHARE * len(words):
        return
    others = np.flatnonzero(~readable if not with_comma.any() else with_comma)
    if not with_comma.any() and _are_codes(words, is_number):
        return
    first = int(others[0])
    raise DataError(
        f'Reading the column "{column.name}": {_problem(words, with_comma)}',
        found=f'row {row_numbers[places[first]]}: "{words[first]}"; '
        f"{int(is_number.sum()):,} of {count_text(len(words), 'value')} are numbers"
        + _further(len(others)),
        needed="numbers in every row, or an empty cell (or -, NA, ?) where the value is missing",
        try_=_advice(words, with_comma),
    )


def refuse_numbers_as_classes(column: Column, row_numbers: Array) -> None:
    """Refuse quantities as classes: more than 20 different numbers, most of them in one row.

    Shapes:
        row_numbers: (rows,).

    Raises:
        DataError: the column is such quantities.
    """
    if column.kind not in {"number", "date"}:
        return
    present = np.flatnonzero(~column.missing)
    different = len(np.unique(column.values[present]))
    if different <= MOST_CLASSES or different * 2 <= len(present):
        return
    first = int(present[0])
    raise DataError(
        f'Reading the target "{column.name}": {different:,} different values are no classes',
        found=f"{different:,} different values in {count_text(len(present), 'row')}, such as "
        f"{column.categories()[first]} in row {row_numbers[first]}",
        needed="classes that stand in several rows each",
        try_='--task regression; in Python: task="regression"',
    )


def _has_comma(word: str) -> bool:
    return bool(_DECIMAL_COMMA.fullmatch(word) or _THOUSANDS.fullmatch(word))


def _are_codes(words: list[str], is_number: Array) -> bool:
    counts = Counter(words)
    numbers = {word for word, number in zip(words, is_number, strict=True) if number}
    return len(numbers) <= MOST_CODES and all(
        count > 1 for word, count in counts.items() if word not in numbers
    )


def _is_thousands(words: list[str], with_comma: Array) -> bool:
    commas = [word for word, has in zip(words, with_comma, strict=True) if has]
    return any(not _DECIMAL_COMMA.fullmatch(word) for word in commas)


def _is_unclear(words: list[str], with_comma: Array) -> bool:
    """Whether 10,068 may be either: three digits stand after every comma."""
    commas = [word for word, has in zip(words, with_comma, strict=True) if has]
    return all(_THOUSANDS.fullmatch(word) for word in commas)


def _problem(words: list[str], with_comma: Array) -> str:
    if not with_comma.any():
        return "nearly all of it are numbers"
    if _is_thousands(words, with_comma):
        return "numbers with commas between the thousands"
    if _is_unclear(words, with_comma):
        return "numbers with commas, decimal ones or between the thousands"
    return "numbers with a decimal comma"


def _advice(words: list[str], with_comma: Array) -> str:
    if not with_comma.any():
        return "correct or empty the cell"
    if _is_thousands(words, with_comma):
        return _THOUSANDS_ADVICE
    if _is_unclear(words, with_comma):
        return f"{_THOUSANDS_ADVICE};\nif they are decimal ones, {_DECIMAL_ADVICE}"
    return _DECIMAL_ADVICE


def _further(count: int) -> str:
    return f"; {count_text(count - 1, 'other cell')} like this one" if count > 1 else ""
