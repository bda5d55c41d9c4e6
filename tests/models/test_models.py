"""Ready nets: as many weights as the count by hand, right outputs, and they learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop import models
from clearprop.errors import ArgumentError

CLASSES = 3
RNG = np.random.default_rng(8)


def dense(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


def lstm(inputs: int, units: int) -> int:
    return 4 * (inputs * units + units * units + units)


def encoder_layer(dim: int, hidden: int) -> int:
    attention = 4 * dense(dim, dim)
    return attention + dense(dim, hidden) + dense(hidden, dim) + 2 * 2 * dim


def normalized_convolution(window: int, inputs: int, outputs: int) -> int:
    return window * inputs * outputs + 4 * outputs


def stage(inputs: int, outputs: int) -> int:
    first = normalized_convolution(9, inputs, outputs)
    others = 5 * normalized_convolution(9, outputs, outputs)
    shortcut = normalized_convolution(1, inputs, outputs) if inputs < outputs else 0
    return first + others + shortcut


@dataclass(frozen=True)
class Net:
    """A net with the number of its weights.

    Attributes:
        words: how many whole numbers its inputs are drawn from, if not 0.
        rate, epochs: with which it learns a little.
    """

    name: str
    arguments: dict[str, Any]
    count: int
    shape: tuple[int, ...]
    words: int = 0
    rate: float = 0.03
    epochs: int = 30

    def __str__(self) -> str:
        return f"{self.name}{self.arguments}"

    def build(self) -> Any:
        make: Callable[..., Any] = getattr(models, self.name)
        return make(self.shape, CLASSES, **self.arguments)

    def data(self, samples: int) -> tuple[Any, Any]:
        """Inputs, and for each whether its first numbers are low, middle or high."""
        y = RNG.integers(0, CLASSES, samples)
        if self.words:
            x = RNG.integers(4, self.words, (samples, *self.shape))
            x[:, 0] = y + 1
            return x.astype(np.int32), y
        x = RNG.normal(size=(samples, *self.shape)) * 0.3
        return (x + y.reshape(-1, *[1] * len(self.shape)) - 1).astype(np.float32), y


NETS = [
    Net("mlp", {}, dense(6, 128) + dense(128, 3), (6,)),
    Net("mlp", {"units": (5, 4), "dropout": 0.1}, dense(12, 5) + dense(5, 4) + dense(4, 3), (4, 3)),
    Net("mlp", {"units": ()}, dense(6, 3), (6,)),
    Net(
        "lenet",
        {},
        dense(9, 32) + dense(9 * 32, 64) + dense(2 * 2 * 64, 128) + dense(128, 3),
        (8, 8, 1),
    ),
    Net(
        "lenet",
        {"filters": (4,), "units": 6, "dropout": 0.1},
        dense(9 * 3, 4) + dense(4 * 3 * 4, 6) + dense(6, 3),
        (9, 7, 3),
    ),
    Net(
        "resnet20",
        {},
        normalized_convolution(9, 3, 16) + stage(16, 16) + stage(16, 32) + stage(32, 64)
        + dense(64, 3),
        (8, 8, 3),
        rate=0.003,
        epochs=8,
    ),
    Net(
        "transformer_classifier",
        {},
        2 * encoder_layer(128, 512) + dense(128, 3),
        (5, 128),
        rate=0.001,
    ),
    Net(
        "transformer_classifier",
        {"layers": 1, "heads": 2, "feed_forward_units": 9, "vocabulary": 7, "model_dim": 8,
         "dropout": 0.1},
        7 * 8 + encoder_layer(8, 9) + dense(8, 3),
        (5,),
        7,
    ),
    Net("lstm_classifier", {}, lstm(4, 128) + dense(128, 3), (5, 4)),
    Net(
        "lstm_classifier",
        {"units": (6, 5), "vocabulary": 7, "embedding_dim": 4, "dropout": 0.1},
        7 * 4 + lstm(4, 6) + lstm(6, 5) + dense(5, 3),
        (5,),
        7,
    ),
]  # fmt: skip
each_net = pytest.mark.parametrize("net", NETS, ids=str)


@each_net
def test_the_weights_are_as_many_as_by_hand(net: Net) -> None:
    assert net.build().count_params() == net.count


@each_net
def test_outputs_are_logits_for_each_class(net: Net) -> None:
    model = net.build()
    x, _ = net.data(4)
    logits = model.predict(x)
    assert logits.shape == (4, CLASSES)
    assert np.isfinite(logits).all()
    assert not np.allclose(logits.sum(1), 1)


@each_net
def test_every_weight_that_trains_gets_a_gradient(net: Net) -> None:
    model = net.build()
    x, y = net.data(4)
    loss = cp.losses.SparseCategoricalCrossentropy(from_logits=True)
    loss(y, model(x)).backward()
    silent = [w.path for w in model.trainable_weights if not np.any(w.grad.numpy())]
    # Attention without a bias of its keys is the same: softmax ignores a common shift.
    assert [path for path in silent if not path.endswith("key/bias")] == []


@each_net
def test_it_learns(net: Net) -> None:
    model = net.build()
    x, y = net.data(48)
    loss = cp.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(cp.optimizers.Adam(net.rate), loss)
    losses = model.fit(x, y, epochs=net.epochs, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.6 * losses[0]


@each_net
def test_it_comes_back_from_its_file(net: Net, tmp_path: Path) -> None:
    model = net.build()
    x, _ = net.data(3)
    model.save(tmp_path / "net.safetensors")
    again = cp.load_model(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_the_counts_that_are_known_from_elsewhere() -> None:
    """0.27 million weights: table 6 of He et al.; here two shortcuts have weights as well."""
    model = models.resnet20((32, 32, 3), 10)
    assert sum(weight.size for weight in model.trainable_weights) == 269_722 + 2_752
    assert len([x for x in model.layers if isinstance(x, cp.layers.Conv2D)]) == 19 + 2


def test_padding_changes_nothing() -> None:
    x = np.array([[3, 1, 2]], np.int32)
    longer = np.pad(x, ((0, 0), (0, 4)))
    for model in (
        models.lstm_classifier((None,), 2, units=(5, 4), vocabulary=6),
        models.transformer_classifier((None,), 2, 1, vocabulary=6, model_dim=8),
    ):
        np.testing.assert_allclose(model.predict(longer), model.predict(x), rtol=1e-4, atol=1e-6)


def test_a_transformer_sees_the_order() -> None:
    model = models.transformer_classifier((None,), 2, 1, vocabulary=6, model_dim=8)
    there, back = np.array([[1, 2, 3, 4]], np.int32), np.array([[4, 3, 2, 1]], np.int32)
    assert not np.allclose(model.predict(there), model.predict(back), rtol=1e-3)


def test_heads_divide_the_length_of_the_vectors() -> None:
    with pytest.raises(ArgumentError, match="heads=3 for vectors of 8"):
        models.transformer_classifier((5, 8), 2, heads=3)
