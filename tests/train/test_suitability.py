"""Layers and losses that do not belong together are told, and those that do are left alone."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop import losses
from clearprop.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
Y = np.arange(12) % 3
dense, given = cp.layers.Dense, cp.layers.Input


def model_with(*layers: Any, loss: Any = "mse") -> cp.Model:
    model = cp.Sequential([given((4,)), *layers])
    model.compile("sgd", loss)
    return model


FITTING: dict[str, tuple[Any, Any, Any]] = {
    "softmax": (dense(3, "softmax"), "sparse_categorical_crossentropy", Y),
    "a layer of softmax": (cp.layers.Softmax(), "sparse_categorical_crossentropy", Y),
    "logits": (dense(3), losses.SparseCategoricalCrossentropy(from_logits=True), Y),
    "sigmoid": (dense(1, "sigmoid"), "binary_crossentropy", Y % 2),
    "several sigmoids": (dense(3, "sigmoid"), "binary_crossentropy", np.eye(3)[Y]),
    "a binary logit": (dense(1), losses.BinaryCrossentropy(from_logits=True), Y % 2),
    "overlap of anything": (dense(1), "dice", (Y % 2).astype(np.float32)),
    "an activation of one's own": (
        dense(3, lambda x: cp.softmax(x)), "sparse_categorical_crossentropy", Y
    ),
    "hinge": (dense(1), "hinge", Y % 2),
}  # fmt: skip


@pytest.mark.parametrize("case", FITTING)
def test_what_belongs_together_trains(case: str) -> None:
    last, loss, y = FITTING[case]
    model = model_with(dense(4, "relu"), last, loss=loss)
    assert np.isfinite(model.fit(X, y, verbose=0).history["loss"]).all()


UNFIT: dict[str, tuple[Any, Any, str]] = {
    "softmax over one": (dense(1, "softmax"), "mse", "softmax over one unit"),
    "a layer of softmax over logits": (
        cp.layers.Softmax(), losses.SparseCategoricalCrossentropy(from_logits=True), "again"
    ),
    "an activation layer": (
        cp.layers.Activation("sigmoid"), losses.BinaryCrossentropy(from_logits=True), "again"
    ),
    "relu for classes": (dense(3, "relu"), "sparse_categorical_crossentropy", "no probabilities"),
    "relu for two classes": (dense(1, "relu"), "binary_crossentropy", "no probabilities"),
    "tanh for classes": (dense(3, "tanh"), "categorical_crossentropy", "no probabilities"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
def test_what_does_not_is_refused_before_training(case: str) -> None:
    last, loss, words = UNFIT[case]
    model = model_with(dense(4, "relu"), last, loss=loss)
    before = model.get_weights()
    with pytest.raises(ArgumentError, match="does not suit the loss") as caught:
        model.fit(X, np.eye(3)[Y] if loss == "categorical_crossentropy" else Y % 2)
    assert words in caught.value.found
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


# -- linear layers in a row ------------------------------------------------------------------------


def warned(model: cp.Model, y: Any) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y, verbose=0)
    return caught


def test_two_linear_layers_in_a_row_are_warned_of_at_the_users_line() -> None:
    (warning,) = warned(model_with(dense(5, name="first"), dense(1, name="second")), X[:, 0])
    assert str(warning.message) == (
        'layer "first" is linear: together with "second" right after it, it can do no more than '
        'one layer; give it an activation, e.g. activation="relu"'
    )
    assert warning.filename == __file__


@pytest.mark.parametrize(
    "layers",
    [
        [dense(5, "relu"), dense(1)],
        [dense(5), cp.layers.ReLU(), dense(1)],
        [dense(5), cp.layers.Dropout(0.1), dense(1, "sigmoid")],
        [dense(1)],
    ],
)
def test_other_stacks_are_not(layers: list[Any]) -> None:
    assert warned(model_with(*layers), np.ones(12)) == []


def test_heads_beside_each_other_do_not_follow_one_another() -> None:
    x = given((4,))
    model = cp.Model(x, [dense(1)(x), dense(1)(x)])
    model.compile("sgd", "mse")
    assert warned(model, [X[:, 0]] * 2) == []
    middle = dense(3)(x)
    seen = cp.Model(x, [middle, dense(1)(middle)])  # what the first gives is an output too
    seen.compile("sgd", "mse")
    assert warned(seen, [X[:, :3], X[:, 0]]) == []
    hidden = cp.Model(x, dense(1)(dense(3)(x)))
    hidden.compile("sgd", "mse")
    assert len(warned(hidden, X[:, 0])) == 1


def test_asking_a_model_warns_of_nothing() -> None:
    model = model_with(dense(5), dense(1))
    assert set(model.evaluate(X, X[:, 0])) == {"loss"}
    assert model.predict(X).shape == (12, 1)
