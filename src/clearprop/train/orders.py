"""The order of the rows in each epoch: a function of (seed, number of the epoch) alone."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from clearprop import primitives
from clearprop.dtypes import I64, U64
from clearprop.executors.choose import Executor, Run, choose_executor
from clearprop.ir.meaning import run
from clearprop.ir.program import Program
from clearprop.ir.value import Array, Value
from clearprop.ops.random import words, words_of
from clearprop.primitives.constants import constant_like
from clearprop.train.step import COUNTER, KEY

_MANY_ROWS = 4096  # from here on compiling pays


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
    key, number = Value(KEY), Value(COUNTER)
    order = order_in_program(key, number, count, shuffle=shuffle)
    return run(Program.under([order], [key, number]), [order_key(seed), words(epoch)])[0]


class RowOrders:
    """The orders of many epochs; those of many rows are computed by an executor.

    Args:
        executor: what computes them.
        seed: of the model.
        count: number of rows.
        shuffle: whether the order is random.
    """

    def __init__(self, executor: Executor, seed: int, count: int, *, shuffle: bool) -> None:
        self._executor, self._seed, self._count, self._shuffle = executor, seed, count, shuffle

    def of(self, epoch: int) -> Array:
        """The order of an epoch, as ``row_order`` tells it."""
        if self._count < _MANY_ROWS or not self._shuffle:
            return row_order(self._seed, epoch, self._count, shuffle=self._shuffle)
        run = _compiled_order(self._executor.NAME, self._count)
        return run([order_key(self._seed), words(epoch)])[0]


@lru_cache(maxsize=8)
def _compiled_order(executor: str, count: int) -> Run:
    """What computes the order of so many rows."""
    key, number = Value(KEY), Value(COUNTER)
    order = order_in_program(key, number, count, shuffle=True)
    return choose_executor(executor).compile_program(Program.under([order], [key, number]), 1)


def order_key(seed: int) -> Array:
    """What random orders follow from: the seed, apart from its other uses."""
    return np.asarray(words(seed) ^ words_of("row order"))


def order_in_program(key: Value, epoch: Value, count: int, *, shuffle: bool) -> Value:
    """The same as ``row_order``, inside of a Program: each row has 64 random bits to be sorted by.

    Args:
        key: what ``order_key`` gives.
        epoch: the epoch's number as two words.
        count: number of rows.
        shuffle: whether the order is random.

    Shapes:
        key: u32 (2,), epoch: u32 (2,)  ->  i64 (count,)
    """
    if not shuffle:
        return primitives.iota(key, shape=(count,), axis=0, dtype=I64)
    bits = primitives.cast(primitives.random_bits(key, epoch, shape=(count, 2)), dtype=U64)
    high, low = (
        primitives.reshape(
            primitives.slice_(bits, starts=(0, word), stops=(count, word + 1), strides=(1, 1)),
            shape=(count,),
        )
        for word in range(2)
    )
    raised = primitives.shift_left(high, constant_like(32, high))
    return primitives.argsort(primitives.bitwise_or(raised, low), axis=0)
