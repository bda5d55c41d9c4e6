"""Sums of combinations follow from the sums of what is combined."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop import ops
from clearprop.ir.meaning import run
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.passes.share_sums import share_sums
from clearprop.passes.simplify import simplify

SHAPE = (9, 40, 60)  # large enough to be worth it


def program_of(*, knows_both: bool = True) -> Program:
    """A sum of s a - (b - m) over all but the last axis, beside the sums of a and b."""
    a, b, s, m = inputs = [
        Value(TensorType(shape, np.dtype("f8"))) for shape in (SHAPE, SHAPE, (60,), (60,))
    ]
    combined = ops.subtract(ops.multiply(s, a), ops.subtract(b, m))
    outputs = [ops.sum(each, (0, 1)) for each in (ops.negative(combined), a)]
    return Program.under([*outputs, ops.sum(b, (0, 1) if knows_both else 2)], inputs)


def large_sums(program: Program) -> int:
    return sum(
        equation.primitive.name == "reduce_sum" and equation.inputs[0].shape == SHAPE
        for equation in program.equations
    )


@pytest.mark.parametrize(("knows_both", "sums"), [(True, 2), (False, 3)])
def test_a_sum_is_shared_where_all_its_terms_are_known(knows_both: bool, sums: int) -> None:
    before = program_of(knows_both=knows_both)
    after = share_sums(before)
    assert large_sums(before) == 3
    assert large_sums(after) == sums
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(value.shape) for value in before.inputs]
    for found, wanted in zip(run(after, arrays), run(before, arrays), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def test_factors_that_are_one_number_are_spread_over_the_sums() -> None:
    x = Value(TensorType(SHAPE, np.dtype("f8")))
    outputs = [ops.sum(each, (0, 2)) for each in (ops.subtract(ops.multiply(x, 3.0), 2.0), x)]
    before = simplify(Program.under(outputs, [x]))
    after = share_sums(before)
    assert large_sums(after) == 1
    array = np.random.default_rng(0).standard_normal(SHAPE)
    for found, wanted in zip(run(after, [array]), run(before, [array]), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)
