"""A table: named columns of one length, out of a file, a data frame or a dict.

Rules for what is read from where:

- A file without types (CSV): a column is numbers, truth values or ISO dates if all its
  cells that are not missing are; else text (see ``clearprop.data.cells``).
- Typed sources (Parquet, Arrow, polars, pandas, a dict of columns): the types stay as they
  are; text stays text, except that a column of ISO dates is dates.
- ``None``, NaN, null, and in text the words of ``cells.MISSING_WORDS`` are missing values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clearprop.data.columns import Column, column_from_array
from clearprop.data.extras import import_polars
from clearprop.data.intake import Array, as_array
from clearprop.errors import DataError, UnknownNameError
from clearprop.text import count_text, did_you_mean, table


class Table:
    """Named columns of one length, and the name of the one to predict, if it is known.

    Args:
        columns: the columns, in their order.
        target: the name of the column to predict.
        row_numbers: how an error names each row; 1, 2, 3 ... unless given. Rows of a CSV file
            have the numbers of their lines, its header is 1. A part of a table keeps the
            numbers of the whole.

    Shapes:
        row_numbers: (rows,).

    Raises:
        DataError: two columns of one name, different lengths, or no column.
        UnknownNameError: no column is called ``target``.

    Example:
        >>> houses = as_table({"area": [50, 80], "price": [100.0, None]}, target="price")
        >>> len(houses), houses.names, houses["price"].missing.tolist()
        (2, ['area', 'price'], [False, True])
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        target: str | None = None,
        row_numbers: Array | None = None,
    ) -> None:
        _check_columns(columns)
        self.columns: dict[str, Column] = {column.name: column for column in columns}
        self.target = target
        count = len(columns[0])
        self.row_numbers: Array = np.arange(1, count + 1) if row_numbers is None else row_numbers
        if target is not None:
            self[target]  # its absence is an error

    def __len__(self) -> int:
        return len(self.row_numbers)

    def __getitem__(self, name: str) -> Column:
        if name not in self.columns:
            raise UnknownNameError(
                f'Looking for a column: the table has no column "{name}"',
                found=f'"{name}"' + did_you_mean(name, self.names),
                needed="one of: " + ", ".join(self.names),
            )
        return self.columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    @property
    def names(self) -> list[str]:
        """The columns' names, in their order."""
        return list(self.columns)

    def take(self, rows: Array | Sequence[int]) -> Table:
        """The table with these rows only (indices or a mask).

        Shapes:
            rows: (k,) indices, or a mask (rows,).
        """
        chosen = np.asarray(rows)
        if chosen.size == 0:
            chosen = chosen.astype(np.intp)
        columns = [column.take(chosen) for column in self.columns.values()]
        return Table(columns, target=self.target, row_numbers=self.row_numbers[chosen])

    def without_missing(self, name: str) -> Table:
        """The rows in which the column ``name`` has a value."""
        missing = self[name].missing
        return self.take(~missing) if missing.any() else self

    def with_target(self, name: str) -> Table:
        """The same table, with the column ``name`` as the one to predict."""
        return Table(list(self.columns.values()), target=name, row_numbers=self.row_numbers)

    def arrays(self) -> tuple[Array, Array]:
        """Features and target of a table that is all numbers, unscaled, as float32.

        Shapes:
            -> (rows, columns without the target), (rows,). A text target stays text.

        Raises:
            DataError: no target is known, a feature is text, or a value is missing.
        """
        if self.target is None:
            raise DataError(
                "Making arrays of a table: it is not known which column to predict",
                found="columns " + ", ".join(self.names),
                needed='a target: cp.data.read_csv(path, target="..."), or table.with_target',
            )
        for column in self.columns.values():
            if column.missing.any():
                row = self.row_numbers[int(np.argmax(column.missing))]
                raise DataError(
                    f'Making arrays of a table: the column "{column.name}" has missing values',
                    found=f"row {row}" + f", the first of {int(column.missing.sum()):,}",
                    needed="a value in every row",
                    try_="cp.data.TableEncoder fills missing values",
                )
        features = [c for c in self.columns.values() if c.name != self.target]
        for column in features:
            if column.kind == "text":
                raise DataError(
                    f'Making arrays of a table: the column "{column.name}" is text',
                    found=f'row {self.row_numbers[0]}: "{column.values[0]}"',
                    needed="numbers",
                    try_="cp.data.TableEncoder makes numbers of categories",
                )
        x = np.zeros((len(self), len(features)), np.float32)
        for index, column in enumerate(features):
            x[:, index] = column.values
        goal = self[self.target]
        text = goal.kind == "text"
        return x, goal.values.astype(str) if text else goal.values.astype(np.float32)

    def __str__(self) -> str:
        """What each column holds, as an aligned table."""
        rows = [
            [
                column.name + (" (target)" if column.name == self.target else ""),
                column.kind,
                f"{int(column.missing.sum()):,}" if column.missing.any() else "",
                _examples(column),
            ]
            for column in self.columns.values()
        ]
        head = f"{count_text(len(self), 'row')}, {count_text(len(rows), 'column')}"
        return f"{head}\n" + table(
            rows, header=("column", "kind", "missing", "examples"), right="llr"
        )

    def __repr__(self) -> str:
        return f"<Table of {count_text(len(self), 'row')}: {', '.join(self.names)}>"


