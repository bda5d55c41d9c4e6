"""Sums of products leave a loop; what they are made of is kept once."""

from __future__ import annotations

import numpy as np

import clearprop as cp
from clearprop.ir.meaning import run
from clearprop.ir.program import Program
from clearprop.passes.sum_after_loop import sum_after_loops


def gradient_of_a_recurrence() -> Program:
    """The gradient of a recurrence by its weights, and what comes back to each step's input."""

    def loss(rows: cp.Tensor, weights: cp.Tensor) -> cp.Tensor:
        last, _ = cp.scan(
            lambda state, row: (cp.tanh(state @ weights + row), None), cp.zeros((4, 3)), rows
        )
        return (last * last).sum()

    rows, weights = cp.ones((5, 4, 3)), cp.ones((3, 3))
    return cp.compile(cp.grad(loss, (0, 1))).program(rows, weights)


def test_the_numbers_stay_and_nothing_is_carried_or_kept_twice() -> None:
    before = gradient_of_a_recurrence()
    after = sum_after_loops(before)
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(-1, 1, value.shape).astype(np.float32) for value in before.inputs]
    for found, wanted in zip(run(after, arrays), run(before, arrays), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    carried, kept = zip(
        *(
            (equation.params["carry_count"], equation.params["body"].outputs)
            for equation in after.equations
            if equation.primitive.name == "scan"
        ),
        strict=True,
    )
    assert max(carried) == 1
    for count, outputs in zip(carried, kept, strict=True):
        assert len(set(outputs[count:])) == len(outputs[count:])
