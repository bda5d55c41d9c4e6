"""Contractions of few results and long sums: the sums are cut, and the parts added in order.

The gradient of a kernel sums over all positions of all images.  Each task has results of its own
for its share of the images; they grow in memory that fits into the second cache, as does what one
image reads.  A second kernel adds up the parts, and computes what follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clearprop.executors.native.groups import Group
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Affine, Axis, linear
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.kernel import MULTIPLY_ADDS_PER_SECOND, Compilation
from clearprop.executors.native.kernels.nests import Nest, Store
from clearprop.executors.native.kernels.tile_sums import Variant
from clearprop.executors.native.llvm.registers import Operand, vector_type
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value

if TYPE_CHECKING:
    from clearprop.executors.native.kernels.contractions import Contraction

_PARTS = 16


def is_cut(contraction: Contraction) -> bool:
    """Whether the sums are so long, and the results so few, that the sums are cut."""
    loops, sums, form = contraction.loops, contraction.sums, contraction.form
    if not loops.summed or loops.outer or sums.is_along:
        return False
    size = int(sums.dtype.itemsize)
    results = contraction.value.type.size * size
    read = (form.left.home.type.size + form.right.home.type.size) * size
    cache = contraction.compilation.machine.level2_bytes
    is_long = loops.sum_length >= 512 and loops.summed[0].extent >= 2
    return is_long and results <= cache // 4 and read > cache // 2


def write_in_parts(contraction: Contraction, flops: int) -> None:
    """Append the kernels: each task adds up one range of the outermost loop that disappears."""
    value, compilation = contraction.value, contraction.compilation
    first = contraction.loops.summed[0]
    chunk = -(-first.extent // _PARTS)
    parts = -(-first.extent // chunk)
    type_ = TensorType((parts, *value.shape), value.dtype)
    home = Home.plain(compilation.temporary(type_.size_bytes), type_)
    f, writer = contraction.f, contraction.writer
    with f.loop(writer.begin, writer.end) as loop:
        assert loop.index is not None
        start = f.multiply(loop.index, chunk)
        stop = f.minimum(f.add(start, chunk), first.extent)
        _Part(contraction, home, loop.index).write(start, stop)
    writer.finish(parts, flops, rate=MULTIPLY_ADDS_PER_SECOND)
    _write_end(compilation, contraction.group, value, home)


class _Part:
    """One part of the sums, with results of its own."""

    def __init__(self, contraction: Contraction, home: Home, number: Operand) -> None:
        self.contraction, self.home, self.number = contraction, home, number
        self.sums, self.f = contraction.sums, contraction.f
        row = Affine.of(Axis(home.type.shape[0] + 1, number))
        own = linear(contraction.form.output, home.strides[1:])
        self.line = row.times(home.strides[0]) + own

    def write(self, start: Operand, stop: Operand) -> None:
        """The sums over a range of the outermost loop that disappears."""
        contraction = self.contraction
        first, *others = contraction.loops.summed
        levels = contraction.levels()
        if not others:
            contraction.over_tiles(
                levels, lambda variant: self._range(variant, start, stop), self._keep
            )
            return
        self._clear()
        with self.f.loop(start, stop) as loop:
            assert loop.index is not None
            first.stand(loop.index)
            contraction.over_tiles(
                levels,
                lambda variant: self.sums.sums(variant, self._loaded(variant), others),
                self._keep,
            )

    def _range(self, variant: Variant, start: Operand, stop: Operand) -> list[Operand]:
        (walk,) = self.contraction.loops.summed
        with self.f.loop(start, stop, carried=self.sums.zeros(variant)) as loop:
            assert loop.index is not None
            walk.stand(loop.index)
            loop.next = self.sums.step(variant, loop.carried)
        return loop.results

    def _clear(self) -> None:
        size = self.home.strides[0] * self.home.type.dtype.itemsize
        base = self.sums.elements.pointers.address(self.home)
        self.f.clear(self.f.address(base, "i8", self.f.multiply(self.number, size)), size)

    def _places(self, variant: Variant) -> Iterator[tuple[int, Operand, int]]:
        """Number, address and lanes of each vector of a tile."""
        loops, width = self.contraction.loops, self.sums.width
        self.sums.elements.lanes = Lanes(None)
        start, _ = self.sums.elements.place(self.home, self.line)
        steps = [
            self.line.factor(walk.axis) if walk.axes else 0
            for walk in (loops.row_outer, loops.row_inner, loops.column)
        ]
        number = 0
        for outer, inner in self.sums.rows(variant):
            for at, count in enumerate(self.sums.vectors(variant.columns)):
                place = outer * steps[0] + inner * steps[1] + at * width * steps[2]
                yield number, self.f.address(start, self.sums.element, place), count
                number += 1

    def _loaded(self, variant: Variant) -> list[Operand]:
        f, sums = self.f, self.sums
        return [
            f.widen(f.load(vector_type(sums.element, count), address, pinned=True), sums.width)
            for _, address, count in self._places(variant)
        ]

    def _keep(self, variant: Variant, results: list[Operand]) -> None:
        for number, address, count in self._places(variant):
            self.f.store(self.f.narrow(results[number], count), address)


def _write_end(compilation: Compilation, group: Group, value: Value, parts: Home) -> None:
    """Append the kernel that adds up the parts of a contraction and computes what follows."""
    axes = group.axes
    count = parts.type.shape[0]

    def add_up(nest: Nest) -> Operand:
        index = linear(group.index[value], parts.strides[1:])
        state: Operand | None = None
        for part in range(count):
            address, stride = nest.elements.place(parts, index.plus(part * parts.strides[0]))
            x = nest.elements.load_from(address, stride, value.dtype)
            add = "fadd" if value.dtype.kind == "f" else "add"
            state = x if state is None else nest.f.binary(add, state, x)
        assert state is not None
        return state

    ending = Group("nest", axes, group.reason, group.members[1:], dict(group.index), group.at)
    stores = [Store(each, compilation.homes[each], group.index[each]) for each in group.stored]
    Nest(compilation, ending, stores, given={value: add_up}).write()
