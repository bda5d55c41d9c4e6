"""Reading what a stored model says, trusting none of it.

A config is JSON: dicts, lists, text, numbers, true, false and null.  Every reader here takes
one part of it, checks its type and size, and refuses the file otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from clearprop.data.intake import Array
from clearprop.errors import ModelFileError

MOST_ITEMS = 1_000_000


class ConfigReader:
    """The entries of one config, each taken once and with its type checked.

    Args:
        config: what the file holds.
        what: whose config it is, for errors: ``the scaler``.
        keys: exactly the keys it must have.

    Raises:
        ModelFileError: it is not a dict, or has other keys.
    """

    def __init__(self, config: object, what: str, keys: Sequence[str]) -> None:
        self._what = what
        if not isinstance(config, dict):
            self.refuse(f"a {type(config).__name__}", "a dict")
        if set(config) != set(keys):
            self.refuse(
                "the keys " + (", ".join(sorted(map(str, config))[:20]) or "(none)"),
                "exactly the keys " + ", ".join(sorted(keys)),
            )
        self._entries: dict[str, Any] = config

    def refuse(self, found: str, needed: str) -> NoReturn:
        """Refuse the config.

        Raises:
            ModelFileError: always.
        """
        raise ModelFileError(
            f"Reading a saved model: {self._what} is not described as it must be",
            found=found[:200],
            needed=needed,
            try_="save the model again; a file changed by hand cannot be used",
        )

    def text(self, key: str, choices: Sequence[str] = ()) -> str:
        """A text, one of ``choices`` if there are any.

        Raises:
            ModelFileError: something else.
        """
        value = self._entries[key]
        if not isinstance(value, str) or (choices and value not in choices):
            self.refuse(f"{key}: {value!r}", "one of " + ", ".join(choices) if choices else "text")
        return value

    def truth(self, key: str) -> bool:
        """True or false.

        Raises:
            ModelFileError: something else.
        """
        value = self._entries[key]
        if not isinstance(value, bool):
            self.refuse(f"{key}: {value!r}", "true or false")
        return value

    def count(self, key: str) -> int:
        """A whole number of at least 0.

        Raises:
            ModelFileError: something else.
        """
        value = self._entries[key]
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self.refuse(f"{key}: {value!r}", "a whole number of at least 0")
        return value

    def number(self, key: str, *, positive: bool = False) -> float:
        """A finite number.

        Raises:
            ModelFileError: something else, or not above 0 if it must be ``positive``.
        """
        return self._number(key, self._entries[key], positive)

    def numbers(self, key: str, *, positive: bool = False) -> Array:
        """Finite numbers, at least one.

        Shapes:
            -> float64 (length,).

        Raises:
            ModelFileError: something else, or not above 0 if they must be ``positive``.
        """
        values = self.items(key)
        if not values:
            self.refuse(f"{key}: an empty list", "at least one number")
        return np.array([self._number(key, value, positive) for value in values])

    def texts(self, key: str) -> list[str]:
        """Different texts.

        Raises:
            ModelFileError: something else, or a text twice.
        """
        values = self.items(key)
        for value in values:
            if not isinstance(value, str):
                self.refuse(f"{key}: {value!r}", "a list of text")
        if len(set(values)) < len(values):
            self.refuse(f"{key}: a text twice", "different texts")
        return values

    def items(self, key: str) -> list[Any]:
        """A list.

        Raises:
            ModelFileError: something else, or a list too long to be true.
        """
        values = self._entries[key]
        if not isinstance(values, list) or len(values) > MOST_ITEMS:
            self.refuse(f"{key}: a {type(values).__name__}", f"a list of at most {MOST_ITEMS:,}")
        return values

    def entry(self, key: str) -> object:
        """Whatever stands there, for another reader."""
        return self._entries[key]

    def _number(self, key: str, value: object, positive: bool) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.refuse(f"{key}: {value!r}", "a number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number) or (positive and number <= 0):
            self.refuse(f"{key}: {number}", "a number above 0" if positive else "a finite number")
        return number
