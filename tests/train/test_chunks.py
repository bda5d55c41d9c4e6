"""How many steps a chunk of training has."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from clearprop.executors.choose import choose_executor
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.train.chunks import ChunkRunner


def runner(arrays: int, numbers: int) -> ChunkRunner:
    """A runner of steps that carry so many arrays with so many numbers each."""
    inputs = [Value(TensorType((numbers,), np.dtype("f4"))) for _ in range(arrays)]
    step: Any = SimpleNamespace(body=SimpleNamespace(inputs=inputs), carry_count=arrays)
    return ChunkRunner(step, choose_executor("reference"))


@pytest.mark.parametrize(
    ("seconds", "length"), [(1e-3, 100), (0.06, 2), (0.08, 1), (0.5, 1), (0.0, 1 << 20)]
)
def test_a_chunk_takes_about_a_tenth_of_a_second(seconds: float, length: int) -> None:
    chunks = runner(6, 100)
    assert chunks.next_length(1000) == 1  # nobody knows yet how long a step takes
    chunks.seconds_per_step = seconds
    assert chunks.next_length(1 << 30) == length
    assert chunks.next_length(1) == 1


def test_the_last_steps_make_no_short_chunk() -> None:
    chunks = runner(6, 100)
    chunks.seconds_per_step = 1e-3
    assert [chunks.next_length(left) for left in (1000, 150, 149, 101, 99)] == [
        100,
        100,
        149,
        101,
        99,
    ]


@pytest.mark.parametrize(("arrays", "numbers"), [(6, 2_000_000), (500, 10)])
def test_where_much_is_copied_it_takes_longer(arrays: int, numbers: int) -> None:
    chunks = runner(arrays, numbers)
    chunks.seconds_per_step = 1e-3
    assert 200 < chunks.next_length(1000) <= 500
