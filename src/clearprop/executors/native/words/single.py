"""Primitives that are groups of their own: joining, padding, blocks at computed places.

One table says who writes the kernels of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from clearprop.executors.native.groups import Group
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import VIEWS, Axis, Index, index_of
from clearprop.executors.native.kernels.copies import write_copy
from clearprop.executors.native.kernels.kernel import Compilation
from clearprop.executors.native.kernels.nests import Nest, Store
from clearprop.executors.native.llvm.registers import Operand
from clearprop.executors.native.words.cumulative import write_cumulative
from clearprop.executors.native.words.random_bits import write_random_bits
from clearprop.executors.native.words.scattering import write_additions
from clearprop.executors.native.words.sorting import write_argsort, write_sort, write_top_k
from clearprop.executors.native.words.windows import write_windows
from clearprop.ir.value import Equation, Value

SingleWriter = Callable[[Compilation, Group], None]


def may_overwrite(group: Group, value: Value) -> bool:
    """Whether a group may write its result where its first input lies."""
    equation = group.members[0]
    if equation.primitive.name not in {"dynamic_update", "scatter_add"}:
        return False
    first, *others = equation.inputs
    return first is value and not any(_shows(other, value) for other in others)


def _shows(view: Value, value: Value) -> bool:
    """Whether reading ``view`` reads ``value``."""
    while view is not value:
        if view.equation is None or view.equation.primitive.name not in VIEWS:
            return False
        view = view.equation.inputs[0]
    return True


def result_of(compilation: Compilation, group: Group, number: int = 0) -> Value | None:
    """A result of a single equation; None if nobody reads it."""
    return compilation.grouping.program.results[group.members[0]][number]


def _copy(compilation: Compilation, value: Value, home: Home) -> None:
    grouping = compilation.grouping
    is_below = value not in compilation.homes and not grouping.is_given(value)
    write_copy(compilation, value, home, is_below=is_below)


def _write_concatenate(compilation: Compilation, group: Group) -> None:
    equation = group.members[0]
    value = result_of(compilation, group)
    if value is None:
        return
    for x, part in joined_parts(equation, compilation.homes[value]):
        if compilation.homes.get(x) != part:  # else it was computed there
            _copy(compilation, x, part)


def joined_parts(equation: Equation, home: Home) -> Iterator[tuple[Value, Home]]:
    """What a concatenation joins, and where in the whole each part lies."""
    axis, start = equation.params["axis"], 0
    for x in equation.inputs:
        starts = tuple(start if each == axis else 0 for each in range(len(x.shape)))
        yield x, home.part(starts, (1,) * len(x.shape), x.shape)
        start += x.shape[axis]


def _write_pad(compilation: Compilation, group: Group) -> None:
    equation = group.members[0]
    value = result_of(compilation, group)
    if value is None:
        return
    home, params = compilation.homes[value], equation.params
    x, filler = equation.inputs
    _fill(compilation, filler, home)
    steps = tuple(between + 1 for between in params["interior"])
    _copy(compilation, x, home.part(params["low"], steps, x.shape))


def _fill(compilation: Compilation, number: Value, home: Home) -> None:
    """Append a kernel that puts one number everywhere."""
    if not home.type.size:
        return
    axes = tuple(map(Axis, home.type.shape))
    group = Group("fill", axes, "")
    filled = Value(home.type)
    group.index[filled] = index_of(axes)

    def give(nest: Nest) -> Operand:
        return nest.elements.element(number, ())

    stores = [Store(filled, home, index_of(axes))]
    Nest(compilation, group, stores, given={filled: give}).write()


def _write_dynamic_update(compilation: Compilation, group: Group) -> None:
    equation = group.members[0]
    value = result_of(compilation, group)
    if value is None:
        return
    x, update, *starts = equation.inputs
    home = compilation.homes[value]
    if compilation.homes.get(x) is not home:
        _copy(compilation, x, home)
    if update.type.size:
        axes = tuple(map(Axis, update.shape))
        block = Group("block", axes, "")
        store = Store(update, home, index_of(axes))

        def move(nest: Nest) -> Index:
            return nest.elements.block_places(x.shape, starts, update.shape)

        Nest(compilation, block, [store], moved=move).write()


def _write_scatter_add(compilation: Compilation, group: Group) -> None:
    equation = group.members[0]
    value = result_of(compilation, group)
    if value is None:
        return
    home = compilation.homes[value]
    if compilation.homes.get(equation.inputs[0]) is not home:
        _copy(compilation, equation.inputs[0], home)
    write_additions(compilation, equation, home)


SINGLE_WRITERS: dict[str, SingleWriter] = {
    "concatenate": _write_concatenate,
    "pad": _write_pad,
    "dynamic_update": _write_dynamic_update,
    "scatter_add": _write_scatter_add,
    "cumulative_sum": write_cumulative,
    "cumulative_product": write_cumulative,
    "random_bits": write_random_bits,
    "sort": write_sort,
    "argsort": write_argsort,
    "top_k": write_top_k,
    "window_max": write_windows,
    "window_argmax": write_windows,
    "window_gather": write_windows,
    "window_scatter": write_windows,
    "window_sum": write_windows,
    "window_spread": write_windows,
}
