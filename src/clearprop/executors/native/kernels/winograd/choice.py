"""Which contractions are written Winograd's way."""

from __future__ import annotations

from clearprop.executors.native.groups import Group
from clearprop.executors.native.kernels.kernel import Compilation
from clearprop.executors.native.kernels.sums import SumOfProducts
from clearprop.executors.native.kernels.winograd.blocks import choose_blocks, choose_sum_blocks
from clearprop.executors.native.kernels.winograd.convolution import Winograd
from clearprop.executors.native.kernels.winograd.kernel_gradient import WinogradSum
from clearprop.executors.native.kernels.winograd.windows import (
    windows_added_up,
    windows_that_add_up,
)


def winograd_writer(
    compilation: Compilation, group: Group, form: SumOfProducts
) -> Winograd | WinogradSum | None:
    """What writes a contraction Winograd's way; None where that cannot be, or does not pay."""
    machine, size = compilation.machine, form.left.home.type.dtype.itemsize
    windows = windows_that_add_up(form)
    if windows is not None:
        blocks = choose_blocks(machine, windows, size)
        return Winograd(compilation, group, form, windows, blocks) if blocks else None
    windows = windows_added_up(form)
    if windows is not None:
        sums = choose_sum_blocks(machine, windows, size)
        return WinogradSum(compilation, group, form, windows, sums) if sums else None
    return None
