"""Data brought to a common scale inside of the model, by numbers that are not trained."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Unpack

import numpy as np

from clearprop import ops
from clearprop.dtypes import is_float
from clearprop.errors import ArgumentError, DataError, ShapeError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Array, Value
from clearprop.layers.checks import BuildShape, axes_of, known_lengths, label, needs_length
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions
from clearprop.layers.weight import Weight

_SMALLEST_DEVIATION = 1e-7


class Normalization(Layer):
    """(x - mean) / standard deviation, with the mean and variance of the data.

    They are told, or measured once by ``adapt(data)`` and saved with the model.  A feature that
    never varies becomes 0.

    Args:
        axis: one or several axes that have a mean and a variance for each place; None (or
            ``()``): one for all numbers.
        mean: the mean, if it is known; its axes are the last of ``axis``.
        variance: the variance, if it is known.
        invert: whether normalized data is turned back: x * standard deviation + mean.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: S  ->  S

    Weights:
        mean: the lengths of the axes, zeros until ``adapt``; not trained.
        variance: the lengths of the axes, ones until ``adapt``; not trained.
        count: (), 0, kept for files of Keras; not trained.  There are no weights where mean and
            variance are told.

    Example:
        >>> import clearprop as cp
        >>> layer = cp.layers.Normalization()
        >>> layer.adapt([[1.0, 10.0], [3.0, 30.0]])
        >>> layer([[2.0, 30.0]]).tolist()
        [[0.0, 1.0]]
    """

    supports_masking = True

    adapted_mean: Weight
    adapted_variance: Weight
    count: Weight

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.axis: tuple[int, ...] = ()
        if axis is not None:
            self.axis = tuple(axis) if isinstance(axis, Sequence) else (axis,)
        self.mean, self.variance, self.invert = mean, variance, invert
        shapes = [None if given is None else np.shape(given) for given in (mean, variance)]
        if shapes[0] != shapes[1] or len(shapes[0] or ()) > len(self.axis):
            raise ArgumentError(
                f"{label(self)}: mean and variance are told together, for the axes that vary",
                found=f"mean of shape {shapes[0]}, variance of shape {shapes[1]}",
                needed=f"two arrays with one shape and at most {len(self.axis)} axes",
                at=str(here()),
            )

    def build(self, input_shape: BuildShape) -> None:
        """Make a mean and a variance for each place."""
        axes = axes_of(self, self.axis, len(input_shape))
        shape = known_lengths(self, input_shape, axes)
        if self.mean is not None:
            return
        self.adapted_mean = self.add_weight(shape, "zeros", name="mean", trainable=False)
        self.adapted_variance = self.add_weight(shape, "ones", name="variance", trainable=False)
        self.count = self.add_weight((), "zeros", name="count", trainable=False, dtype="int32")

    def adapt(self, data: Any) -> None:
        """Measure the mean and variance of the data.

        Args:
            data: an array, or an iterable of arrays (batches).

        Shapes:
            data: as the inputs of the layer

        Raises:
            ArgumentError: mean and variance were told to the constructor.
            DataError: there is no data.
        """
        if self.mean is not None:
            raise ArgumentError(
                f"{label(self)}: its mean and variance were told, there is nothing to measure",
                found="adapt(data)",
                needed="Normalization() without mean and variance",
                at=str(here()),
            )
        mean, variance, axes, shape = self._measured(_batches(data))
        if not self.built:
            self.build(shape)
        if self.adapted_mean.shape != mean.shape:
            raise ShapeError(
                f"{label(self)}: the data does not fit the inputs it was built for",
                found=f"lengths {mean.shape} at axes {axes}",
                needed=f"{self.adapted_mean.shape}",
                at=str(here()),
            )
        self.adapted_mean.assign(mean)
        self.adapted_variance.assign(variance)

    def _measured(self, batches: Iterable[Array]) -> tuple[Array, Array, tuple[int, ...], Shape]:
        """Mean and variance of all batches together, in float64, batch after batch."""
        count, mean, squares = 0, np.zeros(()), np.zeros(())
        axes: tuple[int, ...] = ()
        shape: Shape = ()
        for batch in batches:
            array = np.asarray(batch, np.float64)
            shape, axes = array.shape, axes_of(self, self.axis, array.ndim)
            others = tuple(n for n in range(array.ndim) if n not in axes)
            size = math.prod(shape[n] for n in others)
            if size == 0:
                continue
            batch_mean, batch_squares = array.mean(others), array.var(others) * size
            if count and batch_mean.shape != mean.shape:
                raise ShapeError(
                    f"{label(self)}: batches of the data have different lengths at axes {axes}",
                    found=f"{mean.shape} and {batch_mean.shape}",
                    needed="the same in all batches",
                    at=str(here()),
                )
            # Two groups joined: their spreads, and the spread between their means.
            distance = batch_mean - mean
            squares = squares + batch_squares + distance**2 * (count * size / (count + size))
            mean = mean + distance * (size / (count + size))
            count += size
        if not count:
            raise DataError(
                f"{label(self)}: there is no data to measure",
                found="no samples",
                needed="at least one",
                at=str(here()),
            )
        return mean, squares / count, axes, shape

    def call(self, inputs: Value) -> Value:
        """The normalized data."""
        x = as_layer_float(self, inputs)
        axes = axes_of(self, self.axis, len(x.shape))
        mean, variance = self._statistics(x, axes)
        deviation = ops.maximum(ops.sqrt(variance), _SMALLEST_DEVIATION)
        if self.invert:
            return ops.add(ops.multiply(x, deviation), mean)
        return ops.divide(ops.subtract(x, mean), deviation)

    def _statistics(self, x: Value, axes: tuple[int, ...]) -> tuple[Any, Any]:
        shape = tuple(length if n in axes else 1 for n, length in enumerate(x.shape))
        if self.mean is None:
            for axis, length in zip(axes, self.adapted_mean.shape, strict=True):
                needs_length(self, x, axis, length, "features")
            weights = (self.adapted_mean, self.adapted_variance)
            return tuple(ops.reshape(weight, shape) for weight in weights)  # type: ignore[return-value]
        lengths = tuple(x.shape[axis] for axis in axes)
        try:
            told = [
                np.broadcast_to(np.asarray(number, x.dtype), lengths).reshape(shape)
                for number in (self.mean, self.variance)
            ]
        except ValueError as error:
            raise ShapeError(
                f"{label(self)}: the mean that was told does not fit the input",
                found=f"mean of shape {np.shape(self.mean)}, x: {x.type}",
                needed=f"a shape that broadcasts to {lengths}",
                at=str(here()),
            ) from error
        return told[0], told[1]


class Rescaling(Layer):
    """x * scale + offset, with fixed numbers: ``Rescaling(1 / 255)`` for pixels.

    Args:
        scale: the factor, or one for each of the last places.
        offset: what is added.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.layers.Rescaling(2.0, offset=-1.0)([0, 1]).tolist()
        [-1.0, 1.0]
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.scale, self.offset = scale, offset

    def call(self, inputs: Value) -> Value:
        """The rescaled data."""
        x = as_layer_float(self, inputs)
        scaled = ops.multiply(x, np.asarray(self.scale, x.dtype))
        if isinstance(self.offset, (int, float)) and self.offset == 0:
            return scaled
        return ops.add(scaled, np.asarray(self.offset, x.dtype))


def as_layer_float(layer: Layer, inputs: Value) -> Value:
    """``inputs``, whole numbers as numbers of the layer's own element type.

    Shapes:
        inputs: S  ->  S
    """
    return inputs if is_float(inputs.dtype) else ops.cast(inputs, layer.dtype)


def _batches(data: Any) -> Iterable[Any]:
    """One batch, or many: whatever has no shape itself and holds things that have one."""
    if hasattr(data, "shape") or hasattr(data, "__array__") or not isinstance(data, Iterable):
        return [data]
    parts = list(data) if isinstance(data, (list, tuple)) else data
    if isinstance(parts, list) and not any(hasattr(part, "shape") for part in parts):
        return [data]  # nested lists of numbers
    return parts
