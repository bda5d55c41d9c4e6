"""What is changed on a layer after its step was compiled counts from the next call on."""

from __future__ import annotations

from typing import Any

import numpy as np

import clearprop as cp

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(8, 3)


def model() -> cp.Sequential:
    made = cp.Sequential([cp.layers.Input((3,)), cp.layers.Dense(2), cp.layers.Dropout(0.5)])
    made.compile("sgd", "mse", seed=0)
    return made


def test_another_activation_counts_at_once() -> None:
    made = model()
    before = made.predict(X)
    made.layers[0].activation = cp.activations.relu
    assert np.array_equal(made.predict(X), np.maximum(before, 0))


def test_another_rate_counts_at_the_next_fit() -> None:
    made, other = model(), model()
    for each in (made, other):
        each.fit(X, X[:, :2], verbose=0)
    made.layers[1].rate = 0.0
    for each in (made, other):
        each.fit(X, X[:, :2], verbose=0)
    assert not np.array_equal(made.get_weights()[0], other.get_weights()[0])


def test_training_alone_compiles_nothing_anew() -> None:
    made = model()
    made.fit(X, X[:, :2], epochs=3, verbose=0)
    compiled = set(made.runners)
    made.notes["seen"] = 1
    made.stop_training = False
    made.fit(X, X[:, :2], epochs=2, verbose=0)
    assert set(made.runners) == compiled


def test_a_layer_that_assigns_while_it_is_called_is_compiled_once() -> None:
    class Remembering(cp.layers.Layer):
        calls = 0

        def call(self, inputs: Any) -> Any:
            self.shape_seen = inputs.shape
            type(self).calls += 1
            return inputs * 2

    made = cp.Sequential([cp.layers.Input((3,)), Remembering(), cp.layers.Dense(2)])
    made.compile("sgd", "mse")
    made.fit(X, X[:, :2], verbose=0)
    compiled = set(made.runners)
    made.fit(X, X[:, :2], epochs=3, verbose=0)
    assert set(made.runners) == compiled


def test_keras_arguments_are_taken() -> None:
    made = model()
    made.fit(X, X[:, :2], batch_size=None, verbose=0)
    assert made.evaluate(X, X[:, :2], batch_size=None, verbose=0)["loss"] >= 0
    assert made.predict(X, batch_size=None, verbose=0).shape == (8, 2)


def test_an_epoch_that_a_callback_stops_is_told() -> None:
    class Stop(cp.callbacks.Callback):
        ended: list[int]

        def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
            self.model.stop_training = True

        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            self.ended = [epoch]

    stop = Stop()
    history = model().fit(X, X[:, :2], batch_size=2, epochs=5, callbacks=[stop], verbose=0)
    assert stop.ended == history.epoch == [0]
    assert len(history.history["loss"]) == 1
