"""clearprop train: what it refuses, and how it says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.running import invoke, write_rows

WRONG = {
    "no such source": (
        ["digit"],
        'Reading "digit": it is neither a shipped data set nor a file that can be read\n'
        '  found:  nothing at digit did you mean "digits"?\n',
    ),
    "a file of another kind": (
        ["notes.docx"],
        'Reading "notes.docx": it is neither a shipped data set nor a file that can be read\n'
        "  found:  notes.docx ends in .docx\n",
    ),
    "no target": (
        ["houses.csv"],
        "Choosing the target: it is not known which column to predict\n"
        "  found:  columns area, rooms, built, city, condition, garden, sold, price, house_id\n"
        "  needed: --target with one of them\n"
        "  try:    clearprop train houses.csv --target price\n",
    ),
    "a target that is misspelled": (
        ["houses.csv", "--target", "prize"],
        'Looking for a column: the table has no column "prize"\n'
        '  found:  "prize" did you mean "price"?\n',
    ),
    "an unknown network": (
        ["iris", "--model", "mpl:3"],
        'Choosing a network: there is none called "mpl"\n  found:  "mpl" did you mean "mlp"?\n',
    ),
    "units that are no numbers": (
        ["iris", "--model", "mlp:a,b"],
        "Choosing a network: the hidden units are not numbers\n  found:  mlp:a,b\n",
    ),
    "an unknown task": (
        ["iris", "--task", "clasification"],
        'Choosing a task: there is none called "clasification"\n'
        '  found:  "clasification" did you mean "classification"?\n',
    ),
    "a fraction that is none": (
        ["iris", "--test-fraction", "20"],
        "Choosing --test-fraction: it is not a share of the rows\n"
        "  found:  --test-fraction 20\n"
        "  needed: a number between 0 and 1, both excluded\n"
        "  try:    --test-fraction 0.2 sets 20% of the rows apart\n",
    ),
    "a learning rate of 0": (
        ["iris", "--learning-rate", "0"],
        "Choosing --learning-rate: nothing would be learned\n  found:  --learning-rate 0\n",
    ),
    "a negative learning rate": (
        ["iris", "--learning-rate", "-0.1"],
        "Choosing --learning-rate: nothing would be learned\n  found:  --learning-rate -0.1\n",
    ),
    "units without a name": (
        ["iris", "--model", "64,32"],
        "Choosing a network: numbers alone name none\n"
        "  found:  64,32\n"
        "  needed: its name before them\n"
        "  try:    --model mlp:64,32\n",
    ),
    "a size for a table": (
        ["houses.csv", "--target", "price", "--image-size", "8x8"],
        "Choosing --image-size: it resizes the images of a folder\n",
    ),
    "quantities as classes": (
        ["houses.csv", "--target", "price", "--task", "classification"],
        'Reading the target "price": 242 different values are no classes\n',
    ),
    "a slip in the target": (
        ["slip.csv", "--target", "price"],
        'Reading the column "price": nearly all of it are numbers\n'
        '  found:  row 7: "12k"; 39 of 40 values are numbers\n',
    ),
    "regression of text": (
        ["houses.csv", "--target", "city", "--task", "regression"],
        'Reading the target "city": regression of text\n',
    ),
    "regression of images": (
        ["digits", "--task", "regression"],
        "Choosing a task: images can be classified, not regression\n",
    ),
    "a class with one row": (
        ["lonely.csv", "--target", "kind"],
        'Dividing the samples: the class "c" has a single one\n  found:  row 14\n',
    ),
    "a size that is none": (
        ["photos", "--image-size", "big"],
        "Reading --image-size: it is not a height and a width\n",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_command_ends_with_2_and_teaches(here: Path, case: str) -> None:
    (here / "notes.docx").write_text("no table")
    kinds = [*"abab" * 3, "c"]
    write_rows(here / "lonely.csv", [{"x": str(i), "kind": k} for i, k in enumerate(kinds)])
    prices = [{"x": str(i % 7), "price": "12k" if i == 5 else str(i + 0.5)} for i in range(40)]
    write_rows(here / "slip.csv", prices)
    words, told = WRONG[case]
    result = invoke("train", *words)
    assert result.exit_code == 2
    assert result.stderr.startswith(told), result.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["houses.csv", "price"], "try: clearprop train houses.csv --target price"),
        (["iris", "--lr", "0.1"], "--learning-rate"),
    ],
)
def test_slips_of_the_command_line_are_answered(words: list[str], told: str) -> None:
    result = invoke("train", *words)
    assert result.exit_code == 2
    assert told in " ".join(re.sub(r"\x1b\[[\d;]*m|│", "", result.stderr).split())


def test_an_infinite_target_is_named_without_a_note_of_numpy(here: Path) -> None:
    rows = [{"x": str(i), "price": "inf" if i == 3 else str(i * i)} for i in range(60)]
    write_rows(here / "odd.csv", rows)
    result = invoke("train", "odd.csv", "--target", "price")
    assert result.exit_code == 2
    assert result.stderr.startswith('Reading the column "price" as numbers: a number is infinite')
    assert "row 5: inf" in result.stderr


def test_a_number_out_of_range_ends_with_2() -> None:
    assert invoke("train", "iris", "--epochs", "0").exit_code == 2
    assert invoke("train", "iris", "--seed", "-1").exit_code == 2


def test_a_learning_rate_that_explodes_ends_with_1(folder: Path) -> None:
    result = invoke("train", "plane", "--learning-rate", "1e30", "--epochs", "3")
    assert result.exit_code == 1, result.output
    assert "NaN" in result.stderr or "infinite" in result.stderr
    assert "at: " not in result.stderr
    assert not (folder / "plane.safetensors").exists()


def test_a_missing_extra_is_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "houses.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    result = invoke("train", "houses.parquet", "--target", "price")
    assert result.exit_code == 2
    assert "pip install 'clearprop[data]'" in result.stderr
