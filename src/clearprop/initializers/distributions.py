"""Initializers that draw from a distribution of their own, whatever the weight's size."""

from __future__ import annotations

from clearprop.initializers.initializer import RandomInitializer
from clearprop.initializers.random_stream import RandomStream
from clearprop.ir.types import Shape
from clearprop.ir.value import Array


class RandomNormal(RandomInitializer):
    """Normally distributed numbers.

    Args:
        mean: their mean.
        stddev: their standard deviation.
        seed: see ``RandomInitializer``.

    Example:
        >>> RandomNormal(stddev=0.0, mean=2.0)((2,))
        array([2., 2.], dtype=float32)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def values(self, shape: Shape, random: RandomStream) -> Array:
        """Normally distributed numbers.

        Shapes:
            Output: ``shape``
        """
        return self.mean + self.stddev * random.normal(shape)


class TruncatedNormal(RandomInitializer):
    """Normally distributed numbers, none farther than two ``stddev`` from ``mean``.

    What lies farther is drawn again, so the standard deviation that comes out is 0.88 ``stddev``.

    Args:
        mean: their mean.
        stddev: the standard deviation before truncation.
        seed: see ``RandomInitializer``.

    Example:
        >>> abs(TruncatedNormal(stddev=0.5)((1000,))).max() <= 1
        np.True_
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def values(self, shape: Shape, random: RandomStream) -> Array:
        """Truncated normal numbers.

        Shapes:
            Output: ``shape``
        """
        return self.mean + self.stddev * random.truncated_normal(shape)


class RandomUniform(RandomInitializer):
    """Numbers that are equally likely everywhere between ``minval`` and ``maxval``.

    Args:
        minval: the lower end.
        maxval: the upper end.
        seed: see ``RandomInitializer``.

    Example:
        >>> abs(RandomUniform(-2.0, 2.0)((1000,))).max() <= 2
        np.True_
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def values(self, shape: Shape, random: RandomStream) -> Array:
        """Uniform numbers.

        Shapes:
            Output: ``shape``
        """
        return random.uniform(shape, self.minval, self.maxval)
