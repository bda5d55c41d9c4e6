"""Normalization of each sample by itself: training and use are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from clearprop import initializers, ops, regularizers
from clearprop.ir.value import Value
from clearprop.layers.checks import BuildShape, axes_of, known_lengths, needs_length, number_from
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions
from clearprop.layers.weight import Weight
from clearprop.ops.lift import lift_float


class LayerNormalization(Layer):
    """Each sample with mean 0 and variance 1 over its features, then scaled and moved as learned.

    y = gamma (x - mean) / sqrt(variance + epsilon) + beta.

    Args:
        axis: one or several axes of the features.
        epsilon: keeps the divisor away from 0.
        center: whether beta is added.
        scale: whether gamma multiplies.
        rms_scaling: the older form y = gamma x / sqrt(variance + epsilon), which neither subtracts
            the mean nor adds beta; prefer ``RMSNormalization``.
        beta_initializer: draws the first beta.
        gamma_initializer: draws the first gamma.
        beta_regularizer: adds a penalty on beta to the loss.
        gamma_regularizer: adds a penalty on gamma to the loss.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, ..., features)  ->  the same

    Weights:
        gamma: the lengths of the axes, ones.
        beta: the lengths of the axes, zeros.

    Reference:
        J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization", arXiv:1607.06450 (2016).

    Example:
        >>> import clearprop as cp
        >>> cp.layers.LayerNormalization(epsilon=0.0)([[1.0, 3.0]]).tolist()
        [[-1.0, 1.0]]
    """

    supports_masking = True

    gamma: Weight | None
    beta: Weight | None

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        rms_scaling: bool = False,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.axis = axis
        self.epsilon = number_from(self, "epsilon", epsilon)
        self.center, self.scale, self.rms_scaling = center, scale, rms_scaling
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)

    def build(self, input_shape: BuildShape) -> None:
        """Make gamma and beta for these features."""
        shape = known_lengths(self, input_shape, axes_of(self, self.axis, len(input_shape)))
        self.gamma = self.beta = None
        if self.scale or self.rms_scaling:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, name="gamma", regularizer=self.gamma_regularizer
            )
        if self.center and not self.rms_scaling:
            self.beta = self.add_weight(
                shape, self.beta_initializer, name="beta", regularizer=self.beta_regularizer
            )

    def call(self, inputs: Value) -> Value:
        """The normalized samples."""
        x = lift_float(inputs)
        axes = axes_of(self, self.axis, len(x.shape))
        centered = ops.subtract(x, ops.mean(x, axes, keepdims=True))
        variance = ops.mean(ops.square(centered), axes, keepdims=True)
        factor = ops.rsqrt(ops.add(variance, self.epsilon))
        result = ops.multiply(x if self.rms_scaling else centered, factor)
        if self.gamma is not None:
            result = ops.multiply(result, laid_along(self, self.gamma, x, axes))
        if self.beta is not None:
            result = ops.add(result, laid_along(self, self.beta, x, axes))
        return result


class RMSNormalization(Layer):
    """Each sample divided by the root of its mean square, then scaled as learned.

    y = scale x / sqrt(mean(x^2) + epsilon): cheaper than layer normalization, and as good in
    language models.

    Args:
        axis: one or several axes of the features.
        epsilon: keeps the divisor away from 0.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, ..., features)  ->  the same

    Weights:
        scale: the lengths of the axes, ones.

    Reference:
        B. Zhang, R. Sennrich, "Root mean square layer normalization", NeurIPS (2019).

    Example:
        >>> import clearprop as cp
        >>> cp.layers.RMSNormalization(epsilon=0.0)([[3.0, -3.0]]).tolist()
        [[1.0, -1.0]]
    """

    supports_masking = True

    scale: Weight

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-6,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.axis = axis
        self.epsilon = number_from(self, "epsilon", epsilon)

    def build(self, input_shape: BuildShape) -> None:
        """Make a factor for each feature."""
        shape = known_lengths(self, input_shape, axes_of(self, self.axis, len(input_shape)))
        self.scale = self.add_weight(shape, "ones", name="scale")

    def call(self, inputs: Value) -> Value:
        """The normalized samples."""
        x = lift_float(inputs)
        axes = axes_of(self, self.axis, len(x.shape))
        mean_square = ops.mean(ops.square(x), axes, keepdims=True)
        factor = ops.rsqrt(ops.add(mean_square, self.epsilon))
        return ops.multiply(ops.multiply(x, factor), laid_along(self, self.scale, x, axes))


class UnitNormalization(Layer):
    """Each sample divided by its length, so that it has length 1; a sample of zeros stays.

    Args:
        axis: one or several axes along which the length is measured.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, ..., features)  ->  the same

    Example:
        >>> import clearprop as cp
        >>> cp.layers.UnitNormalization()([[0.0, -2.0]]).tolist()
        [[0.0, -1.0]]
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.axis = axis

    def call(self, inputs: Value) -> Value:
        """The directions of the samples."""
        x = lift_float(inputs)
        return unit_length(x, axes_of(self, self.axis, len(x.shape)), smallest=1e-12)


def unit_length(x: Value, axes: tuple[int, ...], *, smallest: float) -> Value:
    """x divided by its length along ``axes``, or by ``smallest`` where it is shorter.

    Shapes:
        x: S  ->  S
    """
    square = ops.sum(ops.square(x), axes, keepdims=True)
    return ops.multiply(x, ops.rsqrt(ops.maximum(square, smallest**2)))


def laid_along(layer: Layer, weight: Weight, x: Value, axes: tuple[int, ...]) -> Value:
    """A weight with one number for each place on ``axes``, shaped to meet ``x``.

    Shapes:
        weight: the lengths of ``axes``  ->  the rank of x, with length 1 at the other axes
    """
    for axis, length in zip(axes, weight.shape, strict=True):
        needs_length(layer, x, axis, length, "features")
    shape = tuple(length if n in axes else 1 for n, length in enumerate(x.shape))
    return ops.reshape(weight, shape)
