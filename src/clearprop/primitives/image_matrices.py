"""Images as matrices: a convolution is a product of what windows see and the kernel."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple, TypedDict, Unpack

import numpy as np

from clearprop.errors import ShapeError
from clearprop.ir.types import Shape
from clearprop.ir.value import Array
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


def convolved_shape(word: str, x: Shape, kernel: Shape, convolving: Convolving) -> Shape:
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
            found=f"{x[-1]} channels in x {x}; kernel {kernel}"
            + (f", groups={groups}" if groups != 1 else ""),
            needed=f"{group_in} channels"
            if groups == 1
            else "groups * kernel.shape[-2] channels, and output channels that groups divides",
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


def convolution_flops(x: Shape, kernel: Shape, convolving: Convolving) -> int:
    """Multiplications and additions of a convolution, and of each of its derivatives."""
    output = convolved_shape("convolution", x, kernel, convolving)
    return 2 * math.prod(output) * math.prod(kernel[:-1])


class ImageMatrices(NamedTuple):
    """What the meanings of convolution and its derivatives know of their arrays.

    Attributes:
        window: lengths of the kernel's axes of space.
        positions: how many positions the window has on each axis.
        groups: number of groups of channels.
        group_in: channels of x in one group.
        group_out: channels of the output in one group.
        meetings: for each tap the positions at which it lies on elements, and these elements.
    """

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
        return grouped(output, self.groups).reshape(self.groups, count, self.group_out)

    def columns(self, x: Array) -> Iterator[tuple[slice, Array]]:
        """Part by part of the batch, what windows see: (groups, part * positions, width)."""
        parts = list(self.parts(x))
        apart = grouped(x, self.groups)
        if not self.is_plain_product:
            most = max((len(x[part]) for part in parts), default=0)
            shape = (self.groups, most, *self.positions, math.prod(self.window), self.group_in)
            memory = np.zeros(shape, x.dtype)  # what lies in the padding stays zero throughout
        for part in parts:
            count = len(x[part])
            if self.is_plain_product:
                seen = apart[:, part][_at(self.meetings[0].elements)]
            else:
                seen = memory[:, :count]
                for tap, positions, elements in self.meetings:
                    seen[_at(positions, tap)] = apart[:, part][_at(elements)]
            yield part, seen.reshape(self.groups, count * math.prod(self.positions), self.width)

    def add_columns(self, columns: Array, x: Array) -> None:
        """Add each number of the columns to the element of x that the window saw there."""
        apart = grouped(x, self.groups)
        shape = (self.groups, len(x), *self.positions, math.prod(self.window), self.group_in)
        seen = columns.reshape(shape)
        for tap, positions, elements in self.meetings:
            apart[_at(elements)] += seen[_at(positions, tap)]


def _at(places: tuple[slice, ...], *tap: int) -> tuple[Any, ...]:
    """The index of these places, for all groups and samples."""
    return (slice(None), slice(None), *places, *tap)


def grouped(x: Array, groups: int) -> Array:
    """(batch, ..., channels) as (groups, batch, ..., channels / groups); no copy."""
    return np.moveaxis(x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups), -2, 0)


@lru_cache(maxsize=512)
def image_matrices(x: Shape, kernel: Shape, **convolving: Unpack[Convolving]) -> ImageMatrices:
    """How a convolution of arrays of these shapes is a product of matrices."""
    output = convolved_shape("convolution", x, kernel, convolving)
    window, positions, groups = kernel[:-2], output[1:-1], convolving["groups"]
    met = tuple(meetings(x[1:-1], positions, _slide(window, convolving)))
    return ImageMatrices(window, positions, groups, kernel[-2], kernel[-1] // groups, met)
