"""A recurrent network that classifies sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clearprop.layers import LSTM, Dense, Dropout, Embedding, Input
from clearprop.train import Sequential


def lstm_classifier(
    input_shape: Sequence[int | None],
    classes: int,
    units: Sequence[int] = (128,),
    dropout: float = 0.0,
    vocabulary: int | None = None,
    embedding_dim: int = 32,
) -> Sequential:
    """LSTM layers, whose last state becomes logits.

    Args:
        input_shape: (steps, features) of a sequence of vectors; (steps,) of one of words or
            characters; None in place of ``steps`` for any number of them.
        classes: number of logits.
        units: of each LSTM layer.
        dropout: the probability that a number drops out between layers, while training.
        vocabulary: number of words, if the steps are words: 1 and up, 0 fills up.
        embedding_dim: length of a word's vector.

    Shapes:
        x: (batch, steps, features), or whole numbers (batch, steps)  ->  (batch, classes)

    Reference:
        S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997).

    Example:
        >>> import clearprop as cp
        >>> cp.models.lstm_classifier((50, 32), 10).count_params()
        83722
        >>> reviews = cp.models.lstm_classifier((None,), 2, units=(64, 64), vocabulary=1000)
        >>> reviews.predict([[5, 17, 0, 0]]).shape
        (1, 2)
    """
    layers: list[Any] = [Input(input_shape, dtype=None if vocabulary is None else "int32")]
    if vocabulary is not None:
        layers.append(Embedding(vocabulary, embedding_dim, mask_zero=True))
    for number, count in enumerate(units, start=1):
        layers.append(LSTM(count, return_sequences=number < len(units)))
        if dropout:
            layers.append(Dropout(dropout))
    return Sequential([*layers, Dense(classes)], name="lstm_classifier")
