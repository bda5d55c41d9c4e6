"""Recurrent layers: the loop, its options, masks, states, dropout, and what they refuse."""

from __future__ import annotations

import inspect
import json
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop import layers, registry
from clearprop.errors import ArgumentError, ShapeError
from clearprop.functions import check_gradients
from clearprop.ir.program import equations_under
from clearprop.layers import GRU, LSTM, RNN, Bidirectional, Input, SimpleRNN, TimeDistributed
from clearprop.layers.masks import masks_of
from tests.layers.recurrent_cases import KINDS, MASK, X, assert_equal, made

RNG = np.random.default_rng(3)
each_kind = pytest.mark.parametrize("kind", KINDS)


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def stepped(kind: str, layer: Any, x: np.ndarray, states: list[np.ndarray]) -> list[np.ndarray]:
    """The new states, by the formulas; the first one is the output."""
    kernel, recurrent, bias = layer.get_weights()
    h = states[0]
    if kind == "SimpleRNN":
        return [np.tanh(x @ kernel + h @ recurrent + bias)]
    if kind == "LSTM":
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
        carry = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
        return [sigmoid(o) * np.tanh(carry), carry]
    x_z, x_r, x_h = np.split(x @ kernel + bias[0], 3, axis=-1)
    h_z, h_r, h_h = np.split(h @ recurrent + bias[1], 3, axis=-1)
    z = sigmoid(x_z + h_z)
    return [z * h + (1 - z) * np.tanh(x_h + sigmoid(x_r + h_r) * h_h)]


