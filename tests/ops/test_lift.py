"""How plain numbers, element types and shapes meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from clearprop import ops
from clearprop.errors import ArgumentError, DTypeError, ShapeError
from clearprop.ir.value import Value, leaf_class, set_leaf_class
from clearprop.ops.lift import broadcast, lift, meet, promote
from clearprop.settings import settings
from tests.ops.checks import exactly, numbers


@pytest.fixture
def wide() -> Iterator[None]:
    settings.dtype = "float64"
    yield
    settings.dtype = "float32"


class Special(Value):
    """A class of values that is more special than Value."""


def array(dtype: str) -> np.ndarray[Any, Any]:
    return np.ones(2, dtype)


@pytest.mark.parametrize(
    ("plain", "other", "dtype"),
    [
        (2, array("f4"), "f4"),
        (2, array("f8"), "f8"),
        (2, array("u1"), "u1"),
        (2, array("?"), "i8"),
        (2.5, array("f8"), "f8"),
        (2.5, array("i4"), "f4"),
        (2.5, array("?"), "f4"),
        (True, array("i2"), "i2"),
        (True, array("f4"), "f4"),
        (True, array("?"), "?"),
        ([1, 2], array("f4"), "f4"),
        ([1.5, 2], array("i8"), "f4"),
        ([[1], [2]], array("u1"), "u1"),
        (2.5, 1, "f4"),
        (2, 1, "i8"),
        (True, 1, "i8"),
        (True, False, "?"),
        (np.float64(2.5), array("f4"), "f8"),
        (np.float32(2.5), array("f8"), "f8"),
        (np.int8(2), array("i4"), "i4"),
        (np.array(2.5), array("f4"), "f8"),
        ([np.float64(2.5)], array("f4"), "f8"),
    ],
)
def test_plain_numbers_take_the_type_of_the_arrays_they_meet(
    plain: Any, other: Any, dtype: str
) -> None:
    for args in ((plain, other), (other, plain)):
        assert [value.dtype for value in promote(*lift(*args))] == [np.dtype(dtype)] * 2


def test_python_floats_alone_are_of_the_default_type(wide: None) -> None:
    assert lift(1.5)[0].dtype == np.float64
    assert lift([1.5, 2])[0].dtype == np.float64
    assert promote(*lift(np.ones(2, np.int32), 0.1))[1].dtype == np.float64
    assert lift(np.ones(2, np.float32), 0.1)[1].dtype == np.float32


def test_python_floats_reach_float64_arrays_unrounded() -> None:
    exactly(ops.add(np.zeros(2), 0.1), np.array([0.1, 0.1]))
    exactly(ops.add(np.zeros(2), [0.1, 0.2]), np.array([0.1, 0.2]))


def test_arrays_are_fixed_when_the_line_ran() -> None:
    mine = np.array([1.0, 2.0])
    view = mine[:]
    view.flags.writeable = False  # nobody writes through it, but somebody may through `mine`
    doubled, added = ops.multiply(mine, 2), ops.add(view, 0)
    mine[0] = 100
    exactly(doubled, np.array([2.0, 4.0]))
    exactly(added, np.array([1.0, 2.0]))


def test_read_only_arrays_are_not_copied() -> None:
    mine = np.arange(3.0)
    mine.flags.writeable = False
    assert lift(mine)[0].array is not None
    assert np.shares_memory(lift(mine)[0].array, mine)


def test_leaves_are_read_only() -> None:
    for value in lift(np.ones(2), 1.0, [1, 2], np.float32(1)):
        assert value.array is not None
        assert not value.array.flags.writeable


def test_other_byte_orders_become_native() -> None:
    exactly(lift(np.array([1, 2], ">i4"))[0], np.array([1, 2], np.int32))


def test_objects_that_numpy_can_read_are_arrays() -> None:
    class Column:
        def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray[Any, Any]:
            return np.array([1.0, 2.0])

    exactly(ops.add(Column(), 1), np.array([2.0, 3.0]))


def test_new_leaves_are_of_the_most_special_class_they_meet() -> None:
    special, plain = Special.leaf(np.ones(2)), Value.leaf(np.ones(2))
    assert type(lift(plain, 1.0)[1]) is Value
    assert type(lift(plain, special, 1.0)[2]) is Special
    assert type(ops.add(plain, special)) is Special
    assert type(ops.zeros_like(special)) is Special


def test_leaves_of_nothing_but_numbers_are_of_the_chosen_class() -> None:
    before = leaf_class()
    try:
        set_leaf_class(Special)
        assert type(ops.add(1, 2)) is Special
        assert type(ops.zeros((2,))) is Special
    finally:
        set_leaf_class(before)


MIXED: dict[str, Callable[[Value], Value]] = {  # a Value beside plain numbers in every place
    "add": lambda v: ops.add([1.0], v),
    "where condition": lambda v: ops.where(v, 1.0, 2.0),
    "where x": lambda v: ops.where([True], v, 2.0),
    "clip": lambda v: ops.clip(1.0, v, 3.0),
    "take": lambda v: ops.take([1.0, 2.0], ops.cast(v, "int32")),
    "take_along_axis": lambda v: ops.take_along_axis([1.0, 2.0], ops.cast(v, "int32"), 0),
    "index": lambda v: ops.index([1.0, 2.0], (ops.cast(v, "int32"), None)),
    "scatter_add": lambda v: ops.scatter_add([1.0, 2.0], ops.cast(v, "int32"), 1.0),
    "segment_sum": lambda v: ops.segment_sum([1.0], ops.cast(v, "int32"), 2),
    "pad": lambda v: ops.pad([1.0], 1, constant_values=ops.sum(v)),
    "stack": lambda v: ops.stack([v, [1.0]]),
    "matmul": lambda v: ops.matmul([1.0], v),
    "einsum": lambda v: ops.einsum("i,i", [1.0], v),
    "full_like": lambda v: ops.full_like([1.0], v),
    "bernoulli": lambda v: ops.bernoulli(1, 2, (3,), v),
    "logical_and": lambda v: ops.logical_and([True], v),
}


@pytest.mark.parametrize("name", MIXED)
def test_plain_numbers_beside_a_value_are_of_its_class(name: str) -> None:
    before = leaf_class()
    try:
        set_leaf_class(Special)
        value = MIXED[name](Value.leaf(np.ones(1, np.float32)))
    finally:
        set_leaf_class(before)
    assert type(value) is Value
    waiting = [value]
    while waiting:
        value = waiting.pop()
        assert type(value) is Value
        waiting += value.equation.inputs if value.equation else ()


# -- what cannot be read ---------------------------------------------------------------------


def message(error: pytest.ExceptionInfo[Any]) -> str:
    """The error's text without its last line, which names this file."""
    assert f"at:     {__file__}:" in str(error.value)
    return str(error.value).rpartition("\n")[0]


