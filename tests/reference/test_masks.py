"""Masks go through layers as in Keras, and the layers compute the same with them."""

from __future__ import annotations

import itertools
from typing import Any

import keras
import numpy as np
import pytest
import torch

from clearprop import layers
from clearprop.errors import ArgumentError
from clearprop.layers.masks import masks_of
from clearprop.tensor import Tensor
from tests.reference.pairs import assert_trains_alike, numbers

RNG = np.random.default_rng(9)
X = RNG.normal(size=(3, 5, 4)).astype(np.float32)
X[0, 3:] = X[1, 1] = X[2, :2] = 0
ROOMS = (layers, keras.layers)
ONE_INPUT: list[tuple[str, tuple[Any, ...]]] = [
    ("Dense", (3,)), ("Activation", ("relu",)), ("ReLU", ()), ("LeakyReLU", ()), ("PReLU", ()),
    ("ELU", ()), ("Dropout", (0.4,)), ("AlphaDropout", (0.3,)), ("SpatialDropout1D", (0.2,)),
    ("GaussianNoise", (0.1,)), ("GaussianDropout", (0.1,)), ("ActivityRegularization", ()),
    ("BatchNormalization", ()), ("LayerNormalization", ()), ("UnitNormalization", ()),
    ("GroupNormalization", (2,)), ("Rescaling", (2.0,)), ("Identity", ()),
    ("GlobalAveragePooling1D", ()), ("LSTM", (2,)), ("GRU", (2,)), ("SimpleRNN", (2,)),
]  # fmt: skip
LOST_IN_KERAS: list[tuple[str, tuple[Any, ...]]] = [
    ("Flatten", ()), ("Reshape", ((4, 5),)), ("Permute", ((2, 1),)), ("GlobalMaxPooling1D", ()),
    ("Conv1D", (2, 2)), ("MaxPooling1D", ()), ("AveragePooling1D", (2,)), ("ZeroPadding1D", ()),
    ("UpSampling1D", ()), ("Cropping1D", ()),
]  # fmt: skip
MERGES = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"]


def mask_of(value: Any) -> Any:
    mask = masks_of(value) if isinstance(value, Tensor) else getattr(value, "_keras_mask", None)
    return None if mask is None else mask.numpy().tolist()


def numbers_of(value: Any) -> np.ndarray:
    return value.numpy() if isinstance(value, Tensor) else value.detach().numpy()


def assert_same(own: Any, theirs: Any) -> None:
    np.testing.assert_allclose(numbers_of(own), numbers_of(theirs), rtol=1e-5, atol=1e-5)
    assert mask_of(own) == mask_of(theirs)


@pytest.mark.parametrize(("name", "arguments"), ONE_INPUT)
def test_layers_that_take_or_pass_masks(name: str, arguments: tuple[Any, ...]) -> None:
    masked = [room.Masking()(X) for room in ROOMS]
    assert_same(*masked)
    own, theirs = (getattr(room, name)(*arguments) for room in ROOMS)
    own(X)
    theirs(X)
    own.set_weights(theirs.get_weights())
    assert_same(own(masked[0]), theirs(masked[1]))


@pytest.mark.filterwarnings("ignore:Layer:UserWarning")
@pytest.mark.parametrize(("name", "arguments"), LOST_IN_KERAS)
def test_where_keras_loses_a_mask_there_is_an_error(name: str, arguments: tuple[Any, ...]) -> None:
    own, theirs = (getattr(room, name)(*arguments) for room in ROOMS)
    assert mask_of(theirs(keras.layers.Masking()(X))) is None
    with pytest.raises(ArgumentError, match="the mask of its input would be lost"):
        own(layers.Masking()(X))


def test_batch_statistics_leave_masked_steps_out() -> None:
    own, theirs = (room.BatchNormalization() for room in ROOMS)
    assert_same(
        own(layers.Masking()(X), training=True), theirs(keras.layers.Masking()(X), training=True)
    )
    for one, other in zip(own.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_softmax_with_a_mask_of_every_element() -> None:
    mask = RNG.random(X.shape) < 0.6
    own, theirs = layers.Softmax()(X, mask=mask), keras.layers.Softmax()(X, mask=torch.tensor(mask))
    assert_same(own, theirs)


@pytest.mark.parametrize("name", [*MERGES, "Concatenate"])
@pytest.mark.parametrize("masked", list(itertools.product([False, True], repeat=2)))
def test_merging_layers(name: str, masked: tuple[bool, bool]) -> None:
    other = RNG.normal(size=X.shape).astype(np.float32)
    other[:, 2:4] = 0
    results = []
    for room in ROOMS:
        inputs = [
            room.Masking()(x) if has_mask else room.Rescaling(1.0)(x)
            for x, has_mask in zip((X, other), masked, strict=True)
        ]
        results.append(getattr(room, name)()(inputs))
    assert_same(*results)


def test_concatenating_steps_concatenates_masks() -> None:
    results = []
    for room in ROOMS:
        parts = [room.Masking()(X), room.Rescaling(1.0)(X[:, :2])]
        results.append(room.Concatenate(axis=1)(parts))
    assert_same(*results)


def test_a_dot_product_ends_masks() -> None:
    results = [room.Dot(axes=2)([room.Masking()(X), room.Masking()(X)]) for room in ROOMS]
    assert_same(*results)


def test_a_functional_model_with_masked_branches_trains_as_in_keras() -> None:
    def make(kit: Any) -> Any:
        room = kit.layers
        x = room.Input((5, 3))
        masked = room.Masking()(x)
        left = room.LSTM(4, return_sequences=True)(masked)
        right = room.Dense(4, "tanh")(masked)
        merged = room.LayerNormalization()(room.Add()([left, right]))
        mean = room.GlobalAveragePooling1D()(room.Multiply()([merged, right]))
        return kit.Model(x, [room.Dense(2, name="steps")(merged), room.Dense(1, name="one")(mean)])

    def compiled(kit: Any) -> dict[str, Any]:
        return {"optimizer": kit.optimizers.Adam(0.01), "loss": ["mse", "mae"]}

    x = numbers(5, 3) * (np.arange(5) < RNG.integers(1, 6, (40, 1)))[..., None]
    assert_trains_alike(make, compiled, x.astype(np.float32), [numbers(5, 2, seed=1), numbers(1)])
