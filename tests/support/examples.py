"""The one table of examples: what each primitive is tested on, by every promise and executor."""

from __future__ import annotations

from clearprop.dtypes import BOOL, F32, F64, I8, I32, I64, U8, U32, DType
from tests.support.example import Example, Input, booleans, floats, given, integers
from tests.support.examples_control import BRANCHES, LOOPS
from tests.support.examples_convolution import WINDOWS

_SHAPES = ((3, 2), (1,), (), (0, 3))
_BROKEN = given(float("nan"), float("inf"), -float("inf"), 0.0)


def _unary(name: str, low: float = -2.0, high: float = 2.0) -> list[Example]:
    return [Example(name, (floats(*shape, low=low, high=high),)) for shape in _SHAPES]


def _binary(name: str, **bounds: float) -> list[Example]:
    return [
        Example(name, (floats(*shape, **bounds), floats(*shape, **bounds))) for shape in _SHAPES
    ]


def _on_integers(name: str, count: int, *dtypes: DType) -> list[Example]:
    return [
        Example(name, tuple(integers(7, 5, dtype=dtype) for _ in range(count)))
        for dtype in dtypes or (I8, I32, I64, U8)
    ]


ARITHMETIC = [
    *(
        example
        for name in ("add", "subtract", "multiply", "maximum", "minimum")
        for example in (*_binary(name), *_on_integers(name, 2))
    ),
    Example("maximum", (booleans(5), booleans(5))),
    Example("minimum", (booleans(5), booleans(5))),
    *_binary("divide", low=0.5, high=3.0),
    *_binary("power", low=0.3, high=2.0),
    Example("power", (given(0.5, 1.5, 3.0, 1e-3), given(2.0, -1.0, 0.0, 1.0))),
    *_binary("remainder", low=0.7, high=4.0),
    Example("remainder", (floats(9, low=-8, high=8), floats(9, low=-2, high=-1))),
    *_on_integers("remainder", 2),
    *_binary("floor_divide", low=0.7, high=4.0),
    *_on_integers("floor_divide", 2),
    *(
        example
        for name in ("negate", "absolute", "sign")
        for example in (*_unary(name), *_on_integers(name, 1))
    ),
]

ELEMENTWISE = [
    *_unary("exp"),
    *_unary("expm1"),
    *_unary("log", 0.2, 3.0),
    *_unary("log1p", -0.7, 3.0),
    *_unary("sqrt", 0.2, 3.0),
    *_unary("rsqrt", 0.2, 3.0),
    *_unary("sigmoid"),
    Example("sigmoid", (floats(9, low=-40, high=40),)),
    *_unary("erf"),
    Example("erf", (floats(40, low=-7, high=7),)),
    *_unary("erf_inverse", -0.95, 0.95),
    *_unary("sin"),
    *_unary("cos"),
    *_unary("tan", -1.3, 1.3),
    *_unary("arcsin", -0.9, 0.9),
    *_unary("arccos", -0.9, 0.9),
    *_unary("arctan"),
    *_binary("arctan2", low=0.3, high=2.0),
    Example("arctan2", (floats(20), floats(20))),
    *_unary("sinh"),
    *_unary("cosh"),
    *_unary("tanh"),
    *_unary("arcsinh"),
    *_unary("arccosh", 1.2, 3.0),
    *_unary("arctanh", -0.9, 0.9),
    *_unary("floor"),
    *_unary("ceil"),
    *_unary("round"),
    *_unary("truncate"),
    *_unary("stop_gradient"),
    Example("stop_gradient", (integers(3),)),
]

DECISIONS = [
    *(
        example
        for name in ("equal", "not_equal", "less", "less_equal")
        for example in (
            *_binary(name),
            *_on_integers(name, 2),
            Example(name, (_BROKEN, given(0.0, 1.0, float("nan"), -0.0))),
        )
    ),
    Example("equal", (booleans(4), booleans(4))),
    Example("not_equal", (booleans(4), booleans(4))),
    *_unary("is_finite"),
    *_unary("is_nan"),
    Example("is_finite", (_BROKEN,)),
    Example("is_nan", (_BROKEN,)),
    *(Example("select", (booleans(*s), floats(*s), floats(*s))) for s in _SHAPES),
    Example("select", (booleans(3), integers(3), integers(3))),
    Example("select", (booleans(3), booleans(3), booleans(3))),
]

BITS = [
    *(
        example
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor")
        for example in (*_on_integers(name, 2), Example(name, (booleans(2, 3), booleans(2, 3))))
    ),
    *_on_integers("bitwise_not", 1),
    Example("bitwise_not", (booleans(),)),
    *(
        Example(name, (integers(9, dtype=dtype), integers(9, dtype=dtype)))
        for name in ("shift_left", "shift_right")
        for dtype in (I8, I32, U32, I64)
    ),
]

CASTS = [
    *(
        Example("cast", (source,), {"dtype": target})
        for source in (
            floats(4, 3, low=-300, high=300),
            integers(5, low=-200, high=200),
            booleans(),
        )
        for target in (F32, F64, I8, I64, U8, BOOL)
    ),
    Example("cast", (_BROKEN,), {"dtype": I32}),
    Example("cast", (floats(0),), {"dtype": F32}),
]

