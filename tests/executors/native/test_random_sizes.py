"""Sizes drawn at random: the definition's results, and the same bits on any number of threads."""

from __future__ import annotations

import pytest

from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.llvm.machine import Machine
from tests.support.agreement import UnsteadyError, agrees
from tests.support.native_kernels import machines, width_name
from tests.support.program_checks import same_bits
from tests.support.random_programs import RandomProgram
from tests.support.random_sizes import random_sizes

MACHINES = machines()


def holds(random: RandomProgram, machine: Machine) -> None:
    try:
        agrees(random.program, random.arrays, machine)
    except UnsteadyError:
        return
    alone = Compiled(random.program, machine, threads=1)(random.arrays)
    for threads in (2, 3):
        team = Compiled(random.program, machine, threads=threads, together=True)
        same_bits(team(random.arrays), alone)


@pytest.mark.parametrize("machine", MACHINES, ids=width_name)
@pytest.mark.parametrize("seed", range(16))
def test_results_agree(seed: int, machine: Machine) -> None:
    holds(random_sizes(10_000 + seed * len(MACHINES) + MACHINES.index(machine)), machine)


@pytest.mark.slow
@pytest.mark.parametrize("machine", MACHINES, ids=width_name)
@pytest.mark.parametrize("start", range(0, 1000, 100))
def test_many_results_agree(start: int, machine: Machine) -> None:
    for seed in range(start, start + 100):
        try:
            holds(random_sizes(seed), machine)
        except Exception as error:
            raise AssertionError(f"seed {seed}:\n{random_sizes(seed).program}\n{error}") from error
