"""Layers with Keras's weights do what Keras's layers do: outputs, statistics, gradients."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import torch

from clearprop import layers, regularizers
from clearprop.layers import Layer
from clearprop.layers.mode import direct_mode
from clearprop.tensor import Tensor, parameter
from tests.layers.cases import CASES, Case

# Keras warns of its own argument, which is compared all the same.
pytestmark = pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`:UserWarning")

RNG = np.random.default_rng(21)
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}
clearprop_rooms = SimpleNamespace(layers=layers, regularizers=regularizers)
OURS_ALONE = {"SinusoidalPositionalEncoding", "LearnedPositionalEncoding"}
COMPARED = [case for case in CASES if case.cls not in OURS_ALONE]
each_case = pytest.mark.parametrize("case", COMPARED, ids=str)


def nest(arrays: list[Any]) -> Any:
    return arrays if len(arrays) > 1 else arrays[0]


def arrays_of(case: Case) -> list[np.ndarray]:
    inputs = case.inputs()
    return inputs if isinstance(inputs, list) else [inputs]


def pair(case: Case) -> tuple[Layer, Any]:
    """Our layer and Keras's, with the same weights, different from the first ones."""
    theirs, own = getattr(keras.layers, case.cls)(**case.arguments), case.layer()
    arrays = arrays_of(case)
    if case.cls == "Normalization" and "mean" not in case.arguments:
        theirs.adapt(arrays[0])
    else:
        theirs(nest(arrays))
        theirs.set_weights([RNG.uniform(0.2, 1.5, w.shape) for w in theirs.weights])
    own(nest(arrays))
    own.set_weights(theirs.get_weights())
    return own, theirs


@each_case
def test_names_and_shapes_of_weights(case: Case) -> None:
    own, theirs = pair(case)
    assert [(w.name, w.shape) for w in own.weights] == [
        (w.name, tuple(w.shape)) for w in theirs.weights
    ]
    assert [w.name for w in own.trainable_weights] == [w.name for w in theirs.trainable_weights]


@each_case
@pytest.mark.parametrize("training", [False, True])
def test_outputs_gradients_and_statistics(case: Case, training: bool) -> None:
    if training and case.is_random:
        return  # other random numbers: compared by their statistics in tests/layers
    own, theirs = pair(case)
    arrays = arrays_of(case)
    floating = [array.dtype.kind == "f" for array in arrays]

    leaves = [
        torch.tensor(array, requires_grad=is_float)
        for array, is_float in zip(arrays, floating, strict=True)
    ]
    takes_training = "training" in inspect.signature(theirs.call).parameters
    expected = theirs(nest(leaves), **({"training": training} if takes_training else {}))
    direction = RNG.normal(size=tuple(expected.shape)).astype(np.float32)
    (expected * torch.tensor(direction)).sum().backward()

    inputs = [
        parameter(array) if is_float else array
        for array, is_float in zip(arrays, floating, strict=True)
    ]
    got = own(nest(inputs), training=training)
    (got * direction).sum().backward()

    np.testing.assert_allclose(got.numpy(), expected.detach().numpy(), **TOLERANCE)
    for x, leaf in zip(inputs, leaves, strict=True):
        if isinstance(x, Tensor):
            compare(x, leaf)
    for weight, variable in zip(own.trainable_weights, theirs.trainable_weights, strict=True):
        compare(weight, variable.value)
    for new, expected_new in zip(own.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(new, expected_new, **TOLERANCE)


def compare(x: Tensor, leaf: Any) -> None:
    """The gradients of both."""
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), leaf.grad.numpy(), rtol=1e-4, atol=2e-5)


