"""Counterparts of what PyTorch computes element by element, of its sums, products and orders."""

from __future__ import annotations

import math
from typing import Any

from clearprop import ops
from tests.reference.opinfo.helpers import (
    NO_AXIS,
    Counterpart,
    axes_of,
    elementwise,
    leave_out,
    plain,
    reduction,
)

ELEMENTWISE: dict[str, Counterpart] = {
    name: elementwise(function)
    for name, function in {
        "abs": ops.abs,
        "acos": ops.arccos,
        "acosh": ops.arccosh,
        "asin": ops.arcsin,
        "asinh": ops.arcsinh,
        "atan": ops.arctan,
        "atan2": ops.arctan2,
        "atanh": ops.arctanh,
        "bitwise_and": ops.bitwise_and,
        "bitwise_not": ops.bitwise_not,
        "bitwise_or": ops.bitwise_or,
        "bitwise_xor": ops.bitwise_xor,
        "bitwise_left_shift": ops.left_shift,
        "bitwise_right_shift": ops.right_shift,
        "byte": lambda x: ops.cast(x, "uint8"),
        "ceil": ops.ceil,
        "char": lambda x: ops.cast(x, "int8"),
        "clamp_max": lambda x, high: ops.clip(x, None, high),
        "clamp_min": lambda x, low: ops.clip(x, low, None),
        "cos": ops.cos,
        "cosh": ops.cosh,
        "double": lambda x: ops.cast(x, "float64"),
        "eq": ops.equal,
        "erf": ops.erf,
        "erfinv": ops.erf_inverse,
        "exp": ops.exp,
        "exp2": ops.exp2,
        "expm1": ops.expm1,
        "float": lambda x: ops.cast(x, "float32"),
        "float_power": ops.power,
        "floor": ops.floor,
        "floor_divide": ops.floor_divide,
        "ge": ops.greater_equal,
        "gt": ops.greater,
        "hypot": ops.hypot,
        "int": lambda x: ops.cast(x, "int32"),
        "isfinite": ops.isfinite,
        "isinf": ops.isinf,
        "isnan": ops.isnan,
        "bool": lambda x: ops.cast(x, "bool"),
        "le": ops.less_equal,
        "log": ops.log,
        "log10": ops.log10,
        "log1p": ops.log1p,
        "log2": ops.log2,
        "logaddexp": ops.logaddexp,
        "logical_and": ops.logical_and,
        "logical_not": ops.logical_not,
        "logical_or": ops.logical_or,
        "logical_xor": ops.logical_xor,
        "long": lambda x: ops.cast(x, "int64"),
        "lt": ops.less,
        "masked_fill": lambda x, mask, value: ops.where(mask, value, x),
        "max.binary": ops.maximum,
        "maximum": ops.maximum,
        "min.binary": ops.minimum,
        "minimum": ops.minimum,
        "mul": ops.multiply,
        "nan_to_num": ops.nan_to_num,
        "ne": ops.not_equal,
        "neg": ops.negative,
        "pow": ops.power,
        "reciprocal": ops.reciprocal,
        "remainder": ops.remainder,
        "round": ops.round,
        "rsqrt": ops.rsqrt,
        "sgn": ops.sign,
        "short": lambda x: ops.cast(x, "int16"),
        "sigmoid": ops.sigmoid,
        "sign": ops.sign,
        "sin": ops.sin,
        "sinh": ops.sinh,
        "sqrt": ops.sqrt,
        "square": ops.square,
        "tan": ops.tan,
        "tanh": ops.tanh,
        "true_divide": ops.divide,
        "trunc": ops.trunc,
        "where": lambda x, condition, y: ops.where(condition, x, y),
        "xlogy": ops.xlogy,
        "__radd__": lambda x, y: y + x,
        "__rand__": lambda x, y: y & x,
        "__rdiv__": lambda x, y: y / x,
        "__rmod__": lambda x, y: y % x,
        "__rmul__": lambda x, y: y * x,
        "__ror__": lambda x, y: y | x,
        "__rpow__": lambda x, y: y**x,
        "__rsub__": lambda x, y: y - x,
        "__rxor__": lambda x, y: y ^ x,
    }.items()
}


def _clamp(x: Any, low: Any = None, high: Any = None) -> Any:
    return ops.clip(x, low, high)


