"""Moving elements without changing them: reshape, transpose, slice, pad, concatenate, reverse."""

from __future__ import annotations

import math
from itertools import accumulate

import numpy as np

from clearprop.errors import ArgumentError, DTypeError, ShapeError
from clearprop.ir.primitive import Gradients, Primitive, no_flops
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.arithmetic import subtract
from clearprop.primitives.checks import needs_axes, needs_one_per_axis
from clearprop.primitives.constants import scalar_like
from clearprop.primitives.spread import reduce_sum

# -- reshape ------------------------------------------------------------------


def reshape(x: Value, *, shape: Shape) -> Value:
    """The same elements, in the same order, in another shape.

    Shapes:
        x: S  ->  ``shape``, of the same size

    Gradient:
        d_output in the shape of x.
    """
    return RESHAPE.apply(x, shape=shape)


def _reshape_infer(x: TensorType, *, shape: Shape) -> TensorType:
    if math.prod(shape) != x.size or any(size < 0 for size in shape):
        raise ShapeError(
            "reshape: the new shape must have as many elements as the old one",
            found=f"{x}, that is {x.size} elements",
            needed=f"{shape}, that is {math.prod(shape)} elements",
        )
    return TensorType(shape, x.dtype)


def _reshape_meaning(x: Array, *, shape: Shape) -> Array:
    return np.reshape(x, shape)


def _reshape_gradient(d_output: Value, output: Value, x: Value, *, shape: Shape) -> Gradients:
    return (reshape(d_output, shape=x.shape),)


RESHAPE = Primitive(
    "reshape",
    infer=_reshape_infer,
    meaning=_reshape_meaning,
    gradient=_reshape_gradient,
    flops=no_flops,
)

# -- transpose ----------------------------------------------------------------


def transpose(x: Value, *, order: tuple[int, ...]) -> Value:
    """The axes of x in another order: axis k of the result is axis ``order[k]`` of x.

    Shapes:
        x: S  ->  (S[order[0]], S[order[1]], ...)

    Gradient:
        d_output with its axes put back.
    """
    return TRANSPOSE.apply(x, order=order)


def _transpose_infer(x: TensorType, *, order: tuple[int, ...]) -> TensorType:
    needs_one_per_axis("transpose", x, order=order)
    needs_axes("transpose", x, order)
    return TensorType(tuple(x.shape[axis] for axis in order), x.dtype)


def _transpose_meaning(x: Array, *, order: tuple[int, ...]) -> Array:
    return np.transpose(x, order)


def _transpose_gradient(
    d_output: Value, output: Value, x: Value, *, order: tuple[int, ...]
) -> Gradients:
    back = tuple(order.index(axis) for axis in range(len(order)))
    return (transpose(d_output, order=back),)


TRANSPOSE = Primitive(
    "transpose",
    infer=_transpose_infer,
    meaning=_transpose_meaning,
    gradient=_transpose_gradient,
    flops=no_flops,
)

# -- slice and pad: each moves what the other's gradient needs -------------------


def slice_(
    x: Value, *, starts: tuple[int, ...], stops: tuple[int, ...], strides: tuple[int, ...]
) -> Value:
    """Every ``strides``-th element from ``starts`` up to, without, ``stops``, on each axis.

    It is called ``slice`` in Programs.

    Shapes:
        x: S  ->  ceil((stops - starts) / strides), with 0 <= starts <= stops <= S

    Gradient:
        d_output between zeros.
    """
    return SLICE.apply(x, starts=starts, stops=stops, strides=strides)


