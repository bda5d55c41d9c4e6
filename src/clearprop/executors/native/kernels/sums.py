"""Contractions as sums of products: matrix products and convolutions in one form.

    output[batch, row, column] = sum over k of left[batch, row, k] * right[batch, k, column]

Each index is made of several axes, and where an element of ``left`` or ``right`` lies is a sum of
loop indices.  A convolution is such a sum over a padded array: the window's taps and the input
channels are summed over, and rows are the window's positions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clearprop.executors.native.groups import Group
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Affine, Axis, Index, linear, total
from clearprop.executors.native.kernels.gaps import Gaps, gaps
from clearprop.executors.native.kernels.kernel import Compilation
from clearprop.executors.native.kernels.spreading import Spread, spread
from clearprop.ir.types import Shape
from clearprop.ir.value import Equation, Value


@dataclass(frozen=True)
class Side:
    """One factor of the products.

    Attributes:
        home: the array it lies in.
        line: where in it, in elements, as a sum of loop indices.
    """

    home: Home
    line: Affine


@dataclass(frozen=True)
class SumOfProducts:
    """A contraction as loops.

    Attributes:
        batches: axes that walk over both factors and the output.
        rows: axes of ``left`` and the output.
        columns: axes of ``right`` and the output; vectors lie along the last one.
        summed: axes of both factors that disappear.
        left: the factor whose numbers are spread over vectors.
        right: the factor that is read in vectors.
        output: for each axis of the output its index, as a sum of the loops' indices.
        gaps: zeros of ``left`` that are no factors by definition.
    """

    batches: tuple[Axis, ...]
    rows: tuple[Axis, ...]
    columns: tuple[Axis, ...]
    summed: tuple[Axis, ...]
    left: Side
    right: Side
    output: Index
    gaps: Gaps | None = None


def sum_of_products(compilation: Compilation, group: Group) -> SumOfProducts:
    """The loops of a contraction; appends what copies its inputs, if they need padding."""
    equation = group.members[0]
    return _FORMS[equation.primitive.name](compilation, equation)


def _side(compilation: Compilation, value: Value, index: Sequence[Affine]) -> Side:
    read = compilation.grouping.look(value, tuple(index))
    home = compilation.homes[read.value]
    if read.index is None:
        assert read.line is not None
        return Side(home, read.line)
    return Side(home, linear(read.index, home.strides))


def _product(compilation: Compilation, equation: Equation) -> SumOfProducts:
    x, y = equation.inputs
    contract, batch = equation.params["contract"], equation.params["batch"]
    summed = [Axis(x.shape[axis]) for axis in contract[0]]
    batches = [Axis(x.shape[axis]) for axis in batch[0]]
    frees = [
        {
            axis: Axis(size)
            for axis, size in enumerate(value.shape)
            if axis not in contract[side] + batch[side]
        }
        for side, value in enumerate((x, y))
    ]
    sides = []
    for side, value in enumerate((x, y)):
        axes = dict(zip(contract[side], summed, strict=True))
        axes |= dict(zip(batch[side], batches, strict=True)) | frees[side]
        index = [Affine.of(axes[axis]) for axis in range(len(value.shape))]
        sides.append(_side(compilation, value, index))
    rows, columns = (tuple(free.values()) for free in frees)
    output = tuple(map(Affine.of, [*batches, *rows, *columns]))
    return SumOfProducts(tuple(batches), rows, columns, tuple(summed), sides[0], sides[1], output)


class _Channels:
    """The channels of a convolution in groups: loops over groups, and over those within one."""

    def __init__(self, groups: int, inputs: int, outputs: int) -> None:
        self.group = Axis(groups)
        self.input, self.output = Axis(inputs // groups), Axis(outputs // groups)
        self.inputs = _split(self.group, self.input)
        self.outputs = _split(self.group, self.output)


def _split(outer: Axis, inner: Axis) -> Affine:
    return total([Affine.of(outer).times(inner.extent), Affine.of(inner)])


def _taps(places: Sequence[Affine], taps: Sequence[Axis], dilation: Sequence[int]) -> list[Affine]:
    return [
        place + Affine.of(tap).times(step)
        for place, tap, step in zip(places, taps, dilation, strict=True)
    ]


class _Windows:
    """What both a convolution and its kernel's gradient read: a window at each position."""

    def __init__(
        self,
        compilation: Compilation,
        equation: Equation,
        positions: Shape,
        window: Shape,
        channels: _Channels,
    ) -> None:
        x, params = equation.inputs[0], equation.params
        self.batch, self.channels = Axis(x.shape[0]), channels
        self.positions, self.taps = list(map(Axis, positions)), list(map(Axis, window))
        steps = [
            Affine.of(position).times(stride)
            for position, stride in zip(self.positions, params["strides"], strict=True)
        ]
        places = _taps(steps, self.taps, params["kernel_dilation"])
        index = [Affine.of(self.batch), *places, channels.inputs]
        self.side = _spread_side(compilation, x, _input_spread(params), index)

    @property
    def output(self) -> Index:
        """At which output the loops stand."""
        return (
            Affine.of(self.batch), *map(Affine.of, self.positions), self.channels.outputs
        )  # fmt: skip

    @property
    def kernel(self) -> Index:
        """At which element of the kernel they stand."""
        own = Affine.of(self.channels.input)
        return (*map(Affine.of, self.taps), own, self.channels.outputs)