def _isclose(
    x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    return ops.isclose(x, y, rtol, atol, equal_nan)


def _divide(x: Any, y: Any, rounding_mode: str | None = None) -> Any:
    if rounding_mode == "floor":
        return ops.floor_divide(x, y)
    quotient = ops.divide(x, y)
    return ops.trunc(quotient) if rounding_mode == "trunc" else quotient


WITH_FACTORS: dict[str, Counterpart] = {
    "div.floor_rounding": _divide,
    "div.no_rounding_mode": _divide,
    "div.trunc_rounding": _divide,
    "add": lambda x, y, alpha=1: ops.add(x, ops.multiply(alpha, y)),
    "sub": lambda x, y, alpha=1: ops.subtract(x, ops.multiply(alpha, y)),
    "rsub": lambda x, y, alpha=1: ops.subtract(y, ops.multiply(alpha, x)),
    "addcmul": lambda x, y, z, value=1: x + value * y * z,
    "addcdiv": lambda x, y, z, value=1: x + value * y / z,
    "clamp": _clamp,
    "isclose": _isclose,
    "lerp": lambda x, y, weight: x + weight * (y - x),
}


# -- many numbers made one ------------------------------------------------------


def _spread(function: Counterpart, *, with_mean: bool = False) -> Counterpart:
    """var and std, which PyTorch corrects by 1 where nothing is said."""

    def call(
        x: Any,
        dim: Any = None,
        unbiased: Any = None,
        keepdim: bool = False,
        correction: Any = None,
    ) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        less = float(unbiased) if unbiased is not None else 1.0
        less = less if correction is None else correction
        axes = axes_of(x, dim)
        result = function(x, axis=axes, keepdims=keepdim, ddof=less)
        return (result, ops.mean(x, axis=axes, keepdims=keepdim)) if with_mean else result

    return call


def _norm(x: Any, p: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    p = 2 if p is None or p == "fro" else p
    leave_out(p not in {1, 2, math.inf}, "norms of orders other than 1, 2 and infinity")
    return ops.norm(x, axis=axes_of(x, dim), keepdims=keepdim, order=p)


def _vector_norm(x: Any, ord: Any = 2, **kwargs: Any) -> Any:  # noqa: A002
    leave_out(ord == math.inf and 0 in x.shape, "the largest of no elements")
    return _norm(x, ord, **kwargs)


def _any_norm(x: Any, ord: Any = None, dim: Any = None, **kwargs: Any) -> Any:  # noqa: A002
    is_matrix = len(dim) == 2 if isinstance(dim, (tuple, list)) else dim is None and x.ndim == 2
    leave_out(is_matrix and ord not in {None, "fro"}, "norms of matrices")
    return _vector_norm(x, 2 if ord is None else ord, dim=dim, **kwargs)


def _running(function: Counterpart) -> Counterpart:
    def call(x: Any, dim: int, **kwargs: Any) -> Any:
        plain(**kwargs)
        return function(x, axes_of(x, dim))

    return call


def _argument(function: Counterpart) -> Counterpart:
    def call(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
        return function(x, axis=axes_of(x, dim), keepdims=keepdim)

    return call


def _extreme(values: Counterpart, places: Counterpart) -> Counterpart:
    def call(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
        if dim is None:
            return values(x)
        axis = axes_of(x, dim)
        return values(x, axis=axis, keepdims=keepdim), places(x, axis=axis, keepdims=keepdim)

    return call


def _count_nonzero(x: Any, dim: Any = None) -> Any:
    return reduction(ops.count_nonzero)(x, dim)


def _dist(x: Any, y: Any, p: float = 2) -> Any:
    return _norm(x - y, p)


def _aminmax(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return tuple(reduction(each)(x, dim, keepdim) for each in (ops.min, ops.max))


def _softmax(function: Counterpart) -> Counterpart:
    def call(x: Any, dim: int, **kwargs: Any) -> Any:
        plain(**kwargs)
        return function(x, axes_of(x, dim))

    return call


REDUCTIONS: dict[str, Counterpart] = {
    "all": reduction(ops.all),
    "amax": reduction(ops.max),
    "amin": reduction(ops.min),
    "aminmax": _aminmax,
    "any": reduction(ops.any),
    "argmax": _argument(ops.argmax),
    "argmin": _argument(ops.argmin),
    "count_nonzero": _count_nonzero,
    "cumprod": _running(ops.cumprod),
    "cumsum": _running(ops.cumsum),
    "dist": _dist,
    "linalg.norm": _any_norm,
    "linalg.vector_norm": _vector_norm,
    "log_softmax": _softmax(ops.log_softmax),
    "log_softmax.with_dtype": _softmax(ops.log_softmax),
    "logsumexp": reduction(ops.logsumexp),
    "max.reduction_no_dim": _extreme(ops.max, ops.argmax),
    "max.reduction_with_dim": _extreme(ops.max, ops.argmax),
    "mean": reduction(ops.mean),
    "min.reduction_no_dim": _extreme(ops.min, ops.argmin),
    "min.reduction_with_dim": _extreme(ops.min, ops.argmin),
    "norm": _norm,
    "norm.fro": _norm,
    "norm.inf": _norm,
    "prod": reduction(ops.prod),
    "softmax": _softmax(ops.softmax),
    "softmax.with_dtype": _softmax(ops.softmax),
    "std": _spread(ops.std),
    "std.unbiased": _spread(ops.std),
    "std_mean": _spread(ops.std, with_mean=True),
    "std_mean.unbiased": _spread(ops.std, with_mean=True),
    "sum": reduction(ops.sum),
    "trace": elementwise(ops.trace),
    "var": _spread(ops.var),
    "var.unbiased": _spread(ops.var),
    "var_mean": _spread(ops.var, with_mean=True),
    "var_mean.unbiased": _spread(ops.var, with_mean=True),
}


# -- orders -----------------------------------------------------------------------


def _sort(x: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    leave_out(not x.shape, NO_AXIS)
    leave_out(descending and stable, "descending orders in which equal elements keep their places")
    parts = ops.sort(x, dim), ops.argsort(x, dim)
    return [ops.flip(part, dim) for part in parts] if descending else parts


def _argsort(x: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    return _sort(x, dim, descending, stable)[1]


def _topk(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:  # noqa: A002
    leave_out(not x.shape, NO_AXIS)
    leave_out(not largest, "the smallest, which top_k(-x) gives")
    parts = ops.top_k(ops.moveaxis(x, dim, -1), k)
    return tuple(ops.moveaxis(part, -1, dim) for part in parts)


ORDERS: dict[str, Counterpart] = {
    "argsort": _argsort,
    "msort": lambda x: ops.sort(x, 0),
    "sort": _sort,
    "topk": _topk,
}

# -- products -----------------------------------------------------------------------


def _scaled(product: Counterpart) -> Counterpart:
    def call(x: Any, y: Any, z: Any, beta: float = 1, alpha: float = 1) -> Any:
        return beta * x + alpha * product(y, z)

    return call


def _einsum(operands: Any, subscripts: str) -> Any:
    parts = subscripts.replace(" ", "").partition("->")[0].split(",")
    leave_out(len(operands) > 2, "more than two arrays in one einsum")
    leave_out("." in subscripts, "... in an einsum")
    leave_out(any(len({*part}) < len(part) for part in parts), "a letter twice in one array")
    return ops.einsum(subscripts, *operands)


def _tensordot(x: Any, y: Any, dims: Any = 2) -> Any:
    if not isinstance(dims, int):
        pairs = [(x.shape[a], y.shape[b]) for a, b in zip(*dims, strict=True)]
        leave_out(any(a != b and 1 in {a, b} for a, b in pairs), "sums over a repeated axis")
    return ops.tensordot(x, y, dims)


def _linear(x: Any, weight: Any, bias: Any = None) -> Any:
    result = ops.matmul(x, ops.transpose(weight))
    return result if bias is None else result + bias


def _vecdot(x: Any, y: Any, dim: int = -1) -> Any:
    return ops.sum(x * y, axis=dim)


def _chain(matrices: Any) -> Any:
    result, *others = matrices
    for other in others:
        result = result @ other
    return result


def _needs_rank(function: Counterpart, *ranks: int) -> Counterpart:
    """mm, mv, ... are matmul for arrays of some numbers of axes; here it takes others too."""

    def call(*xs: Any) -> Any:
        found = tuple(len(x.shape) for x in xs)
        leave_out(found != ranks, "matmul takes any number of axes")
        return function(*xs)

    return call


PRODUCTS: dict[str, Counterpart] = {
    "__rmatmul__": lambda x, y: y @ x,
    "addbmm": _scaled(lambda x, y: ops.sum(x @ y, axis=0)),
    "addmm": _scaled(ops.matmul),
    "addmm.decomposed": _scaled(ops.matmul),
    "addmv": _scaled(ops.matmul),
    "addr": _scaled(ops.outer),
    "baddbmm": _scaled(ops.matmul),
    "bmm": _needs_rank(ops.matmul, 3, 3),
    "dot": _needs_rank(ops.dot, 1, 1),
    "einsum": _einsum,
    "inner": ops.inner,
    "linalg.multi_dot": _chain,
    "linalg.vecdot": _vecdot,
    "matmul": ops.matmul,
    "mm": _needs_rank(ops.matmul, 2, 2),
    "mv": _needs_rank(ops.matmul, 2, 1),
    "nn.functional.linear": _linear,
    "outer": ops.outer,
    "tensordot": _tensordot,
    "vdot": _needs_rank(ops.dot, 1, 1),
}

NUMBERS = ELEMENTWISE | WITH_FACTORS | REDUCTIONS | ORDERS | PRODUCTS
