"""Small steps of training: all kernels divide the samples alike, and threads hardly wait."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.executors.native import samples as dividing
from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.llvm.machine import this_machine
from clearprop.executors.native.pace import Pace, Way
from clearprop.executors.native.plan import Bundle, Repetition
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.primitives import add, convolution, dot_general, maximum, multiply, reverse, tanh
from tests.support import convolutions

PLAIN = {"contract": ((1,), (0,)), "batch": ((), ())}


def layers(batch: int, units: int) -> tuple[Program, set[Value]]:
    """Two layers and the gradient of the second's weights; and the inputs that have a row each."""
    x, v, w = (Value(TensorType(s)) for s in ((batch, units), (units, units), (units, units)))
    hidden = dot_general(x, v, **PLAIN)
    hidden = maximum(hidden, multiply(hidden, hidden))
    output = dot_general(hidden, w, **PLAIN)
    gradient = dot_general(hidden, output, contract=((0,), (0,)), batch=((), ()))
    return Program.under([v, gradient, output], [v, x, w]), {x}


def test_the_samples_are_found_through_all_layers() -> None:
    program, rows = layers(32, 64)
    found = dividing.divided_samples(program, rows)
    assert found is not None
    assert (found.number, found.tasks) == (32, 2)
    shapes = sorted(value.shape for value in found.values)
    assert shapes == [(32, 64)] * 5  # the images, two products, and what lies between them


@pytest.mark.parametrize(
    ("batch", "units", "why"),
    [
        (6, 200, "too few for each task"),
        (16, 16, "so little work that threads would only wait"),
        (512, 512, "so much that they may wait"),
    ],
)
def test_others_are_not_divided(batch: int, units: int, why: str) -> None:
    program, rows = layers(batch, units)
    assert dividing.divided_samples(program, rows) is None, why


def test_products_of_something_else_are_not_divided() -> None:
    program, rows = layers(32, 64)
    x, y = Value(TensorType((64, 64))), Value(TensorType((64, 64)))
    others = Program.under([*program.outputs, dot_general(x, y, **PLAIN)], [*program.inputs, x, y])
    assert dividing.divided_samples(others, rows) is None


def model_of(threads: int, optimizer: str) -> cp.Model:
    model = cp.models.mlp((30,), 3, (64, 48))
    loss = cp.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], threads=threads)
    return model


def trained(threads: int, optimizer: str, batch: int) -> list[np.ndarray[Any, Any]]:
    """Weights after two epochs, the last batch of another size, and the losses."""
    cp.set_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5 * batch + 7, 30)).astype(np.float32)
    y = rng.integers(0, 3, len(x))
    model = model_of(threads, optimizer)
    history = model.fit(x, y, batch_size=batch, epochs=2, verbose=0)
    return [*model.get_weights(), np.array(history.history["loss"])]


@pytest.mark.parametrize("batch", [32, 40, 33, 25, 50, 100])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_training_gives_the_same_bits_with_any_number_of_threads(
    optimizer: str, batch: int
) -> None:
    one = trained(1, optimizer, batch)
    for threads in (2, 3):
        for mine, theirs in zip(trained(threads, optimizer, batch), one, strict=True):
            assert mine.tobytes() == theirs.tobytes()


def test_a_step_is_one_bundle_and_the_updates() -> None:
    program, _ = layers(32, 64)
    together = Compiled(program, this_machine(), (1, 1), 2, together=True)
    (repetition,) = (s for s in together.plan.steps if isinstance(s, Repetition))
    (bundle,) = (step for step in repetition.plan.steps if isinstance(step, Bundle))
    assert bundle.tasks == 2
    assert [kernel.label for kernel in bundle.kernels].count("dot_general") == 3
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s).astype(np.float32) for s in ((64, 64), (3, 32, 64), (64, 64))]
    alone = Compiled(program, this_machine(), (1, 1), 1)
    for mine, theirs in zip(together(arrays), alone(arrays), strict=True):
        assert mine.tobytes() == theirs.tobytes()


# -- recurrences ---------------------------------------------------------------------------


def recurrence(batch: int, units: int) -> tuple[Program, Value, Value, Value]:
    """A round: units that read an input and themselves; and what is carried, the input, weights."""
    h, x, w = (Value(TensorType(s)) for s in ((batch, units), (batch, units), (units, units)))
    after = tanh(add(dot_general(h, w, **PLAIN), x))
    return Program.under([after, h], [h, x, w]), h, x, w


