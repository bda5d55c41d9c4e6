"""Gaussian noise on activities while training."""

from __future__ import annotations

import math
from typing import Unpack

from clearprop import ops
from clearprop.ir.value import Value
from clearprop.layers.checks import number_from
from clearprop.layers.dropout import checked_seed
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions
from clearprop.ops.lift import lift_float


class GaussianNoise(Layer):
    """The input plus normal noise while training, as if there were more and rougher data.

    Args:
        stddev: standard deviation of the noise.
        seed: a whole number that the noise follows from, in place of the model's seed.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.layers.GaussianNoise(0.1)([1.0, 2.0]).tolist()
        [1.0, 2.0]
    """

    supports_masking = True

    def __init__(
        self, stddev: float, seed: int | None = None, **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(**options)
        self.stddev = number_from(self, "stddev", stddev)
        self.seed = checked_seed(self, seed)

    def call(self, inputs: Value, training: bool = False) -> Value:
        """The input, with noise."""
        if not training or self.stddev == 0:
            return inputs
        value = lift_float(inputs)
        key, counter = self.random_key(self.seed)
        noise = ops.normal(key, counter, value.shape, stddev=self.stddev, dtype=value.dtype)
        return ops.add(value, noise)


class GaussianDropout(Layer):
    """The input times normal noise of mean 1 while training.

    Its standard deviation, sqrt(rate / (1 - rate)), is that of ``Dropout``.

    Args:
        rate: as in ``Dropout``, from 0 up to but without 1.
        seed: a whole number that the noise follows from, in place of the model's seed.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: S  ->  S

    Reference:
        N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, "Dropout: a simple
        way to prevent neural networks from overfitting", JMLR 15 (2014), section 10.

    Example:
        >>> import clearprop as cp
        >>> cp.layers.GaussianDropout(0.5)([1.0, 2.0]).tolist()
        [1.0, 2.0]
    """

    supports_masking = True

    def __init__(
        self, rate: float, seed: int | None = None, **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(**options)
        self.rate = number_from(self, "rate", rate, below=1.0)
        self.seed = checked_seed(self, seed)

    def call(self, inputs: Value, training: bool = False) -> Value:
        """The input, or its noisy multiples."""
        if not training or self.rate == 0:
            return inputs
        value = lift_float(inputs)
        spread = math.sqrt(self.rate / (1 - self.rate))
        key, counter = self.random_key(self.seed)
        noise = ops.normal(key, counter, value.shape, mean=1.0, stddev=spread, dtype=value.dtype)
        return ops.multiply(value, noise)
