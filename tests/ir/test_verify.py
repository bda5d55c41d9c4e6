"""Each rule of the language catches the Program that breaks it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from clearprop import ops
from clearprop.errors import ProgramError
from clearprop.ir.primitive import REGISTRY, Primitive, no_flops
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Equation, Value
from clearprop.ir.verify import verify
from tests.ir.programs import ALL, LINE, loop

F32 = TensorType((2,))
ADD, RESHAPE = REGISTRY["add"], REGISTRY["reshape"]


def equation(
    *inputs: Value, primitive: Primitive = ADD, types: Any = (F32,), **params: Any
) -> Equation:
    return Equation(primitive, inputs, MappingProxyType(params), types, LINE)


def result(of: Equation, index: int = 0, type_: TensorType = F32) -> Value:
    return Value(type_, equation=of, index=index)


def broken(program: Program) -> str:
    """The first line of what is wrong with it."""
    with pytest.raises(ProgramError) as error:
        verify(program)
    return str(error.value).partition("\n")[0].removeprefix("Verifying a Program: ")


@pytest.fixture
def x() -> Value:
    return Value(F32, name="x")


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_programs_that_keep_the_rules_pass(make: Any) -> None:
    verify(make())


def test_an_input_that_has_an_equation_or_numbers_counts_as_given(x: Value) -> None:
    given, leaf = ops.negative(x), Value.leaf(np.ones(2, np.float32))
    verify(Program.under([ops.add(given, leaf)], [given, leaf]))


def test_an_input_named_twice_is_caught(x: Value) -> None:
    assert broken(Program([x, x], [], [x])) == "an input is named twice"


def test_an_equation_that_stands_there_twice_is_caught(x: Value) -> None:
    only = equation(x, x)
    assert broken(Program([x], [only, only], [result(only)])) == "it stands there twice"


def test_a_word_of_no_language_is_caught(x: Value) -> None:
    alien = Primitive(
        "alien_of_test_verify", infer=lambda x: x, meaning=abs, gradient=None, flops=no_flops
    )
    try:
        own = equation(x, primitive=alien)
        verify(Program([x], [own], [result(own)]))
    finally:
        del REGISTRY[alien.name]
    assert broken(Program([x], [own], [result(own)])) == "no word of the language"


def test_a_value_read_too_early_is_caught(x: Value) -> None:
    first = equation(x, x)
    second = equation(result(first), x)
    assert "before any equation" in broken(Program([x], [second, first], [result(second)]))
    assert "before any equation" in broken(Program([x], [second], [result(second)]))
    assert "before any equation" in broken(Program([x], [], [result(first)]))


def test_a_foreign_placeholder_is_caught(x: Value) -> None:
    foreign = Value(F32)
    only = equation(x, foreign)
    assert broken(Program([x], [only], [result(only)])) == "a placeholder is read that is no input"
    assert broken(Program([x], [], [foreign])) == "a placeholder is read that is no input"


@pytest.mark.parametrize("array", [np.ones(3, np.float32), np.ones(2)])
def test_a_leaf_of_another_type_is_caught(x: Value, array: Any) -> None:
    only = equation(x, Value(F32, array=array))
    assert "of another type than the leaf" in broken(Program([x], [only], [result(only)]))


@pytest.mark.parametrize(("index", "type_"), [(1, F32), (-1, F32), (0, TensorType((3,)))])
def test_a_result_that_its_equation_does_not_have_is_caught(
    x: Value, index: int, type_: TensorType
) -> None:
    first = equation(x, x)
    wrong = result(first, index, type_)
    second = equation(wrong, primitive=REGISTRY["negate"], types=(type_,))
    for program in (
        Program([x], [first], [wrong]),
        Program([x], [first, second], [result(second, 0, type_)]),
    ):
        assert broken(program) == "a value is no result of its equation"


def test_two_values_for_one_result_are_caught(x: Value) -> None:
    first = equation(x, x)
    second = equation(result(first), result(first))
    assert "two values stand for one result" in broken(
        Program([x], [first, second], [result(second)])
    )


@pytest.mark.parametrize("types", [(TensorType((3,)),), (TensorType((2,), np.dtype(bool)),), ()])
def test_types_that_are_not_inferred_are_caught(x: Value, types: Any) -> None:
    assert "types that its primitive infers" in broken(
        Program([x], [equation(x, x, types=types)], [])
    )


def test_inputs_that_no_rule_accepts_are_caught(x: Value) -> None:
    other = Value.leaf(np.ones(3, np.float32))
    for wrong in (equation(x, other), equation(x, x, axis=1), equation(x, primitive=RESHAPE)):
        assert broken(Program([x], [wrong], [])) == "its types cannot be inferred"


@pytest.mark.parametrize(
    "param", [np.int64(1), [1], {"a": 1}, np.ones(1), abs, b"", (1, [2]), np.dtype(np.float16), 1j]
)
def test_params_of_other_kinds_are_caught(x: Value, param: Any) -> None:
    text = broken(Program([x], [equation(x, x, secret=param)], []))
    assert text == "the param secret is of a kind that no Program may hold"


def test_a_program_among_the_params_of_a_plain_word_is_caught(x: Value) -> None:
    inside = equation(x, x, body=Program([], [], []))
    assert "the param body" in broken(Program([x], [inside], []))


def test_a_program_inside_is_checked_too() -> None:
    program = loop()
    scan = program.equations[0]
    body = scan.params["body"]
    broken_body = Program(body.inputs, body.equations[1:], body.outputs)
    params = MappingProxyType({**scan.params, "body": broken_body})
    scan = Equation(scan.primitive, scan.inputs, params, scan.types)
    assert "before any equation" in broken(Program(program.inputs, [scan], []))


def test_the_message_shows_the_equation_and_its_line(x: Value) -> None:
    only = equation(x, x, types=(TensorType((3,)),))
    with pytest.raises(ProgramError) as error:
        verify(Program([x], [only], []))
    assert str(error.value) == (
        "Verifying a Program: it does not give the types that its primitive infers\n"
        "  in:     _: f32[3] = add x x\n"
        "  found:  f32[3]\n"
        "  needed: f32[2]\n"
        "  at:     train.py:7 in net/dense_1"
    )
