"""How each word of the language is written at random: elementwise words, moves, sums, orders."""

from __future__ import annotations

import math
from collections.abc import Callable

from clearprop.dtypes import BOOL, U32
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Value
from tests.support.random_builder import Builder, Rejected
from tests.support.random_numbers import random_length, random_shape, same_size

Writer = Callable[[Builder], object]

# -- one element at a time --------------------------------------------------------

_ELEMENTWISE = {  # words by what they take: kinds of elements, and how many inputs
    ("iuf", 2): "add subtract multiply floor_divide remainder less less_equal",
    ("biuf", 2): "maximum minimum equal not_equal",
    ("f", 2): "divide power arctan2",
    ("biu", 2): "bitwise_and bitwise_or bitwise_xor",
    ("iu", 2): "shift_left shift_right",
    ("iuf", 1): "negate absolute sign",
    ("biu", 1): "bitwise_not",
    ("biuf", 1): "stop_gradient",
    ("f", 1): (
        "exp expm1 log log1p sqrt rsqrt sigmoid erf erf_inverse sin cos tan arcsin arccos arctan "
        "sinh cosh tanh arcsinh arccosh arctanh floor ceil round truncate is_finite is_nan"
    ),
}


def _elementwise(word: str, kinds: str, count: int) -> Writer:
    def write(b: Builder) -> object:
        first = b.operand(kinds)
        return b.write(word, first, *(b.like(first.type) for _ in range(count - 1)))

    return write


def _select(b: Builder) -> object:
    x = b.operand("biuf")
    return b.write("select", b.like(TensorType(x.shape, BOOL)), x, b.like(x.type))


def _cast(b: Builder) -> object:
    return b.write("cast", b.operand("biuf"), dtype=b.random_dtype("biuf"))


# -- moves ------------------------------------------------------------------------


def _reshape(b: Builder) -> object:
    x = b.operand("biuf")
    return b.write("reshape", x, shape=same_size(b.rng, x.type.size))


def _transpose(b: Builder) -> object:
    x = b.operand("biuf")
    order = tuple(int(axis) for axis in b.rng.permutation(len(x.shape)))
    return b.write("transpose", x, order=order)


def _slice(b: Builder) -> object:
    x = b.operand("biuf")
    stops = tuple((b.below(2) and length) or b.below(length + 1) for length in x.shape)
    starts = tuple(b.below(2) and b.below(stop + 1) for stop in stops)
    strides = tuple(1 + b.below(3) for _ in x.shape)
    return b.write("slice", x, starts=starts, stops=stops, strides=strides)


def _pad(b: Builder) -> object:
    x = b.operand("biuf")
    value = b.like(TensorType((), x.dtype))
    counts = {name: tuple(b.below(3) for _ in x.shape) for name in ("low", "high", "interior")}
    return b.write("pad", x, value, **counts)


def _concatenate(b: Builder) -> object:
    first = b.operand("biuf", ranks=(1, 4))
    axis = b.below(len(first.shape))

    def with_length(length: int) -> Shape:
        return (*first.shape[:axis], length, *first.shape[axis + 1 :])

    def fits(type_: TensorType) -> bool:
        rank = len(first.shape)
        return len(type_.shape) == rank and type_.shape == with_length(type_.shape[axis])

    others = []
    for _ in range(b.below(3)):
        old = [v for v in b.pool if v.dtype == first.dtype and fits(v.type)]
        new = TensorType(with_length(random_length(b.rng)), first.dtype)
        others.append(b.recent(old) if old and b.chance(0.6) else b.leaf(new))
    return b.write("concatenate", first, *others, axis=axis)


def _reverse(b: Builder) -> object:
    x = b.operand("biuf")
    return b.write("reverse", x, axes=b.some_axes(range(len(x.shape))))


def _broadcast_to(b: Builder) -> object:
    x = b.operand("biuf", ranks=(0, 3))
    rank = min(len(x.shape) + b.below(3), 4)
    new_axes = tuple(sorted(int(a) for a in b.rng.permutation(rank)[: rank - len(x.shape)]))
    old = iter(x.shape)
    shape = tuple(random_length(b.rng) if a in new_axes else next(old) for a in range(rank))
    return b.write("broadcast_to", x, shape=shape, new_axes=new_axes)


# -- many into one, and orders ------------------------------------------------------


def _reduction(word: str, kinds: str, needs_elements: bool) -> Writer:
    def write(b: Builder) -> object:
        x = b.operand(kinds)
        axes = [a for a, length in enumerate(x.shape) if length or not needs_elements]
        return b.write(word, x, axes=b.some_axes(axes, 0.6))

    return write


def _along_an_axis(
    word: str, kinds: str, can_reverse: bool, needs_elements: bool = False
) -> Writer:
    def write(b: Builder) -> object:
        x = b.operand(kinds, ranks=(1, 4))
        axes = [a for a, length in enumerate(x.shape) if length or not needs_elements]
        direction = {"reverse": b.chance(0.5)} if can_reverse else {}
        return b.write(word, x, axis=b.one_of(axes), **direction)

    return write


