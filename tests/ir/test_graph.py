"""Values, equations and the Programs that list them."""

from __future__ import annotations

import gc
import inspect
import weakref

import numpy as np
import pytest

from clearprop import ops
from clearprop import primitives as p
from clearprop.errors import ShapeError, TraceError
from clearprop.ir.place import Place, at_place, here, in_layer, layer_path, telling_line
from clearprop.ir.primitive import Primitive, no_flops
from clearprop.ir.program import Program, equations_under
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.tensor import Tensor, parameter, tensor

NUMBER = TensorType((), np.dtype(np.float64))
THIS = __file__


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


# -- values ---------------------------------------------------------------------------


def test_the_three_kinds_of_values() -> None:
    leaf, placeholder = Value.leaf(np.ones(2)), Value(NUMBER, name="x")
    result = p.exp(placeholder)
    assert [value.is_placeholder for value in (leaf, placeholder, result)] == [False, True, False]
    assert leaf.type == TensorType((2,), np.dtype(np.float64))
    assert result.equation is not None
    assert result.equation.inputs == (placeholder,)
    assert repr(placeholder) == "<Value x: f64[]>"
    assert repr(result) == "<Value  f64[] = exp>"


def test_a_value_decides_nothing() -> None:
    with pytest.raises(TraceError, match="no numbers yet"):
        bool(p.exp(Value(NUMBER)))


def test_results_are_of_the_most_special_class_of_the_inputs() -> None:
    plain, special = Value.leaf(np.ones(2)), tensor([1.0, 2.0], dtype="float64")
    assert type(p.exp(plain)) is Value
    assert type(p.add(plain, special)) is type(p.add(special, plain)) is Tensor
    assert type(p.exp(parameter([1.0]))) is Tensor


def test_a_graph_nobody_looks_at_is_freed_at_once() -> None:
    gc.disable()
    try:
        x = Value(NUMBER)
        top = x
        for _ in range(50_000):  # deep, too: freeing is no recursion
            top = p.negate(top)
        assert top.equation is not None
        gone = weakref.ref(top.equation.inputs[0])
        del top
        assert gone() is None
    finally:
        gc.enable()


def test_one_of_several_results_is_found_again() -> None:
    body = Program.under([x := Value(NUMBER), p.exp(x)], [x])
    last, rows = p.scan(body, [Value(NUMBER)], [], length=2)
    equation = last.equation
    assert equation is not None
    assert equation.result(0) is last
    del rows
    assert equation.result(1).type == TensorType((2,), np.dtype(np.float64))


def test_two_words_cannot_share_a_name() -> None:
    with pytest.raises(TypeError, match="two primitives are called 'exp'"):
        Primitive("exp", infer=lambda x: x, meaning=np.exp, gradient=None, flops=no_flops)


# -- programs -------------------------------------------------------------------------


def test_a_program_lists_what_its_outputs_need_in_order() -> None:
    x, y = Value(NUMBER), Value(NUMBER)
    first = p.exp(x)
    second = p.add(first, y)
    p.log(x)  # nobody asks for it
    program = Program.under([p.multiply(second, first)], [x, y])
    assert [each.primitive.name for each in program.equations] == ["exp", "add", "multiply"]
    program.check_closed()


def test_a_value_in_between_can_be_an_input() -> None:
    x = Value(NUMBER)
    middle = p.exp(x)
    program = Program.under([p.add(middle, middle), middle], [middle])
    assert [each.primitive.name for each in program.equations] == ["add"]
    assert program.leaves == ()


def test_leaves_are_constants_or_lost_placeholders() -> None:
    x, lost, seven = Value(NUMBER), Value(NUMBER), Value.leaf(np.array(7.0))
    program = Program.under([p.add(p.add(x, lost), seven)], [x])
    assert program.leaves == (lost, seven)
    assert program.constants == (seven,)
    with pytest.raises(TraceError):
        program.check_closed()


def test_results_tell_who_is_read() -> None:
    body = Program.under([x := Value(NUMBER), p.exp(x)], [x])
    start = Value(NUMBER)
    last, rows = p.scan(body, [start], [], length=2)
    program = Program.under([p.negate(rows)], [start])
    assert program.results[program.equations[0]] == (None, rows)
    assert Program.under([last], [start]).results[program.equations[0]] == (last, None)


def test_equations_are_listed_once_each_however_many_paths_there_are() -> None:
    x = out = Value(NUMBER)
    for _ in range(100):
        out = p.add(out, out)
    assert len(equations_under([out, out], {x}.__contains__)) == 100


# -- places ---------------------------------------------------------------------------


def test_an_equation_knows_the_users_line() -> None:
    result = ops.softmax(tensor([1.0, 2.0]) * parameter(3.0))
    assert result.equation is not None
    assert result.equation.place == Place(THIS, line() - 2)


def test_an_equation_knows_the_layers_around_it() -> None:
    with in_layer("net"), in_layer("dense_1"):
        assert layer_path() == "net/dense_1"
        assert here() == Place(THIS, line(), "net/dense_1")
    assert str(Place("a.py", 3, "net/dense")) == "a.py:3 in net/dense"
    assert str(Place("a.py", 3)) == "a.py:3"
    assert str(Place(layer="net")) == "net"
    assert str(Place()) == ""


def test_a_fixed_place_holds_inside_and_learns_the_layers() -> None:
    with at_place(Place("a.py", 3)):
        assert here() == Place("a.py", 3)
        with in_layer("net"):
            assert here() == Place("a.py", 3, "net")
            with at_place(Place("b.py", 4, "own")):
                assert here() == Place("b.py", 4, "own")
    assert here().file == THIS


def test_errors_inside_learn_their_line_once() -> None:
    for known, at in (("", f"{THIS}:{line() + 2}"), ("train.py:1", "train.py:1")):
        error = ShapeError("Adding", at=known)
        with pytest.raises(ShapeError) as caught, telling_line:
            raise error
        assert caught.value.at == at
    with pytest.raises(KeyError), telling_line:
        raise KeyError
