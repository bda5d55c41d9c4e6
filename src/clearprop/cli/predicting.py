"""``clearprop predict`` and ``clearprop evaluate``: a trained model on other data."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

from clearprop.cli.notes import Notes, open_trained, refuse_swapped
from clearprop.cli.reports import judge, probabilities_of, value_texts
from clearprop.cli.samples import Samples, cells
from clearprop.cli.screen import fitting_table, is_terminal, note, say
from clearprop.cli.sources import Source, TableSource
from clearprop.errors import ArgumentError, DataError
from clearprop.text import count_text

_ROWS_ON_TERMINAL = 20
_MOST_NAMES = 8


def predict(model_path: str, source_name: str, out: str | None) -> None:
    """Predict, and write a table on a terminal, CSV elsewhere.

    Raises:
        ClearPropError: the model, the data or the place of the output cannot be used.
    """
    refuse_swapped("predict", model_path, source_name)
    destination = None if out is None else _destination(out, model_path, source_name)
    trained = open_trained(model_path)
    source = trained.read(source_name, labelled=False)
    samples = trained.notes.samples(source, labelled=False)
    outputs = trained.model.predict(samples.x)
    _say_notes(trained.notes, source)
    header, rows, added = _columns(trained.notes, samples, outputs)
    if destination is not None:
        replaced = ", in place of an older file" if destination.exists() else ""
        destination.write_text(_csv([header, *rows]), encoding="utf-8", newline="")
        say(f"{count_text(len(rows), 'prediction')} in {destination}{replaced}")
    elif is_terminal():
        numbers = [place.removeprefix("row ") for place in samples.places]
        shown = [[number, *row] for number, row in zip(numbers, rows, strict=True)]
        if samples.table is None:
            shown, first = [list(row) for row in rows], header
        else:
            first = ["row", *header]
        say(fitting_table(first, shown[:_ROWS_ON_TERMINAL], first=1, last=added))
        if len(rows) > _ROWS_ON_TERMINAL:
            more = count_text(len(rows) - _ROWS_ON_TERMINAL, "more row")
            say(f"... and {more}; --out FILE.csv writes them all")
    else:
        sys.stdout.write(_csv([header, *rows]))


def evaluate(model_path: str, source_name: str) -> None:
    """Compare predictions with the truth.

    Raises:
        ClearPropError: the model or the data cannot be used, or the truth is not there.
    """
    refuse_swapped("evaluate", model_path, source_name)
    trained = open_trained(model_path)
    notes = trained.notes
    source = trained.read(source_name, labelled=True)
    samples = notes.samples(source, labelled=True)
    if samples.y is None:
        raise DataError(
            f"Evaluating: the classes of the images in {source_name} are not known",
            needed="a folder with one sub-folder per class",
        )
    held_out = notes.held_out(source)
    what = ""
    say(source.about)
    if held_out is not None:
        samples = samples.take(held_out)
        what = "test "
        say(f"the model was trained on it: judged on the {len(samples):,} samples held out then")
    elif isinstance(source, TableSource) and len(samples) < len(source.table):
        rows = count_text(len(source.table) - len(samples), "row")
        say(f'{rows} without a value in "{notes.target}" left out')
    _say_notes(notes, source)
    report = judge(samples, trained.model.predict(samples.x), notes)
    report.say_score(what)
    report.say_details(samples, notes)


def _destination(out: str, model_path: str, source_name: str) -> Path:
    path = Path(out)
    doing = f"Choosing where to write: {out}"
    if path.suffix.lower() != ".csv":
        raise ArgumentError(
            f"{doing} does not end in .csv", needed="--out FILE.csv", try_=f"--out {path.stem}.csv"
        )
    if path.resolve() in {Path(model_path).resolve(), Path(source_name).resolve()}:
        raise ArgumentError(f"{doing} is a file that is read", needed="another name")
    if path.is_dir() or not path.parent.is_dir():
        raise ArgumentError(
            f"{doing} is a folder" if path.is_dir() else f"{doing} lies in no folder that exists",
            needed="the name of a file in a folder that exists",
        )
    return path


def _say_notes(notes: Notes, source: Source) -> None:
    """What the encoder had to do that its reader may not expect."""
    if notes.encoder is None or not isinstance(source, TableSource):
        return
    for name, categories in notes.encoder.unseen(source.table).items():
        shown = ", ".join(categories[:_MOST_NAMES]) + ", ..." * (len(categories) > _MOST_NAMES)
        count = sum(text in categories for text in source.table[name].categories())
        rows = count_text(count, "row") + (" has" if count == 1 else " have")
        feature = f"{name} is rare or new"
        if feature in notes.encoder.feature_names:
            note(f'{rows} a rare or new {name} ({shown}): counted as "{feature}"')
        else:
            note(f"{rows} a new {name} ({shown}): counted as no known {name}")
    missing = {
        name: int(column.missing.sum())
        for name, column in source.table.columns.items()
        if name != notes.target and column.missing.any()
    }
    if missing:
        counts = ", ".join(f"{name} {count:,}" for name, count in missing.items())
        note(f"missing values, filled as `clearprop summary` tells: {counts}")


def _columns(
    notes: Notes, samples: Samples, outputs: object
) -> tuple[list[str], list[list[str]], int]:
    """The header, the rows as text, and how many columns at the right are predictions."""
    import numpy as np

    values = np.asarray(outputs)
    if samples.table is None:
        header, given = ["image"], [list(samples.places)]
    else:
        header = samples.table.names
        given = [cells(column) for column in samples.table.columns.values()]
    if notes.class_names:
        probabilities = probabilities_of(values)
        labels = [notes.class_names[place] for place in probabilities.argmax(axis=1)]
        sure = [f"{one:.4f}" for one in probabilities.max(axis=1)]
        added = {f"predicted {notes.target}": labels, "probability": sure}
    else:
        assert notes.encoder is not None
        added = {f"predicted {notes.target}": value_texts(notes.encoder.decode(values))}
    rows = [list(row) for row in zip(*given, *added.values(), strict=True)]
    return [*header, *added], rows, len(added)


def _csv(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
