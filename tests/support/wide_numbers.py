"""The elementary functions with more digits than what is tested has."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from clearprop.ir.value import Array

WIDE = np.longdouble
HAS_WIDER_THAN_DOUBLE = np.finfo(WIDE).nmant > 60
_TWO_OVER_ROOT_PI = 2 / np.sqrt(4 * np.arctan(WIDE(1)))


def erf(x: Array) -> Array:
    """2 / sqrt(pi) * exp(-x^2) times the sum of 2^n x^(2n+1) / (2n+1)!!: all terms are positive.

    Reference:
        DLMF, 7.6.2.
    """
    size = np.minimum(np.abs(x), WIDE(8))
    term = total = size
    for n in range(1, 260):
        term = term * 2 * size * size / (2 * n + 1)
        total = total + term
    return np.copysign(_TWO_OVER_ROOT_PI * np.exp(-size * size) * total, x)


def erf_complement(x: Array) -> Array:
    """1 - erf(x) for x >= 1, by its continued fraction.

    Reference:
        DLMF, 7.9.1.
    """
    fraction = x
    for k in range(400, 0, -1):
        fraction = x + WIDE(k) / 2 / fraction
    return _TWO_OVER_ROOT_PI / 2 * np.exp(-x * x) / fraction


def erf_inverse(x: Array, near: Array) -> Array:
    """The number whose erf is x, by Newton's steps from one that is ``near``."""
    inside = np.abs(x) < 1
    size, y = np.abs(x[inside]), np.abs(near[inside].astype(WIDE))
    for _ in range(2):
        far = erf_complement(np.maximum(y, 1))
        missing = np.where(y < 1, size - erf(y), far - (1 - size))
        y += missing / _TWO_OVER_ROOT_PI * np.exp(y * y)
    result = near.astype(WIDE)
    result[inside] = np.copysign(y, x[inside])
    return result


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


FUNCTIONS: dict[str, Callable[..., Array]] = {
    **{
        name: getattr(np, name)
        for name in (
            "exp", "expm1", "log", "log1p", "sqrt", "power", "sin", "cos", "tan", "arcsin",
            "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
        )
    },
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": sigmoid,
    "erf": erf,
}  # fmt: skip


def ulps(got: Array, exact: Array) -> Array:
    """How far numbers are from exact ones, in units of their last place.

    Numbers below the smallest normal one count as 0; beyond the greatest one as infinite.
    """
    info = np.finfo(got.dtype)
    with np.errstate(all="ignore"):
        wide = got.astype(exact.dtype)
        _, exponent = np.frexp(exact)
        unit = np.ldexp(exact.dtype.type(1), np.maximum(exponent - 1, info.minexp) - info.nmant)
        distance = np.abs(wide - exact) / unit
        nearest = exact.astype(got.dtype)
    same = (got == nearest) | (np.isnan(got) & np.isnan(nearest))
    tiny = (np.abs(exact) < info.smallest_normal) & (np.abs(wide) <= info.smallest_normal)
    finite = np.isfinite(got) & np.isfinite(nearest)
    return np.where(finite & ~tiny, distance, np.where(same | tiny, 0, np.inf)).astype(np.float64)
