"""Schedules: formulas of the step's number, for numbers and for values that have none yet."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from clearprop.dtypes import F64, I64
from clearprop.errors import ArgumentError
from clearprop.ir.meaning import run
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.optimizers import schedules
from clearprop.optimizers.schedules import LearningRateSchedule
from clearprop.registry import describe, rebuild

ALL: list[LearningRateSchedule] = [
    schedules.ExponentialDecay(0.1, 10, 0.5),
    schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True),
    schedules.InverseTimeDecay(0.1, 10, 0.5),
    schedules.PiecewiseConstantDecay([10, 20], [0.1, 0.2, 0.05]),
    schedules.PolynomialDecay(0.1, 30, power=2.0, cycle=True),
    schedules.CosineDecay(0.1, 30, alpha=0.1, warmup_target=0.2, warmup_steps=5),
    schedules.CosineDecayRestarts(0.1, 7, t_mul=3.0, m_mul=0.5, alpha=0.1),
    schedules.Warmup(schedules.CosineDecay(0.1, 30), 5),
    schedules.Warmup(0.1, 5, initial_learning_rate=0.05),
]
each = pytest.mark.parametrize("schedule", ALL, ids=lambda one: type(one).__name__)


@each
def test_a_traced_schedule_gives_the_same_rates(schedule: LearningRateSchedule) -> None:
    step = Value(TensorType((), I64))
    program = Program.under([schedule(step)], [step])
    for number in (0, 1, 5, 9, 28, 100, 10**9):
        (rate,) = run(program, [np.asarray(number)])
        assert rate.dtype == F64
        assert float(rate) == float(schedule(number))


@each
def test_a_described_schedule_is_the_same(schedule: LearningRateSchedule) -> None:
    again = rebuild(describe(schedule))
    assert type(again) is type(schedule)
    assert [float(again(n)) for n in range(50)] == [float(schedule(n)) for n in range(50)]


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (schedules.ExponentialDecay(0.1, 10, 0.5), {0: 0.1, 10: 0.05, 5: 0.1 * 0.5**0.5}),
        (schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True), {9: 0.1, 10: 0.05}),
        (schedules.InverseTimeDecay(0.1, 10, 0.5), {0: 0.1, 20: 0.05}),
        (schedules.InverseTimeDecay(0.1, 10, 0.5, staircase=True), {19: 0.1 / 1.5}),
        (schedules.PiecewiseConstantDecay([1, 3], [3.0, 2.0, 0.1]), {1: 3.0, 2: 2.0, 4: 0.1}),
        (schedules.PolynomialDecay(0.1, 10, 0.0, power=2.0), {5: 0.025, 10: 0.0, 99: 0.0}),
        (schedules.PolynomialDecay(0.1, 10, 0.0, cycle=True), {0: 0.1, 5: 0.05, 15: 0.025}),
        (schedules.CosineDecay(0.1, 10), {0: 0.1, 5: 0.05, 10: 0.0, 99: 0.0}),
        (schedules.CosineDecay(0.1, 10, alpha=0.5), {5: 0.075, 99: 0.05}),
        (schedules.Warmup(0.1, 10, 0.05), {0: 0.05, 5: 0.075, 10: 0.1, 99: 0.1}),
        (schedules.Warmup(schedules.CosineDecay(0.1, 10), 4), {2: 0.05, 4: 0.1, 9: 0.05}),
    ],
)
def test_rates_follow_the_formula(schedule: LearningRateSchedule, rates: dict[int, float]) -> None:
    assert {n: float(schedule(n)) for n in rates} == pytest.approx(rates, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("growth", [1, 2, 3, 5, 1.5])
def test_a_restart_comes_exactly_when_the_decay_before_it_ends(growth: float) -> None:
    first = 64  # 1.5 to the powers below gives whole numbers of steps
    schedule = schedules.CosineDecayRestarts(1.0, first, t_mul=growth, m_mul=0.5)
    start = 0.0
    for restart in range(7):
        assert float(schedule(int(start))) == pytest.approx(0.5**restart, rel=1e-9)
        length = first * growth**restart
        if length > 2:
            middle = float(schedule(start + length / 2))
            assert middle == pytest.approx(0.5**restart / 2, rel=1e-9)
        start += length


@pytest.mark.parametrize(
    ("mistake", "text"),
    [
        (
            lambda: schedules.CosineDecay(0.1, 0),
            "CosineDecay: decay_steps is a positive number of steps\n  found:  decay_steps=0\n",
        ),
        (
            lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]),
            "PiecewiseConstantDecay: there must be one value more than boundaries\n"
            "  found:  2 boundaries and 2 values\n"
            "  needed: 3 values\n",
        ),
        (
            lambda: schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]),
            "PiecewiseConstantDecay: the boundaries must rise\n  found:  boundaries=[2, 1]\n",
        ),
    ],
)
def test_errors_teach(mistake: Any, text: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        mistake()
    assert str(caught.value).startswith(text)
    assert "  at:     " in str(caught.value)


def test_a_schedule_of_ones_own() -> None:
    class Root(LearningRateSchedule):
        def rate(self, step: Any) -> Any:
            return (step + 1) ** -0.5

    assert float(Root()(3)) == 0.5
    assert math.isclose(float(Root()(np.int64(99))), 0.1)
