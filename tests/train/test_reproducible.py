"""A training is a function of its seed: bit for bit, however it is cut into calls and chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.train.chunks import ChunkRunner
from tests.train.nets import CLASSES, X, classifier


def assert_equal_weights(first: cp.Model, second: cp.Model) -> None:
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


def trained(epochs: int = 4, batch_size: int = 8, **compiled: Any) -> cp.Model:
    model = classifier(**compiled)
    model.fit(X, CLASSES, epochs=epochs, batch_size=batch_size, validation_split=0.2, verbose=0)
    return model


@pytest.mark.parametrize("optimizer", ["adam", cp.optimizers.SGD(0.1, momentum=0.9)])
def test_two_fits_of_five_epochs_are_one_of_ten(optimizer: Any) -> None:
    whole, parts = classifier(optimizer, seed=1), None
    whole.fit(X, CLASSES, epochs=10, batch_size=16, verbose=0)
    again = optimizer if isinstance(optimizer, str) else cp.optimizers.SGD(0.1, momentum=0.9)
    parts = classifier(again, seed=1)
    parts.fit(X, CLASSES, epochs=5, batch_size=16, verbose=0)
    parts.fit(X, CLASSES, epochs=5, batch_size=16, verbose=0)
    assert_equal_weights(whole, parts)
    assert whole.history.history == parts.history.history


@pytest.mark.parametrize("length", [1, 2, 3, 8])
def test_the_length_of_chunks_changes_nothing(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    expected = trained(seed=3)
    monkeypatch.setattr(ChunkRunner, "next_length", lambda self, left: min(left, length))
    found = trained(seed=3)
    assert_equal_weights(expected, found)
    assert expected.history.history == found.history.history


def test_a_callback_at_every_batch_changes_nothing() -> None:
    class Watching(cp.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.seen = logs

    model, callback = classifier(seed=3), Watching()
    options = {"epochs": 4, "batch_size": 8, "validation_split": 0.2, "verbose": 0}
    model.fit(X, CLASSES, callbacks=[callback], **options)
    expected = trained(seed=3)
    assert_equal_weights(expected, model)
    assert callback.seen["loss"] == expected.history.history["loss"][-1]


def test_the_seed_of_compile_makes_weights_orders_and_noise() -> None:
    assert_equal_weights(trained(seed=5), trained(seed=5))
    one, other = trained(seed=5), trained(seed=6)
    assert one.history.history["loss"] != other.history.history["loss"]


def test_without_a_seed_the_one_of_the_process_counts(reset_seed: None) -> None:
    cp.set_seed(5)
    one = trained()
    cp.set_seed(99)
    assert_equal_weights(one, trained(seed=5))
    assert one.history.history != trained().history.history


@pytest.fixture
def reset_seed() -> Iterator[None]:
    seed = cp.settings.seed
    yield
    cp.set_seed(seed)


def test_first_weights_depend_on_seed_position_and_name_alone() -> None:
    def weights(layers: list[Any]) -> list[Any]:
        model = cp.Sequential([cp.layers.Input((5,)), *layers])
        model.compile("sgd", "mse", seed=11)
        return model.get_weights()

    dense = cp.layers.Dense
    plain = weights([dense(4), cp.layers.Dropout(0.5), dense(3)])
    busy = [dense(7)(X) for _ in range(3)]  # whatever was made before plays no part
    assert len(busy) == 3
    longer = weights([dense(4, "tanh", name="other"), cp.layers.Dropout(0.1), dense(3), dense(2)])
    np.testing.assert_array_equal(plain[0], longer[0])
    np.testing.assert_array_equal(plain[2], longer[2])
    moved = weights([dense(4), dense(3)])
    assert not np.array_equal(plain[2], moved[2])
    square = weights([dense(5), dense(5)])
    assert not np.array_equal(square[0], square[2])


def test_weights_that_somebody_set_or_trained_stay_when_the_seed_changes() -> None:
    model = cp.Sequential([cp.layers.Input((5,)), cp.layers.Dense(3), cp.layers.Dense(3, "relu")])
    numbers = np.arange(15.0).reshape(5, 3)
    model.layers[0].kernel.assign(numbers)
    before = model.get_weights()
    model.compile("sgd", "mse", seed=8)
    np.testing.assert_array_equal(model.get_weights()[0], numbers)
    assert not np.array_equal(model.get_weights()[2], before[2])


def test_evaluate_and_predict_draw_nothing() -> None:
    one, other = trained(epochs=2, seed=1), trained(epochs=2, seed=1)
    one.evaluate(X, CLASSES)
    one.predict(X)
    for model in (one, other):
        model.fit(X, CLASSES, epochs=2, batch_size=8, verbose=0)
    assert_equal_weights(one, other)


def test_noise_differs_from_step_to_step() -> None:
    model = cp.Sequential([cp.layers.Dropout(0.5), cp.layers.Dense(1, use_bias=False)])
    model.compile(cp.optimizers.SGD(0.0), "mse")
    losses = model.fit(np.ones((4, 50)), np.zeros(4), epochs=5, verbose=0).history["loss"]
    assert len(set(losses)) == 5
