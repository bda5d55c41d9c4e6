"""Rows that are much shorter than a vector are computed many at a time."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop import ops
from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.kernels import nests
from clearprop.executors.native.llvm.machine import Machine, this_machine
from clearprop.ir.meaning import run
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives import argmax
from tests.support.native_kernels import machines, width_name


def cross_entropy(x: Array, bias: Array) -> tuple[Program, list[Array]]:
    """Losses of rows of logits, their mean, sums over rows, probabilities and the likeliest."""
    inputs = [Value(TensorType.of(array)) for array in (x, bias)]
    logits = ops.add(*inputs)
    shifted = ops.subtract(logits, ops.max(logits, -1, keepdims=True))
    powers = ops.exp(shifted)
    total = ops.sum(powers, -1, keepdims=True)
    probabilities = ops.divide(powers, total)
    losses = ops.subtract(ops.log(total), ops.sum(shifted, -1, keepdims=True))
    rows = tuple(range(x.ndim - 1))
    outputs = [
        losses,
        ops.mean(losses),
        ops.sum(probabilities, rows),
        ops.max(probabilities),
        probabilities,
        argmax(logits, axis=x.ndim - 1),
    ]
    return Program.under(outputs, inputs), [x, bias]


SHAPES = [(10, 2), (32, 2), (37, 1), (64, 3), (100, 4), (1000, 2), (5, 33, 2), (2, 3, 17, 3)]


@pytest.mark.parametrize("machine", machines(), ids=width_name)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_short_rows_agree_with_the_definition(
    dtype: str, shape: tuple[int, ...], machine: Machine
) -> None:
    rng = np.random.default_rng(len(shape))
    x = rng.standard_normal(shape).astype(dtype)
    bias = rng.standard_normal(shape[-1]).astype(dtype)
    program, arrays = cross_entropy(x, bias)
    tolerance = 2e-5 if dtype == "f4" else 1e-13
    for found, wanted in zip(Compiled(program, machine)(arrays), run(program, arrays), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)
        assert found.dtype == wanted.dtype


def test_threads_change_nothing() -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((100_003, 2)).astype("f4"), np.ones(2, "f4")]
    program, _ = cross_entropy(*arrays)
    one, *others = (
        Compiled(program, this_machine(), threads=count, together=count > 1)(arrays)
        for count in (1, 2, 3, 8)
    )
    for results in others:
        for found, wanted in zip(results, one, strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_what_is_no_number_stays_in_its_row() -> None:
    x = np.zeros((40, 3), "f4")
    x[7, 1], x[20, 0] = np.nan, -np.inf
    program, arrays = cross_entropy(x, np.zeros(3, "f4"))
    losses, _, _, _, probabilities, _ = Compiled(program, this_machine())(arrays)
    assert np.isnan(losses[7]).all()
    assert np.isnan(probabilities).any(axis=1).nonzero()[0].tolist() == [7]
    assert probabilities[20].tolist() == [0.0, 0.5, 0.5]


@pytest.mark.parametrize(("shape", "taken"), [((64, 2), True), ((64, 40), False), ((3, 2), False)])
def test_only_many_short_rows_are_taken_together(
    shape: tuple[int, int], taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []

    def asked(nest: nests.Nest) -> bool:
        answers.append(decide(nest))
        return answers[-1]

    decide = nests.are_side_by_side
    monkeypatch.setattr(nests, "are_side_by_side", asked)
    program, arrays = cross_entropy(np.zeros(shape, "f4"), np.zeros(shape[1], "f4"))
    Compiled(program, this_machine())(arrays)
    assert any(answers) == taken
