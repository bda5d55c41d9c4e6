"""A bad cell never makes a column of numbers text in silence; rows go by the file's lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clearprop.data import TableEncoder, as_table, decide_task, read_csv
from clearprop.data.columns import column_from_words
from clearprop.data.suspects import refuse_nearly_numbers, refuse_numbers_as_classes
from clearprop.errors import DataError


def refuse(cells: list[str]) -> None:
    refuse_nearly_numbers(column_from_words("km", cells), np.arange(2, 2 + len(cells)))


NUMBERS = [str(number * 1.5) for number in range(30)]

REFUSED = {
    "a slip": (
        [*NUMBERS[:4], "12 km", *NUMBERS],
        """\
Reading the column "km": nearly all of it are numbers
  found:  row 6: "12 km"; 34 of 35 values are numbers
  needed: numbers in every row, or an empty cell (or -, NA, ?) where the value is missing
  try:    correct or empty the cell""",
    ),
    "decimal commas": (
        ["", *["10068,78"] * 2, *NUMBERS],
        """\
Reading the column "km": numbers with a decimal comma
  found:  row 3: "10068,78"; 30 of 32 values are numbers; 1 other cell like this one
  needed: numbers in every row, or an empty cell (or -, NA, ?) where the value is missing
  try:    write a decimal point; or, in Python: cp.data.read_csv(path, decimal=",")""",
    ),
    "thousands": (
        ["10,068.78"] * 12,
        """\
Reading the column "km": numbers with commas between the thousands
  found:  row 2: "10,068.78"; 0 of 12 values are numbers; 11 other cells like this one
  needed: numbers in every row, or an empty cell (or -, NA, ?) where the value is missing
  try:    leave out the commas between the thousands""",
    ),
    "either": (
        ["10,068"] * 12,
        """\
Reading the column "km": numbers with commas, decimal ones or between the thousands
  found:  row 2: "10,068"; 0 of 12 values are numbers; 11 other cells like this one
  needed: numbers in every row, or an empty cell (or -, NA, ?) where the value is missing
  try:    leave out the commas between the thousands;
          if they are decimal ones, write a decimal point; or, in Python: \
cp.data.read_csv(path, decimal=",")""",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_numbers_that_are_not_read_as_numbers_are_refused(case: str) -> None:
    cells, text = REFUSED[case]
    with pytest.raises(DataError) as caught:
        refuse(cells)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    "cells",
    [
        NUMBERS,
        [*NUMBERS, "-", "", "NA"],
        [*"012" * 20, "3+", "3+"],  # codes
        [*NUMBERS, *"abcdef"],  # below 9 in 10
        ["1", "2", "3", "x"],  # too few to tell
        [],
    ],
)
def test_other_columns_are_left_alone(cells: list[str]) -> None:
    refuse(cells)


def test_a_code_that_stands_alone_is_a_slip() -> None:
    with pytest.raises(DataError, match='row 62: "three"'):
        refuse([*"012" * 20, "three"])


def test_text_that_was_typed_as_text_is_left_alone() -> None:
    table = as_table({"km": [*NUMBERS, "far"]})
    refuse_nearly_numbers(table["km"], table.row_numbers)


def test_a_dash_is_a_missing_value() -> None:
    column = column_from_words("km", ["1", "-", "-3"])
    assert (column.kind, column.missing.tolist()) == ("number", [False, True, False])


@pytest.mark.parametrize("target", ["km", "price"])
def test_training_names_the_cell(tmp_path: Path, target: str) -> None:
    rows = [f"{number * 3},{number}.5" for number in range(40)]
    rows[20] = "oops,20.5" if target == "km" else "60,oops"
    path = tmp_path / "cars.csv"
    path.write_text("km,price\n" + "\n".join(rows) + "\n")
    with pytest.raises(DataError, match=f'"{target}".*\n.*row 22: "oops"; 39 of 40'):
        TableEncoder().fit(path, target="price")


def test_quantities_are_no_classes() -> None:
    column = column_from_words("price", [str(number) for number in range(300)])
    with pytest.raises(DataError) as caught:
        refuse_numbers_as_classes(column, np.arange(2, 302))
    assert (
        str(caught.value)
        == """\
Reading the target "price": 300 different values are no classes
  found:  300 different values in 300 rows, such as 0 in row 2
  needed: classes that stand in several rows each
  try:    --task regression; in Python: task="regression\""""
    )
    refuse_numbers_as_classes(column_from_words("kind", [*"012" * 9]), np.arange(27))
    names = column_from_words("name", [f"n{number}" for number in range(50)])
    refuse_numbers_as_classes(names, np.arange(50))


def test_an_infinite_target_is_refused_without_a_warning_of_numpy() -> None:
    column = column_from_words("price", ["1", "2", "inf"] * 5)
    assert decide_task(column).task == "regression"
    with pytest.raises(DataError, match="row 3: inf"):
        TableEncoder().fit({"x": [1, 2, 3], "price": [1, 2, np.inf]}, target="price")


def test_rows_go_by_their_lines_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('x,name\n1,"two\nlines"\n\n2,b\n3,c\n')
    table = read_csv(path)
    assert table.row_numbers.tolist() == [2, 5, 6]
    path.write_text('x,name\n1,"two\nlines"\n\n2,b,7\n')
    with pytest.raises(DataError, match="line 5 has another number of cells"):
        read_csv(path)


def test_an_encoder_takes_the_path_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("x,y\n1,2.5\n2,3.5\n3,9.5\n")
    encoder = TableEncoder().fit(str(path), target="y")
    np.testing.assert_array_equal(encoder.transform(path), encoder.transform(read_csv(path)))
    assert encoder.arrays(str(path)).y.shape == (3, 1)
