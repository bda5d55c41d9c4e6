"""prune: loops and choices compute only what somebody reads."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop.ir.meaning import run
from clearprop.ir.program import Program, programs_in
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.ir.verify import verify
from clearprop.passes.prune import prune_branches
from clearprop.passes.simplify import simplify
from clearprop.primitives import add, branch, multiply, sin
from tests.support.example import floats
from tests.support.examples_control import body_of

PAIR = TensorType((2,), np.dtype(np.float64))
INDEX = TensorType((), np.dtype(np.int64))
X = (floats(2), floats(2), floats(2))


def chosen() -> Program:
    """Three operands, of which the bodies need two for the result that is read."""
    index, *operands = (Value(type_) for type_ in (INDEX, PAIR, PAIR, PAIR))
    bodies = (
        body_of(lambda x, y, z: [multiply(x, x), z], *X),
        body_of(lambda x, y, z: [add(sin(y), sin(y)), z], *X),
    )
    return Program.under([branch(index, *operands, bodies=bodies)[0]], [index, *operands])


def test_a_branch_gives_up_what_nobody_reads() -> None:
    pruned = prune_branches(chosen())
    verify(pruned)
    (equation,) = pruned.equations
    assert len(equation.inputs) == 3  # the index, x and y
    assert len(equation.types) == 1
    for _, body in programs_in(equation.params):
        assert len(body.inputs) == 2


@pytest.mark.parametrize("index", [0, 1])
def test_its_numbers_stay(index: int) -> None:
    arrays = [np.array(index), *np.random.default_rng(0).normal(size=(3, 2))]
    for program in (prune_branches(chosen()), simplify(chosen())):
        np.testing.assert_array_equal(run(program, arrays)[0], run(chosen(), arrays)[0])


def test_bodies_are_simplified() -> None:
    (equation,) = simplify(chosen()).equations
    (_, second) = (body for _, body in programs_in(equation.params))
    assert [each.primitive.name for each in second.equations] == ["sin", "add"]
