"""Scalers: numbers brought to a common size, fitted on training data, invertible.

The last axis counts the features (the columns of a table, the channels of an image); the
statistics run over all other axes. An array with one axis is one feature. NaN is left out
when a scaler is fitted and stays NaN when it transforms; infinity is refused. A feature that
is constant in the training data has no spread to divide by: it is divided by 1. All work is
done in float64; the result is float64 for float64 input and float32 for any other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self, final

import numpy as np

from clearprop.data.configs import ConfigReader
from clearprop.data.intake import Array, as_array, check_data
from clearprop.errors import NotBuiltError, ShapeError
from clearprop.text import count_text


class Scaler(ABC):
    """What all scalers share: ``(x - shift) / scale``, per feature, and back.

    Attributes:
        shift: what is taken from each feature; ``None`` before `fit`.
        scale: what each feature is then divided by; ``None`` before `fit`.

    Shapes:
        shift, scale: (features,).
    """

    name: ClassVar[str]

    def __init__(self) -> None:
        self.shift: Array | None = None
        self.scale: Array | None = None

    def fit(self, x: object) -> Self:
        """Measure the features of the training data.

        Shapes:
            x: (n, ..., features), or (n,) for one feature.

        Raises:
            DataError: text, infinite numbers, or no rows.
        """
        columns = _columns(_checked(x), None)
        present = ~np.isnan(columns)
        known = np.where(present.any(axis=0), columns, 0.0)  # all missing: as if all were 0
        self.shift, self.scale = self._measure(known)
        return self

    @abstractmethod
    def _measure(self, columns: Array) -> tuple[Array, Array]:
        """Shift and scale of float64 columns (n, features), each with a number in it."""

    def transform(self, x: object) -> Array:
        """The scaled numbers.

        Shapes:
            x: (n, ..., features) -> the same shape.

        Raises:
            NotBuiltError: `fit` has not run.
            ShapeError: another number of features than `fit` has seen.
        """
        shift, scale = self._fitted()
        array = _checked(x)
        columns = _columns(array, len(shift))
        return _like(array, (columns - shift) / scale)

    def inverse(self, x: object) -> Array:
        """The numbers in their original units.

        Shapes:
            x: (n, ..., features) -> the same shape.

        Raises:
            NotBuiltError: `fit` has not run.
            ShapeError: another number of features than `fit` has seen.
        """
        shift, scale = self._fitted()
        array = _checked(x)
        return _like(array, _columns(array, len(shift)) * scale + shift)

    def to_config(self) -> dict[str, Any]:
        """What `scaler_from_config` needs, as JSON can hold it.

        Raises:
            NotBuiltError: `fit` has not run.
        """
        shift, scale = self._fitted()
        return {"scaler": self.name, "shift": shift.tolist(), "scale": scale.tolist()}

    @classmethod
    def from_config(cls, config: object) -> Self:
        """The scaler that `to_config` described.

        Raises:
            ModelFileError: the config is malformed, or another scaler's.
        """
        reader = ConfigReader(config, f"the scaler {cls.name}", ("scaler", "shift", "scale"))
        reader.text("scaler", (cls.name,))
        scaler = cls()
        scaler.shift, scaler.scale = reader.numbers("shift"), reader.numbers("scale", positive=True)
        if len(scaler.shift) != len(scaler.scale):
            reader.refuse(
                f"{len(scaler.shift)} shifts and {len(scaler.scale)} scales", "one of each"
            )
        return scaler

    def _fitted(self) -> tuple[Array, Array]:
        if self.shift is None or self.scale is None:
            raise NotBuiltError(
                f"Scaling with {type(self).__name__}: it has not seen training data yet",
                needed="fit(x_train) first",
                try_=f"scaler = cp.data.{type(self).__name__}().fit(x_train)",
            )
        return self.shift, self.scale


@final
class MinMaxScaler(Scaler):
    """Every feature from 0 (its smallest training value) to 1 (its largest).

    ``(x - min) / (max - min)``; a constant feature becomes 0.

    Example:
        >>> MinMaxScaler().fit([[1.0], [3.0]]).transform([[1.0], [2.0], [5.0]]).tolist()
        [[0.0], [0.5], [2.0]]
    """

    name = "min_max"

    def _measure(self, columns: Array) -> tuple[Array, Array]:
        smallest, largest = np.nanmin(columns, axis=0), np.nanmax(columns, axis=0)
        return smallest, np.where(largest > smallest, largest - smallest, 1.0)


@final
class ZScoreScaler(Scaler):
    """Every feature with mean 0 and standard deviation 1 over the training data.

    ``(x - mean) / deviation``, the deviation with divisor n; a constant feature becomes 0.

    Example:
        >>> ZScoreScaler().fit([1.0, 3.0]).transform([1.0, 2.0, 5.0]).tolist()
        [-1.0, 0.0, 3.0]
    """

    name = "z_score"

    def _measure(self, columns: Array) -> tuple[Array, Array]:
        constant = np.nanmin(columns, axis=0) == np.nanmax(columns, axis=0)
        mean = np.where(constant, np.nanmin(columns, axis=0), np.nanmean(columns, axis=0))
        deviation = np.nanstd(columns, axis=0)
        return mean, np.where(constant | (deviation == 0), 1.0, deviation)


@final
class DecimalScaler(Scaler):
    """Every feature divided by a power of ten that brings it between -1 and 1.

    ``x / 10^d`` with the smallest whole ``d`` from 0 (to 308) for which all ``|x| / 10^d < 1``.

    Example:
        >>> DecimalScaler().fit([[-986.0], [917.0]]).transform([[-986.0]]).tolist()
        [[-0.986]]
    """

    name = "decimal"

    def _measure(self, columns: Array) -> tuple[Array, Array]:
        largest = np.nanmax(np.abs(columns), axis=0)
        powers = np.array([10.0**d for d in range(309)])
        digits = np.searchsorted(powers, largest, side="right")
        digits[largest < 1] = 0
        return np.zeros(len(largest)), powers[np.minimum(digits, 308)]


_SCALERS: dict[str, type[Scaler]] = {
    scaler.name: scaler for scaler in (MinMaxScaler, ZScoreScaler, DecimalScaler)
}


def scaler_from_config(config: object) -> Scaler:
    """The scaler, of whichever kind, that a config describes.

    Raises:
        ModelFileError: the config is malformed, or of no kind that exists.
    """
    reader = ConfigReader(config, "a scaler", ("scaler", "shift", "scale"))
    return _SCALERS[reader.text("scaler", tuple(_SCALERS))].from_config(config)


def _checked(x: object) -> Array:
    array = as_array(x)
    if array.dtype.kind == "f" and array.size:
        if np.isinf(array).any():
            check_data(np.where(np.isnan(array), 0, array))
        return array
    check_data(array)
    return array


def _columns(array: Array, features: int | None) -> Array:
    """The array as float64 columns, one per feature."""
    if array.ndim == 0:
        raise ShapeError(
            "Scaling: a single number has no features",
            found="shape ()",
            needed="shape (n, features) or (n,)",
        )
    columns = array.reshape(-1, 1 if array.ndim == 1 else array.shape[-1]).astype(np.float64)
    if features is not None and columns.shape[1] != features:
        raise ShapeError(
            f"Scaling: the data have {count_text(columns.shape[1], 'feature')}, "
            f"the scaler was fitted on {features}",
            found=f"shape {array.shape}",
            needed=f"(n, ..., {features})" + (" or (n,)" if features == 1 else ""),
        )
    return columns


def _like(array: Array, columns: Array) -> Array:
    wide = array.dtype == np.float64
    return columns.reshape(array.shape).astype(np.float64 if wide else np.float32)
