"""Repeating along new axes, and summing over them: each is the other's gradient."""

from __future__ import annotations

import numpy as np

from clearprop.errors import ShapeError
from clearprop.ir.primitive import Gradients, Primitive, no_flops, one_flop_per_element
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.checks import needs_axes, needs_kind

# -- broadcast_to -------------------------------------------------------------


def broadcast_to(x: Value, *, shape: Shape, new_axes: tuple[int, ...]) -> Value:
    """x repeated along new axes.

    Args:
        x: any array.
        shape: shape of the result.
        new_axes: which axes of the result are new; the others are those of x, in order.

    Shapes:
        x: ``shape`` without ``new_axes``  ->  ``shape``

    Gradient:
        d_x = reduce_sum(d_output, axes=new_axes).

    Raises:
        ShapeError: ``shape`` without ``new_axes`` is not x's shape.
    """
    return BROADCAST_TO.apply(x, shape=shape, new_axes=new_axes)


def _broadcast_to_infer(x: TensorType, *, shape: Shape, new_axes: tuple[int, ...]) -> TensorType:
    output = TensorType(shape, x.dtype)
    needs_axes("broadcast_to", output, new_axes)
    kept = tuple(size for axis, size in enumerate(shape) if axis not in new_axes)
    if kept != x.shape:
        raise ShapeError(
            "broadcast_to: the axes that are not new must be those of x",
            found=f"x: {x}, shape={shape}, new_axes={new_axes}",
            needed=f"x of shape {kept}",
            try_="use clearprop.ops.broadcast_to, which finds the new axes",
        )
    return output


def _broadcast_to_meaning(x: Array, *, shape: Shape, new_axes: tuple[int, ...]) -> Array:
    if x.ndim == 0:
        return everywhere(x, shape)
    return np.broadcast_to(np.expand_dims(x, new_axes), shape)


def everywhere(number: Array, shape: Shape) -> Array:
    """A view that shows a single number at each place, as NumPy's ``broadcast_to``, but sooner.

    Shapes:
        number: ()  ->  ``shape``
    """
    view: Array = np.ndarray(shape, number.dtype, number, strides=(0,) * len(shape))
    view.flags.writeable = False
    return view


def _broadcast_to_gradient(
    d_output: Value, output: Value, x: Value, *, shape: Shape, new_axes: tuple[int, ...]
) -> Gradients:
    return (reduce_sum(d_output, axes=new_axes),)


BROADCAST_TO = Primitive(
    "broadcast_to",
    infer=_broadcast_to_infer,
    meaning=_broadcast_to_meaning,
    gradient=_broadcast_to_gradient,
    flops=no_flops,
)

# -- reduce_sum ---------------------------------------------------------------


def reduce_sum(x: Value, *, axes: tuple[int, ...]) -> Value:
    """The sum over some axes, which disappear; the element type stays (integers wrap around).

    Shapes:
        x: S  ->  S without ``axes``

    Gradient:
        d_x = d_output repeated along ``axes``.
    """
    return REDUCE_SUM.apply(x, axes=axes)


def _reduce_sum_infer(x: TensorType, *, axes: tuple[int, ...]) -> TensorType:
    needs_axes("reduce_sum", needs_kind("reduce_sum", x, "iuf"), axes)
    kept = tuple(size for axis, size in enumerate(x.shape) if axis not in axes)
    return TensorType(kept, x.dtype)


def _reduce_sum_meaning(x: Array, *, axes: tuple[int, ...]) -> Array:
    return np.asarray(np.sum(x, axis=axes, dtype=x.dtype))


def _reduce_sum_gradient(
    d_output: Value, output: Value, x: Value, *, axes: tuple[int, ...]
) -> Gradients:
    return (broadcast_to(d_output, shape=x.shape, new_axes=axes),)


REDUCE_SUM = Primitive(
    "reduce_sum",
    infer=_reduce_sum_infer,
    meaning=_reduce_sum_meaning,
    gradient=_reduce_sum_gradient,
    flops=one_flop_per_element,
)
