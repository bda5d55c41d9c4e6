"""The column to predict: which task it makes, and its way to numbers and back.

Classification or regression is decided by these rules, unless it is given:

- text, or true and false: classification;
- whole numbers, only two different ones: classification;
- whole numbers, at most 20 different ones, each standing in 5 rows on average:
  classification;
- all other numbers, and dates (as days since 1970-01-01): regression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import numpy as np

from clearprop.data.cells import plain_number_text
from clearprop.data.columns import Column, Kind
from clearprop.data.configs import ConfigReader
from clearprop.data.intake import Array
from clearprop.errors import DataError, ShapeError, UnknownNameError
from clearprop.text import count_text, did_you_mean, number_text

Task = Literal["classification", "regression"]
TASKS: tuple[Task, ...] = ("classification", "regression")
MOST_WHOLE_CLASSES = 20
ROWS_PER_WHOLE_CLASS = 5


@dataclass(frozen=True)
class TaskDecision:
    """What a target column asks for, and why."""

    task: Task
    reason: str


@final
@dataclass(frozen=True)
class ClassTarget:
    """A target of classes.

    Attributes:
        name: the column.
        kind: what the labels are: text, bool or number.
        class_names: the labels as text, numbers in their order, text sorted.
    """

    task: ClassVar[Task] = "classification"
    name: str
    kind: Kind
    class_names: tuple[str, ...]

    def encode(self, column: Column, row_numbers: Array) -> Array:
        """The number of each row's class.

        Shapes:
            row_numbers: (rows,) -> int64 (rows,).

        Raises:
            DataError: a missing label, or one that training has not seen.
        """
        _refuse_missing(column, row_numbers)
        number_of = {name: number for number, name in enumerate(self.class_names)}
        labels = _label_texts(column, self.kind, row_numbers)
        for index, label in enumerate(labels):
            if label not in number_of:
                raise DataError(
                    f'Reading the target "{self.name}": a label that training has not seen',
                    found=f'row {row_numbers[index]}: "{label}"'
                    + did_you_mean(label, self.class_names),
                    needed="one of: " + ", ".join(self.class_names),
                )
        return np.array([number_of[label] for label in labels], np.int64)

    def decode(self, predictions: Array) -> Array:
        """The most likely label of each row.

        Shapes:
            predictions: (rows, classes), or for two classes the probability of the second one
            as (rows, 1) or (rows,) -> (rows,) of str, or of numbers if the labels are numbers.

        Raises:
            ShapeError: another number of columns than there are classes.
            DataError: predictions that are NaN.
        """
        _check_predictions(predictions)
        columns = predictions.reshape(len(predictions), -1)
        single = columns.shape[1] == 1
        if predictions.ndim > 2 or columns.shape[1] != (1 if single else len(self.class_names)):
            raise _wrong_columns(predictions, f"(rows, {len(self.class_names)})")
        if single and len(self.class_names) != 2:
            raise _wrong_columns(predictions, f"(rows, {len(self.class_names)})")
        chosen = (columns[:, 0] > 0.5).astype(int) if single else columns.argmax(axis=1)
        found: Array = self.labels()[chosen]
        return found

    def labels(self) -> Array:
        """The labels themselves, in the order of the classes.

        Shapes:
            (classes,), of str, or of numbers if the labels are numbers.
        """
        if self.kind != "number":
            return np.array(self.class_names)
        values = np.array([float(name) for name in self.class_names])
        return values.astype(np.int64) if (values % 1 == 0).all() else values

    def told(self) -> str:
        """What the target is, for people."""
        shown = ", ".join(self.class_names[:12]) + (", ..." if self.class_names[12:] else "")
        return f"{len(self.class_names)} classes: {shown}"

    def to_config(self) -> dict[str, Any]:
        """The target as JSON can hold it."""
        return {
            "task": self.task,
            "name": self.name,
            "kind": self.kind,
            "class_names": list(self.class_names),
        }


@final
@dataclass(frozen=True)
class ValueTarget:
    """A target of numbers (or dates, as days since 1970-01-01), z-scored for training.

    Attributes:
        name: the column.
        is_date: whether it holds dates.
        mean: of the training values.
        deviation: the standard deviation of the training values, divisor n: an error of 1 in
            the network's units is an error of ``deviation`` in the column's.
    """

    task: ClassVar[Task] = "regression"
    class_names: ClassVar[tuple[str, ...]] = ()
    name: str
    is_date: bool
    mean: float
    deviation: float

    def encode(self, column: Column, row_numbers: Array) -> Array:
        """The z-scored values, as a column: the shape of what a layer with one unit predicts.

        Shapes:
            row_numbers: (rows,) -> float32 (rows, 1).

        Raises:
            DataError: a missing value, or one that is no number.
        """
        _refuse_missing(column, row_numbers)
        values = column.days(row_numbers) if self.is_date else column.numbers(row_numbers)
        scaled: Array = ((values - self.mean) / self.deviation).astype(np.float32)
        return scaled[:, None]

    def decode(self, predictions: Array) -> Array:
        """The predicted values in the column's units.

        Shapes:
            predictions: (rows, 1) or (rows,) -> float64 (rows,); datetime64[s] for dates.

        Raises:
            ShapeError: more than one prediction per row.
            DataError: predictions that are NaN.
        """
        _check_predictions(predictions)
        if predictions.size != len(predictions):
            raise _wrong_columns(predictions, "(rows, 1)")
        values: Array = predictions.reshape(-1).astype(np.float64) * self.deviation + self.mean
        if self.is_date:
            seconds = np.clip(np.rint(values * 86_400), -6e10, 2.5e11)
            moments: Array = np.datetime64(0, "s") + seconds.astype("timedelta64[s]")
            return moments
        return values

    def told(self) -> str:
        """What the target is, for people."""
        unit = "days since 1970-01-01" if self.is_date else "numbers"
        return f"{unit}, z-score: mean {number_text(self.mean)}, std {number_text(self.deviation)}"

    def to_config(self) -> dict[str, Any]:
        """The target as JSON can hold it."""
        return {
            "task": self.task,
            "name": self.name,
            "is_date": self.is_date,
            "mean": self.mean,
            "deviation": self.deviation,
        }


Target = ClassTarget | ValueTarget


def decide_task(column: Column, task: str = "auto") -> TaskDecision:
    """Whether a target column asks for classification or regression, and why.

    Args:
        column: the target, of all rows.
        task: ``"auto"``, or the answer.

    Raises:
        UnknownNameError: a ``task`` that does not exist.
    """
    if task != "auto":
        if task not in TASKS:
            raise UnknownNameError(
                f'Choosing a task: there is none called "{task}"',
                found=f'"{task}"' + did_you_mean(task, (*TASKS, "auto")),
                needed="classification, regression or auto",
            )
        return TaskDecision("regression" if task == "regression" else "classification", "as asked")
    if column.kind == "text":
        return TaskDecision("classification", "the target is text")
    if column.kind == "bool":
        return TaskDecision("classification", "the target is true or false")
    if column.kind == "date":
        return TaskDecision("regression", "the target is dates")
    values = column.values[~column.missing]
    if not np.isfinite(values).all() or (values % 1 != 0).any():
        return TaskDecision("regression", "the target has numbers with fractions")
    distinct = len(np.unique(values))
    told = f"the target has {count_text(distinct, 'different whole number')}"
    told += f" in {count_text(len(values), 'row')}"
    few = distinct <= MOST_WHOLE_CLASSES and distinct * ROWS_PER_WHOLE_CLASS <= len(values)
    return TaskDecision("classification" if few or distinct == 2 else "regression", told)


def plan_target(column: Column, task: Task, row_numbers: Array) -> Target:
    """The target of a task, from the training rows; none of them is missing.

    Shapes:
        row_numbers: (rows,).

    Raises:
        DataError: a single class or value, a class of its own in every row, or text that is
            to be regressed.
    """
    if task == "regression":
        if column.kind == "text":
            raise DataError(
                f'Reading the target "{column.name}": regression of text',
                found=f'row {row_numbers[0]}: "{column.values[0]}"',
                needed="numbers or dates",
                try_='task="classification", or numbers in this column',
            )
        is_date = column.kind == "date"
        values = column.days(row_numbers) if is_date else column.numbers(row_numbers)
        if values.min() == values.max():
            raise _one_value(column, plain_number_text(float(values[0])))
        return ValueTarget(column.name, is_date, float(values.mean()), float(values.std()) or 1.0)
    kind: Kind = "text" if column.kind == "date" else column.kind
    names = sorted(
        set(_label_texts(column, kind, row_numbers)), key=float if kind == "number" else None
    )
    if len(names) == 1:
        raise _one_value(column, names[0])
    if len(names) == len(column) > 2:
        raise DataError(
            f'Reading the target "{column.name}": every row has a class of its own',
            found=f"{count_text(len(names), 'different value')} in as many rows, "
            f'such as "{names[0]}"',
            needed="classes that stand in several rows, or numbers to regress",
            try_='another target; or, for numbers written as 1,5: read_csv(..., decimal=",")',
        )
    return ClassTarget(column.name, kind, tuple(names))


def target_from_config(config: object) -> Target:
    """The target that `to_config` described.

    Raises:
        ModelFileError: the config is malformed.
    """
    if isinstance(config, dict) and config.get("task") == ClassTarget.task:
        reader = ConfigReader(config, "the target", ("task", "name", "kind", "class_names"))
        kind = reader.text("kind", ("text", "bool", "number"))
        names = reader.texts("class_names")
        if len(names) < 2:
            reader.refuse(f"class_names: {names}", "at least two")
        if kind == "number" and not all(_is_number(name) for name in names):
            reader.refuse(f"class_names: {names}", "numbers")
        return ClassTarget(reader.text("name"), kind, tuple(names))  # type: ignore[arg-type]
    reader = ConfigReader(config, "the target", ("task", "name", "is_date", "mean", "deviation"))
    reader.text("task", TASKS[1:])
    return ValueTarget(
        name=reader.text("name"),
        is_date=reader.truth("is_date"),
        mean=reader.number("mean"),
        deviation=reader.number("deviation", positive=True),
    )


def _label_texts(column: Column, kind: Kind, row_numbers: Array) -> list[str]:
    if kind == "number":
        return [plain_number_text(value) for value in column.numbers(row_numbers).tolist()]
    return [str(text) for text in column.categories()]


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _refuse_missing(column: Column, row_numbers: Array) -> None:
    if column.missing.any():
        raise DataError(
            f'Reading the target "{column.name}": a value is missing',
            found=f"row {row_numbers[int(np.argmax(column.missing))]}",
            needed="a value in every row",
            try_=f'table.without_missing("{column.name}") leaves such rows out',
        )


def _one_value(column: Column, value: str) -> DataError:
    return DataError(
        f'Reading the target "{column.name}": every row has the same value',
        found=f'"{value}" in {count_text(len(column), "row")}',
        needed="at least two different values, or there is nothing to learn",
    )


def _check_predictions(predictions: Array) -> None:
    if predictions.ndim == 0 or predictions.dtype.kind not in "biuf":
        raise _wrong_columns(predictions, "an array of numbers, one row per sample")
    if np.isnan(predictions).any():
        row = int(np.argmax(np.isnan(predictions).reshape(len(predictions), -1).any(axis=1)))
        raise DataError(
            "Reading predictions: some are NaN",
            found=f"NaN in row {row} of the array",
            needed="numbers",
            try_="train again with a smaller learning rate: these weights have run away",
        )


def _wrong_columns(predictions: Array, needed: str) -> ShapeError:
    return ShapeError(
        "Reading predictions: they do not belong to this target",
        found=f"shape {predictions.shape}",
        needed=needed,
    )
