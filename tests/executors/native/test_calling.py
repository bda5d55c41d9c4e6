"""Calls see the arrays as they are at the time of the call."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.llvm.machine import this_machine
from clearprop.executors.native.plan import Preparation
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.primitives import add, multiply
from tests.executors.native.test_keys import sums
from tests.support.native_programs import one_word


@pytest.mark.parametrize("shape", [(3, 4), (300, 400)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_view_that_is_read_only_shows_what_is_written_below(
    shape: tuple[int, int], order: str
) -> None:
    call = Compiled(sums(shape=shape), this_machine())
    whole = np.ones(shape, np.float32, order="F" if order == "F" else "C")
    view = whole[:]
    view.flags.writeable = False
    for value in (1, 5):
        whole[...] = value
        np.testing.assert_array_equal(call([view])[0], np.full(shape[1], 2 * value * shape[0]))


def counting_loop(size: int) -> Compiled:
    """A loop that adds its rows to what it carries."""
    carry, row = (Value(TensorType((size,), np.dtype("f4"))) for _ in range(2))
    body = Program.under([add(carry, row)], [carry, row])
    return Compiled(body, this_machine(), (1, 1))


def test_what_a_loop_gave_stays_as_long_as_somebody_has_it() -> None:
    size = 100_000
    call, rows = counting_loop(size), np.ones((2, size), np.float32)
    start = np.zeros(size, np.float32)
    (first,) = call([start, rows])
    view = call([first, rows])[0][5:]
    results = [call([first, rows])[0] for _ in range(4)]
    assert len({each.ctypes.data for each in [first, *results]}) == 5
    np.testing.assert_array_equal(view, np.full(size - 5, 4))
    for each in results:
        np.testing.assert_array_equal(each, np.full(size, 4))
    np.testing.assert_array_equal(first, np.full(size, 2))


def test_memory_that_nobody_has_is_used_again() -> None:
    size = 100_000
    call, rows = counting_loop(size), np.ones((1, size), np.float32)
    (state,) = call([np.zeros(size, np.float32), rows])
    places = set()
    for _ in range(10):
        (state,) = call([state, rows])
        state.flags.writeable = False  # as a model keeps its weights
        places.add(state.ctypes.data)
    np.testing.assert_array_equal(state, np.full(size, 11))
    assert len(places) <= 2


@pytest.mark.parametrize("is_fixed", [False, True])
def test_numbers_that_are_bound_are_those_of_the_present_list(*, is_fixed: bool) -> None:
    call = Compiled(products(), this_machine())
    x, weights = np.arange(4, dtype=np.float32), [np.full(4, 2, np.float32)]
    weights[0].flags.writeable = not is_fixed
    for factor in (1, 3):
        np.testing.assert_array_equal(call.call_with([factor * x], weights), [2 * factor * x])
    np.testing.assert_array_equal(call.call_with([x], [np.full(4, 5, np.float32)]), [5 * x])
    np.testing.assert_array_equal(call([x, np.full(4, 7, np.float32)]), [7 * x])
    for _ in range(2):
        np.testing.assert_array_equal(call.call_with([x], weights), [2 * x])
        np.testing.assert_array_equal(call([x, np.full(4, 7, np.float32)]), [7 * x])


def products(size: int = 4) -> Program:
    x, y = (Value(TensorType((size,), np.dtype("f4"))) for _ in range(2))
    return Program.under([multiply(x, y)], [x, y])


@pytest.mark.parametrize("size", [4, 40_000])
def test_results_stay_as_they_are_when_the_function_is_called_again(size: int) -> None:
    call = Compiled(products(size), this_machine())
    x = np.ones(size, np.float32)
    results = [call([factor * x, x])[0] for factor in range(4)]
    for factor, result in enumerate(results):
        np.testing.assert_array_equal(result, factor * x)
        assert result.flags.writeable
        assert not any(np.shares_memory(result, other) for other in results if other is not result)


@pytest.mark.parametrize("size", [4, 40_000])
def test_an_array_that_was_given_before_shows_what_was_written_into_it(size: int) -> None:
    call = Compiled(products(size), this_machine())
    x, y = np.ones(size, np.float32), np.ones(size, np.float32)
    for value in (2, 3):
        x[...] = value
        np.testing.assert_array_equal(call([x, y])[0], np.full(size, value))


def test_an_array_whose_elements_stand_apart_is_read_in_order() -> None:
    size = 40_000
    call, y = Compiled(products(size), this_machine()), np.ones(size, np.float32)
    every_second = np.arange(2 * size, dtype=np.float32)[::2]
    for _ in range(2):
        np.testing.assert_array_equal(call([every_second, y])[0], every_second)


def test_several_threads_call_a_small_function_at_the_same_time() -> None:
    call = Compiled(products(), this_machine(), threads=1)
    wrong: list[float] = []

    def work(factor: float) -> None:
        x, weights = np.full(4, factor, np.float32), [np.full(4, factor, np.float32)]
        for _ in range(300):
            if not np.array_equal(call.call_with([x], weights)[0], x * weights[0]):
                wrong.append(factor)

    threads = [threading.Thread(target=work, args=(factor,)) for factor in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_call_that_was_broken_off_leaves_a_function_that_works() -> None:
    call, x = Compiled(products(), this_machine()), np.arange(4, dtype=np.float32)
    for _ in range(3):
        with pytest.raises(ValueError, match="broadcast"):
            call([x, np.ones(3, np.float32)])
        np.testing.assert_array_equal(call([x, x])[0], x * x)


def prepared(threads: int) -> tuple[Compiled, list[np.ndarray[Any, Any]]]:
    """A convolution that makes something of its kernel, the last input, beforehand; its inputs."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s).astype(np.float32) for s in ((2, 8, 8, 32), (3, 3, 32, 32))]
    program = one_word("convolution", arrays, strides=(1, 1), padding=((1, 1), (1, 1)),
                       input_dilation=(1, 1), kernel_dilation=(1, 1), groups=1)  # fmt: skip
    together = True if threads > 1 else None
    call = Compiled(program, this_machine(), None, threads, together=together, lasting=1)
    assert isinstance(call.plan.steps[0], Preparation)
    return call, arrays


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_made_of_lasting_inputs_is_made_again_for_others(threads: int) -> None:
    call, (x, kernel) = prepared(threads)
    plain = Compiled(call.program, this_machine())
    (first,), lists = plain([x, kernel]), [[kernel], [-2 * kernel], [kernel]]
    for numbers, factor in zip(lists, (1, -2, 1), strict=True):
        for scale in (1, 4):  # the second call finds it made
            (found,) = call.call_with([scale * x], numbers)
            np.testing.assert_array_equal(found, scale * factor * first)
        np.testing.assert_array_equal(call([x, 8 * kernel])[0], 8 * first)  # nothing lasts here
        np.testing.assert_array_equal(call.call_with([x], numbers)[0], factor * first)


def test_a_compiled_model_sees_new_weights() -> None:
    model = cp.Sequential([cp.layers.Input((8, 8, 32)), cp.layers.Conv2D(32, 3, padding="same")])
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 32)).astype(np.float32)
    compiled = cp.compile(model)
    first = compiled(x).numpy()
    kernel, bias = model.get_weights()
    for factor in (2, 2, -4):
        model.set_weights([factor * kernel, bias])
        np.testing.assert_array_equal(compiled(x).numpy(), factor * first)
        np.testing.assert_array_equal(compiled(2 * x).numpy(), 2 * factor * first)