MOVES = [
    *(
        example
        for shape, target, new_axes in (
            ((), (2, 3), (0, 1)),
            ((3,), (2, 3, 1), (0, 2)),
            ((2, 3), (2, 3), ()),
            ((0,), (0, 4), (1,)),
            ((2,), (2, 0), (1,)),
        )
        for example in (
            Example("broadcast_to", (floats(*shape),), {"shape": target, "new_axes": new_axes}),
            Example("reduce_sum", (floats(*target),), {"axes": new_axes}),
        )
    ),
    Example("broadcast_to", (booleans(2),), {"shape": (2, 2), "new_axes": (0,)}),
    Example("reduce_sum", (integers(4, 3, dtype=I8, low=-128, high=127),), {"axes": (0,)}),
    Example("reshape", (floats(2, 6),), {"shape": (3, 2, 2)}),
    Example("reshape", (floats(1),), {"shape": ()}),
    Example("reshape", (floats(0, 3),), {"shape": (5, 0)}),
    Example("reshape", (booleans(4),), {"shape": (2, 2)}),
    Example("transpose", (floats(2, 3, 4),), {"order": (2, 0, 1)}),
    Example("transpose", (floats(),), {"order": ()}),
    Example("transpose", (integers(0, 2),), {"order": (1, 0)}),
    Example("slice", (floats(5, 4),), {"starts": (1, 0), "stops": (5, 3), "strides": (2, 1)}),
    Example("slice", (floats(5),), {"starts": (2,), "stops": (2,), "strides": (3,)}),
    Example("slice", (floats(7),), {"starts": (0,), "stops": (6,), "strides": (4,)}),
    Example("slice", (integers(),), {"starts": (), "stops": (), "strides": ()}),
    Example("pad", (floats(2, 3), floats()), {"low": (1, 0), "high": (0, 2), "interior": (0, 1)}),
    Example("pad", (floats(0), floats()), {"low": (2,), "high": (1,), "interior": (3,)}),
    Example("pad", (floats(), floats()), {"low": (), "high": (), "interior": ()}),
    Example("pad", (integers(3), integers()), {"low": (1,), "high": (1,), "interior": (2,)}),
    Example("concatenate", (floats(2, 1), floats(2, 3), floats(2, 0)), {"axis": 1}),
    Example("concatenate", (floats(3),), {"axis": 0}),
    Example("concatenate", (booleans(1, 2), booleans(2, 2)), {"axis": 0}),
    Example("reverse", (floats(3, 2),), {"axes": (0,)}),
    Example("reverse", (floats(3, 0),), {"axes": (0, 1)}),
    Example("reverse", (integers(),), {"axes": ()}),
]

