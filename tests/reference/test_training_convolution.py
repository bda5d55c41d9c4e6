"""Convolutional networks learn step by step what Keras's learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.reference.pairs import assert_trains_alike, labels, numbers


def _lenet(library: Any) -> list[Any]:
    layers = library.layers
    return [
        layers.Input((8, 8, 1)),
        layers.Conv2D(4, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(6, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(3, activation="softmax"),
    ]


def _strided(library: Any) -> list[Any]:
    layers = library.layers
    return [
        layers.Input((9, 7, 2)),
        layers.ZeroPadding2D(((0, 1), (1, 0))),
        layers.Conv2D(6, (3, 2), strides=2, groups=2, kernel_regularizer="l2"),
        layers.GroupNormalization(3),
        layers.Activation("relu"),
        layers.DepthwiseConv2D(2, depth_multiplier=2),
        layers.AveragePooling2D(2, strides=1, padding="valid"),
        layers.SeparableConv2D(4, 2, padding="same", activation="tanh"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3, activation="softmax"),
    ]


def _sequences(library: Any) -> list[Any]:
    layers = library.layers
    return [
        layers.Input((10, 3)),
        layers.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu"),
        layers.MaxPooling1D(3, strides=2),
        layers.Conv1DTranspose(3, 3, strides=2, activation="tanh"),
        layers.GlobalMaxPooling1D(),
        layers.Dense(3, activation="softmax"),
    ]


def _volumes(library: Any) -> list[Any]:
    layers = library.layers
    return [
        layers.Input((4, 6, 5, 1)),
        layers.Conv3D(3, 2, dilation_rate=(1, 2, 1), activation="relu"),
        layers.MaxPooling3D((1, 2, 2)),
        layers.UpSampling3D((1, 2, 1)),
        layers.Cropping3D(((0, 1), (0, 0), (1, 0))),
        layers.GlobalAveragePooling3D(),
        layers.Dense(3, activation="softmax"),
    ]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize(
    ("stack", "shape"),
    [
        (_lenet, (8, 8, 1)),
        (_strided, (9, 7, 2)),
        (_sequences, (10, 3)),
        (_volumes, (4, 6, 5, 1)),
    ],
)
def test_a_convolutional_network_trains_alike(
    stack: Callable[[Any], list[Any]], shape: tuple[int, ...], optimizer: str
) -> None:
    assert_trains_alike(
        lambda library: library.Sequential(stack(library)),
        lambda library: {
            "optimizer": optimizer,
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
        },
        numbers(*shape),
        labels(3),
    )
