"""Models and samples that mistakes are made with, and what every error must do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import ClearPropError

dense, given = cp.layers.Dense, cp.layers.Input
_random = np.random.default_rng(0)
X = _random.normal(size=(12, 4)).astype(np.float32)
Y = np.arange(12) % 3
NUMBERS = X[:, 0]


def changed(array: Any, place: Any, value: float) -> Any:
    other = np.array(array, np.float64)
    other[place] = value
    return other


def net(units: int = 3, activation: str | None = "softmax", loss: Any = None) -> cp.Model:
    """Three classes by default."""
    layers = [dense(5, "relu", name="hidden"), dense(units, activation, name="last")]
    model = cp.Sequential([given((4,)), *layers], name="net")
    model.compile("adam", loss or "sparse_categorical_crossentropy")
    return model


def price() -> cp.Model:
    return net(1, None, "mse")


def two() -> cp.Model:
    left, right = given((4,), name="left"), given((4,), name="right")
    both = cp.layers.Concatenate()([left, right])
    outputs = [dense(1, name="price")(both), dense(3, "softmax", name="kind")(both)]
    model = cp.Model([left, right], outputs, name="two")
    model.compile("adam", ["mse", "sparse_categorical_crossentropy"])
    return model


def bare() -> cp.Model:
    """Neither compiled nor built."""
    return cp.Sequential([dense(3, "softmax")], name="bare")


def one_softmax() -> cp.Model:
    return net(1, "softmax", "binary_crossentropy")


def chance() -> cp.Model:
    return net(1, "sigmoid", "binary_crossentropy")


def three_sigmoids() -> cp.Model:
    return net(3, "sigmoid")


def logits() -> cp.Model:
    return net(3, None)


def assert_told(
    mistake: Callable[[cp.Model], Any],
    model: cp.Model,
    told: tuple[type[ClearPropError], str, str, str, str],
) -> None:
    """The error has these words, and names the line at which the mistake was made."""
    kind, doing, found, needed, try_ = told
    with pytest.raises(ClearPropError) as caught:
        mistake(model)
    error = caught.value
    assert type(error) is kind
    assert (error.doing, error.found, error.try_) == (doing, found, try_)
    if needed.endswith(", ..."):  # a list that grows with the library
        assert error.needed.startswith(needed.removesuffix("..."))
    else:
        assert error.needed == needed
    code = mistake.__code__
    lines = {line for _, _, line in code.co_lines() if line}
    assert error.at.split(" in ")[0] in {f"{code.co_filename}:{line}" for line in lines}


def assert_trains_as_new(model: cp.Model, make: Callable[[], cp.Model]) -> None:
    """Bit for bit as a model that never saw a mistake."""
    new = make()
    for each in (model, new):
        if model.output_names == ["price", "kind"]:
            each.fit([X, X], [NUMBERS, Y], verbose=0)
        else:
            each.fit(X, NUMBERS if make is price else Y, verbose=0)
    for one, other in zip(model.get_weights(), new.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
