"""The kernel of a convolution, transformed and laid out for the products of its squares."""

from __future__ import annotations

from clearprop.executors.native.kernels.affine import Affine, Axis, total
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.kernel import Compilation, KernelWriter, task_count
from clearprop.executors.native.kernels.sums import Side
from clearprop.executors.native.kernels.winograd.planes import planes_bytes, planes_in
from clearprop.executors.native.kernels.winograd.transforms import KERNEL, PLACES, transformed
from clearprop.executors.native.kernels.winograd.windows import Windows
from clearprop.executors.native.llvm.registers import Operand, constant, integer, vector_type
from clearprop.executors.native.mathematics.elementwise import memory_type


def transformed_kernel(
    compilation: Compilation, kernel: Side, windows: Windows, column: Axis, panel: int
) -> tuple[Side, int]:
    """The transformed kernel in panels; appends the kernel that makes it.

    In a loop, that of weights that last is made once, before it.

    Args:
        compilation: where the kernel goes.
        kernel: the weights.
        windows: of the convolution.
        column: the loop over columns, those included that fill up the last panel with zeros.
        panel: columns of a panel.

    Returns:
        Where it lies, at the first place of a square, and elements from place to place.
    """
    channels, extent, dtype = windows.channel.extent, windows.column.extent, kernel.home.type.dtype
    shape = column.extent // panel, channels, panel
    lasts = kernel.home.buffer in compilation.lasting
    size = planes_bytes(shape, dtype)
    home = planes_in(compilation.temporary(size, lasts=lasts), shape, dtype)
    line = total([Affine.of(windows.channel).times(panel), Affine.of(column).times(channels)])
    writer = KernelWriter(compilation, "kernel (Winograd)")
    f, elements, element = writer.function, writer.elements, memory_type(dtype)
    steps = [kernel.line.factor(axis) for axis in windows.taps]
    stride = kernel.line.factor(windows.column)
    # Single numbers where columns do not lie side by side: far less code, and little work beside
    # that of the products.
    width = compilation.machine.lanes(dtype.itemsize) if stride == 1 else 1
    for tap in windows.taps:
        tap.operand = integer(0)

    def columns(at: Operand, count: int) -> None:
        """So many columns of a panel, the first of them ``at``; zeros where there are none."""
        elements.lanes = Lanes(None)
        source, _ = elements.place(kernel.home, kernel.line)
        target, _ = elements.place(home, line)
        source = f.address(source, element, f.multiply(at, stride))
        target = f.address(target, element, at)

        def number(row: int, place: int) -> Operand:
            start = f.address(source, element, row * steps[0] + place * steps[1])
            return f.load_first(element, start, count, width)

        results = [constant(vector_type(element, width), 0)] * PLACES
        for place, x in enumerate(transformed(f, KERNEL, number) if count else results):
            f.store(x, f.address(target, element, place * home.strides[0]))

    def one_panel(count: int) -> None:
        """A panel of which so many columns are there."""
        whole = count // width * width
        if whole:
            with f.loop(0, whole, width) as loop:
                assert loop.index is not None
                columns(loop.index, width)
        if whole < count:
            columns(integer(whole), count - whole)
        filled = -(-count // width) * width
        if filled < panel:
            with f.loop(filled, panel, width) as loop:
                assert loop.index is not None
                columns(loop.index, 0)

    whole, work = extent // panel * panel, 4 * home.type.size
    rows = -(-channels // task_count(channels, work))
    with f.loop(writer.begin, writer.end) as loop:
        assert loop.index is not None
        first = f.multiply(loop.index, rows)
        with f.loop(first, f.minimum(f.add(first, rows), channels)) as inner:
            windows.channel.operand = inner.index
            if whole:
                with f.loop(0, whole, panel) as panels:
                    windows.column.operand = column.operand = panels.index
                    one_panel(panel)
            if whole < extent:
                windows.column.operand = column.operand = integer(whole)
                one_panel(extent - whole)
    writer.finish(-(-channels // rows), work, is_before=lasts)
    return Side(home, line), home.strides[0]
