"""Recurrent layers with Keras's and PyTorch's weights give their outputs, states and gradients."""

from __future__ import annotations

import inspect
import itertools
from typing import Any, get_type_hints

import keras
import numpy as np
import pytest
import torch

import clearprop as cp
from clearprop import layers
from clearprop.layers.recurrent.options import RecurrentOptions
from clearprop.tensor import parameter
from tests.reference.pairs import assert_trains_alike, numbers

RNG = np.random.default_rng(5)
BATCH, STEPS, FEATURES, UNITS = 4, 6, 3, 5
X = RNG.normal(size=(BATCH, STEPS, FEATURES)).astype(np.float32)
MASKS: dict[str, np.ndarray | None] = {
    "no mask": None,
    "padded behind": np.arange(STEPS) < np.array([[6], [3], [1], [4]]),
    "padded before": np.arange(STEPS) >= np.array([[0], [3], [5], [2]]),
    "holes, and one without steps": np.array(
        [[1, 0, 1, 1, 0, 1], [0, 0, 1, 0, 1, 0], [0] * 6, [1] * 6], bool
    ),
}
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("SimpleRNN", {}),
    ("SimpleRNN", {"activation": "relu", "use_bias": False}),
    ("LSTM", {}),
    ("LSTM", {"unit_forget_bias": False, "recurrent_activation": "hard_sigmoid"}),
    ("LSTM", {"use_bias": False, "activation": "softsign"}),
    ("GRU", {}),
    ("GRU", {"reset_after": False}),
    ("GRU", {"use_bias": False}),
    ("GRU", {"reset_after": False, "use_bias": False, "recurrent_activation": "hard_sigmoid"}),
]
each_kind = pytest.mark.parametrize(("kind", "arguments"), KINDS)
each_mask = pytest.mark.parametrize("mask", MASKS)


def flat(result: Any) -> list[Any]:
    parts = result if isinstance(result, (list, tuple)) else [result]
    return [leaf for part in parts for leaf in (flat(part) if isinstance(part, list) else [part])]


def same_weights(own: Any, theirs: Any, x: Any = X) -> None:
    """Both with the same weights, different from the first ones."""
    own(x)
    theirs(x)
    theirs.set_weights([RNG.normal(0, 0.6, w.shape) for w in theirs.weights])
    own.set_weights(theirs.get_weights())
    assert [w.name for w in own.weights] == [w.name for w in theirs.weights]


def assert_agree(own: Any, theirs: Any, x: np.ndarray, **given: Any) -> None:
    """Outputs, states and all gradients of a random combination of them."""
    leaf, ours = torch.tensor(x, requires_grad=True), parameter(x)
    masked = {} if given.get("mask") is None else {"mask": given["mask"]}
    states = given.get("initial_state")
    state_leaves = [torch.tensor(s, requires_grad=True) for s in states or []]
    own_states = [parameter(s) for s in states or []]
    theirs_given = {"initial_state": state_leaves} if states else {}
    own_given = {"initial_state": own_states} if states else {}
    torch_mask = {name: torch.tensor(m) for name, m in masked.items()}
    expected = flat(theirs(leaf, **torch_mask, **theirs_given))
    found = flat(own(ours, **masked, **own_given))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other.detach().numpy(), rtol=1e-5, atol=1e-5)
    directions = [RNG.normal(size=one.shape).astype(np.float32) for one in found]
    sum((e * torch.tensor(d)).sum() for e, d in zip(expected, directions, strict=True)).backward()
    sum((f * d).sum() for f, d in zip(found, directions, strict=True)).backward()
    assert_gradients([ours, *own_states], [leaf, *state_leaves])
    assert_gradients(own.trainable_weights, [w.value for w in theirs.trainable_weights])


def assert_gradients(found: Any, expected: Any) -> None:
    for one, other in zip(found, expected, strict=True):
        gradient = np.zeros(one.shape) if one.grad is None else one.grad.numpy()
        wanted = np.zeros(one.shape) if other.grad is None else other.grad.numpy()
        np.testing.assert_allclose(gradient, wanted, rtol=1e-4, atol=5e-5)


# -- Keras: the layers over all their options ---------------------------------------------------

