"""Convolution against its definition, written out as loops over single numbers."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearprop.errors import ArgumentError, DTypeError, ShapeError
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives import (
    CONVOLUTION,
    CONVOLUTION_INPUT_GRADIENT,
    CONVOLUTION_KERNEL_GRADIENT,
    convolution,
    convolution_input_gradient,
    convolution_kernel_gradient,
)
from tests.support.numbers import compute, leaf


def places(rank: int, **numbers: Any) -> dict[str, Any]:
    """Params of a convolution: the given ones, and else those that do nothing."""
    ones = (1,) * rank
    plain = {"strides": ones, "input_dilation": ones, "kernel_dilation": ones, "groups": 1}
    return {**plain, "padding": ((0, 0),) * rank, **numbers}


def defined(x: Array, kernel: Array, params: dict[str, Any]) -> Array:
    """The sums, number by number."""
    rank, groups = x.ndim - 2, params["groups"]
    widths = [
        (size - 1) * gap + 1 + low + high
        for size, gap, (low, high) in zip(
            x.shape[1:-1], params["input_dilation"], params["padding"], strict=True
        )
    ]
    spacious = np.zeros((len(x), *widths, x.shape[-1]))
    inside = tuple(
        slice(low, low + (size - 1) * gap + 1, gap)
        for size, gap, (low, _) in zip(
            x.shape[1:-1], params["input_dilation"], params["padding"], strict=True
        )
    )
    spacious[(slice(None), *inside)] = x
    gaps, strides = params["kernel_dilation"], params["strides"]
    spans = [(taps - 1) * gap + 1 for taps, gap in zip(kernel.shape[:-2], gaps, strict=True)]
    positions = [
        len(range(0, width - span + 1, stride))
        for width, span, stride in zip(widths, spans, strides, strict=True)
    ]
    group_in, out = kernel.shape[-2:]
    output = np.zeros((len(x), *positions, out))
    for n, k in product(range(len(x)), range(out)):
        first = k // (out // groups) * group_in
        for o in product(*map(range, positions)):
            for tap in product(*map(range, kernel.shape[:-2])):
                place = tuple(o[a] * strides[a] + tap[a] * gaps[a] for a in range(rank))
                for c in range(group_in):
                    output[(n, *o, k)] += spacious[(n, *place, first + c)] * kernel[(*tap, c, k)]
    return output


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Array, Array, dict[str, Any]]:
    rank = draw(st.integers(1, 3))
    small = {1: 4, 2: 3, 3: 2}[rank]

    def numbers(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(rank))

    window, gaps, stretches = numbers(1, small), numbers(1, 2), numbers(1, 3)
    spans = [(taps - 1) * gap + 1 for taps, gap in zip(window, gaps, strict=True)]
    padding = tuple(zip(numbers(0, 3), numbers(0, 3), strict=True))
    room = [max(1, span - sum(pads)) for span, pads in zip(spans, padding, strict=True)]
    space = tuple(
        draw(st.integers(-(-(least - 1) // gap) + 1, -(-(least - 1) // gap) + 3))
        for least, gap in zip(room, stretches, strict=True)
    )
    groups = draw(st.integers(1, 3))
    channels, out = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.normal(size=(draw(st.integers(1, 2)), *space, channels))
    kernel = rng.normal(size=(*window, channels // groups, out))
    params = {
        "strides": numbers(1, 4),
        "padding": padding,
        "input_dilation": stretches,
        "kernel_dilation": gaps,
        "groups": groups,
    }
    return x, kernel, params


@given(convolutions())
@settings(max_examples=60, deadline=None)
def test_a_convolution_is_its_sum(convolved: tuple[Array, Array, dict[str, Any]]) -> None:
    x, kernel, params = convolved
    expected = defined(x, kernel, params)
    found = compute(convolution(leaf(x), leaf(kernel), **params))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@given(convolutions())
@settings(max_examples=60, deadline=None)
def test_the_three_words_are_one_trilinear_sum(
    convolved: tuple[Array, Array, dict[str, Any]],
) -> None:
    x, kernel, params = convolved
    output = compute(convolution(leaf(x), leaf(kernel), **params))
    d_output = np.random.default_rng(0).normal(size=output.shape)
    total = np.sum(output * d_output)
    d_x = convolution_input_gradient(leaf(d_output), leaf(kernel), space=x.shape[1:-1], **params)
    d_kernel = convolution_kernel_gradient(
        leaf(x), leaf(d_output), window=kernel.shape[:-2], **params
    )
    np.testing.assert_allclose(np.sum(compute(d_x) * x), total, atol=1e-10)
    np.testing.assert_allclose(np.sum(compute(d_kernel) * kernel), total, atol=1e-10)


@pytest.mark.parametrize("window", [1, 3])
def test_a_batch_that_is_worked_off_in_parts_is_the_batch_of_its_samples(window: int) -> None:
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(5, 80, 60, 96)), rng.normal(size=(window, window, 48, 4))
    params = places(2, padding=((1, 1), (0, 2)), groups=2)
    whole = compute(convolution(leaf(x), leaf(kernel), **params))
    d_output = rng.normal(size=whole.shape)
    d_x = compute(
        convolution_input_gradient(leaf(d_output), leaf(kernel), space=(80, 60), **params)
    )
    d_kernel = np.zeros(kernel.shape)
    for n in range(5):
        one, d_one = leaf(x[n : n + 1]), leaf(d_output[n : n + 1])
        np.testing.assert_allclose(
            whole[n : n + 1], compute(convolution(one, leaf(kernel), **params)), rtol=1e-9
        )
        back = convolution_input_gradient(d_one, leaf(kernel), space=(80, 60), **params)
        np.testing.assert_allclose(d_x[n : n + 1], compute(back), rtol=1e-9)
        d_kernel += compute(
            convolution_kernel_gradient(one, d_one, window=(window, window), **params)
        )
    found = convolution_kernel_gradient(leaf(x), leaf(d_output), window=(window, window), **params)
    np.testing.assert_allclose(compute(found), d_kernel, rtol=1e-9, atol=1e-9)


def test_small_integers_wrap_in_sums() -> None:
    x, kernel = leaf(np.full((1, 2, 1), 100), "i1"), leaf(np.ones((2, 1, 1)), "i1")
    assert compute(convolution(x, kernel, **places(1))).tolist() == [[[-56]]]


def test_the_cost_counts_multiplications_and_additions() -> None:
    x, kernel, params = TensorType((2, 8, 8, 4)), TensorType((3, 3, 2, 6)), places(2, groups=2)
    output, flops = TensorType((2, 6, 6, 6)), 2 * 2 * 6 * 6 * 6 * 3 * 3 * 2
    assert CONVOLUTION.flops(x, kernel, **params) == flops
    assert CONVOLUTION_INPUT_GRADIENT.flops(output, kernel, space=(8, 8), **params) == flops
    assert CONVOLUTION_KERNEL_GRADIENT.flops(x, output, window=(3, 3), **params) == flops


def value(*shape: int, dtype: object = np.float32) -> Value:
    return Value(TensorType(shape, np.dtype(dtype)))


X, KERNEL = value(2, 5, 4, 3), value(2, 2, 3, 6)
MISTAKES = [
    (lambda: convolution(value(2, 3), value(3, 3), **places(0)), ShapeError,
     "convolution: a window slides over one, two or three axes"),
    (lambda: convolution(X, value(2, 3, 6), **places(2)), ShapeError,
     "convolution: a window slides over one, two or three axes"),
    (lambda: convolution(X, value(2, 2, 3, 6, dtype="f8"), **places(2)), DTypeError,
     "convolution: kernel must be float32"),
    (lambda: convolution(X, value(2, 2, 4, 6), **places(2)), ShapeError,
     "convolution: the channels do not fit the kernel"),
    (lambda: convolution(X, value(2, 2, 1, 5), **places(2, groups=3)), ShapeError,
     "convolution: the channels do not fit the kernel"),
    (lambda: convolution(X, KERNEL, **places(2, groups=0)), ShapeError,
     "convolution: the channels do not fit the kernel"),
    (lambda: convolution(X, KERNEL, **places(1)), ArgumentError,
     "convolution: each axis that the window slides over needs its own numbers"),
    (lambda: convolution(X, KERNEL, **places(2, strides=(1, 0))), ArgumentError,
     "convolution: a window cannot be or move like this"),
    (lambda: convolution(X, KERNEL, **places(2, padding=((0, 0), (-1, 0)))), ArgumentError,
     "convolution: a window cannot be or move like this"),
    (lambda: convolution_input_gradient(X, value(2, 2, 1, 3), space=(5, 5), **places(2)),
     ShapeError, "convolution_input_gradient: this is not the shape that the convolution gives"),
    (lambda: convolution_kernel_gradient(X, X, window=(2, 1), **places(2)), ShapeError,
     "convolution_kernel_gradient: this is not the shape that the convolution gives"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "start"), MISTAKES)
def test_a_mistake_is_named(call: Any, error: type[Exception], start: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).startswith(start)


def test_the_rule_of_sizes_stands_in_the_error_with_its_numbers() -> None:
    params = places(2, strides=(1, 2), kernel_dilation=(1, 3), padding=((0, 0), (1, 0)))
    with pytest.raises(ShapeError) as caught:
        convolution(X, value(2, 3, 3, 1), **params)
    assert str(caught.value).splitlines()[:4] == [
        "convolution: the window does not fit on axis 2",
        "  found:  W = 4 elements, a window of F = 7, padding 2P = 1, stride S = 2",
        "  needed: N = (W - F + 2P)/S + 1 of at least 1; (4 - 7 + 1)/2 + 1 = 0",
        '  try:    padding="same", a smaller window, or larger inputs',
    ]
