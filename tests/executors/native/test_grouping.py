"""What is stored for a contraction to read."""

from __future__ import annotations

import pytest

from clearprop.dtypes import I64
from clearprop.executors.native.grouping import Grouping
from clearprop.ir.program import Program
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Value
from clearprop.primitives import broadcast_to, dot_general, gather, slice_


@pytest.mark.parametrize("shown", ["once", "twice", "in part"])
def test_gathered_rows_are_stored_once_and_no_more_than_are_read(shown: str) -> None:
    data, rows = Value(TensorType((20, 6))), Value(TensorType((8,), I64))
    w = Value(TensorType((2, 6, 3)) if shown == "twice" else TensorType((6, 3)))
    x = gather(data, rows, axis=0)
    contract, batch, stored = ((1,), (0,)), ((), ()), (8, 6)
    if shown == "twice":
        x = broadcast_to(x, shape=(2, 8, 6), new_axes=(0,))
        contract, batch = ((2,), (1,)), ((0,), (0,))
    if shown == "in part":
        x = slice_(x, starts=(2, 0), stops=(6, 6), strides=(1, 1))
        stored = (4, 6)
    output = dot_general(x, w, contract=contract, batch=batch)
    grouping = Grouping(Program.under([output], [data, rows, w]))
    copies: list[Shape] = [
        value.shape for group in grouping.groups if group.kind == "copy" for value in group.stored
    ]
    assert copies == [stored]
