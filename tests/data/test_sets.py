"""Shipped and drawn sets hold what their docstrings say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from clearprop.data import (
    DATASETS,
    circle,
    describe,
    gaussians,
    load_digits,
    load_iris,
    plane,
    spiral,
    xor,
)
from clearprop.errors import ArgumentError, UnknownNameError

Draw = Callable[..., tuple[np.ndarray, np.ndarray]]
TWO_CLASSES: list[Draw] = [circle, xor, gaussians, spiral]
each_draw = pytest.mark.parametrize("draw", TWO_CLASSES)


def test_the_digits_are_all_there() -> None:
    x, y = load_digits()
    assert (x.shape, x.dtype, y.dtype) == ((1797, 8, 8, 1), np.float32, np.int64)
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    ink = (x * 16).astype(np.uint8)
    assert (ink / 16 == x).all()
    assert (ink.min(), ink.max(), int(ink.sum(dtype=np.int64))) == (0, 16, 561718)
    digest = hashlib.sha256(ink.tobytes() + y.astype(np.uint8).tobytes()).hexdigest()
    assert digest == "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_the_flowers_are_all_there() -> None:
    x, y = load_iris()
    assert (x.shape, x.dtype, y.dtype) == ((150, 4), np.float32, np.int64)
    assert np.bincount(y).tolist() == [50, 50, 50]
    np.testing.assert_allclose(x.mean(axis=0), [5.843333, 3.057333, 3.758, 1.199333], rtol=1e-5)
    np.testing.assert_allclose(x[34], [4.9, 3.1, 1.5, 0.2])  # of Fisher's paper
    np.testing.assert_allclose(x[37], [4.9, 3.6, 1.4, 0.1])


@pytest.mark.parametrize("name", DATASETS)
def test_every_set_is_as_it_is_described(name: str) -> None:
    info = describe(name)
    x, y = info.load()
    assert len(x) == len(y)
    assert x.dtype == np.float32
    assert np.isfinite(x).all()
    assert info.name == name
    if info.task == "classification":
        assert set(y) == set(range(len(info.class_names)))
    if info.feature_names:
        assert x.shape == (len(x), len(info.feature_names))
    assert info.source in str(info)
    assert info.licence in str(info)


def test_an_unknown_set_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        describe("digit")
    assert (
        str(caught.value)
        == """\
Looking for a data set: there is none called "digit"
  found:  "digit" did you mean "digits"?
  needed: one of: digits, iris, circle, xor, gaussians, spiral, plane"""
    )


@each_draw
def test_points_are_balanced_shuffled_and_fixed_by_the_seed(draw: Draw) -> None:
    x, y = draw(201, 0.1, 5)
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((201, 2), np.float32, (201,), np.int64)
    assert np.bincount(y).tolist() == [101, 100]
    assert 20 < np.count_nonzero(np.diff(y)) < 180
    again, other = draw(201, noise=0.1, seed=5), draw(201, noise=0.1, seed=6)
    assert (again[0] == x).all()
    assert (other[0] != x).any()
    assert np.abs(draw(500)[0]).max() < 6


@each_draw
def test_noise_is_a_standard_deviation(draw: Draw) -> None:
    shift = draw(4000, 0.3)[0] - draw(4000, 0.0)[0]
    np.testing.assert_allclose(shift.std(axis=0), 0.3, rtol=0.05)


def test_classes_are_where_they_are_said_to_be() -> None:
    x, y = circle()
    radius = np.hypot(*x.T)
    assert radius[y == 1].max() <= 2.5001
    assert radius[y == 0].min() >= 3.4999
    assert radius.max() <= 5.0001
    x, y = xor()
    assert ((x[:, 0] * x[:, 1] < 0) == (y == 1)).all()
    assert np.abs(x).min() >= 0.2999
    x, y = gaussians(4000)
    np.testing.assert_allclose(x[y == 1].mean(axis=0), 2, atol=0.1)
    np.testing.assert_allclose(x[y == 0].mean(axis=0), -2, atol=0.1)
    x, y = spiral(400)  # undone: the angle that is left is 0 for one arm and pi for the other
    radius = np.hypot(*x.T)
    left = np.arctan2(x[:, 0], x[:, 1]) - 3.5 * np.pi * radius / 5
    far = radius > 0
    np.testing.assert_allclose(np.cos(left[far]), np.where(y[far] == 1, -1, 1), atol=1e-5)
    x, y = plane(100)
    np.testing.assert_allclose(y, x.sum(axis=1) / 10, atol=1e-6)
    noisy = plane(4000, 0.3)
    np.testing.assert_allclose((noisy[1] - noisy[0].sum(axis=1) / 10).std(), 0.3, rtol=0.05)


def test_impossible_points_are_refused() -> None:
    with pytest.raises(ArgumentError, match="n=1"):
        spiral(1)
    with pytest.raises(ArgumentError, match="noise=-1"):
        plane(10, -1)
