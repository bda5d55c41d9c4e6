"""Primitives with kernels of their own see their inputs through views, and follow one another."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from clearprop.executors.native.words.single import SINGLE_WRITERS
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives import (
    control,
    cumulative,
    dynamic,
    indexing,
    random,
    shape,
    sorting,
    spread,
    windows,
)
from tests.support.native_kernels import machines
from tests.support.native_programs import check_program

POOLS: dict[str, Any] = {
    "window": (2, 2),
    "strides": (2, 1),
    "padding": ((0, 1), (1, 0)),
    "dilation": (1, 1),
}
Word = Callable[[Value], Value]
VIEWS: dict[str, Word] = {
    "reversed": lambda x: shape.reverse(x, axes=(1, 3)),
    "transposed": lambda x: shape.transpose(x, order=(2, 3, 0, 1)),
    "sliced": lambda x: shape.slice_(
        x, starts=(0, 1, 0, 2), stops=(2, 6, 4, 8), strides=(1, 2, 1, 3)
    ),
    "broadcast": lambda x: spread.broadcast_to(
        shape.reshape(
            shape.slice_(x, starts=(0, 0, 1, 0), stops=(1, 6, 2, 8), strides=(1, 1, 1, 1)),
            shape=(6, 8),
        ),
        shape=(3, 6, 4, 8),
        new_axes=(0, 2),
    ),
    "regrouped": lambda x: shape.reshape(
        shape.transpose(x, order=(0, 2, 1, 3)), shape=(4, 4, 3, 8)
    ),
}
WORDS: dict[str, Word] = {
    "window_max": lambda x: windows.window_max(x, **POOLS),
    "window_sum": lambda x: windows.window_sum(x, **POOLS),
    "window_gather": lambda x: windows.window_gather(x, windows.window_argmax(x, **POOLS), **POOLS),
    "cumulative_sum": lambda x: cumulative.cumulative_sum(x, axis=1, reverse=True),
    "cumulative_product": lambda x: cumulative.cumulative_product(x, axis=3, reverse=False),
    "sort": lambda x: sorting.sort(x, axis=3),
    "argsort": lambda x: sorting.argsort(sorting.argsort(x, axis=1), axis=1),
    "top_k": lambda x: sorting.top_k(x, k=2)[0],
    "scatter_add": lambda x: indexing.scatter_add(
        x, indexing.iota(x, shape=(x.shape[1],), axis=0, dtype=np.dtype(np.int32)), x, axis=1
    ),
}


@pytest.mark.parametrize(("view", "word"), list(itertools.product(VIEWS, WORDS)))
def test_inputs_are_seen_through_views(view: str, word: str) -> None:
    given = np.random.default_rng(5).standard_normal((2, 6, 4, 8)).astype(np.float32)
    x = Value(TensorType(given.shape, given.dtype))
    program = Program.under([WORDS[word](VIEWS[view](x))], [x])
    check_program(program, machines()[-1], [given], exact=False)


@pytest.mark.parametrize("number", [0, 1])
def test_one_result_of_several_is_enough(number: int) -> None:
    given = np.random.default_rng(6).standard_normal((5, 300)).astype(np.float32)
    x = Value(TensorType(given.shape, given.dtype))
    program = Program.under([sorting.top_k(x, k=7)[number]], [x])
    check_program(program, machines()[0], [given])


def test_keys_of_random_bits_are_seen_through_views() -> None:
    given: Array = np.array([7, 8, 9], np.uint32)
    x = Value(TensorType((3,), given.dtype))
    key = shape.slice_(x, starts=(1,), stops=(3,), strides=(1,))
    bits = random.random_bits(shape.reverse(key, axes=(0,)), key, shape=(50,))
    check_program(Program.under([bits], [x]), machines()[0], [given])


@pytest.mark.parametrize("word", ["scatter_add", "dynamic_update"])
def test_what_is_overwritten_is_not_read_through_a_view(word: str) -> None:
    def body(table: Value, row: Value) -> Value:
        turned = shape.reverse(table, axes=(0,))
        if word == "scatter_add":
            return indexing.scatter_add(table, row, turned, axis=0)
        start = shape.reshape(shape.slice_(row, starts=(0,), stops=(1,), strides=(1,)), shape=())
        return dynamic.dynamic_update(table, turned, start, start)

    table = Value(TensorType((40, 16), np.dtype(np.float32)))
    row = Value(TensorType((40,), np.dtype(np.int64)))
    inner = Program.under([body(table, row)], [table, row])
    carry, rows = Value(table.type), Value(TensorType((3, 40), row.dtype))
    results = control.scan(inner, [carry], [rows], length=3)
    rng = np.random.default_rng(7)
    indices = rng.integers(0, 40, (3, 40))
    indices[:, 0] = 0
    given = [rng.standard_normal((40, 16)).astype(np.float32), indices]
    program = Program.under(list(results), [carry, rows])
    check_program(program, machines()[0], given, exact=False)


def test_every_primitive_of_the_table_exists() -> None:
    assert SINGLE_WRITERS.keys() <= REGISTRY.keys()
