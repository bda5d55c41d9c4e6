"""Random numbers: a function of key and counter, of the distribution that was asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from clearprop import ops
from clearprop.errors import ArgumentError, ClearPropError
from clearprop.ir.value import Value
from tests.ops.checks import exactly, numbers

COUNT = 40_000
DRAWS: dict[str, Callable[..., Value]] = {
    "uniform": ops.uniform,
    "normal": ops.normal,
    "truncated_normal": ops.truncated_normal,
    "bernoulli": ops.bernoulli,
    "randint": lambda key, counter, shape: ops.randint(key, counter, shape, -5, 5),
}


@pytest.mark.parametrize("name", DRAWS)
def test_equal_keys_and_counters_give_equal_numbers(name: str) -> None:
    draw = DRAWS[name]
    first = numbers(draw(1, 2, (50,)))
    np.testing.assert_array_equal(numbers(draw(1, 2, (50,))), first)
    assert (numbers(draw(1, 3, (50,))) != first).any()
    assert (numbers(draw(2, 2, (50,))) != first).any()
    assert (numbers(draw(1 << 32, 2, (50,))) != numbers(draw(0, 2, (50,)))).any()


def test_a_number_is_two_words() -> None:
    words = [np.array([5, 7], np.uint32), Value.leaf(np.array([1, 0], np.uint32))]
    exactly(ops.random_bits(5 + (7 << 32), 1, (3, 2)), numbers(ops.random_bits(*words, (3, 2))))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_numbers_fill_their_interval_evenly(dtype: str) -> None:
    x = numbers(ops.uniform(1, 0, (COUNT,), low=-2, high=6, dtype=dtype)).astype("f8")
    assert x.min() >= -2
    assert x.max() < 6
    counts, _ = np.histogram(x, 16, (-2, 6))
    expected = COUNT / 16
    assert ((counts - expected) ** 2 / expected).sum() < 37.7  # chi square, 15 degrees, p = 0.001


@pytest.mark.parametrize(("dtype", "bits"), [("float32", 24), ("float64", 53)])
def test_uniform_numbers_use_all_their_bits(dtype: str, bits: int) -> None:
    steps = numbers(ops.uniform(3, 0, (1000,), dtype=dtype)).astype("f8") * 2.0**bits
    assert (steps == np.floor(steps)).all()
    odd = steps % 2
    assert 400 < odd.sum() < 600


def test_uniform_numbers_never_reach_their_end() -> None:
    x = numbers(ops.uniform(0, 0, (COUNT,), low=1, high=np.nextafter(np.float32(1), np.float32(2))))
    assert (x == 1).all()


def moments(x: Any) -> tuple[float, float, float]:
    x = x.astype("f8")
    return x.mean(), x.std(), ((x - x.mean()) ** 4).mean() / x.var() ** 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_numbers_have_the_moments_of_the_normal_distribution(dtype: str) -> None:
    x = numbers(ops.normal(1, 0, (COUNT,), mean=3, stddev=2, dtype=dtype))
    mean, std, kurtosis = moments(x)
    assert abs(mean - 3) < 0.05
    assert abs(std - 2) < 0.03
    assert abs(kurtosis - 3) < 0.15
    inside = (np.abs(x - 3) < 2).mean()
    assert abs(inside - math.erf(1 / math.sqrt(2))) < 0.01


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_truncated_normal_numbers_have_no_tails(dtype: str) -> None:
    x = numbers(ops.truncated_normal(1, 0, (COUNT,), mean=1, stddev=0.5, dtype=dtype))
    assert (np.abs(x - 1) <= 1).all()
    # The standard deviation of a normal distribution that is cut off at two of its own.
    density = math.exp(-2) / math.sqrt(2 * math.pi)
    std = math.sqrt(1 - 4 * density / math.erf(math.sqrt(2)))
    assert abs(moments(x)[1] / 0.5 - std) < 0.01


def test_conditions_hold_as_often_as_asked() -> None:
    held = numbers(ops.bernoulli(1, 0, (COUNT,), 0.3))
    assert held.dtype == bool
    assert abs(held.mean() - 0.3) < 0.01
    limits = np.array([[0.0], [1.0]])
    held = numbers(ops.bernoulli(1, 0, (2, 500), limits))
    np.testing.assert_array_equal(held, np.broadcast_to(limits == 1, (2, 500)))


def test_whole_numbers_are_equally_likely() -> None:
    x = numbers(ops.randint(1, 0, (COUNT,), -3, 7, dtype="int8"))
    assert x.dtype == np.int8
    counts = np.bincount(x.astype(int) + 3, minlength=10)
    assert len(counts) == 10
    assert ((counts - COUNT / 10) ** 2 / (COUNT / 10)).sum() < 27.9  # 9 degrees, p = 0.001
    wide = numbers(ops.randint(1, 0, (100,), -(2**31), 2**31))
    assert wide.min() < 0 < wide.max()


@pytest.mark.parametrize(
    "call",
    [
        lambda: ops.uniform(0, 0, (2,), low=1, high=1),
        lambda: ops.uniform(0, 0, (2,), dtype="int32"),
        lambda: ops.uniform(-1, 0, (2,)),
        lambda: ops.uniform(0, 2**64, (2,)),
        lambda: ops.normal(0, 0, (-2,)),
        lambda: ops.normal(np.zeros(2), 0, (2,)),
        lambda: ops.randint(0, 0, (2,), 3, 3),
        lambda: ops.randint(0, 0, (2,), 0, 300, dtype="uint8"),
        lambda: ops.randint(0, 0, (2,), -1, 3, dtype="uint64"),
        lambda: ops.randint(0, 0, (2,), 0, 2**32 + 1),
        lambda: ops.randint(0, 0, (2,), 0, 3, dtype="float32"),
        lambda: ops.bernoulli(0, 0, (2,), np.ones(3)),
    ],
)
def test_draws_that_cannot_be_are_refused(call: Callable[[], object]) -> None:
    with pytest.raises(ClearPropError) as error:
        call()
    assert error.value.needed


def test_a_wrong_type_of_random_number_is_explained() -> None:
    with pytest.raises(ArgumentError, match=r"randint\(key, counter, shape, low, high\)"):
        ops.normal(0, 0, (2,), dtype="int32")
