"""Tables out of files: CSV (and its relatives with other separators) and Parquet.

CSV is read strictly: every line has as many cells as the header, quotes are closed, the text
is UTF-8, blank lines are skipped.  A line that breaks these rules is named, never guessed at.

Rows of a text file are called by their line in it, as a spreadsheet does: the header is row 1,
so the first data row is row 2.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.data.columns import Column, column_from_words
from clearprop.data.extras import import_polars
from clearprop.data.tables import Table, as_table
from clearprop.errors import ArgumentError, DataError
from clearprop.text import count_text, did_you_mean

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".tab")
PARQUET_SUFFIXES = (".parquet", ".pq")
_SEPARATORS = (",", ";", "\t", "|")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")


def read_table(path: str | os.PathLike[str], *, target: str | None = None) -> Table:
    """The table in a CSV or Parquet file; the file's ending decides which.

    Raises:
        DataError: no such file, another ending, or a file that is not what its ending says.
        UnknownNameError: no column is called ``target``.
    """
    suffix = Path(path).suffix.lower()
    if suffix in TEXT_SUFFIXES:
        return read_csv(path, target=target)
    if suffix in PARQUET_SUFFIXES:
        return read_parquet(path, target=target)
    _check_exists(Path(path))
    raise DataError(
        f"Reading a table: {Path(path).name} has an ending that is not known",
        found=f'"{suffix}"' if suffix else "no ending",
        needed=", ".join((*TEXT_SUFFIXES, *PARQUET_SUFFIXES)),
        try_="cp.data.read_csv(path) reads text of any ending",
    )


def read_csv(
    path: str | os.PathLike[str],
    *,
    target: str | None = None,
    separator: str | None = None,
    decimal: str = ".",
) -> Table:
    """The table in a text file with a header line.

    Args:
        path: the file.
        target: the name of the column to predict.
        separator: between cells; unless given, the one of ``, ; tab |`` that stands most
            often in the header line.
        decimal: ``"."``, or ``","`` if numbers are written as 1,5.

    Raises:
        DataError: no such file, no rows, lines of different lengths, open quotes, not UTF-8.
        UnknownNameError: no column is called ``target``.

    Example:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "pets.csv"
        >>> _ = path.write_text("pet,weight\\ncat,4.5\\ndog,?\\n")
        >>> read_csv(path)["weight"].values.tolist()
        [4.5, nan]
    """
    _check_marks(separator, decimal)
    file = Path(path)
    _check_exists(file)
    names, rows, lines = _csv_cells(file, separator)
    columns: list[Column] = []
    for name, cells in zip(names, zip(*rows, strict=True), strict=True):
        texts: Sequence[str] = cells
        if decimal == ",":
            texts = [
                cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell.strip()) else cell
                for cell in cells
            ]
        columns.append(column_from_words(name, texts))
    return Table(columns, target=target, row_numbers=np.array(lines))


def read_parquet(path: str | os.PathLike[str], *, target: str | None = None) -> Table:
    """The table in a Parquet file.

    Raises:
        DataError: no such file, not a Parquet file, no rows, or nested columns.
        UnknownNameError: no column is called ``target``.
        MissingExtraError: polars is not installed.
    """
    polars = import_polars("reading Parquet files")
    file = Path(path)
    _check_exists(file)
    try:
        frame: Any = polars.read_parquet(file, glob=False)
    except (polars.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"Reading {file.name}: it is not a Parquet file that can be read",
            found=str(error).partition("\n")[0],
            needed="a Parquet file, whole",
        ) from error
    if len(frame) == 0:
        raise _no_rows(file)
    return as_table(frame, target=target)


def _check_marks(separator: str | None, decimal: str) -> None:
    if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
        raise ArgumentError(
            "Reading a CSV file: the separator is one character",
            found=f"separator={separator!r}",
            needed='"," or ";" or "\\t" or another single character',
        )
    if decimal not in {".", ","}:
        raise ArgumentError(
            "Reading a CSV file: a decimal mark that is not known",
            found=f"decimal={decimal!r}",
            needed='"." or ","',
        )


def _csv_cells(file: Path, separator: str | None) -> tuple[list[str], list[list[str]], list[int]]:
    """The header's names, the cells of every row that is not blank, and the line it starts in."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            if separator is None:
                header = text.readline()
                separator = max(_SEPARATORS, key=header.count)
                text.seek(0)
            reader = csv.reader(text, delimiter=separator, strict=True)
            names = [name.strip() for name in next(reader, [])]
            rows, lines = [], []
            line = reader.line_num + 1
            for row in reader:
                if len(row) == len(names):
                    rows.append(row)
                    lines.append(line)
                elif row:
                    raise _wrong_length(file, line, len(row), names)
                line = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise DataError(
            f"Reading {file.name}: it is not UTF-8 text",
            found=f"byte 0x{error.object[error.start]:02x} where UTF-8 has none",
            needed="a text file in UTF-8",
            try_='save it as "CSV UTF-8"; or, if it is not text at all, another file',
        ) from error
    except csv.Error as error:
        raise DataError(
            f"Reading {file.name}: line {reader.line_num} is not CSV",
            found=str(error),
            needed='cells in double quotes that are closed; a quote in a cell written as ""',
        ) from error
    _check_header(file, names)
    if not rows:
        raise _no_rows(file)
    return names, rows, lines


def _check_header(file: Path, names: list[str]) -> None:
    if not names:
        raise DataError(
            f"Reading {file.name}: the file is empty",
            needed="a header line with the columns' names, and rows below it",
        )
    if "" in names and len(names) > 1 and names.index("") == 0:
        names[0] = "index"  # what pandas writes without a name
    if "" in names:
        raise DataError(
            f"Reading {file.name}: a column has no name",
            found=f"cell {names.index('') + 1} of the header is empty",
            needed="a name for every column in the first line",
        )


def _wrong_length(file: Path, line: int, count: int, names: list[str]) -> DataError:
    return DataError(
        f"Reading {file.name}: line {line} has another number of cells than the header",
        found=count_text(count, "cell"),
        needed=f"{len(names)}: {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}",
        try_="a cell that holds the separator stands in double quotes",
    )


def _no_rows(file: Path) -> DataError:
    return DataError(
        f"Reading {file.name}: it has no rows",
        found="column names only",
        needed="at least one row",
    )


def _check_exists(file: Path) -> None:
    if file.is_file():
        return
    beside = [p.name for p in file.parent.iterdir()] if file.parent.is_dir() else []
    raise DataError(
        f"Reading {file.name}: there is no such file",
        found=("a folder" if file.is_dir() else f"nothing at {file}")
        + did_you_mean(file.name, (name for name in beside if name != file.name)),
        needed="the path of a CSV or Parquet file",
    )
