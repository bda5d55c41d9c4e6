"""Images moved a little in four directions: what an image shows does not depend on its place."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

COPIES = 5  # the image itself, and moved up, down, left and right
_DISTANCE = 1 / 16  # of the image's height or width
_MOST_NUMBERS = 100_000_000  # in all copies together


def is_worth_moving(x: Array) -> bool:
    """Whether the copies have room in memory.

    Shapes:
        x: (n, ...).
    """
    return x.ndim == 4 and x.size * COPIES <= _MOST_NUMBERS


def moved_copies(x: Array) -> Array:
    """The images, and each of them moved by a sixteenth of its size up, down, left and right.

    What lies between two pixels is interpolated; beyond the border its pixels go on.

    Shapes:
        (n, height, width, channels) -> (5 n, height, width, channels).
    """
    moved = [x]
    for axis in (1, 2):
        distance = x.shape[axis] * _DISTANCE
        moved += [_moved(x, axis, distance), _moved(x, axis, -distance)]
    return np.concatenate(moved)


def _moved(x: Array, axis: int, distance: float) -> Array:
    count = x.shape[axis]
    places = np.clip(np.arange(count) - distance, 0, count - 1)
    lower = np.floor(places).astype(int)
    upper = np.minimum(lower + 1, count - 1)
    shape = [1] * x.ndim
    shape[axis] = count
    share = (places - lower).astype(x.dtype).reshape(shape)
    between: Array = x.take(lower, axis) * (1 - share) + x.take(upper, axis) * share
    return between
