"""The squares of an image: what they read, and their transforms.

A block has a row for each of its squares in 16 planes, one for each place of a transformed square:
so the products of one place are a matrix product over all squares.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Affine, Axis, linear
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.forms import ContractionWriter
from clearprop.executors.native.kernels.kernel import over_vectors
from clearprop.executors.native.kernels.packing import SumBlock, on_stack
from clearprop.executors.native.kernels.reducers import Reducer
from clearprop.executors.native.kernels.sums import Side, SumOfProducts
from clearprop.executors.native.kernels.winograd.planes import plane_size, planes_in
from clearprop.executors.native.kernels.winograd.transforms import (
    PLACES,
    POINTS,
    RESULTS,
    Matrix,
    transformed,
)
from clearprop.executors.native.kernels.winograd.windows import Windows
from clearprop.executors.native.llvm.registers import Operand, constant, integer, vector_type
from clearprop.executors.native.mathematics.elementwise import memory_type
from clearprop.ir.types import Shape, TensorType


class Range(NamedTuple):
    """Neighbours on an axis: the first, and how many."""

    first: Operand
    size: Operand | int


class Area(NamedTuple):
    """Some squares.

    Attributes:
        images: whose; None for those of the image at which the loops stand.
        rows: of squares.
        wide: which in each row.
    """

    images: Range | None
    rows: Range
    wide: Range


class Squares:
    """The squares of a block.

    Args:
        writer: of the contraction.
        windows: its windows.
        images: how many a block has at most.
        rows: of squares in an image it has at most.
        wide: squares that it has in each row at most.

    Attributes:
        axis: numbers them.
        element: type of a number.
        vector: type of a vector of them.
    """

    def __init__(
        self, writer: ContractionWriter, windows: Windows, images: int, rows: int, wide: int
    ) -> None:
        self._f, self._elements, self._pointers = writer.f, writer.elements, writer.writer.pointers
        self._width, self._dtype, self._windows = writer.width, writer.dtype, windows
        self._image, self._row, self._wide = map(Axis, (images, rows, wide))
        self.axis = Axis(images * rows * wide)
        self.element = memory_type(writer.dtype)
        self.vector = vector_type(self.element, writer.width)

    def planes(self, size: int) -> Home:
        """Memory on the stack for so many numbers of each square at each place."""
        return self.on_stack((self.axis.extent, -(-size // self._width) * self._width))

    def on_stack(self, shape: Shape) -> Home:
        """Planes on the stack."""
        count = PLACES * plane_size(shape, self._dtype)
        home, memory = on_stack(self._elements, TensorType((count,), self._dtype))
        self._pointers.set(home.buffer, memory)
        return planes_in(home.buffer, shape, self._dtype)

    def row(self, planes: Home, axis: Axis) -> Affine:
        """Where the loops over squares, and that over an axis, stand in the first plane."""
        rows, wide = self._row.extent, self._wide.extent
        square = Affine.of(self._image).times(rows * wide)
        square += Affine.of(self._row).times(wide) + Affine.of(self._wide)
        return square.times(planes.strides[1]) + Affine.of(axis)

    def product(self, planes: Home, place: Axis, axis: Axis) -> Affine:
        """Where a loop over all squares at once stands in a plane."""
        return linear(tuple(map(Affine.of, (place, self.axis, axis))), planes.strides)

    def each(
        self,
        area: Area,
        carried: Sequence[Operand],
        body: Callable[[list[Operand]], list[Operand]],
    ) -> list[Operand]:
        """Loops over squares; what the body returns is carried on.

        Args:
            area: whose squares.
            carried: what the first square starts from.
            body: writes one.
        """
        f, windows = self._f, self._windows

        def over_rows(carried: Sequence[Operand]) -> list[Operand]:
            with f.loop(0, area.rows.size, carried=carried) as outer:
                assert outer.index is not None
                self._row.operand = outer.index
                windows.high.operand = self.first_result(
                    windows.high, f.add(area.rows.first, outer.index)
                )
                with f.loop(0, area.wide.size, carried=outer.carried) as inner:
                    assert inner.index is not None
                    self._wide.operand = inner.index
                    windows.wide.operand = self.first_result(
                        windows.wide, f.add(area.wide.first, inner.index)
                    )
                    inner.next = body(inner.carried)
                outer.next = inner.results
            return outer.results

        if area.images is None:
            return over_rows(carried)
        with f.loop(0, area.images.size, carried=carried) as loop:
            assert loop.index is not None
            self._image.operand = loop.index
            windows.image.operand = f.add(area.images.first, loop.index)
            loop.next = over_rows(loop.carried)
        return loop.results

    def first_result(self, axis: Axis, square: Operand) -> Operand:
        """With which result on an axis a square begins; the last may reach back by one."""
        place = self._f.multiply(square, RESULTS)
        return self._f.minimum(place, axis.extent - RESULTS) if axis.extent % RESULTS else place

    def transform(
        self,
        area: Area,
        side: Side,
        axis: Axis,
        matrix: Matrix,
        into: Home,
        *,
        once: bool = False,
    ) -> None:
        """Transform what squares read of a factor.

        Args:
            area: whose squares.
            side: the factor, from a square's first number on.
            axis: of its channels, which lie side by side.
            matrix: of the transform.
            into: the planes.
            once: whether what two squares share counts for the first one only.
        """
        f, windows, extent = self._f, self._windows, axis.extent
        steps = [side.line.factor(place) for place in (windows.high, windows.wide)]

        def channels(start: Operand, count: int) -> None:
            axis.operand = start
            self._elements.lanes = Lanes(None)
            source, _ = self._elements.place(side.home, side.line)
            target, _ = self._elements.place(into, self.row(into, axis))

            def number(*at: int) -> Operand:
                place = sum(each * step for each, step in zip(at, steps, strict=True))
                address = f.address(source, self.element, place)
                x = f.load_first(self.element, address, count, self._width)
                return self._once(x, at) if once else x

            for place, x in enumerate(transformed(f, matrix, number)):
                f.store(x, f.address(target, self.element, place * into.strides[0]))

        def whole(carried: list[Operand], start: Operand) -> list[Operand]:
            channels(start, self._width)
            return carried

        def rest(carried: list[Operand], start: int) -> list[Operand]:
            channels(integer(start), extent - start)
            return carried

        self.each(area, [], lambda carried: over_vectors(
            f, extent, (0, extent), self._width, carried, whole, rest
        ))  # fmt: skip

    def _once(self, x: Operand, at: Sequence[int]) -> Operand:
        """A number of a square, zero where it belongs to the square before, too."""
        windows = self._windows
        for axis, place in zip((windows.high, windows.wide), at, strict=True):
            if axis.extent % RESULTS and place == 0:
                assert axis.operand is not None
                odd = self._f.binary("and", axis.operand, integer(1))
                reaches_back = self._f.compare("icmp ne", odd, integer(0))
                x = self._f.select(reaches_back, constant(x.type, 0), x)
        return x

    # -- back ------------------------------------------------------------------------------

    def transform_back(
        self,
        matrix: Matrix,
        source: tuple[Operand, int],
        target: tuple[Operand, Sequence[int]],
        count: int,
        check: Operand,
    ) -> Operand:
        """Transform a vector of squares back, and store it; returns the check after it.

        Args:
            matrix: of the transform.
            source: address of the first place, and elements from place to place.
            target: address of the first number, and elements from one to the next on both axes.
            count: how many lanes are stored.
            check: zero if all numbers before were finite.
        """
        f, zero = self._f, constant(self.vector, 0)

        def number(row: int, place: int) -> Operand:
            start = f.address(source[0], self.element, (row * POINTS + place) * source[1])
            return f.load(self.vector, start, pinned=True)

        places = product(range(len(matrix)), repeat=2)
        for x, at in zip(transformed(f, matrix, number), places, strict=True):
            start = sum(each * step for each, step in zip(at, target[1], strict=True))
            f.store_first(x, f.address(target[0], self.element, start), count)
            check = f.multiply_add(x, zero, check)  # NaN from then on, if x is not finite
        return check

    def is_not_finite(self, check: Operand) -> Operand:
        """Whether any of the numbers that were checked is not finite."""
        (found,) = Reducer("reduce_sum", self._dtype).across(self._f, [check])
        return self._f.compare("fcmp une", found, constant(found.type, 0))

    def by_definition(self, form: SumOfProducts, steps: SumBlock, count: int) -> Operand:
        """A vector of results where the loops stand, product by product.

        Args:
            form: the products.
            steps: that are added up.
            count: how many lanes are in use.
        """
        f, elements, column = self._f, self._elements, self._windows.column

        def step(carried: list[Operand]) -> list[Operand]:
            elements.lanes = Lanes(None)
            place, _ = elements.place(form.left.home, form.left.line)
            x = f.splat(f.load(self.element, place), self._width)
            elements.lanes = Lanes(column, self._width, count)
            place, stride = elements.place(form.right.home, form.right.line)
            y = f.splat(elements.load_from(place, stride, self._dtype), self._width)
            added = f.multiply_add(x, y, carried[0])
            if form.gaps is not None:
                added = f.select(form.gaps.are_elsewhere(elements), added, carried[0])
            return [added]

        (result,) = steps.over(f, [constant(self.vector, 0)], step)
        elements.lanes = Lanes(None)
        return result
