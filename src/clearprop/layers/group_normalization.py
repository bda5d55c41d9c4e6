"""Normalization of groups of channels, for each sample by itself."""

from __future__ import annotations

from typing import Any, Unpack

from clearprop import initializers, ops, regularizers
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.checks import (
    BuildShape,
    axes_of,
    known_lengths,
    label,
    needs_length,
    number_from,
    positive_integer,
)
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions
from clearprop.layers.sample_normalization import laid_along
from clearprop.layers.weight import Weight
from clearprop.ops.lift import lift_float


class GroupNormalization(Layer):
    """Each group of channels of each sample with mean 0 and variance 1, then scaled and moved.

    y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with mean and variance over all places
    and the channels of one group; it does not depend on the batch, however small that is.

    Args:
        groups: how many groups the channels make; -1: each channel is one (instance
            normalization); 1: all of them together.
        axis: the axis of the channels.
        epsilon: keeps the divisor away from 0.
        center: whether beta is added.
        scale: whether gamma multiplies.
        beta_initializer: draws the first beta.
        gamma_initializer: draws the first gamma.
        beta_regularizer: adds a penalty on beta to the loss.
        gamma_regularizer: adds a penalty on gamma to the loss.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, ..., channels)  ->  the same

    Weights:
        gamma: (channels,), ones.
        beta: (channels,), zeros.

    Reference:
        Y. Wu, K. He, "Group normalization", ECCV (2018).

    Example:
        >>> import clearprop as cp
        >>> cp.layers.GroupNormalization(2, epsilon=0.0)([[1.0, 3.0, 7.0, 5.0]]).tolist()
        [[-1.0, 1.0, 1.0, -1.0]]
    """

    supports_masking = True

    gamma: Weight | None
    beta: Weight | None

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.groups = groups if groups == -1 else positive_integer(self, "groups", groups)
        self.axis = axis
        self.epsilon = number_from(self, "epsilon", epsilon)
        self.center, self.scale = center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)

    def build(self, input_shape: BuildShape) -> None:
        """Make gamma and beta for these channels."""
        axis = self._channels_axis(len(input_shape))
        shape = known_lengths(self, input_shape, (axis,))
        (self._channels,) = shape
        if self.groups != -1 and shape[0] % self.groups:
            raise ShapeError(
                f"{label(self)}: the channels do not make {self.groups} equal groups",
                found=f"{shape[0]} channels, groups={self.groups}",
                needed="a number of groups that divides the number of channels",
                try_="groups=-1 makes each channel a group",
                at=str(here()),
            )
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, name="gamma", regularizer=self.gamma_regularizer
            )
        if self.center:
            self.beta = self.add_weight(
                shape, self.beta_initializer, name="beta", regularizer=self.beta_regularizer
            )

    def _channels_axis(self, rank: int) -> int:
        (axis,) = axes_of(self, self.axis, rank)
        if axis == 0:
            raise ArgumentError(
                f"{label(self)}: the first axis is the batch, it has no channels",
                found=f"axis={self.axis}",
                needed="another axis, -1 for the last one",
                at=str(here()),
            )
        return axis

    def call(self, inputs: Value) -> Value:
        """The normalized samples."""
        x = lift_float(inputs)
        axis = self._channels_axis(len(x.shape))
        needs_length(self, x, axis, self._channels, "features")
        channels = self._channels
        groups = channels if self.groups == -1 else self.groups
        apart = (*x.shape[:axis], groups, channels // max(groups, 1), *x.shape[axis + 1 :])
        grouped = ops.reshape(x, apart)
        others = tuple(n for n in range(1, len(apart)) if n != axis)
        centered = ops.subtract(grouped, ops.mean(grouped, others, keepdims=True))
        variance = ops.mean(ops.square(centered), others, keepdims=True)
        normal = ops.multiply(centered, ops.rsqrt(ops.add(variance, self.epsilon)))
        result = ops.reshape(normal, x.shape)
        if self.gamma is not None:
            result = ops.multiply(result, laid_along(self, self.gamma, x, (axis,)))
        if self.beta is not None:
            result = ops.add(result, laid_along(self, self.beta, x, (axis,)))
        return result