MATRICES = {"contract": ((1,), (0,)), "batch": ((), ())}
SUMS_AND_ORDERS = [
    Example("dot_general", (floats(3, 4), floats(4, 2)), MATRICES),
    Example(
        "dot_general",
        (floats(5, 2, 3, 4), floats(4, 5, 6, 3)),
        {"contract": ((3, 2), (0, 3)), "batch": ((0,), (1,))},
    ),
    Example(
        "dot_general",
        (floats(2, 3, 4), floats(4, 3, 2)),
        {"contract": ((0, 2), (2, 0)), "batch": ((), ())},
    ),
    Example("dot_general", (floats(3), floats(3)), {"contract": ((0,), (0,)), "batch": ((), ())}),
    Example("dot_general", (floats(3), floats(2)), {"contract": ((), ()), "batch": ((), ())}),
    Example("dot_general", (floats(2, 0), floats(0, 3)), MATRICES),
    Example("dot_general", (floats(4), floats(4)), {"contract": ((), ()), "batch": ((0,), (0,))}),
    Example(
        "dot_general",
        (integers(3, 4), integers(2, 4)),
        {"contract": ((1,), (1,)), "batch": ((), ())},
    ),
    *(
        example
        for name in ("reduce_max", "reduce_min", "reduce_prod")
        for example in (
            Example(name, (floats(4, 3),), {"axes": (1,)}),
            Example(name, (floats(2, 3, 4),), {"axes": (0, 2)}),
            Example(name, (floats(2, 3, 2),), {"axes": (2, 0)}),
            Example(name, (floats(1),), {"axes": (0,)}),
            Example(name, (floats(),), {"axes": ()}),
            Example(name, (floats(0, 3),), {"axes": (1,)}),
            Example(name, (integers(3, 5, dtype=I8),), {"axes": (1,)}),
        )
    ),
    Example("reduce_max", (booleans(3, 4),), {"axes": (1,)}),
    Example("reduce_min", (booleans(3, 4),), {"axes": (0, 1)}),
    Example("reduce_prod", (floats(2, 0),), {"axes": (1,)}),
    Example("reduce_prod", (given(0.0, 2.0, 3.0),), {"axes": (0,)}),
    Example("reduce_prod", (given(0.0, 2.0, 0.0, -1.5, 3.0),), {"axes": (0,)}),
    *(
        example
        for name in ("argmax", "argmin")
        for example in (
            Example(name, (floats(4, 3),), {"axis": 1}),
            Example(name, (floats(0, 3),), {"axis": 1}),
            Example(name, (integers(5),), {"axis": 0}),
            Example(name, (booleans(5, 1),), {"axis": 0}),
        )
    ),
    Example("cumulative_sum", (floats(4, 3),), {"axis": 0, "reverse": False}),
    Example("cumulative_sum", (floats(4, 3),), {"axis": 1, "reverse": True}),
    Example("cumulative_sum", (floats(0),), {"axis": 0, "reverse": False}),
    Example(
        "cumulative_sum", (integers(9, dtype=I8, low=90, high=120),), {"axis": 0, "reverse": True}
    ),
    Example("cumulative_product", (floats(4, 3),), {"axis": 0, "reverse": False}),
    Example("cumulative_product", (floats(2, 7),), {"axis": 1, "reverse": True}),
    Example(
        "cumulative_product", (given(2.0, 0.0, 3.0, 0.0, -1.5),), {"axis": 0, "reverse": False}
    ),
    Example("cumulative_product", (given(2.0, 0.5, 0.0, -1.5),), {"axis": 0, "reverse": True}),
    Example("cumulative_product", (floats(1, 2),), {"axis": 0, "reverse": False}),
    Example("cumulative_product", (floats(2, 0),), {"axis": 1, "reverse": False}),
    Example("cumulative_product", (integers(9, dtype=I8),), {"axis": 0, "reverse": True}),
    *(
        example
        for name in ("sort", "argsort")
        for example in (
            Example(name, (floats(5, 4),), {"axis": 0}),
            Example(name, (floats(2, 5, 3),), {"axis": 1}),
            Example(name, (floats(1, 7),), {"axis": 1}),
            Example(name, (floats(3, 0),), {"axis": 1}),
            Example(name, (integers(9, low=0, high=3),), {"axis": 0}),
            Example(name, (booleans(6),), {"axis": 0}),
        )
    ),
    Example("top_k", (floats(2, 3, 5),), {"k": 2}),
    Example("top_k", (floats(6),), {"k": 6}),
    Example("top_k", (floats(3, 1),), {"k": 1}),
    Example("top_k", (floats(2, 4),), {"k": 0}),
    Example("top_k", (floats(0, 3),), {"k": 2}),
    Example("top_k", (integers(9, low=0, high=3),), {"k": 5}),
    Example("top_k", (booleans(6),), {"k": 3}),
]

PLACES = [
    Example("iota", (), {"shape": (3, 4), "axis": 1, "dtype": I64}),
    Example("iota", (), {"shape": (3, 1), "axis": 0, "dtype": F32}),
    Example("iota", (), {"shape": (300,), "axis": 0, "dtype": U8}),
    Example("iota", (), {"shape": (0,), "axis": 0, "dtype": F64}),
    *(
        example
        for shape, places, axis in (
            ((5, 3), (4,), 0),
            ((2, 5, 3), (2, 3), 1),
            ((2, 5), (), 1),
            ((5,), (0, 2), 0),
            ((5, 0), (3,), 0),
        )
        for indices in [integers(*places, low=0, high=4, dtype=I64)]
        for updates in [floats(*shape[:axis], *places, *shape[axis + 1 :])]
        for example in (
            Example("gather", (floats(*shape), indices), {"axis": axis}),
            Example("scatter_add", (floats(*shape), indices, updates), {"axis": axis}),
        )
    ),
    Example("gather", (booleans(4), integers(6, low=0, high=3, dtype=U8)), {"axis": 0}),
    Example(
        "scatter_add",
        (integers(3, dtype=I8), integers(90, low=0, high=2), integers(90, dtype=I8)),
        {"axis": 0},
    ),
    *(
        example
        for shape, starts, sizes in (
            ((5, 3), (2, 0), (2, 3)),
            ((4,), (3,), (1,)),
            ((3, 2), (3, 1), (0, 1)),
            ((), (), ()),
            ((2, 0), (0, 0), (2, 0)),
        )
        for places in [tuple(Input((), I64, given=(start,)) for start in starts)]
        for example in (
            Example("dynamic_slice", (floats(*shape), *places), {"sizes": sizes}),
            Example("dynamic_update", (floats(*shape), floats(*sizes), *places)),
        )
    ),
    Example("dynamic_slice", (booleans(4), Input((), I64, given=(1,))), {"sizes": (2,)}),
    *(
        Example(
            "random_bits",
            (Input((2,), U32, given=(7, 1)), Input((2,), U32, given=(0, 3))),
            {"shape": shape},
        )
        for shape in ((), (5,), (3, 3), (0, 2))
    ),
]

EXAMPLES = [
    *ARITHMETIC,
    *ELEMENTWISE,
    *DECISIONS,
    *BITS,
    *CASTS,
    *MOVES,
    *SUMS_AND_ORDERS,
    *PLACES,
    *LOOPS,
    *BRANCHES,
    *WINDOWS,
]
