"""Normalization by the statistics of a batch."""

from __future__ import annotations

from typing import Any, Unpack

from clearprop import initializers, ops, regularizers
from clearprop.ir.value import Value
from clearprop.layers.checks import BuildShape, axes_of, known_lengths, needs_length, number_from
from clearprop.layers.layer import Layer
from clearprop.layers.masks import needs_mask, spread
from clearprop.layers.options import LayerOptions
from clearprop.layers.weight import Weight
from clearprop.ops.lift import lift_float

_NOT_ZERO = 1e-7  # Keras's, added to the number of elements that count


class BatchNormalization(Layer):
    """Each feature with mean 0 and variance 1 over the batch, then scaled and moved as learned.

    y = gamma (x - mean) / sqrt(variance + epsilon) + beta.  While training, mean and variance
    are the batch's (the variance with divisor n), and running averages follow them:
    moving <- momentum * moving + (1 - momentum) * batch's.  Otherwise, and while ``trainable`` is
    False, mean and variance are the running averages.

    Args:
        axis: the axis of the features (of an image: the channels).
        momentum: how slowly the running averages follow.
        epsilon: keeps the divisor away from 0.
        center: whether beta is added.
        scale: whether gamma multiplies.
        beta_initializer: draws the first beta.
        gamma_initializer: draws the first gamma.
        moving_mean_initializer: draws the first running mean.
        moving_variance_initializer: draws the first running variance.
        beta_regularizer: adds a penalty on beta to the loss.
        gamma_regularizer: adds a penalty on gamma to the loss.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, ..., features)  ->  the same

    Weights:
        gamma: (features,), ones.
        beta: (features,), zeros.
        moving_mean: (features,), zeros; not trained.
        moving_variance: (features,), ones; not trained.

    Reference:
        S. Ioffe, C. Szegedy, "Batch normalization: accelerating deep network training by reducing
        internal covariate shift", ICML (2015).

    Example:
        >>> import clearprop as cp
        >>> layer = cp.layers.BatchNormalization(epsilon=0.0)
        >>> layer([[1.0], [3.0]], training=True).tolist()
        [[-1.0], [1.0]]
        >>> layer.moving_mean.numpy().round(2)
        array([0.02], dtype=float32)
    """

    supports_masking = True

    gamma: Weight | None
    beta: Weight | None
    moving_mean: Weight
    moving_variance: Weight

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.axis = axis
        self.momentum = number_from(self, "momentum", momentum)
        self.epsilon = number_from(self, "epsilon", epsilon)
        self.center, self.scale = center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)

    def build(self, input_shape: BuildShape) -> None:
        """Make a number of each kind for each feature."""
        shape = known_lengths(self, input_shape, axes_of(self, self.axis, len(input_shape)))
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, name="gamma", regularizer=self.gamma_regularizer
            )
        if self.center:
            self.beta = self.add_weight(
                shape, self.beta_initializer, name="beta", regularizer=self.beta_regularizer
            )
        self.moving_mean = self.add_weight(
            shape, self.moving_mean_initializer, name="moving_mean", trainable=False
        )
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, name="moving_variance", trainable=False
        )

    def call(self, inputs: Value, training: bool = False, mask: Value | None = None) -> Value:
        """The normalized input; what is masked does not count in the batch's statistics."""
        x = lift_float(inputs)
        (axis,) = axes_of(self, self.axis, len(x.shape))
        needs_length(self, x, axis, self.moving_mean.shape[0], "features")
        along = tuple(length if n == axis else 1 for n, length in enumerate(x.shape))
        if training and self.trainable:
            others = tuple(n for n in range(len(x.shape)) if n != axis)
            if mask is not None:
                needs_mask(self, mask, x.shape[:-1])
            mean = _mean(x, others, mask)
            centered = ops.subtract(x, mean)
            variance = _mean(ops.square(centered), others, mask)
            self._follow(self.moving_mean, mean)
            self._follow(self.moving_variance, variance)
        else:
            mean, variance = (
                ops.reshape(moving, along) for moving in (self.moving_mean, self.moving_variance)
            )
            centered = ops.subtract(x, mean)
        factor = ops.rsqrt(ops.add(variance, self.epsilon))
        if self.gamma is not None:
            factor = ops.multiply(factor, ops.reshape(self.gamma, along))
        normalized = ops.multiply(centered, factor)
        if self.beta is None:
            return normalized
        return ops.add(normalized, ops.reshape(self.beta, along))

    def _follow(self, moving: Weight, present: Value) -> None:
        """Let a running average take its step towards the present batch's number."""
        old = ops.multiply(moving, self.momentum)
        new = ops.multiply(ops.reshape(present, moving.shape), 1 - self.momentum)
        self.update(moving, ops.cast(ops.add(old, ops.stop_gradient(new)), moving.dtype))


def _mean(x: Value, axes: tuple[int, ...], mask: Value | None) -> Value:
    """The mean over ``axes`` of the elements that count, with length 1 where those were."""
    if mask is None:
        return ops.mean(x, axes, keepdims=True)
    counts = spread(mask, x)
    total = ops.sum(ops.where(counts, x, 0.0), axes, keepdims=True)
    number = ops.sum(ops.cast(counts, x.dtype), axes, keepdims=True)
    return ops.divide(total, ops.add(number, _NOT_ZERO))