def test_text_is_refused_with_advice() -> None:
    with pytest.raises(DTypeError) as error:
        ops.add(["red", "green"], 1)
    assert message(error) == (
        "Reading numbers: there is no element type for text\n"
        "  found:  ['red', 'green']\n"
        "  needed: numbers: float32, float64, int8, int16, int32, int64, uint8, uint16, uint32, "
        "uint64, bool\n"
        "  try:    encode text as whole numbers, one for each word or category"
    )


@pytest.mark.parametrize(
    ("plain", "word"),
    [
        (None, "objects"),
        ([1, None], "objects"),
        (2**64, "objects"),
        (1j, "complex"),
        (np.ones(2, np.float16), "float16"),
        (np.array(["2020-01-01"], "M8[D]"), "dates"),
    ],
)
def test_what_is_no_number_is_refused(plain: Any, word: str) -> None:
    with pytest.raises(DTypeError, match=word):
        ops.exp(plain)


def test_rows_of_different_lengths_are_refused() -> None:
    with pytest.raises(ShapeError) as error:
        ops.exp([[1.0, 2.0], [3.0]])
    assert message(error) == (
        "Reading numbers: the rows of a list have different lengths\n"
        "  found:  [[1.0, 2.0], [3.0]]\n"
        "  needed: rows of equal length\n"
        "  try:    pad the shorter rows"
    )