def _forward(compilation: Compilation, equation: Equation) -> SumOfProducts:
    x, kernel = equation.inputs
    channels = _Channels(equation.params["groups"], x.shape[-1], kernel.shape[-1])
    positions, window = equation.types[0].shape[1:-1], kernel.shape[:-2]
    seen = _Windows(compilation, equation, positions, window, channels)
    return SumOfProducts(
        (channels.group,),
        (seen.batch, *seen.positions),
        (channels.output,),
        (*seen.taps, channels.input),
        seen.side,
        _side(compilation, kernel, seen.kernel),
        seen.output,
    )


def _input_gradient(compilation: Compilation, equation: Equation) -> SumOfProducts:
    """dX[i] = sum over taps t and outputs of K[t] dY[o], with o * stride = i * gap + low - t * d.

    The derivatives of the outputs are spread ``stride`` apart, with zeros between and around, so
    that every tap meets one.  Taps are counted from the last one: so both factors are walked
    forwards.
    """
    d_output, kernel = equation.inputs
    params = equation.params
    shape = equation.types[0].shape
    batch, elements = Axis(shape[0]), list(map(Axis, shape[1:-1]))
    axes = list(map(Axis, kernel.shape[:-2]))
    taps = [Affine.of(axis).times(-1).plus(axis.extent - 1) for axis in axes]
    channels = _Channels(params["groups"], shape[-1], kernel.shape[-1])
    how = _gradient_spread(equation)
    places = []
    for axis, (element, tap) in enumerate(zip(elements, taps, strict=True)):
        place = Affine.of(element).times(params["input_dilation"][axis])
        place += tap.times(-params["kernel_dilation"][axis])
        places.append(place.plus(params["padding"][axis][0] + how.low[axis]))
    between = gaps(compilation, d_output, how, places, kernel)
    left = _spread_side(compilation, d_output, how, [Affine.of(batch), *places, channels.outputs])
    right = _side(
        compilation,
        kernel,
        [*taps, Affine.of(channels.input), channels.outputs],
    )
    return SumOfProducts(
        (channels.group,),
        (batch, *elements),
        (channels.input,),
        (*axes, channels.output),
        left,
        right,
        (Affine.of(batch), *map(Affine.of, elements), channels.inputs),
        between,
    )


def _kernel_gradient(compilation: Compilation, equation: Equation) -> SumOfProducts:
    """dK[t] = sum over samples and positions o of X[o * stride + t * dilation] dY[o]."""
    x, d_output = equation.inputs
    channels = _Channels(equation.params["groups"], x.shape[-1], d_output.shape[-1])
    positions, window = d_output.shape[1:-1], equation.params["window"]
    seen = _Windows(compilation, equation, positions, window, channels)
    return SumOfProducts(
        (channels.group,),
        (*seen.taps, channels.input),
        (channels.output,),
        (seen.batch, *seen.positions),
        seen.side,
        _side(compilation, d_output, seen.output),
        seen.kernel,
    )


def spread_input(equation: Equation) -> tuple[Value, Spread] | None:
    """The input of a convolution that has to have zeros around it, and how many."""
    name, first = equation.primitive.name, equation.inputs[0]
    if name in {"convolution", "convolution_kernel_gradient"}:
        return first, _input_spread(equation.params)
    if name == "convolution_input_gradient":
        return first, _gradient_spread(equation)
    return None


def _input_spread(params: Mapping[str, Any]) -> Spread:
    low, high = zip(*params["padding"], strict=True) if params["padding"] else ((), ())
    return Spread(tuple(low), tuple(high), params["input_dilation"])


def _gradient_spread(equation: Equation) -> Spread:
    """The zeros that the derivatives of a convolution's outputs need around and between them."""
    d_output, kernel = equation.inputs
    params, low, high = equation.params, [], []
    for axis, element in enumerate(equation.types[0].shape[1:-1]):
        before = params["padding"][axis][0]
        first = min(0, before - (kernel.shape[axis] - 1) * params["kernel_dilation"][axis])
        last = (element - 1) * params["input_dilation"][axis] + before
        low.append(-first)
        high.append(max(0, last - (d_output.shape[1 + axis] - 1) * params["strides"][axis]))
    return Spread(tuple(low), tuple(high), params["strides"])


def _spread_side(
    compilation: Compilation, value: Value, how: Spread, index: Sequence[Affine]
) -> Side:
    if how.changes_nothing:
        return _side(compilation, value, index)
    home = spread(compilation, value, how)
    return Side(home, linear(tuple(index), home.strides))


_FORMS = {
    "dot_general": _product,
    "convolution": _forward,
    "convolution_input_gradient": _input_gradient,
    "convolution_kernel_gradient": _kernel_gradient,
}
