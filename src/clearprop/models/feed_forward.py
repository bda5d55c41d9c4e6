"""The multilayer perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clearprop.layers import Dense, Dropout, Flatten, Input
from clearprop.train import Sequential


def mlp(
    input_shape: Sequence[int],
    classes: int,
    units: Sequence[int] = (128,),
    activation: Any = "relu",
    dropout: float = 0.0,
) -> Sequential:
    """A multilayer perceptron: dense layers, every unit of which sees the whole layer before.

    Args:
        input_shape: of one sample; images are flattened.
        classes: number of outputs: a logit for each class, or 1 number to estimate.
        units: of each hidden layer; ``()`` for a linear model.
        activation: of the hidden layers.
        dropout: the probability that a hidden unit drops out, while training.

    Shapes:
        x: (batch, *input_shape)  ->  (batch, classes)

    Example:
        >>> import clearprop as cp
        >>> cp.models.mlp((28, 28, 1), 10, units=(128, 64)).count_params()
        109386
    """
    layers: list[Any] = [Input(input_shape)]
    if len(input_shape) > 1:
        layers.append(Flatten())
    for count in units:
        layers.append(Dense(count, activation))
        if dropout:
            layers.append(Dropout(dropout))
    return Sequential([*layers, Dense(classes)], name="mlp")
