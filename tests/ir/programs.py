"""Programs that the tests of the language share."""

from __future__ import annotations

import numpy as np

from clearprop import ops
from clearprop.ir.place import Place, at_place
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.primitives import random_bits, scan

LINE = Place("train.py", 7, "net/dense_1")


def dense() -> Program:
    """A layer: named input and weights, a number of its own, and params of several kinds."""
    x = Value(TensorType((2, 3)), name="x")
    kernel = Value.leaf(np.arange(12, dtype=np.float32).reshape(3, 4) / 8, "kernel")
    bias = Value.leaf(np.array([0.5, -0.5, 0.25, 0], np.float32))
    with at_place(LINE):
        logits = ops.add(ops.matmul(x, kernel), bias)
        return Program.under([ops.cast(ops.maximum(logits, 0.5), "float64"), logits], [x])


def loop() -> Program:
    """A scan with a constant in its body; nobody reads its last carry."""
    carry, row = Value(TensorType((2,)), name="state"), Value(TensorType(()))
    after = ops.add(ops.multiply(carry, np.array([0.5, 2.0], np.float32)), row)
    body = Program.under([after, ops.sum(after)], [carry, row])
    start, rows = Value(TensorType((2,)), name="start"), Value(TensorType((3,)), name="rows")
    _, sums = scan(body, [start], [rows], length=3)
    return Program.under([ops.negative(sums)], [start, rows])


def odd_params() -> Program:
    """Words whose params are dtypes, tuples, pairs of tuples; a leaf with infinities."""
    x = Value(TensorType((2, 1)), name="x")
    infinite = Value.leaf(np.array([np.inf, -np.inf, np.nan, -0.0], np.float32))
    key = Value.leaf(np.array([1, 2], np.uint32))
    bits = ops.cast(random_bits(key, key, shape=(2, 4)), "float32")
    result = ops.matmul(ops.add(ops.broadcast_to(x, (2, 4)), bits), ops.expand_dims(infinite, 1))
    return Program.under([result, ops.isnan(infinite)], [x])


ALL = {"dense": dense, "loop": loop, "odd_params": odd_params}


def inputs_of(program: Program) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """Some numbers for each input."""
    rng = np.random.default_rng(0)
    return [rng.normal(size=value.shape).astype(np.float32) for value in program.inputs]