def as_table(source: object, *, target: str | None = None) -> Table:
    """A table out of whatever holds named columns; a `Table` is returned as it is.

    Args:
        source: a `Table`, a dict of columns, a pandas or polars data frame, or anything with
            Arrow's ``__arrow_c_stream__``. The index of a pandas frame is left out.
        target: the name of the column to predict.

    Shapes:
        every column: (rows,).

    Raises:
        DataError: ``source`` has no named columns, or a column that a table cannot hold.
        UnknownNameError: no column is called ``target``.
        MissingExtraError: Arrow data, and polars is not installed.
    """
    if isinstance(source, Table):
        return source if target is None else source.with_target(target)
    package = type(source).__module__.partition(".")[0]
    if isinstance(source, Mapping):
        columns = [
            column_from_array(str(name), _column_array(source[name], str(name))) for name in source
        ]
    elif package == "pandas" and hasattr(source, "iloc") and hasattr(source, "columns"):
        columns = _columns_of_pandas(source)
    elif package == "polars" or hasattr(source, "__arrow_c_stream__"):
        polars = import_polars("reading Arrow data")
        frame = source if isinstance(source, polars.DataFrame) else _collected(source, polars)
        columns = [column_from_array(s.name, _array_of_polars(s)) for s in frame.get_columns()]
    else:
        raise DataError(
            f"Reading a table: a {type(source).__name__} has no named columns",
            found=type(source).__name__,
            needed="a dict of columns, or a pandas, polars or Arrow table",
            try_="cp.data.read_csv(path) for a file",
        )
    return Table(columns, target=target)


def _check_columns(columns: Sequence[Column]) -> None:
    if not columns:
        raise DataError("Making a table: there are no columns", needed="at least one column")
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            raise DataError(
                f'Making a table: two columns are called "{column.name}"',
                found=", ".join(c.name for c in columns),
                needed="a different name for every column",
            )
        seen.add(column.name)
        if len(column) != len(columns[0]):
            raise DataError(
                "Making a table: columns have different lengths",
                found=f'"{columns[0].name}": {count_text(len(columns[0]), "row")}, '
                f'"{column.name}": {count_text(len(column), "row")}',
                needed="one value in each row of every column",
            )


def _column_array(values: object, name: str) -> Array:
    """The values as an array whose elements keep their Python types if they are mixed."""
    if isinstance(values, (list, tuple)):
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array
    if type(values).__module__.partition(".")[0] == "polars":
        return _array_of_polars(values)
    return as_array(values, f'column "{name}"')


def _columns_of_pandas(frame: Any) -> list[Column]:
    columns = []
    for position, name in enumerate(frame.columns):
        series = frame.iloc[:, position]
        plain = isinstance(series.dtype, np.dtype)
        array = series.to_numpy() if plain else series.to_numpy(dtype=object)
        columns.append(column_from_array(str(name), array))
    return columns


def _collected(source: object, polars: Any) -> Any:
    return source.collect() if isinstance(source, polars.LazyFrame) else polars.DataFrame(source)


def _array_of_polars(series: Any) -> Array:
    """A polars column as an array; one with nulls or with text has Python objects."""
    plain = series.dtype.is_numeric() and not series.dtype.is_decimal()
    if (plain or series.dtype.is_temporal()) and str(series.dtype) != "Time":
        return np.asarray(series.to_numpy())
    return _column_array(series.to_list(), series.name)


def _examples(column: Column) -> str:
    texts = column.take(np.flatnonzero(~column.missing)[:3]).categories().tolist()
    return ", ".join(text if len(text) <= 20 else text[:19] + "…" for text in texts)
