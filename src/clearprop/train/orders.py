"""The order of the rows in each epoch: a function of (seed, number of the epoch) alone."""

from __future__ import annotations

import numpy as np

from clearprop.ir.value import Array
from clearprop.ops.random import words, words_of
from clearprop.primitives import RANDOM_BITS


def row_order(seed: int, epoch: int, count: int, *, shuffle: bool) -> Array:
    """The numbers of the rows in the order in which epoch ``epoch`` takes them.

    Args:
        seed: of the model.
        epoch: counted from 0 over all of the model's training.
        count: number of rows.
        shuffle: whether the order is random.

    Shapes:
        i64 (count,), each row once.
    """
    if not shuffle:
        return np.arange(count)
    key = words(seed) ^ words_of("row order")
    bits = RANDOM_BITS.meaning(key, words(epoch), shape=(count, 2))
    high, low = np.asarray(bits).astype(np.uint64).T
    return np.argsort(high << np.uint64(32) | low, kind="stable")
