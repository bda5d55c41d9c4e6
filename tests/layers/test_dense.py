"""Dense: g(x @ W + b) with its weights, penalties and errors."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop.errors import ArgumentError, ShapeError
from clearprop.layers import Dense
from clearprop.layers.mode import direct_mode
from clearprop.regularizers import L1, L2

X = np.array([[1.0, 2.0, 3.0], [-1.0, 0.0, 1.0]], np.float32)


def test_the_formula() -> None:
    layer = Dense(2, activation="relu")
    layer(X)
    kernel, bias = np.arange(6.0).reshape(3, 2) - 2, np.array([0.5, -0.5])
    layer.set_weights([kernel, bias])
    np.testing.assert_allclose(layer(X).numpy(), np.maximum(X @ kernel + bias, 0))
    rows = np.stack([X, X + 1])
    np.testing.assert_allclose(layer(rows).numpy(), np.maximum(rows @ kernel + bias, 0))


def test_weights_start_as_the_docstring_says() -> None:
    layer = Dense(300)
    layer(np.zeros((1, 500), np.float32))
    assert [(w.name, w.shape) for w in layer.weights] == [("kernel", (500, 300)), ("bias", (300,))]
    limit = np.sqrt(6 / 800)
    kernel = layer.kernel.numpy()
    assert limit * 0.99 < np.abs(kernel).max() <= limit
    assert abs(kernel.mean()) < limit / 100
    assert not layer.get_weights()[1].any()


def test_a_penalty_on_activity_counts_once_per_sample() -> None:
    layer = Dense(2, kernel_initializer="ones", activity_regularizer=L2(0.5))
    mode = direct_mode(True)
    with mode.active():
        outputs = layer(X)
    (loss,) = mode.losses
    np.testing.assert_allclose(loss.numpy(), 0.5 * (outputs.numpy() ** 2).sum() / 2)


def test_regularizers_sit_on_their_weights() -> None:
    layer = Dense(2, kernel_regularizer="l2", bias_regularizer=L1(0.3))
    layer(X)
    assert isinstance(layer.kernel.regularizer, L2)
    assert layer.bias is not None
    assert isinstance(layer.bias.regularizer, L1)


def test_no_initializer_is_the_default_one() -> None:
    plain, none = Dense(2), Dense(2, kernel_initializer=None)
    np.testing.assert_array_equal(plain(X).numpy(), none(X).numpy())


def test_another_number_of_features_is_refused() -> None:
    layer = Dense(10, name="hidden_2")
    layer(np.zeros((2, 100), np.float32))
    with pytest.raises(ShapeError) as caught:
        layer(np.zeros((32, 784), np.float32))
    text, _, place = str(caught.value).rpartition("\n")
    assert text == (
        'Dense "hidden_2": the input has 784 features, the weights were built for 100\n'
        "  found:  x: f32[32, 784]\n"
        "  needed: (batch, 100)\n"
        "  try:    check the layer before it, or rebuild the model"
    )
    assert place.startswith(f"  at:     {__file__}:")
    assert place.endswith(" in hidden_2")


def test_a_single_sample_is_no_batch() -> None:
    with pytest.raises(ShapeError) as caught:
        Dense(10)(np.zeros(4, np.float32))
    assert str(caught.value).rpartition("\n")[0] == (
        'Dense "dense": the input has 1 axis, it takes 2 or more\n'
        "  found:  an input of shape (4,)\n"
        "  needed: (batch, features)\n"
        "  try:    x[None] for a batch of one sample"
    )


def test_the_number_of_features_must_be_known() -> None:
    with pytest.raises(ShapeError, match="depend on a length that is not known"):
        Dense(3).build((None, None))


@pytest.mark.parametrize("units", [0, -3, 2.5, "10", None, True])
def test_units_are_a_whole_number_above_zero(units: object) -> None:
    with pytest.raises(ArgumentError) as caught:
        Dense(units, name="out")  # type: ignore[arg-type]
    assert str(caught.value).rpartition("\n")[0] == (
        'Dense "out": units is a whole number above 0\n'
        f"  found:  units={units!r}\n"
        "  needed: for example units=32"
    )
    assert Dense(np.int64(3)).units == 3  # type: ignore[arg-type]


def test_an_unknown_activation_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match='there is none called "rulu"'):
        Dense(3, activation="rulu")
