"""Kernels that count their cycles, and the ceilings that they are held against."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop import primitives
from clearprop.dtypes import F32, I64
from clearprop.executors.native.counting import CountedLoop
from clearprop.executors.native.peak import Ceilings, measure_peak, measure_reading
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value

N = 64


def _body() -> Program:
    """x <- x @ (rows of all samples), with a scan of five rounds inside."""
    x, rows = Value(TensorType((N, N), F32)), Value(TensorType((N,), I64))
    samples = Value(TensorType((100 * N, N), F32))
    batch = primitives.gather(samples, rows, axis=0)
    carried = Value(TensorType((N, N), F32))
    inner = Program.under(
        [primitives.dot_general(carried, batch, contract=((1,), (0,)), batch=((), ()))],
        [carried, batch],
    )
    (product,) = primitives.SCAN.apply_all(
        x, batch, body=inner, carry_count=1, step_count=0, length=5, reverse=False
    )
    return Program.under([product, primitives.reduce_sum(product, axes=(0, 1))], [x, rows, samples])


def test_each_kernel_has_its_calls_and_its_time() -> None:
    loop = CountedLoop(_body(), carry_count=1)
    rows = np.arange(3 * N).reshape(3, N)
    samples = np.zeros((100 * N, N), np.float32)
    counts = loop.count([np.zeros((N, N), np.float32), rows, samples])
    products = [count for count in counts if count.label.startswith("dot_general")]
    assert sum(count.flops for count in products) == 5 * 2 * N**3
    assert {count.calls for count in products} == {5}
    assert all(count.seconds >= 0 for count in counts)
    assert sum(count.seconds for count in counts) > 0
    gathers = [count for count in counts if count.size_bytes < 4 * N * N * 4]
    assert len(gathers) == len(counts), "all samples are not touched by a step"


def test_the_peaks_are_measured() -> None:
    assert 1e8 < measure_peak(seconds=0.002) < 1e13
    assert 1e8 < measure_reading(1 << 14, threads=2, seconds=0.002) < 1e13


def test_ceilings_know_their_sizes() -> None:
    ceilings = Ceilings(1, 1e9, ((1000, 9.0), (4000, 4.0)))
    assert ceilings.bytes_per_second(1000) == pytest.approx(9)
    assert ceilings.bytes_per_second(1001) == pytest.approx(4)
    assert ceilings.bytes_per_second(10**9) == pytest.approx(4)
    better = ceilings.best_with(Ceilings(1, 2e9, ((1000, 8.0), (4000, 5.0))))
    assert better == Ceilings(1, 2e9, ((1000, 9.0), (4000, 5.0)))
