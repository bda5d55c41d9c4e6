"""A table made into numbers for a network, and its predictions made into values again.

The rules, all fitted on the training rows only:

    rows     with a missing target are left out and counted
    number   z-score (mean and deviation of the values present); missing: the training
             median, and a feature "x is missing" if any was missing in training
    date     days since 1970-01-01, then as a number
    category text, true and false: one feature "x = a" for each category that stands in at
             least two training rows, the 100 most frequent at most; if there are others,
             one feature "x is rare or new" for them and for all that come later; if any
             was missing in training, one feature "x is missing". What has no feature of its
             own (a new category where none was rare, a missing one where none was missing)
             is "rare or new" if that exists, else 0 in all features: an input that training
             has never seen at 1 would enter with random weights.
    dropped  columns with one value, with no value, text that is different in every row,
             and whole numbers, all different, whose name says that they are an id
    constant numbers with missing values become "x is missing" alone
    target   see ``clearprop.data.targets``; numbers are z-scored, predictions scaled back
    columns  are matched by name, in any order. The target and dropped columns may be
             absent; any other missing column and any unknown one is an error
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple, Self

import numpy as np

from clearprop.data.configs import ConfigReader
from clearprop.data.features import CategoryPlan, DroppedPlan, Plan, plan_column, plan_from_config
from clearprop.data.intake import Array, as_array
from clearprop.data.reading import read_table
from clearprop.data.suspects import refuse_nearly_numbers, refuse_numbers_as_classes
from clearprop.data.tables import Table, as_table
from clearprop.data.targets import (
    Target,
    Task,
    TaskDecision,
    decide_task,
    plan_target,
    target_from_config,
)
from clearprop.errors import DataError, NotBuiltError
from clearprop.text import count_text, did_you_mean, table

_VERSION = 1


class EncodedTable(NamedTuple):
    """Features and target of a table, and the rows that have no target.

    Attributes:
        x: the features.
        y: class numbers, or z-scored values.
        rows_dropped: how many rows were left out for their missing target.

    Shapes:
        x: float32 (rows, features); y: int64 (rows,) or float32 (rows, 1).
    """

    x: Array
    y: Array
    rows_dropped: int


class TableEncoder:
    """Makes numbers of a table by rules fitted on the training rows (see the module).

    Attributes:
        rows: the number of training rows with a target.
        rows_dropped: the number of training rows without one.

    Example:
        >>> homes = {"area": [50, 80, None, 60], "city": ["Rome", "Bonn", "Rome", "Bonn"],
        ...          "price": [100.5, 170.0, 120.0, 130.0]}
        >>> encoder = TableEncoder().fit(homes, target="price")
        >>> encoder.task, encoder.feature_names
        ('regression', ['area', 'area is missing', 'city = Bonn', 'city = Rome'])
        >>> (100 * encoder.transform({"city": ["Oslo"], "area": [80]})).round().tolist()
        [[134.0, 0.0, 0.0, 0.0]]
    """

    def __init__(self) -> None:
        self.rows = 0
        self.rows_dropped = 0
        self._plans: dict[str, Plan] = {}
        self._target: Target | None = None
        self._reason = ""

    def fit(
        self, source: object, target: str | None = None, task: str | TaskDecision = "auto"
    ) -> Self:
        """Make the rules from the training rows.

        Args:
            source: a `Table`, the path of a file, or what `as_table` reads.
            target: the column to predict; the table's own unless given.
            task: ``"auto"``, ``"classification"``, ``"regression"``, or what `decide_task`
                has decided on all rows.

        Shapes:
            every column: (rows,).

        Raises:
            DataError: no target, no rows with a target, a target with one value, no usable
                feature, infinite numbers, or numbers that a few cells keep from being read as such.
            UnknownNameError: no such column, or no such task.
        """
        whole = _as_table(source, target=target)
        if whole.target is None:
            raise DataError(
                "Encoding a table: it is not known which column to predict",
                found="columns " + ", ".join(whole.names),
                needed='the target\'s name: fit(table, target="...")',
            )
        part = whole.without_missing(whole.target)
        if len(part) == 0:
            raise DataError(
                f'Encoding a table: no row has a value in the target "{whole.target}"',
                found=f"{count_text(len(whole), 'row')}, all without it",
                needed="rows to learn from",
            )
        for column in part.columns.values():
            refuse_nearly_numbers(column, part.row_numbers)
        goal = part[whole.target]
        decision = task if isinstance(task, TaskDecision) else decide_task(goal, task)
        if decision.task == "classification":
            refuse_numbers_as_classes(goal, part.row_numbers)
        self._target = plan_target(goal, decision.task, part.row_numbers)
        self._reason = decision.reason
        self._plans = {
            name: plan_column(column, part.row_numbers)
            for name, column in part.columns.items()
            if name != whole.target
        }
        self.rows, self.rows_dropped = len(part), len(whole) - len(part)
        if not self.feature_names:
            raise DataError(
                "Encoding a table: no column is left to predict from",
                found="; ".join(f"{p.name}: {p.told()[1]}" for p in self._plans.values())
                or "the target only",
                needed="at least one column that differs between rows",
            )
        return self

    @property
    def target(self) -> Target:
        """The target's name, classes or scale."""
        if self._target is None:
            raise NotBuiltError(
                "Encoding a table: the encoder has not seen training data yet",
                needed="fit(table, target=...) first",
            )
        return self._target

    @property
    def task(self) -> Task:
        """Classification or regression."""
        return self.target.task

    @property
    def reason(self) -> str:
        """Why it is this task."""
        return self._reason

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes as text; none for regression."""
        return self.target.class_names

    @property
    def feature_names(self) -> list[str]:
        """What each column of `transform` holds."""
        return [name for plan in self._plans.values() for name in plan.feature_names]

    def transform(self, source: object) -> Array:
        """The features of a table.

        Args:
            source: a `Table`, the path of a file, or what `as_table` reads; its columns in any
                order.

        Shapes:
            every column: (rows,) -> float32 (rows, features).

        Raises:
            DataError: a missing or unknown column, no rows, or a text where numbers are needed.
            NotBuiltError: `fit` has not run.
        """
        given = self._matched(source)
        parts = [
            plan.encode(given[plan.name], given.row_numbers)
            for plan in self._plans.values()
            if plan.name in given and plan.feature_names
        ]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def transform_target(self, source: object) -> Array:
        """The target of a table, for training or evaluation.

        Shapes:
            -> class numbers int64 (rows,), or z-scored values float32 (rows, 1).

        Raises:
            DataError: the target is absent, has missing values, or unknown labels.
            NotBuiltError: `fit` has not run.
        """
        target, given = self.target, _as_table(source)
        if target.name not in given:
            raise DataError(
                f'Encoding a table: it has no column "{target.name}" to compare with',
                found=", ".join(given.names) + did_you_mean(target.name, given.names),
                needed=f'the target "{target.name}"',
            )
        return target.encode(given[target.name], given.row_numbers)

    def arrays(self, source: object) -> EncodedTable:
        """Features and target of the rows that have a target.

        Shapes:
            -> x float32 (rows, features); y int64 (rows,) or float32 (rows, 1).

        Raises:
            DataError: as `transform` and `transform_target`.
            NotBuiltError: `fit` has not run.
        """
        whole = _as_table(source)
        name = self.target.name
        part = whole.without_missing(name) if name in whole else whole
        y = self.transform_target(part)
        return EncodedTable(self.transform(part), y, len(whole) - len(part))

    def decode(self, predictions: object) -> Array:
        """Labels, or values in the column's own units.

        Shapes:
            predictions: (rows, classes) or, for two classes, (rows, 1) or (rows,);
            (rows, 1) or (rows,) for regression -> (rows,).

        Raises:
            ShapeError: predictions that do not belong to this target.
            DataError: predictions that are NaN.
            NotBuiltError: `fit` has not run.
        """
        return self.target.decode(as_array(predictions, "predictions"))

    def unseen(self, source: object) -> dict[str, list[str]]:
        """Categories in a table that have no feature of their own, by column.

        Raises:
            DataError: a missing or unknown column.
        """
        given = self._matched(source)
        found = {
            plan.name: plan.unseen(given[plan.name])
            for plan in self._plans.values()
            if isinstance(plan, CategoryPlan)
        }
        return {name: categories for name, categories in found.items() if categories}

    def report(self) -> str:
        """What is done with each column, as an aligned table."""
        target = self.target
        rows = [[target.name, "target", "", target.told()]]
        for plan in self._plans.values():
            kind, how = plan.told()
            rows.append([plan.name, kind, str(len(plan.feature_names)), how])
        head = f"{self.task}: {self.reason}\n" if self.reason else f"{self.task}\n"
        head += f"{count_text(self.rows, 'training row')}"
        if self.rows_dropped:
            head += f", and {count_text(self.rows_dropped, 'row')} left out: no target"
        head += f"; {count_text(len(self.feature_names), 'feature')}\n"
        return head + table(rows, header=("column", "read as", "features", "how"), right="llrl")

    def to_config(self) -> dict[str, Any]:
        """The rules as JSON can hold them.

        Raises:
            NotBuiltError: `fit` has not run.
        """
        return {
            "encoder": "table",
            "version": _VERSION,
            "reason": self.reason,
            "rows": self.rows,
            "rows_dropped": self.rows_dropped,
            "target": self.target.to_config(),
            "columns": [plan.to_config() for plan in self._plans.values()],
        }

    @classmethod
    def from_config(cls, config: object) -> TableEncoder:
        """The encoder that `to_config` described.

        Raises:
            ModelFileError: the config is malformed.
        """
        keys = ("encoder", "version", "reason", "rows", "rows_dropped", "target", "columns")
        reader = ConfigReader(config, "the table encoder", keys)
        reader.text("encoder", ("table",))
        if reader.count("version") != _VERSION:
            reader.refuse(f"version {reader.count('version')}", f"version {_VERSION}")
        encoder = cls()
        encoder._target = target_from_config(reader.entry("target"))
        plans = [plan_from_config(column) for column in reader.items("columns")]
        encoder._plans = {plan.name: plan for plan in plans}
        if len(encoder._plans) < len(plans) or encoder._target.name in encoder._plans:
            reader.refuse("a column twice", "different columns")
        if not encoder.feature_names:
            reader.refuse("no features", "at least one")
        encoder._reason = reader.text("reason")
        encoder.rows, encoder.rows_dropped = reader.count("rows"), reader.count("rows_dropped")
        return encoder

    def _matched(self, source: object) -> Table:
        target, given = self.target, _as_table(source)
        needed = [p.name for p in self._plans.values() if not isinstance(p, DroppedPlan)]
        unknown = [n for n in given.names if n not in self._plans and n != target.name]
        for name in needed:
            if name not in given:
                raise DataError(
                    f'Matching the columns: the table has no column "{name}"',
                    found="columns " + ", ".join(given.names) + did_you_mean(name, unknown),
                    needed="the columns of the training data: " + ", ".join(needed),
                    try_="the names must be the same, their order does not matter",
                )
        if unknown:
            raise DataError(
                f'Matching the columns: the column "{unknown[0]}" was not in the training data',
                found=", ".join(f'"{name}"' for name in unknown[:8])
                + did_you_mean(unknown[0], needed),
                needed="the columns of the training data: " + ", ".join(needed),
                try_=f'leave out the column "{unknown[0]}", or train again with it',
            )
        if len(given) == 0:
            raise DataError("Encoding a table: it has no rows", needed="at least one row")
        return given


def _as_table(source: object, *, target: str | None = None) -> Table:
    """A table, also out of a file whose path is given."""
    if isinstance(source, (str, os.PathLike)):
        return read_table(source, target=target)
    return as_table(source, target=target)
