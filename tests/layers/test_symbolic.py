"""Symbolic Tensors: calls on a batch of unknown size are recorded, and replayed."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import ArgumentError, LabelError, ShapeError, TraceError
from clearprop.ir.program import equations_under
from clearprop.layers import BatchNormalization, Dense, Dropout, Embedding, Input, Layer
from clearprop.layers.symbolic import SymbolicTensor, calls_under

X = np.ones((2, 3), np.float32)


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def test_calls_on_a_symbolic_tensor_are_recorded() -> None:
    x = Input((4,), name="x")
    hidden = Dense(3, name="h")(x)
    out = cp.exp(hidden) * 2 + hidden[:, :1]
    assert (x.shape, hidden.shape, out.shape) == ((None, 4), (None, 3), (None, 3))
    names = [
        getattr(c.function, "name", None) or c.function.__name__ for c in calls_under([out], [x])
    ]
    assert names == ["h", "exp", "multiply", "index", "add"]
    model = cp.Model(x, out)
    batch = np.arange(8, dtype=np.float32).reshape(2, 4) / 8
    weights, bias = (weight.numpy() for weight in model.weights)
    inside = batch @ weights + bias
    expected = np.exp(inside) * 2 + inside[:, :1]
    np.testing.assert_allclose(model(batch).numpy(), expected, rtol=1e-6)


def test_the_length_of_an_input_may_be_a_number_of_numpy() -> None:
    assert repr(Input((np.prod([2, 3]),))) == "<symbolic f32(None, 6)>"


def test_unknown_lengths_stay_unknown_and_apart() -> None:
    x = Input((None, None, 3))
    assert x.shape == (None, None, None, 3)
    assert cp.transpose(x, (0, 2, 1, 3)).shape == (None, None, None, 3)
    assert x[:, ::7, :5].shape == (None, None, 5, 3)
    assert x.sum(axis=1).shape == (None, None, 3)
    assert cp.reshape(x, (-1, 3)).shape == (None, 3)
    with pytest.raises(ShapeError):  # two unknown lengths are not the same one
        x + cp.transpose(x, (0, 2, 1, 3))
    with pytest.raises(ShapeError):  # nor is an unknown length a known one
        x + np.ones((1, 4, 1, 1))


def test_elements_have_the_type_that_was_asked_for() -> None:
    words = Input((5,), dtype="int64")
    assert words.dtype == np.int64
    embedded = Embedding(10, 3)(words)
    assert (embedded.shape, embedded.dtype) == ((None, 5, 3), np.float32)
    assert (words > 2).dtype == np.bool_


def test_recording_draws_no_weights_and_updates_none() -> None:
    normalization = BatchNormalization()
    normalization(Input((3,)), training=True)
    assert normalization.built
    assert normalization.moving_mean._numbers is None
    assert normalization.moving_mean.numpy().tolist() == [0.0] * 3


def test_arrays_meet_symbolic_tensors_on_either_side() -> None:
    x, array = Input((3,)), np.ones(3, np.float32)
    for result in (x + array, array + x, array * x, x / array, array - x, x @ np.ones((3, 2))):
        assert isinstance(result, SymbolicTensor)
    assert (array > x).dtype == np.bool_


def test_a_layer_may_give_several_results() -> None:
    class Parts(Layer):
        def call(self, inputs: Any) -> Any:
            return {"low": inputs[:, :1], "high": (inputs[:, 1:], inputs.sum())}

    parts = Parts()(Input((3,)))
    assert parts["low"].shape == (None, 1)
    assert parts["high"][0].shape == (None, 2)
    assert parts["high"][1].shape == ()


def test_a_wrong_shape_fails_at_the_line_that_draws_it() -> None:
    x = Input((3,))
    with pytest.raises(ShapeError) as error:
        x + np.ones(4)
    assert error.value.at == f"{__file__}:{line() - 1}"
    layer = Dense(2)
    layer(x)
    with pytest.raises(ShapeError) as error:
        layer(Input((7,)))
    assert error.value.at.startswith(f"{__file__}:{line() - 1}")


def test_a_symbolic_tensor_has_no_numbers() -> None:
    x = Input((3,), name="x")
    with pytest.raises(TraceError) as error:
        np.asarray(x)
    assert str(error.value) == (
        "Asking a symbolic Tensor for numbers: it has none, it only draws the model\n"
        "  found:  <symbolic x: f32(None, 3)>\n"
        "  needed: an operation or a layer\n"
        "  try:    build model = cp.Model(inputs, outputs) and call model.predict(x)\n"
        f"  at:     {__file__}:{line() - 6}"
    )
    with pytest.raises(TraceError) as error:
        bool(x[0, 0] > 1)
    assert str(error.value) == (
        "Deciding by a symbolic Tensor: it has no numbers, it only draws the model\n"
        "  found:  <symbolic bool()>\n"
        "  needed: an operation or a layer\n"
        "  try:    choose with cp.where(condition, a, b)\n"
        f"  at:     {__file__}:{line() - 6}"
    )
    with pytest.raises(TraceError) as error:
        list(x)
    assert str(error.value) == (
        "Going through a symbolic Tensor: its first axis is a batch of unknown size\n"
        "  found:  <symbolic x: f32(None, 3)>\n"
        "  needed: an operation on the whole batch\n"
        "  try:    take a column with x[:, 0]\n"
        f"  at:     {__file__}:{line() - 6}"
    )


def test_an_input_needs_a_shape() -> None:
    with pytest.raises(ArgumentError) as error:
        Input(4)  # type: ignore[arg-type]
    assert str(error.value) == (
        "Input: the shape of one sample is a tuple of whole numbers\n"
        "  found:  shape=4\n"
        "  needed: for example (4,) or (28, 28, 1)\n"
        "  try:    Input((4,))\n"
        f"  at:     {__file__}:{line() - 6}"
    )
    for wrong in ((-1,), (2.5,), ("a",)):
        with pytest.raises(ArgumentError, match="whole numbers"):
            Input(wrong)  # type: ignore[arg-type]
    assert Input(()).shape == (None,)


def test_an_index_outside_of_a_known_length_is_refused() -> None:
    with pytest.raises(LabelError):
        Input((3,))[:, 3]


def test_training_is_recorded_with_the_call() -> None:
    x = Input((50,))
    model = cp.Model(x, Dropout(0.5)(x, training=True))
    assert not np.array_equal(model(np.ones((1, 50), np.float32)).numpy(), np.ones((1, 50)))


def test_a_functional_model_names_the_line_of_each_call_and_its_layer() -> None:
    x = Input((3,))
    hidden = Dense(2, name="hidden")(x)
    at = f"{__file__}:{line() - 1}"
    model = cp.Model(x, hidden * 2)
    output = model(X)
    places = {str(each.place) for each in equations_under([output], lambda _: False)}
    assert any(place.startswith(at) and place.endswith("/hidden") for place in places)
