"""The ready nets are those that Keras builds of the same layers, before and after training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import clearprop as cp
from clearprop.layers.positional_encoding import sinusoids
from tests.reference.pairs import (
    AFTER_TRAINING,
    NEAR,
    Pair,
    assert_equal_histories,
    labels,
    numbers,
)

CLASSES = 3
layers = keras.layers


def keras_mlp() -> Any:
    return keras.Sequential([
        layers.Input((4, 3)),
        layers.Flatten(),
        layers.Dense(7, "relu"),
        layers.Dense(CLASSES),
    ])


def keras_lenet() -> Any:
    return keras.Sequential([
        layers.Input((8, 8, 1)),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(128, "relu"),
        layers.Dense(CLASSES),
    ])


def keras_resnet20() -> Any:
    def convolved(x: Any, filters: int, size: int, strides: int = 1) -> Any:
        convolution = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)
        return layers.BatchNormalization(momentum=0.9)(convolution(x))

    images = layers.Input((8, 8, 3))
    x = layers.ReLU()(convolved(images, 16, 3))
    for filters, first_strides in ((16, 1), (32, 2), (64, 2)):
        for strides in (first_strides, 1, 1):
            shortcut = x if strides == 1 else convolved(x, filters, 1, strides)
            inner = layers.ReLU()(convolved(x, filters, 3, strides))
            x = layers.ReLU()(layers.Add()([shortcut, convolved(inner, filters, 3)]))
    outputs = layers.Dense(CLASSES)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(images, outputs)


class AddPlaces(layers.Layer):  # type: ignore[misc]
    """The input plus sinusoids of the steps."""

    def call(self, inputs: Any) -> Any:
        return inputs + keras.ops.convert_to_tensor(sinusoids(5, 8), "float32")


def keras_transformer(words: int) -> Any:
    """Masks by hand: Keras's attention takes the mask off its input, so that Add loses it."""
    inputs = layers.Input((5,), dtype="int32") if words else layers.Input((5, 8))
    x, steps, pairs = inputs, None, None
    if words:
        steps = keras.ops.not_equal(inputs, 0)
        pairs = keras.ops.logical_and(steps[:, None, :], steps[:, :, None])
        x = layers.Embedding(words, 8)(inputs)
    x = AddPlaces()(x)
    for _ in range(2):
        attention = layers.MultiHeadAttention(2, 4)(x, x, attention_mask=pairs)
        x = layers.LayerNormalization(epsilon=1e-5)(layers.Add()([x, attention]))
        inner = layers.Dense(8)(layers.Dense(16, "relu")(x))
        x = layers.LayerNormalization(epsilon=1e-5)(layers.Add()([x, inner]))
    outputs = layers.Dense(CLASSES)(layers.GlobalAveragePooling1D()(x, mask=steps))
    return keras.Model(inputs, outputs)


def keras_lstm(words: int) -> Any:
    first = [layers.Input((5, 4))]
    if words:
        first = [
            layers.Input((5,), dtype="int32"),
            layers.Embedding(words, 4, mask_zero=True),
        ]
    return keras.Sequential([
        *first,
        layers.LSTM(6, return_sequences=True),
        layers.LSTM(5),
        layers.Dense(CLASSES),
    ])


def words_of(count: int) -> Any:
    """Texts of 1 to 5 words, filled up with 0."""
    x = labels(count - 1, 5).astype(np.int32) + 1
    lengths = labels(5, seed=2)[:, None] + 1
    return np.where(np.arange(5) < lengths, x, 0).astype(np.int32)


ATTENTION = {"heads": 2, "feed_forward_units": 16}
Make = Callable[[], Any]
NETS: dict[str, tuple[Make, Make, Any]] = {
    "mlp": (lambda: cp.models.mlp((4, 3), CLASSES, (7,)), keras_mlp, numbers(4, 3)),
    "lenet": (lambda: cp.models.lenet((8, 8, 1), CLASSES), keras_lenet, numbers(8, 8, 1)),
    "resnet20": (lambda: cp.models.resnet20((8, 8, 3), CLASSES), keras_resnet20, numbers(8, 8, 3)),
    "transformer_classifier": (
        lambda: cp.models.transformer_classifier((5, 8), CLASSES, **ATTENTION),
        lambda: keras_transformer(0),
        numbers(5, 8),
    ),
    "transformer_classifier of words": (
        lambda: cp.models.transformer_classifier(
            (5,), CLASSES, vocabulary=9, model_dim=8, **ATTENTION
        ),
        lambda: keras_transformer(9),
        words_of(9),
    ),
    "lstm_classifier": (
        lambda: cp.models.lstm_classifier((5, 4), CLASSES, (6, 5)),
        lambda: keras_lstm(0),
        numbers(5, 4),
    ),
    "lstm_classifier of words": (
        lambda: cp.models.lstm_classifier((5,), CLASSES, (6, 5), vocabulary=9, embedding_dim=4),
        lambda: keras_lstm(9),
        words_of(9),
    ),
}


def compiled(rate: float) -> Callable[[Any], dict[str, Any]]:
    def arguments(kit: Any) -> dict[str, Any]:
        loss = kit.losses.SparseCategoricalCrossentropy(from_logits=True)
        return {"optimizer": kit.optimizers.SGD(rate, momentum=0.5), "loss": loss}

    return arguments


@pytest.mark.parametrize("net", NETS)
def test_a_ready_net_is_the_one_of_keras(net: str) -> None:
    make, make_theirs, x = NETS[net]
    keras.utils.set_random_seed(7)
    ours, theirs = make(), make_theirs()
    theirs.set_weights(perturbed(theirs.get_weights()))
    ours.set_weights(theirs.get_weights())
    assert ours.count_params() == theirs.count_params()
    rate = 0.002 if net == "resnet20" else 0.02  # long steps amplify what rounding differs in
    both = Pair(ours, theirs).compile(compiled(rate))
    both.assert_equal_predictions(x, NEAR)
    assert_equal_histories(*both.fit(x, labels(CLASSES)))
    both.assert_equal_predictions(x, AFTER_TRAINING)


def perturbed(weights: Any) -> Any:
    """Weights none of which is 0 or 1 as it was made; variances stay positive."""
    rng = np.random.default_rng(3)
    return [w + rng.uniform(0, 0.1, w.shape).astype(np.float32) for w in weights]


def test_no_ready_net_is_left_out() -> None:
    assert {name.partition(" ")[0] for name in NETS} == set(cp.models.__all__)


def branched(kit: Any) -> Any:
    """Branches of different lengths, a layer that is called twice, an output in the middle."""
    dense = kit.layers.Dense
    x, y = kit.layers.Input((4,)), kit.layers.Input((4,))
    shared = dense(4, name="shared")
    long = dense(4, name="long_2")(dense(4, name="long_1")(shared(x)))
    short = dense(4, name="short")(y)
    middle = kit.layers.Add()([short, long, shared(shared(y))])
    side = dense(4, name="side")(long * 2.0)
    end = kit.layers.Concatenate()([dense(4, name="end")(middle), side])
    return kit.Model([x, y], [dense(1, name="last")(end), dense(1, name="early")(middle)])


def test_weights_of_branches_come_in_keras_order() -> None:
    ours, theirs = branched(cp), branched(keras)
    assert [layer.name for layer in ours.layers if layer.weights] == [
        layer.name for layer in theirs.layers if layer.weights
    ]
    ours.set_weights(theirs.get_weights())
    x = [numbers(4), numbers(4, seed=1)]
    Pair(ours, theirs).assert_equal_predictions(x, NEAR)
