"""Activations made of straight lines (and one parabola): cheap, exact, with kinks.

At a kink the derivative is the one of the flat side, so that a unit that gives nothing learns
nothing.  NaN passes through all of them.
"""

from __future__ import annotations

from clearprop import ops
from clearprop.activations.activation import activation
from clearprop.ir.value import Value
from clearprop.ops.lift import ArrayLike, lift, lift_float


@activation
def linear(x: ArrayLike) -> Value:
    """z itself: no activation.

    Range: all numbers.  Derivative: 1.  Saturates: nowhere.  Zero-centered: yes.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.activations.linear([-1.0, 2.0]).tolist()
        [-1.0, 2.0]
    """
    return lift(x)[0]


@activation
def relu(
    x: ArrayLike,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Value:
    """The rectified linear unit, max(z, 0).

    With the other arguments: ``max_value`` from there up, z above ``threshold``, and
    ``negative_slope * (z - threshold)`` elsewhere.

    Range: 0 and up.  Derivative: 1 above 0; 0 below and at 0.  Saturates: below 0, wholly (a unit
    that is negative for all samples is dead).  Zero-centered: no.

    Args:
        x: the weighted sums z.
        negative_slope: slope below the threshold.
        max_value: the largest result; None: no limit.
        threshold: below it z counts as negative.

    Shapes:
        x: S  ->  S

    Reference:
        V. Nair, G. E. Hinton, "Rectified linear units improve restricted Boltzmann machines",
        ICML (2010).

    Example:
        >>> import clearprop as cp
        >>> cp.activations.relu([-1.0, 0.0, 2.0]).tolist()
        [0.0, 0.0, 2.0]
    """
    value = lift_float(x)
    positive = value
    if max_value is not None:
        # Only a threshold below 0 lets negative numbers through; a limited result is not negative.
        positive = clamp(value, 0.0, max_value) if threshold < 0 else at_most(value, max_value)
    negative: ArrayLike = 0.0
    if negative_slope != 0:
        below = ops.subtract(value, threshold) if threshold != 0 else value
        negative = ops.multiply(below, negative_slope)
    return ops.where(ops.less_equal(value, threshold), negative, positive)


@activation
def relu6(x: ArrayLike) -> Value:
    """A rectified linear unit that goes up to 6, min(max(z, 0), 6).

    Range: [0, 6].  Derivative: 1 between 0 and 6, 0 elsewhere.  Saturates: on both sides, wholly.
    Zero-centered: no.

    Shapes:
        x: S  ->  S

    Reference:
        A. Krizhevsky, "Convolutional deep belief networks on CIFAR-10" (2010).
    """
    return clamp(lift_float(x), 0.0, 6.0)


@activation
def leaky_relu(x: ArrayLike, negative_slope: float = 0.2) -> Value:
    """A rectified linear unit that leaks, max(a z, z), with slope a below 0.

    Range: all numbers.  Derivative: 1 above 0, a below and at 0.  Saturates: nowhere.
    Zero-centered: no.

    Shapes:
        x: S  ->  S

    Reference:
        A. L. Maas, A. Y. Hannun, A. Y. Ng, "Rectifier nonlinearities improve neural network
        acoustic models", ICML (2013), with a = 0.01.
    """
    value = lift_float(x)
    return ops.where(ops.less_equal(value, 0.0), ops.multiply(value, negative_slope), value)


@activation
def threshold(x: ArrayLike, threshold: float, default_value: float) -> Value:
    """z above a threshold, a fixed number elsewhere.

    Range: the default value, and all above the threshold.  Derivative: 1 above the threshold, 0
    elsewhere.  Saturates: below the threshold, wholly.  Zero-centered: no.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.activations.threshold([0.5, 2.0], threshold=1.0, default_value=-1.0).tolist()
        [-1.0, 2.0]
    """
    value = lift_float(x)
    return ops.where(ops.less_equal(value, threshold), default_value, value)


# -- straight versions of curves ------------------------------------------------------


@activation
def hard_tanh(x: ArrayLike) -> Value:
    """tanh in three straight lines, min(max(z, -1), 1).

    Range: [-1, 1].  Derivative: 1 between -1 and 1, 0 elsewhere.  Saturates: on both sides,
    wholly.  Zero-centered: yes.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.activations.hard_tanh([-3.0, 0.5, 3.0]).tolist()
        [-1.0, 0.5, 1.0]
    """
    return clamp(lift_float(x), -1.0, 1.0)


@activation
def hard_sigmoid(x: ArrayLike) -> Value:
    """The sigmoid in three straight lines, min(max(z / 6 + 1/2, 0), 1).

    Range: [0, 1].  Derivative: 1/6 between -3 and 3, 0 elsewhere.  Saturates: on both sides,
    wholly.  Zero-centered: no.

    Shapes:
        x: S  ->  S

    Reference:
        M. Courbariaux, Y. Bengio, J.-P. David, "BinaryConnect", NIPS (2015), there with slope 1/2.
    """
    return _hard_sigmoid(lift_float(x))


def _hard_sigmoid(x: Value) -> Value:
    return ops.divide(clamp(ops.add(x, 3.0), 0.0, 6.0), 6.0)


@activation
def hard_silu(x: ArrayLike) -> Value:
    """SiLU with straight lines, z min(max(z / 6 + 1/2, 0), 1); also called hard swish.

    Range: -3/8 and up.  Derivative: z / 3 + 1/2 between -3 and 3; 0 below, 1 above.  Saturates:
    below -3, wholly.  Zero-centered: no.

    Shapes:
        x: S  ->  S

    Reference:
        A. Howard et al., "Searching for MobileNetV3", ICCV (2019).
    """
    value = lift_float(x)
    return ops.multiply(value, _hard_sigmoid(value))


@activation
def sparse_sigmoid(x: ArrayLike) -> Value:
    """The sigmoid as a straight line from 0 at -1 to 1 at 1, min(max((z + 1) / 2, 0), 1).

    Range: [0, 1].  Derivative: 1/2 between -1 and 1, 0 elsewhere.  Saturates: on both sides,
    wholly.  Zero-centered: no.

    Shapes:
        x: S  ->  S

    Reference:
        A. F. T. Martins, R. F. Astudillo, "From softmax to sparsemax", ICML (2016): sparsemax of
        (z, -z), z taken once.
    """
    return ops.multiply(clamp(ops.add(lift_float(x), 1.0), 0.0, 2.0), 0.5)


@activation
def sparse_plus(x: ArrayLike) -> Value:
    """Softplus of one parabola between two lines: 0 to -1, (z + 1)^2 / 4 to 1, z from there.

    Range: 0 and up.  Derivative: (z + 1) / 2 between -1 and 1; 0 below, 1 above: the sparse
    sigmoid.  Saturates: below -1, wholly.  Zero-centered: no.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.activations.sparse_plus([-2.0, 0.0, 1.0, 2.0]).tolist()
        [0.0, 0.25, 1.0, 2.0]
    """
    value = lift_float(x)
    is_line = ops.greater_equal(value, 1.0)
    curved = ops.where(is_line, 1.0, ops.where(ops.less_equal(value, -1.0), -1.0, value))
    half = ops.multiply(ops.add(curved, 1.0), 0.5)
    return ops.where(is_line, value, ops.multiply(half, half))


# -- shrinking ---------------------------------------------------------------------------


@activation
def soft_shrink(x: ArrayLike, threshold: float = 0.5) -> Value:
    """z moved towards 0 by a threshold, and 0 where it is nearer than that.

    Range: all numbers.  Derivative: 1 outside of -threshold to threshold, 0 inside.  Saturates:
    around 0, wholly.  Zero-centered: yes.

    Shapes:
        x: S  ->  S

    Reference:
        D. L. Donoho, "De-noising by soft-thresholding", IEEE Trans. Information Theory 41 (1995).
    """
    value = lift_float(x)
    inner = ops.where(ops.less(value, -threshold), -threshold, value)
    return ops.subtract(value, ops.where(ops.greater(value, threshold), threshold, inner))


@activation
def hard_shrink(x: ArrayLike, threshold: float = 0.5) -> Value:
    """z, but 0 from -threshold to threshold.

    Range: all numbers farther than the threshold from 0, and 0.  Derivative: 1 outside, 0 inside.
    Saturates: around 0, wholly.  Zero-centered: yes.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.activations.hard_shrink([-1.0, 0.2, 0.5, 2.0]).tolist()
        [-1.0, 0.0, 0.0, 2.0]
    """
    value = lift_float(x)
    return ops.where(ops.less_equal(ops.absolute(value), threshold), 0.0, value)


# -- limits -----------------------------------------------------------------------------


def at_most(x: Value, high: float) -> Value:
    """``x``, at most ``high``, where the derivative is 0 already.

    Shapes:
        x: S  ->  S
    """
    return ops.where(ops.greater_equal(x, high), high, x)


def clamp(x: Value, low: float, high: float) -> Value:
    """``x`` between two limits, at which the derivative is 0 already.

    Shapes:
        x: S  ->  S
    """
    return ops.where(ops.less_equal(x, low), low, at_most(x, high))
