"""The type of one array: its shape and its element type."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.dtypes import F32, DType, short_name

Shape = tuple[int, ...]


@dataclass(frozen=True)
class TensorType:
    """Size and element type of one array, e.g. ``f32[32, 784]``."""

    shape: Shape
    dtype: DType = F32

    @classmethod
    def of(cls, array: np.ndarray[Any, Any]) -> TensorType:
        """The type of an array."""
        return cls(array.shape, array.dtype)

    def __str__(self) -> str:
        return f"{short_name(self.dtype)}[{', '.join(map(str, self.shape))}]"

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """Bytes that the elements take."""
        return self.size * self.dtype.itemsize
