"""The kernel of a convolution, transformed and laid out for the products of its squares."""

from __future__ import annotations

from clearprop.executors.native.kernels.affine import Affine, Axis
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.kernel import Compilation, KernelWriter, task_count
from clearprop.executors.native.kernels.sums import Side
from clearprop.executors.native.kernels.winograd.planes import planes_bytes, planes_in
from clearprop.executors.native.kernels.winograd.transforms import KERNEL, PLACES, transformed
from clearprop.executors.native.kernels.winograd.windows import Windows
from clearprop.executors.native.llvm.registers import Operand, constant, integer, vector_type
from clearprop.executors.native.mathematics.elementwise import memory_type


class TransformedKernel:
    """A kernel of 3 x 3, transformed, in panels.

    Args:
        compilation: where what makes it goes.
        kernel: the weights.
        windows: of the convolution.
        column: the loop over columns, those included that fill up the last panel with zeros.
        panel: columns of a panel.

    Attributes:
        side: where it lies, at the first place of a square.
        step: elements from place to place.
    """

    def __init__(
        self, compilation: Compilation, kernel: Side, windows: Windows, column: Axis, panel: int
    ) -> None:
        self._compilation, self._kernel, self._windows = compilation, kernel, windows
        self._column, self._panel = column, panel
        self._channels, dtype = windows.channel.extent, kernel.home.type.dtype
        shape = column.extent // panel, self._channels, panel
        self._lasts = kernel.home.buffer in compilation.lasting
        memory = compilation.temporary(planes_bytes(shape, dtype), lasts=self._lasts)
        channel = Affine.of(windows.channel).times(panel)
        line = channel + Affine.of(column).times(self._channels)
        self.side = Side(planes_in(memory, shape, dtype), line)
        self.step = self.side.home.strides[0]
        self._element = memory_type(dtype)
        # Single numbers where columns do not lie side by side: far less code, and little work
        # beside that of the products.
        is_along = kernel.line.factor(windows.column) == 1
        self._width = compilation.machine.lanes(dtype.itemsize) if is_along else 1

    def write(self) -> None:
        """Append the kernel that makes it; in a loop, that of weights that last runs before it."""
        writer = KernelWriter(self._compilation, "kernel (Winograd)")
        self._f, self._elements = writer.function, writer.elements
        f, windows, channels = self._f, self._windows, self._channels
        for tap in windows.taps:
            tap.operand = integer(0)
        work = 4 * self.side.home.type.size
        rows = -(-channels // task_count(channels, work))
        with f.loop(writer.begin, writer.end) as loop:
            assert loop.index is not None
            first = f.multiply(loop.index, rows)
            with f.loop(first, f.minimum(f.add(first, rows), channels)) as inner:
                windows.channel.operand = inner.index
                self._row()
        writer.finish(-(-channels // rows), work, is_before=self._lasts)

    def _row(self) -> None:
        """All columns of one channel."""
        windows, panel = self._windows, self._panel
        extent = windows.column.extent
        whole = extent // panel * panel
        if whole:
            with self._f.loop(0, whole, panel) as panels:
                windows.column.operand = self._column.operand = panels.index
                self._one_panel(panel)
        if whole < extent:
            windows.column.operand = self._column.operand = integer(whole)
            self._one_panel(extent - whole)

    def _one_panel(self, count: int) -> None:
        """A panel of which so many columns are there."""
        f, width = self._f, self._width
        whole, filled = count // width * width, -(-count // width) * width
        if whole:
            with f.loop(0, whole, width) as loop:
                assert loop.index is not None
                self._columns(loop.index, width)
        if whole < count:
            self._columns(integer(whole), count - whole)
        if filled < self._panel:
            with f.loop(filled, self._panel, width) as loop:
                assert loop.index is not None
                self._columns(loop.index, 0)

    def _columns(self, at: Operand, count: int) -> None:
        """So many columns of a panel, the first of them ``at``; zeros where there are none."""
        f, element, line = self._f, self._element, self._kernel.line
        steps = [line.factor(axis) for axis in self._windows.taps]
        self._elements.lanes = Lanes(None)
        source, _ = self._elements.place(self._kernel.home, line)
        target, _ = self._elements.place(self.side.home, self.side.line)
        source = f.address(source, element, f.multiply(at, line.factor(self._windows.column)))
        target = f.address(target, element, at)

        def number(row: int, place: int) -> Operand:
            start = f.address(source, element, row * steps[0] + place * steps[1])
            return f.load_first(element, start, count, self._width)

        zeros = [constant(vector_type(element, self._width), 0)] * PLACES
        for place, x in enumerate(transformed(f, KERNEL, number) if count else zeros):
            f.store(x, f.address(target, element, place * self.step))
