"""What becomes of one column of a table: numbers for the network, by a plan made in training.

A plan is made from the training rows alone, can be stored, and turns the same column of any
later table into the same features.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from clearprop.data.cells import days_text
from clearprop.data.columns import Column
from clearprop.data.configs import ConfigReader
from clearprop.data.intake import Array
from clearprop.text import number_text

MOST_CATEGORIES = 100
_NUMBER_KEYS = ("role", "name", "is_date", "median", "mean", "deviation", "marks_missing")
_CATEGORY_KEYS = ("role", "name", "categories", "has_rare", "has_missing")
_ID_NAME = re.compile(r"(?i:id|index|row)|.*[ _.-](?i:id)|.*[a-z](?:Id|ID)")


@final
@dataclass(frozen=True)
class NumberPlan:
    """A column of numbers (or of dates, as days since 1970-01-01), z-scored.

    Attributes:
        name: the column.
        is_date: whether it holds dates.
        median: what a missing value is replaced by.
        mean: of the training values.
        deviation: the standard deviation of the training values, divisor n.
        marks_missing: whether a second feature says where a value was missing.
    """

    role: ClassVar[str] = "number"
    name: str
    is_date: bool
    median: float
    mean: float
    deviation: float
    marks_missing: bool

    @property
    def feature_names(self) -> list[str]:
        """The features that the column becomes."""
        return [self.name, f"{self.name} is missing"] if self.marks_missing else [self.name]

    def encode(self, column: Column, row_numbers: Array) -> Array:
        """The column's features.

        Shapes:
            row_numbers: (rows,) -> float64 (rows, features).

        Raises:
            DataError: a value that is no number (or no date).
        """
        values = column.days(row_numbers) if self.is_date else column.numbers(row_numbers)
        missing = np.isnan(values)
        scaled = (np.where(missing, self.median, values) - self.mean) / self.deviation
        return np.column_stack([scaled, missing] if self.marks_missing else [scaled])

    def told(self) -> tuple[str, str]:
        """What the column is read as, and what is done with it."""

        def shown(value: float) -> str:
            return days_text(float(np.rint(value))) if self.is_date else number_text(value)

        how = f"z-score: mean {shown(self.mean)}, std {number_text(self.deviation)}"
        how += f"{' days' if self.is_date else ''}; missing: median {shown(self.median)}"
        return ("date" if self.is_date else "number"), (
            how + (" and a mark" if self.marks_missing else "")
        )

    def to_config(self) -> dict[str, Any]:
        """The plan as JSON can hold it."""
        return {
            "role": self.role,
            "name": self.name,
            "is_date": self.is_date,
            "median": self.median,
            "mean": self.mean,
            "deviation": self.deviation,
            "marks_missing": self.marks_missing,
        }


@final
@dataclass(frozen=True)
class PresencePlan:
    """A column that has one value only, or none: whether it has it is all that it tells."""

    role: ClassVar[str] = "presence"
    name: str

    @property
    def feature_names(self) -> list[str]:
        """The feature that the column becomes."""
        return [f"{self.name} is missing"]

    def encode(self, column: Column, row_numbers: Array) -> Array:
        """The column's feature: 1 where a value is missing.

        Shapes:
            row_numbers: (rows,) -> float64 (rows, 1).
        """
        return column.missing.astype(np.float64)[:, None]

    def told(self) -> tuple[str, str]:
        """What the column is read as, and what is done with it."""
        return "number", "all its values are the same: only a mark where it is missing"

    def to_config(self) -> dict[str, Any]:
        """The plan as JSON can hold it."""
        return {"role": self.role, "name": self.name}


@final
@dataclass(frozen=True)
class CategoryPlan:
    """A column of categories, one-hot.

    Attributes:
        name: the column.
        categories: those with a feature of their own, sorted.
        has_rare: whether a feature stands for all others: rare ones in training, new ones later.
        has_missing: whether a feature says that the value is missing.
    """

    role: ClassVar[str] = "category"
    name: str
    categories: tuple[str, ...]
    has_rare: bool
    has_missing: bool

    @property
    def feature_names(self) -> list[str]:
        """The features that the column becomes."""
        names = [f"{self.name} = {category}" for category in self.categories]
        names += [f"{self.name} is rare or new"] if self.has_rare else []
        return names + ([f"{self.name} is missing"] if self.has_missing else [])

    def encode(self, column: Column, row_numbers: Array) -> Array:
        """The column's features: a single 1 in each row, or none.

        Shapes:
            row_numbers: (rows,) -> float64 (rows, features).
        """
        place_of = {category: place for place, category in enumerate(self.categories)}
        rare = len(place_of) if self.has_rare else -1
        gone = len(place_of) + self.has_rare if self.has_missing else rare
        texts, text_of_row = np.unique(column.categories(), return_inverse=True)
        place_of_text = np.array([place_of.get(text, rare) for text in texts])
        places = np.where(column.missing, gone, place_of_text[text_of_row])
        features = np.zeros((len(column), len(self.feature_names)))
        rows = np.flatnonzero(places >= 0)
        features[rows, places[rows]] = 1
        return features

    def unseen(self, column: Column) -> list[str]:
        """The categories of the column that have no feature of their own."""
        return sorted(set(column.categories()[~column.missing]) - set(self.categories))

    def told(self) -> tuple[str, str]:
        """What the column is read as, and what is done with it."""
        how = "one-hot: " + ", ".join(self.categories[:6])
        if len(self.categories) > 6:
            how += f", ... ({len(self.categories)} in all)"
        how += "; rare or new: one feature" if self.has_rare else "; new: all 0"
        return "category", how + ("; missing: one feature" if self.has_missing else "")

    def to_config(self) -> dict[str, Any]:
        """The plan as JSON can hold it."""
        return {
            "role": self.role,
            "name": self.name,
            "categories": list(self.categories),
            "has_rare": self.has_rare,
            "has_missing": self.has_missing,
        }


@final
@dataclass(frozen=True)
class DroppedPlan:
    """A column that the network does not get, with the reason."""

    role: ClassVar[str] = "dropped"
    name: str
    reason: str

    @property
    def feature_names(self) -> list[str]:
        """No features."""
        return []

    def encode(self, column: Column, row_numbers: Array) -> Array:
        """No features.

        Shapes:
            row_numbers: (rows,) -> float64 (rows, 0).
        """
        return np.zeros((len(column), 0))

    def told(self) -> tuple[str, str]:
        """What the column is read as, and what is done with it."""
        return "dropped", self.reason

    def to_config(self) -> dict[str, Any]:
        """The plan as JSON can hold it."""
        return {"role": self.role, "name": self.name, "reason": self.reason}


Plan = NumberPlan | PresencePlan | CategoryPlan | DroppedPlan


def plan_column(column: Column, row_numbers: Array) -> Plan:
    """The plan for a column, from its training rows.

    Shapes:
        row_numbers: (rows,).

    Raises:
        DataError: numbers that are infinite.
    """
    if column.missing.all():
        return DroppedPlan(column.name, "every value is missing")
    if column.kind in {"number", "date"}:
        return _plan_numbers(column, row_numbers)
    present = column.categories()[~column.missing]
    categories, counts = np.unique(present, return_counts=True)
    any_missing = bool(column.missing.any())
    if len(categories) == 1 and not any_missing:
        return DroppedPlan(column.name, f'every row has the same value, "{categories[0]}"')
    if len(categories) == len(present) > 1:
        return DroppedPlan(column.name, "text that is different in every row")
    often = np.flatnonzero(counts > 1)
    kept = often[np.argsort(-counts[often], kind="stable")][:MOST_CATEGORIES]
    return CategoryPlan(
        column.name,
        categories=tuple(sorted(str(category) for category in categories[kept])),
        has_rare=len(kept) < len(categories),
        has_missing=any_missing,
    )


def plan_from_config(config: object) -> Plan:
    """The plan that `to_config` described.

    Raises:
        ModelFileError: the config is malformed.
    """
    role = config.get("role") if isinstance(config, dict) else None
    if role == NumberPlan.role:
        reader = ConfigReader(config, "a column of numbers", _NUMBER_KEYS)
        return NumberPlan(
            name=reader.text("name"),
            is_date=reader.truth("is_date"),
            median=reader.number("median"),
            mean=reader.number("mean"),
            deviation=reader.number("deviation", positive=True),
            marks_missing=reader.truth("marks_missing"),
        )
    if role == CategoryPlan.role:
        reader = ConfigReader(config, "a column of categories", _CATEGORY_KEYS)
        return CategoryPlan(
            name=reader.text("name"),
            categories=tuple(reader.texts("categories")),
            has_rare=reader.truth("has_rare"),
            has_missing=reader.truth("has_missing"),
        )
    if role == PresencePlan.role:
        return PresencePlan(ConfigReader(config, "a column", ("role", "name")).text("name"))
    reader = ConfigReader(config, "a column", ("role", "name", "reason"))
    reader.text("role", (DroppedPlan.role,))
    return DroppedPlan(reader.text("name"), reader.text("reason"))


def _plan_numbers(column: Column, row_numbers: Array) -> Plan:
    is_date = column.kind == "date"
    values = column.days(row_numbers) if is_date else column.numbers(row_numbers)
    known = values[~column.missing]
    any_missing = bool(column.missing.any())
    if known.min() == known.max():
        if any_missing:
            return PresencePlan(column.name)
        return DroppedPlan(column.name, "every row has the same value")
    distinct = len(np.unique(known))
    if _ID_NAME.fullmatch(column.name) and distinct == len(known) and (known % 1 == 0).all():
        return DroppedPlan(column.name, "numbers that only count the rows, to go by the name")
    deviation = float(known.std())
    return NumberPlan(
        column.name,
        is_date=is_date,
        median=float(np.median(known)),
        mean=float(known.mean()),
        deviation=deviation if deviation > 0 else 1.0,
        marks_missing=any_missing,
    )
