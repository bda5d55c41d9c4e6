"""LeNet: convolutions that find ever larger patterns, then a perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clearprop.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from clearprop.train import Sequential


def lenet(
    input_shape: Sequence[int],
    classes: int,
    filters: Sequence[int] = (32, 64),
    units: int = 128,
    dropout: float = 0.0,
) -> Sequential:
    """A small convolutional network in the manner of LeNet, with today's parts.

    Convolution 3x3, relu and pooling 2x2 for each of ``filters``, then a dense layer of ``units``
    and the logits.  LeNet-5 of 1998 has windows of 5x5 without padding, 6 and 16 maps (the latter
    see only some of the former), means with learned factors in place of maxima, scaled tanh in
    place of relu, 120 and 84 dense units and radial basis functions as outputs.

    Args:
        input_shape: (height, width, channels) of an image.
        classes: number of logits.
        filters: of each convolution; each halves height and width behind it.
        units: of the dense layer.
        dropout: the probability that a dense unit drops out, while training.

    Shapes:
        x: (batch, height, width, channels)  ->  (batch, classes)

    Reference:
        Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
        recognition", Proceedings of the IEEE 86 (1998).

    Example:
        >>> import clearprop as cp
        >>> cp.models.lenet((28, 28, 1), 10).count_params()
        421642
        >>> cp.models.lenet((8, 8, 1), 10).count_params()
        53002
    """
    layers: list[Any] = [Input(input_shape)]
    for count in filters:
        layers += [Conv2D(count, 3, padding="same", activation="relu"), MaxPooling2D(2)]
    layers += [Flatten(), Dense(units, "relu")]
    if dropout:
        layers.append(Dropout(dropout))
    return Sequential([*layers, Dense(classes)], name="lenet")
