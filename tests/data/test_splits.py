"""Splits keep every row once, rows together, classes in proportion, and the seed's word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.data import (
    as_table,
    split_indices,
    train_test_split,
    train_validation_test_split,
)
from clearprop.errors import ArgumentError, DataError, ShapeError

CLASS_SIZES = st.lists(st.integers(3, 40), min_size=1, max_size=6)


@given(sizes=CLASS_SIZES, fraction=st.floats(0.01, 0.99), seed=st.integers(0, 9))
def test_stratified_parts_keep_every_class_in_proportion(
    sizes: list[int], fraction: float, seed: int
) -> None:
    y = np.repeat(np.arange(len(sizes)), sizes)
    train, test = split_indices(len(y), [fraction], seed, y)
    assert sorted([*train, *test]) == list(range(len(y)))
    counts = np.bincount(y[test], minlength=len(sizes))
    assert (counts >= 1).all()
    assert (counts < sizes).all()
    quotas = np.array(sizes) * len(test) / len(y)
    room = (quotas >= 1) & (quotas <= np.array(sizes) - 1)
    if room.all():  # no class at its limit: every share is its quota, rounded up or down
        assert len(test) == np.clip(round(len(y) * fraction), len(sizes), len(y) - len(sizes))
        assert (np.abs(counts - quotas) < 1).all()


@given(sizes=CLASS_SIZES, first=st.floats(0.05, 0.45), second=st.floats(0.05, 0.45))
def test_three_parts_hold_every_class(sizes: list[int], first: float, second: float) -> None:
    y = np.repeat(np.arange(len(sizes)), sizes)
    parts = train_validation_test_split(
        y, validation_fraction=first, test_fraction=second, stratify=y
    )
    for part in parts:
        assert set(part) == set(y)
    assert sorted(np.concatenate(parts)) == sorted(y)


@given(n=st.integers(2, 200), fraction=st.floats(0.001, 0.999))
def test_plain_parts_have_the_size_asked_for(n: int, fraction: float) -> None:
    train, test = split_indices(n, [fraction])
    assert len(test) == min(max(round(n * fraction), 1), n - 1)
    assert sorted([*train, *test]) == list(range(n))


def test_shares_follow_the_largest_remainder() -> None:
    y = np.repeat([0, 1, 2], [47, 33, 20])  # quotas of 25: 11.75, 8.25, 5
    _, test = train_test_split(y, test_fraction=0.25, stratify=y)
    assert np.bincount(test).tolist() == [12, 8, 5]


def test_rows_of_arrays_and_tables_stay_together() -> None:
    x, y = np.arange(20.0)[:, None], list(range(20))
    table = as_table({"a": y})
    x_train, x_test, y_train, y_test, t_train, t_test = train_test_split(x, y, table)
    for x_part, y_part, t_part in ((x_train, y_train, t_train), (x_test, y_test, t_test)):
        assert x_part[:, 0].tolist() == y_part.tolist() == t_part["a"].values.tolist()
        assert (t_part.row_numbers == y_part + 1).all()


def test_a_seed_fixes_the_parts_and_rows_are_shuffled() -> None:
    first, again, other = (train_test_split(np.arange(50), seed=seed) for seed in (3, 3, 4))
    assert (first[0] == again[0]).all()
    assert (first[0] != other[0]).any()
    assert (np.diff(first[0]) < 0).any()


def test_text_labels_and_columns_of_labels_stratify() -> None:
    y = np.array(["a", "b"] * 10)
    for labels in (y, y[:, None], y.astype(object), list(y)):
        assert sorted(train_test_split(y, test_fraction=0.1, stratify=labels)[1]) == ["a", "b"]


def test_a_lonely_class_is_named() -> None:
    with pytest.raises(DataError) as caught:
        train_test_split(np.zeros(4), stratify=["cat", "cat", "dog", "cat"])
    assert (
        str(caught.value)
        == """\
Splitting data: the class dog has too few samples for 2 parts
  found:  1 sample of class dog, in row 2
  needed: at least 2, one for each part
  try:    leave that class out, or join it to another; or split without regard to classes \
(stratify=None)"""
    )
    with pytest.raises(DataError, match="for 3 parts"):
        train_validation_test_split([1, 2, 3, 4, 5], stratify=[0, 0, 0, 1, 1])


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 20, float("nan")])
def test_a_fraction_is_between_0_and_1(fraction: float) -> None:
    with pytest.raises(ArgumentError, match="test_fraction is not a share"):
        train_test_split([1, 2, 3], test_fraction=fraction)


def test_other_mistakes_are_explained() -> None:
    with pytest.raises(ArgumentError, match="leave nothing to train on"):
        train_validation_test_split([1, 2, 3], validation_fraction=0.5, test_fraction=0.5)
    with pytest.raises(ShapeError, match="array 1: 3 rows, array 2: 2 rows"):
        train_test_split([1, 2, 3], [1, 2])
    with pytest.raises(ShapeError, match=r"argmax\(axis=1\)"):
        train_test_split([1, 2], stratify=np.eye(2))
    with pytest.raises(DataError, match="1 row cannot make 2 parts"):
        train_test_split([1])
    with pytest.raises(DataError, match="0 rows cannot make 2 parts"):
        train_test_split([])
    with pytest.raises(ArgumentError, match="nothing to split"):
        train_test_split()
