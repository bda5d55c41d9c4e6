"""Random bits that are a function of a key and a counter, and of nothing else.

Reference:
    J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as
    1, 2, 3", Proceedings of SC11 (2011): Philox 4x32-10.
"""

from __future__ import annotations

import math

import numpy as np

from clearprop.dtypes import U32
from clearprop.errors import ShapeError
from clearprop.ir.primitive import Primitive
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.checks import needs_dtype

_ROUNDS = 10
_MULTIPLIERS = np.array([[0xD2511F53], [0xCD9E8D57]], np.uint64)
_KEY_STEPS = np.array([[0x9E3779B9], [0xBB67AE85]], np.uint64)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_BLOCKS_AT_ONCE = 8192  # what fits into a core's own cache


def random_bits(key: Value, counter: Value, *, shape: Shape) -> Value:
    """Independent uniform u32 words: the same for the same key and counter, everywhere.

    Args:
        key: which stream (u32).
        counter: which part of the stream, e.g. the number of the training step (u32).
        shape: shape of the result.  Its element 4 * i + j, in row-major order, is word j of the
            Philox block with the counter (i mod 2^32, i div 2^32, counter[0], counter[1]).

    Shapes:
        key: (2,), counter: (2,)  ->  ``shape``
    """
    return RANDOM_BITS.apply(key, counter, shape=shape)


def _random_bits_infer(key: TensorType, counter: TensorType, *, shape: Shape) -> TensorType:
    for what, type_ in (("the key", key), ("the counter", counter)):
        needs_dtype("random_bits", what, type_, U32)
        if type_.shape != (2,):
            raise ShapeError(
                f"random_bits: {what} must be two words", found=str(type_), needed="u32[2]"
            )
    return TensorType(shape, U32)


def _random_bits_meaning(key: Array, counter: Array, *, shape: Shape) -> Array:
    size = math.prod(shape)
    blocks = -(-size // 4)
    bits = np.empty((blocks, 4), U32)
    for start in range(0, blocks, _BLOCKS_AT_ONCE):
        block = np.arange(start, min(start + _BLOCKS_AT_ONCE, blocks), dtype=np.uint64)
        counters = np.empty((len(block), 4), np.uint64)
        counters[:, 0], counters[:, 1] = block & _LOW, block >> _HALF
        counters[:, 2:] = counter
        bits[start : start + len(block)] = philox_4x32(counters, key)
    return bits.reshape(-1)[:size].reshape(shape)


def philox_4x32(counters: Array, key: Array) -> Array:
    """The random words of some counters: ten rounds of Philox 4x32.

    Shapes:
        counters: (blocks, 4) of words, key: (2,) of words  ->  (blocks, 4) of u32
    """
    # 64-bit arithmetic holds the product of two words; u32 inputs never overflow it.
    even, odd = (np.array(counters.T[first::2], np.uint64, order="C") for first in (0, 1))
    products = np.empty_like(even)
    keys = np.array(key, np.uint64)[:, None]
    for _ in range(_ROUNDS):
        np.multiply(even, _MULTIPLIERS, out=products)
        # Each half of a product moves to the other pair of words: reversed.
        np.right_shift(products, _HALF, out=even[::-1])
        even ^= odd
        even ^= keys
        np.bitwise_and(products, _LOW, out=odd[::-1])
        keys = (keys + _KEY_STEPS) & _LOW
    bits = np.empty(counters.shape, U32)
    bits[:, 0::2], bits[:, 1::2] = even.T, odd.T
    return bits


def _random_bits_flops(key: TensorType, counter: TensorType, *, shape: Shape) -> int:
    return 2 * _ROUNDS * math.prod(shape)  # per round: 2 products, 4 xors, 2 sums for 4 words


RANDOM_BITS = Primitive(
    "random_bits",
    infer=_random_bits_infer,
    meaning=_random_bits_meaning,
    gradient=None,
    flops=_random_bits_flops,
)
