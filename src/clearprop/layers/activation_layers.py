"""Activations as layers of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from clearprop import activations, initializers, ops, regularizers
from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.checks import (
    BuildShape,
    known_lengths,
    label,
    needs_length,
    number_from,
)
from clearprop.layers.layer import Layer
from clearprop.layers.masks import first_axes
from clearprop.layers.options import LayerOptions
from clearprop.layers.weight import Weight

_NEVER = -1e9  # its exponential is 0


class Activation(Layer):
    """Any activation as a layer.

    Args:
        activation: name or function.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.layers.Activation("tanh")([0.0]).tolist()
        [0.0]
    """

    supports_masking = True

    def __init__(self, activation: Any, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.activation = activations.get(activation)

    def call(self, inputs: Value) -> Any:
        """The activation of the input."""
        return self.activation(inputs)


class ReLU(Layer):
    """The rectified linear unit, max(z, 0).   See ``cp.activations.relu``.

    Args:
        max_value: the largest result; None: no limit.
        negative_slope: slope below the threshold.
        threshold: below it z counts as negative.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.layers.ReLU(max_value=1.0)([-2.0, 0.5, 2.0]).tolist()
        [0.0, 0.5, 1.0]
    """

    supports_masking = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        limited = max_value is not None
        self.max_value = number_from(self, "max_value", max_value) if limited else None
        self.negative_slope = number_from(self, "negative_slope", negative_slope)
        self.threshold = number_from(self, "threshold", threshold)

    def call(self, inputs: Value) -> Value:
        """The positive part."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Layer):
    """A rectified linear unit that leaks: slope a below 0.   See ``cp.activations.leaky_relu``.

    Args:
        negative_slope: the slope a.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.layers.LeakyReLU(0.5)([-2.0, 2.0]).tolist()
        [-1.0, 2.0]
    """

    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.negative_slope = number_from(self, "negative_slope", negative_slope)

    def call(self, inputs: Value) -> Value:
        """The input, its negative part shrunk."""
        return activations.leaky_relu(inputs, self.negative_slope)


class PReLU(Layer):
    """A leaky rectified linear unit that learns its slopes.

    Args:
        alpha_initializer: draws the first slopes.
        alpha_regularizer: adds a penalty on the slopes to the loss.
        shared_axes: axes (from 1 on) along which all elements have one slope, such as
            ``(1, 2)`` for the pixels of an image.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, *S)  ->  the same

    Weights:
        alpha: S, with length 1 at the shared axes; zeros.

    Reference:
        K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", ICCV (2015).

    Example:
        >>> import clearprop as cp
        >>> cp.layers.PReLU(alpha_initializer=0.25)([[-4.0, 2.0]]).tolist()
        [[-1.0, 2.0]]
    """

    supports_masking = True

    alpha: Weight

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        axes = (shared_axes,) if isinstance(shared_axes, int) else shared_axes
        self.shared_axes = None if axes is None else list(axes)

    def build(self, input_shape: BuildShape) -> None:
        """Make one slope for each element that has its own."""
        rank = len(input_shape)
        shared = self.shared_axes or []
        if any(not 1 <= axis < rank for axis in shared):
            raise ArgumentError(
                f"{label(self)}: the input does not have these axes",
                found=f"shared_axes={shared} for an input with {rank} axes",
                needed=f"1 to {rank - 1}",
                at=str(here()),
            )
        own = [axis for axis in range(1, rank) if axis not in shared]
        lengths = dict(zip(own, known_lengths(self, input_shape, own), strict=True))
        self.alpha = self.add_weight(
            tuple(lengths.get(axis, 1) for axis in range(1, rank)),
            self.alpha_initializer,
            name="alpha",
            regularizer=self.alpha_regularizer,
        )

    def call(self, inputs: Value) -> Value:
        """z above 0, alpha z elsewhere."""
        for axis, length in enumerate(self.alpha.shape, start=1):
            if axis not in (self.shared_axes or []):
                needs_length(self, inputs, axis, length, f"elements along axis {axis}")
        leaking = ops.multiply(inputs, self.alpha)
        return ops.where(ops.less_equal(inputs, 0.0), leaking, inputs)


class ELU(Layer):
    """The exponential linear unit.   See ``cp.activations.elu``.

    Args:
        alpha: what it tends to at minus infinity, negated.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.layers.ELU()([-100.0, 2.0]).tolist()
        [-1.0, 2.0]
    """

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.alpha = number_from(self, "alpha", alpha, low=-float("inf"))

    def call(self, inputs: Value) -> Value:
        """z above 0, alpha (e^z - 1) below."""
        return activations.elu(inputs, self.alpha)


class Softmax(Layer):
    """Probabilities from logits.   See ``cp.activations.softmax``.

    What a mask excludes has probability 0.

    Args:
        axis: one or several, along which the probabilities have the sum 1.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: S, mask: bool, the first axes of S, 1 where all have one answer  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.layers.Softmax()([[3.0, 3.0]]).tolist()
        [[0.5, 0.5]]
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.axis = axis

    def call(self, inputs: Value, mask: Value | None = None) -> Value:
        """The probabilities; what is masked has none."""
        if mask is None:
            return activations.softmax(inputs, self.axis)
        counts = first_axes(mask, inputs)
        kept = ops.where(counts, inputs, _NEVER)
        return ops.where(counts, activations.softmax(kept, self.axis), 0.0)
