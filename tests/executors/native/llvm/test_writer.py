"""Loops count products of their index on, and parts of vectors are loaded and stored alone."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from clearprop.executors.native.llvm.code import Code, object_code
from clearprop.executors.native.llvm.machine import Machine, this_machine
from clearprop.executors.native.llvm.module import Module
from clearprop.executors.native.llvm.registers import integer
from clearprop.executors.native.llvm.writer import Function
from tests.support.native_kernels import machines, width_name


def compiled(function: Function, machine: Machine) -> Code:
    """The function in machine code, as ``f``."""
    module = function.module
    name = module.add(function, "f")
    assert name == "f"
    return Code(object_code(module.text(), machine), ("f",))


def test_products_of_an_index_are_right_wherever_the_loop_begins() -> None:
    machine = this_machine()
    f = Function(Module(machine), [("i64", "start"), ("i64", "stop")], "i64", exported=True)
    start, stop = f.parameters
    with f.loop(start, stop, carried=[integer(0)]) as rows:
        assert rows.index is not None
        row = f.multiply(rows.index, 100)  # in a loop that has another one inside
        with f.loop(rows.index, stop, 2, carried=rows.carried) as loop:
            assert loop.index is not None
            later = f.multiply(f.add(f.add(loop.index, 3), 4), -5)  # (index + 7) * -5
            both = f.add(f.multiply(loop.index, 9), later)
            loop.next = [f.add(f.add(loop.carried[0], both), row)]
        rows.next = loop.results
    f.finish(rows.results[0])
    text = f.text()
    assert text.count(" = mul i64") == 3  # the row; what products of the inner index begin with
    code = compiled(f, machine)
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(code.address("f"))
    for first, last in ((0, 10), (3, 4), (5, 5), (-2, 9)):
        wanted = sum(
            9 * index - 5 * (index + 7) + 100 * row
            for row in range(first, last)
            for index in range(row, last, 2)
        )
        assert call(first, last) == wanted


def test_a_known_number_is_added_to_the_address_itself() -> None:
    f = Function(Module(this_machine()), [("ptr", "p"), ("i64", "i")], exported=True)
    address, index = f.parameters
    one = f.load("float", f.address(address, "float", f.add(index, 3)))
    other = f.load("float", f.address(f.address(address, "float", index), "float", 3))
    assert one.text == other.text  # the same place is read once


@pytest.mark.parametrize("machine", machines(), ids=width_name)
@pytest.mark.parametrize(("element", "dtype"), [("float", "f4"), ("double", "f8"), ("i16", "i2")])
def test_only_the_lanes_that_are_there_are_touched(
    element: str, dtype: str, machine: Machine
) -> None:
    lanes = machine.vector_bytes // np.dtype(dtype).itemsize
    for count in range(1, lanes + 1):
        f = Function(Module(machine), [("ptr", "a"), ("ptr", "b"), ("ptr", "c")], exported=True)
        source, part, whole = f.parameters
        x = f.load_first(element, source, count, lanes)
        f.store_first(x, part, count)
        f.store(x, whole)
        f.finish()
        code = compiled(f, machine)
        given = np.arange(1, lanes + 1).astype(dtype)
        arrays = [given, np.full(lanes, 77, dtype), np.full(lanes, 77, dtype)]
        call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3)(code.address("f"))
        call(*(array.ctypes.data for array in arrays))
        np.testing.assert_array_equal(arrays[1], [*given[:count], *[77] * (lanes - count)])
        np.testing.assert_array_equal(arrays[2], [*given[:count], *[0] * (lanes - count)])