def test_a_list_of_values_is_refused_with_advice() -> None:
    with pytest.raises(DTypeError, match=r"stack\(\[...\]\)"):
        ops.exp([[Value.leaf(np.ones(2))], [1.0]])


def test_a_python_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ArgumentError) as error:
        ops.add(np.ones(2, np.uint8), 300)
    assert message(error) == (
        "Giving a Python number the type of its array: it does not fit into uint8\n"
        "  found:  300\n"
        "  needed: 0 to 255\n"
        '  try:    make the array wider first: cast(x, "int64")'
    )
    with pytest.raises(ArgumentError, match="int64"):
        ops.negative(2**63)


def test_a_number_beyond_float32_is_infinite() -> None:
    exactly(ops.add(np.zeros((), np.float32), 1e300), np.float32(np.inf))


# -- shapes -------------------------------------------------------------------------------------


@given(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=4, max_side=3, min_side=0))
def test_broadcasting_is_numpys(shapes: hnp.BroadcastableShapes) -> None:
    arrays = [np.arange(np.prod(s), dtype=float).reshape(s) for s in shapes.input_shapes]
    for value, wanted in zip(broadcast(*lift(*arrays)), np.broadcast_arrays(*arrays), strict=True):
        exactly(value, wanted)


@given(st.data())
def test_shapes_that_do_not_fit_are_refused_where_numpy_refuses_them(data: st.DataObject) -> None:
    first, second = (data.draw(hnp.array_shapes(min_dims=0, max_side=3)) for _ in range(2))
    try:
        wanted = np.broadcast_shapes(first, second)
    except ValueError:
        with pytest.raises(ShapeError):
            ops.add(np.ones(first), np.ones(second))
    else:
        assert ops.add(np.ones(first), np.ones(second)).shape == wanted


def test_shapes_that_do_not_fit_are_explained() -> None:
    with pytest.raises(ShapeError) as error:
        ops.add(np.ones((32, 784)), np.ones(100))
    assert message(error) == (
        "Adding: lengths 100 and 784 of axis -1 do not fit together\n"
        "  found:  (32, 784) and (100,)\n"
        "  needed: equal lengths on each axis, counted from the last one, or a length of 1\n"
        "  try:    compare the shapes axis by axis; reshape, expand_dims or transpose one of them"
    )


def test_a_missing_axis_is_named() -> None:
    with pytest.raises(ShapeError, match=r"expand_dims\(x, -1\) makes the \(5,\) a \(5, 1\)"):
        ops.multiply(np.ones((5, 3)), np.ones(5))
    with pytest.raises(ShapeError, match=r"transpose\(x\) makes the .* a \(2, 3\)"):
        ops.multiply(np.ones((3, 2)), np.ones((2, 3)))


def test_equal_types_meet_without_equations() -> None:
    x, y = Value.leaf(np.ones(3)), Value.leaf(np.ones(3))
    assert meet(x, y) == (x, y)


def test_every_implicit_step_is_an_equation() -> None:
    result = ops.add(Value.leaf(np.ones((2, 1), np.int32)), Value.leaf(np.ones(3)))
    steps = []
    value: Value | None = result.equation.inputs[0] if result.equation else None
    while value is not None and value.equation is not None:
        steps.append(value.equation.primitive.name)
        value = value.equation.inputs[0]
    assert steps == ["broadcast_to", "reshape", "cast"]
    exactly(result, np.full((2, 3), 2.0))
    assert numbers(result).dtype == np.float64
