"""What holds for the whole process unless a call says otherwise: ``cp.settings``."""

from __future__ import annotations

import numpy as np

from clearprop.dtypes import F32, DType, as_dtype, is_float
from clearprop.errors import ArgumentError


class Settings:
    """Defaults of the process.

    Attributes:
        executor: ``"reference"``, ``"native"`` or None for the best that can run here.
    """

    def __init__(self) -> None:
        self.executor: str | None = None
        self._seed = 0
        self._dtype = F32

    @property
    def seed(self) -> int:
        """What initial weights, noise and row orders follow from when ``compile`` names none."""
        return self._seed

    @seed.setter
    def seed(self, seed: int) -> None:
        if not is_seed(seed):
            raise ArgumentError(
                "Setting the seed: it must be a whole number",
                found=repr(seed),
                needed="0 <= seed < 2**64",
            )
        self._seed = int(seed)

    @property
    def dtype(self) -> DType:
        """Element type of Python floats and of layers that name none: float32 or float64."""
        return self._dtype

    @dtype.setter
    def dtype(self, spec: object) -> None:
        dtype = as_dtype(spec)
        if not is_float(dtype):
            raise ArgumentError(
                "Setting the default element type: layers compute with floating-point numbers",
                found=dtype.name,
                needed="float32 or float64",
            )
        self._dtype = dtype


def is_seed(seed: object) -> bool:
    """Whether this is a whole number from 0 to 2**64 - 1."""
    is_whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    return is_whole and 0 <= int(seed) < 2**64  # type: ignore[call-overload]


settings = Settings()


def set_seed(seed: int) -> None:
    """Choose what all later draws of weights, noise and row orders follow from.

    Args:
        seed: a whole number from 0 to 2**64 - 1; two runs with equal seeds are equal.

    Example:
        >>> set_seed(0)
    """
    settings.seed = seed
