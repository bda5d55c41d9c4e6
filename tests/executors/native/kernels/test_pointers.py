"""Which part of an array belongs to each task of a kernel."""

from __future__ import annotations

import pytest

from clearprop.executors.native.homes import Buffer, Home, Stripe
from clearprop.executors.native.kernels.affine import Affine, Axis, linear
from clearprop.executors.native.kernels.pointers import Pointers
from clearprop.executors.native.llvm.machine import this_machine
from clearprop.executors.native.llvm.module import Module
from clearprop.executors.native.llvm.writer import Function
from clearprop.ir.types import TensorType

ROWS, COLUMNS = 4, 6


def span(
    strides: tuple[int, int], cut: dict[str, int], *, rows: int = ROWS, first: int = 0
) -> Stripe | None:
    """What tasks have of an array of floats that is read element by element.

    Args:
        strides: of its rows and columns, in elements.
        cut: of which axis a task has how many places.
        rows: how many there are.
        first: of the columns.
    """
    pointers = Pointers(Function(Module(this_machine()), []), {})
    home = Home(Buffer("arena", 4096), TensorType((rows, COLUMNS)), 0, strides)
    axes = {"rows": Axis(rows), "columns": Axis(COLUMNS)}
    index = (Affine.of(axes["rows"]), Affine.of(axes["columns"]).plus(first))
    pointers.note(home, linear(index, strides))
    return pointers.span(home, {axes[name]: places for name, places in cut.items()})


@pytest.mark.parametrize("rows", [ROWS, 5])  # 5: the last task has fewer
def test_rows_of_a_task_lie_in_one_stretch(rows: int) -> None:
    assert span((6, 1), {"rows": 3}, rows=rows) == Stripe(3 * 6 * 4)


def test_columns_of_a_task_lie_in_a_stripe_of_each_row() -> None:
    assert span((6, 1), {"columns": 3}) == Stripe(3 * 4, 6 * 4)
    assert span((12, 1), {"columns": 3}) == Stripe(3 * 4, 6 * 4)  # others' stripes between them


@pytest.mark.parametrize(
    ("strides", "first"),
    [
        ((7, 1), 0),  # the second row begins where the second task would have it
        ((4, 1), 0),  # rows overlap
        ((6, 1), 1),  # the last place of a task is the first of the next one's stripe
        ((6, -1), 5),  # columns go backwards
    ],
)
def test_otherwise_tasks_are_not_kept_apart(strides: tuple[int, int], first: int) -> None:
    assert span(strides, {"columns": 3}, first=first) is None
