"""What the text in one cell of a table means.

    missing  an empty cell, -, NA, N/A, nan, null, None or ? (in any case)
    number   what Python's ``float`` reads, without underscores: 3, -1.5, 2e6
    truth    true or false (in any case)
    date     an ISO date, with or without a time of day: 2024-02-29, 2024-02-29 18:30

Spaces around the text of a cell do not count.
"""

from __future__ import annotations

import datetime
import re

MISSING_WORDS = frozenset({"", "-", "na", "n/a", "nan", "null", "none", "?"})
TRUTH_WORDS = {"false": 0.0, "true": 1.0}

_EPOCH = datetime.datetime(1970, 1, 1)
_DAY = datetime.timedelta(days=1)
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # the years 1 to 9999
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?Z?)?")


def is_missing(word: str) -> bool:
    """Whether the text of a cell says that its value is missing.

    Example:
        >>> is_missing("N/A"), is_missing("0")
        (True, False)
    """
    return len(word) <= 4 and word.lower() in MISSING_WORDS


def read_number(word: str) -> float | None:
    """The number that a text is, or ``None``.

    Example:
        >>> read_number("2e3"), read_number("12 apples")
        (2000.0, None)
    """
    try:
        number = float(word)
    except ValueError:
        return None
    return None if "_" in word else number


def read_days(word: str) -> float | None:
    """Days since 1970-01-01 of the date that a text is, or ``None``.

    Example:
        >>> read_days("1970-01-02"), read_days("1970-01-01 12:00"), read_days("2024-02-30")
        (1.0, 0.5, None)
    """
    if not _ISO_DATE.fullmatch(word):
        return None
    try:
        moment = datetime.datetime.fromisoformat(word.removesuffix("Z"))
    except ValueError:
        return None
    return days_since_1970(moment)


def days_since_1970(moment: datetime.date) -> float:
    """Days since 1970-01-01 of a date, or of a moment (in UTC if it has a time zone)."""
    if not isinstance(moment, datetime.datetime):
        moment = datetime.datetime(moment.year, moment.month, moment.day)
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    return (moment - _EPOCH) / _DAY


def days_text(days: float) -> str:
    """The ISO date (and time of day, if it is not midnight) of days since 1970-01-01."""
    if not _FIRST_DAY <= days <= _LAST_DAY:
        return f"{days:g} days after 1970-01-01"
    moment = _EPOCH + days * _DAY
    return moment.date().isoformat() if days % 1 == 0 else moment.isoformat(" ", "seconds")


def plain_number_text(number: float) -> str:
    """A number as one writes it, whole ones without a point.

    Example:
        >>> plain_number_text(3.0), plain_number_text(0.5)
        ('3', '0.5')
    """
    return str(int(number)) if number.is_integer() and abs(number) < 1e16 else repr(number)


def category_text(word: str) -> str:
    """The text of a cell as a category: as it stands, but ``True`` is ``true``."""
    lower = word.lower()
    return lower if lower in TRUTH_WORDS else word
