"""clearprop predict and evaluate: other rows, as the encoder's rules say."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from clearprop.data import TableEncoder, read_csv
from clearprop.train import load_model
from tests.cli.running import invoke, read_rows, run, run_on_terminal, write_rows


def house(**changes: str) -> dict[str, str]:
    row = {
        "area": "100",
        "rooms": "4",
        "built": "1980",
        "city": "Bonn",
        "condition": "good",
        "garden": "true",
        "sold": "2024-02-29",
        "house_id": "7",
    }
    return row | changes


def prices(result: object) -> list[float]:
    return [float(row["predicted price"]) for row in read_rows(result.stdout)]  # type: ignore[attr-defined]


def test_values_come_back_in_the_unit_of_the_column(here: Path) -> None:
    result = run("predict", "houses.safetensors", "houses.csv")
    assert result.returncode == 0, result.stderr
    rows = read_rows(result.stdout)
    truth = np.array([float(row["price"]) for row in rows])
    predicted = np.array([float(row["predicted price"]) for row in rows])
    assert np.square(truth - predicted).sum() < 0.1 * np.square(truth - truth.mean()).sum()
    assert [list(row.values())[:-1] for row in rows] == [
        list(row.values()) for row in read_rows((here / "houses.csv").read_text())
    ], "the rows themselves come back as they stood"


def test_predictions_are_those_of_the_model_and_its_encoder(here: Path) -> None:
    model = load_model(here / "houses.safetensors")
    encoder = TableEncoder.from_config(model.notes["table"])
    expected = encoder.decode(model.predict(encoder.transform(read_csv("houses.csv"))))
    assert prices(invoke("predict", "houses.safetensors", "houses.csv")) == pytest.approx(
        expected.tolist(), rel=1e-6
    )


def test_columns_are_matched_by_name(here: Path) -> None:
    write_rows(here / "new.csv", [house(), house(area="50")])
    mixed = [dict(reversed(row.items())) for row in (house(), house(area="50"))]
    write_rows(here / "mixed.csv", mixed)
    one = prices(invoke("predict", "houses.safetensors", "new.csv"))
    assert one == prices(invoke("predict", "houses.safetensors", "mixed.csv"))
    assert one[0] > 1.5 * one[1]


def test_missing_and_new_values_follow_the_rule(here: Path) -> None:
    rows = [house(rooms="", condition=""), house(city="Oslo"), house(city="oslo")]
    write_rows(here / "new.csv", rows)
    result = invoke("predict", "houses.safetensors", "new.csv")
    assert result.exit_code == 0, result.output
    assert all(np.isfinite(prices(result)))
    assert (
        "note: 2 rows have a new city (Oslo, oslo): counted as no known city\n"
    ) in result.stderr
    told = "note: missing values, filled as `clearprop summary` tells: rooms 1, condition 1"
    assert told in result.stderr
    assert prices(result)[1] == prices(result)[2]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            {key: value for key, value in house().items() if key != "built"},
            'Matching the columns: the table has no column "built"\n',
        ),
        (
            house(colour="red"),
            'Matching the columns: the column "colour" was not in the training data\n',
        ),
        (house(area="large"), 'Reading the column "area"'),
    ],
)
def test_columns_that_do_not_fit_end_with_2(here: Path, row: dict[str, str], told: str) -> None:
    write_rows(here / "new.csv", [row, row])
    result = invoke("predict", "houses.safetensors", "new.csv")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(told), result.stderr


def test_a_misspelled_column_is_told_the_nearest(here: Path) -> None:
    row = house()
    row["bilt"] = row.pop("built")
    write_rows(here / "new.csv", [row])
    result = invoke("predict", "houses.safetensors", "new.csv")
    assert 'did you mean "bilt"?' in result.stderr


def test_labels_come_back_as_text_with_a_probability(here: Path) -> None:
    del here
    rows = read_rows(invoke("predict", "iris.safetensors", "iris").stdout)
    assert len(rows) == 150
    right = sum(row["class"] == row["predicted class"] for row in rows)
    assert right > 120
    assert {row["predicted class"] for row in rows} == {"setosa", "versicolor", "virginica"}
    assert all(1 / 3 < float(row["probability"]) <= 1 for row in rows)


def test_the_output_goes_into_a_file(here: Path) -> None:
    result = invoke("predict", "houses.safetensors", "houses.csv", "--out", "out.csv")
    assert result.stdout == "250 predictions in out.csv\n"
    assert (here / "out.csv").read_text() == run(
        "predict", "houses.safetensors", "houses.csv"
    ).stdout
    again = invoke("predict", "houses.safetensors", "houses.csv", "--out", "out.csv")
    assert again.stdout == "250 predictions in out.csv, in place of an older file\n"


@pytest.mark.parametrize(
    ("out", "told"),
    [
        ("out.txt", "does not end in .csv"),
        ("houses.csv", "is a file that is read"),
        ("none/out.csv", "lies in no folder that exists"),
    ],
)
def test_the_output_never_destroys_the_input(here: Path, out: str, told: str) -> None:
    before = (here / "houses.csv").read_bytes()
    result = invoke("predict", "houses.safetensors", "houses.csv", "--out", out)
    assert result.exit_code == 2
    assert told in result.stderr
    assert (here / "houses.csv").read_bytes() == before


def test_a_terminal_shows_the_first_rows_in_a_table(here: Path) -> None:
    del here
    code, written = run_on_terminal("predict", "houses.safetensors", "houses.csv", columns=70)
    assert code == 0
    lines = [line.rstrip() for line in written.splitlines() if not line.startswith("note:")]
    assert len(lines) == 2 + 20 + 1
    assert all(len(line) <= 70 for line in lines[:-1])
    assert lines[0].split()[0] == "row"
    assert lines[0].endswith("…  predicted price")
    assert lines[-1] == "... and 230 more rows; --out FILE.csv writes them all"


def test_the_model_must_be_one(here: Path) -> None:
    swapped = invoke("predict", "houses.csv", "houses.safetensors")
    assert swapped.exit_code == 2
    assert swapped.stderr == (
        "Reading the command: the model and the data are swapped\n"
        "  found:  houses.csv where the model belongs\n"
        "  needed: the model first, then the data\n"
        "  try:    clearprop predict houses.safetensors houses.csv\n"
    )
    (here / "cut.safetensors").write_bytes((here / "iris.safetensors").read_bytes()[:-100])
    assert invoke("predict", "cut.safetensors", "iris").exit_code == 2


def test_a_model_without_notes_is_told_from_others(here: Path) -> None:
    model = load_model(here / "iris.safetensors")
    model.notes = {}
    model.save(here / "bare.safetensors")
    result = invoke("predict", "bare.safetensors", "iris")
    assert result.exit_code == 2
    assert "the model does not know its data" in result.stderr


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"class_names": ["a"]},
        {"seed": "none"},
        {"table": None},
        {"test": {"accuracy": "good"}},
        {"test_fraction": -1.0},
    ],
)
def test_notes_that_cannot_be_true_are_refused(here: Path, change: dict[str, object]) -> None:
    model = load_model(here / "iris.safetensors")
    model.notes |= change
    model.save(here / "odd.safetensors")
    assert invoke("predict", "odd.safetensors", "iris").exit_code == 2


def test_another_kind_of_data_is_refused(here: Path) -> None:
    del here
    assert invoke("predict", "iris.safetensors", "digits").exit_code == 2
    result = invoke("predict", "digits.safetensors", "houses.csv")
    assert result.exit_code == 2
    assert "the model was trained on another kind of data" in result.stderr


# -- evaluate ---------------------------------------------------------------------


def test_the_data_of_the_training_are_judged_on_the_rows_held_out(here: Path) -> None:
    del here
    for name, source in (("digits", "digits"), ("iris", "iris"), ("houses", "houses.csv")):
        result = invoke("evaluate", f"{name}.safetensors", source)
        assert result.exit_code == 0, result.output
        assert "samples held out then" in result.output
        told = load_model(f"{name}.safetensors").notes["test"]
        if "accuracy" in told:
            assert f"\ntest accuracy: {told['accuracy']:.4f}\n" in result.output
        else:
            assert f"\ntest R2: {told['R2']:.4f}\n" in result.output


def test_other_data_are_judged_whole(here: Path) -> None:
    rows = [dict(row) for row in read_rows((here / "houses.csv").read_text())[:40]]
    rows[3]["price"] = ""
    write_rows(here / "some.csv", rows)
    result = invoke("evaluate", "houses.safetensors", "some.csv")
    assert result.exit_code == 0, result.output
    assert '1 row without a value in "price" left out' in result.output
    assert re.search(r"^mean absolute error: [\d.]+ \(in the unit of price\)$", result.output, re.M)
    assert "\n39 samples; " in result.output


def test_a_label_that_training_has_not_seen_is_an_error(here: Path) -> None:
    rows = read_rows(invoke("predict", "iris.safetensors", "iris").stdout)[:5]
    for row in rows:
        del row["predicted class"], row["probability"]
    rows[2]["class"] = "virginia"
    write_rows(here / "new.csv", rows)
    result = invoke("evaluate", "iris.safetensors", "new.csv")
    assert result.exit_code == 2
    assert 'row 4: "virginia" did you mean "virginica"?' in result.stderr


def test_the_truth_must_be_there(here: Path) -> None:
    write_rows(here / "new.csv", [house()])
    result = invoke("evaluate", "houses.safetensors", "new.csv")
    assert result.exit_code == 2
    assert 'it has no column "price" to compare with' in result.stderr
