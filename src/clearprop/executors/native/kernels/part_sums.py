"""Results that wait in memory: between blocks of a long sum, and for other parts of it.

The gradient of a kernel sums over all positions of all images: few results, long sums.  There each
task has results of its own for its share of the images, and a second kernel adds up the parts, in
order, and computes what follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clearprop.executors.native.groups import Group
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Affine, Axis, linear
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.kernel import Cut, cut_of
from clearprop.executors.native.kernels.nests import Nest, Store
from clearprop.executors.native.kernels.tile_sums import TileSums, Variant
from clearprop.executors.native.llvm.registers import Operand
from clearprop.ir.types import TensorType

if TYPE_CHECKING:
    from clearprop.executors.native.kernels.forms import ContractionWriter


class Waiting:
    """Results of a task in memory.

    Args:
        sums: writes the sums of tiles.
        home: where they lie.
        line: the place of a result in it, as a sum of the loops' indices.
        start: the address of the first result of the task, if they are ever cleared.
        size_bytes: of all its results.
    """

    def __init__(
        self,
        sums: TileSums,
        home: Home,
        line: Affine,
        start: Operand | None = None,
        size_bytes: int = 0,
    ) -> None:
        self._sums, self.home, self.line = sums, home, line
        self._start, self._size_bytes = start, size_bytes

    def clear(self) -> None:
        """Let all results be zero."""
        assert self._start is not None
        self._sums.f.clear(self._start, self._size_bytes)

    def zeros(self, variant: Variant) -> list[Operand]:
        """What the products of a tile are added to, if all are added up at once."""
        return self._sums.zeros(variant)

    def loaded(self, variant: Variant) -> list[Operand]:
        """The results of a tile so far."""
        f, sums = self._sums.f, self._sums
        return [
            f.load_first(sums.element, address, count, sums.width, pinned=True)
            for address, count in self._places(variant)
        ]

    def keep(self, variant: Variant, results: list[Operand]) -> None:
        """Store the results of a tile."""
        f = self._sums.f
        for x, (address, count) in zip(results, self._places(variant), strict=True):
            f.store_first(x, address, count)

    def _places(self, variant: Variant) -> Iterator[tuple[Operand, int]]:
        """Address and lanes of each vector of a tile."""
        sums = self._sums
        loops, width = sums.loops, sums.width
        sums.elements.lanes = Lanes(None)
        start, _ = sums.elements.place(self.home, self.line)
        steps = [
            self.line.factor(walk.axis) if walk.axes else 0
            for walk in (loops.row_outer, loops.row_inner, loops.column)
        ]
        for outer, inner in sums.rows(variant):
            for at, count in enumerate(sums.vectors(variant.columns)):
                place = outer * steps[0] + inner * steps[1] + at * width * steps[2]
                yield sums.f.address(start, sums.element, place), count


class Parts(Waiting):
    """The results of each part of a sum that is cut, and the kernel that adds them up.

    Args:
        writer: of the contraction.
        sums: writes the sums of tiles.
        count: how many parts there are.
    """

    def __init__(self, writer: ContractionWriter, sums: TileSums, count: int) -> None:
        value, compilation = writer.value, writer.compilation
        self._writer, self._count = writer, count
        self._number = Axis(count + 1)  # of the part
        type_ = TensorType((count, *value.shape), value.dtype)
        home = Home.plain(compilation.temporary(type_.size_bytes), type_)
        self._own = linear(writer.form.output, home.strides[1:])
        start = writer.writer.begin  # until it is known
        super().__init__(sums, home, self._own, start, value.type.size_bytes)

    @property
    def cut(self) -> Cut | None:
        """The outermost index of the sum, where each part has whole places of it."""
        walk = self._writer.loops.summed[0]
        cut = cut_of(walk, -(-walk.extent // self._count))
        return {**cut, self._number: 1} if cut is not None else None

    def zeros(self, variant: Variant) -> list[Operand]:
        """Zeros for a tile, whose lines are asked for meanwhile: other threads have read them."""
        for address, _ in self._places(variant):
            self._sums.f.ask_for(address, to_write=True)
        return super().zeros(variant)

    def begin(self, part: Operand) -> None:
        """Stand at a part."""
        sums, home = self._sums, self.home
        self._number.operand = part
        number = Affine.of(self._number).times(home.strides[0])
        self.line = number + self._own
        sums.elements.lanes = Lanes(None)
        self._start, _ = sums.elements.place(home, number)

    def write_end(self) -> None:
        """Append the kernel that adds up the parts of a contraction and computes what follows."""
        compilation, group = self._writer.compilation, self._writer.group
        value, parts = self._writer.value, self.home

        def add_up(nest: Nest) -> Operand:
            index = linear(group.index[value], parts.strides[1:])
            state: Operand | None = None
            for part in range(self._count):
                place = index.plus(part * parts.strides[0])
                address, stride = nest.elements.place(parts, place)
                x = nest.elements.load_from(address, stride, value.dtype)
                add = "fadd" if value.dtype.kind == "f" else "add"
                state = x if state is None else nest.f.binary(add, state, x)
            assert state is not None
            return state

        ending = Group(
            "nest", group.axes, group.reason, group.members[1:], dict(group.index), group.at
        )
        stores = [Store(each, compilation.homes[each], group.index[each]) for each in group.stored]
        Nest(compilation, ending, stores, given={value: add_up}).write()
