"""The order of the rows in each epoch: a function of (seed, number of the epoch) alone."""

from __future__ import annotations

import numpy as np

from clearprop.ir.value import Array
from clearprop.layers.mode import path_words, seed_words
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
    key = seed_words(seed) ^ path_words("row order")
    bits = RANDOM_BITS.meaning(key, seed_words(epoch), shape=(count, 2))
    words = np.asarray(bits).astype(np.uint64)
    return np.argsort(words[:, 0] << np.uint64(32) | words[:, 1], kind="stable")
