"""When a loss is no number: the layer and the operation are named, the last good weights stay."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import NumericsError
from clearprop.train.chunks import ChunkRunner
from tests.train.nets import X

ROWS = np.abs(X) + 0.5


class Logarithm(cp.layers.Layer):
    """Gives NaN as soon as its input falls below zero."""

    def call(self, inputs: Any) -> Any:
        return cp.log(inputs)


def net(**options: Any) -> cp.Model:
    """Its weights fall by the same amount at every step until the logarithm breaks."""
    first = cp.layers.Dense(1, use_bias=False, kernel_initializer="ones", name="falling")
    model = cp.Sequential([cp.layers.Input((5,)), first, Logarithm(name="breaking")], name="net")
    model.compile(cp.optimizers.SGD(0.3), "mse", **options)
    return model


TARGETS = np.full((70, 1), -3.0)
FIT = {"batch_size": 10, "shuffle": False, "verbose": 0}


class StopAfter(cp.callbacks.Callback):
    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.model.stop_training = self.model.training_state.steps == self.steps


def broken(**options: Any) -> tuple[cp.Model, NumericsError]:
    model = net()
    with pytest.raises(NumericsError) as caught:
        model.fit(ROWS, TARGETS, epochs=20, **FIT, **options)
    return model, caught.value


def test_the_error_names_layer_and_operation() -> None:
    _, error = broken()
    text = re.sub(r"at:     .*test_nonfinite", "at:     test_nonfinite", str(error))
    assert text == (
        'fit: a step of training "net" gave a loss that is NaN\n'
        "  found:  the first such number comes out of `log` in layer net/breaking\n"
        "  needed: finite numbers\n"
        "  try:    a smaller learning rate, clipnorm=1.0 in the optimizer, scaled inputs, or a "
        "loss computed from logits; the model keeps the weights from before this step\n"
        "  at:     test_nonfinite.py:23 in net/breaking"
    )


@pytest.mark.parametrize("length", [1, 2, 4, None])
def test_the_model_keeps_what_a_step_before_had(
    monkeypatch: pytest.MonkeyPatch, length: int | None
) -> None:
    if length is not None:
        monkeypatch.setattr(ChunkRunner, "next_length", lambda self, left: min(left, length))
    model, _ = broken()
    steps = model.training_state.steps
    assert steps > 0
    stopped = net()
    stopped.fit(ROWS, TARGETS, epochs=20, callbacks=[StopAfter(steps)], **FIT)
    for one, other in zip(model.get_weights(), stopped.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    states = [vars(each.training_state) for each in (model, stopped)]
    for name in ("epochs", "steps", "step_in_epoch", "sums"):
        assert states[0][name] == states[1][name]
    whole = stopped.training_state.epochs  # the epoch that was stopped is told as far as it came
    told = {name: values[:whole] for name, values in stopped.history.history.items() if whole}
    assert model.history.history == told
    assert np.isfinite(model.get_weights()[0]).all()


def test_the_model_still_trains() -> None:
    model, _ = broken()
    model.set_weights([np.ones((5, 1))])
    model.compile(cp.optimizers.SGD(1e-4), "mse")
    losses = model.fit(ROWS, TARGETS, epochs=3, **FIT).history["loss"]
    assert np.isfinite(losses).all()


def test_weights_that_are_lost_in_a_step_with_a_finite_loss_are_not_taken() -> None:
    """sqrt has a finite value and an infinite slope at 0."""
    model = cp.Sequential([
        cp.layers.Input((2,)), cp.layers.Dense(1, kernel_initializer="zeros", name="dense"), Root()
    ])  # fmt: skip
    model.compile("sgd", "mse")
    with pytest.raises(NumericsError, match="gave weights that are NaN or infinite"):
        model.fit(np.ones((4, 2)), np.ones(4), epochs=9, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], np.zeros((2, 1)))


class Root(cp.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return cp.sqrt(inputs)


def test_a_callback_may_end_the_training_quietly() -> None:
    model = net()
    history = model.fit(ROWS, TARGETS, epochs=20, callbacks=[cp.callbacks.TerminateOnNaN()], **FIT)
    assert len(history.history.get("loss", [])) < 20
    assert np.isfinite(model.get_weights()[0]).all()
