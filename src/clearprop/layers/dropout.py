"""Dropout and its kin: units that are switched off at random while training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from clearprop import ops
from clearprop.activations.smooth import SELU_ALPHA, SELU_SCALE
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Value
from clearprop.layers.checks import channels_axis, label, needs_rank, number_from, positive_integer
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions
from clearprop.ops.lift import lift_float

NoiseShape = Sequence[int | None] | None


class Dropout(Layer):
    """Each element set to 0 with probability ``rate`` while training, the others grown to match.

    Elements that stay are divided by 1 - rate, so that the mean stays too; nothing happens
    outside of training.

    Args:
        rate: probability of being dropped, from 0 up to but without 1.
        noise_shape: shape of the decisions, if not each element has its own: length 1 where
            elements go together, None for the input's own length.
        seed: a whole number that the decisions follow from, in place of the model's seed.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: S  ->  S

    Reference:
        N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, "Dropout: a simple
        way to prevent neural networks from overfitting", JMLR 15 (2014).

    Example:
        >>> import clearprop as cp
        >>> cp.layers.Dropout(0.5)([1.0, 2.0]).tolist()
        [1.0, 2.0]
        >>> dropped = cp.layers.Dropout(0.5)([1.0] * 100, training=True)
        >>> sorted(set(dropped.tolist()))
        [0.0, 2.0]
    """

    supports_masking = True

    def __init__(
        self,
        rate: float,
        noise_shape: NoiseShape = None,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.rate = number_from(self, "rate", rate, below=1.0)
        self.noise_shape = _checked_noise_shape(self, noise_shape)
        self.seed = checked_seed(self, seed)

    def call(self, inputs: Value, training: bool = False) -> Value:
        """The input, or what is left of it."""
        if not training or self.rate == 0:
            return inputs
        stays = _draw_stays(self, inputs, _resolved(self, self.noise_shape, inputs), self.rate)
        return dropped(inputs, stays, self.rate)


class AlphaDropout(Layer):
    """Dropout for SELU networks: dropped elements take SELU's lower limit, mean and variance stay.

    With q = 1 - rate and the limit -s a of SELU, the result is A x + B with
    A = (q + rate q (s a)^2)^(-1/2) and B = A rate s a.

    Args:
        rate: probability of being dropped, from 0 up to but without 1.
        noise_shape: as in ``Dropout``.
        seed: a whole number that the decisions follow from, in place of the model's seed.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: S  ->  S

    Reference:
        G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, "Self-normalizing neural networks",
        NIPS (2017).

    Example:
        >>> import clearprop as cp
        >>> cp.layers.AlphaDropout(0.5)([1.0, 2.0]).tolist()
        [1.0, 2.0]
    """

    supports_masking = True

    def __init__(
        self,
        rate: float,
        noise_shape: NoiseShape = None,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.rate = number_from(self, "rate", rate, below=1.0)
        self.noise_shape = _checked_noise_shape(self, noise_shape)
        self.seed = checked_seed(self, seed)

    def call(self, inputs: Value, training: bool = False) -> Value:
        """The input, or what is left of it."""
        if not training or self.rate == 0:
            return inputs
        limit = -SELU_ALPHA * SELU_SCALE
        factor = ((1 - self.rate) * (1 + self.rate * limit**2)) ** -0.5
        stays = _draw_stays(self, inputs, _resolved(self, self.noise_shape, inputs), self.rate)
        kept = ops.where(stays, lift_float(inputs), limit)
        return ops.add(ops.multiply(kept, factor), -factor * limit * self.rate)


# -- whole channels -------------------------------------------------------------------------


class _SpatialDropout(Layer):
    """Dropout that drops whole channels."""

    supports_masking = True

    _needed_shape = ""

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.rate = number_from(self, "rate", rate, below=1.0)
        channels_axis(self, data_format, 3)  # refuses an unknown one
        self.data_format = data_format
        self.seed = checked_seed(self, seed)

    def call(self, inputs: Value, training: bool = False) -> Value:
        """The input, or those channels that stay."""
        needs_rank(self, inputs.shape, self._needed_shape)
        if not training or self.rate == 0:
            return inputs
        rank = len(inputs.shape)
        kept = {0, channels_axis(self, self.data_format, rank)}
        shape = tuple(length if n in kept else 1 for n, length in enumerate(inputs.shape))
        return dropped(inputs, _draw_stays(self, inputs, shape, self.rate), self.rate)


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of a sequence: neighbors in time are too alike to drop singly.

    Args:
        rate: probability of a channel's being dropped, from 0 up to but without 1.
        seed: a whole number that the decisions follow from, in place of the model's seed.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, steps, channels)  ->  the same

    Reference:
        J. Tompson, R. Goroshin, A. Jain, Y. LeCun, C. Bregler, "Efficient object localization
        using convolutional networks", CVPR (2015).

    Example:
        >>> import clearprop as cp
        >>> cp.layers.SpatialDropout1D(0.5)([[[1.0, 2.0]]]).tolist()
        [[[1.0, 2.0]]]
    """

    _needed_shape = "(batch, steps, channels)"

    def __init__(
        self, rate: float, seed: int | None = None, **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(rate, None, seed, **options)


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of an image: neighboring pixels are too alike to drop singly.

    Args:
        rate: probability of a channel's being dropped, from 0 up to but without 1.
        data_format: ``"channels_last"`` (by default) or ``"channels_first"``.
        seed: a whole number that the decisions follow from, in place of the model's seed.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, height, width, channels)  ->  the same

    Reference:
        J. Tompson, R. Goroshin, A. Jain, Y. LeCun, C. Bregler, "Efficient object localization
        using convolutional networks", CVPR (2015).

    Example:
        >>> import clearprop as cp
        >>> cp.layers.SpatialDropout2D(0.5)([[[[1.0, 2.0]]]]).tolist()
        [[[[1.0, 2.0]]]]
    """

    _needed_shape = "(batch, height, width, channels)"


class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels of a volume: neighboring voxels are too alike to drop singly.

    Args:
        rate: probability of a channel's being dropped, from 0 up to but without 1.
        data_format: ``"channels_last"`` (by default) or ``"channels_first"``.
        seed: a whole number that the decisions follow from, in place of the model's seed.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, depth, height, width, channels)  ->  the same

    Reference:
        J. Tompson, R. Goroshin, A. Jain, Y. LeCun, C. Bregler, "Efficient object localization
        using convolutional networks", CVPR (2015).

    Example:
        >>> import clearprop as cp
        >>> cp.layers.SpatialDropout3D(0.5)([[[[[1.0, 2.0]]]]]).tolist()
        [[[[[1.0, 2.0]]]]]
    """

    _needed_shape = "(batch, depth, height, width, channels)"


# -- deciding and dropping --------------------------------------------------------------------


def checked_seed(layer: Layer, seed: int | None) -> int | None:
    """The seed of a layer's own.

    Raises:
        ArgumentError: it is no whole number of 64 bits.
    """
    if seed is None or (isinstance(seed, int) and 0 <= seed < 2**64):
        return seed
    raise ArgumentError(
        f"{label(layer)}: the seed is a whole number, or None for the model's own",
        found=f"seed={seed!r}",
        needed="0 <= seed < 2**64",
        at=str(here()),
    )


def dropped(inputs: Value, stays: Value, rate: float) -> Value:
    """``inputs`` / (1 - rate) where it stays, 0 elsewhere.

    Shapes:
        inputs: S, stays: bool, broadcasts to S  ->  S
    """
    return ops.where(stays, ops.multiply(inputs, 1 / (1 - rate)), 0.0)


def _draw_stays(layer: Any, inputs: Value, shape: Shape, rate: float) -> Value:
    key, counter = layer.random_key(layer.seed)
    stays = ops.bernoulli(key, counter, shape, 1 - rate)
    return ops.broadcast_to(stays, inputs.shape)


def _checked_noise_shape(layer: Layer, noise_shape: NoiseShape) -> tuple[int | None, ...] | None:
    if noise_shape is None:
        return None
    if isinstance(noise_shape, str) or not isinstance(noise_shape, Sequence):
        raise ArgumentError(
            f"{label(layer)}: the noise shape is a tuple of whole numbers and None",
            found=f"noise_shape={noise_shape!r}",
            needed="for example (None, 1, None)",
            at=str(here()),
        )
    return tuple(
        None if length is None else positive_integer(layer, "noise_shape", length)
        for length in noise_shape
    )


def _resolved(layer: Layer, noise_shape: tuple[int | None, ...] | None, inputs: Value) -> Shape:
    """The noise shape with the input's lengths in place of None."""
    if noise_shape is None:
        return inputs.shape
    if len(noise_shape) == len(inputs.shape):
        pairs = list(zip(noise_shape, inputs.shape, strict=True))
        if all(noise in {None, 1, length} for noise, length in pairs):
            return tuple(length if noise is None else noise for noise, length in pairs)
    raise ShapeError(
        f"{label(layer)}: the noise shape does not fit the input",
        found=f"noise_shape={noise_shape} for x: {inputs.type}",
        needed=f"{len(inputs.shape)} lengths, each the input's own, 1 or None",
        at=str(here()),
    )
