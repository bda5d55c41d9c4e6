"""Layers on images: what they refuse, and what Keras on PyTorch does not show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clearprop import layers
from clearprop.errors import ArgumentError, ClearPropError, ShapeError, UnsupportedError
from clearprop.layers import Input

PICTURE = np.arange(2 * 5 * 4 * 3, dtype=np.float32).reshape(2, 5, 4, 3)


def told(caught: pytest.ExceptionInfo[BaseException]) -> str:
    """The message without its line."""
    return str(caught.value).rpartition("\n")[0]


def windows_of(x: np.ndarray, pool: int, stride: int) -> list[list[list[np.ndarray]]]:
    """The parts of images that "same" windows see, cut at the borders."""
    rows = [range(-(-size // stride)) for size in x.shape[1:3]]
    low = [max((-(-size // stride) - 1) * stride + pool - size, 0) // 2 for size in x.shape[1:3]]
    return [
        [
            [
                image[
                    max(i * stride - low[0], 0) : i * stride - low[0] + pool,
                    max(j * stride - low[1], 0) : j * stride - low[1] + pool,
                ]
                for j in rows[1]
            ]
            for i in rows[0]
        ]
        for image in x
    ]


@pytest.mark.parametrize(("pool", "stride"), [(2, 2), (3, 2), (2, 1), (4, 3), (5, 5)])
def test_same_pooling_looks_only_at_what_is_there(pool: int, stride: int) -> None:
    x = np.random.default_rng(0).normal(size=(2, 7, 6, 3)).astype(np.float32)
    for kind, function in (("Max", np.max), ("Average", np.mean)):
        layer = getattr(layers, f"{kind}Pooling2D")(pool, stride, "same")
        expected = [
            [[function(part, (0, 1)) for part in row] for row in image]
            for image in windows_of(x, pool, stride)
        ]
        np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_a_layer_can_pad_by_numbers() -> None:
    layer = layers.Conv2D(1, 3, padding=((1, 0), (2, 2)))
    assert layer(PICTURE).shape == (2, 4, 6, 1)
    assert layer.get_config()["padding"] == ((1, 0), (2, 2))


def test_images_of_unknown_size_keep_it_unknown() -> None:
    x = Input((None, None, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same")(x)
    x = layers.MaxPooling2D()(x)
    assert x.shape == (None, None, None, 8)
    assert layers.GlobalAveragePooling2D()(x).shape == (None, 8)


def test_channels_in_front_are_refused_with_the_way_out() -> None:
    with pytest.raises(UnsupportedError) as caught:
        layers.Conv2D(8, 3, data_format="channels_first")
    assert told(caught) == (
        'Conv2D "conv2d": the channels are the last axis of images here\n'
        "  found:  data_format='channels_first'\n"
        "  needed: inputs (batch, rows, columns, channels)\n"
        "  try:    Permute((2, 3, 1)) as the first layer moves the channels of each sample"
    )


def test_the_rule_of_sizes_stands_in_the_error_of_a_model() -> None:
    x = layers.Conv2D(4, 3)(Input((4, 4, 1)))
    with pytest.raises(ShapeError) as caught:
        layers.Conv2D(4, 3, name="second")(x)
    lines = str(caught.value).splitlines()
    assert lines[:4] == [
        "convolution: the window does not fit on axis 1",
        "  found:  W = 2 elements, a window of F = 3, padding 2P = 0, stride S = 1",
        "  needed: N = (W - F + 2P)/S + 1 of at least 1; (2 - 3 + 0)/1 + 1 = 0",
        '  try:    padding="same", a smaller window, or larger inputs',
    ]
    assert "test_spatial.py" in lines[4]
    assert lines[4].endswith("in second")


def test_another_number_of_channels_is_refused() -> None:
    layer = layers.Conv2D(8, 3, name="c")
    layer(PICTURE)
    with pytest.raises(ShapeError) as caught:
        layer(PICTURE[..., :2])
    assert told(caught) == (
        'Conv2D "c": the input has 2 channels, the weights were built for 3\n'
        "  found:  x: f32[2, 5, 4, 2]\n"
        "  needed: (batch, ..., ..., 3)\n"
        "  try:    check the layer before it, or rebuild the model"
    )


def test_grey_images_without_their_axis_of_channels() -> None:
    with pytest.raises(ShapeError) as caught:
        layers.Conv2D(8, 3, name="c")(np.zeros((2, 28, 28), np.float32))
    assert told(caught) == (
        'Conv2D "c": the input has 3 axes, it takes 4\n'
        "  found:  an input of shape (2, 28, 28)\n"
        "  needed: (batch, rows, columns, channels)\n"
        "  try:    x[..., None] for one channel, or x[None] for a batch of one sample"
    )


MISTAKES: list[tuple[Any, type[ClearPropError], str]] = [
    (lambda: layers.Conv2D(0, 3), ArgumentError, "filters is a whole number above 0"),
    (lambda: layers.Conv2D(8, 0), ArgumentError, "kernel_size is a whole number of at least 1"),
    (lambda: layers.Conv2D(8, (3, 3, 3)), ArgumentError, "or one for each axis"),
    (lambda: layers.Conv2D(8, 3, "same"), ArgumentError, "strides is a whole number"),
    (lambda: layers.Conv2D(8, 3, padding="causal"), ArgumentError, "no such padding"),
    (lambda: layers.Conv2D(8, 3, groups=2)(PICTURE), ShapeError, "do not make 2 equal groups"),
    (lambda: layers.Conv2D(8, 3, groups=3)(PICTURE), ShapeError, "do not make 3 equal groups"),
    (lambda: layers.Conv2DTranspose(8, 3, padding=1), ArgumentError, "it has no such padding"),
    (lambda: layers.Conv2DTranspose(8, 3, 2, output_padding=2), ArgumentError, "less than one"),
    (lambda: layers.MaxPooling2D(8)(PICTURE), ShapeError, "does not fit on axis 1"),
    (lambda: layers.MaxPooling1D()(PICTURE), ShapeError, "it takes 3"),
    (lambda: layers.ZeroPadding2D((1, 2, 3)), ArgumentError, "padding is a number of places"),
    (lambda: layers.ZeroPadding1D(-1), ArgumentError, "padding is a number of places"),
    (lambda: layers.Cropping2D(2)(PICTURE), ShapeError, "nothing would be left"),
    (lambda: layers.UpSampling2D(0), ArgumentError, "size is a whole number of at least 1"),
    (lambda: layers.UpSampling2D(2, interpolation="cubic"), ArgumentError, "no such interpol"),
    (lambda: layers.GroupNormalization(2)(PICTURE), ShapeError, "do not make 2 equal groups"),
    (lambda: layers.GroupNormalization(1, axis=0)(PICTURE), ArgumentError, "is the batch"),
    (lambda: layers.GlobalMaxPooling2D("first"), ArgumentError, "no such data format"),
]


@pytest.mark.parametrize(("call", "error", "part"), MISTAKES)
def test_a_mistake_is_named(call: Any, error: type[ClearPropError], part: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert part in str(caught.value)
    assert "test_spatial.py" in caught.value.at
