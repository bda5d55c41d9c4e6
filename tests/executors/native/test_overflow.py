"""Sums near the largest number: what docs/understand/agreement promises, and no more.

A sum whose terms' magnitudes add up to less than the largest number never overflows, in any order.
One of positive terms that is larger is infinite, in any order.  What lies between depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from clearprop import ops
from clearprop import primitives as p
from clearprop.executors.native.llvm.machine import Machine
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from tests.support.agreement import agrees
from tests.support.native_kernels import machines, width_name

MACHINES = machines()
ONE = {"padding": ((1, 1), (1, 1)), "strides": (1, 1)}
CONVOLVING = ONE | {"input_dilation": (1, 1), "kernel_dilation": (1, 1), "groups": 1}
WINDOW = ONE | {"dilation": (1, 1)}

SUMS: dict[str, tuple[Callable[..., Value], Sequence[tuple[int, ...]]]] = {
    "all": (ops.sum, [(1003,)]),
    "all of many": (ops.sum, [(70_001,)]),
    "rows": (lambda x: ops.sum(x, axis=1), [(5, 131)]),
    "columns": (lambda x: ops.sum(x, axis=0), [(131, 7)]),
    "middle": (lambda x: ops.sum(x, axis=1), [(3, 33, 18)]),
    "mean": (lambda x: ops.mean(x, axis=-1), [(9, 67)]),
    "running": (lambda x: ops.cumsum(x, axis=1), [(3, 150)]),
    "running down": (lambda x: ops.cumsum(x, axis=0, reverse=True), [(150, 5)]),
    "product": (ops.matmul, [(17, 65), (65, 33)]),
    "vectors": (ops.matmul, [(517,), (517,)]),
    "long product": (ops.matmul, [(24, 4100), (4100, 8)]),
    "turned product": (lambda x, y: ops.matmul(x, ops.transpose(y)), [(7, 700), (90, 700)]),
    "convolution": (
        lambda x, k: p.convolution(x, k, **CONVOLVING),
        [(2, 7, 8, 5), (3, 3, 5, 18)],
    ),
    "input gradient": (
        lambda d, k: p.convolution_input_gradient(d, k, space=(7, 8), **CONVOLVING),
        [(2, 7, 8, 18), (3, 3, 5, 18)],
    ),
    "kernel gradient": (
        lambda x, d: p.convolution_kernel_gradient(x, d, window=(3, 3), **CONVOLVING),
        [(2, 7, 8, 5), (2, 7, 8, 18)],
    ),
    "windows": (lambda x: p.window_sum(x, window=(3, 3), **WINDOW), [(2, 7, 8, 5)]),
    "windows back": (
        lambda d: p.window_spread(d, space=(7, 8), window=(3, 3), **WINDOW),
        [(2, 7, 8, 5)],
    ),
    "weights of chosen rows": (
        lambda x: p.scatter_add(
            Value.leaf(np.zeros((4, 9), x.dtype)), Value.leaf(np.arange(40) % 4), x, axis=0
        ),
        [(40, 9)],
    ),
}
each_sum = pytest.mark.parametrize("name", SUMS)
each_machine = pytest.mark.parametrize("machine", MACHINES, ids=width_name)
each_type = pytest.mark.parametrize("dtype", ["f4", "f8"])


def check(name: str, arrays: Sequence[Array], machine: Machine) -> None:
    inputs = [Value(TensorType(array.shape, array.dtype)) for array in arrays]
    agrees(Program.under([SUMS[name][0](*inputs)], inputs), arrays, machine)


@each_type
@each_machine
@each_sum
def test_magnitudes_below_the_largest_number_never_overflow(
    name: str, machine: Machine, dtype: str
) -> None:
    rng = np.random.default_rng(0)
    first, *others = SUMS[name][1]
    shares = rng.uniform(0.5, 1, first)
    signs = [rng.choice([-1, 1], shape) for shape in (first, *others)]
    terms = shares / shares.sum() * (0.99 * float(np.finfo(dtype).max)) * signs[0]
    check(name, [terms.astype(dtype), *(sign.astype(dtype) for sign in signs[1:])], machine)


@each_type
@each_machine
@each_sum
def test_positive_terms_beyond_it_are_infinite(name: str, machine: Machine, dtype: str) -> None:
    first, *others = SUMS[name][1]
    term = np.finfo(dtype).max * np.asarray(0.3, dtype)  # three of them are finite, four are not
    arrays = [np.full(first, term, dtype), *(np.ones(shape, dtype) for shape in others)]
    check(name, arrays, machine)
