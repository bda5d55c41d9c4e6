"""The table encoder keeps its rules: in training, on new rows, and out of a stored config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.data import TableEncoder, as_table, decide_task, read_csv
from clearprop.data.columns import column_from_words
from clearprop.errors import (
    ClearPropError,
    DataError,
    ModelFileError,
    NotBuiltError,
    ShapeError,
    UnknownNameError,
)

HOMES: dict[str, Any] = {
    "area": [50, 80, None, 60, 70, 65],
    "city": ["Rome", "Bonn", "Rome", "Bonn", "Rome", "Oslo"],
    "id": [1, 2, 3, 4, 5, 6],
    "name": list("abcdef"),
    "floors": [1] * 6,
    "sold": ["2024-01-01", "2024-02-01", "2023-01-05", None, "2020-01-01", "2024-01-03"],
    "price": [100.5, 170, 120, 130, None, 99],
}


def homes() -> TableEncoder:
    return TableEncoder().fit(HOMES, target="price")


def pets() -> TableEncoder:
    return TableEncoder().fit({"size": [1, 2, 3, 4], "pet": ["cat", "dog"] * 2}, target="pet")


def new_home(**columns: list[Any]) -> dict[str, Any]:
    return {"area": [70.0], "city": ["Rome"], "sold": ["2024-01-01"], **columns}


def test_numbers_are_scaled_by_the_training_rows_and_filled_with_the_median() -> None:
    encoder = homes()
    area = np.array([50, 80, np.nan, 60, 65])  # the fifth row has no target
    mean, deviation, median = 63.75, np.std([50, 80, 60, 65]), 62.5
    expected = (np.where(np.isnan(area), median, area) - mean) / deviation
    x = encoder.arrays(HOMES).x
    np.testing.assert_allclose(x[:, 0], expected, rtol=1e-6)
    assert x[:, 1].tolist() == [0, 0, 1, 0, 0]
    assert x.dtype == np.float32
    np.testing.assert_allclose(
        encoder.transform(new_home(area=[1e6]))[0, 0], (1e6 - mean) / deviation, rtol=1e-6
    )


def test_every_column_has_its_features() -> None:
    encoder = homes()
    assert encoder.feature_names == [
        "area", "area is missing",
        "city = Bonn", "city = Rome", "city is rare or new",
        "sold", "sold is missing",
    ]  # fmt: skip
    assert encoder.transform(HOMES).shape == (6, 7)


def test_rare_new_and_missing_categories() -> None:
    encoder = homes()  # Oslo stands in one row only; no city is missing

    def city(name: str | None) -> list[float]:
        return encoder.transform(new_home(city=[name]))[0, 2:5].tolist()

    assert city("Bonn") == [1, 0, 0]
    assert city("Rome") == [0, 1, 0]
    assert city("Oslo") == city("Paris") == city(None) == [0, 0, 1]
    assert encoder.unseen(new_home(city=["Paris"])) == {"city": ["Paris"]}
    assert encoder.unseen(new_home()) == {}


def test_a_category_without_a_feature_is_zero_everywhere() -> None:
    table = {"c": ["a", "a", "b", "b", None], "y": [0.1, 1, 2, 3, 4]}
    encoder = TableEncoder().fit(table, target="y")
    assert encoder.feature_names == ["c = a", "c = b", "c is missing"]
    assert encoder.transform({"c": ["a", "new", None]}).tolist() == [
        [1, 0, 0],
        [0, 0, 0],
        [0, 0, 1],
    ]
    complete = TableEncoder().fit({"c": table["c"][:4], "y": table["y"][:4]}, target="y")
    assert complete.transform({"c": [None, "new", "b"]}).tolist() == [[0, 0], [0, 0], [0, 1]]


def test_only_the_most_frequent_categories_have_features() -> None:
    words = [f"c{i:03}" for i in range(150) for _ in range(2 + (i >= 50))]
    encoder = TableEncoder().fit({"c": words, "y": np.arange(len(words)) / 2}, target="y")
    assert encoder.feature_names == [f"c = c{i:03}" for i in range(50, 150)] + ["c is rare or new"]


def test_a_number_column_without_missing_values_has_no_mark() -> None:
    encoder = TableEncoder().fit({"a": [1, 2, 6], "y": [0.5, 1, 2]}, target="y")
    assert encoder.feature_names == ["a"]
    np.testing.assert_allclose(
        encoder.transform({"a": [None]}), [[(2 - 3) / np.std([1, 2, 6])]], rtol=1e-6
    )


def test_a_constant_with_gaps_tells_only_where_the_gaps_are() -> None:
    encoder = TableEncoder().fit({"a": [7, None, 7], "y": [0.5, 1, 2]}, target="y")
    assert encoder.feature_names == ["a is missing"]
    assert encoder.transform({"a": [9e9, None]}).tolist() == [[0], [1]]


def test_the_report_tells_what_is_done() -> None:
    table = {
        "area": [50, 80, None, 60],
        "city": [*["Rome", "Bonn"] * 2],
        "price": [1, 2.5, 4, None],
    }
    assert (
        TableEncoder().fit(table, target="price").report()
        == """\
