"""Sums of exponentials that cannot overflow, and the softmax made of them."""

from __future__ import annotations

from clearprop import primitives as p
from clearprop.ir.value import Value
from clearprop.ops.axes import Axis, all_axes
from clearprop.ops.lift import ArrayLike, lift_float, spread
from clearprop.ops.operation import operation
from clearprop.ops.reductions import reduced


def _largest_finite(x: Value, axes: tuple[int, ...]) -> Value:
    """The largest element along ``axes``, without derivative; 0 where it is infinite or NaN.

    What exponentials are scaled by, so that they cannot overflow.

    Shapes:
        x: S  ->  S, with length 1 at ``axes``
    """
    largest = p.stop_gradient(reduced(p.reduce_max, x, axes, keepdims=True))
    return p.select(p.is_finite(largest), largest, p.constant_like(0, largest))


@operation
def logsumexp(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Value:
    """log(sum(e^x)), without overflow for any x; of no elements minus infinity.

    Shapes:
        x: (a, b), axis 1  ->  (a,), or (a, 1) with keepdims

    Example:
        >>> import clearprop as cp
        >>> cp.ops.logsumexp([[0.0, 0.0]], axis=1).numpy().round(4)
        array([0.6931], dtype=float32)
    """
    value = lift_float(x)
    axes = all_axes(axis, len(value.shape), "Summing exponentials")
    if any(value.shape[n] == 0 for n in axes):
        return p.log(reduced(p.reduce_sum, p.exp(value), axes, keepdims=keepdims))
    largest = _largest_finite(value, axes)
    scaled = p.exp(p.subtract(value, spread(largest, value.shape)))
    total = p.log(reduced(p.reduce_sum, scaled, axes, keepdims=keepdims))
    back = largest if keepdims else p.reshape(largest, shape=total.shape)
    return p.add(total, back)


@operation
def softmax(x: ArrayLike, axis: Axis = -1) -> Value:
    """e^x / sum(e^x): positive numbers whose sum along ``axis`` is 1; without overflow.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.softmax([0.0, 0.0, 1000.0]).numpy()
        array([0., 0., 1.], dtype=float32)
    """
    exponentials = p.exp(_below_largest(x, axis))
    axes = all_axes(axis, len(exponentials.shape), "Taking a softmax")
    total = reduced(p.reduce_sum, exponentials, axes, keepdims=True)
    return p.divide(exponentials, spread(total, exponentials.shape))


@operation
def log_softmax(x: ArrayLike, axis: Axis = -1) -> Value:
    """The logarithm of softmax, exact where softmax itself is too small to be written.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.ops.log_softmax([0.0, -1000.0]).numpy()
        array([    0., -1000.], dtype=float32)
    """
    scaled = _below_largest(x, axis)
    axes = all_axes(axis, len(scaled.shape), "Taking a softmax")
    total = p.log(reduced(p.reduce_sum, p.exp(scaled), axes, keepdims=True))
    return p.subtract(scaled, spread(total, scaled.shape))


def _below_largest(x: ArrayLike, axis: Axis) -> Value:
    value = lift_float(x)
    axes = all_axes(axis, len(value.shape), "Taking a softmax")
    if value.type.size == 0:
        return value
    return p.subtract(value, spread(_largest_finite(value, axes), value.shape))
