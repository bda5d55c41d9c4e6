"""Small models and samples that the tests of saving and of callbacks share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import clearprop as cp

_random = np.random.default_rng(0)
X = _random.normal(size=(70, 5)).astype(np.float32)
CLASSES = _random.integers(0, 3, 70)
SPLIT: dict[str, Any] = {"validation_split": 0.2, "verbose": 0}


def classifier(optimizer: Any = "adam", **compiled: Any) -> cp.Model:
    """Everything that training keeps: noise, running statistics, metrics, regularizers."""
    model = cp.Sequential([
        cp.layers.Dense(8, "relu", kernel_regularizer="l2"),
        cp.layers.BatchNormalization(),
        cp.layers.Dropout(0.3),
        cp.layers.Dense(6, "tanh", name="hidden"),
        cp.layers.GaussianNoise(0.1),
        cp.layers.Dense(3),
    ])
    loss = cp.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], **compiled)
    return model


def two_ended() -> cp.Model:
    """Two inputs, two outputs, a shared layer, operations, a model in the model."""
    first, second = cp.layers.Input((5,), name="first"), cp.layers.Input((5,), name="second")
    shared = cp.layers.Dense(4, "relu", name="shared")
    inner = cp.Sequential([cp.layers.Input((4,)), cp.layers.Dense(3), cp.layers.Dropout(0.2)])
    left, right = shared(first), shared(second)
    both = cp.layers.Concatenate()([left * 2.0 - right, inner(right)])
    price = cp.layers.Dense(1, name="price")(both)
    kind = cp.layers.Dense(3, "softmax", name="kind")(cp.exp(-both))
    return cp.Model([first, second], {"price": price, "kind": kind})


@cp.register("tests.Scale")
class Scale(cp.layers.Layer):
    """A layer with a weight that learns, one that does not, and no name among its arguments."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.start = start

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_weight(input_shape[1:], "ones", name="factor")
        self.calls = self.add_weight((), "zeros", name="calls", trainable=False)

    def call(self, inputs: Any) -> Any:
        self.update(self.calls, self.calls + 1)
        return inputs * self.factor * self.start


@cp.register("tests.square")
def square(x: Any) -> Any:
    return x * x


@cp.register("tests.Residual")
class Residual(cp.Model):
    """A user's own model, with layers in a list and one that is made when it is built."""

    def __init__(self, units: int, depth: int, **options: Any) -> None:
        super().__init__(**options)
        self.units, self.depth = units, depth
        self.first = cp.layers.Dense(units, square)
        self.blocks = [Scale(0.5) for _ in range(depth)]

    def build(self, input_shape: Any) -> None:
        self.last = cp.layers.Dense(input_shape[-1], "tanh")

    def call(self, inputs: Any, training: bool = False) -> Any:
        x = self.first(inputs)
        for block in self.blocks:
            x = x + block(x)
        return self.last(x)


def told(error: BaseException, folder: Path) -> str:
    """The error's text without what differs from run to run: the folder and the line."""
    text = str(error).replace(str(folder), "FOLDER")
    return re.sub(r"\n  at: .*", "", text)


def assert_same(first: cp.Model, second: cp.Model) -> None:
    """All that training keeps is equal, bit for bit."""
    weights = zip(first.weights, second.weights, strict=True)
    for one, other in weights:
        assert (one.name, one.is_drawn) == (other.name, other.is_drawn)
        np.testing.assert_array_equal(one.numpy(), other.numpy(), strict=True)
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]
    assert first.history.history == second.history.history
    assert first.history.epoch == second.history.epoch
    state, again = vars(first.training_state), vars(second.training_state)
    np.testing.assert_equal(again, state)
    if first.arguments is not None:
        slots, others = first.optimizer.state, second.optimizer.state
        assert list(slots) == list(others)
        for name in slots:
            np.testing.assert_array_equal(slots[name], others[name], strict=True)


def line_fitter(rate: float = 0.1, metrics: Sequence[Any] = ()) -> cp.Model:
    model = cp.Sequential([cp.layers.Input((5,)), cp.layers.Dense(1)])
    model.compile(cp.optimizers.SGD(rate), "mse", metrics=list(metrics))
    return model


def played(callback: cp.callbacks.Callback, losses: Sequence[float]) -> tuple[cp.Model, int]:
    """The model and the number of epochs after which the callback stopped these losses."""
    model = line_fitter()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        for weight in model.weights:
            weight.assign(np.full(weight.shape, epoch))
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": loss})
        if model.stop_training:
            break
    callback.on_train_end()
    return model, epoch + 1
