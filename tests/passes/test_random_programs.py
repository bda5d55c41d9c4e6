"""Passes, printing, storage and gradients keep their promises on random Programs."""

from __future__ import annotations

import pytest

from tests.support.program_checks import FOR_ALL, FOR_SMOOTH, Check, check
from tests.support.random_programs import Options

SEEDS = range(100)
MANY = range(100, 2100)
SMOOTH = Options(smooth=True)

of_all = pytest.mark.parametrize("keeps", FOR_ALL, ids=lambda keeps: keeps.__name__)
of_smooth = pytest.mark.parametrize("keeps", FOR_SMOOTH, ids=lambda keeps: keeps.__name__)


@of_all
def test_random_programs_keep_promises(keeps: Check) -> None:
    for seed in SEEDS:
        check(keeps, seed)


@of_smooth
def test_smooth_random_programs_keep_promises(keeps: Check) -> None:
    for seed in SEEDS:
        check(keeps, seed, SMOOTH)


@pytest.mark.slow
@of_all
def test_many_random_programs_keep_promises(keeps: Check) -> None:
    for seed in MANY:
        check(keeps, seed)


@pytest.mark.slow
@of_smooth
def test_many_smooth_random_programs_keep_promises(keeps: Check) -> None:
    for seed in MANY:
        check(keeps, seed, SMOOTH)
