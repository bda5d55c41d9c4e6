"""The random Programs are what they are said to be, and mistakes in them can be made small."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from clearprop.dtypes import SHORT_NAMES
from clearprop.ir.meaning import run
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.program import Program, programs_in
from clearprop.ir.value import Array, Value
from clearprop.ir.verify import verify
from tests.support.random_classes import EXACT, SMOOTH
from tests.support.random_control import all_programs_in
from tests.support.random_programs import (
    WORDS,
    Options,
    RandomProgram,
    random_program,
    words_in,
)
from tests.support.shrinking import fails_like, shrink

SEEDS = range(200)
STEADY, SMOOTHLY = Options(steady=True), Options(smooth=True)


def all_values(program: Program) -> Iterator[Value]:
    inner = [p for e in program.equations for p in all_programs_in(e.params)]
    for each in (program, *inner):
        yield from each.inputs
        yield from each.leaves
        yield from (v for values in each.results.values() for v in values if v is not None)


def all_arrays() -> Iterator[Array]:
    for seed in SEEDS:
        random = random_program(seed)
        yield from random.arrays
        yield from (v.array for v in all_values(random.program) if v.array is not None)


def depth(program: Program) -> int:
    inside = (p for e in program.equations for _, p in programs_in(e.params))
    return max((1 + depth(each) for each in inside), default=0)


# -- the vocabulary ---------------------------------------------------------------


def test_there_is_a_way_to_write_every_primitive() -> None:
    assert set(WORDS) == set(REGISTRY)
    assert set(REGISTRY) >= EXACT | SMOOTH


@pytest.mark.parametrize("options", [Options(), STEADY], ids=["any", "steady"])
def test_every_primitive_occurs(options: Options) -> None:
    said = Counter(
        word for seed in SEEDS for word in words_in(random_program(seed, options).program)
    )
    assert set(said) == set(REGISTRY)


def test_every_smooth_primitive_occurs() -> None:
    said = {
        word for seed in range(400) for word in words_in(random_program(seed, SMOOTHLY).program)
    }
    assert said == SMOOTH


def test_words_can_be_left_out() -> None:
    options = Options(without=frozenset({"scan", "sin", "power"}))
    said = {word for seed in SEEDS for word in words_in(random_program(seed, options).program)}
    assert said == set(REGISTRY) - options.without


# -- what the programs are like -----------------------------------------------------


def test_equal_seeds_give_equal_programs() -> None:
    for seed in range(20):
        one, other = random_program(seed), random_program(seed)
        assert str(one) == str(other)
        for first, second in zip(one.arrays, other.arrays, strict=True):
            assert first.tobytes() == second.tobytes()
    assert len({str(random_program(seed).program) for seed in SEEDS}) > len(SEEDS) * 0.95


def test_programs_have_up_to_twenty_equations() -> None:
    counts = [len(words_in(random_program(seed).program)) for seed in SEEDS]
    assert min(counts) < 3
    assert 18 <= max(counts) <= 20
    assert max(len(words_in(random_program(s, Options(equations=5)).program)) for s in SEEDS) == 5


def test_programs_lie_in_one_another() -> None:
    assert {depth(random_program(seed).program) for seed in SEEDS} == {0, 1, 2}
    options = Options(depth=1)
    assert {depth(random_program(seed, options).program) for seed in SEEDS} == {0, 1}


@pytest.mark.parametrize("options", [Options(), STEADY, SMOOTHLY], ids=["any", "steady", "smooth"])
def test_some_loops_append_to_what_they_carry(options: Options) -> None:
    programs = [random_program(seed, options).program for seed in SEEDS]
    assert sum(map(appends, programs)) >= 5


def appends(program: Program) -> bool:
    """Whether a loop in it reads rows of a carry, and hands it on with a new row."""
    inner = [p for e in program.equations for p in all_programs_in(e.params)]
    loops = [e for each in (program, *inner) for e in each.equations if "body" in e.params]
    return any(
        output.equation in body.equations
        and output.equation.primitive.name == "dynamic_update"
        and output.equation.inputs[0] is history
        and any(e.primitive.name == "gather" and e.inputs[0] is history for e in body.equations)
        for loop in loops
        for body in [loop.params["body"]]
        for history, output in zip(
            body.inputs[: loop.params["carry_count"]], body.outputs, strict=False
        )
    )


def test_arrays_are_of_every_sort() -> None:
    arrays = list(all_arrays())
    floats = [array for array in arrays if array.dtype.kind == "f" and array.size]
    tiny = {dtype: np.finfo(dtype).smallest_normal for dtype in ("f4", "f8")}
    assert {array.dtype for array in arrays} == set(SHORT_NAMES)
    assert {length for array in arrays for length in array.shape} >= {0, 1, 2, 3, 4, 5}
    assert {array.ndim for array in arrays} >= {0, 1, 2, 3}
    sorts: list[Callable[[Array], Array]] = [
        np.isnan,
        np.isposinf,
        np.isneginf,
        lambda x: (x == 0) & np.signbit(x),
        lambda x: (x != 0) & (np.absolute(x) < tiny[x.dtype.str[1:]]),
    ]
    for sort in sorts:
        assert any(sort(array).any() for array in floats)
    assert any(0 in array.strides and array.size > 1 for array in arrays)
    assert any(not array.flags.c_contiguous for array in arrays)


def test_tame_arrays_hold_nothing_special() -> None:
    for seed in SEEDS:
        random = random_program(seed, Options(special=False))
        leaves = [v.array for v in all_values(random.program) if v.array is not None]
        assert all(np.isfinite(array).all() for array in [*random.arrays, *leaves])


def test_programs_have_odd_forms() -> None:
    programs = [random_program(seed).program for seed in SEEDS]
    assert any(set(p.inputs) & set(p.outputs) for p in programs)
    assert any(set(p.constants) & set(p.outputs) for p in programs)
    assert any(len(set(p.outputs)) < len(p.outputs) for p in programs)
    assert any(set(r) == {None} for p in programs for r in p.results.values())
    assert any(None in r and set(r) != {None} for p in programs for r in p.results.values())
    assert any(
        one.primitive is other.primitive
        and one.inputs == other.inputs
        and one.params == other.params
        for p in programs
        for one, other in itertools.combinations(p.equations, 2)
    )
    for kind in ("carry_count", "step_count", "length"):
        found = {e.params[kind] for p in programs for e in p.equations if kind in e.params}
        assert {0, 1, 2} <= found


def test_steady_programs_keep_their_numbers_small_or_not_finite() -> None:
    for seed in SEEDS:
        program, arrays = random_program(seed, STEADY)
        for equation, results in program.results.items():
            if equation.primitive.name not in EXACT:
                values = [v for v in results if v is not None and v.dtype.kind == "f"]
                known = Program(program.inputs, program.equations, values)
                for array in run(known, arrays):
                    assert (np.absolute(array[np.isfinite(array)]) <= 100).all()


def test_smooth_programs_hold_floats_of_one_type() -> None:
    for seed in SEEDS:
        random = random_program(seed, SMOOTHLY)
        verify(random.program)
        dtypes = {v.dtype.name for v in all_values(random.program) if v.dtype.kind == "f"}
        assert dtypes <= {"float64"}


# -- making them small --------------------------------------------------------------


@pytest.mark.parametrize("word", ["sin", "top_k", "scan"])
def test_what_shows_a_mistake_is_made_small(word: str) -> None:
    seeds = [seed for seed in SEEDS if word in words_in(random_program(seed).program)]
    for seed in seeds[:5]:

        def says_it(random: RandomProgram) -> None:
            verify(random.program)
            run(random.program, random.arrays)
            needed = Program.under(random.program.outputs, random.program.inputs)
            assert word not in [e.primitive.name for e in needed.equations]

        found = random_program(seed)
        try:
            says_it(found)
        except AssertionError as error:
            small = shrink(found, fails_like(says_it, error))
            assert [e.primitive.name for e in small.program.equations] == [word]
            assert len(small.program.outputs) == 1
            assert set(small.program.inputs) <= {
                *(v for e in small.program.equations for v in e.inputs)
            }


def test_what_shows_no_mistake_stays() -> None:
    found = random_program(3)
    assert shrink(found, lambda _: False) is found
