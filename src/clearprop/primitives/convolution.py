"""Convolution and its two derivatives: three words that are each other's gradients.

Take the sum of x[n, place, c] * kernel[t, c, k] * d_output[n, o, k] over everything, where tap t
of a window at position o lies on ``place``.  It is linear in each of the three arrays; its
derivatives by ``d_output``, ``x`` and ``kernel`` are the three words, and so derivatives of any
order are made of these three alone.

All layouts are fixed, with the channels last:

    x (batch, *space, in)    kernel (*window, in / groups, out)    output (batch, *positions, out)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple, TypedDict, Unpack

import numpy as np

from clearprop.errors import ShapeError
from clearprop.ir.primitive import Gradients, Primitive
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.checks import needs_dtype, needs_kind
from clearprop.primitives.sliding import (
    Counts,
    Meeting,
    Padding,
    Slide,
    meetings,
    positions_of,
)

# Columns are made for some samples at a time: blocks of memory larger than this go back to the
# system each time they are freed, and getting them again takes longer than the work.
_MOST_BYTES = 16 * 2**20


class Convolving(TypedDict):
    """How the kernel slides; entries with one number for each axis of space.

    Attributes:
        strides: places from one position to the next.
        padding: zeros (before, after) x.
        input_dilation: places from one element of x to the next, with zeros in between.
        kernel_dilation: places from one element of the kernel to the next.
        groups: how many parts the channels have; each part of the output sees its part of x.
    """

    strides: Counts
    padding: Padding
    input_dilation: Counts
    kernel_dilation: Counts
    groups: int


def _output_shape(word: str, x: Shape, kernel: Shape, convolving: Convolving) -> Shape:
    """The shape of the convolution of x and the kernel, once everything fits."""
    if not 3 <= len(x) <= 5 or len(kernel) != len(x):
        raise ShapeError(
            f"{word}: a window slides over one, two or three axes",
            found=f"x of shape {x}, kernel of shape {kernel}",
            needed="x (batch, *space, in) and kernel (*window, in / groups, out) of equal rank",
            try_="x[None] for a batch of one; x[..., None] for one channel",
        )
    groups, group_in, out = convolving["groups"], kernel[-2], kernel[-1]
    if groups < 1 or x[-1] != group_in * groups or out % groups:
        raise ShapeError(
            f"{word}: the channels do not fit the kernel",
            found=f"{x[-1]} channels; kernel {kernel}, groups={groups}",
            needed=f"{group_in} x {groups} = {group_in * groups} input channels, "
            f"and output channels that {groups} divides",
            try_="the channels are the last axis of x: check that they are not the second",
        )
    return (x[0], *positions_of(word, x[1:-1], _slide(kernel[:-2], convolving)), out)


def _slide(window: Shape, convolving: Convolving) -> Slide:
    return {
        "window": window,
        "strides": convolving["strides"],
        "padding": convolving["padding"],
        "dilation": convolving["kernel_dilation"],
        "input_dilation": convolving["input_dilation"],
    }


def _flops(x: Shape, kernel: Shape, convolving: Convolving) -> int:
    output = _output_shape("convolution", x, kernel, convolving)
    return 2 * math.prod(output) * math.prod(kernel[:-1])


# -- images as matrices -----------------------------------------------------------------


class _Layout(NamedTuple):
    """What the three meanings know of their arrays."""

    window: Shape
    positions: Shape
    groups: int
    group_in: int
    group_out: int
    meetings: tuple[Meeting, ...]

    @property
    def width(self) -> int:
        """Length of one row of columns: what one group's window sees."""
        return math.prod(self.window) * self.group_in

    @property
    def is_plain_product(self) -> bool:
        """Whether the columns are elements of x as they lie: a window of one tap, no padding."""
        return math.prod(self.window) == len(self.meetings) == 1 and all(
            len(range(count)[part]) == count
            for part, count in zip(self.meetings[0].positions, self.positions, strict=True)
        )

    def parts(self, x: Array) -> Iterator[slice]:
        """The batch, as many samples at a time as their columns may take memory."""
        each = math.prod(self.positions) * self.groups * self.width * x.itemsize
        step = max(1, _MOST_BYTES // max(each, 1))
        return (slice(start, start + step) for start in range(0, len(x), step))

    def matrices(self, kernel: Array) -> Array:
        """The kernel as (groups, width, out / groups); no copy."""
        return kernel.reshape(self.width, self.groups, self.group_out).swapaxes(0, 1)

    def rows(self, output: Array) -> Array:
        """An output as (groups, batch * positions, out / groups)."""
        count = math.prod(output.shape[:-1])
        return _grouped(output, self.groups).reshape(self.groups, count, self.group_out)

    def columns(self, x: Array) -> Iterator[tuple[slice, Array]]:
        """Part by part of the batch, what windows see: (groups, part * positions, width)."""
        parts = list(self.parts(x))
        grouped = _grouped(x, self.groups)
        if not self.is_plain_product:
            most = max((len(x[part]) for part in parts), default=0)
            shape = (self.groups, most, *self.positions, math.prod(self.window), self.group_in)
            memory = np.zeros(shape, x.dtype)  # what lies in the padding stays zero throughout
        for part in parts:
            count = len(x[part])
            if self.is_plain_product:
                seen = grouped[:, part][_at(self.meetings[0].elements)]
            else:
                seen = memory[:, :count]
                for tap, positions, elements in self.meetings:
                    seen[_at(positions, tap)] = grouped[:, part][_at(elements)]
            yield part, seen.reshape(self.groups, count * math.prod(self.positions), self.width)

    def add_columns(self, columns: Array, x: Array) -> None:
        """Add each number of the columns to the element of x that the window saw there."""
        grouped = _grouped(x, self.groups)
        shape = (self.groups, len(x), *self.positions, math.prod(self.window), self.group_in)
        seen = columns.reshape(shape)
        for tap, positions, elements in self.meetings:
            grouped[_at(elements)] += seen[_at(positions, tap)]


def _at(places: tuple[slice, ...], *tap: int) -> tuple[Any, ...]:
    """The index of these places, for all groups and samples."""
    return (slice(None), slice(None), *places, *tap)


def _grouped(x: Array, groups: int) -> Array:
    """(batch, ..., channels) as (groups, batch, ..., channels / groups); no copy."""
    return np.moveaxis(x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups), -2, 0)