OPTIONS = [
    {"return_sequences": sequences, "return_state": state, "go_backwards": backwards}
    for sequences, state, backwards in itertools.product([False, True], repeat=3)
]


@each_mask
@each_kind
def test_outputs_states_and_gradients(kind: str, arguments: dict[str, Any], mask: str) -> None:
    for options in OPTIONS:
        both = [
            getattr(room, kind)(UNITS, **arguments, **options) for room in (layers, keras.layers)
        ]
        same_weights(*both)
        assert_agree(*both, X, mask=MASKS[mask])


@each_mask
@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_initial_states(kind: str, mask: str) -> None:
    count = 2 if kind == "LSTM" else 1
    states = [RNG.normal(size=(BATCH, UNITS)).astype(np.float32) for _ in range(count)]
    for sequences, zeros in itertools.product([False, True], repeat=2):
        options = {
            "return_sequences": sequences, "return_state": True, "zero_output_for_mask": zeros
        }  # fmt: skip
        both = [getattr(room, kind)(UNITS, **options) for room in (layers, keras.layers)]
        same_weights(*both)
        assert_agree(*both, X, mask=MASKS[mask], initial_state=states)


@pytest.mark.parametrize("steps", [1, 2, 17])
@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_every_length(kind: str, steps: int) -> None:
    x = RNG.normal(size=(2, steps, FEATURES)).astype(np.float32)
    both = [getattr(room, kind)(UNITS, return_sequences=True) for room in (layers, keras.layers)]
    same_weights(*both, x)
    assert_agree(*both, x)


@each_mask
@pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave", None])
def test_bidirectional(merge_mode: str | None, mask: str) -> None:
    for kind, sequences, state in itertools.product(
        ["SimpleRNN", "LSTM", "GRU"], [False, True], [False, True]
    ):
        both = [
            room.Bidirectional(
                getattr(room, kind)(UNITS, return_sequences=sequences, return_state=state),
                merge_mode=merge_mode,
            )
            for room in (layers, keras.layers)
        ]
        same_weights(*both)
        assert_agree(*both, X, mask=MASKS[mask])


def test_a_bidirectional_layer_with_a_backward_layer_of_its_own() -> None:
    both = [
        room.Bidirectional(
            room.LSTM(UNITS, return_sequences=True),
            backward_layer=room.GRU(UNITS, return_sequences=True, go_backwards=True),
        )
        for room in (layers, keras.layers)
    ]
    same_weights(*both)
    assert_agree(*both, X, mask=MASKS["padded behind"])


@each_mask
def test_cells_one_upon_the_other(mask: str) -> None:
    def stack(room: Any) -> Any:
        cells = [room.LSTMCell(4), room.GRUCell(3), room.SimpleRNNCell(UNITS)]
        return room.RNN(cells, return_sequences=True, return_state=True)

    both = stack(layers), stack(keras.layers)
    same_weights(*both)
    assert_agree(*both, X, mask=MASKS[mask])


@pytest.mark.parametrize("kind", ["SimpleRNNCell", "LSTMCell", "GRUCell"])
def test_a_cell_alone(kind: str) -> None:
    own, theirs = (getattr(room, kind)(UNITS) for room in (layers, keras.layers))
    x = X[:, 0]
    states = [
        RNG.normal(size=(BATCH, UNITS)).astype(np.float32)
        for _ in range(2 if kind == "LSTMCell" else 1)
    ]
    own(x, states)
    theirs(x, states)
    own.set_weights([RNG.normal(size=w.shape) for w in own.weights])
    theirs.set_weights(own.get_weights())
    (found, found_states), (expected, expected_states) = own(x, states), theirs(x, states)
    pairs = zip([found, *found_states], [expected, *expected_states], strict=True)
    for one, other in pairs:
        np.testing.assert_allclose(one.numpy(), other.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_a_stateful_layer_goes_on() -> None:
    own, theirs = (room.GRU(UNITS, stateful=True) for room in (layers, keras.layers))
    same_weights(own, theirs)
    own.reset_state()
    theirs.reset_state()
    for part in (X[:, :2], X[:, 2:]):
        found, expected = own(part), theirs(part)
        np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-6)
    assert [w.shape for w in own.states] == [tuple(s.shape) for s in theirs.states]


