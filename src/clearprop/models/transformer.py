"""A Transformer's encoder that classifies sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.layers import (
    Add,
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePooling1D,
    Input,
    LayerNormalization,
    MultiHeadAttention,
    SinusoidalPositionalEncoding,
)
from clearprop.train import Functional, Model


def transformer_classifier(
    input_shape: Sequence[int | None],
    classes: int,
    layers: int = 2,
    heads: int = 4,
    feed_forward_units: int = 512,
    dropout: float = 0.0,
    vocabulary: int | None = None,
    model_dim: int = 128,
) -> Model:
    """The encoder of a Transformer, the mean of its steps, and logits.

    Sinusoids of the place are added to each step; then each layer is attention of all steps to
    all, and a perceptron for each step alone.  Both are added to their input and normalized
    behind the sum (post-norm), as in the paper, which has dropout too.

    Args:
        input_shape: (steps, model_dim) of a sequence of vectors; (steps,) of one of words.
        classes: number of logits.
        layers: number of layers.
        heads: number of heads in each, which divides ``model_dim``.
        feed_forward_units: hidden units of the perceptrons.
        dropout: the probability that a number drops out behind each part, while training.
        vocabulary: number of words, if the steps are words: 1 and up, 0 fills up.
        model_dim: length of a word's vector; vectors have their own.

    Shapes:
        x: (batch, steps, model_dim), or whole numbers (batch, steps)  ->  (batch, classes)

    Raises:
        ArgumentError: ``heads`` does not divide ``model_dim``.

    Reference:
        A. Vaswani, N. Shazeer, N. Parmar, J. Uszkoreit, L. Jones, A. N. Gomez, L. Kaiser,
        I. Polosukhin, "Attention is all you need", NIPS (2017).

    Example:
        >>> import clearprop as cp
        >>> cp.models.transformer_classifier((64, 128), 10).count_params()
        397834
    """
    inputs = Input(input_shape, dtype=None if vocabulary is None else "int32")
    x = inputs if vocabulary is None else Embedding(vocabulary, model_dim, mask_zero=True)(inputs)
    x = SinusoidalPositionalEncoding()(x)
    dim = x.shape[-1]
    if dim is None or dim % heads:
        raise ArgumentError(
            "transformer_classifier: the heads share the vectors' numbers equally",
            found=f"heads={heads} for vectors of {dim} numbers",
            needed="a number of heads that divides the length of the vectors",
            at=str(here()),
        )
    for _ in range(layers):
        attention = MultiHeadAttention(heads, dim // heads)(x, x)
        x = _added(x, attention, dropout)
        hidden = Dense(feed_forward_units, "relu")(x)
        x = _added(x, Dense(dim)(hidden), dropout)
    return Functional(
        inputs, Dense(classes)(GlobalAveragePooling1D()(x)), name="transformer_classifier"
    )


def _added(x: Any, change: Any, dropout: float) -> Any:
    """A residual connection, normalized behind the sum."""
    change = Dropout(dropout)(change) if dropout else change
    return LayerNormalization(epsilon=1e-5)(Add()([x, change]))