def _slice_infer(
    x: TensorType, *, starts: tuple[int, ...], stops: tuple[int, ...], strides: tuple[int, ...]
) -> TensorType:
    needs_one_per_axis("slice", x, starts=starts, stops=stops, strides=strides)
    for size, start, stop, stride in zip(x.shape, starts, stops, strides, strict=True):
        if not 0 <= start <= stop <= size or stride < 1:
            raise ArgumentError(
                "slice: a range does not lie inside of its axis",
                found=f"start {start}, stop {stop}, stride {stride} on {size} elements",
                needed="0 <= start <= stop <= size, and 1 <= stride",
                try_="index the tensor, x[a:b:c], which follows Python's rules",
            )
    shape = (
        -(-(stop - start) // stride)
        for start, stop, stride in zip(starts, stops, strides, strict=True)
    )
    return TensorType(tuple(shape), x.dtype)


def _slice_meaning(
    x: Array, *, starts: tuple[int, ...], stops: tuple[int, ...], strides: tuple[int, ...]
) -> Array:
    return np.asarray(x[tuple(map(slice, starts, stops, strides))])


def _slice_gradient(
    d_output: Value,
    output: Value,
    x: Value,
    *,
    starts: tuple[int, ...],
    stops: tuple[int, ...],
    strides: tuple[int, ...],
) -> Gradients:
    interior = tuple(stride - 1 for stride in strides)
    high = tuple(
        size - start - _stretched(taken, between)
        for size, start, taken, between in zip(x.shape, starts, output.shape, interior, strict=True)
    )
    return (pad(d_output, scalar_like(0, d_output), low=starts, high=high, interior=interior),)


def _stretched(size: int, between: int) -> int:
    """Length of ``size`` elements with ``between`` others after each but the last."""
    return size + max(size - 1, 0) * between


SLICE = Primitive(
    "slice",
    infer=_slice_infer,
    meaning=_slice_meaning,
    gradient=_slice_gradient,
    flops=no_flops,
)


def pad(
    x: Value,
    value: Value,
    *,
    low: tuple[int, ...],
    high: tuple[int, ...],
    interior: tuple[int, ...],
) -> Value:
    """x with ``value`` around it and between its elements.

    Args:
        x: any array.
        value: one number.
        low: for each axis how often ``value`` stands before the first element.
        high: how often after the last.
        interior: how often between two neighbours.

    Shapes:
        x: S, value: ()  ->  low + S + max(S - 1, 0) * interior + high

    Gradient:
        d_x = d_output where x's elements lie; d_value = the sum of the rest.
    """
    return PAD.apply(x, value, low=low, high=high, interior=interior)


def _pad_infer(
    x: TensorType,
    value: TensorType,
    *,
    low: tuple[int, ...],
    high: tuple[int, ...],
    interior: tuple[int, ...],
) -> TensorType:
    needs_one_per_axis("pad", x, low=low, high=high, interior=interior)
    if value.shape != ():
        raise ShapeError(
            "pad: the value to pad with must be one number", found=f"{value}", needed="shape ()"
        )
    if value.dtype != x.dtype:
        raise DTypeError(
            "pad: the value must have the element type of x",
            found=f"x: {x}, value: {value}",
            needed=f"value: {TensorType((), x.dtype)}",
        )
    if any(count < 0 for count in low + high + interior):
        raise ArgumentError(
            "pad: a count is negative",
            found=f"low={low}, high={high}, interior={interior}",
            needed="counts >= 0",
            try_="cut with slice instead",
        )
    shape = (
        before + _stretched(size, between) + after
        for size, before, after, between in zip(x.shape, low, high, interior, strict=True)
    )
    return TensorType(tuple(shape), x.dtype)


def _pad_meaning(
    x: Array,
    value: Array,
    *,
    low: tuple[int, ...],
    high: tuple[int, ...],
    interior: tuple[int, ...],
) -> Array:
    stretched = tuple(map(_stretched, x.shape, interior))
    shape = tuple(map(sum, zip(low, stretched, high, strict=True)))
    output = np.full(shape, value, dtype=x.dtype)
    output[_where_padded(x.shape, low, interior)] = x
    return output


def _where_padded(
    shape: Shape, low: tuple[int, ...], interior: tuple[int, ...]
) -> tuple[slice, ...]:
    """Where the elements of x lie in the padded array."""
    return tuple(
        slice(before, before + _stretched(size, between), between + 1)
        for size, before, between in zip(shape, low, interior, strict=True)
    )


def _pad_gradient(
    d_output: Value,
    output: Value,
    x: Value,
    value: Value,
    *,
    low: tuple[int, ...],
    high: tuple[int, ...],
    interior: tuple[int, ...],
) -> Gradients:
    where = _where_padded(x.shape, low, interior)
    d_x = slice_(
        d_output,
        starts=tuple(part.start for part in where),
        stops=tuple(part.stop for part in where),
        strides=tuple(part.step for part in where),
    )
    inside = pad(d_x, scalar_like(0, value), low=low, high=high, interior=interior)
    every_axis = tuple(range(len(x.shape)))
    return d_x, reduce_sum(subtract(d_output, inside), axes=every_axis)


PAD = Primitive(
    "pad", infer=_pad_infer, meaning=_pad_meaning, gradient=_pad_gradient, flops=no_flops
)

# -- concatenate --------------------------------------------------------------


def concatenate(*xs: Value, axis: int) -> Value:
    """Arrays one after the other along an axis they have.

    Shapes:
        xs: equal but for ``axis``  ->  the same, with the sum of their lengths on ``axis``

    Gradient:
        Each input receives its part of d_output.
    """
    return CONCATENATE.apply(*xs, axis=axis)


def _concatenate_infer(*xs: TensorType, axis: int) -> TensorType:
    if not xs:
        raise ArgumentError(
            "concatenate: there is nothing to join", found="no arrays", needed="one or more"
        )
    first = xs[0]
    needs_axes("concatenate", first, (axis,))
    for other in xs[1:]:
        if other.dtype != first.dtype or _without(other.shape, axis) != _without(first.shape, axis):
            wrong = DTypeError if other.dtype != first.dtype else ShapeError
            raise wrong(
                f"concatenate: the arrays must agree on everything but axis {axis}",
                found=" and ".join(map(str, xs)),
                needed=f"{first}, with any length on axis {axis}",
            )
    joined = sum(x.shape[axis] for x in xs)
    return TensorType((*first.shape[:axis], joined, *first.shape[axis + 1 :]), first.dtype)


def _without(shape: Shape, axis: int) -> tuple[int | None, ...]:
    return tuple(None if each == axis else size for each, size in enumerate(shape))


def _concatenate_meaning(*xs: Array, axis: int) -> Array:
    return np.concatenate(xs, axis)


def _concatenate_gradient(d_output: Value, output: Value, *xs: Value, axis: int) -> Gradients:
    stops = accumulate(x.shape[axis] for x in xs)
    rank = len(output.shape)
    return tuple(
        slice_(
            d_output,
            starts=tuple(stop - x.shape[axis] if each == axis else 0 for each in range(rank)),
            stops=tuple(stop if each == axis else size for each, size in enumerate(x.shape)),
            strides=(1,) * rank,
        )
        for x, stop in zip(xs, stops, strict=True)
    )


CONCATENATE = Primitive(
    "concatenate",
    infer=_concatenate_infer,
    meaning=_concatenate_meaning,
    gradient=_concatenate_gradient,
    flops=no_flops,
)

# -- reverse ------------------------------------------------------------------


def reverse(x: Value, *, axes: tuple[int, ...]) -> Value:
    """x with the order of its elements turned around along some axes.

    Shapes:
        x: S  ->  S

    Gradient:
        d_output turned around too.
    """
    return REVERSE.apply(x, axes=axes)


def _reverse_infer(x: TensorType, *, axes: tuple[int, ...]) -> TensorType:
    needs_axes("reverse", x, axes)
    return x


def _reverse_meaning(x: Array, *, axes: tuple[int, ...]) -> Array:
    return np.flip(x, axes)


def _reverse_gradient(
    d_output: Value, output: Value, x: Value, *, axes: tuple[int, ...]
) -> Gradients:
    return (reverse(d_output, axes=axes),)


REVERSE = Primitive(
    "reverse",
    infer=_reverse_infer,
    meaning=_reverse_meaning,
    gradient=_reverse_gradient,
    flops=no_flops,
)
