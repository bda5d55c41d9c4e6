"""Tables: the kinds of columns, whatever they come from, and files read strictly."""

from __future__ import annotations

import datetime
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.data import Table, as_table, read_csv, read_parquet, read_table
from clearprop.data.cells import days_text, is_missing, read_days, read_number
from clearprop.data.columns import column_from_words
from clearprop.errors import ArgumentError, DataError, MissingExtraError, UnknownNameError


def csv_file(folder: Path, text: str | bytes, name: str = "homes.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_csv_file_becomes_typed_columns(tmp_path: Path) -> None:
    table = read_csv(
        csv_file(
            tmp_path,
            "\ufeffarea, city,sold,garden,note\r\n"
            '50,"Rome, old",2024-02-29,True,a\r\n'
            "\r\n"
            " 1e2 ,Bonn,1970-01-02 12:00,false,?\r\n"
            'N/A,"say ""hi""",,NULL,none\r\n',
        )
    )
    assert table.names == ["area", "city", "sold", "garden", "note"]
    assert [c.kind for c in table.columns.values()] == ["number", "text", "date", "bool", "text"]
    np.testing.assert_array_equal(table["area"].values, [50, 100, np.nan])
    assert table["city"].values.tolist() == ["Rome, old", "Bonn", 'say "hi"']
    np.testing.assert_array_equal(table["sold"].values, [19782, 1.5, np.nan])
    assert table["garden"].categories().tolist() == ["true", "false", ""]
    assert table["note"].missing.tolist() == [False, True, True]


@pytest.mark.parametrize("word", ["", "NA", "n/a", "NaN", "NULL", "None", "?", "na"])
def test_words_that_mean_missing(word: str) -> None:
    assert is_missing(word)
    column = column_from_words("x", ["1", f" {word} "])
    assert column.kind == "number"
    assert column.missing.tolist() == [False, True]


@pytest.mark.parametrize("word", ["1_000", "0x10", "1,5", "12 apples", "--1", "one"])
def test_words_that_are_no_numbers(word: str) -> None:
    assert read_number(word) is None


@pytest.mark.parametrize("word", ["2024-02-30", "2024-13-01", "20240101", "01/02/2024", "today"])
def test_words_that_are_no_dates(word: str) -> None:
    assert read_days(word) is None


@given(st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31)))
def test_dates_come_back_as_they_were(moment: datetime.datetime) -> None:
    moment = moment.replace(microsecond=0)
    days = read_days(moment.isoformat(" "))
    assert days is not None
    assert abs(days * 86_400 - (moment - datetime.datetime(1970, 1, 1)).total_seconds()) < 1e-3
    date = moment.date().isoformat()
    assert days_text(read_days(date) or 0.0) == date


def test_a_moment_out_of_the_calendar_still_has_a_text() -> None:
    assert days_text(1e12) == "1e+12 days after 1970-01-01"


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_separator_is_found_in_the_header(tmp_path: Path, separator: str) -> None:
    text = separator.join("abc") + "\n" + separator.join(["1", "x,y", "3"]) + "\n"
    assert read_csv(csv_file(tmp_path, text))["b"].values.tolist() == ["x,y"]


