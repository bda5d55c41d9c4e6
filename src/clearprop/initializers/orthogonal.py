"""Random orthogonal matrices."""

from __future__ import annotations

import math

import numpy as np

from clearprop.errors import ShapeError
from clearprop.initializers.initializer import RandomInitializer
from clearprop.initializers.random_stream import RandomStream
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Array


class Orthogonal(RandomInitializer):
    """A random matrix with orthogonal columns (or rows, where they are fewer) of length ``gain``.

    It is the Q of the QR decomposition of a matrix of normal numbers, with the signs that make
    every orthogonal matrix equally likely.  All axes but the last count as rows.

    Args:
        gain: what it is multiplied by.
        seed: see ``RandomInitializer``.

    Reference:
        A. M. Saxe, J. L. McClelland, S. Ganguli, "Exact solutions to the nonlinear dynamics of
        learning in deep linear neural networks", ICLR (2014).

    Example:
        >>> import numpy as np
        >>> q = Orthogonal()((3, 2))
        >>> np.abs(q.T @ q - np.eye(2)).max() < 1e-6
        np.True_
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def values(self, shape: Shape, random: RandomStream) -> Array:
        """A matrix, its rows spread over all axes but the last.

        Shapes:
            Output: ``shape``, which has two axes or more
        """
        if len(shape) < 2:
            raise ShapeError(
                "Orthogonal: only a matrix can be orthogonal",
                found=f"shape {shape}",
                needed="two axes or more, for example (10, 10)",
                at=str(here()),
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = random.normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(tall)
        q *= np.sign(np.diagonal(r))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)