@each_mask
def test_time_distributed(mask: str) -> None:
    both = [room.TimeDistributed(room.Dense(UNITS, "tanh")) for room in (layers, keras.layers)]
    same_weights(*both)
    assert_agree(*both, X, mask=MASKS[mask])


@pytest.mark.parametrize(
    "name",
    ["SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell", "RNN", "Bidirectional"],
)
def test_arguments_and_defaults(name: str) -> None:
    """Keras's, but for constraints, and what chooses an implementation."""
    left_out = {"unroll", "use_cudnn", "weights", "self", "kwargs", "name", "dtype"}
    own = inspect.signature(getattr(layers, name).__init__).parameters
    theirs = inspect.signature(getattr(keras.layers, name).__init__).parameters
    positional = [n for n, p in own.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    plain = {n: p for n, p in theirs.items() if n not in left_out and "constraint" not in n}
    assert positional[1 : 1 + len(plain)] == list(plain)[: len(positional) - 1]
    layer = getattr(layers, name)(*([layers.GRU(2)] if name == "Bidirectional" else
                                    [layers.GRUCell(2)] if name == "RNN" else [2]))  # fmt: skip
    for argument, parameter_ in plain.items():
        assert argument in {*own, *get_type_hints(RecurrentOptions)}
        if parameter_.default is not parameter_.empty and argument != "backward_layer":
            assert_default(layer.get_config()[argument], parameter_.default)


def assert_default(found: Any, default: Any) -> None:
    if isinstance(default, str) and found != default:
        registered = type(found).__name__ if hasattr(found, "get_config") else found.__name__
        assert registered.lower() == default.replace("_", "")
    else:
        assert found == default


# -- Keras: training ------------------------------------------------------------------------------


def padded_words(seed: int = 1) -> np.ndarray:
    """Words 1 to 6, filled up with 0 behind a random length; some sentences have a single word."""
    rng = np.random.default_rng(seed)
    words = rng.integers(1, 7, (40, 5))
    return np.where(np.arange(5) < rng.integers(1, 6, (40, 1)), words, 0).astype(np.int32)


LAYERS = {
    "SimpleRNN": lambda room: [room.SimpleRNN(4)],
    "LSTM": lambda room: [room.LSTM(4)],
    "GRU": lambda room: [room.GRU(4)],
    "GRU, reset before": lambda room: [room.GRU(4, reset_after=False)],
    "LSTM backwards": lambda room: [room.LSTM(4, go_backwards=True)],
    "two layers": lambda room: [room.GRU(3, return_sequences=True), room.LSTM(3)],
    "stacked cells": lambda room: [room.RNN([room.LSTMCell(3), room.GRUCell(4)])],
    "Bidirectional": lambda room: [
        room.Bidirectional(room.LSTM(3, return_sequences=True)),
        room.Bidirectional(room.GRU(3), merge_mode="ave"),
    ],
    "TimeDistributed": lambda room: [
        room.TimeDistributed(room.Dense(4, "tanh")),
        room.LayerNormalization(),
        room.GlobalAveragePooling1D(),
    ],
    "BatchNormalization": lambda room: [room.BatchNormalization(), room.SimpleRNN(4)],
}


def compiled(kit: Any) -> dict[str, Any]:
    return {"optimizer": kit.optimizers.Adam(0.01), "loss": "mse", "metrics": ["mae"]}


@pytest.mark.parametrize("name", LAYERS)
def test_training_on_padded_sequences_goes_as_in_keras(name: str) -> None:
    def make(kit: Any) -> Any:
        first = [
            kit.layers.Input((5,), dtype="int32"), kit.layers.Embedding(7, 3, mask_zero=True)
        ]  # fmt: skip
        return kit.Sequential([*first, *LAYERS[name](kit.layers), kit.layers.Dense(1)])

    assert_trains_alike(make, compiled, padded_words(), numbers(1))


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU", "Bidirectional"])
def test_training_on_every_step_leaves_masked_steps_out_as_in_keras(name: str) -> None:
    """The mask goes on to the loss and the metrics."""

    def make(kit: Any) -> Any:
        room = kit.layers
        layer = (
            room.Bidirectional(room.LSTM(3, return_sequences=True))
            if name == "Bidirectional"
            else getattr(room, name)(4, return_sequences=True)
        )
        return kit.Sequential([room.Input((5, 3)), room.Masking(), layer, room.Dense(2)])

    def with_metrics(kit: Any) -> dict[str, Any]:
        metrics = ["mae", kit.metrics.CosineSimilarity()]
        return {"optimizer": kit.optimizers.Adam(0.01), "loss": "mse", "metrics": metrics}

    x = numbers(5, 3) * (padded_words() > 0)[..., None]
    assert_trains_alike(make, with_metrics, x, numbers(5, 2, seed=4), validation_split=0.25)


# -- PyTorch, in float64 --------------------------------------------------------------------------


def torch_order(kind: str, array: np.ndarray) -> np.ndarray:
    """Keras's blocks of columns as PyTorch's blocks of rows."""
    blocks = np.split(array, {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}[kind], axis=-1)
    order = {"LSTM": [0, 1, 2, 3], "GRU": [1, 0, 2], "SimpleRNN": [0]}[kind]
    return np.concatenate([blocks[n] for n in order], axis=-1)


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_values_and_gradients_of_pytorch(kind: str) -> None:
    x = RNG.normal(size=(BATCH, STEPS, FEATURES))
    own = getattr(layers, kind)(UNITS, return_sequences=True, return_state=True, dtype="float64")
    own(x)
    own.set_weights([RNG.normal(0, 0.5, w.shape) for w in own.weights])
    kernel, recurrent, bias = own.get_weights()
    biases = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
    theirs = getattr(torch.nn, kind.replace("Simple", ""))(
        FEATURES, UNITS, batch_first=True, dtype=torch.float64
    )
    arrays = [torch_order(kind, kernel).T, torch_order(kind, recurrent).T]
    arrays += [torch_order(kind, part) for part in biases]
    with torch.no_grad():
        for weight, array in zip(theirs.parameters(), arrays, strict=True):
            weight.copy_(torch.tensor(array))

    leaf, ours = torch.tensor(x, requires_grad=True), parameter(x)
    outputs, last = theirs(leaf)
    expected = [outputs, *(state[0] for state in (last if kind == "LSTM" else [last]))]
    found = own(ours)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other.detach().numpy(), rtol=1e-12, atol=1e-13)
    directions = [RNG.normal(size=one.shape) for one in found]
    sum((e * torch.tensor(d)).sum() for e, d in zip(expected, directions, strict=True)).backward()
    sum((f * d).sum() for f, d in zip(found, directions, strict=True)).backward()
    np.testing.assert_allclose(ours.grad.numpy(), leaf.grad.numpy(), rtol=1e-10, atol=1e-12)
    kernel_gradient, recurrent_gradient, *bias_gradients = theirs.parameters()
    for weight, other in zip(own.weights[:2], (kernel_gradient, recurrent_gradient), strict=True):
        gradient = torch_order(kind, weight.grad.numpy()).T
        np.testing.assert_allclose(gradient, other.grad.numpy(), rtol=1e-10, atol=1e-12)
    own_bias = own.weights[2].grad.numpy()
    for row, other in zip(np.atleast_2d(own_bias), bias_gradients, strict=False):
        np.testing.assert_allclose(
            torch_order(kind, row), other.grad.numpy(), rtol=1e-10, atol=1e-12
        )


def test_lengths_of_pytorchs_packed_sequences_are_masks() -> None:
    lengths = np.array([6, 4, 2, 1])
    x = RNG.normal(size=(BATCH, STEPS, FEATURES))
    own = cp.layers.GRU(UNITS, dtype="float64")
    own(x)
    theirs = torch.nn.GRU(FEATURES, UNITS, batch_first=True, dtype=torch.float64)
    kernel, recurrent, bias = own.get_weights()
    arrays = [torch_order("GRU", kernel).T, torch_order("GRU", recurrent).T]
    arrays += [torch_order("GRU", part) for part in bias]
    with torch.no_grad():
        for weight, array in zip(theirs.parameters(), arrays, strict=True):
            weight.copy_(torch.tensor(array))
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.tensor(x), torch.tensor(lengths), batch_first=True
    )
    _, last = theirs(packed)
    found = own(x, mask=np.arange(STEPS) < lengths[:, None])
    np.testing.assert_allclose(found.numpy(), last[0].detach().numpy(), rtol=1e-12, atol=1e-13)
