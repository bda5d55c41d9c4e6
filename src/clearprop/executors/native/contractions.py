"""Matrix products and convolutions: sums of products in tiles, and what is done with each tile.

A tile's results stay in registers while its sums grow.  Then, still in the first cache, they pass
through the equations that the group has after the contraction (bias, activation, the update of a
weight), and only what others read is stored.  If the right factor does not lie in vectors, it is
copied first into panels of the tile's width.

Where the results are few and the sums long (the gradient of a convolution's kernel), the sums are
cut into parts, each with results of its own, and the parts are added in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from clearprop.executors.native.affine import Affine, Axis, linear, total
from clearprop.executors.native.elements import Lanes
from clearprop.executors.native.elementwise import memory_type
from clearprop.executors.native.groups import Group
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels import (
    MULTIPLY_ADDS_PER_SECOND,
    Compilation,
    KernelWriter,
    Walk,
    nested,
    walks_over,
)
from clearprop.executors.native.nests import Nest, Store
from clearprop.executors.native.packing import pack
from clearprop.executors.native.reducers import Reducer
from clearprop.executors.native.sums import Side, sum_of_products
from clearprop.executors.native.tiles import choose_tile
from clearprop.executors.native.writer import (
    Function,
    Operand,
    constant,
    integer,
    vector_type,
)
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value

_LEAST_TASK_FLOPS = 1 << 16
_MOST_TASKS = 64
_PARTS = 16  # into which long sums are cut
_PAGE_BYTES = 4096
_ROWS_FOR_PANELS = 192


@dataclass(frozen=True)
class Loops:
    """A sum of products with its axes merged into as few loops as possible."""

    outer: list[Walk]  # batches, and rows and columns beyond those of a tile
    row_outer: Walk
    row_inner: Walk
    column: Walk
    summed: list[Walk]

    @property
    def sum_length(self) -> int:
        """How many products each result adds up."""
        length = 1
        for walk in self.summed:
            length *= walk.extent
        return length


class Variant(NamedTuple):
    """A tile as it is at some place: smaller at the edges."""

    outer: int
    inner: int
    columns: int


def write_contraction(compilation: Compilation, group: Group) -> None:
    """Append the kernels of a contraction and of what is computed with it."""
    value = next(iter(group.index))
    if value.type.size:
        _Contraction(compilation, group).write()


class _Contraction:
    def __init__(self, compilation: Compilation, group: Group) -> None:
        self.compilation, self.group = compilation, group
        self.form = sum_of_products(compilation, group)
        self.value = next(iter(group.index))
        self.dtype = self.value.dtype
        self.width = compilation.machine.lanes(self.dtype.itemsize)
        self.writer = KernelWriter(compilation, group.members[0].primitive.name)
        self.f, self.elements = self.writer.function, self.writer.elements
        self.loops = self._loops()
        rows = (self.loops.row_outer.extent, self.loops.row_inner.extent)
        columns = self.loops.column.extent
        self.tile = choose_tile(compilation.machine, rows, columns, self.width)
        self.panel = self.tile.vectors * self.width
        self.right = self.form.right
        # Channel by channel: the left factor is read in vectors too.
        self.is_shared = columns > 1 and self.form.left.line.factor(self.loops.column.axis) == 1
        # Single results of long sums: vectors lie along the sum, and end as one number.
        self.is_along = (
            columns == 1
            and bool(self.loops.summed)
            and self._lies_along(self.loops.summed[-1])
            and self.loops.summed[-1].extent >= 2 * self.width
        )
        if columns > 1 and not self.is_shared and self.loops.sum_length and self._wants_panels():
            self.right = self._packed()

    def _wants_panels(self) -> bool:
        """Whether the right factor is copied into panels first.

        It has to be where vectors cannot be loaded from it.  It pays where its rows lie so far
        apart that each is on a page of its own, if there are enough rows of results to read it.
        """
        loops, line = self.loops, self.right.line
        if line.factor(loops.column.axis) != 1:
            return True
        if not loops.summed or loops.outer:
            return False
        if self.right.home.buffer in self.compilation.lasting:
            return loops.column.extent > self.panel  # copied once, read in every round
        rows = loops.row_outer.extent * loops.row_inner.extent
        if rows < _ROWS_FOR_PANELS:
            return False
        step = line.factor(loops.summed[-1].axis) * self.dtype.itemsize
        return step >= _PAGE_BYTES // 2 and loops.summed[-1].extent >= _ROWS_FOR_PANELS

    # -- loops -------------------------------------------------------------------------

    def _loops(self) -> Loops:
        form = self.form
        own = [form.left.line, form.right.line]
        mapping = dict(zip(self.group.axes, form.output, strict=True))
        lines = own + [_substituted(line, mapping) for line in self._result_lines()]
        batches = walks_over(form.batches, lines)
        rows = walks_over(form.rows, lines)
        columns = walks_over(form.columns, lines)
        summed = walks_over(form.summed, own)
        column = columns.pop() if columns else Walk(())
        if not columns and not column.axes and batches and self._lies_along(batches[-1]):
            column = batches.pop()
        inner = rows.pop() if rows else Walk(())
        outer = rows.pop() if rows else Walk(())
        return Loops([*batches, *rows, *columns], outer, inner, column, summed)

    def _lies_along(self, walk: Walk) -> bool:
        """Whether both factors lie side by side along a loop."""
        sides = (self.form.left, self.form.right)
        return all(side.line.factor(walk.axis) == 1 for side in sides)

    def _result_lines(self) -> list[Affine]:
        """Where the results and what is computed with them are read and stored."""
        group, lines = self.group, []
        for equation in group.members[1:]:
            for each in equation.inputs:
                lines += self.elements.lines(each, group.at[equation], group.index)
        for value in group.stored:
            home = self.compilation.homes[value]
            lines.append(linear(group.index[value], home.strides))
        return lines

    def _packed(self) -> Side:
        """The right factor in panels of the tile's width, as a new side."""
        loops = self.loops
        outer = [walk for walk in loops.outer if self.form.right.line.factor(walk.axis)]
        return pack(
            self.compilation, self.form.right, outer, loops.summed, loops.column, self.panel
        )

    # -- the kernels -----------------------------------------------------------------------

    def write(self) -> None:
        """Append the kernels."""
        flops = 2 * self.value.type.size * self.loops.sum_length
        if self._is_cut():
            self._write_in_parts(flops)
            return
        levels = self._levels()
        depth, tasks = 0, 1
        wanted = max(1, min(_MOST_TASKS // 2, flops // _LEAST_TASK_FLOPS))
        while depth < len(levels) and tasks < wanted:
            tasks *= levels[depth].count
            depth += 1
        if tasks == 1:
            self._over(levels, lambda: self._tiles(self._whole_sums, self._finish_tile))
        else:
            with self.f.loop(self.writer.begin, self.writer.end) as loop:
                assert loop.index is not None
                rest = loop.index
                for level in reversed(levels[:depth]):
                    count = integer(level.count)
                    level.stand(self.f, self.f.binary("urem", rest, count))
                    rest = self.f.binary("udiv", rest, count)
                self._over(levels[depth:], lambda: self._tiles(self._whole_sums, self._finish_tile))
        self.writer.finish(tasks, flops, rate=MULTIPLY_ADDS_PER_SECOND)

    def _levels(self) -> list[_Level]:
        loops, tile = self.loops, self.tile
        return [
            *[_Level(walk, 1) for walk in loops.outer],
            _Level(loops.column, self.panel),
            _Level(loops.row_outer, tile.outer),
            _Level(loops.row_inner, tile.inner),
        ]

    def _over(self, levels: Sequence[_Level], body: Callable[[], None]) -> None:
        """Loops over whole levels."""
        with ExitStack() as stack:
            for level in levels:
                if level.count == 1:
                    level.stand(self.f, integer(0))
                else:
                    loop = stack.enter_context(self.f.loop(0, level.count))
                    assert loop.index is not None
                    level.stand(self.f, loop.index)
            body()

    def _tiles(
        self,
        compute: Callable[[Variant], list[Operand]],
        finish: Callable[[Variant, list[Operand]], None],
    ) -> None:
        """The tile at which the loops stand, in the form that it has there."""
        loops, tile = self.loops, self.tile
        forms = [
            _edges(loops.row_outer, tile.outer),
            _edges(loops.row_inner, tile.inner),
            _edges(loops.column, self.panel),
        ]
        for sizes in product(*forms):
            with ExitStack() as stack:
                for walk, size, options in zip(
                    (loops.row_outer, loops.row_inner, loops.column), sizes, forms, strict=True
                ):
                    if len(options) > 1:
                        assert walk.axis.operand is not None
                        bound = walk.extent - options[-1]
                        word = "icmp slt" if size == options[0] else "icmp sge"
                        is_here = self.f.compare(word, walk.axis.operand, integer(bound))
                        stack.enter_context(self.f.when(is_here))
                variant = Variant(*sizes)
                finish(variant, compute(variant))

    # -- sums --------------------------------------------------------------------------

    def _vectors(self, columns: int) -> list[int]:
        """How many lanes are in use in each vector."""
        return [min(self.width, columns - at) for at in range(0, columns, self.width)]

    def _zeros(self, variant: Variant) -> list[Operand]:
        count = variant.outer * variant.inner * len(self._vectors(variant.columns))
        return [constant(vector_type(memory_type(self.dtype), self.width), 0)] * count

    def _whole_sums(self, variant: Variant) -> list[Operand]:
        if self.is_along:
            return self._sums_along(variant)
        return self._sums(variant, self._zeros(variant), self.loops.summed)

    def _rows(self, variant: Variant) -> list[tuple[int, int]]:
        return list(product(range(variant.outer), range(variant.inner)))

    def _sums(self, variant: Variant, sums: list[Operand], walks: Sequence[Walk]) -> list[Operand]:
        """A tile's results: all products of some loops added to ``sums``."""
        if any(walk.extent == 0 for walk in walks):
            return sums
        return nested(self.f, walks, sums, lambda carried: self._step(variant, carried))

    def _step(self, variant: Variant, sums: list[Operand]) -> list[Operand]:
        """One product for each of the tile's results."""
        f, element = self.f, memory_type(self.dtype)
        left, right = self.form.left, self.right
        self.elements.lanes = Lanes(None)
        start, _ = self.elements.place(right.home, right.line)
        vectors = []
        for number, count in enumerate(self._vectors(variant.columns)):
            address = f.address(start, element, number * self.width)
            used = self.width if right is not self.form.right else count
            vectors.append(f.widen(f.load(vector_type(element, used), address), self.width))
        first, _ = self.elements.place(left.home, left.line)
        steps = [
            left.line.factor(walk.axis) if walk.axes else 0
            for walk in (self.loops.row_outer, self.loops.row_inner)
        ]
        result = []
        for place, (outer, inner) in enumerate(self._rows(variant)):
            address = f.address(first, element, outer * steps[0] + inner * steps[1])
            spread = None if self.is_shared else f.splat(f.load(element, address), self.width)
            for at, vector in enumerate(vectors):
                before = sums[place * len(vectors) + at]
                factor = spread
                if factor is None:
                    own = f.address(address, element, at * self.width)
                    count = self._vectors(variant.columns)[at]
                    factor = f.widen(f.load(vector_type(element, count), own), self.width)
                result.append(self._multiply_add(factor, vector, before))
        return result

    def _sums_along(self, variant: Variant) -> list[Operand]:
        """A tile of single results: vectors take so many products of the sum at once."""
        *outer, last = self.loops.summed
        width, extent = self.width, last.extent
        whole = extent // width * width

        def over_last(sums: list[Operand]) -> list[Operand]:
            with self.f.loop(0, whole, width, carried=sums) as loop:
                assert loop.index is not None
                last.stand(loop.index)
                loop.next = self._step_along(variant, loop.carried, width)
            sums = loop.results
            if whole < extent:
                last.stand(whole)
                sums = self._step_along(variant, sums, extent - whole)
            return sums

        if any(walk.extent == 0 for walk in outer):
            return self._zeros(variant)
        sums = nested(self.f, outer, self._zeros(variant), over_last)
        adding = Reducer("reduce_sum", self.dtype)
        return [adding.across(self.f, [each])[0] for each in sums]

    def _step_along(self, variant: Variant, sums: list[Operand], count: int) -> list[Operand]:
        """``count`` products for each of a tile's single results."""
        f, element = self.f, memory_type(self.dtype)
        type_ = vector_type(element, count)
        left = self.form.left
        self.elements.lanes = Lanes(None)
        right, _ = self.elements.place(self.right.home, self.right.line)
        first, _ = self.elements.place(left.home, left.line)
        vector = f.widen(f.load(type_, right), self.width)
        steps = [
            left.line.factor(walk.axis) if walk.axes else 0
            for walk in (self.loops.row_outer, self.loops.row_inner)
        ]
        result = []
        for before, (outer, inner) in zip(sums, self._rows(variant), strict=True):
            address = f.address(first, element, outer * steps[0] + inner * steps[1])
            factor = f.widen(f.load(type_, address), self.width)
            result.append(self._multiply_add(factor, vector, before))
        return result

    def _multiply_add(self, x: Operand, y: Operand, z: Operand) -> Operand:
        if self.dtype.kind == "f":
            return self.f.multiply_add(x, y, z)
        return self.f.binary("add", self.f.binary("mul", x, y), z)

    # -- what follows --------------------------------------------------------------------

    def _finish_tile(self, variant: Variant, sums: list[Operand]) -> None:
        """Pass the results through the equations that follow, and store what others read."""
        with self.f.nothing_before():
            self._finish_rows(variant, sums)

    def _finish_rows(self, variant: Variant, sums: list[Operand]) -> None:
        vectors = self._vectors(variant.columns)
        rows = self._rows(variant)
        if self.is_along or len(rows) * len(vectors) * len(self.group.members) <= 64:
            for place, row in enumerate(rows):
                own = sums[place * len(vectors) : (place + 1) * len(vectors)]
                self._finish_row(variant, integer(row[0]), integer(row[1]), own)
            return
        f, element = self.f, memory_type(self.dtype)
        type_ = vector_type(element, self.width)
        stack = f.stack(element, len(sums) * self.width)
        for number, x in enumerate(sums):
            f.store(x, f.address(stack, element, number * self.width), alignment=64)
        with f.loop(0, variant.outer) as outer, f.loop(0, variant.inner) as inner:
            assert outer.index is not None
            assert inner.index is not None
            number_of_row = f.add(f.multiply(outer.index, variant.inner), inner.index)
            place_on_stack = f.multiply(number_of_row, len(vectors) * self.width)
            start = f.address(stack, element, place_on_stack)
            own = [
                f.load(type_, f.address(start, element, number * self.width), pinned=True)
                for number in range(len(vectors))
            ]
            self._finish_row(variant, outer.index, inner.index, own)

    def _finish_row(
        self, variant: Variant, outer: Operand, inner: Operand, own: Sequence[Operand]
    ) -> None:
        """One row of a tile."""
        f, group, loops = self.f, self.group, self.loops
        walks = (loops.row_outer, loops.row_inner, loops.column)
        before = [walk.axis.operand if walk.axes else None for walk in walks]
        for walk, start, place in zip(walks, before, (outer, inner, None), strict=True):
            if place is not None and start is not None:
                walk.stand(f.add(start, place))
        lane_axis = self._lane_axis()
        for number, (x, count) in enumerate(zip(own, self._vectors(variant.columns), strict=True)):
            self.elements.forget()
            if before[2] is not None:
                loops.column.stand(f.add(before[2], number * self.width))
            for axis, sum_ in zip(group.axes, self.form.output, strict=True):
                axis.operand = self.elements.number(sum_)
            self.elements.lanes = Lanes(lane_axis, self.width, count)
            if lane_axis is None:
                self.elements.lanes = Lanes(None)
                x = f.lane(x, 0)
            self._finish_vector(x)
        for walk, start in zip(walks, before, strict=True):
            if start is not None:
                walk.stand(start)

    def _lane_axis(self) -> Axis | None:
        """The axis of the output that vectors lie along."""
        if not self.loops.column.axes:
            return None
        pairs = zip(self.group.axes, self.form.output, strict=True)
        return next(axis for axis, place in pairs if place.factor(self.loops.column.axis))

    def _finish_vector(self, x: Operand) -> None:
        group = self.group
        self.elements.set(self.value, group.index[self.value], x)
        result = {value.equation: value for value in group.index}
        for equation in group.members[1:]:
            value = result[equation]
            self.elements.compute(equation, value, group.index[value])
        for value in group.stored:
            index = group.index[value]
            stored = self.elements.element(value, index)
            self.elements.store(stored, self.compilation.homes[value], index)

    # -- sums in parts ---------------------------------------------------------------------

    def _is_cut(self) -> bool:
        """Whether the sums are so long, and the results so few, that the sums are cut."""
        loops = self.loops
        if not loops.summed or loops.outer or self.is_along:
            return False
        first = loops.summed[0].extent
        results = self.value.type.size * self.dtype.itemsize
        read = (self.form.left.home.type.size + self.form.right.home.type.size) * (
            self.dtype.itemsize
        )
        cache = self.compilation.machine.level2_bytes
        is_long = loops.sum_length >= 512 and first >= 2
        return is_long and results <= cache // 4 and read > cache // 2

    def _write_in_parts(self, flops: int) -> None:
        """Each task adds up one range of the outermost loop that disappears."""
        f, (first, *others) = self.f, self.loops.summed
        chunk = -(-first.extent // _PARTS)
        parts = -(-first.extent // chunk)
        type_ = TensorType((parts, *self.value.shape), self.dtype)
        home = Home.plain(self.compilation.temporary(type_.size_bytes), type_)
        levels = self._levels()
        with f.loop(self.writer.begin, self.writer.end) as loop:
            assert loop.index is not None
            start = f.multiply(loop.index, chunk)
            stop = f.minimum(f.add(start, chunk), first.extent)
            part = Affine.of(Axis(parts + 1, loop.index)).times(home.strides[0])
            line = part + linear(self.form.output, home.strides[1:])
            if others:
                # Sums grow in memory that fits into the second cache; so does what they read.
                self._clear(home, loop.index)
                with f.loop(start, stop) as round_:
                    assert round_.index is not None
                    first.stand(round_.index)
                    self._over(
                        levels,
                        lambda: self._tiles(
                            lambda variant: self._sums(
                                variant, self._loaded(home, line, variant), others
                            ),
                            lambda variant, sums: self._kept(home, line, variant, sums),
                        ),
                    )
            else:
                self._over(
                    levels,
                    lambda: self._tiles(
                        lambda variant: self._range(variant, start, stop),
                        lambda variant, sums: self._kept(home, line, variant, sums),
                    ),
                )
        self.writer.finish(parts, flops, rate=MULTIPLY_ADDS_PER_SECOND)
        write_end(self.compilation, self.group, self.value, home)

    def _range(self, variant: Variant, start: Operand, stop: Operand) -> list[Operand]:
        (walk,) = self.loops.summed
        with self.f.loop(start, stop, carried=self._zeros(variant)) as loop:
            assert loop.index is not None
            walk.stand(loop.index)
            loop.next = self._step(variant, loop.carried)
        return loop.results

    def _clear(self, home: Home, part: Operand) -> None:
        size = home.strides[0] * self.dtype.itemsize
        start = self.f.address(self.elements.pointers.address(home), "i8",
                               self.f.multiply(part, size))  # fmt: skip
        self.f.clear(start, size)

    def _parts_of(
        self, home: Home, line: Affine, variant: Variant
    ) -> Iterator[tuple[int, Operand, int]]:
        """Number, address and lanes of each vector of a tile, in a part's own results."""
        f, element = self.f, memory_type(self.dtype)
        mapping = [walk.axis if walk.axes else None for walk in self._tile_walks()]
        self.elements.lanes = Lanes(None)
        start, _ = self.elements.place(home, line)
        steps = [0 if axis is None else line.factor(axis) for axis in mapping]
        number = 0
        for outer, inner in self._rows(variant):
            for at, count in enumerate(self._vectors(variant.columns)):
                place = outer * steps[0] + inner * steps[1] + at * self.width * steps[2]
                yield number, f.address(start, element, place), count
                number += 1

    def _tile_walks(self) -> tuple[Walk, Walk, Walk]:
        return self.loops.row_outer, self.loops.row_inner, self.loops.column

    def _loaded(self, home: Home, line: Affine, variant: Variant) -> list[Operand]:
        f, element = self.f, memory_type(self.dtype)
        return [
            f.widen(f.load(vector_type(element, count), address, pinned=True), self.width)
            for _, address, count in self._parts_of(home, line, variant)
        ]

    def _kept(self, home: Home, line: Affine, variant: Variant, sums: list[Operand]) -> None:
        for number, address, count in self._parts_of(home, line, variant):
            self.f.store(self.f.narrow(sums[number], count), address)


@dataclass
class _Level:
    """A loop over tiles.

    Attributes:
        walk: what the tiles cover.
        size: rounds of the walk in each tile.
    """

    walk: Walk
    size: int

    @property
    def count(self) -> int:
        """How many tiles there are."""
        return -(-self.walk.extent // self.size)

    def stand(self, f: Function, number: Operand) -> None:
        """Stand at the first round of a tile."""
        if self.walk.axes:
            self.walk.stand(f.multiply(number, self.size))


def _edges(walk: Walk, size: int) -> list[int]:
    """The sizes that tiles on a walk have: the usual one, and that of the last if it is less."""
    rest = walk.extent % size
    if walk.extent < size:
        return [walk.extent]
    return [size, rest] if rest else [size]


def _substituted(line: Affine, mapping: Mapping[Axis, Affine]) -> Affine:
    """A sum of the output's indices as a sum of the loops' indices."""
    parts = [mapping[axis].times(factor) for axis, factor in line.terms if axis in mapping]
    return total([Affine(line.constant), *parts])


def write_end(compilation: Compilation, group: Group, value: Value, parts: Home) -> None:
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
