"""Rows divided at random into a part for training and parts that training never sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clearprop.data.intake import Array, as_array, check_same_length
from clearprop.data.tables import Table
from clearprop.errors import ArgumentError, DataError, ShapeError
from clearprop.text import count_text


def train_test_split(
    *arrays: Any, test_fraction: float = 0.2, seed: int = 0, stratify: object = None
) -> tuple[Any, ...]:
    """Arrays or tables divided into a training and a test part, the same rows of each.

    Args:
        arrays: arrays, lists or `Table` objects with the same number of rows.
        test_fraction: the share of the rows that goes into the test part.
        seed: the same seed gives the same parts.
        stratify: labels; each class then has the same share of both parts, by the largest
            remainder, and every class stands in both.

    Returns:
        ``(a_train, a_test, b_train, b_test, ...)``, in shuffled order.

    Shapes:
        arrays: (n, ...); stratify: (n,) -> (n_train, ...), (n_test, ...) with
        n_test = round(n * test_fraction), at least one row (or one of each class) in each.

    Raises:
        ArgumentError: a fraction that is not between 0 and 1.
        ShapeError: different lengths, or labels that are not one per row.
        DataError: too few rows, or a class with a single sample.

    Example:
        >>> x, y = np.arange(10.0), np.array([0, 1] * 5)
        >>> x_train, x_test, y_train, y_test = train_test_split(x, y, stratify=y)
        >>> len(x_train), sorted(y_test.tolist())
        (8, [0, 1])
    """
    return _split(arrays, {"test_fraction": test_fraction}, seed, stratify)


def train_validation_test_split(
    *arrays: Any,
    validation_fraction: float = 0.2,
    test_fraction: float = 0.2,
    seed: int = 0,
    stratify: object = None,
) -> tuple[Any, ...]:
    """Arrays or tables divided into training, validation and test parts.

    Args:
        arrays: arrays, lists or `Table` objects with the same number of rows.
        validation_fraction: the share of all rows that goes into the validation part.
        test_fraction: the share of all rows that goes into the test part.
        seed: the same seed gives the same parts.
        stratify: labels; each class then has the same share of all three parts.

    Returns:
        ``(a_train, a_validation, a_test, b_train, ...)``, in shuffled order.

    Shapes:
        arrays: (n, ...); stratify: (n,) -> (n_train, ...), (n_validation, ...), (n_test, ...).

    Raises:
        ArgumentError: fractions that are not between 0 and 1, or leave nothing to train on.
        ShapeError: different lengths, or labels that are not one per row.
        DataError: too few rows, or a class with fewer than three samples.
    """
    fractions = {"validation_fraction": validation_fraction, "test_fraction": test_fraction}
    return _split(arrays, fractions, seed, stratify)


def split_indices(
    count: int, fractions: Sequence[float], seed: int = 0, labels: Array | None = None
) -> list[Array]:
    """The row indices of each part: what is left over first, then one part per fraction.

    Args:
        count: the number of rows.
        fractions: the share of each part after the first.
        seed: the same seed gives the same parts.
        labels: classes whose shares are kept in every part.

    Shapes:
        labels: (count,) -> one (rows of the part,) per part; together a permutation.

    Raises:
        DataError: too few rows for so many parts, or in one of the classes.
    """
    rng = np.random.default_rng(seed)
    parts_count = len(fractions) + 1
    if count < parts_count:
        raise DataError(
            f"Splitting data: {count_text(count, 'row')} cannot make {parts_count} parts",
            found=count_text(count, "row"),
            needed=f"at least {parts_count}, one for each part",
        )
    if labels is None:
        groups = [rng.permutation(count)]
    else:
        classes, class_of_row = np.unique(labels, return_inverse=True)
        rows_of_class = [np.flatnonzero(class_of_row == c) for c in range(len(classes))]
        _check_class_sizes(classes, rows_of_class, parts_count)
        groups = [rng.permutation(rows) for rows in rows_of_class]
    left = np.array([len(group) for group in groups])
    parts: list[list[Array]] = [[] for _ in range(parts_count)]
    for part in range(parts_count - 1, 0, -1):
        takes = _allocate(left, round(count * fractions[part - 1]), leave=part)
        for group, (take, remaining) in enumerate(zip(takes, left, strict=True)):
            parts[part].append(groups[group][remaining - take : remaining])
        left = left - takes
    parts[0] = [group[:remaining] for group, remaining in zip(groups, left, strict=True)]
    return [rng.permutation(np.concatenate(part)) for part in parts]


def _split(
    arrays: tuple[Any, ...], fractions: dict[str, float], seed: int, stratify: object
) -> tuple[Any, ...]:
    _check_fractions(fractions)
    if not arrays:
        raise ArgumentError("Splitting data: there is nothing to split", needed="an array")
    sources = [
        a if isinstance(a, Table) else as_array(a, f"array {place}")
        for place, a in enumerate(arrays, 1)
    ]
    names = [f"array {place}" for place in range(1, len(arrays) + 1)]
    rows_like: dict[str, Array] = {
        name: source.row_numbers if isinstance(source, Table) else source
        for name, source in zip(names, sources, strict=True)
    }
    labels = None if stratify is None else _labels(stratify)
    check_same_length(**rows_like, stratify=labels)
    parts = split_indices(len(rows_like[names[0]]), list(fractions.values()), seed, labels)
    return tuple(
        source.take(rows) if isinstance(source, Table) else source[rows]
        for source in sources
        for rows in parts
    )


def _labels(stratify: object) -> Array:
    labels = as_array(stratify, "stratify")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ShapeError(
            "Splitting data: the labels to stratify by are not one per row",
            found=f"stratify of shape {labels.shape}",
            needed="shape (n,)",
            try_="labels.argmax(axis=1) makes class numbers of one-hot rows",
        )
    return labels.astype(str) if labels.dtype == object else labels


def _allocate(counts: Array, total: int, leave: int) -> Array:
    """How many of each class make ``total``: shares by the largest remainder.

    Every class gives at least one and keeps at least ``leave``; ``total`` gives way to that.
    """
    most = counts - leave
    total = int(np.clip(total, len(counts), most.sum()))
    quotas = counts * total / counts.sum()
    takes: Array = np.clip(np.floor(quotas).astype(int), 1, most)
    while takes.sum() < total:
        takes[np.argmax(np.where(takes < most, quotas - takes, -np.inf))] += 1
    while takes.sum() > total:
        takes[np.argmin(np.where(takes > 1, quotas - takes, np.inf))] -= 1
    return takes


def _check_fractions(fractions: dict[str, float]) -> None:
    for name, fraction in fractions.items():
        if not 0 < fraction < 1:
            raise ArgumentError(
                f"Splitting data: {name} is not a share of the rows",
                found=f"{name}={fraction}",
                needed="a number between 0 and 1, both excluded",
                try_="0.2 sets a fifth of the rows apart",
            )
    if sum(fractions.values()) >= 1:
        raise ArgumentError(
            "Splitting data: the fractions leave nothing to train on",
            found=" + ".join(f"{name}={fraction}" for name, fraction in fractions.items()),
            needed="a sum below 1",
        )


def _check_class_sizes(classes: Array, rows_of_class: list[Array], parts_count: int) -> None:
    for name, rows in zip(classes, rows_of_class, strict=True):
        if len(rows) < parts_count:
            raise DataError(
                f"Splitting data: the class {name!s} has too few samples for {parts_count} parts",
                found=count_text(len(rows), "sample") + f" of class {name!s}, in row {rows[0]}",
                needed=f"at least {parts_count}, one for each part",
                try_="leave that class out, or join it to another; "
                "or split without regard to classes (stratify=None)",
            )