def test_a_frozen_batch_normalization_does_not_learn() -> None:
    own, theirs = pair(Case("BatchNormalization"))
    own.trainable = theirs.trainable = False
    x = RNG.normal(size=(8, 6)).astype(np.float32)
    expected = theirs(x, training=True).detach().numpy()
    np.testing.assert_allclose(own(x, training=True).numpy(), expected, **TOLERANCE)
    for new, expected_new in zip(own.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(new, expected_new, **TOLERANCE)


@pytest.mark.parametrize("shape", [(4, 6), (3, 5, 4)])
def test_penalties_on_activity(shape: tuple[int, ...]) -> None:
    x = RNG.normal(size=shape).astype(np.float32)
    makers = [
        lambda room: room.layers.Dense(3, activity_regularizer=room.regularizers.L1L2(0.1, 0.2)),
        lambda room: room.layers.ActivityRegularization(l1=0.3, l2=0.1),
    ]
    for make in makers:
        theirs, own = make(keras), make(clearprop_rooms)
        theirs(x)
        own(x)
        own.set_weights(theirs.get_weights())
        mode = direct_mode(True)
        with mode.active():
            own(x)
        (loss,) = mode.losses
        np.testing.assert_allclose(loss.numpy(), theirs.losses[0].detach().numpy(), rtol=1e-5)


def test_adapt_measures_what_keras_measures() -> None:
    x = RNG.normal(3, 5, (50, 4)).astype(np.float32)
    for axis in (-1, None, (0, 1)):
        own, theirs = layers.Normalization(axis), keras.layers.Normalization(axis)
        own.adapt(x)
        theirs.adapt(x)
        for got, expected in zip(own.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-5)


ARGUMENTS_OF_LATER_WORK = {  # constraints, renormalization, and what wraps a layer here
    *("kernel_constraint", "bias_constraint", "alpha_constraint", "embeddings_constraint"),
    *("depthwise_constraint", "pointwise_constraint"),
    *("beta_constraint", "gamma_constraint", "weights", "synchronized"),
    *("renorm", "renorm_clipping", "renorm_momentum"),
    *("lora_rank", "lora_alpha", "quantization_config", "gptq_unpacked_column_size"),
}


RECURRENT = {"SimpleRNN", "LSTM", "GRU"}  # their arguments: tests/reference/test_recurrent


@pytest.mark.parametrize("name", sorted({case.cls for case in COMPARED} - RECURRENT))
def test_arguments_and_defaults(name: str) -> None:
    own = inspect.signature(getattr(layers, name).__init__).parameters
    theirs = inspect.signature(getattr(keras.layers, name).__init__).parameters
    plain = [
        parameter
        for parameter in theirs.values()
        if parameter.kind is not parameter.VAR_KEYWORD
        and parameter.name not in ARGUMENTS_OF_LATER_WORK | {"self", "name", "dtype"}
    ]
    if name == "Conv3DTranspose":  # here alone, Keras has two of them the other way round
        plain[4:6] = plain[5:3:-1]
    for place, parameter_ in enumerate(plain, start=1):
        assert list(own)[place] == parameter_.name
        default = own[parameter_.name].default
        expected = parameter_.default
        expected = expected.lower() if isinstance(expected, str) else expected
        assert one_for_all(default) == one_for_all(expected)


def one_for_all(value: Any) -> Any:
    """(2, 2), one number for each axis, says what 2 says."""
    while isinstance(value, tuple) and len(set(value)) == 1:
        (value,) = set(value)
    return value


# Initial weights: the same distributions.


@pytest.mark.parametrize(
    ("case", "weight"),
    [
        (Case("Dense", {"units": 300}, ((2, 500),)), "kernel"),
        (Case("Embedding", {"input_dim": 500, "output_dim": 300}, ((2, 2),), 9), "embeddings"),
    ],
    ids=str,
)
def test_first_numbers_have_the_same_distribution(case: Case, weight: str) -> None:
    own, theirs = case.layer(), getattr(keras.layers, case.cls)(**case.arguments)
    own(case.inputs())
    theirs(case.inputs())
    got, expected = (np.sort(layer.get_weights()[0].ravel()) for layer in (own, theirs))
    np.testing.assert_allclose(got, expected, atol=0.02 * expected.max())