def _top_k(b: Builder) -> object:
    x = b.operand("biuf", ranks=(1, 4))
    return b.write("top_k", x, k=b.below(x.shape[-1] + 1))


def _dot_general(b: Builder) -> object:
    x = b.operand("iuf", ranks=(0, 3))
    y = b.operand("iuf", ranks=(0, 3), dtype=x.dtype)
    contract: list[tuple[int, int]] = []
    batch: list[tuple[int, int]] = []
    for x_axis in b.some_axes(range(len(x.shape)), 0.8):
        used = {y_axis for _, y_axis in contract + batch}
        fitting = [
            axis
            for axis, length in enumerate(y.shape)
            if length == x.shape[x_axis] and axis not in used
        ]
        if fitting:
            (batch if b.chance(0.3) else contract).append((x_axis, b.one_of(fitting)))
    pairs = {
        name: (tuple(one for one, _ in axes), tuple(other for _, other in axes))
        for name, axes in (("contract", contract), ("batch", batch))
    }
    return b.write("dot_general", x, y, **pairs)


# -- places that are numbers --------------------------------------------------------


def _iota(b: Builder) -> object:
    shape = random_shape(b.rng, least=1)
    dtype = b.random_dtype("iuf")
    return b.write("iota", shape=shape, axis=b.below(len(shape)), dtype=dtype)


def _gather(b: Builder) -> object:
    x = b.operand("biuf", ranks=(1, 3))
    axis = b.below(len(x.shape))
    return b.write("gather", x, b.index(x.shape[axis]), axis=axis)


def _scatter_add(b: Builder) -> object:
    x = b.operand("iuf", ranks=(1, 3))
    axis = b.below(len(x.shape))
    indices = b.index(x.shape[axis])
    shape = x.shape[:axis] + indices.shape + x.shape[axis + 1 :]
    if math.prod(shape) > 300:
        raise Rejected
    return b.write("scatter_add", x, indices, b.like(TensorType(shape, x.dtype)), axis=axis)


def _starts(b: Builder, x: Value, sizes: Shape) -> list[Value]:
    return [b.index(length - size + 1, ()) for length, size in zip(x.shape, sizes, strict=True)]


def _dynamic_slice(b: Builder) -> object:
    x = b.operand("biuf", ranks=(0, 3))
    sizes = tuple(b.below(length + 1) for length in x.shape)
    return b.write("dynamic_slice", x, *_starts(b, x, sizes), sizes=sizes)


def _dynamic_update(b: Builder) -> object:
    x = b.operand("biuf", ranks=(0, 3))

    def fits(type_: TensorType) -> bool:
        same_rank = len(type_.shape) == len(x.shape)
        return same_rank and all(a <= c for a, c in zip(type_.shape, x.shape, strict=True))

    old = [value for value in b.pool if value.dtype == x.dtype and fits(value.type)]
    sizes = tuple(b.below(length + 1) for length in x.shape)
    update = b.recent(old) if b.chance(0.5) else b.leaf(TensorType(sizes, x.dtype))
    return b.write("dynamic_update", x, update, *_starts(b, x, update.shape))


def _random_bits(b: Builder) -> object:
    pair = TensorType((2,), U32)
    key, counter = b.like(pair), b.like(pair)
    return b.write("random_bits", key, counter, shape=random_shape(b.rng))


WORDS: dict[str, Writer] = {
    **{
        word: _elementwise(word, kinds, count)
        for (kinds, count), words in _ELEMENTWISE.items()
        for word in words.split()
    },
    "select": _select,
    "cast": _cast,
    "reshape": _reshape,
    "transpose": _transpose,
    "slice": _slice,
    "pad": _pad,
    "concatenate": _concatenate,
    "reverse": _reverse,
    "broadcast_to": _broadcast_to,
    "reduce_sum": _reduction("reduce_sum", "iuf", False),
    "reduce_prod": _reduction("reduce_prod", "iuf", False),
    "reduce_max": _reduction("reduce_max", "biuf", True),
    "reduce_min": _reduction("reduce_min", "biuf", True),
    "argmax": _along_an_axis("argmax", "biuf", False, True),
    "argmin": _along_an_axis("argmin", "biuf", False, True),
    "cumulative_sum": _along_an_axis("cumulative_sum", "iuf", True),
    "cumulative_product": _along_an_axis("cumulative_product", "iuf", True),
    "sort": _along_an_axis("sort", "biuf", False),
    "argsort": _along_an_axis("argsort", "biuf", False),
    "top_k": _top_k,
    "dot_general": _dot_general,
    "iota": _iota,
    "gather": _gather,
    "scatter_add": _scatter_add,
    "dynamic_slice": _dynamic_slice,
    "dynamic_update": _dynamic_update,
    "random_bits": _random_bits,
}
