"""Choosing between two arrays, element by element."""

from __future__ import annotations

import numpy as np

from clearprop.dtypes import BOOL
from clearprop.errors import ShapeError
from clearprop.ir.primitive import Gradients, Primitive, one_flop_per_element
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.checks import needs_dtype, one_type
from clearprop.primitives.constants import zeros_like


def select(condition: Value, x: Value, y: Value) -> Value:
    """x where the condition is true, y elsewhere.

    Shapes:
        condition: S of booleans, x: S, y: S  ->  S

    Gradient:
        Each element of d_output goes to the input it was taken from; the other receives 0.
    """
    return SELECT.apply(condition, x, y)


def _select_infer(condition: TensorType, x: TensorType, y: TensorType) -> TensorType:
    needs_dtype("select", "the condition", condition, BOOL)
    if condition.shape != x.shape:
        raise ShapeError(
            "select: the condition must have the shape of what it selects",
            found=f"condition: {condition}, x: {x}",
            needed=f"condition: {TensorType(x.shape, BOOL)}",
            try_="use clearprop.where, which broadcasts",
        )
    return one_type("select", x, y)


def _select_meaning(condition: Array, x: Array, y: Array) -> Array:
    """y with the bits of x put in where the condition is true.

    The same as ``np.where``, bit for bit; that one branches at every element and takes several
    times as long where the condition changes often, as it does in relu and dropout.
    """
    bits = np.dtype(f"i{x.dtype.itemsize}")
    x_bits, y_bits = np.asarray(x).view(bits), np.asarray(y).view(bits)
    mask = np.negative(np.asarray(condition).view(np.int8), dtype=bits)
    return np.asarray(y_bits ^ ((x_bits ^ y_bits) & mask)).view(x.dtype)


def _select_gradient(
    d_output: Value, output: Value, condition: Value, x: Value, y: Value
) -> Gradients:
    zero = zeros_like(d_output)
    return None, select(condition, d_output, zero), select(condition, zero, d_output)


def _select_flops(condition: TensorType, x: TensorType, y: TensorType) -> int:
    return one_flop_per_element(x)


SELECT = Primitive(
    "select",
    infer=_select_infer,
    meaning=_select_meaning,
    gradient=_select_gradient,
    flops=_select_flops,
)
