"""Sets of points in the plane, drawn at random: what a small network can be watched on.

All points lie roughly in the square from -6 to 6; ``noise`` is the standard deviation of
normal noise added to each coordinate (for `plane`: to the target). Rows come shuffled, the
two classes equally often, and the same ``seed`` gives the same points.
"""

from __future__ import annotations

import numpy as np

from clearprop.data.intake import Array
from clearprop.errors import ArgumentError

_RADIUS = 5.0


def circle(n: int = 500, noise: float = 0.0, seed: int = 0) -> tuple[Array, Array]:
    """Class 1 in a disk around the origin, class 0 in a ring about it.

    The disk has radius 2.5, the ring reaches from 3.5 to 5; points are uniform in both areas.

    Shapes:
        -> x float32 (n, 2), y int64 (n,).

    Raises:
        ArgumentError: fewer than two points, or negative noise.

    Example:
        >>> x, y = circle(100)
        >>> bool(((x**2).sum(axis=1) < 9).astype(int).tolist() == y.tolist())
        True
    """
    rng, y = _start(n, noise, seed)
    inner, outer = np.where(y == 1, 0.0, 0.7), np.where(y == 1, 0.5, 1.0)
    radius = _RADIUS * np.sqrt(rng.uniform(inner**2, outer**2))
    angle = rng.uniform(0, 2 * np.pi, n)
    points = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return _noisy(points, noise, rng), y


def xor(n: int = 500, noise: float = 0.0, seed: int = 0) -> tuple[Array, Array]:
    """Class 1 where the two coordinates have different signs, class 0 where they agree.

    Coordinates are uniform, 0.3 to 5 away from both axes: no straight line divides the classes.

    Shapes:
        -> x float32 (n, 2), y int64 (n,).

    Raises:
        ArgumentError: fewer than two points, or negative noise.
    """
    rng, y = _start(n, noise, seed)
    sizes = rng.uniform(0.3, _RADIUS, (n, 2))
    first = rng.choice([-1.0, 1.0], n)
    signs = np.column_stack([first, np.where(y == 1, -first, first)])
    return _noisy(sizes * signs, noise, rng), y


def gaussians(n: int = 500, noise: float = 0.0, seed: int = 0) -> tuple[Array, Array]:
    """Two round clouds: class 1 about (2, 2), class 0 about (-2, -2), standard deviation 1.

    Shapes:
        -> x float32 (n, 2), y int64 (n,).

    Raises:
        ArgumentError: fewer than two points, or negative noise.
    """
    rng, y = _start(n, noise, seed)
    points = np.where(y == 1, 2.0, -2.0)[:, None] + rng.normal(size=(n, 2))
    return _noisy(points, noise, rng), y


def spiral(n: int = 500, noise: float = 0.0, seed: int = 0) -> tuple[Array, Array]:
    """Two arms that wind 1.75 times about each other, one for each class.

    The k-th of m points of an arm has radius 5 k / m and angle 3.5 pi k / m, half a turn more
    for class 1.

    Shapes:
        -> x float32 (n, 2), y int64 (n,).

    Raises:
        ArgumentError: fewer than two points, or negative noise.

    Example:
        >>> x, y = spiral(200, noise=0.1, seed=1)
        >>> x.shape, int(y.sum())
        ((200, 2), 100)
    """
    rng, y = _start(n, noise, seed)
    along = np.zeros(n)
    for label in (0, 1):
        members = np.flatnonzero(y == label)
        along[members] = np.arange(len(members)) / len(members)
    angle = 3.5 * np.pi * along + np.pi * y
    points = (_RADIUS * along)[:, None] * np.column_stack([np.sin(angle), np.cos(angle)])
    return _noisy(points, noise, rng), y


def plane(n: int = 500, noise: float = 0.0, seed: int = 0) -> tuple[Array, Array]:
    """A tilted plane to regress: ``y = (x1 + x2) / 10`` plus noise, x uniform in -5 to 5.

    Shapes:
        -> x float32 (n, 2), y float32 (n,).

    Raises:
        ArgumentError: fewer than two points, or negative noise.
    """
    rng, _ = _start(n, noise, seed)
    x = rng.uniform(-_RADIUS, _RADIUS, (n, 2))
    y = x.sum(axis=1) / 10 + noise * rng.normal(size=n)
    return x.astype(np.float32), y.astype(np.float32)


def _start(n: int, noise: float, seed: int) -> tuple[np.random.Generator, Array]:
    """The random numbers, and shuffled labels 0 and 1."""
    if n < 2:
        raise ArgumentError(
            "Drawing points: too few", found=f"n={n}", needed="n of at least 2, one per class"
        )
    if not noise >= 0:
        raise ArgumentError(
            "Drawing points: noise is a standard deviation",
            found=f"noise={noise}",
            needed="a number of at least 0",
        )
    rng = np.random.default_rng(seed)
    return rng, rng.permutation(np.arange(n, dtype=np.int64) % 2)


def _noisy(points: Array, noise: float, rng: np.random.Generator) -> Array:
    noisy: Array = (points + noise * rng.normal(size=points.shape)).astype(np.float32)
    return noisy
