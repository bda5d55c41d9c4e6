"""Initializers: functions of key, seed, shape and dtype, spread as they say."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from clearprop import initializers
from clearprop.errors import ArgumentError, DTypeError, ShapeError, UnknownNameError
from clearprop.initializers import Initializer, VarianceScaling, fans, window_values
from clearprop.ir.value import Array
from clearprop.registry import describe, rebuild

KEY = np.array([3, 4], np.uint32)
MATRIX = (300, 200)
ALL = [
    name
    for name in initializers.__all__
    if isinstance(getattr(initializers, name), type)
    and issubclass(getattr(initializers, name), Initializer)
    and name not in {"Initializer", "RandomInitializer"}
]
RANDOM = [name for name in ALL if getattr(initializers, name).is_random]


def drawn(name: str, dtype: str = "float64", key: Array = KEY, **arguments: Any) -> Array:
    shape = (16, 1, 9) if name == "STFT" else MATRIX
    return getattr(initializers, name)(**arguments)(shape, dtype, key)


# -- what the numbers are a function of ----------------------------------------------------


@pytest.mark.parametrize("name", RANDOM)
def test_the_key_decides_the_numbers(name: str) -> None:
    assert np.array_equal(drawn(name), drawn(name))
    assert not np.isclose(drawn(name), drawn(name, key=KEY + np.uint32(1))).any(axis=1).all()


@pytest.mark.parametrize("name", RANDOM)
def test_an_own_seed_goes_before_the_key(name: str) -> None:
    other = KEY + np.uint32(1)
    assert np.array_equal(drawn(name, seed=7), drawn(name, key=other, seed=7))
    assert not np.array_equal(drawn(name, seed=7), drawn(name, seed=8))
    assert not np.array_equal(drawn(name, seed=7), drawn(name))


@pytest.mark.parametrize("name", ALL)
def test_float32_numbers_are_the_rounded_float64_numbers(name: str) -> None:
    narrow, wide = drawn(name, "float32"), drawn(name, "float64")
    assert (narrow.dtype, wide.dtype) == (np.float32, np.float64)
    assert np.array_equal(narrow, wide.astype("float32"))


def test_direct_calls_draw_other_numbers_each_time() -> None:
    initializer = initializers.RandomNormal()
    assert not np.array_equal(initializer((5,)), initializer((5,)))
    assert not np.array_equal(initializer((5,)), initializers.RandomNormal()((5,)))


def test_a_program_that_runs_again_draws_the_same() -> None:
    code = (
        "from clearprop import initializers as i;"
        "print(i.RandomNormal()((3,)).tolist(), i.HeNormal()((2, 2)).tolist())"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]


def test_these_numbers_are_drawn_on_every_machine() -> None:
    uniform = initializers.RandomUniform(0.0, 1.0, seed=0)((3,), "float64")
    normal = initializers.RandomNormal(0.0, 1.0, seed=0)((3,), "float64")
    np.testing.assert_allclose(uniform, UNIFORM, rtol=1e-12)
    np.testing.assert_allclose(normal, NORMAL, rtol=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_a_described_initializer_draws_the_same(name: str) -> None:
    initializer = getattr(initializers, name)()
    again = rebuild(describe(initializer))
    assert type(again) is type(initializer)
    shape = (16, 1, 9) if name == "STFT" else MATRIX
    assert np.array_equal(again(shape, None, KEY), initializer(shape, None, KEY))
    assert again.get_config() == initializer.get_config()


# -- fixed numbers -----------------------------------------------------------------------------


def test_fixed_numbers() -> None:
    assert initializers.Zeros()((2,)).tolist() == [0.0, 0.0]
    assert initializers.Ones()((2,), "int64").tolist() == [1, 1]
    assert initializers.Constant(2)((1, 2)).tolist() == [[2.0, 2.0]]
    assert initializers.Constant([1.0, 2.0])((2, 2)).tolist() == [[1.0, 2.0], [1.0, 2.0]]
    assert initializers.Identity(2.0)((2, 3)).tolist() == [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    assert initializers.Ones()(()).shape == ()
    assert initializers.RandomNormal()((0, 3)).shape == (0, 3)


def test_a_fourier_kernel_computes_a_fourier_transform() -> None:
    signal, window = np.random.default_rng(0).normal(size=16), window_values("hann", 16)
    real, imaginary = (
        initializers.STFT(side, scaling=None)((16, 1, 9), "float64")[:, 0]
        for side in ("real", "imag")
    )
    expected = np.fft.rfft(signal * window)
    np.testing.assert_allclose(signal @ real + 1j * (signal @ imaginary), expected, atol=1e-12)


def test_windows_are_scaled_to_energy_or_to_sum() -> None:
    for scaling, size in (("density", lambda w: (w**2).sum()), ("spectrum", np.sum)):
        kernel = initializers.STFT(scaling=scaling)((16, 1, 9), "float64")
        assert size(kernel[:, 0, 0]) == pytest.approx(1.0)


@pytest.mark.parametrize("length", [1, 2, 7, 8])
@pytest.mark.parametrize("name", ["boxcar", "hann", "hamming", "blackman", "bartlett", "cosine"])
def test_windows_are_symmetric_and_one_period_is_the_longer_window_without_its_end(
    name: str, length: int
) -> None:
    symmetric = window_values(name, length)
    np.testing.assert_allclose(symmetric, symmetric[::-1], atol=1e-15)
    if length > 1:
        longer = window_values(name, length + 1)[:-1]
        np.testing.assert_allclose(window_values(name, length, periodic=True), longer, atol=1e-15)


# -- random numbers ------------------------------------------------------------------------------


def assert_moments(array: Array, mean: float, stddev: float) -> None:
    error = 5 * stddev / math.sqrt(array.size)
    assert abs(array.mean() - mean) < error
    assert abs(array.std() - stddev) < error


def test_normal_numbers() -> None:
    array = drawn("RandomNormal", mean=1.0, stddev=2.0)
    assert_moments(array, 1.0, 2.0)
    inside = (np.abs(array - 1) < 2).mean()
    assert inside == pytest.approx(0.6827, abs=0.01)


def test_uniform_numbers() -> None:
    array = drawn("RandomUniform", minval=-1.0, maxval=3.0)
    assert -1 <= array.min() < -0.99
    assert 2.99 < array.max() <= 3
    assert_moments(array, 1.0, 4 / math.sqrt(12))


def test_truncated_normal_numbers() -> None:
    array = drawn("TruncatedNormal", mean=1.0, stddev=2.0)
    assert np.abs(array - 1).max() <= 4
    assert_moments(array, 1.0, 2 * 0.8796256610342398)


@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform"])
@pytest.mark.parametrize(("mode", "count"), [("fan_in", 300), ("fan_out", 200), ("fan_avg", 250)])
def test_the_variance_follows_from_the_number_of_inputs_or_outputs(
    mode: str, count: float, distribution: str
) -> None:
    array = VarianceScaling(3.0, mode, distribution)(MATRIX, "float64", KEY)
    assert_moments(array, 0.0, math.sqrt(3.0 / count))
    limits = {"truncated_normal": 2 / 0.8796256610342398, "uniform": math.sqrt(3)}
    if distribution in limits:
        assert np.abs(array).max() <= limits[distribution] * math.sqrt(3.0 / count)


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("GlorotNormal", 2 / 500),
        ("GlorotUniform", 2 / 500),
        ("HeNormal", 2 / 300),
        ("HeUniform", 2 / 300),
        ("LecunNormal", 1 / 300),
        ("LecunUniform", 1 / 300),
    ],
)
def test_named_scalings(name: str, variance: float) -> None:
    assert_moments(drawn(name), 0.0, math.sqrt(variance))


def test_fans() -> None:
    assert fans(()) == (1, 1)
    assert fans((7,)) == (7, 7)
    assert fans((5, 7)) == (5, 7)
    assert fans((3, 3, 16, 32)) == (144, 288)
    assert fans((4, 5, 6), input_axes=[0], output_axes=[1, 2]) == (4, 30)


@pytest.mark.parametrize("shape", [(20, 8), (8, 20), (8, 8), (3, 2, 5, 7), (2, 3, 30)])
def test_orthogonal_matrices_are_orthogonal(shape: tuple[int, ...]) -> None:
    matrix = initializers.Orthogonal(2.0)(shape, "float64", KEY).reshape(-1, shape[-1]) / 2
    tall = matrix if len(matrix) >= shape[-1] else matrix.T
    np.testing.assert_allclose(tall.T @ tall, np.eye(tall.shape[1]), atol=1e-12)


# -- names and errors ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("glorot_uniform", "GlorotUniform"),
        ("GlorotUniform", "GlorotUniform"),
        ("glorotuniform", "GlorotUniform"),
        ("stft", "STFT"),
        ("normal", "RandomNormal"),
        ("zero", "Zeros"),
        (initializers.HeNormal, "HeNormal"),
        (initializers.HeNormal(), "HeNormal"),
        (0.5, "Constant"),
        (np.array([1.0, 2.0]), "Constant"),
    ],
)
def test_what_stands_for_an_initializer(spec: object, name: str) -> None:
    assert type(initializers.get(spec)).__name__ == name


def test_none_stays_none() -> None:
    assert initializers.get(None) is None


@pytest.mark.parametrize(
    ("mistake", "error", "text"),
    [
        (
            lambda: initializers.get("glorot_unifrom"),
            UnknownNameError,
            "Looking up a name: there is no initializer called 'glorot_unifrom'\n"
            "  found:  'glorot_unifrom' did you mean \"GlorotUniform\"?\n"
            "  needed: one of Constant, GlorotNormal,",
        ),
        (
            lambda: initializers.get(print),
            ArgumentError,
            "Choosing an initializer: this is not one\n"
            "  found:  <built-in function print>\n"
            '  needed: a name such as "glorot_uniform", a number, or a subclass of ',
        ),
        (
            lambda: initializers.HeNormal()((2,), "int64"),
            DTypeError,
            "HeNormal: random first numbers are floating-point numbers\n"
            "  found:  int64\n"
            "  needed: float32 or float64\n",
        ),
        (
            lambda: initializers.HeNormal(seed=1.5),
            ArgumentError,
            "HeNormal: the seed must be a whole number\n  found:  seed=1.5\n",
        ),
        (
            lambda: initializers.Zeros()((None, 3)),
            ShapeError,
            "Zeros: the shape of a weight is a sequence of whole numbers\n"
            "  found:  (None, 3)\n"
            "  needed: for example (784, 100)\n",
        ),
        (
            lambda: initializers.Constant([1.0, 2.0])((3,)),
            ShapeError,
            "Constant: the value does not fit the weight's shape\n"
            "  found:  a value of shape (2,)\n"
            "  needed: a number, or an array that broadcasts to (3,)\n",
        ),
        (
            lambda: initializers.Identity()((3,)),
            ShapeError,
            "Identity: only a matrix can be an identity\n  found:  shape (3,)\n",
        ),
        (
            lambda: initializers.Orthogonal()((3,)),
            ShapeError,
            "Orthogonal: only a matrix can be orthogonal\n  found:  shape (3,)\n",
        ),
        (
            lambda: VarianceScaling(-1.0),
            ArgumentError,
            "VarianceScaling: a variance is positive\n  found:  scale=-1.0\n",
        ),
        (
            lambda: VarianceScaling(mode="fan_inn"),
            ArgumentError,
            "VarianceScaling: there is no mode 'fan_inn'\n"
            "  found:  mode='fan_inn' did you mean \"fan_in\"?\n"
            "  needed: one of fan_in, fan_out, fan_avg\n",
        ),
        (
            lambda: initializers.STFT(window="han"),
            ArgumentError,
            "STFT: there is no window 'han'\n  found:  window='han' did you mean \"hann\"?\n",
        ),
        (
            lambda: initializers.STFT(window=[1.0, 2.0])((3, 1, 2)),
            ShapeError,
            "STFT: the window does not fit the kernel\n  found:  a window of shape (2,)\n",
        ),
        (
            lambda: initializers.STFT()((3, 2, 2)),
            ShapeError,
            "STFT: the kernel has one input channel\n  found:  shape (3, 2, 2)\n",
        ),
    ],
)
def test_errors_teach(mistake: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        mistake()
    assert str(caught.value).startswith(text)
    assert "  at:     " in str(caught.value)


UNIFORM = [0.6411825885874208, 0.7683501562123926, 0.8208501669729806]
NORMAL = [0.3616215977103994, 0.7334242920904617, 0.9186098729090963]