regression: the target has numbers with fractions
3 training rows, and 1 row left out: no target; 4 features
column  read as   features  how
──────  ────────  ────────  ───────────────────────────────────────────────────────
price   target              numbers, z-score: mean 2.5, std 1.2247
area    number           2  z-score: mean 65, std 15; missing: median 65 and a mark
city    category         2  one-hot: Rome; rare or new: one feature"""
    )


def test_columns_that_tell_nothing_are_dropped_with_the_reason() -> None:
    table = dict(HOMES, gone=[None] * 6, same=["x"] * 6)
    report = TableEncoder().fit(table, target="price").report()
    lines = {line.split()[0]: line for line in report.splitlines()}
    assert "7 features" in report
    assert lines["id"].endswith("numbers that only count the rows, to go by the name")
    assert lines["name"].endswith("text that is different in every row")
    assert lines["floors"].endswith("every row has the same value")
    assert lines["gone"].endswith("every value is missing")
    assert lines["same"].endswith('every row has the same value, "x"')


@pytest.mark.parametrize(
    ("name", "dropped"),
    [
        ("Id", 1),
        ("PassengerId", 1),
        ("row_id", 1),
        ("index", 1),
        ("paid", 0),
        ("humid", 0),
        ("x", 0),
    ],
)
def test_ids_are_known_by_their_name(name: str, dropped: int) -> None:
    table = {name: [3, 1, 2, 4], "other": [1, 2, 2, 4], "y": [0.5, 1, 2, 3]}
    assert len(TableEncoder().fit(table, target="y").feature_names) == 2 - dropped


def test_columns_are_matched_by_name_in_any_order() -> None:
    encoder = homes()
    shuffled = {name: HOMES[name] for name in reversed(HOMES)}
    np.testing.assert_array_equal(encoder.transform(shuffled), encoder.transform(HOMES))
    assert encoder.transform(new_home()).shape == (1, 7)  # without target and dropped columns


def test_regression_comes_back_in_its_own_units() -> None:
    encoder = homes()
    x, y, dropped = encoder.arrays(HOMES)
    assert (x.shape, y.shape, y.dtype, dropped) == ((5, 7), (5, 1), np.float32, 1)
    np.testing.assert_allclose(y.mean(), 0, atol=1e-6)
    np.testing.assert_allclose(y.std(), 1, rtol=1e-6)
    for predictions in (y, y[:, 0]):
        decoded = encoder.decode(predictions)
        np.testing.assert_allclose(decoded, [100.5, 170, 120, 130, 99], rtol=1e-6)
        assert decoded.dtype == np.float64


def test_dates_can_be_predicted() -> None:
    table = {"a": [1, 2, 3], "y": ["2024-01-01", "2024-01-03", "2024-01-08"]}
    encoder = TableEncoder().fit(table, target="y")
    assert (encoder.task, encoder.reason) == ("regression", "the target is dates")
    decoded = encoder.decode(encoder.transform_target(table).astype(np.float64))
    assert decoded.astype(str).tolist() == [f"{day}T00:00:00" for day in table["y"]]


@pytest.mark.parametrize(
    ("labels", "classes", "decoded"),
    [
        (["dog", "cat", "dog", "cat"], ("cat", "dog"), ["dog", "cat", "dog", "cat"]),
        ([True, False, True, False], ("false", "true"), ["true", "false", "true", "false"]),
        ([10, 9, 10, 9], ("9", "10"), [10, 9, 10, 9]),
        ([1.0, -1.0, 1.0, -1.0], ("-1", "1"), [1, -1, 1, -1]),
    ],
)
def test_classes_come_back_as_labels(labels: list[Any], classes: tuple, decoded: list) -> None:
    table = {"a": [1, 2, 3, 4], "y": labels}
    encoder = TableEncoder().fit(table, target="y")
    assert encoder.class_names == classes
    y = encoder.transform_target(table)
    assert y.dtype == np.int64
    assert encoder.decode(np.eye(2)[y]).tolist() == decoded
    assert encoder.decode(y[:, None] * 0.9).tolist() == decoded
    assert encoder.decode(y * 0.9).tolist() == decoded


def test_fractional_classes_stay_fractions() -> None:
    encoder = TableEncoder().fit(
        {"a": [1, 2, 3, 4], "y": [0.5, 1, 0.5, 1]}, target="y", task="classification"
    )
    assert encoder.class_names == ("0.5", "1")
    assert encoder.decode(np.eye(2)).tolist() == [0.5, 1]


@pytest.mark.parametrize(
    ("cells", "task", "reason"),
    [
        (["a", "b"], "classification", "the target is text"),
        (["true", "FALSE"], "classification", "the target is true or false"),
        (["2024-01-01", "?"], "regression", "the target is dates"),
        (["1.5", "2"], "regression", "the target has numbers with fractions"),
        (["0", "1", "1"], "classification", "the target has 2 different whole numbers in 3 rows"),
        (list("123") * 5, "classification", "the target has 3 different whole numbers in 15 rows"),
        (list("123") * 4, "regression", "the target has 3 different whole numbers in 12 rows"),
        (
            [str(i % 21) for i in range(2100)],
            "regression",
            "the target has 21 different whole numbers in 2,100 rows",
        ),
        (
            ["1.0", "2.0", "1.0"],
            "classification",
            "the target has 2 different whole numbers in 3 rows",
        ),
    ],
)
def test_the_task_is_decided_with_a_reason(cells: list[str], task: str, reason: str) -> None:
    decision = decide_task(column_from_words("y", cells))
    assert (decision.task, decision.reason) == (task, reason)


def test_a_given_task_is_obeyed() -> None:
    table = {"a": [1, 2, 3, 4], "y": [0, 1, 0, 1]}
    assert TableEncoder().fit(table, "y").task == "classification"
    encoder = TableEncoder().fit(table, "y", task="regression")
    assert (encoder.task, encoder.reason) == ("regression", "as asked")
    decision = decide_task(as_table(table)["y"])
    assert TableEncoder().fit(table, "y", task=decision).reason == decision.reason


def test_a_column_means_the_same_from_every_source(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("code,flag,day,n,y\n" + "7,True,2024-01-01,1,a\nA1,false,2024-01-02,2,b\n" * 2)
    encoder = TableEncoder().fit(read_csv(path), target="y")
    path.write_text("code,flag,day,n\n7,TRUE,2024-01-01,1\n")  # code is all numbers here
    from_file = encoder.transform(read_csv(path))
    typed = {
        "code": [7],
        "flag": np.array([True]),
        "day": np.array(["2024-01-01"], "M8[D]"),
        "n": ["1"],
    }
    np.testing.assert_array_equal(encoder.transform(typed), from_file)
    assert from_file[0, :4].tolist() == [1, 0, 0, 1]


CELLS = st.sampled_from(["a", "b", "c", "?", "1", "2", "2.5", "true", "2024-01-01", ""])


@given(st.lists(st.tuples(CELLS, CELLS), min_size=2, max_size=12), st.data())
def test_whatever_was_fitted_can_be_stored_and_encodes_the_same(rows: Any, data: Any) -> None:
    columns = {
        "first": [row[0] for row in rows],
        "second": [row[1] for row in rows],
        "y": [0.5 * i for i in range(len(rows))],
    }
    table = as_table(columns)
    table = type(table)([
        column_from_words("first", columns["first"]),
        column_from_words("second", columns["second"]),
        table["y"],
    ])  # fmt: skip
    try:
        encoder = TableEncoder().fit(table, target="y")
    except DataError as error:
        assert "no column is left" in str(error)  # noqa: PT017
        return
    again = TableEncoder.from_config(json.loads(json.dumps(encoder.to_config())))
    x = again.transform(table)
    np.testing.assert_array_equal(x, encoder.transform(table))
    assert x.shape == (len(rows), len(again.feature_names))
    assert np.isfinite(x).all()
    assert again.report() == encoder.report()
    part = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1))
    np.testing.assert_array_equal(again.transform(table.take(part)), x[part])


def broken(**changes: Any) -> dict[str, Any]:
    return {**homes().to_config(), **changes}


NUMBER = {
    "role": "number", "name": "a", "is_date": False, "median": 0.0, "mean": 0.0,
    "deviation": 1.0, "marks_missing": False,
}  # fmt: skip
TEXTS = {
    "role": "category",
    "name": "a",
    "categories": ["x"],
    "has_rare": True,
    "has_missing": True,
}
VALUES = {"task": "regression", "name": "y", "is_date": False, "mean": 0.0, "deviation": 1.0}
CLASSES = {"task": "classification", "name": "y", "kind": "text", "class_names": ["a", "b"]}


@pytest.mark.parametrize(
    "changes",
    [
        {"encoder": "os.system"},
        {"version": 2},
        {"version": True},
        {"reason": 3},
        {"rows": -1},
        {"more": 1},
        {"columns": {}},
        {"columns": []},
        {"columns": [None]},
        {"columns": [{"role": "eval", "name": "a", "reason": ""}]},
        {"columns": [{"role": ["number"]}]},
        {"columns": [{"role": "presence"}]},
        {"columns": [NUMBER, NUMBER]},
        {"columns": [{**NUMBER, "deviation": 0}]},
        {"columns": [{**NUMBER, "mean": float("inf")}]},
        {"columns": [{**NUMBER, "median": None}]},
        {"columns": [{**NUMBER, "is_date": 1}]},
        {"columns": [{**NUMBER, "name": 7}]},
        {"columns": [{**NUMBER, "name": "price"}]},
        {"columns": [{**TEXTS, "categories": ["x", "x"]}]},
        {"columns": [{**TEXTS, "categories": [["x"]]}]},
        {"columns": [{**TEXTS, "categories": "xy"}]},
        {"target": None},
        {"target": {**VALUES, "task": "x"}},
        {"target": {**VALUES, "deviation": -1}},
        {"target": {**CLASSES, "class_names": ["a"]}},
        {"target": {**CLASSES, "kind": "number"}},
        {"target": {**CLASSES, "kind": "date"}},
    ],
    ids=str,
)
def test_a_malformed_config_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError, match="Reading a saved model"):
        TableEncoder.from_config(broken(**changes))


def test_a_config_that_is_none_is_refused_in_words() -> None:
    with pytest.raises(ModelFileError) as caught:
        TableEncoder.from_config([1])
    assert (
        str(caught.value)
        == """\
