"""One case of every primitive, with inputs of about a wanted number of elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from clearprop import primitives
from clearprop.dtypes import F32, I32, I64
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value

Array = np.ndarray[Any, Any]


class Case(NamedTuple):
    """A primitive, what it is applied to, and its params."""

    name: str
    arrays: tuple[Array, ...]
    params: dict[str, Any]


_BETWEEN = {  # where the inputs of a word lie; otherwise from -2 to 2
    "arccosh": (1, 9), "arccos": (-1, 1), "arcsin": (-1, 1), "arctanh": (-0.9, 0.9),
    "erf_inverse": (-0.9, 0.9), "log": (0.1, 9), "log1p": (-0.5, 9), "rsqrt": (0.1, 9),
    "sqrt": (0, 9), "power": (0.1, 3),
}  # fmt: skip
_ONE = (
    "absolute", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "ceil", "cos",
    "cosh", "erf", "erf_inverse", "exp", "expm1", "floor", "is_finite", "is_nan", "log",
    "log1p", "negate", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt",
    "stop_gradient", "tan", "tanh", "truncate",
)  # fmt: skip
_TWO = (
    "add", "arctan2", "divide", "equal", "floor_divide", "less", "less_equal", "maximum",
    "minimum", "multiply", "not_equal", "power", "remainder", "subtract",
)  # fmt: skip
_BITS = ("bitwise_and", "bitwise_or", "bitwise_xor", "shift_left", "shift_right")


def cases(count: int) -> list[Case]:
    """A case of each primitive.

    Args:
        count: about how many elements the largest input has.
    """
    rng = np.random.default_rng(0)
    side = max(2, round(count**0.5))

    def floats(*shape: int, between: tuple[float, float] = (-2, 2)) -> Array:
        return rng.uniform(*between, shape).astype(np.float32)

    def integers(most: int, *shape: int) -> Array:
        return rng.integers(0, most, shape)

    found = [Case(name, (floats(count, between=_BETWEEN.get(name, (-2, 2))),), {}) for name in _ONE]
    found += [
        Case(name, tuple(floats(count, between=_BETWEEN.get(name, (-2, 2))) for _ in "xy"), {})
        for name in _TWO
    ]
    found += [Case(name, (integers(30, count), integers(30, count)), {}) for name in _BITS]
    found += [
        Case("bitwise_not", (integers(30, count),), {}),
        Case("select", (floats(count) > 0, floats(count), floats(count)), {}),
        Case("cast", (floats(count),), {"dtype": I32}),
    ]
    matrix, columns = floats(side, side), {"axes": (1,)}
    found += [Case(f"reduce_{word}", (matrix,), columns) for word in ("sum", "max", "min", "prod")]
    found += [
        Case(name, (matrix,), {"axis": 1}) for name in ("argmax", "argmin", "sort", "argsort")
    ]
    found += [
        Case(f"cumulative_{word}", (matrix,), {"axis": 1, "reverse": False})
        for word in ("sum", "product")
    ]
    found += _moving(matrix, side, integers(side, side), integers(side), floats)
    found += _sliding(count, floats)
    found += _control(count, side, floats)
    return sorted(found, key=lambda case: case.name)


def _moving(matrix: Array, side: int, rows: Array, place: Array, floats: Any) -> list[Case]:
    half, zero = side // 2, np.array(0)
    return [
        Case("top_k", (matrix,), {"k": min(5, side)}),
        Case("transpose", (matrix,), {"order": (1, 0)}),
        Case("reshape", (matrix,), {"shape": (side * side,)}),
        Case("reverse", (matrix,), {"axes": (0,)}),
        Case("broadcast_to", (matrix[0],), {"shape": (side, side), "new_axes": (0,)}),
        Case("concatenate", (matrix, matrix), {"axis": 1}),
        Case("slice", (matrix,), {
            "starts": (0, 0), "stops": (side, side), "strides": (1, 2),
        }),
        Case("pad", (matrix, np.float32(0)), {
            "low": (1, 1), "high": (1, 1), "interior": (0, 0),
        }),
        Case("gather", (matrix, rows), {"axis": 0}),
        Case("scatter_add", (matrix, rows, floats(side, side)), {"axis": 0}),
        Case("dynamic_slice", (matrix, np.minimum(place, half), zero), {"sizes": (half, side)}),
        Case("dynamic_update", (matrix, matrix[:half].copy(), np.minimum(place, half), zero), {}),
        Case("iota", (), {"shape": (side, side), "axis": 1, "dtype": I64}),
        Case("random_bits", (np.array([1, 2], np.uint32), np.array([3, 4], np.uint32)), {
            "shape": (side, side),
        }),
        Case("dot_general", (matrix, floats(side, side)), {
            "contract": ((1,), (0,)), "batch": ((), ()),
        }),
    ]  # fmt: skip


def _sliding(count: int, floats: Any) -> list[Case]:
    side = max(4, 2 * round((count / 16) ** 0.5 / 2))  # a batch of 2, 8 channels
    x, kernel = floats(2, side, side, 8), floats(3, 3, 8, 8)
    convolving = {
        "strides": (1, 1), "padding": ((1, 1), (1, 1)), "kernel_dilation": (1, 1),
        "input_dilation": (1, 1), "groups": 1,
    }  # fmt: skip
    windowing = {
        "window": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0)), "dilation": (1, 1),
    }  # fmt: skip
    back = {"space": (side, side), **windowing}
    small = floats(2, side // 2, side // 2, 8)
    taps = REGISTRY["window_argmax"].meaning(x, **windowing)
    return [
        Case("convolution", (x, kernel), convolving),
        Case("convolution_input_gradient", (x, kernel), {"space": (side, side), **convolving}),
        Case("convolution_kernel_gradient", (x, x), {"window": (3, 3), **convolving}),
        *(Case(f"window_{word}", (x,), windowing) for word in ("max", "sum", "argmax")),
        Case("window_gather", (x, taps), windowing),
        Case("window_scatter", (small, taps), back),
        Case("window_spread", (small,), back),
    ]


def _control(count: int, side: int, floats: Any) -> list[Case]:
    carried, row = (Value(TensorType((side,), F32)) for _ in range(2))
    total = primitives.add(carried, row)
    body = Program.under([total, total], [carried, row])
    x = Value(TensorType((count,), F32))
    bodies = tuple(
        Program.under([word(x, x)], [x]) for word in (primitives.add, primitives.multiply)
    )
    scanning = {
        "body": body, "carry_count": 1, "step_count": 1, "length": side, "reverse": False,
    }  # fmt: skip
    return [
        Case("scan", (floats(side), floats(side, side)), scanning),
        Case("branch", (np.array(1), floats(count)), {"bodies": bodies}),
    ]


def program_of(case: Case) -> Program:
    """The Program of the one primitive."""
    inputs = [Value(TensorType.of(array)) for array in arrays_of(case)]
    return Program.under(list(REGISTRY[case.name].apply_all(*inputs, **case.params)), inputs)


def arrays_of(case: Case) -> Sequence[Array]:
    """The inputs as arrays: numbers have no axes."""
    return [np.asarray(array) for array in case.arrays]
