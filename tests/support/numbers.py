"""From arrays to arrays through primitives, for tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from clearprop.executors.reference import evaluate
from clearprop.ir.value import Array, Value
from clearprop.passes.gradient import differentiate
from clearprop.primitives import constant_like


def leaf(numbers: object, dtype: object = None) -> Value:
    return Value.leaf(np.array(numbers, dtype))


def compute(value: Value) -> Array:
    return evaluate([value])[0]


def gradients(function: Callable[..., Value], *arrays: object) -> list[Array | None]:
    """The derivatives of the sum of ``function(*arrays)`` by each array, in float64."""
    inputs = [leaf(array, np.float64) for array in arrays]
    output = function(*inputs)
    derivatives = differentiate([output], [constant_like(1, output)], inputs)
    return [None if each is None else compute(each) for each in derivatives]


def second_derivatives(function: Callable[[Value], Value], array: object) -> Array | None:
    """The derivatives of the sum of the derivatives of ``function(array)``."""
    x = leaf(array, np.float64)
    output = function(x)
    (first,) = differentiate([output], [constant_like(1, output)], [x])
    assert first is not None
    (second,) = differentiate([first], [constant_like(1, first)], [x])
    return None if second is None else compute(second)
