"""Initializers without chance: zeros, ones, constants, the identity."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearprop.errors import ShapeError
from clearprop.initializers.initializer import Initializer
from clearprop.initializers.random_stream import RandomStream
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Array


class Zeros(Initializer):
    """All numbers are 0.

    Example:
        >>> Zeros()((2,))
        array([0., 0.], dtype=float32)
    """

    def values(self, shape: Shape, random: RandomStream) -> Array:
        """Zeros.

        Shapes:
            Output: ``shape``
        """
        return np.zeros(shape)


class Ones(Initializer):
    """All numbers are 1.

    Example:
        >>> Ones()((2,))
        array([1., 1.], dtype=float32)
    """

    def values(self, shape: Shape, random: RandomStream) -> Array:
        """Ones.

        Shapes:
            Output: ``shape``
        """
        return np.ones(shape)


class Constant(Initializer):
    """All numbers are ``value``.

    Args:
        value: a number, or an array that broadcasts to the weight's shape.

    Example:
        >>> Constant(3)((2,))
        array([3., 3.], dtype=float32)
        >>> Constant([1.0, 2.0])((2, 2)).tolist()
        [[1.0, 2.0], [1.0, 2.0]]
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def values(self, shape: Shape, random: RandomStream) -> Array:
        """The value, repeated.

        Shapes:
            Output: ``shape``
        """
        array = np.asarray(self.value)
        try:
            return np.broadcast_to(array, shape)
        except ValueError as error:
            raise ShapeError(
                "Constant: the value does not fit the weight's shape",
                found=f"a value of shape {array.shape}",
                needed=f"a number, or an array that broadcasts to {shape}",
                at=str(here()),
            ) from error


class Identity(Initializer):
    """The identity matrix times ``gain``: 1s on the diagonal, 0 elsewhere.

    Args:
        gain: what it is multiplied by.

    Example:
        >>> Identity()((2, 3)).tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def values(self, shape: Shape, random: RandomStream) -> Array:
        """A matrix.

        Shapes:
            Output: ``shape``, which has two axes
        """
        if len(shape) != 2:
            raise ShapeError(
                "Identity: only a matrix can be an identity",
                found=f"shape {shape}",
                needed="two axes, for example (10, 10)",
                at=str(here()),
            )
        return self.gain * np.eye(*shape)
