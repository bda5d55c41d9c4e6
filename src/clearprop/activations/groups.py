"""Activations in which the numbers along an axis act together."""

from __future__ import annotations

from clearprop import ops
from clearprop import primitives as p
from clearprop.activations.activation import activation
from clearprop.errors import ShapeError
from clearprop.ir.value import Value
from clearprop.ops.axes import Axis, one_axis
from clearprop.ops.lift import ArrayLike, lift_float


@activation
def softmax(x: ArrayLike, axis: Axis = -1) -> Value:
    """Probabilities from logits, p_i = e^z_i / sum_j e^z_j, without overflow.

    Range: (0, 1), with sum 1.  Derivative: dp_i / dz_j = p_i ((i = j) - p_j).  Saturates: where
    one logit is far above the others.  Zero-centered: no.

    Args:
        x: the logits z.
        axis: along which they belong together; None: all.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.activations.softmax([[1000.0, 1000.0]]).tolist()
        [[0.5, 0.5]]
    """
    return ops.softmax(x, axis)


@activation
def log_softmax(x: ArrayLike, axis: Axis = -1) -> Value:
    """The logarithm of softmax, z_i - log(sum_j e^z_j), exact for tiny probabilities too.

    Range: below 0.  Derivative: dl_i / dz_j = (i = j) - p_j with p = softmax(z).  Saturates: only
    for a logit far above the others.  Zero-centered: no.

    Args:
        x: the logits z.
        axis: along which they belong together; None: all.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.activations.log_softmax([[0.0, 1000.0]]).tolist()
        [[-1000.0, 0.0]]
    """
    return ops.log_softmax(x, axis)


@activation
def sparsemax(x: ArrayLike, axis: int = -1) -> Value:
    """The probabilities nearest to the logits, max(z_i - t, 0) with t such that their sum is 1.

    Range: [0, 1], with sum 1; many are exactly 0.  Derivative: (i = j) - 1 / k among the k that
    are not 0, else 0.  Saturates: wholly, for logits below t.  Zero-centered: no.

    Args:
        x: the logits z.
        axis: along which they belong together.

    Shapes:
        x: S  ->  S

    Reference:
        A. F. T. Martins, R. F. Astudillo, "From softmax to sparsemax", ICML (2016).

    Example:
        >>> import clearprop as cp
        >>> cp.activations.sparsemax([[0.0, 0.5, 1.0]]).tolist()
        [[0.0, 0.25, 0.75]]
    """
    value = lift_float(x)
    place = one_axis(axis, len(value.shape), "Taking a sparsemax")
    if value.type.size == 0:
        return value
    # A common shift changes nothing, and near 0 sums lose the least.
    value = ops.subtract(value, ops.stop_gradient(ops.max(value, place, keepdims=True)))
    is_kept = _is_kept(p.stop_gradient(value), place)
    count = ops.sum(ops.cast(is_kept, value.dtype), place, keepdims=True)
    total = ops.sum(ops.where(is_kept, value, 0.0), place, keepdims=True)
    above = ops.subtract(value, ops.divide(ops.subtract(total, 1.0), count))
    return ops.where(ops.less_equal(above, 0.0), 0.0, above)


def _is_kept(x: Value, axis: int) -> Value:
    """Which logits stay above 0: those above the threshold that the largest ones imply."""
    falling = ops.flip(ops.sort(x, axis), axis)
    sums = ops.cumsum(falling, axis)
    lengths = tuple(n if k == axis else 1 for k, n in enumerate(x.shape))
    ranks = p.iota(x, shape=lengths, axis=axis, dtype=x.dtype)
    ranks = ops.add(ranks, 1.0)
    thresholds = ops.divide(ops.subtract(sums, 1.0), ranks)
    # Where the k-th largest is below its threshold, k is too many.
    holds = ops.greater(falling, thresholds)
    smallest = ops.min(ops.where(holds, falling, 0.0), axis, keepdims=True)
    return ops.greater_equal(x, smallest)


@activation
def glu(x: ArrayLike, axis: int = -1) -> Value:
    """The gated linear unit: the first half of an axis through gates that the second half opens.

    With halves a and b: a sigmoid(b).

    Range: all numbers.  Derivative: sigmoid(b) for a, a s (1 - s) with s = sigmoid(b) for b.
    Saturates: where a gate is fully open or closed, for b.  Zero-centered: yes.

    Args:
        x: both halves.
        axis: which axis is halved; its length is even.

    Shapes:
        x: (*S, 2 n)  ->  (*S, n)

    Raises:
        ShapeError: the axis has an odd length.

    Reference:
        Y. N. Dauphin, A. Fan, M. Auli, D. Grangier, "Language modeling with gated convolutional
        networks", ICML (2017).
    """
    value = lift_float(x)
    place = one_axis(axis, len(value.shape), "Halving for glu")
    if value.shape[place] % 2:
        raise ShapeError(
            f"glu: axis {axis} has length {value.shape[place]} and cannot be halved",
            found=f"x: {value.type}",
            needed="an even length: values in the first half, gates in the second",
            try_=f"a layer with {value.shape[place] + 1} units before it",
        )
    values, gates = ops.split(value, 2, place)
    return ops.multiply(values, ops.sigmoid(gates))
