"""Samples that a network can take, and what to call and how to show each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.cli.sources import ImageSource, Source, TableSource
from clearprop.data import Column, Table, TableEncoder, train_test_split
from clearprop.errors import DataError
from clearprop.text import did_you_mean

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Samples:
    """What goes into a network, and where it comes from.

    Attributes:
        x: features or images.
        y: class numbers, or z-scored values; None where they are not known.
        places: what to call each sample.
        table: the rows, if they come from a table.

    Shapes:
        x: (n, ...); y: (n,) or (n, 1).
    """

    x: Array
    y: Array | None
    places: tuple[str, ...]
    table: Table | None

    def __len__(self) -> int:
        return len(self.places)

    def take(self, rows: Array) -> Samples:
        """These samples only.

        Shapes:
            rows: (k,) indices.
        """
        return Samples(
            self.x[rows],
            None if self.y is None else self.y[rows],
            tuple(self.places[row] for row in rows),
            None if self.table is None else self.table.take(rows),
        )


def table_samples(table: Table, encoder: TableEncoder, *, labelled: bool) -> Samples:
    """The rows of a table as an encoder sees them.

    Raises:
        DataError: columns that do not match, or a target that is missing or unknown.
    """
    places = tuple(f"row {number}" for number in table.row_numbers)
    y = encoder.transform_target(table) if labelled else None
    return Samples(encoder.transform(table), y, places, table)


def image_samples(source: ImageSource, class_names: tuple[str, ...]) -> Samples:
    """Images; their classes get the numbers that they have in ``class_names``.

    Raises:
        DataError: a class that is not in ``class_names``.
    """
    y = None
    if source.y is not None:
        for name in source.class_names:
            if name not in class_names:
                raise DataError(
                    f'Matching the classes: the network does not know the class "{name}"',
                    found=f'"{name}" in {source.name}' + did_you_mean(name, class_names),
                    needed="one of: " + ", ".join(class_names),
                )
        numbers = np.array([class_names.index(name) for name in source.class_names])
        y = numbers[source.y]
    return Samples(source.x, y, source.places, None)


def with_target(source: TableSource, target: str) -> Table:
    """The rows that have a value in the target.

    Raises:
        DataError: there are none.
        UnknownNameError: no column is called ``target``.
    """
    part = source.table.with_target(target).without_missing(target)
    if len(part) == 0:
        raise DataError(
            f'Reading {source.name}: the column "{target}" has no values',
            needed="values to learn from, or to compare with",
        )
    return part


def class_labels(source: Source, table: Table | None) -> Array:
    """The class of each sample, as far as a stratified split needs it.

    Shapes:
        -> (n,).
    """
    if isinstance(source, ImageSource):
        assert source.y is not None
        return source.y
    assert table is not None
    assert table.target is not None
    return table[table.target].categories().astype(str)


def refuse_lonely_classes(labels: Array, places: Sequence[str], names: Sequence[str] = ()) -> None:
    """Refuse a class with a single sample: it cannot both train and test.

    Args:
        labels: the class of each sample, its name or its number.
        places: what to call each sample.
        names: of the classes, if the labels are numbers.

    Shapes:
        labels: (n,).

    Raises:
        DataError: there is such a class.
    """
    classes, firsts, counts = np.unique(labels, return_index=True, return_counts=True)
    for label, first, count in zip(classes, firsts, counts, strict=True):
        if count > 1:
            continue
        name = names[label] if names else label
        lonely = int((counts == 1).sum())
        raise DataError(
            f'Dividing the samples: the class "{name}" has a single one',
            found=places[first]
            + (f"; {lonely:,} of {len(classes):,} classes are such" if lonely > 1 else ""),
            needed="at least two samples of every class: one to train on, one to test on",
            try_="correct the label if it is a slip; else leave the sample out, or add others",
        )


def split_rows(
    count: int, labels: Array | None, test_fraction: float, seed: int
) -> tuple[Array, Array]:
    """Which rows train and which test; the same arguments give the same rows.

    Shapes:
        labels: (count,) -> two arrays of indices.

    Raises:
        ArgumentError: a fraction that is not between 0 and 1.
        DataError: too few rows, in all or in one of the classes.
    """
    train, test = train_test_split(
        np.arange(count), test_fraction=test_fraction, seed=seed, stratify=labels
    )
    return train, test


def cells(column: Column) -> list[str]:
    """A column as it stood in its file; "" where a value is missing."""
    texts = column.categories() if column.words is None else column.words
    shown = np.where(column.missing, "", texts)
    return [str(text) for text in shown]
