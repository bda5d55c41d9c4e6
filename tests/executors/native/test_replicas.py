"""Loops of brief steps whose state each thread has for itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.homes import Buffer, Home, Stripe
from clearprop.executors.native.kernels.kernel import Kernel
from clearprop.executors.native.llvm.machine import this_machine
from clearprop.executors.native.plan import Bundle, Plan, Repetition, Step
from clearprop.executors.native.replicas import give_places, replicas_of, twice
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.primitives import (
    add,
    dot_general,
    maximum,
    multiply,
    reduce_sum,
    scan,
    subtract,
    tanh,
)

Array = np.ndarray[Any, Any]
ROUNDS, BATCH, UNITS = 5, 32, 63  # an odd number of units is not divided


def step() -> Program:
    """Two layers, the update of their weights, and reports: of all samples, and of each."""
    w, v, x = (Value(TensorType(s)) for s in ((UNITS, UNITS), (UNITS, UNITS), (BATCH, UNITS)))
    plain = {"contract": ((1,), (0,)), "batch": ((), ())}
    by_sample = {"contract": ((0,), (0,)), "batch": ((), ())}
    hidden = tanh(dot_general(x, w, **plain))
    output = dot_general(maximum(hidden, multiply(hidden, hidden)), v, **plain)
    below = dot_general(x, output, **by_sample)
    above = dot_general(hidden, output, **by_sample)
    rate = Value.leaf(np.full((UNITS, UNITS), 1e-3, np.float32))
    after = [subtract(w, multiply(below, rate)), subtract(v, multiply(above, rate))]
    reports = [reduce_sum(output, axes=(0, 1)), reduce_sum(output, axes=(1,))]
    return Program.under([*after, *reports], [w, v, x])


def arrays(rounds: int = ROUNDS) -> list[Array]:
    rng = np.random.default_rng(0)
    shapes = ((UNITS, UNITS), (UNITS, UNITS), (rounds, BATCH, UNITS))
    return [(rng.normal(size=shape) / 8).astype(np.float32) for shape in shapes]


def compiled(threads: int, **changes: int) -> Compiled:
    machine = replace(this_machine(), **changes)
    return Compiled(step(), machine, (2, 1), threads, together=threads > 1)


def loop_of(plan: Plan) -> Repetition:
    (repetition,) = (each for each in plan.steps if isinstance(each, Repetition))
    return repetition


def test_each_thread_has_the_weights_for_itself() -> None:
    together = compiled(2)
    replicas = loop_of(together.plan).plan.replicas
    assert replicas is not None
    assert [each.size_bytes for each in replicas.carried] == [4 * UNITS * UNITS] * 2
    assert len(replicas.reports) == 1  # each task writes its own part of the other one
    assert sorted(each.kind for each in replicas.shared)[-2:] == ["turn", "turn"]
    assert "in each thread, in its own memory" in together.explain()
    assert together.blueprint.slot_bytes >= replicas.size_bytes


@pytest.mark.parametrize("threads", [2, 3, 4, 8])
@pytest.mark.parametrize("rounds", [1, 2, ROUNDS])
def test_results_have_the_same_bits_with_any_number_of_threads(rounds: int, threads: int) -> None:
    one, several = compiled(1), compiled(threads)
    for _ in range(3):  # a call finds what the one before has left in the threads' memory
        for mine, theirs in zip(several(arrays(rounds)), one(arrays(rounds)), strict=True):
            assert mine.tobytes() == theirs.tobytes()


def test_one_thread_runs_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    one, several = compiled(1), compiled(2)
    monkeypatch.setattr("clearprop.executors.native.team.Team.acquire", lambda self: False)
    for mine, theirs in zip(several(arrays()), one(arrays()), strict=True):
        assert mine.tobytes() == theirs.tobytes()


def test_no_rounds_change_nothing() -> None:
    given = arrays(0)
    after = compiled(2)(given)
    for mine, theirs in zip(after[:2], given[:2], strict=True):
        assert mine.tobytes() == theirs.tobytes()
    assert [each.shape for each in after[2:]] == [(0,), (0, BATCH)]


def test_a_loop_in_a_loop_begins_with_what_the_last_one_left() -> None:
    body = step()
    w, v, x = (Value(each.type) for each in body.inputs)
    rows = Value(TensorType((ROUNDS, *x.shape)))
    results = scan(body, [w, v], [rows], [], length=ROUNDS)
    program = Program.under([*results[:2], *results[2:]], [w, v, rows])
    one = Compiled(program, this_machine(), (2, 1), 1)
    two = Compiled(program, this_machine(), (2, 1), 2, together=True)
    (inner,) = (s for s in loop_of(two.plan).plan.steps if isinstance(s, Repetition))
    assert inner.plan.replicas is not None
    w0, v0, each = arrays()
    given = [w0, v0, np.stack([each, each[::-1]])]
    for mine, theirs in zip(two(given), one(given), strict=True):
        assert mine.tobytes() == theirs.tobytes()


def test_state_beyond_the_second_cache_is_shared() -> None:
    assert loop_of(compiled(2, level2_bytes=16 << 10).plan).plan.replicas is None


def test_one_thread_alone_needs_no_replicas() -> None:
    assert loop_of(compiled(1).plan).plan.replicas is None


# -- what they have for themselves -------------------------------------------------------------


def kernel(reads: list[Buffer], writes: list[Buffer], tasks: int = 2) -> Kernel:
    type_, span = TensorType((64,)), Stripe(64) if tasks > 1 else None
    homes = tuple(Home.plain(buffer, type_) for buffer in [*reads, *writes])
    written = tuple(buffer in writes for buffer in [*reads, *writes])
    spans = (span,) * len(homes)
    return Kernel("k", "k", homes, written, spans, tasks, 1000, 1e-6, by_samples=tasks > 1)


def test_threads_share_what_tasks_write_for_all() -> None:
    data, weights = Buffer("input", 128), Buffer("output", 128)
    own, part, slot = Buffer("arena", 128), Buffer("arena", 128), Buffer("slot", 64)
    report, loss = Buffer("row", 128), Buffer("row", 4)
    bundle = Bundle([
        kernel([data, weights], [own]), kernel([own], [slot]), kernel([slot], [part, report]),
    ])  # fmt: skip
    steps: list[Step] = [bundle, kernel([part, weights], [weights, loss], tasks=1)]
    found = replicas_of(steps, 2, [weights], {own, part})
    assert found is not None
    assert found.shared == {part, report}
    assert found.reports == {loss}
    assert found.parts == {}
    arena = Buffer("arena", 300)
    give_places(found, arena, 100)
    assert found.places == {arena: 128, weights: 448, loss: 576}
    assert found.size_bytes == 4096
    assert arena.size_bytes == 0


def test_threads_have_parts_of_what_tasks_update() -> None:
    weights, bias, part = Buffer("output", 128), Buffer("output", 64), Buffer("arena", 128)
    steps: list[Step] = [
        Bundle([kernel([weights], [part]), kernel([part], [weights])]),
        kernel([part], [bias], tasks=1),
    ]
    found = replicas_of(steps, 2, [weights, bias], {part})
    assert found is not None
    assert found.parts == {weights: Stripe(64)}
    assert found.shared == {part}  # all read it for the bias


def test_what_tasks_update_in_unequal_parts_is_shared() -> None:
    weights, part = Buffer("output", 112), Buffer("arena", 112)  # 64 bytes and 48
    steps: list[Step] = [Bundle([kernel([weights], [part]), kernel([part], [weights])])]
    assert replicas_of(steps, 2, [weights], {part}) is None


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_sums_over_rows_that_are_carried_with_an_odd_number_of_samples(threads: int) -> None:
    w, h, x = (Value(TensorType(s)) for s in ((64, 64), (33, 64), (33, 64)))
    t = Value(TensorType((64,)))
    after = tanh(add(x, dot_general(h, w, contract=((1,), (0,)), batch=((), ()))))
    body = Program.under([after, add(t, reduce_sum(after, axes=(0,)))], [h, t, x, w])
    rng = np.random.default_rng(0)
    given = [
        (rng.normal(size=s) / 8).astype(np.float32)
        for s in ((33, 64), (64,), (6, 33, 64), (64, 64))
    ]
    machine = this_machine()
    several = Compiled(body, machine, (2, 1), threads, together=threads > 1)
    for mine, theirs in zip(several(given), Compiled(body, machine, (2, 1), 1)(given), strict=True):
        assert mine.tobytes() == theirs.tobytes()


def test_updates_that_happen_to_have_as_many_tasks_are_computed_by_all() -> None:
    weights, part = Buffer("output", 128), Buffer("arena", 128)
    bundle, update = Bundle([kernel([weights], [part])]), kernel([part], [weights])
    found = replicas_of([bundle, replace(update, by_samples=False)], 2, [weights], {part})
    assert found is not None
    assert found.parts == {}
    found = replicas_of([bundle, update], 2, [weights], {part})
    assert found is not None
    assert list(found.parts) == [weights]


@pytest.mark.parametrize("why", ["carried and shared", "both", "no tasks", "elsewhere", "inner"])
def test_otherwise_they_share_all(why: str) -> None:
    weights, part, other = Buffer("output", 128), Buffer("arena", 128), Buffer("arena", 128)
    first, last = kernel([weights], [part]), kernel([part], [weights], tasks=1)
    steps: list[Step] = [Bundle([first, kernel([part], [other])]), last]
    assert replicas_of(steps, 2, [weights], {part, other}) is not None
    changed: dict[str, list[Step]] = {
        "carried and shared": [kernel([part], [weights]), kernel([weights], [other], tasks=1)],
        "both": [*steps, kernel([weights], [part], tasks=1)],
        "no tasks": [kernel([weights], [part], tasks=1), last],
        "elsewhere": [*steps, kernel([part], [Buffer("arena", 8)])],  # not the plan's own
        "inner": [*steps, Repetition(Plan(), 2, reverse=False, rows=[])],
    }
    assert replicas_of(changed[why], 2, [weights], {part, other}) is None


def test_parts_that_threads_exchange_are_there_twice() -> None:
    part = Buffer("arena", 100)
    both = twice(part)
    assert both.size_bytes == 256
    assert (part.kind, part.whole, part.number, part.row_bytes) == ("turn", both, 0, 128)
