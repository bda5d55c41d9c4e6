"""Dropout and noise: what they do in training, and that the mean stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clearprop.errors import ArgumentError, ShapeError
from clearprop.functions import grad
from clearprop.layers import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    Layer,
    SpatialDropout1D,
    SpatialDropout2D,
)

ONES = np.ones((200, 100), np.float32)


def trained(layer: Layer, x: Any = ONES) -> np.ndarray:
    return np.asarray(layer(x, training=True).numpy())


def test_dropped_elements_are_zero_and_the_others_grow() -> None:
    y = trained(Dropout(0.2))
    assert set(np.unique(y)) == {np.float32(0), np.float32(1.25)}
    assert np.mean(y == 0) == pytest.approx(0.2, abs=0.01)


def test_the_gradient_is_dropped_as_the_element_is() -> None:
    layer = Dropout(0.5, seed=1)
    factors: list[Any] = []

    def total(x: Any) -> Any:
        factors.append(layer(x, training=True))
        return factors[0].sum()

    slope = grad(total)(ONES).numpy()
    assert set(np.unique(slope)) == {np.float32(0), np.float32(2)}


def test_a_noise_shape_joins_decisions() -> None:
    y = trained(Dropout(0.5, noise_shape=(None, 1)))
    assert all(len(np.unique(row)) == 1 for row in y)
    assert len(np.unique(y[:, 0])) == 2


def test_each_call_and_each_draw_is_new() -> None:
    layer = Dropout(0.5)
    assert not np.array_equal(trained(layer), trained(layer))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_spatial_dropout_drops_whole_channels(data_format: str) -> None:
    y = trained(SpatialDropout2D(0.5, data_format=data_format), np.ones((4, 6, 6, 6), np.float32))
    pixels = (1, 2) if data_format == "channels_last" else (2, 3)
    np.testing.assert_array_equal(y.min(pixels), y.max(pixels))
    assert set(np.unique(y)) == {0.0, 2.0}


def test_gaussian_noise_has_its_deviation() -> None:
    noise = trained(GaussianNoise(0.5)) - 1
    assert noise.mean() == pytest.approx(0, abs=0.02)
    assert noise.std() == pytest.approx(0.5, abs=0.02)


def test_gaussian_dropout_has_the_deviation_of_dropout() -> None:
    y = trained(GaussianDropout(0.2), 2 * ONES)
    assert y.mean() == pytest.approx(2, abs=0.03)
    assert y.std() == pytest.approx(2 * 0.5, abs=0.03)


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    x = np.random.default_rng(0).normal(size=(400, 100))
    y = trained(AlphaDropout(0.3), x)
    assert y.mean() == pytest.approx(0, abs=0.03)
    assert y.std() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("make", [Dropout, AlphaDropout, GaussianDropout, SpatialDropout1D])
@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, "half", None, True])
def test_a_rate_is_a_probability_below_one(make: Any, rate: Any) -> None:
    with pytest.raises(ArgumentError) as caught:
        make(rate, name="drop")
    assert str(caught.value).rpartition("\n")[0] == (
        f'{make.__name__} "drop": rate is out of its range\n'
        f"  found:  rate={rate!r}\n"
        "  needed: 0 <= rate < 1"
    )


def test_noise_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ArgumentError, match="the noise shape is a tuple"):
        Dropout(0.5, noise_shape="ab")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="noise_shape is a whole number above 0"):
        Dropout(0.5, noise_shape=(None, 0))
    with pytest.raises(ShapeError) as caught:
        trained(Dropout(0.5, noise_shape=(None, 7)))
    assert str(caught.value).rpartition("\n")[0] == (
        'Dropout "dropout": the noise shape does not fit the input\n'
        "  found:  noise_shape=(None, 7) for x: f32[200, 100]\n"
        "  needed: 2 lengths, each the input's own, 1 or None"
    )


def test_other_arguments_are_checked() -> None:
    with pytest.raises(ArgumentError, match="the seed is a whole number"):
        Dropout(0.5, seed=-1)
    with pytest.raises(ArgumentError, match="there is no such data format"):
        SpatialDropout2D(0.5, data_format="channel_last")
    with pytest.raises(ArgumentError, match="stddev is out of its range"):
        GaussianNoise(-1.0)
    with pytest.raises(ShapeError, match=r"the input has 2 axes, it takes 3"):
        SpatialDropout1D(0.5)(ONES)
