"""What holds for the whole process unless a call says otherwise: ``cp.settings``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clearprop.dtypes import F32, DType, as_dtype, is_float
from clearprop.errors import ArgumentError


@dataclass
class Settings:
    """Defaults of the process.

    Attributes:
        seed: what models draw their initial weights and row orders from when ``compile`` names
            no seed.
        executor: ``"reference"``, ``"native"`` or None for the best that can run here.
    """

    seed: int = 0
    executor: str | None = None
    _dtype: DType = F32

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


settings = Settings()


def set_seed(seed: int) -> None:
    """Choose what all later draws of weights, noise and row orders follow from.

    Args:
        seed: a whole number from 0 to 2**64 - 1; two runs with equal seeds are equal.

    Example:
        >>> set_seed(0)
    """
    if not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**64:
        raise ArgumentError(
            "Setting the seed: it must be a whole number",
            found=repr(seed),
            needed="0 <= seed < 2**64",
        )
    settings.seed = int(seed)
