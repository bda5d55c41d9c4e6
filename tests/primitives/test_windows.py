"""Pooling windows against their definition, and at ties, NaN, infinities and borders."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearprop.dtypes import I32, U8
from clearprop.errors import DTypeError, ShapeError
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives import (
    WINDOW_ARGMAX,
    window_argmax,
    window_gather,
    window_max,
    window_scatter,
    window_sum,
)
from tests.support.numbers import compute, gradients, leaf

NAN, INF = float("nan"), float("inf")


def sliding(*window: int, **numbers: Any) -> dict[str, Any]:
    """Params of a window: the given ones, and else those of plain pooling."""
    rank = len(window)
    plain = {"strides": window, "padding": ((0, 0),) * rank, "dilation": (1,) * rank}
    return {"window": window, **plain, **numbers}


def seen(x: Array, params: dict[str, Any]) -> dict[tuple[int, ...], list[tuple[int, float]]]:
    """For each window the numbers of its taps that lie on elements, and these elements."""
    strides, gaps, padding = params["strides"], params["dilation"], params["padding"]
    space = x.shape[1:-1]
    counts = [
        (size + low + high - ((taps - 1) * gap + 1)) // stride + 1
        for size, (low, high), taps, gap, stride in zip(
            space, padding, params["window"], gaps, strides, strict=True
        )
    ]
    result = {}
    for n, c in product(range(len(x)), range(x.shape[-1])):
        for o in product(*map(range, counts)):
            found = []
            for tap, t in enumerate(product(*map(range, params["window"]))):
                place = tuple(
                    o[a] * strides[a] + t[a] * gaps[a] - padding[a][0] for a in range(len(o))
                )
                if all(0 <= p < size for p, size in zip(place, space, strict=True)):
                    found.append((tap, float(x[(n, *place, c)])))
            result[n, *o, c] = found
    return result


@st.composite
def windows(draw: st.DrawFn) -> tuple[Array, dict[str, Any]]:
    rank = draw(st.integers(1, 3))

    def numbers(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(rank))

    window, gaps = numbers(1, 3), numbers(1, 2)
    padding = tuple(zip(numbers(0, 3), numbers(0, 3), strict=True))
    space = tuple(
        draw(st.integers(max(1, least), max(1, least) + 2))
        for taps, gap, pads in zip(window, gaps, padding, strict=True)
        for least in [(taps - 1) * gap + 1 - sum(pads)]
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.integers(-3, 4, (draw(st.integers(1, 2)), *space, 2)).astype(float)  # many ties
    params = {"window": window, "strides": numbers(1, 3), "padding": padding, "dilation": gaps}
    return x, params


@given(windows())
@settings(max_examples=80, deadline=None)
def test_windows_are_what_they_see(sliding_window: tuple[Array, dict[str, Any]]) -> None:
    x, params = sliding_window
    greatest, taps = (compute(word(leaf(x), **params)) for word in (window_max, window_argmax))
    sums = compute(window_sum(leaf(x), **params))
    there = seen(x, params)
    assert greatest.size == len(there)
    for place, numbers in there.items():
        best = max((number for _, number in numbers), default=-INF)
        assert greatest[place] == best
        assert taps[place] == next((tap for tap, number in numbers if number == best), 0)
        assert sums[place] == pytest.approx(sum(number for _, number in numbers))


@given(windows())
@settings(max_examples=40, deadline=None)
def test_gathering_and_scattering_move_what_lies_at_the_tap(
    sliding_window: tuple[Array, dict[str, Any]],
) -> None:
    x, params = sliding_window
    there = seen(x, params)
    shape = WINDOW_ARGMAX.infer(TensorType(x.shape, x.dtype), **params).shape
    taps = np.random.default_rng(0).integers(0, np.prod(params["window"]) + 1, shape)
    gathered = compute(window_gather(leaf(x), leaf(taps), **params))
    for place, numbers in there.items():
        assert gathered[place] == dict(numbers).get(int(taps[place]), 0)
    updates = np.random.default_rng(1).normal(size=shape)
    scattered = compute(window_scatter(leaf(updates), leaf(taps), space=x.shape[1:-1], **params))
    assert np.sum(scattered * x) == pytest.approx(np.sum(updates * gathered))


def signal(*numbers: float) -> Array:
    return np.array(numbers).reshape(1, -1, 1)


def test_the_first_of_equal_ones_takes_the_gradient() -> None:
    (d_x,) = gradients(lambda x: window_max(x, **sliding(2)), signal(3, 3, 0, -1, 2, 2))
    assert d_x.ravel().tolist() == [1, 0, 1, 0, 1, 0]


def test_where_windows_overlap_the_gradients_add_up() -> None:
    params = sliding(2, strides=(1,))
    (d_x,) = gradients(lambda x: window_max(x, **params), signal(0, 5, 1, 1))
    assert d_x.ravel().tolist() == [0, 2, 1, 0]


def test_a_nan_beats_all_and_takes_the_gradient() -> None:
    x, params = signal(1, NAN, NAN, INF, 2, 1), sliding(3)
    np.testing.assert_array_equal(compute(window_max(leaf(x), **params)).ravel(), [NAN, INF])
    assert compute(window_argmax(leaf(x), **params)).ravel().tolist() == [1, 0]
    (d_x,) = gradients(lambda x: window_max(x, **params), x)
    assert d_x.ravel().tolist() == [0, 1, 0, 1, 0, 0]


def test_padding_is_never_the_greatest() -> None:
    params = sliding(2, padding=((1, 1),))
    x = signal(-INF, -5, -7, -2)
    assert compute(window_max(leaf(x), **params)).ravel().tolist() == [-INF, -5, -2]
    (d_x,) = gradients(lambda x: window_max(x, **params), x)
    assert d_x.ravel().tolist() == [1, 1, 0, 1]
    least = leaf(signal(-128, -128), "i1")
    assert compute(window_argmax(least, **params)).ravel().tolist() == [1, 0]


def test_a_window_in_the_padding_gives_the_least_number() -> None:
    params = sliding(1, padding=((1, 0),))
    for x, least in ((leaf(signal(3.0)), -INF), (leaf(signal(3), "i1"), -128)):
        assert compute(window_max(x, **params)).ravel().tolist() == [least, 3]
    assert compute(window_max(leaf(signal(7), "u1"), **params)).ravel().tolist() == [0, 7]
    assert compute(window_max(leaf(signal(1), "?"), **params)).ravel().tolist() == [False, True]


def test_taps_take_one_byte_where_they_fit() -> None:
    x = TensorType((1, 300, 1))
    assert WINDOW_ARGMAX.infer(x, **sliding(256)).dtype == U8
    assert WINDOW_ARGMAX.infer(x, **sliding(257)).dtype == I32


def value(*shape: int, dtype: object = np.float32) -> Value:
    return Value(TensorType(shape, np.dtype(dtype)))


MISTAKES = [
    (lambda: window_max(value(3, 4), **sliding(2)), ShapeError,
     "window_max: a window slides over one, two or three axes"),
    (lambda: window_max(value(1, 1, 2), **sliding(2)), ShapeError,
     "window_max: the window does not fit on axis 1"),
    (lambda: window_sum(value(1, 4, 2, dtype="?"), **sliding(2)), DTypeError,
     "window_sum: cannot work on elements of type bool"),
    (lambda: window_gather(value(1, 4, 2), value(1, 2, 2), **sliding(2)), DTypeError,
     "window_gather: cannot work on elements of type float32"),
    (lambda: window_gather(value(1, 4, 2), value(1, 4, 2, dtype="u1"), **sliding(2)), ShapeError,
     "window_gather: each window needs the number of one tap"),
    (lambda: window_scatter(value(1, 2, 2), value(1, 2, 2, dtype="u1"), space=(6,), **sliding(2)),
     ShapeError, "window_scatter: there must be one number for each window"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "start"), MISTAKES)
def test_a_mistake_is_named(call: Any, error: type[Exception], start: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).startswith(start)
