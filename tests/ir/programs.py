"""Programs that the tests of the language share."""

from __future__ import annotations

import numpy as np

from clearprop import ops
from clearprop.dtypes import I64, is_float
from clearprop.ir.place import Place, at_place
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives import branch, random_bits, scan

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


def choice() -> Program:
    """A choice between two bodies, one with a constant; nobody reads its second result."""
    index, x = Value(TensorType((), I64), name="which"), Value(TensorType((2,)), name="x")
    first, second = Value(x.type, name="a"), Value(x.type, name="b")
    scaled = ops.multiply(second, np.array([0.5, 2.0], np.float32))
    bodies = (
        Program.under([ops.negative(first), first], [first]),
        Program.under([scaled, second], [second]),
    )
    return Program.under([branch(index, x, bodies=bodies)[0]], [index, x])


ALL = {"dense": dense, "loop": loop, "odd_params": odd_params, "choice": choice}


def inputs_of(program: Program) -> list[Array]:
    """Some numbers for each input; 1 for whole ones."""
    rng = np.random.default_rng(0)
    return [
        np.asarray(rng.normal(size=value.shape).astype(np.float32))
        if is_float(value.dtype)
        else np.ones(value.shape, value.dtype)
        for value in program.inputs
    ]
