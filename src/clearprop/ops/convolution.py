"""Convolution in one to three dimensions, and its kin."""

from __future__ import annotations

import math

from clearprop import primitives as p
from clearprop.errors import ShapeError
from clearprop.ir.value import Value
from clearprop.ops.lift import ArrayLike, as_number, lift, promote
from clearprop.ops.operation import operation
from clearprop.ops.sliding import Padding, PerAxis, known_padding, padding_pairs, per_axis
from clearprop.primitives.image_matrices import Convolving


@operation
def conv(
    x: ArrayLike,
    kernel: ArrayLike,
    strides: PerAxis = 1,
    padding: Padding = "valid",
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Value:
    """The convolution of signals, images or volumes with a kernel, the channels last.

    y[n, o, k] = sum over t, c of x[n, o strides + t dilation - before, c] kernel[t, c, k].

    Args:
        x: a batch of signals, images or volumes.
        kernel: the weights of a window.
        strides: places from one position of the window to the next.
        padding: zeros around x: ``"valid"`` (none), ``"same"`` (with strides 1 the result is as
            large as x), ``"causal"`` (one axis: all in front), a number, or one number or pair
            (before, after) for each axis.
        dilation: places from one element of the window to the next.
        groups: how many parts the channels have; each part of the result sees its part of x.

    Shapes:
        x: (batch, *space, in), kernel: (*window, in / groups, out)  ->  (batch, *positions, out),
        with N = (W - F + 2P)/S + 1 positions on each axis, rounded down.

    Raises:
        ShapeError: the channels differ, or the window does not fit.
        ArgumentError: an argument is no such number.

    Example:
        >>> import clearprop as cp
        >>> x, kernel = [[[1.0], [2.0], [4.0]]], [[[-1.0]], [[1.0]]]
        >>> cp.ops.conv(x, kernel).tolist()
        [[[1.0], [2.0]]]
        >>> cp.ops.conv(x, kernel, padding="same").tolist()
        [[[1.0], [2.0], [-4.0]]]
    """
    first, second = _pair(x, kernel, "Convolving")
    return _convolved(first, second, strides, padding, dilation, groups)


def _pair(x: ArrayLike, kernel: ArrayLike, doing: str) -> tuple[Value, Value]:
    """Both as Values of one element type and one rank."""
    first, second = map(as_number, promote(*lift(x, kernel)))
    rank = len(second.shape) - 2
    if not 1 <= rank <= 3 or len(first.shape) != rank + 2:
        raise ShapeError(
            f"{doing}: x and kernel must have the same number of axes, three to five",
            found=f"x: {first.type}, kernel: {second.type}",
            needed="x (batch, *space, channels), such as (32, 28, 28, 1), "
            "and a kernel such as (3, 3, 1, 64)",
            try_="x[None] for a batch of one; x[..., None] for one channel",
        )
    return first, second


def _convolved(
    x: Value, kernel: Value, strides: PerAxis, padding: Padding, dilation: PerAxis, groups: int
) -> Value:
    doing, window = "Convolving", kernel.shape[:-2]
    rank = len(window)
    steps = per_axis(strides, rank, "strides", doing)
    gaps = per_axis(dilation, rank, "dilation", doing)
    known = known_padding(padding, rank, doing)
    convolving: Convolving = {
        "strides": steps,
        "padding": padding_pairs(known, x.shape[1:-1], window, steps, gaps),
        "input_dilation": (1,) * rank,
        "kernel_dilation": gaps,
        "groups": per_axis(groups, 1, "groups", doing)[0],
    }
    return p.convolution(x, kernel, **convolving)


@operation
def conv_transpose(
    x: ArrayLike,
    kernel: ArrayLike,
    strides: PerAxis = 1,
    padding: str = "valid",
    output_padding: PerAxis | None = None,
    dilation: PerAxis = 1,
) -> Value:
    """The convolution read backwards: each number of x is spread over a window of the result.

    It is the derivative of ``conv`` by its input, and makes images larger where ``conv`` makes
    them smaller.

    Args:
        x: a batch of signals, images or volumes.
        kernel: the weights of a window.
        strides: how many times larger the result is.
        padding: ``"valid"`` or ``"same"`` (the result is ``strides`` times as large as x).
        output_padding: places that are added at the end, less than the stride.
        dilation: places from one element of the window to the next.

    Shapes:
        x: (batch, *space, in), kernel: (*window, out, in)  ->  (batch, *larger, out);  larger is
        (space - 1) strides + max(window, strides), or space * strides for ``"same"``

    Raises:
        ShapeError: the channels differ.
        ArgumentError: an argument is no such number.

    Example:
        >>> import clearprop as cp
        >>> x, kernel = [[[1.0], [2.0]]], [[[10.0]], [[1.0]]]
        >>> cp.ops.conv_transpose(x, kernel, strides=2).tolist()
        [[[10.0], [1.0], [20.0], [2.0]]]
    """
    doing = "Convolving backwards"
    first, second = _pair(x, kernel, doing)
    window = second.shape[:-2]
    rank = len(window)
    steps = per_axis(strides, rank, "strides", doing)
    gaps = per_axis(dilation, rank, "dilation", doing)
    same = known_padding(padding, 2, doing) == "same"  # "causal" is none for two axes
    more: tuple[int | None, ...] = (None,) * rank
    if output_padding is not None:
        more = per_axis(output_padding, rank, "output_padding", doing, smallest=0)
    _needs_channels(first, second, -1, doing)
    spans = [(taps - 1) * gap + 1 for taps, gap in zip(window, gaps, strict=True)]
    rows = zip(first.shape[1:-1], spans, steps, more, strict=True)
    cut = [_enlarged(size, span, step, extra, same) for size, span, step, extra in rows]
    return p.convolution_input_gradient(
        first,
        second,
        space=tuple(length for length, _ in cut),
        strides=steps,
        padding=tuple(sides for _, sides in cut),
        input_dilation=(1,) * rank,
        kernel_dilation=gaps,
        groups=1,
    )


def _enlarged(
    size: int, span: int, stride: int, more: int | None, same: bool
) -> tuple[int, tuple[int, int]]:
    """Length of the result, and what is cut off (before, after) all that windows reach."""
    reach = (size - 1) * stride + span
    if not same:
        return reach + (max(stride - span, 0) if more is None else more), (0, 0)
    total = stride + span - 2 if more is None else span + span % 2 - 2 + more
    before = min(-(-total // 2), span - 1)
    low, high = span - 1 - before, span - 1 - (total - before)
    return reach - low - high, (low, max(high, 0))


def _needs_channels(x: Value, kernel: Value, axis: int, doing: str) -> None:
    if x.shape[-1] != kernel.shape[axis]:
        raise ShapeError(
            f"{doing}: x has {x.shape[-1]} channels, the kernel is for {kernel.shape[axis]}",
            found=f"x: {x.type}, kernel: {kernel.type}",
            needed=f"x (batch, *space, {kernel.shape[axis]})",
            try_="the channels are the last axis of x: check that they are not the second",
        )


@operation
def depthwise_conv(
    x: ArrayLike,
    kernel: ArrayLike,
    strides: PerAxis = 1,
    padding: Padding = "valid",
    dilation: PerAxis = 1,
) -> Value:
    """A convolution of each channel by itself, with ``multiplier`` kernels for each.

    Args:
        x: a batch of signals, images or volumes.
        kernel: the weights of a window for each channel.
        strides: places from one position of the window to the next.
        padding: as in ``conv``.
        dilation: places from one element of the window to the next.

    Shapes:
        x: (batch, *space, in), kernel: (*window, in, multiplier)
        ->  (batch, *positions, in * multiplier)

    Raises:
        ShapeError: the channels differ, or the window does not fit.
        ArgumentError: an argument is no such number.

    Example:
        >>> import clearprop as cp
        >>> x, kernel = [[[1.0, 5.0], [2.0, 7.0]]], [[[1.0], [0.0]], [[1.0], [1.0]]]
        >>> cp.ops.depthwise_conv(x, kernel).tolist()
        [[[3.0, 7.0]]]
    """
    first, second = _pair(x, kernel, "Convolving each channel")
    _needs_channels(first, second, -2, "Convolving each channel")
    channels = first.shape[-1]
    flat = (*second.shape[:-2], 1, math.prod(second.shape[-2:]))
    second = p.reshape(second, shape=flat)
    return _convolved(first, second, strides, padding, dilation, max(channels, 1))


@operation
def separable_conv(
    x: ArrayLike,
    depthwise_kernel: ArrayLike,
    pointwise_kernel: ArrayLike,
    strides: PerAxis = 1,
    padding: Padding = "valid",
    dilation: PerAxis = 1,
) -> Value:
    """A convolution of each channel by itself, then a mixture of the channels at each place.

    Args:
        x: a batch of signals, images or volumes.
        depthwise_kernel: the weights of a window for each channel.
        pointwise_kernel: the weights of the mixture.
        strides: places from one position of the window to the next.
        padding: as in ``conv``.
        dilation: places from one element of the window to the next.

    Shapes:
        x: (batch, *space, in), depthwise_kernel: (*window, in, multiplier),
        pointwise_kernel: (*ones, in * multiplier, out)  ->  (batch, *positions, out)

    Raises:
        ShapeError: the channels differ, or the window does not fit.
        ArgumentError: an argument is no such number.

    Example:
        >>> import clearprop as cp
        >>> x, depthwise = [[[1.0, 5.0], [2.0, 7.0]]], [[[1.0], [0.0]], [[1.0], [1.0]]]
        >>> cp.ops.separable_conv(x, depthwise, [[[10.0], [1.0]]]).tolist()
        [[[37.0]]]
    """
    each = depthwise_conv(x, depthwise_kernel, strides, padding, dilation)
    return conv(each, pointwise_kernel)
