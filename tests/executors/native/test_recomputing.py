"""What is cheap to make of one stored array is not stored itself."""

from __future__ import annotations

import numpy as np

from clearprop import ops
from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.llvm.machine import this_machine
from clearprop.executors.native.recomputing import recomputed_values
from clearprop.ir.meaning import run
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.passes.simplify import simplify

ROWS, COLUMNS = 3000, 48  # more than the second cache holds


def normalized(rows: int = ROWS) -> tuple[Program, Value]:
    """Columns with mean 0 and variance 1, and the step between that need not be stored."""
    x = Value(TensorType((rows, COLUMNS), np.dtype("f4")))
    centered = ops.subtract(x, ops.mean(x, 0))
    variance = ops.mean(ops.square(centered), 0)
    result = ops.multiply(centered, ops.rsqrt(ops.add(variance, 1e-3)))
    return Program.under([result, variance], [x]), centered


def test_what_later_walks_read_is_computed_by_them() -> None:
    program, centered = normalized()
    assert centered in recomputed_values(program)
    compiled = Compiled(program, this_machine(), threads=1)
    assert compiled.blueprint.arena_bytes < centered.type.size_bytes
    array = np.random.default_rng(0).standard_normal((ROWS, COLUMNS)).astype("f4")
    for found, wanted in zip(compiled([array]), run(program, [array]), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_small_arrays_and_outputs_are_stored() -> None:
    program, centered = normalized(rows=8)
    assert centered not in recomputed_values(program)
    program, centered = normalized()
    shown = Program.under([*program.outputs, centered], program.inputs)
    assert centered not in recomputed_values(shown)


def test_what_is_made_of_two_large_arrays_is_stored() -> None:
    x, y = (Value(TensorType((ROWS, COLUMNS), np.dtype("f4"))) for _ in range(2))
    both = ops.add(x, y)
    mean = ops.mean(both, 0)
    program = Program.under([ops.subtract(both, mean)], [x, y])
    assert both not in recomputed_values(program)


def test_long_chains_are_stored_now_and_then() -> None:
    x = Value(TensorType((ROWS, COLUMNS), np.dtype("f4")))
    chain = [x]
    for _ in range(30):
        chain.append(ops.multiply(chain[-1], 1.01))
    total = ops.sum(chain[-1], 0)
    wanted = [ops.multiply(each, total) for each in chain[1:]]
    program = simplify(Program.under(wanted, [x]))
    again = recomputed_values(program)
    steps = [equation.result(0) in again for equation in program.equations]
    runs = "".join("x" if each else " " for each in steps[: steps.index(True) + 40]).split()
    assert again
    assert max(map(len, runs)) <= 4
