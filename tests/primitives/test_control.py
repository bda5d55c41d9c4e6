"""Loops and choices: what they refuse, what runs, and how much a history costs."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop.errors import ArgumentError, DTypeError, LabelError, ProgramError, ShapeError
from clearprop.ir.meaning import run
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.program import Program, programs_in
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.passes.gradient import value_and_gradients
from clearprop.passes.simplify import simplify
from clearprop.primitives import branch, gather, log, multiply, reduce_sum
from tests.support.example import floats
from tests.support.examples_control import FIRST, LOOPS, PRODUCT, body_of
from tests.support.numbers import compute, gradients, leaf

ONE = floats()


@pytest.mark.parametrize("index", [-1, 2])
def test_there_is_no_body_beyond_the_last(index: int) -> None:
    x = leaf(np.ones(3))
    result = branch(leaf(index), x, x, bodies=(PRODUCT, FIRST))[0]
    with pytest.raises(LabelError, match="branch: there is no body with this index") as caught:
        compute(result)
    assert caught.value.found == f"index {index} for 2 bodies"
    assert "test_control.py" in caught.value.at


def test_bodies_must_fit_the_operands_and_each_other() -> None:
    x, index = leaf(np.ones(3)), leaf(0)
    single = body_of(lambda x, y: [x], floats(3), floats(3))
    with pytest.raises(ArgumentError, match="nothing to choose from"):
        branch(index, x, bodies=())
    with pytest.raises(ProgramError, match="body 0 was written for other operands"):
        branch(index, x, bodies=(PRODUCT,))
    with pytest.raises(ProgramError, match="body 1 gives other results than body 0"):
        branch(index, x, x, bodies=(PRODUCT, single))
    with pytest.raises(DTypeError, match="branch: the index must be int64"):
        branch(leaf(0, "i4"), x, x, bodies=(PRODUCT,))
    with pytest.raises(ShapeError, match="branch: the index must be one number"):
        branch(leaf([0]), x, x, bodies=(PRODUCT,))


def test_only_the_chosen_body_runs() -> None:
    """The other one would raise, and its derivative would be infinite."""
    raising = body_of(lambda x: [gather(x, leaf(7), axis=0)], floats(3))
    fine = body_of(lambda x: [reduce_sum(x, axes=(0,))], floats(3))
    assert compute(branch(leaf(1), leaf(np.ones(3)), bodies=(raising, fine))[0]) == 3
    broken, same = (body_of(each, ONE) for each in (lambda x: [log(x)], lambda x: [x]))
    (d_x,) = gradients(lambda x: branch(leaf(1), x, bodies=(broken, same))[0], 0.0)
    assert d_x == 1


def test_the_cost_is_that_of_the_dearest_body() -> None:
    types = (TensorType((), np.dtype("i8")), *(each.type for each in (floats(3), floats(3))))
    assert REGISTRY["branch"].flops(*types, bodies=(FIRST, PRODUCT)) == sum(
        equation.primitive.flops(*(value.type for value in equation.inputs))
        for equation in PRODUCT.equations
    )


def test_the_gradient_of_a_loop_over_a_history_saves_rows_only() -> None:
    """Memory grows with the steps, not with their square: no step keeps the whole history."""
    history = LOOPS[-1]
    inputs = [Value(type_) for type_ in history.types]
    last, _, rows = REGISTRY["scan"].apply_all(*inputs, **history.params)
    loss = reduce_sum(multiply(rows, rows), axes=(0, 1))
    program = simplify(value_and_gradients(Program.under([loss, last], inputs), [0, 3]))
    whole = history.inputs[0].shape
    scans = [equation for equation in program.equations if equation.primitive.name == "scan"]
    assert len(scans) == 2
    for equation in scans:
        carries = equation.params["carry_count"]
        for _, body in programs_in(equation.params):
            assert all(value.shape != whole for value in body.outputs[carries:])
    assert all(np.isfinite(array).all() for array in run(program, history.arrays()))