Reading a saved model: the table encoder is not described as it must be
  found:  a list
  needed: a dict
  try:    save the model again; a file changed by hand cannot be used"""
    )


GOLDEN: list[tuple[Any, type[ClearPropError], str]] = [
    (
        lambda: homes().transform({"aera": [1], "city": ["Rome"], "sold": [None]}),
        DataError,
        """\
Matching the columns: the table has no column "area"
  found:  columns aera, city, sold did you mean "aera"?
  needed: the columns of the training data: area, city, sold
  try:    the names must be the same, their order does not matter""",
    ),
    (
        lambda: homes().transform(new_home(rooms=[3])),
        DataError,
        """\
Matching the columns: the column "rooms" was not in the training data
  found:  "rooms"
  needed: the columns of the training data: area, city, sold
  try:    leave out the column "rooms", or train again with it""",
    ),
    (
        lambda: homes().transform({"area": ["60", "big"], "city": ["", ""], "sold": [None, None]}),
        DataError,
        """\
Reading the column "area" as numbers: a value is not a number
  found:  row 2: "big"
  needed: a number, or an empty cell (or -, NA, ?) where the value is missing
  try:    correct the cell; or train again with this column as text""",
    ),
    (
        lambda: homes().transform(new_home(sold=["yesterday"])),
        DataError,
        """\
