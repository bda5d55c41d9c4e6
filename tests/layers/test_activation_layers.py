"""Activations as layers, and slopes that are learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clearprop import activations, layers
from clearprop.errors import ArgumentError
from clearprop.functions import grad
from clearprop.ir.value import Value
from clearprop.layers.mode import direct_mode

X = np.array([[-2.0, -0.5, 0.0, 3.0]], np.float32)


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        (layers.Activation("mish"), activations.mish),
        (layers.ReLU(2.0, 0.1, 0.5), lambda x: activations.relu(x, 0.1, 2.0, 0.5)),
        (layers.LeakyReLU(), lambda x: activations.leaky_relu(x, 0.3)),
        (layers.ELU(0.5), lambda x: activations.elu(x, 0.5)),
        (layers.Softmax(), activations.softmax),
    ],
)
def test_layers_are_their_functions(layer: layers.Layer, function: Any) -> None:
    np.testing.assert_array_equal(layer(X).numpy(), function(X).numpy())


def test_a_layer_can_be_an_activation() -> None:
    layer = layers.Dense(4, activation=layers.PReLU(alpha_initializer="ones"))
    layer(X)
    assert [weight.name for weight in layer.weights] == ["kernel", "bias", "alpha"]


def test_slopes_are_learned() -> None:
    layer = layers.PReLU(alpha_initializer=0.25)
    np.testing.assert_array_equal(layer(X).numpy(), [[-0.5, -0.125, 0.0, 3.0]])
    layer(X).sum().backward()
    assert layer.alpha.grad is not None
    np.testing.assert_array_equal(layer.alpha.grad.numpy(), [-2.0, -0.5, 0.0, 0.0])
    slope = grad(lambda x: layer(x).sum())(X).numpy()
    np.testing.assert_array_equal(slope, [[0.25, 0.25, 0.25, 1.0]])


def test_shared_slopes_have_length_one() -> None:
    layer = layers.PReLU(shared_axes=(1, 2))
    layer(np.zeros((2, 5, 6, 3), np.float32))
    assert layer.alpha.shape == (1, 1, 3)
    with pytest.raises(ArgumentError, match="the input does not have these axes"):
        layers.PReLU(shared_axes=4)(np.zeros((2, 5), np.float32))


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.ReLU(max_value=-1.0),
        lambda: layers.ReLU(negative_slope=-0.1),
        lambda: layers.ReLU(threshold=-1.0),
        lambda: layers.LeakyReLU(None),
    ],
)
def test_arguments_out_of_range_are_refused(make: Any) -> None:
    with pytest.raises(ArgumentError, match="is out of its range"):
        make()


def test_activity_is_penalized_per_sample() -> None:
    mode = direct_mode(True)
    with mode.active():
        layers.ActivityRegularization(l1=0.5, l2=0.25)(np.repeat(X, 3, 0))
    (loss,) = mode.losses
    assert isinstance(loss, Value)
    np.testing.assert_allclose(loss.numpy(), 0.5 * 5.5 + 0.25 * 13.25)