def test_decimal_commas_are_read_when_asked_for(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a;b\n1,5;x,1\n-2;y\n")
    assert read_csv(path, decimal=",")["a"].values.tolist() == [1.5, -2]
    assert read_csv(path, decimal=",")["b"].values.tolist() == ["x,1", "y"]
    assert read_csv(path)["a"].kind == "text"


def test_the_nameless_first_column_of_pandas_is_the_index(tmp_path: Path) -> None:
    assert read_csv(csv_file(tmp_path, ",a\n0,1\n1,2\n")).names == ["index", "a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n1,2,3\n", "line 3 has another number of cells than the header\n.*3 cells"),
        ("a,b\n1,2\n\n1\n", "line 4 has another number of cells than the header\n.*1 cell\n"),
        ('a,b\n1,"2\n', "line 2 is not CSV\n.*unexpected end of data"),
        ('a,b\n1,"2"3\n', "line 2 is not CSV"),
        (b"a,b\n\xe9,2\n", "is not UTF-8 text\n.*0xe9"),
        ("", "the file is empty"),
        ("a,b\n\n", "it has no rows"),
        ("a,a\n1,2\n", 'two columns are called "a"'),
        ("a,,c\n1,2,3\n", "a column has no name\n.*cell 2"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_csv(csv_file(tmp_path, text))


def test_a_line_of_another_length_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_csv(csv_file(tmp_path, "city,price\nRome,100\nBonn, old,90\n"))
    assert (
        str(caught.value)
        == """\
Reading homes.csv: line 3 has another number of cells than the header
  found:  3 cells
  needed: 2: city, price
  try:    a cell that holds the separator stands in double quotes"""
    )


def test_a_file_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path) -> None:
    csv_file(tmp_path, "a\n1\n")
    with pytest.raises(DataError, match=r'no such file\n.*did you mean "homes\.csv"'):
        read_csv(tmp_path / "house.csv")
    with pytest.raises(DataError, match="a folder"):
        read_table(tmp_path / "..")
    with pytest.raises(DataError, match=r'ending that is not known\n  found:  "\.xlsx"'):
        read_table(csv_file(tmp_path, "", "a.xlsx"))


def test_a_target_must_be_a_column(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "area,price\n1,2\n")
    assert read_table(path, target="price").target == "price"
    with pytest.raises(UnknownNameError) as caught:
        read_csv(path, target="prise")
    assert (
        str(caught.value)
        == """\
Looking for a column: the table has no column "prise"
  found:  "prise" did you mean "price"?
  needed: one of: area, price"""
    )


def test_impossible_marks_are_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a\n1\n")
    for separator in ("", ",,", '"', "\n"):
        with pytest.raises(ArgumentError, match="separator"):
            read_csv(path, separator=separator)
    with pytest.raises(ArgumentError, match="decimal"):
        read_csv(path, decimal="'")


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    path = tmp_path / "homes.parquet"
    polars.DataFrame({
        "whole": [1, None],
        "money": [Decimal("1.50"), None],
        "sold": [datetime.date(1970, 1, 2), None],
        "at": [datetime.datetime(1970, 1, 1, 6), None],
        "true": [True, None],
        "code": ["007", None],
        "city": polars.Series(["Rome", "NA"], dtype=polars.Categorical),
        "none": [None, None],
    }).write_parquet(path)
    table = read_table(path)
    assert [c.kind for c in table.columns.values()] == [
        "number", "number", "date", "date", "bool", "text", "text", "number",
    ]  # fmt: skip
    assert [c.missing.tolist() for c in table.columns.values()] == [[False, True]] * 7 + [
        [True] * 2
    ]
    assert [c.values[0] for c in table.columns.values()][:7] == [1, 1.5, 1, 0.25, 1, "007", "Rome"]
    with pytest.raises(DataError, match="not a Parquet file"):
        read_parquet(csv_file(tmp_path, "a\n1\n", "bad.parquet"))
    polars.DataFrame({"a": []}).write_parquet(path)
    with pytest.raises(DataError, match="it has no rows"):
        read_parquet(path)


def test_frames_and_streams_become_tables() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"a": [1, 2], "b": ["x", None]})

    class Stream:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return frame.__arrow_c_stream__(requested_schema)

    for source in (frame, frame.lazy(), Stream(), dict(frame.to_dict())):
        table = as_table(source, target="b")
        assert (table["a"].values.tolist(), table["b"].values.tolist()) == ([1, 2], ["x", ""])
    with pytest.raises(DataError, match='"l": a table cannot hold a list'):
        as_table(polars.DataFrame({"l": [[1], [2]]}))


def test_a_pandas_frame_becomes_a_table() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", None], "c": pandas.array([None, 2])})
    frame["d"] = pandas.to_datetime(["1970-01-02", None])
    table = as_table(frame)
    assert [c.kind for c in table.columns.values()] == ["number", "text", "number", "date"]
    assert [c.missing.tolist() for c in table.columns.values()] == [
        [False, False], [False, True], [True, False], [False, True],
    ]  # fmt: skip


