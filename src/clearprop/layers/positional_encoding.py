"""Where a step stands, added to what it is: attention alone does not see the order."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from clearprop import initializers, ops
from clearprop.errors import ShapeError
from clearprop.ir.place import here
from clearprop.ir.value import Array, Value
from clearprop.layers.checks import (
    BuildShape,
    known_lengths,
    label,
    needs_length,
    needs_rank,
    number_from,
    positive_integer,
)
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions
from clearprop.layers.weight import Weight


def sinusoids(steps: int, features: int, max_wavelength: float = 10_000.0) -> Array:
    """Sines and cosines of the step's number, whose wavelengths grow from feature to feature.

    Features 2i and 2i + 1 of step t are the sine and the cosine of
    t / max_wavelength^(2i / features).

    Shapes:
        (steps, features), float64

    Reference:
        A. Vaswani, N. Shazeer, N. Parmar, J. Uszkoreit, L. Jones, A. N. Gomez, L. Kaiser,
        I. Polosukhin, "Attention is all you need", NIPS (2017), section 3.5.

    Example:
        >>> sinusoids(2, 4).round(4).tolist()
        [[0.0, 1.0, 0.0, 1.0], [0.8415, 0.5403, 0.01, 1.0]]
    """
    pair = np.arange(features) // 2
    angles = np.arange(steps)[:, None] * max_wavelength ** (-2 * pair / max(features, 1))
    return np.where(np.arange(features) % 2 == 0, np.sin(angles), np.cos(angles))


class SinusoidalPositionalEncoding(Layer):
    """The input plus sines and cosines of each step's number: fixed, for sequences of any length.

    Args:
        max_wavelength: the longest wavelength, in steps, is 2 pi times this.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, ..., steps, features)  ->  the same

    Reference:
        A. Vaswani, N. Shazeer, N. Parmar, J. Uszkoreit, L. Jones, A. N. Gomez, L. Kaiser,
        I. Polosukhin, "Attention is all you need", NIPS (2017), section 3.5.

    Example:
        >>> import clearprop as cp, numpy as np
        >>> layer = cp.layers.SinusoidalPositionalEncoding()
        >>> layer(np.full((1, 2, 2), 5.0)).numpy().astype(float).round(2).tolist()
        [[[5.0, 6.0], [5.84, 5.54]]]
    """

    supports_masking = True

    def __init__(self, max_wavelength: float = 10_000.0, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.max_wavelength = number_from(self, "max_wavelength", max_wavelength, low=1.0)

    def call(self, inputs: Value) -> Value:
        """The input and its places."""
        needs_rank(self, inputs.shape, "(batch, steps, features)", at_least=True)
        steps, features = inputs.shape[-2:]
        return ops.add(inputs, sinusoids(steps, features, self.max_wavelength).astype(inputs.dtype))


class LearnedPositionalEncoding(Layer):
    """The input plus a learned vector for each step's number.

    Args:
        sequence_length: the longest sequence that there is a vector for at each step.
        embeddings_initializer: draws the first vectors.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, ..., steps, features), steps <= sequence_length  ->  the same

    Weights:
        embeddings: (sequence_length, features), uniform from -0.05 to 0.05.

    Raises:
        ShapeError: a sequence is longer.

    Reference:
        J. Gehring, M. Auli, D. Grangier, D. Yarats, Y. N. Dauphin, "Convolutional sequence to
        sequence learning", ICML (2017), section 3.1.

    Example:
        >>> import clearprop as cp
        >>> layer = cp.layers.LearnedPositionalEncoding(4, "ones")
        >>> layer([[[1.0, 2.0], [3.0, 4.0]]]).tolist()
        [[[2.0, 3.0], [4.0, 5.0]]]
    """

    supports_masking = True

    embeddings: Weight

    def __init__(
        self,
        sequence_length: int,
        embeddings_initializer: Any = "uniform",
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.sequence_length = positive_integer(self, "sequence_length", sequence_length)
        self.embeddings_initializer = initializers.get(embeddings_initializer)

    def build(self, input_shape: BuildShape) -> None:
        """Make the vectors."""
        needs_rank(self, input_shape, "(batch, steps, features)", at_least=True)
        (features,) = known_lengths(self, input_shape, (-1,))
        shape = (self.sequence_length, features)
        self.embeddings = self.add_weight(shape, self.embeddings_initializer, name="embeddings")

    def call(self, inputs: Value) -> Value:
        """The input and its places."""
        needs_rank(self, inputs.shape, "(batch, steps, features)", at_least=True)
        needs_length(self, inputs, -1, self.embeddings.shape[-1], "features")
        steps = inputs.shape[-2]
        if steps > self.sequence_length:
            raise ShapeError(
                f"{label(self)}: the sequence is longer than there are vectors for",
                found=f"{steps} steps in x: {inputs.type}",
                needed=f"{self.sequence_length} steps or fewer",
                try_="a larger sequence_length, or SinusoidalPositionalEncoding",
                at=str(here()),
            )
        return ops.add(inputs, self.embeddings[:steps])
