"""Convolutions with fewer products: which they are, and how close to the definition they stay."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clearprop.executors.native.control import kernels_in
from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.kernels.winograd.transforms import (
    DERIVATIVE,
    GRADIENT,
    INPUT,
    KERNEL,
    RESULT,
    Matrix,
)
from clearprop.executors.native.llvm.machine import Machine, this_machine
from clearprop.ir import meaning
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives import convolution
from tests.support.agreement import agrees
from tests.support.convolutions import PLAIN, WORDS, Sliding, program_of
from tests.support.native_kernels import machines, width_name

MACHINES = machines()
EDGES: dict[str, Any] = {"padding": ((1, 1), (1, 1))}  # unless a case says otherwise
# Images, kernels, and how they slide; all of them have windows of 3 x 3 and many channels.
SQUARES: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "even": ((3, 12, 12, 32), (3, 3, 32, 32), {}),
    "odd": ((3, 15, 13, 32), (3, 3, 32, 48), {}),
    "odd channels": ((5, 14, 11, 35), (3, 3, 35, 37), {}),
    "inside": ((2, 12, 13, 32), (3, 3, 32, 32), {"padding": ((0, 0), (0, 0))}),
    "padding on one side": ((2, 12, 12, 32), (3, 3, 32, 32), {"padding": ((2, 0), (0, 1))}),
    "one image": ((1, 14, 14, 32), (3, 3, 32, 64), {}),
    "many rows": ((1, 61, 20, 32), (3, 3, 32, 32), {}),
    "wide rows": ((1, 9, 283, 32), (3, 3, 32, 32), {}),
    "many images": ((70, 6, 6, 32), (3, 3, 32, 32), {}),
}
OTHERS: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "strides": ((3, 16, 16, 32), (3, 3, 32, 32), {"strides": (2, 2)}),
    "holes": (
        (3, 16, 16, 32), (3, 3, 32, 32), {"kernel_dilation": (2, 2), "padding": ((2, 2), (2, 2))},
    ),
    "five taps": ((3, 16, 16, 32), (5, 5, 32, 32), {}),
    "one tap": ((3, 16, 16, 32), (1, 1, 32, 32), {"padding": ((0, 0), (0, 0))}),
    "few channels": ((3, 16, 16, 3), (3, 3, 3, 32), {}),
    "groups": ((3, 16, 16, 64), (3, 3, 32, 64), {"groups": 2}),
    "a small image": ((3, 3, 3, 32), (3, 3, 32, 32), {}),
}  # fmt: skip


def padded(
    word: str, sizes: tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]], dtype: str = "f4"
) -> Program:
    """The Program of one of the words, for images and kernels of these sizes."""
    x, kernel, how = sizes
    return program_of(word, Sliding(x, kernel, EDGES | how), dtype)


def normal(program: Program, seed: int = 0) -> list[Array]:
    """Normally distributed inputs."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=value.shape).astype(value.dtype) for value in program.inputs]


def labels(program: Program, machine: Machine | None = None) -> list[str]:
    """What the Program's kernels are called, on a processor with caches of usual sizes."""
    usual = replace(this_machine(), level1_bytes=48 << 10, level2_bytes=2 << 20)
    compiled = Compiled(program, machine or usual)
    return [kernel.label for kernel in kernels_in(compiled.plan)]


# -- the transforms ----------------------------------------------------------------------


def both_ways(matrix: Matrix, square: Array) -> Array:
    return np.array(matrix) @ square @ np.array(matrix).T


def test_the_transforms_give_the_results_of_windows_and_their_gradient() -> None:
    rng = np.random.default_rng(0)
    d, g, e = (rng.integers(-9, 9, (n, n)).astype(float) for n in (4, 3, 2))
    moved = both_ways(INPUT, d)
    results = [[(d[i : i + 3, j : j + 3] * g).sum() for j in range(2)] for i in range(2)]
    gradient = [[(d[i : i + 2, j : j + 2] * e).sum() for j in range(3)] for i in range(3)]
    np.testing.assert_array_equal(both_ways(RESULT, both_ways(KERNEL, g) * moved), results)
    np.testing.assert_array_equal(both_ways(GRADIENT, both_ways(DERIVATIVE, e) * moved), gradient)


# -- which convolutions ------------------------------------------------------------------


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("name", SQUARES)
def test_windows_of_three_by_three_and_many_channels_go_by_it(name: str, word: str) -> None:
    assert f"{word} (Winograd)" in labels(padded(word, SQUARES[name]))