@pytest.mark.parametrize(
    ("batch", "tasks"), [(16, 2), (32, 2), (33, 2), (48, 2), (64, 4), (65, 2), (1024, 16)]
)
def test_a_recurrence_divides_its_samples(batch: int, tasks: int) -> None:
    program, h, x, w = recurrence(batch, 64)
    carried = [(h, program.outputs[0])]
    found = dividing.recurrent_samples(this_machine(), program, {x}, carried, {w})
    assert found is not None
    assert (found.number, found.tasks) == (batch, tasks)
    assert {h, x, program.outputs[0]} <= found.values
    assert w not in found.values


def test_what_is_no_recurrence_of_samples_is_not_divided() -> None:
    program, h, x, w = recurrence(64, 64)
    carried = [(h, program.outputs[0])]

    def found(program: Program, carried: list[tuple[Value, Value]], lasting: set[Value]) -> object:
        return dividing.recurrent_samples(this_machine(), program, {x}, carried, lasting)

    assert found(program, carried, {w})
    assert not found(program, [], {w})  # nothing is carried
    assert not found(program, carried, set())  # weights that a round may change
    turned = dot_general(h, w, contract=((0,), (0,)), batch=((), ()))  # it sums over samples
    assert not found(Program.under([turned], [h, x, w]), [(h, turned)], {w})
    much = Value(TensorType((64, 1 << 20)))  # weights that are too many for the cache
    most = dot_general(h, much, **PLAIN)
    assert not found(Program.under([most], [h, x, much]), [(h, h)], {much})
    images, kernel = Value(TensorType((64, 8, 8, 4))), Value(TensorType((3, 3, 4, 8)))
    seen = convolution(images, kernel, **convolutions.PLAIN)
    assert not found(Program.under([seen], [images, kernel]), [(images, images)], {kernel})


@pytest.mark.parametrize("batch", [9, 17, 33, 50])
def test_samples_that_are_no_even_number_are_divided_as_well_as_possible(batch: int) -> None:
    program, *_ = layers(batch, 64)
    rng = np.random.default_rng(0)
    shapes = ((64, 64), (3, batch, 64), (64, 64))
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    together = Compiled(program, this_machine(), (1, 1), 2, together=True)
    (repetition,) = (s for s in together.plan.steps if isinstance(s, Repetition))
    assert [s.tasks for s in repetition.plan.steps if isinstance(s, Bundle)] == [2]
    alone = Compiled(program, this_machine(), (1, 1), 1)
    for mine, theirs in zip(together(arrays), alone(arrays), strict=True):
        assert mine.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_each_task_of_a_recurrence_runs_all_rounds_by_itself(threads: int) -> None:
    program, *_ = recurrence(64, 48)
    together = Compiled(program, this_machine(), (1, 1), threads, together=True)
    (repetition,) = (s for s in together.plan.steps if isinstance(s, Repetition))
    assert repetition.plan.is_apart
    assert "each of 4 tasks runs all of them by itself" in together.explain()
    rng = np.random.default_rng(0)
    shapes = ((64, 48), (7, 64, 48), (48, 48))
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    alone = Compiled(program, this_machine(), (1, 1), 1)
    for mine, theirs in zip(together(arrays), alone(arrays), strict=True):
        assert mine.tobytes() == theirs.tobytes()


def test_long_sums_that_are_cut_keep_their_order() -> None:
    h, x, w = (Value(TensorType(s)) for s in ((128, 64), (128, 2048), (2048, 64)))
    program = Program.under([add(dot_general(x, w, **PLAIN), h)], [h, x, w])
    rng = np.random.default_rng(0)
    shapes = ((128, 64), (3, 128, 2048), (2048, 64))
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    (one,) = Compiled(program, this_machine(), (1, 1), 1)(arrays)
    (two,) = Compiled(program, this_machine(), (1, 1), 2, together=True)(arrays)
    assert one.tobytes() == two.tobytes()


def test_what_mixes_samples_between_rounds_is_waited_for() -> None:
    h, x, w = (Value(TensorType(s)) for s in ((64, 48), (64, 48), (48, 48)))
    after = add(dot_general(h, w, **PLAIN), reverse(x, axes=(0,)))
    program = Program.under([multiply(after, reverse(after, axes=(0,)))], [h, x, w])
    together = Compiled(program, this_machine(), (1, 1), 2, together=True)
    (repetition,) = (s for s in together.plan.steps if isinstance(s, Repetition))
    assert not repetition.plan.is_apart
    rng = np.random.default_rng(0)
    shapes = ((64, 48), (5, 64, 48), (48, 48))
    arrays = [rng.normal(size=shape).astype(np.float32) / 8 for shape in shapes]
    alone = Compiled(program, this_machine(), (1, 1), 1)
    for mine, theirs in zip(together(arrays), alone(arrays), strict=True):
        assert mine.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("layer", ["LSTM", "GRU", "SimpleRNN"])
