"""Random types and arrays, with what breaks programs: NaN, infinity, -0.0, denormals, no elements.

Two kinds of numbers: odd ones, for programs that are to stay the same bit for bit, and tame ones,
for programs whose results are compared up to rounding.
"""

from __future__ import annotations

import math

import numpy as np

from clearprop.dtypes import BOOL, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, DType
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array

_DTYPES: dict[DType, float] = {
    F32: 0.28, F64: 0.22, I64: 0.09, I32: 0.08, BOOL: 0.08, U8: 0.06, I8: 0.06, U32: 0.05,
    I16: 0.03, U16: 0.025, U64: 0.025,
}  # fmt: skip
_LENGTHS = {0: 0.05, 1: 0.2, 2: 0.3, 3: 0.28, 4: 0.12, 5: 0.05}
_RANKS = {0: 0.2, 1: 0.3, 2: 0.28, 3: 0.22}


def chance(rng: np.random.Generator, probability: float) -> bool:
    return bool(rng.random() < probability)


def random_dtype(rng: np.random.Generator, kinds: str) -> DType:
    weights = {dtype: weight for dtype, weight in _DTYPES.items() if dtype.kind in kinds}
    return list(weights)[_drawn(rng, list(weights.values()))]


def random_length(rng: np.random.Generator) -> int:
    return list(_LENGTHS)[_drawn(rng, list(_LENGTHS.values()))]


def random_shape(rng: np.random.Generator, least: int = 0, most: int = 4) -> Shape:
    """A shape with ``least`` to ``most`` axes, rarely more than three."""
    rank = min(max(list(_RANKS)[_drawn(rng, list(_RANKS.values()))], least), most)
    return tuple(random_length(rng) for _ in range(rank))


def _drawn(rng: np.random.Generator, weights: list[float]) -> int:
    return int(rng.choice(len(weights), p=np.array(weights) / sum(weights)))


def same_size(rng: np.random.Generator, size: int) -> Shape:
    """Some shape of this size, now and then with axes of length 1."""
    lengths: list[int] = []
    if size == 0:
        lengths, size = [0], int(rng.integers(1, 4))
    while size > 1 and len(lengths) < 3:
        divisors = [each for each in range(2, size + 1) if size % each == 0]
        lengths.append(divisors[int(rng.integers(len(divisors)))])
        size //= lengths[-1]
    lengths += [size] if size > 1 else []
    lengths += [1] if chance(rng, 0.3) else []
    return tuple(lengths[i] for i in rng.permutation(len(lengths)))


def odd_array(rng: np.random.Generator, type_: TensorType) -> Array:
    """Numbers of every sort; now and then a view whose memory is in another order."""
    array = _memory(rng, _plain(rng, type_))
    if type_.dtype.kind == "f" and array.size and chance(rng, 0.3):
        specials = _specials(type_.dtype)
        chosen = rng.random(type_.shape) < 0.4
        array[chosen] = specials[rng.integers(len(specials), size=int(chosen.sum()))]
    return array


def tame_array(rng: np.random.Generator, type_: TensorType) -> Array:
    """Floats from -1.5 to 1.5 and small whole numbers."""
    if type_.dtype.kind == "f":
        return np.asarray(rng.uniform(-1.5, 1.5, type_.shape).astype(type_.dtype))
    return _plain(rng, type_)


def whole_array(rng: np.random.Generator, type_: TensorType, below: int) -> Array:
    """Whole numbers from 0 to ``below``, without it."""
    return np.asarray(rng.integers(0, max(below, 1), type_.shape).astype(type_.dtype))


def spread_array(rng: np.random.Generator, array: Array) -> Array:
    """One of the array's numbers, repeated as a view in its shape."""
    if array.size == 0:
        return array
    return np.broadcast_to(array.flat[int(rng.integers(array.size))], array.shape)


def _plain(rng: np.random.Generator, type_: TensorType) -> Array:
    dtype, shape = type_.dtype, type_.shape
    if dtype.kind == "f":
        scale = (0.1, 1.0, 3.0, 40.0)[int(rng.integers(4))]
        return np.asarray((rng.normal(size=shape) * scale).astype(dtype))
    if dtype == BOOL:
        return np.asarray(rng.integers(0, 2, shape).astype(BOOL))
    limits = np.iinfo(dtype)
    small = not chance(rng, 0.2)
    low, high = (max(-9, limits.min), 9) if small else (limits.min, limits.max)
    return np.asarray(rng.integers(low, high, shape, dtype=dtype, endpoint=True))


def _specials(dtype: DType) -> Array:
    limits = np.finfo(dtype)
    numbers = [
        *(math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 0.5),
        *(limits.smallest_subnormal, -limits.smallest_normal / 4, limits.smallest_normal),
        *(limits.max, limits.min, limits.eps),
    ]
    return np.array(numbers, dtype)


def _memory(rng: np.random.Generator, array: Array) -> Array:
    if array.ndim == 0 or not chance(rng, 0.2):
        return array
    if chance(rng, 0.5):
        return np.asfortranarray(array)
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]