@lru_cache(maxsize=512)
def _layout(x: Shape, kernel: Shape, **convolving: Unpack[Convolving]) -> _Layout:
    output = _output_shape("convolution", x, kernel, convolving)
    window, positions, groups = kernel[:-2], output[1:-1], convolving["groups"]
    met = tuple(meetings(x[1:-1], positions, _slide(window, convolving)))
    return _Layout(window, positions, groups, kernel[-2], kernel[-1] // groups, met)


# -- convolution --------------------------------------------------------------------------


def convolution(x: Value, kernel: Value, **convolving: Unpack[Convolving]) -> Value:
    """At each position of a sliding window, the sum of what it sees times the kernel.

    The kernel is not turned around (mathematicians call this a cross-correlation).

    Args:
        x: signals, images or volumes.
        kernel: the weights of the window's elements.
        **convolving: ``strides``, ``padding``, ``input_dilation``, ``kernel_dilation`` and
            ``groups``, all of them, as told in ``Convolving``.

    Shapes:
        x: (batch, *space, in), kernel: (*window, in / groups, out)  ->  (batch, *positions, out);
        on each axis N = (W - F + 2P)/S + 1 positions, rounded down.

    Gradient:
        d_x = convolution_input_gradient(d_output, kernel),
        d_kernel = convolution_kernel_gradient(x, d_output).

    Cost:
        2 * batch * positions * window * in / groups * out operations, for each of the three.

    Raises:
        ShapeError: the channels do not fit, or the window does not.
    """
    return CONVOLUTION.apply(x, kernel, **convolving)


def _convolution_infer(
    x: TensorType, kernel: TensorType, **convolving: Unpack[Convolving]
) -> TensorType:
    needs_dtype("convolution", "kernel", kernel, needs_kind("convolution", x, "iuf").dtype)
    return TensorType(_output_shape("convolution", x.shape, kernel.shape, convolving), x.dtype)


def _convolution_meaning(x: Array, kernel: Array, **convolving: Unpack[Convolving]) -> Array:
    layout = _layout(x.shape, kernel.shape, **convolving)
    matrices = layout.matrices(kernel)
    output = np.empty((len(x), *layout.positions, kernel.shape[-1]), x.dtype)
    for part, columns in layout.columns(x):
        if layout.groups == 1:  # straight to its place
            rows = output[part].reshape(columns.shape[1], kernel.shape[-1])
            np.matmul(columns[0], matrices[0], out=rows)
        else:
            grouped = _grouped(output[part], layout.groups)
            grouped[...] = np.matmul(columns, matrices).reshape(grouped.shape)
    return output


def _convolution_gradient(
    d_output: Value, output: Value, x: Value, kernel: Value, **convolving: Unpack[Convolving]
) -> Gradients:
    return (
        convolution_input_gradient(d_output, kernel, space=x.shape[1:-1], **convolving),
        convolution_kernel_gradient(x, d_output, window=kernel.shape[:-2], **convolving),
    )


def _convolution_flops(x: TensorType, kernel: TensorType, **convolving: Unpack[Convolving]) -> int:
    return _flops(x.shape, kernel.shape, convolving)


CONVOLUTION = Primitive(
    "convolution",
    infer=_convolution_infer,
    meaning=_convolution_meaning,
    gradient=_convolution_gradient,
    flops=_convolution_flops,
)

# -- its derivative by x ------------------------------------------------------------------


def convolution_input_gradient(
    d_output: Value, kernel: Value, *, space: Shape, **convolving: Unpack[Convolving]
) -> Value:
    """The derivative of a convolution by x: each number goes back to what its window saw.

    By itself it is the transposed convolution that enlarges images.

    Args:
        d_output: one number for each output of the convolution.
        kernel: the convolution's kernel.
        space: lengths of x's axes without batch and channels.
        **convolving: as in ``convolution``.

    Shapes:
        d_output: (batch, *positions, out), kernel: (*window, in / groups, out)
        ->  (batch, *space, in)

    Gradient:
        d_d_output = convolution(d, kernel), d_kernel = convolution_kernel_gradient(d, d_output).

    Raises:
        ShapeError: a convolution of such an x gives another shape than that of ``d_output``.
    """
    return CONVOLUTION_INPUT_GRADIENT.apply(d_output, kernel, space=space, **convolving)


def _input_shape(
    word: str, d_output: Shape, kernel: Shape, space: Shape, convolving: Convolving
) -> Shape:
    """The shape of x, once a convolution of it gives ``d_output``."""
    groups, batch = convolving["groups"], d_output[:1]
    x = (*batch, *space, *(size * groups for size in kernel[-2:-1]))
    _needs_output(word, d_output, _output_shape(word, x, kernel, convolving))
    return x


def _needs_output(word: str, d_output: Shape, needed: Shape) -> None:
    if d_output != needed:
        raise ShapeError(
            f"{word}: this is not the shape that the convolution gives",
            found=f"d_output of shape {d_output}",
            needed=f"shape {needed}",
        )


def _input_gradient_infer(
    d_output: TensorType, kernel: TensorType, *, space: Shape, **convolving: Unpack[Convolving]
) -> TensorType:
    word = "convolution_input_gradient"
    needs_dtype(word, "kernel", kernel, needs_kind(word, d_output, "iuf").dtype)
    shape = _input_shape(word, d_output.shape, kernel.shape, space, convolving)
    return TensorType(shape, d_output.dtype)


def _input_gradient_meaning(
    d_output: Array, kernel: Array, *, space: Shape, **convolving: Unpack[Convolving]
) -> Array:
    shape = (len(d_output), *space, kernel.shape[-2] * convolving["groups"])
    layout = _layout(shape, kernel.shape, **convolving)
    turned = layout.matrices(kernel).swapaxes(1, 2)
    d_x = np.zeros(shape, d_output.dtype)
    for part in layout.parts(d_x):
        layout.add_columns(np.matmul(layout.rows(d_output[part]), turned), d_x[part])
    return d_x


def _input_gradient_gradient(
    d: Value,
    output: Value,
    d_output: Value,
    kernel: Value,
    *,
    space: Shape,
    **convolving: Unpack[Convolving],
) -> Gradients:
    return (
        convolution(d, kernel, **convolving),
        convolution_kernel_gradient(d, d_output, window=kernel.shape[:-2], **convolving),
    )


def _input_gradient_flops(
    d_output: TensorType, kernel: TensorType, *, space: Shape, **convolving: Unpack[Convolving]
) -> int:
    word = "convolution_input_gradient"
    x = _input_shape(word, d_output.shape, kernel.shape, space, convolving)
    return _flops(x, kernel.shape, convolving)


CONVOLUTION_INPUT_GRADIENT = Primitive(
    "convolution_input_gradient",
    infer=_input_gradient_infer,
    meaning=_input_gradient_meaning,
    gradient=_input_gradient_gradient,
    flops=_input_gradient_flops,
)

# -- its derivative by the kernel ---------------------------------------------------------


def convolution_kernel_gradient(
    x: Value, d_output: Value, *, window: Shape, **convolving: Unpack[Convolving]
) -> Value:
    """The derivative of a convolution by its kernel: what each weight saw times what it gave.

    Args:
        x: the convolution's input.
        d_output: one number for each of its outputs.
        window: lengths of the kernel's axes without channels.
        **convolving: as in ``convolution``.

    Shapes:
        x: (batch, *space, in), d_output: (batch, *positions, out)
        ->  (*window, in / groups, out)

    Gradient:
        d_x = convolution_input_gradient(d_output, d), d_d_output = convolution(x, d).

    Raises:
        ShapeError: a convolution of x with such a window gives another shape than ``d_output``'s.
    """
    return CONVOLUTION_KERNEL_GRADIENT.apply(x, d_output, window=window, **convolving)


def _kernel_shape(x: Shape, d_output: Shape, window: Shape, convolving: Convolving) -> Shape:
    """The shape of the kernel, once a convolution of x with it gives ``d_output``."""
    groups = max(convolving["groups"], 1)
    kernel = (*window, *(size // groups for size in x[-1:]), *d_output[-1:])
    word = "convolution_kernel_gradient"
    _needs_output(word, d_output, _output_shape(word, x, kernel, convolving))
    return kernel


def _kernel_gradient_infer(
    x: TensorType, d_output: TensorType, *, window: Shape, **convolving: Unpack[Convolving]
) -> TensorType:
    word = "convolution_kernel_gradient"
    needs_dtype(word, "d_output", d_output, needs_kind(word, x, "iuf").dtype)
    return TensorType(_kernel_shape(x.shape, d_output.shape, window, convolving), x.dtype)


def _kernel_gradient_meaning(
    x: Array, d_output: Array, *, window: Shape, **convolving: Unpack[Convolving]
) -> Array:
    kernel = (*window, x.shape[-1] // convolving["groups"], d_output.shape[-1])
    layout = _layout(x.shape, kernel, **convolving)
    sums = np.zeros((layout.groups, layout.width, layout.group_out), x.dtype)
    for part, columns in layout.columns(x):
        sums += np.matmul(columns.swapaxes(1, 2), layout.rows(d_output[part]))
    return sums.swapaxes(0, 1).reshape(kernel)


def _kernel_gradient_gradient(
    d: Value,
    output: Value,
    x: Value,
    d_output: Value,
    *,
    window: Shape,
    **convolving: Unpack[Convolving],
) -> Gradients:
    return (
        convolution_input_gradient(d_output, d, space=x.shape[1:-1], **convolving),
        convolution(x, d, **convolving),
    )


def _kernel_gradient_flops(
    x: TensorType, d_output: TensorType, *, window: Shape, **convolving: Unpack[Convolving]
) -> int:
    kernel = _kernel_shape(x.shape, d_output.shape, window, convolving)
    return _flops(x.shape, kernel, convolving)


CONVOLUTION_KERNEL_GRADIENT = Primitive(
    "convolution_kernel_gradient",
    infer=_kernel_gradient_infer,
    meaning=_kernel_gradient_meaning,
    gradient=_kernel_gradient_gradient,
    flops=_kernel_gradient_flops,
)