def test_recurrent_nets_train_to_the_same_bits_with_any_number_of_threads(layer: str) -> None:
    def trained(threads: int) -> list[np.ndarray[Any, Any]]:
        cp.set_seed(0)
        rng = np.random.default_rng(0)
        x = rng.normal(size=(70, 6, 5)).astype(np.float32)
        y = rng.integers(0, 3, len(x))
        recurrent = getattr(cp.layers, layer)(24, return_sequences=True)
        last = cp.layers.Bidirectional(cp.layers.LSTM(16))
        model = cp.Sequential([cp.Input((6, 5)), recurrent, last, cp.layers.Dense(3)])
        loss = cp.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, threads=threads)
        for batch in (32, 35):
            history = model.fit(x, y, batch_size=batch, epochs=2, verbose=0)
        return [*model.get_weights(), np.array(history.history["loss"])]

    one = trained(1)
    for threads in (2, 4):
        for mine, theirs in zip(trained(threads), one, strict=True):
            assert mine.tobytes() == theirs.tobytes()


# -- how many threads ----------------------------------------------------------------------


def run(pace: Pace, seconds: dict[int, float], calls: int) -> list[int]:
    """With how many threads so many calls run, if a round takes so long with each number."""
    ways = {Way(threads): each for threads, each in seconds.items()}
    return [way.threads for way in run_ways(pace, ways, calls)]


def run_ways(pace: Pace, seconds: dict[Way, float], calls: int) -> list[Way]:
    """The ways of so many calls, if a round takes so long in each of them."""
    chosen = []
    for _ in range(calls):
        way = pace.choose()
        pace.note(way, 1000, 1000 * seconds[way])
        chosen.append(way)
    return chosen


def test_several_threads_work_where_they_are_faster() -> None:
    chosen = run(Pace(4), {1: 20e-6, 4: 10e-6}, 100)
    assert chosen[:2] == [4, 1]
    assert set(chosen[2:]) == {4}


@pytest.mark.parametrize(("seconds", "calls"), [(20.02e-6, 4), (21e-6, 10), (50e-6, 128)])
def test_the_slower_way_is_tried_now_and_then_the_more_often_the_less_it_costs(
    seconds: float, calls: int
) -> None:
    chosen = run(Pace(2), {1: 20e-6, 2: seconds}, 400)
    tries = [number for number, threads in enumerate(chosen) if threads == 2]
    between = [after - before - 1 for before, after in itertools.pairwise(tries)]
    assert between == sorted(between)  # soon at first: it may have been disturbed
    assert between[-1] == calls


def test_what_threads_exchange_passes_the_caches_where_that_is_faster() -> None:
    pace, near, far = Pace(2, exchanges=True), Way(2), Way(2, by_memory=True)
    chosen = run_ways(pace, {near: 10e-6, far: 11e-6, Way(1): 15e-6}, 60)
    assert chosen[:4] == [near, far, Way(1), near]
    assert chosen[4:].count(near) >= 50
    chosen = run_ways(pace, {near: 14e-6, far: 12e-6, Way(1): 15e-6}, 60)
    assert chosen[-50:].count(far) >= 45


def test_one_thread_is_not_tried_where_rounds_are_long() -> None:
    near, far = Way(2), Way(2, by_memory=True)
    pace = Pace(2, is_brief=False, exchanges=True)
    assert set(run_ways(pace, {near: 1e-3, far: 1e-3}, 100)) == {near, far}


def test_the_choice_follows_the_machine() -> None:
    pace = Pace(2)
    run(pace, {1: 20e-6, 2: 10e-6}, 10)
    assert run(pace, {1: 20e-6, 2: 40e-6}, 10)[2:6] == [1, 1, 1, 1]
    assert set(run(pace, {1: 20e-6, 2: 10e-6}, 20)[-5:]) == {2}


def test_one_disturbed_call_decides_nothing() -> None:
    pace = Pace(2)
    run(pace, {1: 20e-6, 2: 10e-6}, 10)
    assert run(pace, {1: 20e-6, 2: 90e-6}, 1) == [2]
    assert set(run(pace, {1: 20e-6, 2: 10e-6}, 10)) == {2}
