"""A Program's text says all that it does."""

from __future__ import annotations

import numpy as np

from clearprop import ops
from clearprop.ir.printing import program_text, value_names
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from tests.ir.programs import choice, dense, loop, odd_params


def test_a_layer_reads_like_its_source() -> None:
    assert str(dense()) == (
        "program(x: f32[2, 3]):\n"
        "  kernel: f32[3, 4] = constant\n"
        "  c0: f32[4] = constant\n"
        "  v0: f32[2, 4] = dot_general x kernel contract=((1,), (0,)) batch=((), ())\n"
        "  v1: f32[2, 4] = broadcast_to c0 shape=(2, 4) new_axes=(0,)\n"
        "  v2: f32[2, 4] = add v0 v1\n"
        "  v3: f32[2, 4] = maximum v2 0.5\n"
        "  v4: f64[2, 4] = cast v3 dtype=f64\n"
        "  return v4, v2"
    )


def test_places_stand_beside_the_equations() -> None:
    lines = program_text(dense(), places=True).split("\n")
    assert len(lines) == len(str(dense()).split("\n"))
    assert [line.partition("#")[2] for line in lines[:3]] == ["", "", ""]
    assert {line.partition("#")[2] for line in lines[3:-1]} == {" train.py:7 in net/dense_1"}
    assert len({line.index("#") for line in lines[3:-1]}) == 1


def test_a_program_inside_is_indented_below_its_equation() -> None:
    assert str(loop()) == (
        "program(start: f32[2], rows: f32[3]):\n"
        "  _: f32[2], v0: f32[3] = scan start rows carry_count=1 step_count=1 length=3 "
        "reverse=False\n"
        "    body = program(state: f32[2], v0: f32[]):\n"
        "      c0: f32[2] = constant\n"
        "      v1: f32[2] = multiply state c0\n"
        "      v2: f32[2] = broadcast_to v0 shape=(2,) new_axes=(0,)\n"
        "      v3: f32[2] = add v1 v2\n"
        "      v4: f32[] = reduce_sum v3 axes=(0,)\n"
        "      return v3, v4\n"
        "  v1: f32[3] = negate v0\n"
        "  return v1"
    )


def test_params_of_all_kinds_are_readable() -> None:
    text = str(odd_params())
    assert "v2: u32[2, 4] = random_bits c0 c0 shape=(2, 4)" in text
    assert "dtype=f32" in text


def test_numbers_of_their_own_stand_where_they_are_read() -> None:
    x = Value(TensorType((), np.dtype(np.float32)), name="x")
    result = ops.where(ops.equal(x, 0.1), np.float32(np.inf), ops.add(x, np.float32(1e-7)))
    text = str(Program.under([result], [x]))
    assert "= equal x 0.1" in text
    assert "= add x 1e-07" in text
    assert "inf" in text


def test_names_are_told_apart() -> None:
    same = [Value(TensorType(()), name=name) for name in ("w", "w", "v0", "", "w", "my w")]
    program = Program.under([ops.add(same[0], same[1])], same)
    assert [value_names(program)[value] for value in same] == [
        "w", "w_1", "v0", "v1", "w_2", "my_w",
    ]  # fmt: skip
    assert str(program).endswith("v2: f32[] = add w w_1\n  return v2")


def test_a_program_without_anything_is_printed() -> None:
    assert str(Program([], [], [])) == "program():\n  return"


def test_a_program_that_breaks_the_rules_is_printed_too() -> None:
    x, other = Value(TensorType(()), name="x"), Value(TensorType(()), name="other")
    sum_ = ops.add(x, other)
    result = ops.negative(sum_)
    assert result.equation is not None
    assert str(Program([x], [result.equation], [result, sum_])) == (
        "program(x: f32[]):\n  v0: f32[] = negate ?\n  return v0, ?"
    )
    assert "other: f32[] = placeholder" in str(Program.under([sum_], [x]))


def test_each_body_of_a_choice_is_printed_below_it() -> None:
    assert str(choice()) == (
        "program(which: i64[], x: f32[2]):\n"
        "  v0: f32[2], _: f32[2] = branch which x\n"
        "    bodies[0] = program(a: f32[2]):\n"
        "      v0: f32[2] = negate a\n"
        "      return v0, a\n"
        "    bodies[1] = program(b: f32[2]):\n"
        "      c0: f32[2] = constant\n"
        "      v0: f32[2] = multiply b c0\n"
        "      return v0, b\n"
        "  return v0"
    )
