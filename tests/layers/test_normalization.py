"""Normalization: by the batch, by the sample, by the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clearprop.errors import ArgumentError, DataError, ShapeError
from clearprop.layers import (
    BatchNormalization,
    Dense,
    Input,
    LayerNormalization,
    Normalization,
    Rescaling,
    RMSNormalization,
    UnitNormalization,
)

RNG = np.random.default_rng(8)
X = RNG.normal(5, 3, (64, 4))


def batch_normalization(**arguments: Any) -> BatchNormalization:
    return BatchNormalization(dtype="float64", **arguments)


# -- by the batch -----------------------------------------------------------------------


def test_training_uses_the_batch_and_moves_the_averages() -> None:
    layer = batch_normalization(momentum=0.9, epsilon=0.25)
    y = layer(X, training=True).numpy()
    mean, variance = X.mean(0), X.var(0)
    np.testing.assert_allclose(y, (X - mean) / np.sqrt(variance + 0.25))
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * mean)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * variance)
    layer(X, training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.19 * mean)


def test_inference_uses_the_averages_and_leaves_them() -> None:
    layer = batch_normalization()
    layer(X)
    weights = [np.full(4, number) for number in (2.0, 3.0, 5.0, 4.0)]
    layer.set_weights(weights)
    np.testing.assert_allclose(layer(X).numpy(), 2 * (X - 5) / np.sqrt(4 + 1e-3) + 3)
    for got, given in zip(layer.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(got, given)


def test_a_frozen_layer_normalizes_as_in_inference() -> None:
    layer = batch_normalization()
    layer(X)
    layer.trainable = False
    np.testing.assert_array_equal(layer(X, training=True).numpy(), layer(X).numpy())
    np.testing.assert_array_equal(layer.moving_mean.numpy(), 0)


def test_weights_of_a_batch_normalization() -> None:
    layer = batch_normalization()
    layer(X)
    names = ["gamma", "beta", "moving_mean", "moving_variance"]
    assert [weight.name for weight in layer.weights] == names
    assert [weight.name for weight in layer.trainable_weights] == names[:2]


def test_each_channel_of_an_image_has_its_own_statistics() -> None:
    images = RNG.normal(size=(3, 4, 4, 2)) * np.array([1.0, 10.0]) + 7
    y = batch_normalization(epsilon=0.0)(images, training=True).numpy()
    np.testing.assert_allclose(y.mean((0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(y.std((0, 1, 2)), 1)


def test_drawing_a_model_moves_no_averages() -> None:
    layer = BatchNormalization()
    layer(Dense(4)(Input((3,))), training=True)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), 0)
    np.testing.assert_array_equal(layer.moving_variance.numpy(), 1)


def test_an_axis_that_is_not_there() -> None:
    with pytest.raises(ArgumentError) as caught:
        BatchNormalization(axis=2, name="bn")(X)
    assert str(caught.value).rpartition("\n")[0] == (
        'BatchNormalization "bn": the input does not have these axes, each once\n'
        "  found:  axis=2 for an input with 2 axes\n"
        "  needed: -2 to 1"
    )


# -- by the sample ------------------------------------------------------------------------


def test_layer_normalization_makes_each_sample_standard() -> None:
    y = LayerNormalization(epsilon=0.0, dtype="float64")(X).numpy()
    np.testing.assert_allclose(y.mean(1), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(1), 1)


def test_gamma_and_beta_lie_along_their_axes() -> None:
    x = RNG.normal(size=(2, 3, 4, 5))
    layer = LayerNormalization(axis=(1, 3), dtype="float64")
    layer(x)
    gamma, beta = RNG.normal(size=(2, 3, 5))
    layer.set_weights([gamma, beta])
    mean, variance = x.mean((1, 3), keepdims=True), x.var((1, 3), keepdims=True)
    expected = (x - mean) / np.sqrt(variance + 1e-3) * gamma[:, None] + beta[:, None]
    np.testing.assert_allclose(layer(x).numpy(), expected)


def test_rms_normalization_divides_by_the_root_mean_square() -> None:
    y = RMSNormalization(dtype="float64")(X).numpy()
    np.testing.assert_allclose(y, X / np.sqrt((X**2).mean(1, keepdims=True) + 1e-6))


def test_scales_lie_along_their_axes() -> None:
    x, scale = RNG.normal(size=(2, 3, 4, 5)), RNG.normal(size=(3, 5))
    layer = RMSNormalization(axis=(3, 1), epsilon=0.5, dtype="float64")
    layer(x)
    layer.set_weights([scale])
    root = np.sqrt((x**2).mean((1, 3), keepdims=True) + 0.5)
    np.testing.assert_allclose(layer(x).numpy(), x / root * scale[:, None])


def test_unit_normalization_gives_directions_and_leaves_zeros() -> None:
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(UnitNormalization()(x).numpy(), [[0.6, 0.8], [0.0, 0.0]], rtol=1e-6)


# -- by the data --------------------------------------------------------------------------


def test_adapt_measures_the_data() -> None:
    layer = Normalization(dtype="float64")
    layer.adapt(X)
    y = layer(X).numpy()
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(0), 1)
    back = Normalization(mean=X.mean(0), variance=X.var(0), invert=True, dtype="float64")
    np.testing.assert_allclose(back(y).numpy(), X)


def test_adapt_takes_batches_as_it_takes_the_whole() -> None:
    whole, parts = Normalization(dtype="float64"), Normalization(dtype="float64")
    whole.adapt(X)
    parts.adapt(X[start : start + 10] for start in range(0, len(X), 10))
    for one, other in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(one, other)


def test_adapting_again_forgets_what_was_before() -> None:
    layer = Normalization(dtype="float64")
    layer.adapt(X + 100)
    layer.adapt(X.tolist())
    np.testing.assert_allclose(layer.adapted_mean.numpy(), X.mean(0))


def test_what_never_varies_becomes_zero() -> None:
    layer = Normalization()
    layer.adapt([[7.0], [7.0]])
    assert layer([[7.0]]).tolist() == [[0.0]]


def test_statistics_are_not_trained() -> None:
    layer = Normalization()
    layer.adapt(X)
    assert layer.trainable_weights == []
    assert layer.count.dtype == np.int32


def test_adapt_refuses_what_it_cannot_use() -> None:
    with pytest.raises(DataError, match="there is no data to measure"):
        Normalization().adapt(np.zeros((0, 3)))
    with pytest.raises(ArgumentError, match="its mean and variance were told"):
        Normalization(mean=0.0, variance=1.0).adapt(X)
    layer = Normalization()
    layer.adapt(X)
    with pytest.raises(ShapeError, match="the data does not fit the inputs it was built for"):
        layer.adapt(X[:, :2])
    with pytest.raises(ShapeError, match="batches of the data have different lengths"):
        Normalization().adapt([X, X[:, :2]])


@pytest.mark.parametrize(
    "arguments",
    [{"mean": 1.0}, {"mean": [1.0], "variance": 1.0}, {"mean": [[1.0]], "variance": [[1.0]]}],
)
def test_mean_and_variance_are_told_together(arguments: Any) -> None:
    with pytest.raises(ArgumentError, match="mean and variance are told together"):
        Normalization(**arguments)


def test_a_mean_that_does_not_fit() -> None:
    with pytest.raises(ShapeError, match="the mean that was told does not fit the input"):
        Normalization(mean=[1.0, 2.0], variance=[1.0, 1.0])(X)


def test_pixels_become_floats() -> None:
    pixels = np.array([[0, 255]], np.uint8)
    y = Rescaling(1 / 255)(pixels)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.numpy(), [[0.0, 1.0]])
