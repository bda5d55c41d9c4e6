"""What every layer promises, on the table of layers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from clearprop import layers, registry
from clearprop.errors import ArgumentError, ShapeError
from clearprop.functions import check_gradients
from clearprop.ir.value import Value
from clearprop.layers import Input, Layer
from clearprop.layers.mode import Mode
from clearprop.ops.random import words
from clearprop.tensor import Tensor, tensor
from tests.layers.cases import CASES, Case

each_case = pytest.mark.parametrize("case", CASES, ids=str)
ON_THEIR_OWN = {"MultiHeadAttention", "GroupQueryAttention"}  # called on several arguments
CELLS = {"SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells"}  # called with states
HOLDERS = {"RNN", "Bidirectional", "TimeDistributed"}  # their arguments are layers
NOT_IN_THE_TABLE = {"Layer", "Input", *ON_THEIR_OWN, *CELLS, *HOLDERS}


def numbers(result: Any) -> np.ndarray:
    return np.asarray(result.numpy())


def mode(training: bool, seed: int = 5, step: int = 7) -> Mode:
    return Mode(training, Tensor.leaf(words(seed)), Tensor.leaf(words(step)))


def run(layer: Layer, inputs: Any, *, seed: int = 5, step: int = 7) -> np.ndarray:
    """The layer in training, at one step of one seed."""
    with mode(True, seed, step).active():
        return numbers(layer(inputs))


def test_every_layer_is_in_the_table() -> None:
    assert {case.cls for case in CASES} | NOT_IN_THE_TABLE == set(layers.__all__)


@each_case
def test_a_described_layer_can_be_rebuilt(case: Case) -> None:
    layer = case.layer(name="it", trainable=False, dtype="float64")
    description = registry.describe(layer)
    assert json.loads(json.dumps(description)) == description
    again = registry.rebuild(description)
    assert type(again) is type(layer)
    assert registry.describe(again) == description
    assert (again.name, again.trainable, again.dtype) == ("it", False, np.dtype("float64"))
    inputs = case.inputs(np.float64)
    np.testing.assert_array_equal(numbers(again(inputs)), numbers(layer(inputs)))


@each_case
def test_an_argument_that_no_layer_has_is_refused(case: Case) -> None:
    with pytest.raises(ArgumentError, match="no_such_argument"):
        case.layer(no_such_argument=1)


@each_case
def test_gradients_can_be_measured(case: Case) -> None:
    layer = case.layer(dtype="float64")
    inputs = case.inputs(np.float64)
    layer(inputs)
    if not case.high:
        assert check_gradients(lambda x: layer(x), inputs)
    assert check_gradients(lambda x: layer(x, training=True), inputs)


@each_case
def test_types_stay(case: Case) -> None:
    for dtype in (np.float32, np.float64):
        layer = case.layer(dtype=dtype)
        for training in (False, True):
            assert layer(case.inputs(dtype), training=training).dtype == dtype
        assert {w.dtype for w in layer.weights if w.dtype.kind == "f"} <= {np.dtype(dtype)}


@each_case
def test_a_symbolic_call_knows_the_shape(case: Case) -> None:
    layer = case.layer()
    dtype = "int32" if case.high else None
    symbols = [Input(shape[1:], dtype=dtype) for shape in case.shapes]
    symbol = layer(symbols if len(symbols) > 1 else symbols[0])
    shape = layer(case.inputs()).shape
    assert symbol.shape == (None, *shape[1:])


@each_case
def test_empty_batches_pass(case: Case) -> None:
    if case.cls.startswith("Batch"):
        return  # statistics of no samples are NaN
    empty = [(0, *shape[1:]) for shape in case.shapes]
    dtype = np.int32 if case.high else np.float32
    arrays = [np.zeros(shape, dtype) for shape in empty]
    result = case.layer()(arrays if len(arrays) > 1 else arrays[0], training=True)
    assert result.shape[0] == 0


@each_case
def test_random_numbers_follow_from_seed_position_and_step(case: Case) -> None:
    layer, inputs = case.layer(), case.inputs()
    first = run(layer, inputs)
    np.testing.assert_array_equal(run(layer, inputs), first)
    has_own_seed = "seed" in case.arguments
    assert np.array_equal(run(layer, inputs, step=8), first) != case.is_random
    assert np.array_equal(run(layer, inputs, seed=6), first) != (
        case.is_random and not has_own_seed
    )
    if case.is_random:
        assert not np.array_equal(run(layers_in(layer), inputs), first)


def layers_in(layer: Layer) -> Layer:
    """The same layer at another position: second in a layer of two."""

    class _Outer(Layer):
        def __init__(self) -> None:
            super().__init__()
            self.parts = [layers.Identity(), layer]

        def call(self, inputs: Any) -> Any:
            return layer(inputs)

    return _Outer()


@each_case
def test_inference_draws_nothing(case: Case) -> None:
    layer, inputs = case.layer(), case.inputs()
    np.testing.assert_array_equal(numbers(layer(inputs)), numbers(layer(inputs)))
    if case.is_random:
        np.testing.assert_array_equal(numbers(layer(inputs)), inputs)


@each_case
def test_weights_come_back_as_they_were_set(case: Case) -> None:
    layer = case.layer()
    layer(case.inputs())
    assert len({weight.name for weight in layer.weights}) == len(layer.weights)
    for weight in layer.weights:
        name = attribute_of(weight.name)
        assert any(getattr(each, name, None) is weight for each in layer.all_layers())
    arrays = [np.ones(w.shape, w.dtype) * n for n, w in enumerate(layer.weights)]
    layer.set_weights(arrays)
    for got, given in zip(layer.get_weights(), arrays, strict=True):
        np.testing.assert_array_equal(got, given)


def attribute_of(name: str) -> str:
    return {"mean": "adapted_mean", "variance": "adapted_variance"}.get(name, name)


@each_case
def test_build_makes_the_weights_that_a_call_would(case: Case) -> None:
    shapes = [(None, *shape[1:]) for shape in case.shapes]
    built, called = case.layer(), case.layer()
    built.build(shapes if len(shapes) > 1 else shapes[0])
    assert built.built
    called(case.inputs())
    before = built.get_weights()
    built(case.inputs())
    for one, other in zip(before, called.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(before, built.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@each_case
def test_lists_and_tensors_are_inputs_too(case: Case) -> None:
    layer, inputs = case.layer(), case.inputs()
    expected = numbers(layer(inputs))
    several = isinstance(inputs, list)
    tensors: Any = [tensor(x) for x in inputs] if several else tensor(inputs)
    np.testing.assert_array_equal(numbers(layer(tensors)), expected)
    if not several:
        np.testing.assert_allclose(numbers(layer(inputs.tolist())), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if "Norm" in case.cls and "mean" not in case.arguments],
    ids=str,
)
def test_normalizations_refuse_another_number_of_features(case: Case) -> None:
    layer = case.layer()
    layer(case.inputs())
    if not layer.weights:
        return
    other = [tuple(n + 1 for n in shape) for shape in case.shapes]
    with pytest.raises(ShapeError, match=r"features, the weights were built for \d"):
        layer(np.zeros(other[0], np.float32))


@each_case
def test_losses_are_added_only_by_those_who_have_them(case: Case) -> None:
    layer = case.layer()
    with mode(True).active() as active:
        layer(case.inputs())
    assert all(isinstance(loss, Value) and loss.shape == () for loss in active.losses)
    assert bool(active.losses) == (case.cls == "ActivityRegularization")