# (The gradient by the input is a plain convolution of spread derivatives: it may go by it.)
@pytest.mark.parametrize("word", ["convolution", "convolution_kernel_gradient"])
@pytest.mark.parametrize("name", OTHERS)
def test_others_do_not(name: str, word: str) -> None:
    found = labels(padded(word, OTHERS[name]))
    assert word in found
    assert f"{word} (Winograd)" not in found


def test_whole_numbers_do_not() -> None:
    inputs = [Value(TensorType(s, np.dtype("i4"))) for s in ((3, 8, 8, 32), (3, 3, 32, 32))]
    program = Program.under([convolution(*inputs, **PLAIN | EDGES)], inputs)
    assert "convolution" in labels(program)


# -- what they give ----------------------------------------------------------------------


@pytest.mark.parametrize("machine", MACHINES, ids=width_name)
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("name", SQUARES)
def test_they_agree_with_the_definition(name: str, word: str, machine: Machine) -> None:
    for dtype in ("f4", "f8"):
        program = padded(word, SQUARES[name], dtype)
        agrees(program, normal(program), machine)


@pytest.mark.parametrize("machine", MACHINES, ids=width_name)
@pytest.mark.parametrize("word", WORDS)
def test_errors_are_about_those_of_sums_by_definition(word: str, machine: Machine) -> None:
    program = padded(word, ((4, 16, 16, 32), (3, 3, 32, 32), {}))
    arrays = normal(program)
    exact = meaning.run(program, [array.astype("f8") for array in arrays])[0]
    found, plain = Compiled(program, machine)(arrays)[0], meaning.run(program, arrays)[0]
    errors = [np.sqrt(np.mean((each - exact) ** 2)) for each in (found, plain)]
    assert errors[0] <= 2.5 * errors[1]  # NumPy adds up long sums in parts, which rounds less


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("name", ["odd", "one image", "many images"])
def test_any_number_of_threads_gives_the_same_bits(name: str, word: str) -> None:
    program = padded(word, SQUARES[name])
    arrays = normal(program)
    one = Compiled(program, this_machine(), threads=1)(arrays)[0]
    for threads in (2, 3, 4):
        call = Compiled(program, this_machine(), threads=threads, together=True)
        assert call(arrays)[0].tobytes() == one.tobytes()


# -- what is not finite --------------------------------------------------------------------


@pytest.mark.parametrize("machine", MACHINES, ids=width_name)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("name", ["even", "odd", "inside", "many rows", "wide rows"])
def test_what_is_not_finite_stays_where_it_belongs(
    name: str, word: str, bad: float, machine: Machine
) -> None:
    program = padded(word, SQUARES[name])
    for which in range(2):
        arrays = normal(program)
        array = arrays[which]
        array.flat[array.size // 2 + 5] = bad
        agrees(program, arrays, machine)


@pytest.mark.parametrize("machine", MACHINES, ids=width_name)
@pytest.mark.parametrize("word", WORDS)
def test_what_overflows_on_the_way_only_does_not_come_out(word: str, machine: Machine) -> None:
    program = padded(word, SQUARES["even"])
    x, y = normal(program)
    x[...] = np.where(x < 0, -3e38, 3e38)
    y *= np.float32(1e-8)
    wanted = meaning.run(program, [x.astype("f8"), y.astype("f8")])[0]
    (found,) = Compiled(program, machine)([x, y])
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5 * np.abs(wanted).max())


def test_blocks_reach_over_all_images_once() -> None:
    # What follows a convolution may change it in place: no result may pass through it twice.
    x, kernel = (Value(TensorType(s)) for s in ((1, 13, 13, 32), (3, 3, 32, 32)))
    before = Value(TensorType((1, 13, 13, 32)))
    after = REGISTRY["add"].apply(before, convolution(x, kernel, **PLAIN | EDGES))
    rounds = Value(TensorType((1,)))
    program = Program.under([after], [before, rounds, x, kernel])
    arrays = [np.ones(value.shape, np.float32) for value in program.inputs]
    arrays[1] = np.ones((3, 1), np.float32)
    (found,) = Compiled(program, this_machine(), (1, 1))(arrays)
    middle = found[0, 1:-1, 1:-1]
    np.testing.assert_array_equal(middle, np.full(middle.shape, 1 + 3 * math.prod((3, 3, 32))))
