"""What a recurrent layer is made of, and what it is put into: cells, both directions, each step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop import layers
from clearprop.functions import check_gradients
from clearprop.layers import GRU, LSTM, RNN, Bidirectional, Layer, TimeDistributed
from clearprop.layers.masks import masks_of
from tests.layers.recurrent_cases import MASK, X, assert_equal, made

RNG = np.random.default_rng(3)


# -- cells ------------------------------------------------------------------------------------


def test_a_cell_of_ones_own() -> None:
    class Counter(Layer):
        state_size = [2, 1]  # noqa: RUF012

        def build(self, input_shape: Any) -> None:
            self.factor = self.add_weight((2,), "ones", name="factor")

        def call(self, inputs: Any, states: Any) -> Any:
            total = states[0] + inputs * self.factor
            return total, [total, states[1] + 1]

    layer = RNN(Counter(dtype="float64"), return_state=True, dtype="float64")
    output, total, count = layer(X, mask=MASK)
    expected = (X * MASK[..., None]).sum(1)
    assert_equal(output, expected)
    assert_equal(total, expected)
    assert count.numpy().ravel().tolist() == [3, 2, 5]
    assert [w.path for w in layer.weights] == ["counter/factor"]
    assert check_gradients(lambda x: layer(x, mask=MASK), X)


def test_a_cell_may_give_its_state_bare_and_see_images() -> None:
    class Brightest(Layer):
        state_size = 1

        def call(self, inputs: Any, states: Any) -> Any:
            found = cp.maximum(states[0], inputs.max(axis=(1, 2)))
            return found, found

    video = np.abs(RNG.normal(size=(2, 4, 3, 3, 1))).astype(np.float32)
    expected = video.max(axis=(1, 2, 3))
    np.testing.assert_array_equal(RNN(Brightest())(video).numpy(), expected)


def test_a_stack_of_cells_is_a_stack_of_layers() -> None:
    stack = RNN([layers.LSTMCell(3), layers.GRUCell(4)], return_sequences=True, dtype="float64")
    low, high = LSTM(3, return_sequences=True), GRU(4, return_sequences=True)
    x = X.astype(np.float32)
    stack(x)
    expected = high(low(x))
    low.set_weights(stack.get_weights()[:3])
    high.set_weights(stack.get_weights()[3:])
    expected = high(low(x, mask=MASK))
    np.testing.assert_allclose(stack(x, mask=MASK).numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)
    _, first, second = RNN([layers.LSTMCell(3), layers.GRUCell(4)], return_state=True)(x)
    assert [len(first), len(second)] == [2, 1]
    noisy = RNN([layers.GRUCell(3), layers.GRUCell(4, dropout=0.5, recurrent_dropout=0.2)])
    assert not np.array_equal(noisy(x, training=True).numpy(), noisy(x, training=True).numpy())


def test_cells_step_by_step_are_the_layer() -> None:
    layer = made("LSTM", return_state=True)
    _, *expected = layer(X)
    states: Any = layer.cell.get_initial_state(3)
    for step in range(5):
        _, states = layer.cell(X[:, step], states)
    for one, other in zip(states, expected, strict=True):
        assert_equal(one, other.numpy())


# -- both directions, each step ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("merge_mode", "merged"),
    [
        ("concat", lambda a, b: np.concatenate([a, b], -1)),
        ("sum", np.add),
        ("mul", np.multiply),
        ("ave", lambda a, b: (a + b) / 2),
    ],
)
@pytest.mark.parametrize("sequences", [False, True])
def test_both_directions_are_joined(merge_mode: str, merged: Any, sequences: bool) -> None:
    inner = GRU(4, return_sequences=sequences, return_state=True, dtype="float64")
    both = Bidirectional(inner, merge_mode, dtype="float64")
    output, ahead, back = both(X, mask=MASK)
    weights = both.get_weights()
    options = {"return_sequences": sequences, "return_state": True, "zero_output_for_mask": True}
    forward, backward = made("GRU", **options), made("GRU", go_backwards=True, **options)
    if not sequences:
        forward.zero_output_for_mask = backward.zero_output_for_mask = False
    forward.set_weights(weights[:3])
    backward.set_weights(weights[3:])
    ours, state = forward(X, mask=MASK)
    theirs, other = backward(X, mask=MASK)
    there = theirs.numpy()[:, ::-1] if sequences else theirs.numpy()
    assert_equal(output, merged(ours.numpy(), there))
    assert_equal(ahead, state.numpy())
    assert_equal(back, other.numpy())
    assert (masks_of(output) is not None) == sequences


def test_both_directions_apart_with_states_of_their_own() -> None:
    inner = LSTM(4, return_sequences=True, dtype="float64")
    both = Bidirectional(inner, merge_mode=None, dtype="float64")
    states = [RNG.normal(size=(3, 4)) for _ in range(4)]
    ours, theirs = both(X, initial_state=states)
    assert_equal(ours, both.forward_layer(X, initial_state=states[:2]).numpy())
    assert_equal(theirs, both.backward_layer(X, initial_state=states[2:]).numpy()[:, ::-1])
    assert [w.path for w in both.weights][:4:3] == [
        "forward_lstm/lstm_cell/kernel",
        "backward_lstm/lstm_cell/kernel",
    ]


def test_the_layer_inside_is_copied_cells_and_all() -> None:
    cells = [layers.GRUCell(3), layers.GRUCell(2)]
    both = Bidirectional(RNN(cells))
    both(X.astype(np.float32))
    assert len(both.weights) == 12
    assert not any(cell.built for cell in cells)


def test_each_step_goes_through_the_same_layer() -> None:
    inner = layers.Dense(3, "tanh", dtype="float64")
    layer = TimeDistributed(inner, dtype="float64")
    assert_equal(layer(X), inner(X).numpy())
    video = RNG.normal(size=(2, 4, 6, 6, 1)).astype(np.float32)
    conv = layers.Conv2D(2, 3)
    steps = TimeDistributed(conv)(video)
    assert steps.shape == (2, 4, 4, 4, 2)
    np.testing.assert_allclose(steps.numpy()[:, 1], conv(video[:, 1]).numpy(), rtol=1e-5)
    assert check_gradients(lambda x: layer(x), X)


def test_a_mask_of_steps_within_steps_reaches_the_layer() -> None:
    words = RNG.normal(size=(2, 3, 5, 2))
    mask = RNG.random((2, 3, 5)) < 0.6
    inner = GRU(4, dtype="float64")
    found = TimeDistributed(inner, dtype="float64")(words, mask=mask)
    for sentence in range(3):
        assert_equal(found[:, sentence], inner(words[:, sentence], mask=mask[:, sentence]).numpy())
