"""Convolutions of 3 x 3 windows with fewer products: Winograd's way.

The image is cut into squares of 2 x 2 results.  What a square reads is transformed
(``transforms``), as the kernel is; then 16 matrix products, one for each place of the transformed
square, multiply the channels of many squares at once; and their results are transformed back.  That
takes 16 products where the definition has 36.

By definition a result depends only on its own window.  Here the sums of a square mix what lies side
by side, which changes finite results by rounding alone.  If a result is not finite, its whole block
is computed again, product by product: so NaN, infinity and overflow are where the definition has
them.
"""

from __future__ import annotations

from collections.abc import Mapping

from clearprop.executors.native.groups import Group
from clearprop.executors.native.kernels.affine import Affine, Axis, linear
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.endings import Ending
from clearprop.executors.native.kernels.forms import ContractionWriter
from clearprop.executors.native.kernels.kernel import (
    MULTIPLY_ADDS_PER_SECOND,
    Compilation,
    Walk,
    nested,
    over_vectors,
)
from clearprop.executors.native.kernels.packing import Span, SumBlock, on_stack
from clearprop.executors.native.kernels.part_sums import Waiting
from clearprop.executors.native.kernels.sums import Side, SumOfProducts
from clearprop.executors.native.kernels.tile_loops import Level, over_tiles
from clearprop.executors.native.kernels.tile_sums import Loops, TileSums, Variant
from clearprop.executors.native.kernels.winograd.blocks import Blocks
from clearprop.executors.native.kernels.winograd.squares import Area, Range, Squares
from clearprop.executors.native.kernels.winograd.transforms import (
    INPUT,
    PLACES,
    RESULT,
    RESULTS,
)
from clearprop.executors.native.kernels.winograd.weights import TransformedKernel
from clearprop.executors.native.kernels.winograd.windows import Windows
from clearprop.executors.native.llvm.registers import Operand, constant, integer
from clearprop.ir.types import TensorType


