"""Layers and losses that do not belong together are told, and those that do are left alone."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop import losses
from clearprop.errors import ArgumentError, ShapeError, UnknownNameError

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


def test_an_accuracy_of_numbers_is_doubtful() -> None:
    x = np.ones((6, 2), np.float32)
    model = cp.Sequential([cp.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["accuracy"])
    with pytest.warns(UserWarning, match='"mae" tells how far off the predictions are'):
        model.fit(x, np.linspace(0, 1, 6, dtype=np.float32), verbose=0)
    model.fit(x, np.array([0.0, 1, 0, 1, 0, 1], np.float32), verbose=0)  # may be classes


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_a_class_that_only_the_validation_has_is_told(loss: str) -> None:
    x, y = np.ones((9, 2), np.float32), np.repeat([0, 1, 2], 3)
    targets = y if loss.startswith("sparse") else np.eye(3, dtype=np.float32)[y]
    model = cp.Sequential([cp.layers.Dense(3, "softmax")])
    model.compile("sgd", loss)
    with pytest.warns(UserWarning, match="class 2 is only among them"):
        model.fit(x, targets, validation_split=0.34, verbose=0)
    model.fit(x, targets[[0, 3, 6, 1, 4, 7, 2, 5, 8]], validation_split=0.34, verbose=0)


def test_an_unknown_metric_is_refused_by_compile() -> None:
    model = cp.Sequential([cp.layers.Dense(1)])
    for wrong in (["acuracy"], {"output": ["acuracy"]}, "acuracy", [["mae", "acuracy"]]):
        with pytest.raises(UnknownNameError, match=r"acuracy.*did you mean"):
            model.compile("sgd", "mse", metrics=wrong)


def test_axes_that_nobody_flattened_are_told() -> None:
    for loss, units in (("mse", 1), ("sparse_categorical_crossentropy", 3)):
        last = cp.layers.Dense(units, None if units == 1 else "softmax")
        model = cp.Sequential([cp.layers.Input((4, 5)), last])
        model.compile("sgd", loss)
        with pytest.raises(ShapeError, match=r"put Flatten\(\) before the last Dense"):
            model.fit(np.ones((6, 4, 5), np.float32), np.zeros(6, np.int64), verbose=0)


def test_swapped_targets_and_predictions_are_told() -> None:
    loss = cp.losses.SparseCategoricalCrossentropy()
    with pytest.raises(ShapeError, match="y_true comes first, then y_pred"):
        loss(np.full((4, 3), 1 / 3), np.array([0.0, 1, 2, 0]))


def test_a_bar_in_a_pipe_becomes_lines(capsys: pytest.CaptureFixture[str]) -> None:
    model = cp.Sequential([cp.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones(4), epochs=2, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/2", "epoch 2/2"]


def test_unknown_arguments_of_models_are_told() -> None:
    sequential: Any = cp.Sequential
    with pytest.raises(ArgumentError, match='Sequential: there is no argument "layer"'):
        sequential(layer=[dense(1)])
    x, functional = given((4,)), cp.Model
    with pytest.raises(ArgumentError, match='did you mean "outputs"'):
        functional(inputs=x, output=dense(1)(x))
