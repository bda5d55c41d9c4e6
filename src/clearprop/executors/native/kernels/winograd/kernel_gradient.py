"""The gradient of a convolution's 3 x 3 kernel with fewer products, Winograd's way.

The derivatives of a square's 2 x 2 results are a kernel of 2 x 2 by which its 4 x 4 inputs are
multiplied, into 3 x 3 results that all squares add up.  Their transforms take 16 products instead
of 36; the sums of these are transformed back once, when a part of the images has been added up.

As in ``convolution``, a part whose results are not finite is computed again by definition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from clearprop.executors.native.groups import Group
from clearprop.executors.native.kernels.affine import Affine, Axis, linear
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.forms import ContractionWriter
from clearprop.executors.native.kernels.kernel import (
    MULTIPLY_ADDS_PER_SECOND,
    Compilation,
    Walk,
    nested,
    over_vectors,
)
from clearprop.executors.native.kernels.packing import Span, SumBlock
from clearprop.executors.native.kernels.part_sums import Parts, Waiting
from clearprop.executors.native.kernels.sums import Side, SumOfProducts
from clearprop.executors.native.kernels.tile_loops import over_tiles
from clearprop.executors.native.kernels.tile_sums import Loops, TileSums, Variant
from clearprop.executors.native.kernels.winograd.blocks import SumBlocks
from clearprop.executors.native.kernels.winograd.squares import Area, Range, Squares
from clearprop.executors.native.kernels.winograd.transforms import (
    DERIVATIVE,
    GRADIENT,
    INPUT,
    PLACES,
)
from clearprop.executors.native.kernels.winograd.windows import Windows
from clearprop.executors.native.llvm.registers import Operand, constant, integer


class WinogradSum(ContractionWriter):
    """The gradient of a kernel that is written Winograd's way.

    Args:
        compilation: where its kernels go.
        group: the gradient and the equations that follow it.
        form: its products.
        windows: of the convolution.
        blocks: how it is cut.
    """

    def __init__(
        self,
        compilation: Compilation,
        group: Group,
        form: SumOfProducts,
        windows: Windows,
        blocks: SumBlocks,
    ) -> None:
        super().__init__(compilation, group, form, f"{group.members[0].primitive.name} (Winograd)")
        self._windows, self._blocks = windows, blocks
        self._squares = Squares(self, windows, blocks.images, blocks.rows, blocks.wide)
        self._input = self._squares.planes(windows.channel.extent)
        self._derivatives = self._squares.planes(windows.column.extent)
        columns = self._derivatives.type.shape[-1]
        self._sums_home = self._squares.on_stack((windows.channel.extent, columns))
        self._place, self._column = Axis(PLACES), Axis(columns)
        axes = self._place, windows.channel, self._column
        self._line = linear(tuple(map(Affine.of, axes)), self._sums_home.strides)
        plain = TileSums(
            self.elements, self.loops, form.left, form.right, self.width,
            is_padded=False, row_steps=(0, 0),
        )  # fmt: skip
        self._parts = Parts(self, plain, blocks.parts)

    def write(self) -> None:
        """Append the kernels."""
        f, windows, blocks = self.f, self._windows, self._blocks
        images = windows.image.extent
        own = -(-images // blocks.parts)
        with f.loop(self.writer.begin, self.writer.end) as loop:
            assert loop.index is not None
            self._parts.begin(loop.index)
            start = f.multiply(loop.index, own)
            self._part(Span(start, f.minimum(f.add(start, own), images)))
        high, wide = windows.squares
        products = images * high * wide * PLACES
        self.writer.finish(
            blocks.parts,
            2 * products * windows.channel.extent * windows.column.extent,
            rate=MULTIPLY_ADDS_PER_SECOND,
            cut=self._parts.cut,
        )
        self._parts.write_end()

    def _part(self, images: Span) -> None:
        """The sums of some images."""
        f, blocks, windows = self.f, self._blocks, self._windows
        f.clear(self.writer.pointers.address(self._sums_home), self._sums_home.buffer.size_bytes)
        high, wide = windows.squares
        everything = (images, blocks.images), (Span(integer(0), integer(high)), blocks.rows)
        with ExitStack() as stack:
            ranges = []
            for span, size in (*everything, (Span(integer(0), integer(wide)), blocks.wide)):
                loop = stack.enter_context(f.loop(*span, size))
                assert loop.index is not None
                stop = f.minimum(f.add(loop.index, size), span.stop)
                ranges.append(Range(loop.index, f.add(stop, f.multiply(loop.index, -1))))
            self._add(Area(*ranges))
        with f.when(self._transform_sums()):
            self._by_definition(images)

    def _add(self, area: Area) -> None:
        """Add up the products of some squares."""
        f, windows, squares = self.f, self._windows, self._squares
        left, right = self.form.left, self.form.right
        for tap in windows.taps:
            tap.operand = integer(0)
        squares.transform(area, left, windows.channel, INPUT, self._input)
        squares.transform(area, right, windows.column, DERIVATIVE, self._derivatives, once=True)
        assert area.images is not None
        count = f.multiply(f.multiply(area.images.size, area.rows.size), area.wide.size)
        summed = Walk((squares.axis,))
        row, column = Walk((windows.channel,)), Walk((self._column,))
        loops = Loops([], Walk(()), row, column, [summed])
        sums = TileSums(
            self.elements,
            loops,
            Side(self._input, squares.product(self._input, self._place, windows.channel)),
            Side(self._derivatives, squares.product(self._derivatives, self._place, self._column)),
            self.width,
            is_padded=True,
            row_steps=(0, 1),
        )
        results = Waiting(sums, self._sums_home, self._line)
        spans = {walk: Span(integer(0), integer(walk.extent)) for walk in loops.tiled}
        steps = SumBlock([summed], squares.axis.extent, Span(integer(0), count))
        tile = self._blocks.tile

        def write(variant: Variant) -> None:
            results.keep(variant, sums.sums(variant, results.loaded(variant), steps))

        with f.loop(0, PLACES) as loop:
            self._place.operand = loop.index
            over_tiles(f, loops.tiled, spans, (1, tile.inner, tile.vectors * self.width), write)

    def _transform_sums(self) -> Operand:
        """Transform the sums into results; returns whether any of these is not finite."""
        windows, squares, sums = self._windows, self._squares, self._sums_home
        steps = [self._parts.line.factor(tap) for tap in windows.taps]
        self._place.operand = integer(0)
        for tap in windows.taps:
            tap.operand = integer(0)

        def columns(carried: list[Operand], count: int) -> list[Operand]:
            self._column.operand = windows.column.operand
            source, _ = self.elements.place(sums, self._line)
            target, _ = self.elements.place(self._parts.home, self._parts.line)
            planes, places = (source, sums.strides[0]), (target, steps)
            return [squares.transform_back(GRADIENT, planes, places, count, carried[0])]

        zero = constant(squares.vector, 0)
        (check,) = self._over_results([windows.channel], [zero], columns)
        return squares.is_not_finite(check)

    def _by_definition(self, images: Span) -> None:
        """The results of some images, product by product."""
        windows = self._windows
        summed = [Walk((axis,)) for axis in (windows.image, windows.high, windows.wide)]
        steps = SumBlock(summed, windows.image.extent, images)

        def columns(carried: list[Operand], count: int) -> list[Operand]:
            x = self._squares.by_definition(self.form, steps, count)
            target, _ = self.elements.place(self._parts.home, self._parts.line)
            self.f.store_first(x, target, count)
            return carried

        self._over_results([*windows.taps, windows.channel], [], columns)

    def _over_results(
        self,
        axes: Sequence[Axis],
        carried: Sequence[Operand],
        write: Callable[[list[Operand], int], list[Operand]],
    ) -> list[Operand]:
        """Loops over these axes and vectors of columns, of so many lanes each."""
        column = self._windows.column

        def vector(carried: list[Operand], start: Operand, count: int) -> list[Operand]:
            column.operand = start
            self.elements.lanes = Lanes(None)
            return write(carried, count)

        def columns(carried: list[Operand]) -> list[Operand]:
            extent, width = column.extent, self.width
            return over_vectors(
                self.f, extent, (0, extent), width, carried,
                lambda states, start: vector(states, start, width),
                lambda states, start: vector(states, integer(start), extent - start),
            )  # fmt: skip

        return nested(self.f, [Walk((axis,)) for axis in axes], carried, columns)
