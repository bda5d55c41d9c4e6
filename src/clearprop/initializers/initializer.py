"""The base of all initializers."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from clearprop.dtypes import as_dtype, is_float
from clearprop.errors import ArgumentError, DTypeError, ShapeError
from clearprop.initializers.random_stream import RandomStream
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Array
from clearprop.ops.random import words_of
from clearprop.registry import Configurable
from clearprop.settings import is_seed, settings

_direct_calls = 0


class Initializer(Configurable, ABC):
    """A rule for the first numbers of a weight.

    A subclass computes them in ``values(shape, random)``.  They are a function of the key that the
    weight gives, or of the initializer's own ``seed`` where it has one; nothing else goes in, so
    an initializer may serve many weights.

    Attributes:
        seed: None, or a whole number that alone decides the random numbers.
        is_random: whether ``values`` draws random numbers.

    Example:
        >>> import clearprop as cp
        >>> import numpy as np
        >>> class Halves(cp.initializers.Initializer):
        ...     def values(self, shape, random):
        ...         return np.full(shape, 0.5)
        >>> Halves()((2,))
        array([0.5, 0.5], dtype=float32)
    """

    seed: int | None = None
    is_random = False

    @abstractmethod
    def values(self, shape: Shape, random: RandomStream) -> Array:
        """The first numbers of a weight of this shape.

        Shapes:
            Output: ``shape``
        """

    def __call__(self, shape: Sequence[int], dtype: Any = None, key: Array | None = None) -> Array:
        """First numbers for a weight.

        Args:
            shape: the weight's shape.
            dtype: its element type; ``cp.settings.dtype`` by default.
            key: u32[2] that the random numbers follow from; by default made from
                ``cp.settings.seed`` and the number of such calls before, so that a program that
                runs again draws the same numbers.  An own ``seed`` goes before both.

        Shapes:
            Output: ``shape``
        """
        sizes = _checked_shape(shape, type(self).__name__)
        dtype = settings.dtype if dtype is None else as_dtype(dtype)
        if self.is_random and not is_float(dtype):
            raise DTypeError(
                f"{type(self).__name__}: random first numbers are floating-point numbers",
                found=dtype.name,
                needed="float32 or float64",
                try_='"zeros", "ones" or a constant for a weight of whole numbers',
                at=str(here()),
            )
        with np.errstate(over="ignore"):
            return np.array(self.values(sizes, RandomStream(self._key(key))), dtype)

    def _key(self, key: Array | None) -> Array:
        global _direct_calls
        if self.seed is not None:
            return words_of("seed", self.seed)
        if key is not None:
            return key
        if self.is_random:
            _direct_calls += 1
        return words_of("call", settings.seed, _direct_calls)


class RandomInitializer(Initializer):
    """An initializer that draws random numbers.

    Args:
        seed: a whole number from 0 to 2**64 - 1 that alone decides the numbers; None to let the
            model's seed and the weight's place in the model decide.

    Example:
        >>> import clearprop as cp
        >>> class Coins(cp.initializers.RandomInitializer):
        ...     def values(self, shape, random):
        ...         return random.uniform(shape) < 0.5
        >>> coins = Coins(seed=1)
        >>> bool((coins((9,)) == coins((9,))).all())
        True
    """

    is_random = True

    def __init__(self, seed: int | None = None) -> None:
        if seed is not None and not is_seed(seed):
            raise ArgumentError(
                f"{type(self).__name__}: the seed must be a whole number",
                found=f"seed={seed!r}",
                needed="0 <= seed < 2**64, or None",
                at=str(here()),
            )
        self.seed = None if seed is None else int(seed)


def _checked_shape(shape: Sequence[int], name: str) -> Shape:
    try:
        sizes = tuple(operator.index(size) for size in shape)
    except TypeError:
        sizes = (-1,)
    if any(size < 0 for size in sizes):
        raise ShapeError(
            f"{name}: the shape of a weight is a sequence of whole numbers",
            found=f"{shape!r}",
            needed="for example (784, 100)",
            at=str(here()),
        )
    return sizes
