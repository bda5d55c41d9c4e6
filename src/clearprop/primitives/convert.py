"""The same numbers in another element type, or cut off from the derivative."""

from __future__ import annotations

import numpy as np

from clearprop.dtypes import BOOL, DType, is_float
from clearprop.ir.primitive import Gradients, Primitive, no_flops
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.checks import ANY_KIND
from clearprop.primitives.elementwise import elementwise

# -- cast ---------------------------------------------------------------------


def cast(x: Value, *, dtype: DType) -> Value:
    """x in another element type.

    A float loses its fraction on the way to an integer.  What is too large or too small for an
    integer type becomes its greatest or least number; NaN becomes 0.  Every number but 0 is true.

    Shapes:
        x: S  ->  S

    Gradient:
        d_output cast back, between floats; none where one of both is not a float.
    """
    return CAST.apply(x, dtype=dtype)


def _cast_infer(x: TensorType, *, dtype: DType) -> TensorType:
    return TensorType(x.shape, dtype)


def _cast_meaning(x: Array, *, dtype: DType) -> Array:
    if dtype == BOOL:
        return np.not_equal(x, 0)
    if dtype.kind == "f" or np.can_cast(x.dtype, dtype):
        return x.astype(dtype)
    limits = np.iinfo(dtype)
    least, greatest = int(limits.min), int(limits.max)
    if x.dtype.kind in "iu":
        own = np.iinfo(x.dtype)
        return np.clip(x, max(least, int(own.min)), min(greatest, int(own.max))).astype(dtype)
    # greatest + 1 is a power of two and least is one or zero: both are exact as floats, while
    # the greatest number itself often is not.
    above, below = x >= float(greatest + 1), x <= float(least)
    inside = np.where(above | below | np.isnan(x), 0, x).astype(dtype)
    return np.where(above, dtype.type(greatest), np.where(below, dtype.type(least), inside))


def _cast_gradient(d_output: Value, output: Value, x: Value, *, dtype: DType) -> Gradients:
    return (cast(d_output, dtype=x.dtype) if is_float(x.dtype) and is_float(dtype) else None,)


CAST = Primitive(
    "cast", infer=_cast_infer, meaning=_cast_meaning, gradient=_cast_gradient, flops=no_flops
)

# -- stop_gradient ------------------------------------------------------------


def stop_gradient(x: Value) -> Value:
    """x itself, as a constant to every derivative."""
    return STOP_GRADIENT.apply(x)


def _stop_gradient_meaning(x: Array) -> Array:
    return x


STOP_GRADIENT = elementwise(
    "stop_gradient", meaning=_stop_gradient_meaning, gradient=None, kinds=ANY_KIND
)
