"""Initializers and regularizers compute what Keras's do, as far as nothing is random."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras.src.initializers.random_initializers import compute_fans

from clearprop import initializers, regularizers
from clearprop.initializers import fans
from clearprop.tensor import tensor

FIXED: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("Zeros", {}, (2, 3)),
    ("Ones", {}, (2, 3)),
    ("Constant", {"value": 2.5}, (2, 3)),
    ("Identity", {"gain": 3.0}, (4, 2)),
    *(
        ("STFT", {"side": side, "window": window, "scaling": scaling, "periodic": periodic}, shape)
        for side in ("real", "imag")
        for window, scaling, periodic, shape in [
            ("hann", "density", False, (16, 1, 9)),
            ("hamming", "spectrum", True, (16, 1, 9)),
            ("blackman", None, True, (12, 1, 17)),
            ("bartlett", "density", False, (15, 1, 9)),
            ("boxcar", "spectrum", True, (15, 1, 9)),
            ("cosine", "density", True, (8, 1, 5)),
            ("nuttall", "density", True, (8, 1, 5)),
            ("blackmanharris", "density", False, (9, 1, 5)),
            ("flattop", "density", True, (9, 1, 5)),
            (None, "density", False, (9, 1, 5)),
        ]
    ),
]
RANDOM = [
    *("RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Orthogonal"),
    *("GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform"),
]


@pytest.mark.parametrize(("name", "arguments", "shape"), FIXED)
def test_fixed_numbers_are_those_of_keras(
    name: str, arguments: dict[str, Any], shape: tuple[int, ...]
) -> None:
    found = getattr(initializers, name)(**arguments)(shape)
    expected = getattr(keras.initializers, name)(**arguments)(shape)
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected), rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", RANDOM)
def test_random_numbers_are_spread_as_those_of_keras(name: str) -> None:
    shape = (300, 200)
    found = getattr(initializers, name)(seed=1)(shape).ravel()
    theirs = getattr(keras.initializers, name)(seed=1)(shape)
    expected = keras.ops.convert_to_numpy(theirs).ravel()
    places = np.linspace(0.01, 0.99, 50)
    distance = np.abs(np.quantile(found, places) - np.quantile(expected, places)).max()
    assert distance < 0.03 * expected.std()


@pytest.mark.parametrize("name", ["Constant", "STFT", *RANDOM])
def test_arguments_and_defaults_are_those_of_keras(name: str) -> None:
    ours = getattr(initializers, name)().get_config()
    theirs = getattr(keras.initializers, name)().get_config()
    theirs["seed"] = None  # Keras draws one
    assert ours == {key: theirs[key] for key in ours}
    assert set(theirs) - set(ours) <= {"seed"}


@pytest.mark.parametrize("shape", [(), (5,), (5, 7), (3, 5, 7), (3, 3, 16, 32), (2, 3, 4, 5, 6)])
def test_fans_are_those_of_keras(shape: tuple[int, ...]) -> None:
    assert fans(shape) == compute_fans(shape)
    axes = {"input_axes": list(range(len(shape))), "output_axes": [0] if shape else []}
    assert fans(shape, **axes) == compute_fans(shape, **axes)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("L1", {}),
        ("L2", {"l2": 0.3}),
        ("L1L2", {"l1": 0.1, "l2": 0.2}),
        ("L1L2", {}),
        ("OrthogonalRegularizer", {}),
        ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
    ],
)
def test_penalties_are_those_of_keras(name: str, arguments: dict[str, Any]) -> None:
    weight = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    found = getattr(regularizers, name)(**arguments)(tensor(weight))
    expected = getattr(keras.regularizers, name)(**arguments)(keras.ops.convert_to_tensor(weight))
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
