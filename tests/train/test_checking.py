"""``model.check_gradients`` finds right gradients right and wrong ones wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import ArgumentError, NotBuiltError
from tests.train.nets import CLASSES, X, classifier, two_ended


def test_the_gradients_of_a_whole_model_are_right() -> None:
    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    before = model.get_weights()
    assert model.check_gradients(X[:6], CLASSES[:6])
    assert model.check_gradients(X[:6])
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_two_inputs_and_outputs_are_checked_together() -> None:
    model = two_ended()
    model.compile("sgd", {"price": "mse", "kind": "sparse_categorical_crossentropy"})
    y = {"price": X[:6, 0], "kind": CLASSES[:6]}
    assert model.check_gradients([X[:6], X[6:12]], y)


class Careless(cp.layers.Layer):
    """Its value is x + x, its gradient that of x."""

    def call(self, inputs: Any) -> Any:
        return inputs + cp.stop_gradient(inputs)


def test_a_wrong_gradient_is_found() -> None:
    model = cp.Sequential([cp.layers.Input((5,)), cp.layers.Dense(2, "tanh"), Careless()])
    assert not model.check_gradients(X[:6])


def test_a_model_without_weights_cannot_be_checked() -> None:
    with pytest.raises(NotBuiltError, match="check_gradients"):
        cp.Sequential([cp.layers.Dense(2)]).check_gradients(X)


class Named(cp.Model):
    """A subclass that takes its inputs in a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = cp.layers.Dense(1)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs["left"]) * inputs["right"]


def test_a_subclass_that_takes_a_dict_is_checked() -> None:
    model, inputs = Named(), {"left": X[:3], "right": X[:3, :1]}
    model(inputs)
    report = model.check_gradients(inputs)
    assert report
    assert len(report.rows) == 4


def test_a_loss_that_layers_add_cannot_be_checked_with_targets() -> None:
    model = cp.Sequential([cp.layers.Dense(2, activity_regularizer="l2")])
    model.compile("sgd")
    model(X)
    with pytest.raises(ArgumentError, match="without a loss that could be checked"):
        model.check_gradients(X, X[:, :2])
