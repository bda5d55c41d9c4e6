"""A Program said again on other inputs, and rewriting in general."""

from __future__ import annotations

import numpy as np

from clearprop import ops
from clearprop import primitives as p
from clearprop.executors.reference import evaluate
from clearprop.ir.meaning import run
from clearprop.ir.printing import program_text
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.ir.verify import verify
from clearprop.passes.inline import inline, substitute
from clearprop.passes.rewrite import Rewriter
from clearprop.tensor import Tensor, tensor
from tests.ir.programs import ALL, LINE, inputs_of

NUMBER = TensorType((), np.dtype(np.float64))


def test_a_program_can_be_said_again_on_other_inputs() -> None:
    for make in ALL.values():
        program = make()
        arrays = list(inputs_of(program))
        said = inline(program, [Value.leaf(array) for array in arrays])
        for one, other in zip(evaluate(said), run(program, arrays), strict=True):
            np.testing.assert_array_equal(one, other)


def test_it_becomes_of_the_class_of_its_inputs() -> None:
    program = ALL["dense"]()
    outputs = inline(program, [tensor(array) for array in inputs_of(program)])
    assert {type(value) for value in outputs} == {Tensor}


def test_equations_that_nothing_new_reaches_stay_the_same() -> None:
    x, y = Value(NUMBER), Value(NUMBER)
    steady = p.exp(y)
    program = Program.under([p.add(steady, x), steady], [x, y])
    new = Value(NUMBER)
    changed, same = substitute(program, {x: new})
    assert same is steady
    assert changed.equation is not None
    assert changed.equation.inputs == (steady, new)


def test_values_in_between_can_be_replaced() -> None:
    x = Value(NUMBER)
    middle = p.exp(x)
    program = Program.under([p.add(middle, x)], [x])
    (changed,) = substitute(program, {middle: Value.leaf(np.array(10.0))})
    assert evaluate([changed], {x: np.array(1.0)}) == [11.0]


def test_new_equations_keep_their_lines() -> None:
    program = ALL["dense"]()
    (output, _) = inline(program, [Value(program.inputs[0].type)])
    assert output.equation is not None
    assert output.equation.place == LINE


def test_rewriting_without_a_change_changes_nothing() -> None:
    for make in ALL.values():
        program = make()
        rewriter = Rewriter(program)
        for equation in program.equations:
            rewriter.keep(equation)
        again = rewriter.finish()
        verify(again)
        assert program_text(again, places=True) == program_text(program, places=True)


def test_rewriting_drops_what_is_not_read_any_more() -> None:
    x = Value(NUMBER)
    middle = ops.exp(x)
    program = Program.under([ops.negative(middle)], [x])
    rewriter = Rewriter(program)
    first, second = program.equations
    rewriter.replace(first, [x])
    rewriter.keep(second)
    assert [each.primitive.name for each in rewriter.finish().equations] == ["negate"]
