"""The base of all layers: names, positions, weights, freezing and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clearprop.errors import ArgumentError, NotBuiltError, ShapeError
from clearprop.layers import BatchNormalization, Dense, Layer
from clearprop.tensor import Tensor

X = np.ones((2, 3), np.float32)


class _Block(Layer):
    """Two layers in a list and one beside it, and no build of its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.parts = [Dense(4), BatchNormalization()]
        self.last = Dense(2, name="out")

    def call(self, inputs: Tensor) -> Any:
        for layer in self.parts:
            inputs = layer(inputs)
        return self.last(inputs)


def test_layers_inside_have_names_and_positions() -> None:
    block = _Block(name="block")
    block(X)
    assert [layer.name for layer in block.sublayers] == ["dense", "batch_normalization", "out"]
    assert [layer.position for layer in block.sublayers] == [(0,), (1,), (2,)]
    assert block.built


def test_equal_layers_at_other_positions_start_with_other_weights() -> None:
    first, second = Dense(3), Dense(3)

    class Two(Layer):
        def __init__(self) -> None:
            super().__init__()
            self.parts = [first, second]

        def call(self, inputs: Tensor) -> Any:
            return second(first(inputs))

    Two()(X)
    assert (first.name, second.name) == ("dense", "dense_1")
    assert not np.array_equal(first.get_weights()[0], second.get_weights()[0])


def test_weights_come_layer_by_layer_and_trainable_first() -> None:
    block = _Block()
    block(X)
    kernel, gamma = ["kernel", "bias"], ["gamma", "beta", "moving_mean", "moving_variance"]
    assert [weight.name for weight in block.weights] == [*kernel, *gamma, *kernel]
    assert [weight.name for weight in block.non_trainable_weights] == gamma[2:]
    assert block.count_params() == 3 * 4 + 4 + 4 * 4 + 4 * 2 + 2


def test_a_frozen_layer_freezes_what_is_inside() -> None:
    block = _Block()
    block(X)
    block.trainable = False
    assert block.trainable_weights == []
    block.last.trainable = True
    assert block.trainable_weights == []  # as long as the block around it is frozen
    block.trainable = True
    assert len(block.trainable_weights) == 6


def test_a_layer_that_was_built_by_hand_is_built() -> None:
    layer = Dense(2)
    layer.build((None, 3))
    before = layer.get_weights()
    layer(X)
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])


def test_weights_are_asked_of_a_layer_without_any() -> None:
    for ask in (Dense(2).get_weights, Dense(2).count_params, lambda: Dense(2).set_weights([])):
        with pytest.raises(NotBuiltError, match='"dense" has no weights yet'):
            ask()


def test_weights_that_do_not_fit_change_nothing() -> None:
    layer = Dense(2, name="out")
    layer(X)
    before = layer.get_weights()
    with pytest.raises(ShapeError) as caught:
        layer.set_weights([np.zeros((3, 2)), np.zeros(3)])
    assert str(caught.value).rpartition("\n")[0] == (
        'set_weights: the arrays do not fit the weights of "out"\n'
        "  found:  (3, 2), (3,)\n"
        "  needed: kernel (3, 2), bias (2,)\n"
        "  try:    take them from get_weights of the same architecture"
    )
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])


def test_names_are_text() -> None:
    with pytest.raises(ArgumentError, match="Dense: a layer's name is text"):
        Dense(3, name=3)  # type: ignore[arg-type]


def test_training_is_what_the_call_around_it_does() -> None:
    seen = []

    class Watching(Layer):
        def call(self, inputs: Tensor, training: bool = False) -> Any:
            seen.append(training)
            return inputs

    class Outer(Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Watching()

        def call(self, inputs: Tensor) -> Any:
            return self.inner(self.inner(inputs), training=False)

    outer = Outer()
    outer(X)
    outer(X, training=True)
    assert seen == [False, False, True, False]


def test_a_call_of_no_layer_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="Layer defines no call"):
        Layer()(X)
