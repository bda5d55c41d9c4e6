"""What all kinds of attention share: who may look where, and how much."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearprop import activations, ops
from clearprop.dtypes import BOOL
from clearprop.errors import ShapeError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Array, Value
from clearprop.layers.checks import label
from clearprop.layers.layer import Layer
from clearprop.ops.lift import lift


def causal_mask(queries: int, keys: int) -> Array:
    """True where a key is not later than the query: nobody looks into the future.

    Shapes:
        bool (1, queries, keys)

    Example:
        >>> causal_mask(2, 3).tolist()
        [[[True, False, False], [True, True, False]]]
    """
    return np.tri(queries, keys, dtype=np.bool_)[None]


def window_mask(queries: int, keys: int, window: int) -> Array:
    """True where a key is less than ``window`` steps from the query, on either side.

    Shapes:
        bool (1, queries, keys)

    Example:
        >>> window_mask(2, 3, 2).tolist()
        [[[True, True, False], [True, True, True]]]
    """
    distances = np.arange(queries)[:, None] - np.arange(keys)
    return np.asarray(np.abs(distances) < window)[None]


def who_may_look(
    layer: Layer, scores: Shape, masks: dict[str, Any], axes_count: int = 1
) -> Value | None:
    """One mask for the scores out of several; None without any.

    Args:
        layer: which layer is speaking.
        scores: shape of the scores.
        masks: by the names that users know; None among them counts for nothing.
        axes_count: number of axes along which is looked.

    Shapes:
        masks: bool (batch, queries, keys), or what broadcasts; the axes between batch and queries
        may be missing  ->  bool, broadcasts to ``scores``

    Raises:
        ShapeError: a mask does not fit.
    """
    joined: Value | None = None
    for name, mask in masks.items():
        if mask is None:
            continue
        value = lift(mask)[0]
        value = value if value.dtype == BOOL else ops.cast(value, BOOL)
        missing = max(len(scores) - len(value.shape), 0)
        border = max(len(value.shape) - 2 * axes_count, 0)
        shape = (*value.shape[:border], *(1,) * missing, *value.shape[border:])
        fits = zip(shape, scores, strict=False)
        if len(shape) != len(scores) or any(n not in {1, length} for n, length in fits):
            queries_and_keys = scores[len(scores) - 2 * axes_count :]
            raise ShapeError(
                f"{label(layer)}: {name} does not fit queries and keys",
                found=f"{name}: {value.type} for scores of shape {scores}",
                needed=f"{(scores[0], *queries_and_keys)}: batch, queries, keys",
                at=str(here()),
            )
        value = ops.reshape(value, shape)
        joined = value if joined is None else ops.logical_and(joined, value)
    return joined


def shares(
    scores: Value, mask: Value | None, axes: tuple[int, ...], *, zero_without_keys: bool
) -> Value:
    """How much of each key goes to a query: the softmax of the scores over what is not masked.

    A query that may look at nothing takes all keys alike, or with ``zero_without_keys`` none.

    Shapes:
        scores: S, mask: bool, broadcasts to S  ->  S
    """
    if mask is None:
        return activations.softmax(scores, axes)
    lowest = float(np.finfo(scores.dtype).min) / 2
    found = activations.softmax(ops.where(mask, scores, lowest), axes)
    return ops.where(mask, found, 0.0) if zero_without_keys else found
