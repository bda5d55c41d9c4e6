"""What primitives with kernels of their own read and write, as arrays in memory."""

from __future__ import annotations

from clearprop.executors.native.groups import Group
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Axis, index_of, linear
from clearprop.executors.native.kernels.kernel import Compilation
from clearprop.ir.value import Value


def operand_home(compilation: Compilation, value: Value) -> Home:
    """Where an input of a single equation lies, seen through its views.

    Args:
        compilation: knows what lies where.
        value: the input: any value, also a reversed, broadcast or transposed one.

    Returns:
        A home of the input's own shape, with the strides that its views give it.
    """
    axes = tuple(map(Axis, value.shape))
    read = compilation.grouping.look(value, index_of(axes))
    assert read.index is not None, "the planner copies what cannot be read in place"
    home = compilation.homes[read.value]
    line = linear(read.index, home.strides)
    strides = tuple(map(line.factor, axes))
    return Home(home.buffer, value.type, home.offset + line.constant, strides)


def result_home(compilation: Compilation, group: Group, number: int = 0) -> Home | None:
    """Where a result of a single equation goes; None where nobody reads it, or it is empty."""
    value = compilation.grouping.program.results[group.members[0]][number]
    if value is None or not value.type.size:
        return None
    return compilation.homes.get(value)
