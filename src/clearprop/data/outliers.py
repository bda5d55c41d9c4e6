"""Outliers: values far from the others of their column, counted by two rules.

    quartile rule  outside of Q1 - 1.5 IQR to Q3 + 1.5 IQR, with IQR = Q3 - Q1
                   (quartiles by linear interpolation)
    z rule         more than 3 standard deviations from the mean

The report counts; whether an outlier is an error in the data is for people to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clearprop.data.intake import Array, as_array, check_data
from clearprop.data.tables import Table
from clearprop.errors import ShapeError
from clearprop.text import number_text, table


@dataclass(frozen=True)
class ColumnOutliers:
    """The outliers of one column.

    Attributes:
        name: the column's name.
        count: how many numbers it has, missing ones left out.
        low: the smallest value that the quartile rule lets pass.
        high: the largest one.
        by_quartiles: how many values the quartile rule names.
        by_z: how many values the z rule names.
        farthest: the value with the most standard deviations from the mean.
        farthest_row: its row, counted as the source counts them: a `Table` from 1 on, an
            array from 0 on.
    """

    name: str
    count: int
    low: float
    high: float
    by_quartiles: int
    by_z: int
    farthest: float
    farthest_row: int


@dataclass(frozen=True)
class OutlierReport:
    """The outliers of every column of numbers; printed, an aligned table."""

    columns: tuple[ColumnOutliers, ...]

    def __str__(self) -> str:
        rows = [
            [
                c.name,
                f"{c.count:,}",
                f"{number_text(c.low)} to {number_text(c.high)}",
                f"{c.by_quartiles:,}",
                f"{c.by_z:,}",
                f"{number_text(c.farthest)} in row {c.farthest_row}",
            ]
            for c in self.columns
        ]
        header = ("column", "values", "usual", "outside", "beyond 3 std", "farthest")
        return table(rows, header=header, right="lrlrrl")


def outliers(x: object, names: Sequence[str] | None = None) -> OutlierReport:
    """How many values of each column lie far from the others.

    Args:
        x: a table (its number columns are reported) or an array.
        names: of the array's columns; ``column 0``, ``column 1`` ... unless given.

    Shapes:
        x: (n, columns), or (n,) for one column. NaN is left out.

    Raises:
        DataError: text or infinite numbers in an array.
        ShapeError: more than two axes, or not one name per column.

    Example:
        >>> report = outliers([1.0, 2.0, 3.0, 2.0, 1.0, 90.0])
        >>> report.columns[0].by_quartiles
        1
    """
    if isinstance(x, Table):
        found = [
            _of_column(c.name, c.values, x.row_numbers)
            for c in x.columns.values()
            if c.kind == "number"
        ]
        return OutlierReport(tuple(c for c in found if c is not None))
    array = as_array(x)
    check_data(np.where(np.isnan(array), 0, array) if array.dtype.kind == "f" else array)
    if array.ndim == 1:
        array = array[:, None]
    titles = list(names) if names is not None else [f"column {i}" for i in range(array.shape[-1])]
    if array.ndim != 2 or len(titles) != array.shape[1]:
        raise ShapeError(
            "Looking for outliers: the data are not columns with a name each",
            found=f"shape {array.shape}, {len(titles)} names",
            needed="shape (n, columns) and one name per column",
        )
    numbers = array.astype(np.float64)
    rows = np.arange(len(numbers))
    found = [_of_column(name, numbers[:, i], rows) for i, name in enumerate(titles)]
    return OutlierReport(tuple(c for c in found if c is not None))


def _of_column(name: str, values: Array, row_numbers: Array) -> ColumnOutliers | None:
    present = np.isfinite(values)
    if not present.any():
        return None
    known, rows = values[present], row_numbers[present]
    first, third = np.quantile(known, [0.25, 0.75])
    low, high = first - 1.5 * (third - first), third + 1.5 * (third - first)
    distance = np.abs(known - known.mean())
    farthest = int(np.argmax(distance))
    return ColumnOutliers(
        name=name,
        count=len(known),
        low=float(low),
        high=float(high),
        by_quartiles=int(np.count_nonzero((known < low) | (known > high))),
        by_z=int(np.count_nonzero(distance > 3 * known.std())),
        farthest=float(known[farthest]),
        farthest_row=int(rows[farthest]),
    )
