"""Reductions whose results all lie in lanes: tasks have some of the lanes each."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop.executors.native.control import kernels_in
from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.llvm.machine import Machine
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.program import Program
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Value
from tests.support.native_kernels import machines, width_name


@pytest.mark.parametrize("machine", machines(), ids=width_name)
@pytest.mark.parametrize("shape", [(6, 50, 4, 32), (3, 40, 5, 21)])
@pytest.mark.parametrize(("name", "of"), [("reduce_sum", np.sum), ("reduce_max", np.max)])
def test_lanes_are_divided(name: str, of: np.ufunc, shape: Shape, machine: Machine) -> None:
    x = np.random.default_rng(0).integers(-99, 99, shape).astype(np.float32)  # exact sums
    value = Value(TensorType.of(x))
    program = Program.under(REGISTRY[name].apply_all(value, axes=(0, 1)), [value])
    for threads in (1, 3):
        compiled = Compiled(program, machine, threads=threads, together=threads > 1)
        (result,) = compiled([x])
        np.testing.assert_array_equal(result, of(x, axis=(0, 1)))
        (kernel,) = kernels_in(compiled.plan)
        assert kernel.tasks > 1