class Winograd(ContractionWriter):
    """A convolution that is written Winograd's way.

    Args:
        compilation: where its kernels go.
        group: the convolution and the equations that follow it.
        form: its products.
        windows: its windows.
        blocks: how it is cut.
    """

    def __init__(
        self,
        compilation: Compilation,
        group: Group,
        form: SumOfProducts,
        windows: Windows,
        blocks: Blocks,
    ) -> None:
        super().__init__(compilation, group, form, f"{group.members[0].primitive.name} (Winograd)")
        self._windows, self._blocks = windows, blocks
        self._squares = Squares(self, windows, 1, blocks.rows, blocks.wide)
        self._column = Axis(-(-windows.column.extent // blocks.panel) * blocks.panel)
        self._input = self._squares.planes(windows.channel.extent)
        self._products = self._squares.planes(self._column.extent)
        shape = RESULTS * blocks.rows, RESULTS * blocks.wide, self._column.extent
        self._results, self._memory = on_stack(self.elements, TensorType(shape, self.dtype))
        self._sums = TileSums(
            self.elements, self.loops, form.left, form.right, self.width,
            is_padded=True, row_steps=(0, 0),
        )  # fmt: skip
        self._ending = Ending(
            compilation, self.elements, group, form.output, self.loops, self._sums
        )

    def write(self) -> None:
        """Append the kernels."""
        windows, blocks = self._windows, self._blocks
        self._weights = TransformedKernel(
            self.compilation, self.form.right, windows, self._column, blocks.panel
        )
        self._weights.write()
        high, wide = windows.squares
        rows = Walk((Axis(high),))
        levels = [Level(rows, blocks.rows * blocks.of_task)]
        with (
            self.each_task(levels),
            self.f.loop(*self.spans[rows], blocks.rows) as outer,
            self.f.loop(0, wide, blocks.wide) as inner,
        ):
            assert outer.index is not None
            assert inner.index is not None
            self._block(outer.index, inner.index)
        products = windows.image.extent * high * wide * PLACES
        self.writer.finish(
            self.task_count(levels),
            2 * products * windows.channel.extent * windows.column.extent,
            rate=MULTIPLY_ADDS_PER_SECOND,
            cut=self.cut_of(levels),
        )

    def _block(self, row: Operand, place: Operand) -> None:
        """Some squares, from a row and a place in it on, and what follows them."""
        windows, squares, blocks = self._windows, self._squares, self._blocks
        rows, high = self._reach(row, blocks.rows, windows.high)
        wide, across = self._reach(place, blocks.wide, windows.wide)
        spans = {
            self.loops.row_outer: high,
            self.loops.row_inner: across,
            self.loops.column: Span(integer(0), integer(windows.column.extent)),
        }
        area = Area(None, rows, wide)
        for tap in windows.taps:
            tap.operand = integer(0)
        squares.transform(area, self.form.left, windows.channel, INPUT, self._input)
        self._multiply()
        results = self._waiting(
            squares.first_result(windows.high, rows.first),
            squares.first_result(windows.wide, wide.first),
        )
        with self.f.when(self._transform_results(results, area)):
            self._by_definition(results, spans)
        self._ending.of_task(results, spans)

    def _reach(self, start: Operand, count: int, axis: Axis) -> tuple[Range, Span]:
        """The squares of a block on one axis, and which results are its own.

        The last block may reach back over squares of the one before.
        """
        f, squares = self.f, -(-axis.extent // RESULTS)
        first = f.minimum(start, squares - count) if squares % count else start
        begin, end = f.multiply(start, RESULTS), f.multiply(f.add(start, count), RESULTS)
        return Range(first, count), Span(begin, f.minimum(end, axis.extent))

    def _waiting(self, row: Operand, place: Operand) -> Waiting:
        """The memory of a block's results, the first of which are here in the image."""
        f, home, loops = self.f, self._results, self.loops
        before = f.add(f.multiply(row, -home.strides[0]), f.multiply(place, -home.strides[1]))
        address = f.address(self._memory, self._squares.element, before)
        self.writer.pointers.set(home.buffer, address)
        axes = loops.row_outer.axis, loops.row_inner.axis, loops.column.axis
        line = linear(tuple(map(Affine.of, axes)), home.strides)
        return Waiting(self._sums, home, line)

    def _multiply(self) -> None:
        """The products of all squares, channels and columns, place by place."""
        f, blocks, squares = self.f, self._blocks, self._squares
        channel, place = self._windows.channel, Axis(PLACES)
        summed = Walk((channel,))
        loops = Loops([], Walk(()), Walk((squares.axis,)), Walk((self._column,)), [summed])
        weights, step = self._weights.side, Affine.of(place).times(self._weights.step)
        sums = TileSums(
            self.elements,
            loops,
            Side(self._input, squares.product(self._input, place, channel)),
            Side(weights.home, weights.line + step),
            self.width,
            is_padded=True,
            row_steps=(0, self._input.strides[1]),
            unrolled=1,  # as fast as more, and half of the code
        )
        line = squares.product(self._products, place, self._column)
        results = Waiting(sums, self._products, line)
        spans = {walk: Span(integer(0), integer(walk.extent)) for walk in loops.tiled}
        steps = SumBlock([summed], channel.extent, None)

        def write(variant: Variant) -> None:
            results.keep(variant, sums.sums(variant, sums.zeros(variant), steps))

        with f.loop(0, PLACES) as loop:
            place.operand = loop.index
            over_tiles(f, loops.tiled, spans, (1, blocks.tile.inner, blocks.panel), write)

    def _transform_results(self, results: Waiting, area: Area) -> Operand:
        """Transform products into results; returns whether any of these is not finite."""
        f, squares, home = self.f, self._squares, self._results
        vector = Walk((Axis(self._column.extent // self.width),))

        def columns(carried: list[Operand]) -> list[Operand]:
            assert vector.axis.operand is not None
            column = f.multiply(vector.axis.operand, self.width)
            self._column.operand = self._windows.column.operand = column
            self.elements.lanes = Lanes(None)
            line = squares.row(self._products, self._column)
            source, _ = self.elements.place(self._products, line)
            target, _ = self.elements.place(home, results.line)
            planes = source, self._products.strides[0]
            places = target, home.strides[:2]
            return [squares.transform_back(RESULT, planes, places, self.width, carried[0])]

        zero = constant(squares.vector, 0)
        (check,) = squares.each(area, [zero], lambda carried: nested(f, [vector], carried, columns))
        return squares.is_not_finite(check)

    def _by_definition(self, results: Waiting, spans: Mapping[Walk, Span]) -> None:
        """The results of a block, product by product."""
        f, windows, extent = self.f, self._windows, self._windows.column.extent
        summed = [Walk((axis,)) for axis in (*windows.taps, windows.channel)]
        steps = SumBlock(summed, summed[0].extent, None)

        def columns(start: Operand, count: int) -> list[Operand]:
            windows.column.operand = start
            results.keep(
                Variant(1, 1, count), [self._squares.by_definition(self.form, steps, count)]
            )
            return []

        with (
            f.loop(*spans[self.loops.row_outer]) as high,
            f.loop(*spans[self.loops.row_inner]) as wide,
        ):
            windows.high.operand, windows.wide.operand = high.index, wide.index
            over_vectors(
                f, extent, (0, extent), self.width, [],
                lambda _, start: columns(start, self.width),
                lambda _, start: columns(integer(start), extent - start),
            )  # fmt: skip
