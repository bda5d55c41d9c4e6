"""Random numbers: functions of a key, which names a stream, and a counter, a place in it.

Equal keys and counters give equal numbers, on every executor.  A key and a counter are two words
of 32 bits, or a whole number from 0 to 2**64 - 1 that is taken apart into them.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np

from clearprop import primitives as p
from clearprop.dtypes import F32, F64, I32, I64, U64, DType, as_dtype, is_float, is_integer
from clearprop.errors import ArgumentError
from clearprop.ir.types import Shape
from clearprop.ir.value import Value
from clearprop.ops.axes import ShapeLike, as_shape
from clearprop.ops.lift import ArrayLike, lift, spread
from clearprop.ops.operation import operation
from clearprop.settings import settings

_DOING = "Drawing random numbers"


def words(number: int) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """A whole number as two words of 32 bits, the lower first.

    Raises:
        ArgumentError: it does not fit into 64 bits.
    """
    if not 0 <= number < 2**64:
        raise ArgumentError(
            f"{_DOING}: a key or counter has 64 bits",
            found=str(number),
            needed="0 to 2**64 - 1",
        )
    return np.array([number & 0xFFFFFFFF, number >> 32], np.uint32)


def words_of(*path: object) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """Two words of 32 bits that stand for some numbers and texts, such as (position, name)."""
    digest = hashlib.sha256(repr(path).encode()).digest()
    return np.frombuffer(digest[:8], "<u4").astype(np.uint32)


def _words(
    key: ArrayLike, counter: ArrayLike, beside: tuple[object, ...] = ()
) -> tuple[Value, ...]:
    pair = (words(each) if isinstance(each, int) else each for each in (key, counter))
    return lift(*pair, beside=beside)


@operation
def random_bits(key: ArrayLike, counter: ArrayLike, shape: ShapeLike) -> Value:
    """Words of 32 independent random bits.

    Shapes:
        key: u32 (2,), counter: u32 (2,)  ->  u32 ``shape``

    Example:
        >>> import clearprop as cp
        >>> cp.ops.random_bits(0, 0, (2,)).numpy()
        array([1713891541, 3781805453], dtype=uint32)
    """
    return p.random_bits(*_words(key, counter), shape=as_shape(shape, _DOING))


def _long_bits(key: ArrayLike, counter: ArrayLike, shape: Shape) -> Value:
    """53 random bits for each number, in u64."""
    both = random_bits(key, counter, (2, *shape))
    starts = (0,) * len(shape)
    strides = (1,) * (len(shape) + 1)
    high, low = (
        p.cast(
            p.reshape(
                p.slice_(both, starts=(n, *starts), stops=(n + 1, *shape), strides=strides),
                shape=shape,
            ),
            dtype=U64,
        )
        for n in (0, 1)
    )
    high = p.shift_left(p.shift_right(high, p.constant_like(5, high)), p.constant_like(26, high))
    return p.bitwise_or(high, p.shift_right(low, p.constant_like(6, low)))


def _unit(key: ArrayLike, counter: ArrayLike, shape: Shape, dtype: DType) -> Value:
    """From 0 up to but without 1, in steps of 2^-24 (f32) or 2^-53 (f64)."""
    if dtype == F64:
        whole = p.cast(_long_bits(key, counter, shape), dtype=F64)
        return p.multiply(whole, p.constant_like(2.0**-53, whole))
    bits = random_bits(key, counter, shape)
    whole = p.cast(p.shift_right(bits, p.constant_like(8, bits)), dtype=F32)
    return p.multiply(whole, p.constant_like(2.0**-24, whole))


def _symmetric(key: ArrayLike, counter: ArrayLike, shape: Shape, dtype: DType) -> Value:
    """Between -1 and 1, never either, never 0, and as often x as -x: odd multiples of 2^-24."""
    if dtype == F64:
        whole, width = p.cast(_long_bits(key, counter, shape), dtype=I64), 53
    else:
        bits = random_bits(key, counter, shape)
        whole = p.cast(p.shift_right(bits, p.constant_like(8, bits)), dtype=I32)
        width = 24
    odd = p.add(p.add(whole, whole), p.constant_like(1 - 2**width, whole))
    number = p.cast(odd, dtype=dtype)
    return p.multiply(number, p.constant_like(2.0**-width, number))


def _float_dtype(dtype: object) -> DType:
    chosen = settings.dtype if dtype is None else as_dtype(dtype)
    if not is_float(chosen):
        raise ArgumentError(
            f"{_DOING}: these are floating-point numbers",
            found=f"dtype={chosen.name}",
            needed="float32 or float64",
            try_="randint(key, counter, shape, low, high) for whole numbers",
        )
    return chosen


# -- distributions ---------------------------------------------------------------------------


@operation
def uniform(
    key: ArrayLike,
    counter: ArrayLike,
    shape: ShapeLike,
    *,
    low: float = 0.0,
    high: float = 1.0,
    dtype: object = None,
) -> Value:
    """Random numbers, equally likely from ``low`` up to but without ``high``.

    Args:
        key: names the stream.
        counter: the place in it.
        shape: how many.
        low: the smallest.
        high: above the largest.
        dtype: float32 (24 random bits each) or float64 (53); None means ``settings.dtype``.

    Shapes:
        Output: ``shape``

    Example:
        >>> import clearprop as cp
        >>> cp.ops.uniform(0, 0, (2,)).numpy().round(4)
        array([0.399 , 0.8805], dtype=float32)
    """
    chosen = _float_dtype(dtype)
    unit = _unit(key, counter, as_shape(shape, _DOING), chosen)
    if (low, high) == (0, 1):
        return unit
    if not low < high:
        raise ArgumentError(
            f"{_DOING}: there is nothing between the limits",
            found=f"low={low}, high={high}",
            needed="low < high",
        )
    stretched = p.multiply(unit, p.constant_like(high - low, unit))
    moved = p.add(stretched, p.constant_like(low, unit))
    # Rounding could reach `high` itself.
    below = np.nextafter(chosen.type(high), chosen.type(low))
    return p.minimum(moved, p.constant_like(below, moved))


@operation
def normal(
    key: ArrayLike,
    counter: ArrayLike,
    shape: ShapeLike,
    *,
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: object = None,
) -> Value:
    """Random numbers of the normal distribution.

    The inverse of its distribution function is applied to uniform numbers, so that each number
    costs one draw and none lies further out than 5.3 (f32) or 8.2 (f64) standard deviations.

    Args:
        key: names the stream.
        counter: the place in it.
        shape: how many.
        mean: the middle.
        stddev: the standard deviation.
        dtype: float32 or float64; None means ``settings.dtype``.

    Shapes:
        Output: ``shape``

    Example:
        >>> import clearprop as cp
        >>> cp.ops.normal(0, 0, (2,)).numpy().round(4)
        array([-0.2558,  1.1776], dtype=float32)
    """
    shape_ = as_shape(shape, _DOING)
    middle = _symmetric(key, counter, shape_, _float_dtype(dtype))
    return _scaled(p.erf_inverse(middle), math.sqrt(2) * stddev, mean)


@operation
def truncated_normal(
    key: ArrayLike,
    counter: ArrayLike,
    shape: ShapeLike,
    *,
    mean: float = 0.0,
    stddev: float = 1.0,
    width: float = 2.0,
    dtype: object = None,
) -> Value:
    """Random numbers of the normal distribution, without those far from the mean.

    Args:
        key: names the stream.
        counter: the place in it.
        shape: how many.
        mean: the middle.
        stddev: the standard deviation before cutting.
        width: how many of them from the mean the tails are cut off.
        dtype: float32 or float64; None means ``settings.dtype``.

    Shapes:
        Output: ``shape``

    Example:
        >>> import clearprop as cp
        >>> cp.ops.truncated_normal(0, 0, (2,)).numpy().round(4)
        array([-0.2439,  1.0948], dtype=float32)
    """
    shape_ = as_shape(shape, _DOING)
    middle = _symmetric(key, counter, shape_, _float_dtype(dtype))
    inside = p.multiply(middle, p.constant_like(math.erf(width / math.sqrt(2)), middle))
    return _scaled(p.erf_inverse(inside), math.sqrt(2) * stddev, mean)


def _scaled(x: Value, factor: float, middle: float) -> Value:
    x = p.multiply(x, p.constant_like(factor, x))
    return p.add(x, p.constant_like(middle, x)) if middle else x


@operation
def bernoulli(
    key: ArrayLike, counter: ArrayLike, shape: ShapeLike, probability: ArrayLike = 0.5
) -> Value:
    """Random conditions that hold with a given probability.

    Shapes:
        probability: broadcasts to ``shape``  ->  bool ``shape``

    Example:
        >>> import clearprop as cp
        >>> cp.ops.bernoulli(0, 0, (4,), 0.5).numpy()
        array([ True, False, False, False])
    """
    shape_ = as_shape(shape, _DOING)
    key, counter = _words(key, counter, beside=(probability,))
    unit, limit = lift(_unit(key, counter, shape_, F32), probability)
    return p.less(unit, spread(p.cast(limit, dtype=F32), shape_))


@operation
def randint(
    key: ArrayLike,
    counter: ArrayLike,
    shape: ShapeLike,
    low: int,
    high: int,
    *,
    dtype: object = "int64",
) -> Value:
    """Random whole numbers, equally likely from ``low`` up to but without ``high``.

    Args:
        key: names the stream.
        counter: the place in it.
        shape: how many.
        low: the smallest.
        high: above the largest; the likelihoods differ by (high - low) / 2^32 at most.
        dtype: a whole-number type that holds them.

    Shapes:
        Output: ``shape``

    Example:
        >>> import clearprop as cp
        >>> cp.ops.randint(0, 0, (5,), 1, 7).numpy()
        array([3, 6, 5, 4, 6])
    """
    chosen = as_dtype(dtype)
    count = high - low
    if not is_integer(chosen) or not 0 < count <= 2**32:
        raise ArgumentError(
            f"{_DOING}: there are no such whole numbers",
            found=f"low={low}, high={high}, dtype={chosen.name}",
            needed="low < high, at most 2**32 apart, and a whole-number dtype",
        )
    smallest, largest = int(np.iinfo(chosen).min), min(int(np.iinfo(chosen).max), 2**63 - 1)
    if low < smallest or high - 1 > largest:
        raise ArgumentError(
            f"{_DOING}: they do not fit into {chosen.name}",
            found=f"low={low}, high={high}",
            needed=f"{smallest} to {largest}",
        )
    bits = p.cast(random_bits(key, counter, shape), dtype=U64)
    scaled = p.multiply(bits, p.constant_like(count, bits))
    drawn = p.cast(p.shift_right(scaled, p.constant_like(32, scaled)), dtype=I64)
    moved = p.add(drawn, p.constant_like(low, drawn))
    return moved if chosen == I64 else p.cast(moved, dtype=chosen)