def test_a_dict_of_columns_becomes_a_table() -> None:
    table = as_table({
        "number": [1, 2.5, None],
        "truth": [True, None, False],
        "mixed": ["a", 2.0, True],
        "date": [datetime.date(1970, 1, 2), "", None][:1] * 3,
        "iso": ["1970-01-02", "?", None],
        "text": ["1", "2", None],
        "array": np.array([1, 2, 3], np.uint8),
        "moment": np.array(["1970-01-02T12", "NaT", "1970-01-01"], "M8[h]"),
        "span": np.array([60, 1, 1], "m8[s]"),
        "nothing": [None, np.nan, None],
    })
    kinds = {name: column.kind for name, column in table.columns.items()}
    assert kinds == {
        "number": "number",
        "truth": "bool",
        "mixed": "text",
        "date": "date",
        "iso": "date",
        "text": "text",
        "array": "number",
        "moment": "date",
        "span": "number",
        "nothing": "number",
    }
    assert table["mixed"].values.tolist() == ["a", "2", "true"]
    assert table["iso"].missing.tolist() == [False, True, True]
    assert table["moment"].values[0] == 1.5


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([1, 2], "a list has no named columns"),
        ({}, "there are no columns"),
        ({"a": [1], "b": [1, 2]}, '"a": 1 row, "b": 2 rows'),
        ({"a": np.ones((2, 2))}, "one value in each row"),
        ({"a": 3}, "one value in each row"),
        ({"a": [object()]}, "cannot hold a object"),
        ({"a": [b"x"]}, "cannot hold a bytes"),
        ({1: [1], "1": [2]}, 'two columns are called "1"'),
    ],
)
def test_what_is_no_table_is_refused(source: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        as_table(source)


def test_parts_of_a_table_keep_the_row_numbers() -> None:
    table = as_table({"a": [1, None, 3, 4], "b": list("wxyz")}, target="a")
    part = table.without_missing("a").take(np.array([2, 0]))
    assert (part.target, part.row_numbers.tolist()) == ("a", [4, 1])
    assert part["b"].values.tolist() == ["z", "w"]
    assert len(table.take([])) == 0


def test_a_table_of_numbers_gives_arrays() -> None:
    table = as_table({"a": [1, 2], "y": ["u", "v"], "b": [True, False]}, target="y")
    x, y = table.arrays()
    assert (x.tolist(), y.tolist(), x.dtype) == ([[1, 1], [2, 0]], ["u", "v"], np.float32)
    assert table.with_target("a").arrays.__self__.target == "a"  # type: ignore[attr-defined]
    with pytest.raises(DataError, match='"y" is text'):
        table.with_target("a").arrays()
    with pytest.raises(DataError, match="which column to predict"):
        as_table({"a": [1]}).arrays()
    with pytest.raises(DataError, match="row 2, the first of 1"):
        as_table({"a": [1, None], "y": [1, 2]}, target="y").arrays()


def test_a_table_prints_itself() -> None:
    table = as_table({"area": [50, None], "city": ["Rome", "B" * 30], "ok": [True, False]})
    assert (
        str(table.with_target("area"))
        == """\
2 rows, 3 columns
column         kind    missing  examples
─────────────  ──────  ───────  ──────────────────────────
area (target)  number        1  50
city           text             Rome, BBBBBBBBBBBBBBBBBBB…
ok             bool             true, false"""
    )
    assert repr(table) == "<Table of 2 rows: area, city, ok>"


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    assert len(read_csv(csv_file(tmp_path, "a\n1\n"))) == 1
    with pytest.raises(MissingExtraError) as caught:
        read_parquet(tmp_path / "a.parquet")
    assert (
        str(caught.value)
        == """\
Reading Parquet files: the package polars is not installed
  needed: polars
  try:    pip install 'clearprop[data]'"""
    )


def test_columns_cannot_be_longer_than_each_other() -> None:
    with pytest.raises(DataError, match="different lengths"):
        Table([column_from_words("a", ["1"]), column_from_words("b", [])])
