"""The units of dense layers in parts: the same numbers, and threads that exchange little."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.dtypes import I32, I64
from clearprop.executors.native.dividing import are_better_whole
from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.homes import Buffer, Home, Stripe
from clearprop.executors.native.llvm.machine import this_machine
from clearprop.executors.native.plan import Plan, Repetition
from clearprop.executors.native.units import Divided, Layout, divided_units
from clearprop.ir.meaning import run
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.primitives import (
    add,
    argmax,
    broadcast_to,
    cast,
    divide,
    dot_general,
    exp,
    gather,
    log,
    maximum,
    multiply,
    negate,
    reduce_max,
    reduce_sum,
    reshape,
    sort,
    subtract,
    tanh,
    transpose,
)

Array = np.ndarray[Any, Any]
PLAIN = {"contract": ((1,), (0,)), "batch": ((), ())}
BY_SAMPLE = {"contract": ((0,), (0,)), "batch": ((), ())}
BY_UNIT = {"contract": ((1,), (1,)), "batch": ((), ())}
SIZES = (6, 16, 24, 3)
BATCH, VECTOR_BYTES = 8, 16


def net(sizes: tuple[int, ...] = SIZES, batch: int = BATCH) -> Program:
    """A step of a perceptron as training has it: forward, back, an update; and a report.

    Its inputs are the kernels and the biases, then the samples.
    """
    kernels = [Value(TensorType(pair)) for pair in itertools.pairwise(sizes)]
    biases = [Value(TensorType((units,))) for units in sizes[1:]]
    x = Value(TensorType((batch, sizes[0])))
    reached = [x]
    for kernel, bias in zip(kernels, biases, strict=True):
        product = dot_general(reached[-1], kernel, **PLAIN)
        z = add(product, broadcast_to(bias, shape=product.shape, new_axes=(0,)))
        small = multiply(z, Value.leaf(full(z.shape, 0.1)))
        reached.append(z if kernel is kernels[-1] else maximum(z, small))
    derivative = reached[-1]
    rate_of = {value: Value.leaf(full(value.shape, -1e-2)) for value in [*kernels, *biases]}
    after: dict[Value, Value] = {}
    for number in reversed(range(len(kernels))):
        kernel, bias = kernels[number], biases[number]
        gradient = dot_general(reached[number], derivative, **BY_SAMPLE)
        after[kernel] = add(kernel, multiply(gradient, rate_of[kernel]))
        after[bias] = add(bias, multiply(reduce_sum(derivative, axes=(0,)), rate_of[bias]))
        if number:
            below = dot_general(derivative, kernel, **BY_UNIT)
            derivative = multiply(below, reached[number])
    loss = reduce_sum(multiply(reached[-1], reached[-1]), axes=(0, 1))
    state = [*kernels, *biases]
    return Program.under([*(after[each] for each in state), loss], [*state, x])


def full(shape: tuple[int, ...], number: float) -> Array:
    return np.full(shape, number, np.float32)


def arrays(program: Program, seed: int = 0) -> list[Array]:
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=value.shape) / 4).astype(np.float32) for value in program.inputs]


def told(array: Array, layout: Layout | None, parts: int = 2) -> Array:
    """An array told as a layout says: by what each of its axes is."""
    if layout is None:
        return array
    home = layout.home(Home.plain(Buffer("input", array.nbytes), TensorType.of(array)), parts)
    strides = [each * array.itemsize for each in home.strides]
    return np.lib.stride_tricks.as_strided(np.ascontiguousarray(array), home.type.shape, strides)


def divided(program: Program, carried: int) -> Divided:
    found = divided_units(program, carried, 2, VECTOR_BYTES)
    assert found is not None
    return found


def agrees(program: Program, carried: int, found: Divided) -> None:
    """Whether the Program in parts gives what the whole one gives."""
    given = arrays(program)
    layouts = [*found.layouts, *([None] * (len(program.inputs) - carried))]
    mine = [np.array(told(a, layout)) for a, layout in zip(given, layouts, strict=True)]
    layouts = [*found.layouts, *([None] * (len(program.outputs) - carried))]
    for one, whole, layout in zip(
        run(found.program, mine), run(program, given), layouts, strict=True
    ):
        np.testing.assert_allclose(one, told(whole, layout), rtol=1e-5, atol=1e-6)


# -- the Program ---------------------------------------------------------------------------------


def test_a_perceptron_in_parts_gives_the_same() -> None:
    program = net()
    found = divided(program, 6)
    agrees(program, 6, found)
    # Columns of the first two kernels; the last one has too few, so its rows follow the units.
    kernels, biases = found.layouts[:3], found.layouts[3:]
    assert kernels == (Layout(1), Layout(1, frozenset({0})), Layout(0))
    assert biases == (Layout(0), Layout(0), None)


def test_parts_exchange_units_and_sums_over_units() -> None:
    found = divided(net(), 6)
    first, second, last = SIZES[1:]
    assert sorted(found.exchanged.values()) == sorted([
        4 * BATCH * first // 2,  # what the second layer reads of the first one's other units
        4 * BATCH * first // 2,  # the other part's terms of the derivatives by them
        4 * BATCH * last,  # its terms of the last layer's results
    ])
    assert second not in {value.shape[-1] for value in found.exchanged}


@pytest.mark.parametrize(
    ("sizes", "layouts"),
    [
        ((6, 16, 15, 3), (Layout(1), Layout(0), None)),  # an odd number of units stays whole
        ((6, 15, 16, 16), (None, Layout(1), Layout(1, frozenset({0})))),
        ((6, 18, 4), (Layout(1), Layout(0))),  # of 4 units each half would need a vector, too
    ],
)
def test_layers_stay_whole_whose_units_cannot_be_divided(
    sizes: tuple[int, ...], layouts: tuple[Layout | None, ...]
) -> None:
    program = net(sizes)
    carried = len(program.inputs) - 1
    found = divided(program, carried)
    assert found.layouts[: len(layouts)] == layouts
    agrees(program, carried, found)


def weights_and_samples() -> tuple[Value, Value, Value]:
    w, x = Value(TensorType((6, 16))), Value(TensorType((8, 6)))
    return w, x, dot_general(x, w, **PLAIN)


@pytest.mark.parametrize("way", ["moved", "told with axes of length 1", "summed over units"])
def test_what_is_made_of_units_follows_them(way: str) -> None:
    w, x, units = weights_and_samples()
    if way == "moved":
        made = dot_general(transpose(units, order=(1, 0)), x, **PLAIN)
        gradient = transpose(made, order=(1, 0))
    elif way == "told with axes of length 1":
        wide = reshape(units, shape=(8, 1, 16, 1))
        gradient = dot_general(x, reshape(negate(wide), shape=(8, 16)), **BY_SAMPLE)
    else:  # as for the norm of a gradient
        total = reduce_sum(units, axes=(0, 1))
        spread = broadcast_to(total, shape=(8, 16), new_axes=(0, 1))
        gradient = dot_general(x, multiply(units, spread), **BY_SAMPLE)
    program = Program.under([subtract(w, gradient)], [w, x])
    found = divided(program, 1)
    assert found.layouts == (Layout(1),)
    agrees(program, 1, found)


@pytest.mark.parametrize("way", ["sorted", "reduced", "reshaped", "reported"])
def test_what_needs_all_units_keeps_them_whole(way: str) -> None:
    w, x, units = weights_and_samples()
    outputs = {
        "sorted": [sort(w, axis=1)],
        "reduced": [broadcast_to(reduce_max(units, axes=(0, 1)), shape=w.shape, new_axes=(0, 1))],
        "reshaped": [reshape(reshape(units, shape=(128,)), shape=(8, 16))],
        "reported": [w, units],
    }[way]
    if way in {"reduced", "sorted"}:
        outputs = [add(w, outputs[0]), reduce_sum(units, axes=(0, 1))]
    assert divided_units(Program.under(outputs, [w, x]), 1, 2, VECTOR_BYTES) is None


def classifier(batch: int, features: int, units: int = 16, classes: int = 3) -> tuple[Program, int]:
    """A step whose samples are gathered, with a softmax; and how many inputs are carried."""
    w, v = Value(TensorType((features, units))), Value(TensorType((units, classes)))
    data, rows = Value(TensorType((2 * batch, features))), Value(TensorType((batch,), I64))
    x = gather(data, rows, axis=0)
    hidden = tanh(dot_general(x, w, **PLAIN))
    logits = dot_general(hidden, v, **PLAIN)
    highest = broadcast_to(reduce_max(logits, axes=(1,)), shape=logits.shape, new_axes=(1,))
    powers = exp(subtract(logits, highest))
    total = broadcast_to(reduce_sum(powers, axes=(1,)), shape=logits.shape, new_axes=(1,))
    shares = divide(powers, total)
    below = multiply(dot_general(shares, v, **BY_UNIT), hidden)
    after = [
        subtract(w, dot_general(x, below, **BY_SAMPLE)),
        subtract(v, dot_general(hidden, shares, **BY_SAMPLE)),
    ]
    loss = reduce_sum(log(total), axes=(0, 1))
    count = reduce_sum(cast(argmax(logits, axis=1), dtype=I32), axes=(0,))
    return Program.under([*after, loss, count], [w, v, rows, data]), 2


def classified(program: Program, batch: int) -> list[Array]:
    """Inputs of it."""
    rng = np.random.default_rng(0)
    w, v, data = (
        (rng.normal(size=each.shape) / 8).astype(np.float32)
        for each in (*program.inputs[:2], program.inputs[3])
    )
    return [w, v, rng.integers(0, 2 * batch, batch), data]


@pytest.mark.parametrize(("batch", "features", "is_large"), [(8, 5, False), (64, 512, True)])
def test_large_batches_are_gathered_in_parts(batch: int, features: int, is_large: bool) -> None:
    program, carried = classifier(batch, features)
    found = divided(program, carried)
    (gathered,) = (e for e in found.program.equations if e.primitive.name == "gather")
    shape = (2, batch // 2, features) if is_large else (batch, features)
    assert gathered.types[0].shape == shape
    assert found.layouts == (Layout(1), Layout(0))
    sizes = {value.type.size_bytes for value in found.exchanged}
    assert (4 * batch * features in sizes) == is_large
    w, v, rows, data = classified(program, batch)
    whole = run(program, [w, v, rows, data])
    mine = run(found.program, [*map(told, (w, v), found.layouts), rows, data])
    for one, other, layout in zip(mine, whole, [*found.layouts, None, None], strict=True):
        np.testing.assert_allclose(one, told(other, layout), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("classes", [10, 16, 32])
@pytest.mark.parametrize("batch", [8, 64])
def test_the_results_of_the_last_layer_stay_together(batch: int, classes: int) -> None:
    program, carried = classifier(batch, 512, 32, classes)
    found = divided(program, carried)
    assert found.layouts == (Layout(1), Layout(0))


def test_images_are_gathered_in_parts_and_flattened() -> None:
    w, data = Value(TensorType((784, 16))), Value(TensorType((256, 28, 28)))
    rows = Value(TensorType((64,), I64))
    x = reshape(gather(data, rows, axis=0), shape=(64, 784))
    units = dot_general(x, w, **PLAIN)
    program = Program.under([subtract(w, dot_general(x, units, **BY_SAMPLE))], [w, rows, data])
    found = divided(program, 1)
    assert found.layouts == (Layout(1),)
    assert any(e.types[0].shape == (2, 32, 784) for e in found.program.equations)


def test_products_with_themselves_read_all_units() -> None:
    w, x, units = weights_and_samples()
    square = dot_general(units, units, **BY_UNIT)
    gradient = dot_general(x, dot_general(square, units, **PLAIN), **BY_SAMPLE)
    program = Program.under([subtract(w, gradient)], [w, x])
    agrees(program, 1, divided(program, 1))


def test_nothing_is_divided_where_no_layer_has_weights_that_are_carried() -> None:
    program = net()
    assert divided_units(program, 0, 2, VECTOR_BYTES) is None


def test_samples_are_divided_where_less_is_exchanged_that_way() -> None:
    few, many = net((64, 64, 64, 2), 32), net((64, 64, 64, 2), 512)
    assert not are_better_whole(few, divided(few, 6))
    assert are_better_whole(many, divided(many, 6))
    whole = net((64, 65, 64, 2), 32)  # each thread would compute the first layer
    assert are_better_whole(whole, divided(whole, 6))


# -- the code ------------------------------------------------------------------------------------

TRAINED = (30, 64, 64, 2)


def loop(threads: int, instructions: str | None = None, **changes: int) -> Compiled:
    program = net(TRAINED, 32)
    machine = replace(this_machine(instructions), **changes)
    return Compiled(program, machine, (6, 1), threads, together=threads > 1)


def rounds(count: int) -> list[Array]:
    state = arrays(net(TRAINED, 32))[:6]
    rng = np.random.default_rng(1)
    return [*state, rng.normal(size=(count, 32, TRAINED[0])).astype(np.float32)]


def body_of(plan: Plan) -> Plan:
    (repetition,) = (each for each in plan.steps if isinstance(each, Repetition))
    return repetition.plan


def test_each_thread_has_its_part_of_the_weights() -> None:
    replicas = body_of(loop(2).plan).replicas
    assert replicas is not None
    by_size = {buffer.size_bytes: stripe for buffer, stripe in replicas.parts.items()}
    assert by_size == {
        4 * 30 * 64: Stripe(128, 256),  # half of each row
        4 * 64 * 64: Stripe(128, 256),
        4 * 64 * 2: Stripe(256),  # half of the rows
        4 * 64: Stripe(128),
    }
    assert len(replicas.carried) == 6
    assert len(replicas.parts) == 5  # all but the last bias, which each thread has as a whole


@pytest.mark.parametrize("instructions", [None, "avx2", "sse"])
@pytest.mark.parametrize("threads", [2, 3, 8])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_have_the_same_bits_with_any_number_of_threads(
    count: int, threads: int, instructions: str | None
) -> None:
    one, several = loop(1, instructions), loop(threads, instructions)
    for _ in range(4):  # in all ways that ``pace`` tries
        for mine, theirs in zip(several(rounds(count)), one(rounds(count)), strict=True):
            assert mine.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("instructions", [None, "avx2"])
def test_batches_in_parts_give_the_same_bits_too(instructions: str | None) -> None:
    batch, features, count = 64, 512, 3
    program, carried = classifier(batch, features, 64, 10)
    machine = this_machine(instructions)
    one, two = (
        Compiled(program, machine, (carried, 1), threads, together=threads > 1)
        for threads in (1, 2)
    )
    assert body_of(two.plan).replicas is not None
    w, v, rows, data = classified(program, batch)
    given = [w, v, np.stack([rows, rows[::-1], rows]), data]
    for _ in range(4):
        results = two(given)
        for mine, theirs in zip(results, one(given), strict=True):
            assert mine.tobytes() == theirs.tobytes()
    state = [w, v]
    for number in range(count):
        *state, loss, _ = run(program, [*state, given[2][number], data])
    for mine, theirs in zip(results, [*state, loss], strict=False):
        last = mine[-1] if mine.ndim == 1 else mine
        np.testing.assert_allclose(last, theirs, rtol=2e-4, atol=1e-4)


def test_they_are_those_of_the_definition() -> None:
    count = 5
    given = rounds(count)
    state, losses = given[:6], []
    for x in given[6]:
        *state, loss = run(net(TRAINED, 32), [*state, x])
        losses.append(loss)
    for mine, theirs in zip(loop(2)(given), [*state, np.array(losses)], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=2e-5, atol=1e-6)


def test_equal_programs_have_equal_code() -> None:
    texts, kept = set[str](), list[object]()
    for number in range(4):
        kept += [bytearray(1000 * number) for _ in range(50)]  # so that addresses differ
        kept.append(compiled := loop(2))
        texts.add(compiled.text)
    assert len(texts) == 1


def test_what_threads_exchange_may_pass_the_caches() -> None:
    together = loop(2)
    assert together.blueprint.exchanges == this_machine().is_x86
    assert ("!nontemporal" in together.text) == this_machine().is_x86
    assert not loop(1).blueprint.exchanges


def test_units_are_not_divided_whose_state_does_not_fit_into_the_second_cache() -> None:
    one, two = loop(1, level2_bytes=4 << 10), loop(2, level2_bytes=4 << 10)
    assert body_of(two.plan).replicas is None
    for mine, theirs in zip(two(rounds(3)), one(rounds(3)), strict=True):
        assert mine.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adamw"])
@pytest.mark.parametrize("regular", [False, True])
def test_models_train_to_the_same_bits_with_any_number_of_threads(
    optimizer: str, regular: bool
) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 30)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)
    found = []
    regularizer = cp.regularizers.L2(1e-3) if regular else None
    for threads in (1, 2):
        model = cp.Sequential([
            cp.layers.Dense(64, activation="relu", kernel_regularizer=regularizer),
            cp.layers.Dropout(0.2 if regular else 0.0),
            cp.layers.Dense(64, activation="tanh"),
            cp.layers.Dense(2),
        ])  # fmt: skip
        loss = cp.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, loss, threads=threads)
        cp.set_seed(0)
        model.fit(x, y, batch_size=32, epochs=3, verbose=0)
        found.append(model.get_weights())
    for mine, theirs in zip(*found, strict=True):
        assert mine.tobytes() == theirs.tobytes()
