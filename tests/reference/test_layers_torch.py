"""Layers in float64 are PyTorch's functions of the same weights: values and all gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from clearprop import layers
from clearprop.tensor import parameter

RNG = np.random.default_rng(17)
ROWS, SIGNAL, PICTURE, VOLUME = (5, 6), (3, 7, 4), (2, 6, 5, 4), (2, 4, 3, 5, 2)
Theirs = Callable[..., torch.Tensor]


def front(function: Theirs) -> Theirs:
    """The function of images whose channels are the second axis, for those whose are the last."""
    return lambda x, *weights: function(x.movedim(-1, 1), *weights).movedim(1, -1)


def kernel_front(kernel: torch.Tensor) -> torch.Tensor:
    """(*window, in, out) as PyTorch's (out, in, *window)."""
    return kernel.movedim((-1, -2), (0, 1))


def depthwise(kernel: torch.Tensor) -> torch.Tensor:
    """(*window, in, multiplier) as a kernel of as many groups as channels."""
    return kernel.movedim((-2, -1), (0, 1)).flatten(0, 1).unsqueeze(1)


def separable(
    x: torch.Tensor, first: torch.Tensor, second: torch.Tensor, bias: torch.Tensor
) -> torch.Tensor:
    inside = functional.conv2d(x, depthwise(first), groups=x.shape[1], padding="same")
    return functional.conv2d(inside, kernel_front(second), bias)


def normalized(x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, *_: Any) -> torch.Tensor:
    return functional.batch_norm(x, None, None, gamma, beta, training=True, eps=1e-3)


CASES: dict[str, tuple[str, dict[str, Any], tuple[int, ...], Theirs]] = {
    "Dense": (
        "Dense", {"units": 3}, SIGNAL,
        lambda x, kernel, bias: functional.linear(x, kernel.T, bias),
    ),
    "Conv1D, causal and dilated": (
        "Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, SIGNAL,
        front(lambda x, kernel, bias: functional.conv1d(
            functional.pad(x, (4, 0)), kernel_front(kernel), bias, dilation=2
        )),
    ),
    "Conv2D, groups and strides": (
        "Conv2D", {"filters": 6, "kernel_size": (3, 2), "strides": 2, "groups": 2}, PICTURE,
        front(lambda x, kernel, bias: functional.conv2d(
            x, kernel_front(kernel), bias, stride=2, groups=2
        )),
    ),
    "Conv3D, padding by numbers": (
        "Conv3D", {"filters": 3, "kernel_size": 2, "padding": (1, 0, 2)}, VOLUME,
        front(lambda x, kernel, bias: functional.conv3d(
            x, kernel_front(kernel), bias, padding=(1, 0, 2)
        )),
    ),
    "Conv2DTranspose": (
        "Conv2DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2}, PICTURE,
        front(lambda x, kernel, bias: functional.conv_transpose2d(
            x, kernel_front(kernel), bias, stride=2
        )),
    ),
    "DepthwiseConv2D": (
        "DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2, "dilation_rate": 2}, PICTURE,
        front(lambda x, kernel, bias: functional.conv2d(
            x, depthwise(kernel), bias, groups=4, dilation=2
        )),
    ),
    "SeparableConv2D": (
        "SeparableConv2D",
        {"filters": 5, "kernel_size": 3, "padding": "same", "depth_multiplier": 2},
        PICTURE, front(separable),
    ),
    "BatchNormalization of rows": ("BatchNormalization", {}, ROWS, normalized),
    "BatchNormalization of images": ("BatchNormalization", {}, PICTURE, front(normalized)),
    "LayerNormalization": (
        "LayerNormalization", {}, SIGNAL,
        lambda x, gamma, beta: functional.layer_norm(x, (4,), gamma, beta, 1e-3),
    ),
    "GroupNormalization": (
        "GroupNormalization", {"groups": 2}, PICTURE,
        front(lambda x, gamma, beta: functional.group_norm(x, 2, gamma, beta, 1e-3)),
    ),
    "RMSNormalization": (
        "RMSNormalization", {}, SIGNAL,
        lambda x, scale: functional.rms_norm(x, (4,), scale, 1e-6),
    ),
    "PReLU": (
        "PReLU", {"shared_axes": [1, 2]}, PICTURE,
        front(lambda x, alpha: functional.prelu(x, alpha.flatten())),
    ),
    "UpSampling2D": (
        "UpSampling2D", {"size": (2, 3)}, PICTURE,
        front(lambda x: functional.interpolate(x, scale_factor=(2, 3), mode="nearest")),
    ),
    "UpSampling2D between": (
        "UpSampling2D", {"size": (2, 3), "interpolation": "bilinear"}, PICTURE,
        front(lambda x: functional.interpolate(x, scale_factor=(2, 3), mode="bilinear")),
    ),
    "ZeroPadding2D": (
        "ZeroPadding2D", {"padding": ((1, 0), (2, 3))}, PICTURE,
        front(lambda x: functional.pad(x, (2, 3, 1, 0))),
    ),
    "GlobalAveragePooling3D": (
        "GlobalAveragePooling3D", {"keepdims": True}, VOLUME,
        front(lambda x: functional.adaptive_avg_pool3d(x, 1)),
    ),
    "GlobalMaxPooling2D": (
        "GlobalMaxPooling2D", {"keepdims": True}, PICTURE,
        front(lambda x: functional.adaptive_max_pool2d(x, 1)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_layer_is_the_function_of_pytorch(case: str) -> None:
    name, arguments, shape, function = CASES[case]
    x = RNG.normal(size=shape)
    own = getattr(layers, name)(**arguments, dtype="float64")
    own(x)
    own.set_weights([RNG.uniform(0.2, 1.5, weight.shape) for weight in own.weights])
    leaf, ours = torch.tensor(x, requires_grad=True), parameter(x)
    weights = [torch.tensor(array, requires_grad=True) for array in own.get_weights()]
    expected, found = function(leaf, *weights), own(ours, training=True)
    np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-10, atol=1e-11)
    direction = RNG.normal(size=found.shape)
    (expected * torch.tensor(direction)).sum().backward()
    (found * direction).sum().backward()
    pairs = zip(own.trainable_weights, weights, strict=False)  # trainable ones come first
    for one, other in [(ours, leaf), *pairs]:
        np.testing.assert_allclose(one.grad.numpy(), other.grad.numpy(), rtol=1e-9, atol=1e-10)


def test_words_are_looked_up_as_in_pytorch() -> None:
    indices = np.array([[1, 4, 1], [0, 2, 4]])
    own = layers.Embedding(5, 3, dtype="float64")
    own(indices)
    table = torch.tensor(own.get_weights()[0], requires_grad=True)
    expected, found = functional.embedding(torch.tensor(indices), table), own(indices)
    np.testing.assert_array_equal(found.numpy(), expected.detach().numpy())
    (expected**3).sum().backward()
    (found**3).sum().backward()
    np.testing.assert_allclose(own.embeddings.grad.numpy(), table.grad.numpy(), rtol=1e-12)
