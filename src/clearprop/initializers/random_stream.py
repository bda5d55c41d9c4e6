"""Random numbers for first weights, drawn on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from clearprop import ops
from clearprop.dtypes import F64, U32
from clearprop.ir.types import Shape
from clearprop.ir.value import Array
from clearprop.ops.random import words
from clearprop.tensor.tensor import Tensor


class RandomStream:
    """Independent random numbers, the same on every machine.

    They are drawn in float64, so that a float32 weight holds the rounded numbers of a float64 one.

    Args:
        key: u32[2], which stream.

    Shapes:
        key: (2,)

    Example:
        >>> from clearprop.ops.random import words_of
        >>> stream = RandomStream(words_of("any", "words"))
        >>> first, second = stream.uniform((2,)), stream.uniform((2,))
        >>> bool((first == second).any())
        False
    """

    def __init__(self, key: Array) -> None:
        self.key = Tensor.leaf(np.asarray(key, U32))
        self._draws = 0

    def uniform(self, shape: Shape, low: float = 0.0, high: float = 1.0) -> Array:
        """Numbers that are equally likely everywhere between ``low`` and ``high``.

        Shapes:
            Output: ``shape``
        """
        return self._drawn(ops.uniform, shape, low=low, high=high)

    def normal(self, shape: Shape) -> Array:
        """Normally distributed numbers with mean 0 and standard deviation 1.

        Shapes:
            Output: ``shape``
        """
        return self._drawn(ops.normal, shape)

    def truncated_normal(self, shape: Shape) -> Array:
        """Standard normal numbers without those farther than 2 from 0.

        Shapes:
            Output: ``shape``
        """
        return self._drawn(ops.truncated_normal, shape)

    def _drawn(self, draw: Callable[..., Any], shape: Shape, **limits: float) -> Array:
        counter = Tensor.leaf(words(self._draws))
        self._draws += 1
        drawn = draw(self.key, counter, shape, dtype=F64, **limits)
        assert isinstance(drawn, Tensor)
        return drawn.numpy()