def by_hand(
    kind: str, layer: Any, x: np.ndarray, mask: np.ndarray, *, zero: bool = False
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The outputs of all steps and the last states, step by step."""
    states = [np.zeros((len(x), 4)) for _ in range(2 if kind == "LSTM" else 1)]
    outputs, last = [], np.zeros((len(x), 4))
    for step in range(x.shape[1]):
        new = stepped(kind, layer, x[:, step], states)
        counts = mask[:, step, None]
        states = [np.where(counts, now, old) for now, old in zip(new, states, strict=True)]
        last = np.where(counts, new[0], 0 if zero else last)
        outputs.append(last)
    return np.stack(outputs, axis=1), states


# -- the loop ---------------------------------------------------------------------------------


@each_kind
def test_the_formulas(kind: str) -> None:
    outputs, states = by_hand(kind, made(kind), X, np.ones_like(MASK))
    assert_equal(made(kind)(X), outputs[:, -1])
    assert_equal(made(kind, return_sequences=True)(X), outputs)
    found, *last = made(kind, return_state=True)(X)
    assert_equal(found, outputs[:, -1])
    for one, other in zip(last, states, strict=True):
        assert_equal(one, other)


@each_kind
@pytest.mark.parametrize("zero", [False, True])
def test_a_masked_step_changes_nothing(kind: str, zero: bool) -> None:
    options = {"zero_output_for_mask": zero}
    outputs, states = by_hand(kind, made(kind), X, MASK, zero=zero)
    assert_equal(made(kind, **options)(X, mask=MASK), outputs[:, -1])
    sequences = made(kind, return_sequences=True, return_state=True, **options)
    found, *last = sequences(X, mask=MASK)
    assert_equal(found, outputs)
    assert masks_of(found).tolist() == MASK.tolist()
    assert [masks_of(state) for state in last] == [None] * len(last)
    for one, other in zip(last, states, strict=True):
        assert_equal(one, other)


@each_kind
def test_what_is_masked_does_not_matter(kind: str) -> None:
    layer, other = made(kind), np.where(MASK[..., None], X, 1e6)
    np.testing.assert_array_equal(layer(X, mask=MASK).numpy(), layer(other, mask=MASK).numpy())


@each_kind
def test_a_padded_sequence_is_as_good_as_a_short_one(kind: str) -> None:
    padded = np.concatenate([X, np.zeros((3, 4, 2))], axis=1)
    mask = np.arange(9) < np.full((3, 1), 5)
    assert_equal(made(kind)(padded, mask=mask), made(kind)(X).numpy())


@each_kind
def test_backwards_begins_with_the_last_step(kind: str) -> None:
    backwards = made(kind, go_backwards=True, return_sequences=True)
    forwards = made(kind, return_sequences=True)
    assert_equal(backwards(X), forwards(X[:, ::-1]).numpy())
    found = backwards(X, mask=MASK)
    assert_equal(found, forwards(X[:, ::-1], mask=MASK[:, ::-1]).numpy())
    assert masks_of(found).tolist() == MASK[:, ::-1].tolist()


@each_kind
def test_the_states_of_a_part_are_where_the_next_begins(kind: str) -> None:
    layer = made(kind, return_state=True)
    whole, *states = layer(X)
    _, *middle = layer(X[:, :2])
    found, *last = layer(X[:, 2:], initial_state=middle)
    assert_equal(found, whole.numpy())
    for one, other in zip(last, states, strict=True):
        assert_equal(one, other.numpy())


def test_a_mask_counts_with_an_initial_state_too() -> None:
    layer = made("GRU")
    masked = layers.Masking(dtype="float64")(np.where(MASK[..., None], X, 0.0))
    state = RNG.normal(size=(3, 4))
    assert_equal(
        layer(masked, initial_state=[state]), layer(X, initial_state=[state], mask=MASK).numpy()
    )


@each_kind
def test_gradients_can_be_measured_through_masks_and_states(kind: str) -> None:
    layer = made(kind, return_sequences=True, return_state=True)
    count = 2 if kind == "LSTM" else 1
    states = [RNG.normal(size=(3, 4)) for _ in range(count)]
    assert check_gradients(lambda x, *s: layer(x, initial_state=list(s), mask=MASK), X, *states)
    assert check_gradients(lambda x: made(kind, go_backwards=True)(x, mask=MASK), X)


@each_kind
def test_one_product_for_all_steps_stands_before_the_loop(kind: str) -> None:
    found = made(kind)(cp.parameter(X))
    equations = equations_under([found], lambda value: False)
    (loop,) = [equation for equation in equations if equation.primitive.name == "scan"]
    outside = [e for e in equations if e.primitive.name == "dot_general"]
    inside = [e for e in loop.params["body"].equations if e.primitive.name == "dot_general"]
    assert [e.inputs[0].shape for e in outside] == [(5, 3, 2)]
    assert [e.inputs[0].shape for e in inside] == [(3, 4)]


@each_kind
def test_no_steps_give_the_first_state(kind: str) -> None:
    layer = made(kind, return_sequences=True, return_state=True)
    outputs, *states = layer(X[:, :0])
    assert outputs.shape == (3, 0, 4)
    assert all((state.numpy() == 0).all() for state in states)


# -- weights ----------------------------------------------------------------------------------


def test_names_shapes_and_first_numbers() -> None:
    lstm, gru, old = LSTM(3), GRU(3), GRU(3, reset_after=False)
    for layer in (lstm, gru, old):
        layer(X.astype(np.float32))
    names = ["kernel", "recurrent_kernel", "bias"]
    assert [w.name for w in lstm.weights] == [w.name for w in gru.weights] == names
    assert [w.shape for w in lstm.weights] == [(2, 12), (3, 12), (12,)]
    assert [w.shape for w in gru.weights] == [(2, 9), (3, 9), (2, 9)]
    assert [w.shape for w in old.weights] == [(2, 9), (3, 9), (9,)]
    assert lstm.get_weights()[2].tolist() == [0] * 3 + [1] * 3 + [0] * 6
    recurrent = lstm.get_weights()[1]
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(3), atol=1e-5)
    plain = LSTM(3, unit_forget_bias=False)
    plain(X.astype(np.float32))
    assert not plain.get_weights()[2].any()
    assert lstm.weights[0].path == "lstm_cell/kernel"


def test_regularizers_and_activities_add_to_the_loss() -> None:
    layer = LSTM(2, kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l1")
    mode = layers.mode.direct_mode(True)
    with mode.active():
        output = layer(X.astype(np.float32))
    (penalty,) = mode.losses
    np.testing.assert_allclose(float(penalty), 0.01 * np.abs(output.numpy()).sum() / 3, rtol=1e-5)
    assert [w.regularizer is not None for w in layer.weights] == [True, False, True]


# -- dropout ----------------------------------------------------------------------------------


def ones(**options: Any) -> Any:
    """A layer that adds up its inputs: no activation, all weights one, no way back."""
    return SimpleRNN(
        50, None, kernel_initializer="ones", recurrent_initializer="zeros", return_sequences=True,
        **options,
    )  # fmt: skip


def test_dropout_decides_once_for_a_whole_sequence() -> None:
    x = np.ones((40, 6, 1), np.float32)
    found = ones(dropout=0.5)(x, training=True).numpy()
    assert set(np.unique(found)) == {0.0, 2.0}
    np.testing.assert_array_equal(found, found[:, :1, :1] * np.ones((1, 6, 50)))
    assert 8 < (found[:, 0, 0] == 0).sum() < 32
    assert (ones(dropout=0.5)(x).numpy() == 1).all()


def test_dropout_of_the_state() -> None:
    layer = SimpleRNN(
        1, None, kernel_initializer="ones", recurrent_initializer="ones", recurrent_dropout=0.5,
        return_sequences=True,
    )  # fmt: skip
    found = layer(np.ones((60, 3, 1), np.float32), training=True).numpy()[..., 0]
    assert {tuple(row) for row in found.tolist()} == {(1.0, 1.0, 1.0), (1.0, 3.0, 7.0)}


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("reset_after", [True, False])
def test_gates_have_dropout_of_their_own_where_the_state_drops(
    kind: str, reset_after: bool
) -> None:
    options: dict[str, Any] = {"reset_after": reset_after} if kind == "GRU" else {}
    both = made(kind, dropout=0.5, recurrent_dropout=0.5, seed=3, **options)
    cell = both.cell
    cell_noise = []
    with layers.mode.direct_mode(True).active():
        noise = cell.draw_noise((3, 64), True)
        alone = made(kind, dropout=0.5, **options).cell.draw_noise((3, 64), True)
        cell_noise += [len(noise.inputs), len(noise.states), len(alone.inputs), len(alone.states)]
    assert cell_noise == [cell.gates, cell.gates, 1, 0]
    assert noise.inputs[0].tolist() != noise.inputs[1].tolist()
    first, second = both(X, training=True).numpy(), both(X, training=True).numpy()
    assert not np.array_equal(first, second)
    assert check_gradients(lambda x: both(x, training=False), X)


def test_training_with_dropout_follows_the_seed() -> None:
    def history() -> Any:
        model = cp.Sequential([Input((5, 2)), LSTM(3, dropout=0.3, recurrent_dropout=0.3)])
        model.compile("sgd", "mse", seed=4)
        x = X.astype(np.float32)
        return model.fit(x, np.zeros((3, 3)), epochs=3, verbose=0).history["loss"]

    assert history() == history()


# -- stateful layers --------------------------------------------------------------------------


@each_kind
def test_a_stateful_layer_goes_on_where_it_ended(kind: str) -> None:
    layer, plain = made(kind, stateful=True), made(kind)
    whole = plain(X[:2])
    layer(X[:2, :2])
    assert_equal(layer(X[:2, 2:]), whole.numpy())
    assert len(layer.get_weights()) == 3  # the states are no weights
    layer.reset_state()
    assert_equal(layer(X[:2]), whole.numpy())


def test_batches_of_a_stateful_layer_have_one_size() -> None:
    layer = made("GRU", stateful=True)
    with pytest.raises(ShapeError) as caught:
        layer(X)
    assert str(caught.value) == (
        'GRU "gru": a stateful layer remembers each sample of a batch, so all batches have one '
        "size\n"
        "  found:  3 samples\n"
        "  needed: 2, as before\n"
        "  try:    Input(shape, batch_size=32) in the model, fit and predict with that batch_size "
        "and a number of samples that it divides\n"
        f"  at:     {__file__}:{line() - 8} in gru"
    )
    with pytest.raises(ShapeError, match="all batches have one size"):
        GRU(2, stateful=True)(Input((4, 3)))
    with pytest.raises(ShapeError, match="a batch of unknown size"):
        GRU(2, stateful=True).build((None, 4, 3))


# -- descriptions -----------------------------------------------------------------------------

DESCRIBED: list[Any] = [
    lambda: LSTM(
        3, "relu", "hard_sigmoid", False, unit_forget_bias=False, kernel_initializer="ones",
        recurrent_regularizer="l2", dropout=0.1, recurrent_dropout=0.2, seed=3,
        return_sequences=True, return_state=True, go_backwards=True, zero_output_for_mask=True,
        activity_regularizer="l1", name="it", trainable=False, dtype="float64",
    ),
    lambda: GRU(3, reset_after=False, stateful=True),
    lambda: layers.LSTMCell(3, dropout=0.5),
    lambda: layers.GRUCell(3, reset_after=False),
    lambda: layers.SimpleRNNCell(3, bias_initializer="ones"),
    lambda: layers.StackedRNNCells([layers.GRUCell(2), layers.LSTMCell(3)], name="two"),
    lambda: RNN([layers.GRUCell(2), layers.LSTMCell(3)], return_state=True),
    lambda: Bidirectional(LSTM(3, return_sequences=True), "sum"),
    lambda: Bidirectional(LSTM(3), backward_layer=GRU(3, go_backwards=True)),
    lambda: TimeDistributed(layers.Dense(3), name="each"),
]  # fmt: skip


@pytest.mark.parametrize("make", DESCRIBED)
def test_a_described_layer_can_be_rebuilt(make: Any) -> None:
    layer = make()
    description = registry.describe(layer)
    again = registry.rebuild(json.loads(json.dumps(description)))
    assert registry.describe(again) == description
    if not hasattr(layer, "state_size"):
        x = X.astype(np.float32)
        for one, other in zip(flat(again(x)), flat(layer(x)), strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy())


def flat(result: Any) -> list[Any]:
    parts = result if isinstance(result, (list, tuple)) else [result]
    return [leaf for part in parts for leaf in (part if isinstance(part, list) else [part])]


def test_recurrent_models_can_be_saved(tmp_path: Any) -> None:
    words = Input((5,), dtype="int32")
    hidden = layers.Embedding(6, 3, mask_zero=True)(words)
    outputs, h, c = LSTM(4, return_sequences=True, return_state=True)(hidden)
    again = LSTM(4, return_sequences=True)(outputs, initial_state=[h, c])
    model = cp.Model(words, Bidirectional(GRU(2))(again))
    x = RNG.integers(0, 6, (3, 5))
    expected = model.predict(x)
    model.save(tmp_path / "it.safetensors")
    np.testing.assert_array_equal(cp.load_model(tmp_path / "it.safetensors").predict(x), expected)


# -- mistakes ---------------------------------------------------------------------------------


def test_an_input_without_features_is_refused() -> None:
    with pytest.raises(ShapeError) as caught:
        LSTM(3)(X[0])
    assert str(caught.value) == (
        'LSTM "lstm": the input has 2 axes, it takes 3\n'
        "  found:  an input of shape (5, 2)\n"
        "  needed: (batch, steps, features)\n"
        "  try:    x[None] for a batch of one sample; x[..., None] for steps of one number each; "
        "return_sequences=True in a recurrent layer before it\n"
        f"  at:     {__file__}:{line() - 7} in lstm"
    )


def test_another_number_of_features_is_refused() -> None:
    layer = made("GRU")
    with pytest.raises(ShapeError, match="the input has 1 features, the weights were built for 2"):
        layer(X[..., :1])
    with pytest.raises(ShapeError, match="the mask does not fit the input"):
        layer(X, mask=MASK[:, :3])


def test_initial_states_must_fit() -> None:
    layer = made("LSTM")
    with pytest.raises(ShapeError) as caught:
        layer(X, initial_state=[np.zeros((3, 4))])
    assert str(caught.value) == (
        'LSTM "lstm": initial_state does not fit the states of the layer\n'
        "  found:  f64[3, 4]\n"
        "  needed: 2 of shape (3, 4), (3, 4)\n"
        "  try:    a list with one array for each state, such as the states that "
        "return_state=True gives\n"
        f"  at:     {__file__}:{line() - 7} in lstm"
    )
    with pytest.raises(ShapeError, match="initial_state does not fit"):
        layer(X, initial_state=[np.zeros((3, 4)), np.zeros((3, 5))])


def test_arguments_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ArgumentError, match="units is a whole number above 0"):
        LSTM(0)
    with pytest.raises(ArgumentError, match="dropout is out of its range"):
        GRU(3, dropout=1.0)
    with pytest.raises(ArgumentError, match="no_such_argument"):
        GRU(3, no_such_argument=1)  # type: ignore[call-arg]
    with pytest.raises(ArgumentError, match="a cell is a layer with a state_size") as caught:
        RNN(LSTM(3))
    assert "LSTMCell(...) in place of LSTM" in str(caught.value)
    with pytest.raises(ArgumentError, match="a stack without cells"):
        RNN([])
    with pytest.raises(ArgumentError, match="it reads with a recurrent layer"):
        Bidirectional(layers.Dense(3))
    with pytest.raises(ArgumentError, match="there is no such merge_mode"):
        Bidirectional(GRU(3), merge_mode="add")
    with pytest.raises(ArgumentError, match="do not belong together"):
        Bidirectional(GRU(3), backward_layer=GRU(3))
    backward = GRU(3, go_backwards=True, return_state=True)
    with pytest.raises(ArgumentError, match="do not belong together"):
        Bidirectional(GRU(3), backward_layer=backward)
    with pytest.raises(ArgumentError, match="it applies a layer"):
        TimeDistributed("dense")  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="it takes 3 or more"):
        TimeDistributed(layers.Dense(2))(X[0])
