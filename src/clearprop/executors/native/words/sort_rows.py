"""A row that is to be sorted, and where its order goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from clearprop.dtypes import I64
from clearprop.executors.native.groups import Read
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Affine, Axis, Index, linear
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.kernel import Compilation, KernelWriter, Walk, walks_over
from clearprop.executors.native.llvm.registers import Operand, integer
from clearprop.executors.native.words.operands import operand_home
from clearprop.executors.native.words.sort_keys import write_key
from clearprop.ir.value import Equation


class Rows:
    """Loops over rows, and the elements of the row at which they stand.

    Args:
        compilation: knows where the input lies.
        writer: the kernel.
        equation: ``sort``, ``argsort`` or ``top_k``.
        values: where the sorted numbers go, if anybody wants them.
        order: where their indices go, if anybody wants them.

    Attributes:
        walks: the loops.
        length: of a row.
        wanted: how many of its sorted elements are wanted, the first ones.
        descending: whether the greatest is the first.
    """

    def __init__(
        self,
        compilation: Compilation,
        writer: KernelWriter,
        equation: Equation,
        values: Home | None,
        order: Home | None,
    ) -> None:
        self.f, self.elements = writer.function, writer.elements
        (self.x,) = equation.inputs
        self.dtype, self.values, self.order = self.x.dtype, values, order
        self._home = operand_home(compilation, self.x)
        self.descending = equation.primitive.name == "top_k"
        axis = len(self.x.shape) - 1 if self.descending else equation.params["axis"]
        axes = [Axis(size) for size in self.x.shape]
        self.length, self.wanted = self.x.shape[axis], equation.types[0].shape[axis]
        self._along, self._target = axes[axis], Axis(self.wanted)
        before, after = axes[:axis], axes[axis + 1 :]
        self._from = _index(before, self._along, after)
        self._to = _index(before, self._target, after)
        lines = [linear(self._from, self._home.strides)]
        lines += [linear(self._to, home.strides) for home in (values, order) if home]
        self.walks: list[Walk] = walks_over([*before, *after], lines)

    # -- elements ----------------------------------------------------------------------------

    def load(self, place: Operand, width: int = 1) -> Operand:
        """Some neighbouring numbers of the row.

        Args:
            place: of the first.
            width: how many.
        """
        self._stand(self._along, place, width)
        x = self.elements.load(self._home, Read(self.x, self._from))
        return self.f.splat(x, width)  # a broadcast row is one number

    def key(self, x: Operand) -> Operand:
        """The keys of some numbers of the row: the least is to be the first."""
        return write_key(self.f, x, self.dtype, descending=self.descending)

    def put_value(self, x: Operand, place: Operand, width: int = 1) -> None:
        """Put some sorted numbers where they are wanted."""
        if self.values is not None:
            self._stand(self._target, place, width)
            self.elements.store(x, self.values, self._to)

    def put_index(self, x: Operand, place: Operand, width: int = 1) -> None:
        """Put the indices of some sorted numbers, i64, where they are wanted."""
        if self.order is not None:
            assert self.order.type.dtype == I64
            self._stand(self._target, place, width)
            self.elements.store(x, self.order, self._to)

    def _stand(self, axis: Axis, place: Operand, width: int) -> None:
        axis.operand = place
        self.elements.lanes = Lanes(axis, width, width) if width > 1 else Lanes(None)

    def over(self, extent: int, lanes: int, body: Callable[[Operand, int], None]) -> None:
        """Write ``body`` for all places up to ``extent``, as many at once as fit."""
        for start, stop, width in spans(extent, lanes):
            if stop - start == width:
                body(integer(start), width)
                continue
            with self.f.loop(start, stop, width) as loop:
                assert loop.index is not None
                body(loop.index, width)


def _index(before: list[Axis], along: Axis, after: list[Axis]) -> Index:
    # A place that is computed is a place even on an axis of length 1.
    place = Affine(0, ((along, 1),))
    return (*map(Affine.of, before), place, *map(Affine.of, after))


def spans(extent: int, lanes: int) -> Iterator[tuple[int, int, int]]:
    """All places up to ``extent``: (first, after the last, width of the vectors)."""
    start = 0
    while start < extent:
        while start + lanes > extent:
            lanes //= 2
        stop = start + (extent - start) // lanes * lanes
        yield start, stop, lanes
        start = stop