Reading the column "sold" as dates: a value is not a date
  found:  row 1: "yesterday"
  needed: a date such as 2024-02-29, or an empty cell (or -, NA, ?) where the value is missing
  try:    correct the cell; or train again with this column as text""",
    ),
    (
        lambda: pets().transform_target({"pet": ["cat", "dgo"]}),
        DataError,
        """\
Reading the target "pet": a label that training has not seen
  found:  row 2: "dgo" did you mean "dog"?
  needed: one of: cat, dog""",
    ),
    (
        lambda: TableEncoder().fit(HOMES, target="city", task="regression"),
        DataError,
        """\
Reading the target "city": regression of text
  found:  row 1: "Rome"
  needed: numbers or dates
  try:    task="classification", or numbers in this column""",
    ),
    (
        lambda: TableEncoder().fit(HOMES, target="city", task="clasification"),
        UnknownNameError,
        """\
Choosing a task: there is none called "clasification"
  found:  "clasification" did you mean "classification"?
  needed: classification, regression or auto""",
    ),
    (
        lambda: pets().decode(np.full((3, 2), np.nan)),
        DataError,
        """\
Reading predictions: some are NaN
  found:  NaN in row 0 of the array
  needed: numbers
  try:    train again with a smaller learning rate: these weights have run away""",
    ),
]


@pytest.mark.parametrize(("mistake", "kind", "text"), GOLDEN)
def test_beginners_mistakes_are_explained(
    mistake: Any, kind: type[ClearPropError], text: str
) -> None:
    with pytest.raises(kind) as caught:
        mistake()
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("mistake", "kind", "match"),
    [
        (lambda: TableEncoder().transform(HOMES), NotBuiltError, "not seen training data"),
        (lambda: TableEncoder().fit(HOMES), DataError, "which column to predict"),
        (lambda: TableEncoder().fit(HOMES, "name"), DataError, "a class of its own"),
        (lambda: TableEncoder().fit(HOMES, "floors"), DataError, 'the same value\n.*"1" in 6 rows'),
        (lambda: TableEncoder().fit(HOMES, "prise"), UnknownNameError, 'mean "price"'),
        (
            lambda: TableEncoder().fit({"k": [1, 1], "y": [1, 2]}, "y"),
            DataError,
            "no column is left to predict from\n.*k: every row has the same value",
        ),
        (lambda: TableEncoder().fit({"y": [1, 2]}, "y"), DataError, "the target only"),
        (lambda: TableEncoder().fit({"a": [1], "y": [None]}, "y"), DataError, "no row has a value"),
        (
            lambda: TableEncoder().fit({"a": [1, np.inf], "y": [1, 2]}, "y"),
            DataError,
            "row 2: inf",
        ),
        (lambda: homes().transform(new_home(area=[1e300])), DataError, "too large"),
        (
            lambda: homes().transform(new_home(area=np.array(["2024-01-01"], "M8[D]"))),
            DataError,
            "it holds dates\n.*row 1: 2024-01-01",
        ),
        (lambda: homes().transform(as_table(HOMES).take([])), DataError, "it has no rows"),
        (lambda: homes().transform_target(new_home()), DataError, 'no column "price"'),
        (lambda: homes().transform_target({"price": [None]}), DataError, "a value is missing"),
        (lambda: pets().decode(np.ones((3, 3))), ShapeError, r"shape \(3, 3\)"),
        (lambda: pets().decode(np.array("x")), ShapeError, r"shape \(\)"),
        (lambda: homes().decode(np.ones((3, 2))), ShapeError, r"needed: \(rows, 1\)"),
    ],
)
def test_other_mistakes_are_named(mistake: Any, kind: type[ClearPropError], match: str) -> None:
    with pytest.raises(kind, match=match):
        mistake()


def test_errors_name_the_row_of_the_file_not_of_the_part() -> None:
    table = as_table({"area": ["1", "2", "x"], "city": ["Rome"] * 3, "sold": [None] * 3})
    with pytest.raises(DataError, match='row 3: "x"'):
        homes().transform(table.take([2]))
