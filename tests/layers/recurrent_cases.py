"""Sequences with a mask, and recurrent layers with weights, for tests of what is made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearprop.layers import GRU, LSTM, SimpleRNN

X = np.random.default_rng(3).normal(size=(3, 5, 2))
MASK = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 0, 0], [1] * 5], bool)
KINDS: dict[str, Any] = {"SimpleRNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}


def made(kind: str, **options: Any) -> Any:
    """A layer in float64 whose weights are not the first ones."""
    layer = KINDS[kind](4, dtype="float64", **options)
    layer(X[:2] if options.get("stateful") else X)
    layer.set_weights([np.random.default_rng(7).normal(size=w.shape) for w in layer.weights])
    layer.reset_state()
    return layer


def assert_equal(found: Any, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-14)
