"""What kinds of words there are: exact ones, those that jump, and where the others are smooth."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from clearprop.ir.value import Array

EXACT = {  # given exact floats they give exact floats
    *("reshape", "transpose", "slice", "pad", "concatenate", "reverse", "broadcast_to", "iota"),
    *("gather", "dynamic_slice", "dynamic_update", "select", "window_gather", "cast"),
    *("sort", "top_k", "window_max", "maximum", "minimum", "reduce_max", "reduce_min"),
    *("negate", "absolute", "sign", "floor", "ceil", "round", "truncate", "stop_gradient"),
}
_JUMPS = {  # a last digit more or less may change everything
    *("sign", "floor", "ceil", "round", "truncate", "floor_divide", "remainder", "cast"),
    *("equal", "not_equal", "less", "less_equal", "is_finite", "is_nan"),
    *("argmax", "argmin", "argsort", "sort", "top_k", "window_argmax", "window_max"),
}
_HAS_EDGES = {  # where the numbers end that it is defined for, or that it is finite for
    *("divide", "power", "log", "log1p", "sqrt", "rsqrt", "arctan2", "tan", "erf_inverse"),
    *("arcsin", "arccos", "arccosh", "arctanh"),
}


def reads_exact_numbers_only(word: str) -> bool:
    """Whether rounding errors in what it reads are not forgiven."""
    return word in _JUMPS | _HAS_EDGES


# -- where derivatives are what differences say ---------------------------------

_SMOOTH_EVERYWHERE = {
    *("add", "subtract", "multiply", "negate"),
    *("sigmoid", "erf", "sin", "cos", "tanh", "arctan", "arcsinh"),
    *("reshape", "transpose", "slice", "pad", "concatenate", "reverse", "broadcast_to"),
    *("gather", "scatter_add", "dynamic_slice", "dynamic_update", "select"),
    *("reduce_sum", "reduce_prod", "cumulative_sum", "cumulative_product", "dot_general"),
    *("convolution", "convolution_input_gradient", "convolution_kernel_gradient"),
    *("window_sum", "window_spread", "window_gather", "window_scatter"),
    *("scan", "branch"),
}


def _between(low: float, high: float) -> Callable[[Array], bool]:
    return lambda x, *_: bool(((x > low) & (x < high)).all())


def _far_from_zero(x: Array) -> bool:
    return bool((np.absolute(x) > 0.1).all())


def _apart(x: Array) -> bool:
    """Whether no two numbers of the array are nearly equal."""
    return bool((np.diff(np.sort(x, axis=None)) > 0.01).all())


def _far_from_steps(x: Array, y: Array) -> bool:
    quotient = x / np.where(y == 0, 1, y)
    return _far_from_zero(y) and bool((np.absolute(quotient - np.rint(quotient)) > 0.01).all())


_SMALL = _between(-2.5, 2.5)
_SMOOTH_WHERE: dict[str, Callable[..., bool]] = {
    **dict.fromkeys(("exp", "expm1", "sinh", "cosh"), _SMALL),
    **dict.fromkeys(("log", "sqrt", "rsqrt"), _between(0.2, 50)),
    **dict.fromkeys(("arcsin", "arccos", "arctanh", "erf_inverse"), _between(-0.9, 0.9)),
    **dict.fromkeys(("sort", "top_k", "window_max", "reduce_max", "reduce_min"), _apart),
    **dict.fromkeys(("maximum", "minimum"), lambda x, y: _far_from_zero(x - y)),
    "log1p": _between(-0.8, 50),
    "arccosh": _between(1.2, 50),
    "tan": _between(-1.3, 1.3),
    "absolute": _far_from_zero,
    "divide": lambda x, y: _far_from_zero(y),
    "power": lambda x, y: _between(0.2, 3)(x) and _SMALL(y),
    "arctan2": lambda x, y: _far_from_zero(x) and _far_from_zero(y),
    "remainder": lambda x, y: x.dtype.kind != "f" or _far_from_steps(x, y),
}
SMOOTH = _SMOOTH_EVERYWHERE | set(_SMOOTH_WHERE)


def is_smooth_at(word: str, arrays: Sequence[Array] | None) -> bool:
    """Whether the word is smooth around these numbers; around all, where they are not known."""
    if word in _SMOOTH_EVERYWHERE:
        return True
    if word not in _SMOOTH_WHERE or arrays is None:
        return False
    return _SMOOTH_WHERE[word](*arrays)
