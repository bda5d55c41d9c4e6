"""Measured derivatives, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from clearprop.ir.value import Array


def measured(function: Callable[..., Any], *arrays: Any, by: int = 0, step: float = 1e-6) -> Array:
    """The derivatives of each output by each element of one argument: (*output, *input)."""
    given = [np.array(array, np.float64) for array in arrays]
    columns = []
    for place in np.ndindex(given[by].shape):
        ends = []
        for sign in (1, -1):
            moved = [array.copy() for array in given]
            moved[by][place] += sign * step
            ends.append(np.asarray(function(*moved), np.float64))
        columns.append((ends[0] - ends[1]) / (2 * step))
    return np.stack(columns, axis=-1).reshape(columns[0].shape + given[by].shape)
