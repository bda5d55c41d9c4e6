"""Penalties on weights that are added to the loss."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np

from clearprop import ops
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.registry import Configurable


class Regularizer(Configurable, ABC):
    """A penalty: a number, computed from a weight, that is added to the loss.

    Example:
        >>> import clearprop as cp
        >>> class Mean(cp.regularizers.Regularizer):
        ...     def __call__(self, weight):
        ...         return weight.mean()
        >>> Mean()(cp.tensor([1.0, 3.0])).item()
        2.0
    """

    @abstractmethod
    def __call__(self, weight: Value) -> Value:
        """The penalty of ``weight``.

        Shapes:
            weight: any  ->  ()
        """


class L1L2(Regularizer):
    """l1 * sum(|w|) + l2 * sum(w^2).

    Args:
        l1: factor of the sum of sizes.
        l2: factor of the sum of squares.

    Example:
        >>> import clearprop as cp
        >>> L1L2(l1=1.0, l2=0.5)(cp.tensor([3.0, -4.0])).item()
        19.5
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = _factor(l1 or 0.0, "l1", type(self))
        self.l2 = _factor(l2 or 0.0, "l2", type(self))

    def __call__(self, weight: Value) -> Value:
        """The penalty of ``weight``.

        Shapes:
            weight: any  ->  ()
        """
        terms = []
        if self.l1:
            terms.append(ops.multiply(ops.sum(ops.absolute(weight)), self.l1))
        if self.l2:
            terms.append(ops.multiply(ops.sum(ops.square(weight)), self.l2))
        if not terms:
            return ops.multiply(ops.sum(weight), 0.0)
        return terms[0] if len(terms) == 1 else ops.add(*terms)


class L1(Regularizer):
    """l1 * sum(|w|): drives weights to exactly 0.

    Args:
        l1: its factor.

    Example:
        >>> import clearprop as cp
        >>> L1(0.5)(cp.tensor([3.0, -4.0])).item()
        3.5
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = _factor(0.01 if l1 is None else l1, "l1", type(self))

    def __call__(self, weight: Value) -> Value:
        """The penalty of ``weight``.

        Shapes:
            weight: any  ->  ()
        """
        return ops.multiply(ops.sum(ops.absolute(weight)), self.l1)


class L2(Regularizer):
    """l2 * sum(w^2): keeps weights small.

    Args:
        l2: its factor (without a half).

    Example:
        >>> import clearprop as cp
        >>> L2(0.5)(cp.tensor([3.0, -4.0])).item()
        12.5
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = _factor(0.01 if l2 is None else l2, "l2", type(self))

    def __call__(self, weight: Value) -> Value:
        """The penalty of ``weight``.

        Shapes:
            weight: any  ->  ()
        """
        return ops.multiply(ops.sum(ops.square(weight)), self.l2)


class OrthogonalRegularizer(Regularizer):
    """factor * the mean of |cos(angle)| over all pairs of rows (or columns) of a matrix.

    Args:
        factor: its factor.
        mode: ``"rows"`` or ``"columns"``.

    Example:
        >>> import clearprop as cp
        >>> round(OrthogonalRegularizer(1.0)(cp.tensor([[2.0, 0.0], [3.0, 4.0]])).item(), 6)
        0.6
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor(factor, "factor", type(self))
        if mode not in {"rows", "columns"}:
            raise ArgumentError(
                f"OrthogonalRegularizer: there is no mode {mode!r}",
                found=f"mode={mode!r}",
                needed='"rows" or "columns"',
                at=str(here()),
            )
        self.mode = mode

    def __call__(self, weight: Value) -> Value:
        """The penalty of ``weight``.

        Shapes:
            weight: (rows, columns)  ->  ()
        """
        if len(weight.shape) != 2:
            raise ShapeError(
                "OrthogonalRegularizer: only a matrix has rows and columns",
                found=f"{weight.type}",
                needed="two axes",
                at=str(here()),
            )
        vectors = weight if self.mode == "rows" else ops.transpose(weight)
        count = vectors.shape[0]
        squares = ops.sum(ops.square(vectors), axis=1, keepdims=True)
        unit = ops.multiply(vectors, ops.rsqrt(ops.maximum(squares, _SMALLEST_SQUARE)))
        cosines = ops.absolute(ops.matmul(unit, ops.transpose(unit)))
        others = (1 - np.eye(count)).astype(weight.dtype)
        pairs = max(1, count * (count - 1))  # each pair stands twice in the sum
        return ops.multiply(ops.sum(ops.multiply(cosines, others)), self.factor / pairs)


_SMALLEST_SQUARE = 1e-24  # a row of zeros has no direction: it counts as orthogonal to all


def _factor(value: float, name: str, cls: type[Regularizer]) -> float:
    if not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise ArgumentError(
            f"{cls.__name__}: the factor {name} is not a number of 0 or more",
            found=f"{name}={value!r}",
            needed="a finite number, 0 or more",
            at=str(here()),
        )
    return float(value)
