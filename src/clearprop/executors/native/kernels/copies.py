"""Copies: what is stored a second time, in another place or another order."""

from __future__ import annotations

from dataclasses import replace

from clearprop.executors.native.grouping import Grouping
from clearprop.executors.native.groups import Group
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Axis, index_of
from clearprop.executors.native.kernels.kernel import (
    Compilation,
)
from clearprop.executors.native.kernels.nests import Nest, Store
from clearprop.ir.program import Program
from clearprop.ir.value import Value


def write_copy(compilation: Compilation, value: Value, home: Home, *, is_below: bool) -> None:
    """Append a kernel that copies a value to a home.

    Args:
        compilation: where to.
        value: what.
        home: where to.
        is_below: whether ``home`` is the value's own, so that it is computed from its inputs.
    """
    if not value.type.size:
        return
    axes = tuple(map(Axis, value.shape))
    group = Group("copy", axes, "")
    if not is_below:
        Nest(compilation, group, [Store(value, home, index_of(axes))]).write()
        return
    Nest(compilation, group, [Store(value, home, index_of(axes))], below=value).write()


def write_move(compilation: Compilation, value: Value, source: Home, target: Home) -> None:
    """Append a kernel that copies a value from one home to another."""
    if source.type.size:
        moved, samples = Value(source.type), compilation.samples
        if samples is not None and value in samples.values:
            samples = samples._replace(values={moved})
        inner = replace(
            compilation,
            homes={moved: source},
            grouping=Grouping(Program([moved], [], [])),
            samples=samples,
        )
        write_copy(inner, moved, target, is_below=False)
