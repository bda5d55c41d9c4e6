"""The native executor gives what Programs mean, on every instruction set that this machine has."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from clearprop.executors.native import planning
from clearprop.executors.native.kernels import affine, packing, reducers
from clearprop.executors.native.llvm.machine import Machine, this_machine
from clearprop.executors.native.llvm.registers import Operand
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics import elementwise
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.program import Program
from clearprop.ir.value import Value
from tests.support.agreement import UnsteadyError, agrees
from tests.support.examples import EXAMPLES, Example
from tests.support.native_cases import cases
from tests.support.native_kernels import machines, width_name
from tests.support.program_checks import check
from tests.support.random_programs import Options, RandomProgram, random_program

STEADY = Options(steady=True)
MACHINES = machines()
CASES = dict(cases())


def agreement_on(machine: Machine) -> Callable[[RandomProgram], None]:
    def agrees_with_the_definition(random: RandomProgram) -> None:
        try:
            agrees(random.program, random.arrays, machine)
        except UnsteadyError:
            return

    return agrees_with_the_definition


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_every_primitive_is_compiled(example: Example) -> None:
    for each in (example, example.in_float32()) if example.has_floats else (example,):
        inputs = [Value(type_) for type_ in each.types]
        results = REGISTRY[each.name].apply_all(*inputs, **each.params)
        agrees(Program.under(results, inputs), each.arrays(), this_machine())


@pytest.mark.parametrize("machine", MACHINES, ids=width_name)
@pytest.mark.parametrize("name", CASES)
def test_sizes_at_which_decisions_change(name: str, machine: Machine) -> None:
    agrees(*CASES[name], machine)


def test_no_primitive_is_without_an_example() -> None:
    assert {example.name for example in EXAMPLES} == set(REGISTRY)


@pytest.mark.parametrize("machine", MACHINES, ids=width_name)
@pytest.mark.parametrize("seed", range(34))
def test_random_programs_agree(seed: int, machine: Machine) -> None:
    check(agreement_on(machine), 10_000 + seed * len(MACHINES) + MACHINES.index(machine), STEADY)


@pytest.mark.slow
@pytest.mark.parametrize("machine", MACHINES, ids=width_name)
@pytest.mark.parametrize("start", range(0, 2000, 100))
def test_many_random_programs_agree(start: int, machine: Machine) -> None:
    for seed in range(start, start + 100):
        check(agreement_on(machine), seed, STEADY)


# -- mistakes are found ---------------------------------------------------------------------


def _wrong_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    right = elementwise.WRITERS["subtract"]
    monkeypatch.setitem(
        elementwise.WRITERS, "subtract", lambda f, dtype, inputs: right(f, dtype, inputs[::-1])
    )


def _lanes_that_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def only(self: reducers.Reducer, f: Function, x: Operand, count: int) -> Operand:
        return x

    monkeypatch.setattr(reducers.Reducer, "only", only)


def _results_over_what_is_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning._Planner, "_may_overwrite", lambda self, carry: True)


def _reversed_from_the_wrong_end(monkeypatch: pytest.MonkeyPatch) -> None:
    right = affine.Affine.times

    def times(self: affine.Affine, factor: int) -> affine.Affine:
        return right(self, 1 if factor == -1 else factor)

    monkeypatch.setattr(affine.Affine, "times", times)


def _a_block_that_is_not_turned_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "turned_over", lambda f, vectors: vectors)


@pytest.mark.parametrize(
    "plant",
    [
        _wrong_difference,
        _lanes_that_do_not_count,
        _results_over_what_is_still_read,
        _reversed_from_the_wrong_end,
        _a_block_that_is_not_turned_over,
    ],
)
def test_planted_mistakes_are_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert any(_fails(each) for each in _cases())


def _cases() -> Iterator[RandomProgram]:
    """The same as above; first those that find the most: loops, then nests."""
    yield from reversed(CASES.values())
    for seed in range(10_000, 10_000 + 34 * len(MACHINES)):
        yield random_program(seed, STEADY)


def _fails(random: RandomProgram) -> bool:
    try:
        agrees(random.program, random.arrays, this_machine())
    except UnsteadyError:
        return False
    except AssertionError:
        return True
    return False
