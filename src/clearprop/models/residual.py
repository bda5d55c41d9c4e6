"""Residual networks: each block adds to what it was given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clearprop.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    Input,
)
from clearprop.train import Functional, Model


def resnet20(input_shape: Sequence[int], classes: int) -> Model:
    """The residual network of 20 layers for small images.

    One convolution, three stages of three blocks with 16, 32 and 64 filters, the mean of each
    map, and the logits.  A block is two convolutions 3x3, added to its input.  The second and
    third stage halve height and width; there the input passes a convolution 1x1 (the paper's
    option B; its own nets for small images pad with zero channels instead).

    Args:
        input_shape: (height, width, channels) of an image, such as (32, 32, 3).
        classes: number of logits.

    Shapes:
        x: (batch, height, width, channels)  ->  (batch, classes)

    Reference:
        K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR
        (2016), section 4.2.

    Example:
        >>> import clearprop as cp
        >>> model = cp.models.resnet20((32, 32, 3), 10)
        >>> sum(weight.size for weight in model.trainable_weights)
        272474
    """
    images = Input(input_shape)
    x = Activation("relu")(_convolved(images, 16, 3))
    for filters in (16, 32, 64):
        for block in range(3):
            halves = block == 0 and filters > 16
            x = _block(x, filters, strides=2 if halves else 1)
    return Functional(images, Dense(classes)(GlobalAveragePooling2D()(x)), name="resnet20")


def _block(x: Any, filters: int, strides: int) -> Any:
    """relu(x + what two convolutions make of x)."""
    shortcut = x if strides == 1 else _convolved(x, filters, 1, strides)
    change = Activation("relu")(_convolved(x, filters, 3, strides))
    change = _convolved(change, filters, 3)
    return Activation("relu")(Add()([shortcut, change]))


def _convolved(x: Any, filters: int, kernel_size: int, strides: int = 1) -> Any:
    """A convolution without bias, and batch normalization, which has one."""
    convolution = Conv2D(
        filters,
        kernel_size,
        strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )
    return BatchNormalization(momentum=0.9)(convolution(x))
