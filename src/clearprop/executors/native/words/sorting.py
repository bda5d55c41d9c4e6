"""Sorting: short rows in registers, long ones by the digits of their keys."""

from __future__ import annotations

from clearprop.dtypes import U8
from clearprop.executors.native.groups import Group
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.kernel import Compilation, KernelWriter, nested, task_count
from clearprop.executors.native.llvm.registers import Operand
from clearprop.executors.native.words.networks import longest_in_network, write_network
from clearprop.executors.native.words.operands import result_home
from clearprop.executors.native.words.radix import Radix
from clearprop.executors.native.words.ranks import longest_ranked, write_ranked
from clearprop.executors.native.words.sort_rows import Rows
from clearprop.ir.types import TensorType

_WORK = 16  # elementary operations for each number, roughly
_MOST_SCRATCH_BYTES = 1 << 26


def write_sort(compilation: Compilation, group: Group) -> None:
    """Append the kernel of a ``sort``."""
    _write(compilation, group, result_home(compilation, group), None)


def write_argsort(compilation: Compilation, group: Group) -> None:
    """Append the kernel of an ``argsort``."""
    _write(compilation, group, None, result_home(compilation, group))


def write_top_k(compilation: Compilation, group: Group) -> None:
    """Append the kernel of a ``top_k``."""
    values, order = (result_home(compilation, group, number) for number in range(2))
    _write(compilation, group, values, order)


def _write(compilation: Compilation, group: Group, values: Home | None, order: Home | None) -> None:
    equation = group.members[0]
    if values is None and order is None:
        return
    machine, dtype = compilation.machine, equation.inputs[0].dtype
    writer = KernelWriter(compilation, equation.primitive.name)
    f, rows = writer.function, Rows(compilation, writer, equation, values, order)
    numbers = equation.inputs[0].type.size
    work = numbers * _WORK
    only_values = order is None and not rows.descending
    fits = only_values and rows.length <= longest_in_network(machine, dtype.itemsize, numbers)
    is_short = fits or rows.length <= longest_ranked(machine, dtype.itemsize)
    radix = None if is_short else Radix(rows, machine.lanes(max(dtype.itemsize, 4)))
    extent = rows.walks[0].extent if rows.walks else 1
    wanted = task_count(extent, work)
    if radix is not None:
        wanted = max(1, min(wanted, _MOST_SCRATCH_BYTES // radix.size_bytes))
    chunk = -(-extent // wanted)
    tasks = -(-extent // chunk)
    scratch_home = None
    if radix is not None:
        size = radix.size_bytes * tasks
        scratch_home = Home.plain(compilation.temporary(size), TensorType((size,), U8))

    with f.loop(writer.begin, writer.end) as task:
        assert task.index is not None
        scratch: Operand | None = None
        if radix is not None and scratch_home is not None:
            base = writer.pointers.address(scratch_home)
            scratch = f.address(base, "i8", f.multiply(task.index, radix.size_bytes))

        def row(carried: list[Operand]) -> list[Operand]:
            if radix is not None and scratch is not None:
                radix.write(scratch)
            elif fits:
                write_network(rows, machine)
            else:
                write_ranked(rows, machine)
            return carried

        if not rows.walks:
            row([])
        else:
            start = f.multiply(task.index, chunk)
            with f.loop(start, f.minimum(f.add(start, chunk), extent)) as loop:
                assert loop.index is not None
                rows.walks[0].stand(loop.index)
                nested(f, rows.walks[1:], [], row)
    writer.finish(tasks, work)
