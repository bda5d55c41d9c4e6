"""Sliding windows in machine code give what their definitions give."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from clearprop.dtypes import BOOL, F32, F64, I8, I32, I64, U8, U64, DType
from clearprop.executors.native.control import kernels_in
from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.llvm.machine import this_machine
from clearprop.executors.native.words.runs import Sliding, backward_runs, forward_runs
from clearprop.ir.types import Shape
from clearprop.ir.value import Array
from clearprop.primitives.windowing import windows_shape
from tests.support.native_kernels import machines
from tests.support.native_programs import check_word, one_word
from tests.support.program_checks import same_bits


def windowing(
    window: Shape, strides: Shape, padding: tuple[Shape, ...], dilation: Shape
) -> dict[str, Any]:
    return {"window": window, "strides": strides, "padding": padding, "dilation": dilation}


CASES: list[tuple[Shape, dict[str, Any]]] = [
    ((2, 8, 8, 16), windowing((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))),
    ((2, 9, 7, 5), windowing((3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1))),
    ((2, 9, 7, 1), windowing((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1))),
    ((3, 20, 3), windowing((3,), (4,), ((2, 5),), (2,))),
    ((3, 20, 33), windowing((7,), (1,), ((9, 9),), (2,))),
    ((1, 9, 9, 70), windowing((7, 7), (2, 1), ((3, 3), (2, 0)), (1, 1))),
    ((1, 12, 9, 7), windowing((5, 5), (2, 1), ((3, 3), (2, 8)), (2, 2))),
    ((2, 5, 6, 7, 3), windowing((2, 3, 2), (1, 2, 3), ((0, 0), (1, 1), (0, 3)), (2, 1, 1))),
    ((1, 40, 2), windowing((37,), (1,), ((0, 0),), (1,))),
    ((2, 1, 1, 4), windowing((1, 1), (1, 1), ((2, 0), (0, 1)), (1, 1))),
    ((0, 4, 4, 2), windowing((2, 2), (1, 1), ((0, 0), (0, 0)), (1, 1))),
    ((2, 4, 4, 0), windowing((2, 2), (1, 1), ((0, 0), (0, 0)), (1, 1))),
    ((70, 20, 20, 4), windowing((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))),
]


def numbers(shape: Shape, dtype: DType) -> Array:
    rng = np.random.default_rng(len(shape))
    if dtype.kind != "f":
        return rng.integers(0, 2 if dtype == BOOL else 100, shape).astype(dtype)
    x = (3 * rng.standard_normal(shape)).round(1).astype(dtype)
    x.flat[::7], x.flat[3::11] = -0.0, -np.inf
    return x


def sampled(count: int) -> list[Any]:
    """So many of all cases, element types and machines."""
    everything = list(itertools.product(range(len(CASES)), [F32, F64, U8, I64, BOOL], machines()))
    return everything[:: max(1, len(everything) // count)]


@pytest.mark.parametrize(("case", "dtype", "machine"), sampled(30))
def test_windows_look_at_their_elements_as_defined(case: int, dtype: DType, machine: Any) -> None:
    shape, how = CASES[case]
    x = numbers(shape, dtype)
    if dtype != BOOL:
        check_word("window_sum", machine, x, **how)
    if dtype.kind == "f":
        x.flat[5::13] = np.nan
    check_word("window_max", machine, x, **how)
    check_word("window_argmax", machine, x, **how)


@pytest.mark.parametrize(("case", "dtype", "machine"), sampled(22))
def test_windows_choose_and_give_back_as_defined(case: int, dtype: DType, machine: Any) -> None:
    shape, how = CASES[case]
    positions = windows_shape("test", shape, how)  # type: ignore[arg-type]
    taps = np.random.default_rng(1).integers(0, min(np.prod(how["window"]) + 1, 127), positions)
    types = [U8, I8, I32, U64]
    x, update = numbers(shape, dtype), numbers(positions, dtype)
    check_word("window_gather", machine, x, taps.astype(types[case % 4]), **how)
    if dtype != BOOL:
        kept = taps.astype(types[(case + 1) % 4])
        check_word("window_spread", machine, update, space=shape[1:-1], **how)
        check_word("window_scatter", machine, update, kept, space=shape[1:-1], **how)


@pytest.mark.parametrize("word", ["window_max", "window_argmax", "window_sum"])
def test_a_single_image_is_divided_by_rows(word: str) -> None:
    how = windowing((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
    x = numbers((1, 30, 28, 32), F32)
    program = one_word(word, [x], **how)
    together = Compiled(program, this_machine(), threads=3, together=True)
    (kernel,) = kernels_in(together.plan)
    assert kernel.tasks == 15
    same_bits(together([x]), Compiled(program, this_machine())([x]))
    check_word(word, this_machine(), x, **how)


@pytest.mark.parametrize(
    ("window", "stride", "low", "dilation", "size"),
    [(2, 2, 0, 1, 8), (3, 2, 1, 1, 9), (3, 4, 2, 2, 20), (7, 1, 9, 2, 5), (1, 3, 0, 1, 2)],
)
def test_runs_meet_each_output_once_and_only_what_is_there(
    window: int, stride: int, low: int, dilation: int, size: int
) -> None:
    positions = max(1, (size + 2 * low - (window - 1) * dilation - 1) // stride + 1)
    sliding = Sliding(window, stride, low, dilation, size, positions)
    seen: dict[str, set[tuple[int, int, int]]] = {"forward": set(), "backward": set()}
    for run, number in ((r, n) for r in forward_runs(sliding) for n in range(r.count)):
        position = run.first + number * run.step
        for tap, first in run.taps:
            seen["forward"].add((position, tap, first + number * run.source_step))
    for run, number in ((r, n) for r in backward_runs(sliding) for n in range(r.count)):
        element = run.first + number * run.step
        for tap, first in run.taps:
            seen["backward"].add((first + number * run.source_step, tap, element))
    meetings = {
        (position, tap, position * stride + tap * dilation - low)
        for position in range(positions)
        for tap in range(window)
        if 0 <= position * stride + tap * dilation - low < size
    }
    assert seen["forward"] == seen["backward"] == meetings
