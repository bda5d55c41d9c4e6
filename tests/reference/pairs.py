"""One model twice, here and in Keras: same weights, same batches, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

import clearprop as cp
from clearprop import tree
from clearprop.ir.value import Array

SAMPLES, BATCH, EPOCHS = 40, 16, 17  # 3 batches, the last one smaller: 51 steps
# As many steps where a net takes long to compile: once for whole batches, not again for a last one.
WHOLE_BATCHES = {"batch_size": 20, "epochs": 26}
NEAR, AFTER_TRAINING = 1e-5, 1e-3


@dataclass
class Pair:
    """The same model of both libraries.

    Attributes:
        ours, theirs: the models; both start from the weights that Keras drew.
    """

    ours: cp.Model
    theirs: Any

    def compile(self, arguments: Callable[[Any], dict[str, Any]]) -> Pair:
        """Compile both with ``arguments(library)``."""
        self.ours.compile(**arguments(cp))
        self.theirs.compile(**arguments(keras))
        return self

    def fit(self, x: Any, y: Any, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Train both on the same batches; the histories."""
        options = {
            "epochs": EPOCHS, "batch_size": BATCH, "shuffle": False, "verbose": 0, **options
        }  # fmt: skip
        found = self.ours.fit(x, y, **options).history
        return found, self.theirs.fit(x, y, **options).history

    def assert_equal_predictions(self, x: Any, tolerance: float) -> None:
        found, _ = tree.flatten(self.ours.predict(x))
        expected, _ = tree.flatten(self.theirs.predict(x, verbose=0))
        assert len(found) == len(expected)
        for ours, theirs in zip(found, expected, strict=True):
            assert_near(ours, theirs, tolerance)

    def assert_equal_weights(self, tolerance: float) -> None:
        pairs = zip(self.ours.get_weights(), self.theirs.get_weights(), strict=True)
        for number, (ours, theirs) in enumerate(pairs):
            assert_near(ours, theirs, tolerance, f"weight {number}")


def assert_near(found: Any, expected: Any, tolerance: float, what: str = "") -> None:
    """Equal relative to the largest number, so that what is nearly 0 may differ as much."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, what
    scale = float(np.max(np.abs(expected), initial=1e-3))
    np.testing.assert_allclose(found, expected, tolerance, tolerance * scale, err_msg=what)


def assert_equal_histories(
    found: dict[str, Any], expected: dict[str, Any], tolerance: float = AFTER_TRAINING
) -> None:
    assert set(found) == set(expected)
    for name in expected:
        assert_near(found[name], expected[name], tolerance, name)


def pair(make: Callable[[Any], Any]) -> Pair:
    """The models that ``make(library)`` builds, with the same weights."""
    keras.utils.set_random_seed(7)
    theirs, ours = make(keras), make(cp)
    ours.set_weights(theirs.get_weights())
    return Pair(ours, theirs)


def assert_trains_alike(
    make: Callable[[Any], Any],
    arguments: Callable[[Any], dict[str, Any]],
    x: Any,
    y: Any,
    *,
    weights: bool = True,
    **options: Any,
) -> None:
    """Predictions before, losses and metrics on the way, predictions and weights after."""
    both = pair(make).compile(arguments)
    both.assert_equal_predictions(x, NEAR)
    assert_equal_histories(*both.fit(x, y, **options))
    both.assert_equal_predictions(x, AFTER_TRAINING)
    if weights:
        both.assert_equal_weights(AFTER_TRAINING)


def numbers(*shape: int, seed: int = 0) -> Array:
    """Random numbers for ``SAMPLES`` samples."""
    return np.random.default_rng(seed).normal(size=(SAMPLES, *shape)).astype(np.float32)


def labels(classes: int, *shape: int, seed: int = 1) -> Array:
    """Random class numbers."""
    return np.random.default_rng(seed).integers(0, classes, (SAMPLES, *shape))


def one_hot(classes: int, seed: int = 1) -> Array:
    """Random rows with a single 1."""
    return np.eye(classes, dtype=np.float32)[labels(classes, seed=seed)]
