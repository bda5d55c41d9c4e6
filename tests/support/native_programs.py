"""One primitive in machine code next to its definition, for tests of the native executor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.llvm.machine import Machine
from clearprop.ir import meaning
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value


def one_word(name: str, arrays: Sequence[Array], **params: Any) -> Program:
    """The Program of one primitive whose inputs are like these arrays."""
    inputs = [Value(TensorType(array.shape, array.dtype)) for array in arrays]
    return Program.under(list(REGISTRY[name].apply_all(*inputs, **params)), inputs)


def check_word(
    name: str, machine: Machine, *arrays: Array, exact: bool = True, **params: Any
) -> None:
    """Make sure that machine code gives what the primitive means."""
    check_program(one_word(name, arrays, **params), machine, arrays, exact=exact)


def check_program(
    program: Program, machine: Machine, arrays: Sequence[Array], *, exact: bool = True
) -> None:
    """Make sure that machine code gives what a Program means.

    Args:
        program: what to compute.
        machine: for which the code is.
        arrays: its inputs.
        exact: whether each bit counts, or rounding does not (as in sums in another order).
    """
    wanted = meaning.run(program, list(arrays))
    found = Compiled(program, machine)(list(arrays))
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == other.dtype
        if exact or one.dtype.kind != "f":
            np.testing.assert_array_equal(one, other)
            if one.dtype.kind == "f":
                np.testing.assert_array_equal(np.signbit(one), np.signbit(other))
        else:
            tolerance = 64 * np.finfo(one.dtype).eps
            # What cancels has the rounding errors of the numbers that it came from.
            greatest = np.abs(other, where=np.isfinite(other), out=np.zeros_like(other)).max(
                initial=1
            )
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * greatest)
