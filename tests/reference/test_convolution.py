"""Convolution and pooling, their derivatives and second derivatives, as PyTorch has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from clearprop import ops
from clearprop.executors.choose import choose_executor
from clearprop.executors.reference import evaluate
from clearprop.ir.program import Program
from clearprop.ir.value import Value
from clearprop.passes.gradient import differentiate

RNG = np.random.default_rng(8)
SPACES = {1: (9,), 2: (7, 6), 3: (5, 4, 6)}
CONVOLVE = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
TRANSPOSE = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}
MAXIMIZE = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
AVERAGE = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}


def to_front(x: torch.Tensor) -> torch.Tensor:
    return x.movedim(-1, 1)


def to_back(x: torch.Tensor) -> torch.Tensor:
    return x.movedim(1, -1)


def kernel_to_front(kernel: torch.Tensor) -> torch.Tensor:
    """(*window, in, out) as PyTorch's (out, in, *window)."""
    return kernel.movedim((-1, -2), (0, 1))


def assert_same(
    own: Callable[..., Value], theirs: Callable[..., torch.Tensor], *arrays: np.ndarray
) -> None:
    """Values, gradients in a random direction, and the gradients of those."""
    values = [Value.leaf(array.copy()) for array in arrays]
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    output, expected = own(*values), theirs(*leaves)
    assert output.shape == tuple(expected.shape)
    aim = RNG.normal(size=output.shape)
    firsts = differentiate([output], [Value.leaf(aim)], values)
    expected_firsts = torch.autograd.grad(expected, leaves, torch.tensor(aim), create_graph=True)
    found = evaluate([output, *(first for first in firsts if first is not None)])
    for got, wanted in zip(found, (expected, *expected_firsts), strict=True):
        np.testing.assert_allclose(got, wanted.detach().numpy(), rtol=1e-10, atol=1e-11)
    ways = [RNG.normal(size=array.shape) for array in arrays]
    seconds = differentiate(firsts, [Value.leaf(way) for way in ways], values)  # type: ignore[arg-type]
    slope = sum(
        (first * torch.tensor(way)).sum() for first, way in zip(expected_firsts, ways, strict=True)
    )
    if not isinstance(slope, torch.Tensor) or not slope.requires_grad:
        return
    expected_seconds = torch.autograd.grad(slope, leaves, allow_unused=True)
    for second, wanted_second in zip(seconds, expected_seconds, strict=True):
        if wanted_second is None or second is None:
            assert wanted_second is None or not wanted_second.any()
            assert second is None or not evaluate([second])[0].any()
            continue
        got = evaluate([second])[0]
        np.testing.assert_allclose(got, wanted_second.numpy(), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_convolutions(rank: int, stride: int, dilation: int, padding: int, groups: int) -> None:
    window = (3, 2, 2)[:rank]
    x, kernel = RNG.normal(size=(2, *SPACES[rank], 4)), RNG.normal(size=(*window, 4 // groups, 6))
    assert_same(
        lambda x, kernel: ops.conv(x, kernel, stride, padding, dilation, groups),
        lambda x, kernel: to_back(
            CONVOLVE[rank](
                to_front(x), kernel_to_front(kernel), None, stride, padding, dilation, groups
            )
        ),
        x,
        kernel,
    )


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("window", [1, 2, 3, 5])
@pytest.mark.parametrize("dilation", [1, 2])
def test_the_padding_called_same(rank: int, window: int, dilation: int) -> None:
    x, kernel = RNG.normal(size=(2, *SPACES[rank], 2)), RNG.normal(size=(*(window,) * rank, 2, 3))
    assert_same(
        lambda x, kernel: ops.conv(x, kernel, 1, "same", dilation),
        lambda x, kernel: to_back(
            CONVOLVE[rank](to_front(x), kernel_to_front(kernel), padding="same", dilation=dilation)
        ),
        x,
        kernel,
    )


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_transposed_convolutions(rank: int, stride: int, dilation: int) -> None:
    window = (3, 2, 4)[:rank]
    x, kernel = RNG.normal(size=(2, *(3, 4, 2)[:rank], 3)), RNG.normal(size=(*window, 2, 3))
    spans = [(taps - 1) * dilation + 1 for taps in window]
    more = tuple(max(stride - span, 0) for span in spans)
    assert_same(
        lambda x, kernel: ops.conv_transpose(x, kernel, stride, "valid", more, dilation),
        lambda x, kernel: to_back(
            TRANSPOSE[rank](
                to_front(x),
                kernel_to_front(kernel),
                stride=stride,
                dilation=dilation,
                output_padding=more,
            )
        ),
        x,
        kernel,
    )


@pytest.mark.parametrize("has_ties", [False, True])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("stride", [None, 1, 2])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_greatest(
    rank: int, stride: int | None, dilation: int, padding: int, has_ties: bool
) -> None:
    window = (3, 2, 2)[:rank]
    shape = (2, *SPACES[rank], 3)
    x = RNG.integers(-2, 3, shape).astype(float) if has_ties else RNG.normal(size=shape)
    assert_same(
        lambda x: ops.max_pool(x, window, stride, padding, dilation),
        lambda x: to_back(MAXIMIZE[rank](to_front(x), window, stride, padding, dilation)),
        x,
    )


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("stride", [None, 1, 2])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_means(rank: int, stride: int | None, padding: int) -> None:
    window = (3, 2, 2)[:rank]
    arguments: dict[str, Any] = {"padding": padding, "count_include_pad": False}
    assert_same(
        lambda x: ops.average_pool(x, window, stride, padding),
        lambda x: to_back(AVERAGE[rank](to_front(x), window, stride, **arguments)),
        RNG.normal(size=(2, *SPACES[rank], 3)),
    )


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("executor", ["reference", "native"])
def test_nan_and_infinity_reach_what_they_reach_in_pytorch(
    executor: str, groups: int, stride: int
) -> None:
    """PyTorch's float64 convolution; its float32 one (oneDNN) leaves out products with padding."""
    how = {"padding": 1, "groups": groups}
    for which in range(3):
        x, kernel, d_output = (
            RNG.normal(size=shape)
            for shape in (
                (2, 7, 8, 4),
                (3, 3, 4 // groups, 6),
                (2, -(-7 // stride), -(-8 // stride), 6),
            )
        )
        array = (x, kernel, d_output)[which]
        array.flat[RNG.integers(array.size, size=2)] = np.nan, np.inf
        values = [Value.leaf(each) for each in (x, kernel)]
        output = ops.conv(*values, strides=stride, **how)
        found = differentiate([output], [Value.leaf(d_output)], values)
        leaves = [torch.tensor(each, requires_grad=True) for each in (x, kernel)]
        expected = to_back(
            functional.conv2d(to_front(leaves[0]), kernel_to_front(leaves[1]), stride=stride, **how)
        )
        wanted = torch.autograd.grad(expected, leaves, torch.tensor(d_output))
        run = choose_executor(executor).compile_program(Program.under([output, *found], []))
        for got, other in zip(run([]), (expected, *wanted), strict=True):
            np.testing.assert_allclose(got, other.detach().numpy(), rtol=1e-10, atol=1e-11)
