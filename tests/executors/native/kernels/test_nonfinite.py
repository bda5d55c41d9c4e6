"""NaN and infinity come out of convolutions exactly where the definition has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clearprop.executors.native.llvm.machine import Machine
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from tests.support.agreement import all_agree
from tests.support.convolutions import WORDS, Sliding, program_of
from tests.support.native_kernels import machines, width_name

MACHINES = machines()
# x, kernel, and how it slides where that is not plain.
SLIDING: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "inside": ((2, 6, 7, 3), (3, 3, 3, 5), {}),
    "padded": ((2, 6, 7, 3), (3, 3, 3, 5), {"padding": ((1, 1), (1, 1))}),
    "padded beyond the window": ((1, 3, 3, 2), (2, 2, 2, 3), {"padding": ((3, 0), (0, 4))}),
    "strides": ((3, 9, 8, 4), (3, 3, 4, 20), {"strides": (2, 3), "padding": ((1, 1), (1, 1))}),
    "strides beyond the window": ((2, 9, 9, 17), (1, 1, 17, 6), {"strides": (2, 2)}),
    "rows that no window reaches": ((2, 10, 11, 3), (3, 2, 3, 4), {"strides": (4, 3)}),
    "holes in the kernel": (
        (2, 9, 9, 3),
        (3, 2, 3, 4),
        {"kernel_dilation": (2, 3), "strides": (2, 1), "padding": ((2, 1), (0, 2))},
    ),
    "holes in the image": (
        (2, 5, 6, 3),
        (3, 3, 3, 4),
        {"input_dilation": (2, 3), "strides": (3, 2), "padding": ((1, 2), (2, 1))},
    ),
    "groups": ((2, 7, 7, 6), (3, 3, 2, 9), {"groups": 3, "padding": ((1, 1), (0, 1))}),
    "channel by channel": ((2, 7, 7, 37), (3, 3, 1, 37), {"groups": 37, "strides": (2, 2)}),
    "one channel in": ((2, 9, 9, 1), (3, 3, 1, 40), {"padding": ((1, 1), (1, 1))}),
    "one channel out": ((2, 9, 70, 3), (3, 3, 3, 1), {"padding": ((1, 1), (1, 1))}),
    "many channels": ((1, 4, 5, 70), (3, 3, 70, 130), {"padding": ((1, 1), (1, 1))}),
    "long sums in parts": ((2, 6, 6, 24), (3, 3, 24, 700), {"padding": ((1, 1), (1, 1))}),
}


def with_a_few(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    """Numbers from -1 to 1, and among them a NaN and both infinities."""
    array = rng.uniform(-1, 1, shape).astype(dtype)
    places = rng.integers(array.size, size=3)
    array.flat[places] = np.nan, np.inf, -np.inf
    return np.asarray(array)


@pytest.mark.parametrize("machine", MACHINES, ids=width_name)
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("name", SLIDING)
def test_they_stand_where_they_stand_by_definition(name: str, word: str, machine: Machine) -> None:
    rng = np.random.default_rng(0)
    for dtype in ("f4", "f8"):
        program = program_of(word, Sliding(*SLIDING[name]), dtype)
        shapes = [value.shape for value in program.inputs]
        calls = []
        for which in range(len(shapes)):
            arrays = [rng.uniform(-1, 1, shape).astype(dtype) for shape in shapes]
            arrays[which] = with_a_few(rng, shapes[which], dtype)
            calls.append(arrays)
        all_agree(program, calls, machine)


WINDOWS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "side by side": ((2, 6, 8, 5), {"window": (2, 2), "strides": (2, 2)}),
    "overlapping": ((2, 7, 9, 20), {"window": (3, 3), "padding": ((1, 1), (1, 1))}),
    "long": ((1, 40, 3, 2), {"window": (17, 2), "padding": ((5, 3), (0, 1))}),
    "holes": ((2, 9, 8, 3), {"window": (2, 3), "dilation": (3, 2), "strides": (2, 1)}),
    "only padding": ((1, 3, 4, 33), {"window": (2, 1), "padding": ((3, 2), (0, 0))}),
}


def pooling(word: str, name: str) -> tuple[list[TensorType], dict[str, Any]]:
    """Types of the inputs of a word of windows, and its params."""
    x, how = WINDOWS[name]
    params = {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)} | how
    output = REGISTRY["window_sum"].apply(Value(TensorType(x)), **params).shape
    if word in {"window_max", "window_argmax", "window_sum"}:
        return [TensorType(x)], params
    taps = TensorType(output, np.dtype("i8"))
    if word == "window_gather":
        return [TensorType(x), taps], params
    params["space"] = x[1:-1]
    return [TensorType(output), *([taps] if word == "window_scatter" else [])], params


@pytest.mark.parametrize("machine", MACHINES, ids=width_name)
@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize(
    "word",
    ["window_max", "window_argmax", "window_sum", "window_spread", "window_gather",
     "window_scatter"],
)  # fmt: skip
def test_pooling_has_them_where_its_windows_do(word: str, name: str, machine: Machine) -> None:
    types, params = pooling(word, name)
    rng = np.random.default_rng(0)
    given = list(map(Value, types))
    program = Program.under(REGISTRY[word].apply_all(*given, **params), given)

    def drawn(each: TensorType) -> Array:
        if each.dtype.kind == "f":
            return with_a_few(rng, each.shape, "f4")
        return rng.integers(0, np.prod(params["window"]), each.shape)

    all_agree(program, [list(map(drawn, types)) for _ in range(3)], machine)
