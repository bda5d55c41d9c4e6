"""How good a network is, told in lines: the score, the confusion matrix, single samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.text import Text

from clearprop.cli.notes import Notes
from clearprop.cli.pictures import side_by_side
from clearprop.cli.samples import Samples, cells
from clearprop.cli.screen import FAINT, RIGHT, WRONG, console, fitting_table, heading, say
from clearprop.data.targets import ValueTarget
from clearprop.text import count_text, table

Array = np.ndarray[Any, Any]

_MOST_CLASSES = 20  # a confusion matrix of more is not read by anybody
_MOST_MISTAKES = 10
_IMAGES_SHOWN, _ROWS_SHOWN = 8, 5


@dataclass(frozen=True, eq=False)
class ClassReport:
    """Classification, judged.

    Attributes:
        class_names: one per class.
        truth: class numbers.
        probabilities: of every class.

    Shapes:
        truth: (n,); probabilities: (n, classes).
    """

    class_names: tuple[str, ...]
    truth: Array
    probabilities: Array

    @property
    def predicted(self) -> Array:
        """The most likely class of each sample.

        Shapes:
            (n,).
        """
        chosen: Array = self.probabilities.argmax(axis=1)
        return chosen

    @property
    def scores(self) -> dict[str, float]:
        """What is remembered of a test."""
        return {"accuracy": float((self.predicted == self.truth).mean())}

    @property
    def confusion(self) -> Array:
        """How often each class (rows) was taken for each (columns).

        Shapes:
            (classes, classes).
        """
        counts = np.zeros((len(self.class_names),) * 2, np.int64)
        np.add.at(counts, (self.truth, self.predicted), 1)
        return counts

    def say_score(self, what: str) -> None:
        """The line that programs look for; ``what`` stands before the name of the score."""
        say(f"{what}accuracy: {self.scores['accuracy']:.4f}")

    def say_details(self, samples: Samples, notes: Notes) -> None:
        """What lies behind the score."""
        right = int((self.predicted == self.truth).sum())
        often = int(np.bincount(self.truth).max())
        say(
            f"{right:,} of {count_text(len(self.truth), 'sample')} right; always saying the most "
            f"frequent class: {often / len(self.truth):.4f}",
            style=FAINT,
        )
        self._say_confusion()
        if len(self.class_names) <= _MOST_CLASSES:
            heading("each class")
            say(self._class_table())
        self._say_uncertain(samples, notes)

    def _say_confusion(self) -> None:
        names, counts = self.class_names, self.confusion
        width = max(max(map(len, names)), len(str(counts.max())))
        if len(names) > _MOST_CLASSES or (len(names) + 1) * (width + 2) > console().width:
            self._say_mistakes()
            return
        heading("confusion matrix: rows are the true classes, columns the predicted ones")
        say(" " * width + "".join(f"  {name:>{width}}" for name in names))
        for row, name in enumerate(names):
            line = Text(f"{name:>{width}}")
            for column, count in enumerate(counts[row].tolist()):
                style = FAINT if not count else RIGHT if row == column else WRONG
                line.append(f"  {count or '·':>{width}}", style)
            say(line)

    def _say_mistakes(self) -> None:
        counts = self.confusion * (1 - np.eye(len(self.class_names), dtype=np.int64))
        order = np.argsort(-counts, axis=None, kind="stable")[:_MOST_MISTAKES]
        pairs = [divmod(int(place), len(self.class_names)) for place in order]
        rows = [
            [self.class_names[true], self.class_names[taken], str(counts[true, taken])]
            for true, taken in pairs
            if counts[true, taken]
        ]
        heading("the most frequent mistakes" if rows else "no mistakes")
        if rows:
            say(table(rows, header=("true class", "taken for", "times"), right="llr"))

    def _class_table(self) -> str:
        counts = self.confusion
        right, true, said = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
        rows = [
            [
                name,
                str(true[place]),
                _share(right[place], said[place]),
                _share(right[place], true[place]),
                _share(2 * right[place], said[place] + true[place]),
            ]
            for place, name in enumerate(self.class_names)
        ]
        return table(rows, header=("class", "samples", "precision", "recall", "F1"), right="lrrrr")

    def _say_uncertain(self, samples: Samples, notes: Notes) -> None:
        certainty = self.probabilities.max(axis=1)
        images = samples.table is None
        rows = np.argsort(certainty, kind="stable")[: _IMAGES_SHOWN if images else _ROWS_SHOWN]
        heading("the most uncertain samples")
        if images:
            captions = [self._caption(row, samples.places[row]) for row in rows.tolist()]
            say(*side_by_side([samples.x[row] for row in rows], captions))
            return
        ends = [
            [
                self.class_names[self.predicted[row]],
                f"{certainty[row]:.3f}",
                self.class_names[self.truth[row]],
            ]
            for row in rows
        ]
        say(_row_table(samples.take(rows), notes, ("predicted", "probability", "true"), ends))

    def _caption(self, row: int, place: str) -> list[Text | str]:
        said, true = self.predicted[row], self.truth[row]
        right = said == true
        name, probability = self.class_names[said], self.probabilities[row, said]
        return [
            Text(f"{name}: {probability:.2f}", RIGHT if right else WRONG),
            Text("right" if right else f"wrong: it is {self.class_names[true]}"),
            Text(place, FAINT),
        ]


@dataclass(frozen=True, eq=False)
class ValueReport:
    """Regression, judged.

    Attributes:
        target: what is predicted, and its scale.
        truth: z-scored values.
        predicted: z-scored values.

    Shapes:
        truth, predicted: (n,).
    """

    target: ValueTarget
    truth: Array
    predicted: Array

    @property
    def scores(self) -> dict[str, float]:
        """What is remembered of a test; R2 is absent where all true values are the same."""
        errors = self.predicted - self.truth
        scores = {"mean_absolute_error": float(np.abs(errors).mean()) * self.target.deviation}
        spread = float(np.square(self.truth - self.truth.mean()).sum())
        if spread > 0:
            scores["R2"] = 1 - float(np.square(errors).sum()) / spread
        return scores

    def say_score(self, what: str) -> None:
        """The lines that programs look for; ``what`` stands before the name of each score."""
        unit = "in days" if self.target.is_date else f"in the unit of {self.target.name}"
        error = value_text(self.scores["mean_absolute_error"])
        say(f"{what}mean absolute error: {error} ({unit})")
        if "R2" in self.scores:
            say(f"{what}R2: {self.scores['R2']:.4f}")

    def say_details(self, samples: Samples, notes: Notes) -> None:
        """What lies behind the score."""
        mean_error = float(np.abs(self.truth).mean()) * self.target.deviation
        say(
            f"{count_text(len(self.truth), 'sample')}; always saying the mean of the training "
            f"rows: mean absolute error {value_text(mean_error)}",
            style=FAINT,
        )
        errors = np.abs(self.predicted - self.truth)
        rows = np.argsort(-errors, kind="stable")[:_ROWS_SHOWN]
        heading("the largest errors")
        said = value_texts(self.target.decode(self.predicted[rows]))
        true = value_texts(self.target.decode(self.truth[rows]))
        ends = [[one, other] for one, other in zip(said, true, strict=True)]
        say(_row_table(samples.take(rows), notes, ("predicted", "true"), ends))


Report = ClassReport | ValueReport


def judge(samples: Samples, outputs: Array, notes: Notes) -> Report:
    """The outputs of a network beside the truth.

    Shapes:
        outputs: (n, classes) logits, or (n, 1) z-scored values.
    """
    assert samples.y is not None
    if notes.encoder is not None and isinstance(notes.encoder.target, ValueTarget):
        truth = samples.y.astype(np.float64).reshape(-1)
        return ValueReport(notes.encoder.target, truth, outputs.astype(np.float64).reshape(-1))
    return ClassReport(notes.class_names, samples.y, probabilities_of(outputs))


def probabilities_of(logits: Array) -> Array:
    """The softmax of each row, in float64.

    Shapes:
        (n, classes) -> (n, classes).
    """
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    probabilities: Array = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def value_texts(values: Array) -> list[str]:
    """Predicted values as text: seven digits of a number, the day and time of a date."""
    if values.dtype.kind == "M":
        return [str(value).replace("T", " ") for value in values]
    return [value_text(value) for value in values.tolist()]


def value_text(value: float) -> str:
    """A number in the unit of its column, with the seven digits that float32 has."""
    if value == 0 or 1e-4 <= abs(value) < 1e15:
        return np.format_float_positional(value, precision=7, fractional=False, trim="-")
    return f"{value:.7g}"


def _row_table(
    samples: Samples, notes: Notes, names: Sequence[str], ends: Sequence[Sequence[str]]
) -> str:
    """Rows of a table, the target left out, with columns added at the right."""
    assert samples.table is not None
    columns = [c for c in samples.table.columns.values() if c.name != notes.target]
    texts = [cells(column) for column in columns]
    rows = [
        [str(samples.table.row_numbers[row]), *(text[row] for text in texts), *ends[row]]
        for row in range(len(samples))
    ]
    header = ["row", *(column.name for column in columns), *names]
    return fitting_table(header, rows, first=1, last=len(names))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "-"
