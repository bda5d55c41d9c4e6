"""Convolution and pooling as people call them: padding by name, one number for all axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clearprop import ops
from clearprop.errors import ArgumentError, ClearPropError, ShapeError
from clearprop.passes.gradient import differentiate
from tests.ops.checks import numbers, same
from tests.support.numbers import leaf

RNG = np.random.default_rng(5)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize("window", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("size", [1, 2, 5, 6, 9])
@pytest.mark.parametrize("dilation", [1, 3])
def test_same_gives_as_many_results_as_steps_fit_in(
    stride: int, window: int, size: int, dilation: int
) -> None:
    x, kernel = np.ones((1, size, 1)), np.ones((window, 1, 1))
    found = ops.conv(x, kernel, stride, "same", dilation)
    assert found.shape == (1, -(-size // stride), 1)
    assert ops.max_pool(x, window, stride, "same", dilation).shape == found.shape


def test_what_same_cannot_halve_goes_to_the_end() -> None:
    x, kernel = np.arange(1.0, 5.0).reshape(1, 4, 1), np.array([1.0, 10.0]).reshape(2, 1, 1)
    same(ops.conv(x, kernel, padding="SAME"), [[[21.0], [32.0], [43.0], [4.0]]])
    same(ops.conv(x, np.ones((3, 1, 1)), 2, "same"), [[[6.0], [7.0]]])


def test_a_causal_convolution_sees_nothing_of_what_comes() -> None:
    x, kernel = normal(1, 8, 2), normal(3, 2, 2)
    before = numbers(ops.conv(x, kernel, 1, "causal", 2))
    assert before.shape == (1, 8, 2)
    x[:, 5:] = 9.0
    after = numbers(ops.conv(x, kernel, 1, "causal", 2))
    np.testing.assert_array_equal(after[:, :5], before[:, :5])
    assert (after[:, 5:] != before[:, 5:]).all()


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        (2, ((2, 2), (2, 2))),
        ([1, 2], ((1, 1), (2, 2))),
        ([(1, 0), 2], ((1, 0), (2, 2))),
        ("valid", ((0, 0), (0, 0))),
    ],
)
def test_padding_can_be_told_in_numbers(told: Any, meant: Any) -> None:
    x, kernel = normal(2, 5, 4, 3), normal(2, 3, 3, 2)
    spacious = np.pad(x, ((0, 0), *meant, (0, 0)))
    same(ops.conv(x, kernel, 1, told), numbers(ops.conv(spacious, kernel)))


def test_for_one_axis_a_pair_is_before_and_after() -> None:
    x, kernel = normal(1, 4, 1), normal(2, 1, 1)
    padded = np.pad(x, ((0, 0), (1, 2), (0, 0)))
    same(ops.conv(x, kernel, 1, (1, 2)), numbers(ops.conv(padded, kernel)))
    same(ops.conv(x, kernel, 1, [(1, 2)]), numbers(ops.conv(padded, kernel)))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_transposed_convolution_is_the_derivative_of_a_convolution(
    padding: str, stride: int
) -> None:
    window, length = 3, 5
    kernel = normal(window, 2, 4)
    larger = (length - 1) * stride + window if padding == "valid" else length * stride
    x, direction = leaf(normal(2, larger, 2)), leaf(normal(2, length, 4))
    output = ops.conv(x, kernel, stride, padding)
    assert output.shape == direction.shape
    (d_x,) = differentiate([output], [direction], [x])
    assert d_x is not None
    found = ops.conv_transpose(direction, kernel, stride, padding)
    same(found, numbers(d_x))


def test_channels_can_be_convolved_each_by_itself() -> None:
    x, kernel = normal(2, 5, 4, 3), normal(2, 2, 3, 2)
    found = numbers(ops.depthwise_conv(x, kernel, padding="same"))
    for channel in range(3):
        alone = ops.conv(
            x[..., channel : channel + 1], kernel[:, :, channel : channel + 1], padding="same"
        )
        np.testing.assert_allclose(found[..., 2 * channel : 2 * channel + 2], numbers(alone))


def test_whole_numbers_are_convolved_as_such() -> None:
    found = ops.conv([[[1], [2], [3]]], [[[1]], [[10]]])
    same(found, [[[21], [32]]], dtype="i8")
    assert numbers(ops.average_pool([[[1], [2]]], 2)).dtype == np.float32


def test_padding_does_not_count_in_a_mean() -> None:
    x = np.arange(1.0, 6.0).reshape(1, 5, 1)
    same(ops.average_pool(x, 3, 1, "same"), [[[1.5], [2.0], [3.0], [4.0], [4.5]]])
    same(ops.average_pool(x, 2, None, "same"), [[[1.5], [3.5], [5.0]]])
    same(ops.average_pool(np.ones((1, 3, 4, 1)), 3, 2, [(2, 1), 1]), np.ones((1, 2, 2, 1)))


def test_dilated_windows_skip() -> None:
    x = np.array([5.0, 9.0, 1.0, 2.0, 3.0]).reshape(1, 5, 1)
    same(ops.max_pool(x, 2, 1, dilation=2), [[[5.0], [9.0], [3.0]]])


def test_nothing_is_convolved_and_pooled_too() -> None:
    assert ops.conv(np.zeros((0, 4, 4, 2)), np.zeros((3, 3, 2, 5))).shape == (0, 2, 2, 5)
    assert numbers(ops.conv(np.zeros((1, 4, 0)), np.zeros((2, 0, 3)))).tolist() == [[[0] * 3] * 3]
    assert ops.max_pool(np.zeros((0, 4, 4, 2)), 2).shape == (0, 2, 2, 2)
    assert ops.average_pool(np.zeros((0, 4, 4, 0)), 2).shape == (0, 2, 2, 0)


X, KERNEL = np.zeros((1, 5, 5, 2)), np.zeros((3, 3, 2, 4))
MISTAKES: list[tuple[Any, type[ClearPropError], str]] = [
    (lambda: ops.conv(X[0], KERNEL), ShapeError, "x and kernel must have the same number of axes"),
    (lambda: ops.conv(X[0, 0], KERNEL[0, 0]), ShapeError, "three to five"),
    (lambda: ops.conv(X, KERNEL, 0), ArgumentError, "strides is a whole number of at least 1"),
    (lambda: ops.conv(X, KERNEL, (1, 2, 3)), ArgumentError, "or one for each axis"),
    (lambda: ops.conv(X, KERNEL, 1.5), ArgumentError, "strides is a whole number"),
    (lambda: ops.conv(X, KERNEL, padding="full"), ArgumentError, "there is no such padding"),
    (lambda: ops.conv(X, KERNEL, padding="causal"), ArgumentError, "for more than one axis"),
    (lambda: ops.conv(X, KERNEL, padding=-1), ArgumentError, "padding is a number of places"),
    (lambda: ops.conv(X, KERNEL, groups=2), ShapeError, "the channels do not fit the kernel"),
    (lambda: ops.conv(X, np.zeros((6, 1, 2, 4))), ShapeError, "does not fit on axis 1"),
    (lambda: ops.conv_transpose(X, KERNEL), ShapeError, "x has 2 channels, the kernel is for 4"),
    (lambda: ops.conv_transpose(X, KERNEL, padding="causal"), ArgumentError, "no such padding"),
    (lambda: ops.depthwise_conv(X, np.zeros((3, 3, 3, 1))), ShapeError, "kernel is for 3"),
    (lambda: ops.max_pool(X[0, 0], 2), ShapeError, "over one, two or three axes"),
    (lambda: ops.max_pool(X, 6), ShapeError, "window_max: the window does not fit on axis 1"),
    (lambda: ops.average_pool(X, 2, 0), ArgumentError, "strides is a whole number"),
]


@pytest.mark.parametrize(("call", "error", "part"), MISTAKES)
def test_a_mistake_is_named_at_its_line(call: Any, error: type[ClearPropError], part: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert part in str(caught.value)
    assert "test_convolution.py" in caught.value.at


def test_the_whole_text_for_channels_in_front() -> None:
    with pytest.raises(ShapeError) as caught:
        ops.conv(np.zeros((8, 3, 28, 28)), np.zeros((3, 3, 3, 4)))
    assert str(caught.value).splitlines()[:4] == [
        "convolution: the channels do not fit the kernel",
        "  found:  28 channels in x (8, 3, 28, 28); kernel (3, 3, 3, 4)",
        "  needed: 3 channels",
        "  try:    the channels are the last axis of x: check that they are not the second",
    ]
