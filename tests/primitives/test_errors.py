"""What a primitive says when its inputs do not fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from clearprop.dtypes import BOOL, F32
from clearprop.errors import ArgumentError, ClearPropError, DTypeError, ShapeError
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.primitives import (
    add,
    broadcast_to,
    concatenate,
    dot_general,
    exp,
    gather,
    iota,
    less,
    pad,
    reduce_sum,
    reshape,
    scatter_add,
    select,
    shift_left,
    slice_,
    transpose,
)


def value(*shape: int, dtype: object = F32) -> Value:
    return Value(TensorType(shape, np.dtype(dtype)))


X, FLAGS, WHOLE, ONE = value(2, 3), value(2, 3, dtype=BOOL), value(4, dtype="i8"), value()
MISTAKES: list[tuple[Callable[[], Value], type[ClearPropError], str]] = [
    (lambda: add(X, value(3)), ShapeError, "add: the inputs must have one type"),
    (lambda: add(X, value(2, 3, dtype="f8")), DTypeError, "add: the inputs must have one type"),
    (lambda: add(FLAGS, FLAGS), DTypeError, "add: cannot work on elements of type bool"),
    (lambda: less(FLAGS, FLAGS), DTypeError, "less: cannot work on elements of type bool"),
    (lambda: exp(WHOLE), DTypeError, "exp: cannot work on elements of type int64"),
    (lambda: shift_left(X, X), DTypeError, "shift_left: cannot work on elements of type float32"),
    (lambda: select(X, X, X), DTypeError, "select: the condition must be bool"),
    (lambda: select(value(2, dtype=BOOL), X, X), ShapeError, "select: the condition must have"),
    (lambda: select(FLAGS, X, WHOLE), ShapeError, "select: the inputs must have one type"),
    (lambda: reduce_sum(FLAGS, axes=(0,)), DTypeError, "reduce_sum: cannot work on elements"),
    (lambda: reduce_sum(X, axes=(2,)), ShapeError, "reduce_sum: there is no axis 2"),
    (lambda: reduce_sum(X, axes=(-1,)), ShapeError, "reduce_sum: there is no axis -1"),
    (lambda: reduce_sum(ONE, axes=(0,)), ShapeError, "reduce_sum: there is no axis 0"),
    (lambda: reduce_sum(X, axes=(1, 1)), ArgumentError, "reduce_sum: an axis is named twice"),
    (
        lambda: broadcast_to(X, shape=(2, 4), new_axes=(1,)),
        ShapeError,
        "broadcast_to: the axes that are not new must be those of x",
    ),
    (lambda: reshape(X, shape=(7,)), ShapeError, "reshape: the new shape must have as many"),
    (lambda: reshape(X, shape=(-2, -3)), ShapeError, "reshape: the new shape must have as many"),
    (lambda: transpose(X, order=(0,)), ArgumentError, "transpose: order must have one number"),
    (lambda: transpose(X, order=(0, 0)), ArgumentError, "transpose: an axis is named twice"),
    (
        lambda: slice_(X, starts=(0, 0), stops=(2, 4), strides=(1, 1)),
        ArgumentError,
        "slice: a range does not lie inside of its axis",
    ),
    (
        lambda: slice_(X, starts=(0, 0), stops=(2, 3), strides=(0, 1)),
        ArgumentError,
        "slice: a range does not lie inside of its axis",
    ),
    (lambda: _padded(ONE, low=(-1, 0)), ArgumentError, "pad: a count is negative"),
    (lambda: _padded(value(1)), ShapeError, "pad: the value to pad with must be one number"),
    (lambda: _padded(value(dtype="f8")), DTypeError, "pad: the value must have the element type"),
    (lambda: concatenate(axis=0), ArgumentError, "concatenate: there is nothing to join"),
    (
        lambda: concatenate(X, value(2, 4), axis=0),
        ShapeError,
        "concatenate: the arrays must agree on everything but axis 0",
    ),
    (
        lambda: concatenate(X, FLAGS, axis=0),
        DTypeError,
        "concatenate: the arrays must agree on everything but axis 0",
    ),
    (
        lambda: dot_general(X, X, contract=((1,), (0,)), batch=((), ())),
        ShapeError,
        "dot_general: contracted axes must be equally long",
    ),
    (
        lambda: dot_general(X, X, contract=((1,), ()), batch=((), ())),
        ArgumentError,
        "dot_general: each contracted axis of x needs one of y",
    ),
    (
        lambda: dot_general(X, X, contract=((1,), (1,)), batch=((1,), (1,))),
        ArgumentError,
        "dot_general: an axis is named twice",
    ),
    (
        lambda: dot_general(X, value(2, 3, dtype="f8"), contract=((), ()), batch=((), ())),
        DTypeError,
        "dot_general: y must be float32",
    ),
    (lambda: gather(X, X, axis=0), DTypeError, "gather: cannot work on elements of type float32"),
    (lambda: gather(X, WHOLE, axis=2), ShapeError, "gather: there is no axis 2"),
    (lambda: scatter_add(X, WHOLE, X, axis=0), ShapeError, "scatter_add: the updates do not fit"),
    (lambda: iota(X, shape=(), axis=0, dtype=F32), ShapeError, "iota: there is no axis 0"),
    (lambda: iota(X, shape=(2,), axis=0, dtype=BOOL), DTypeError, "iota: cannot work on elements"),
]


def _padded(with_: Value, low: tuple[int, int] = (0, 0)) -> Value:
    return pad(X, with_, low=low, high=(0, 0), interior=(0, 0))


@pytest.mark.parametrize(("call", "error", "start"), MISTAKES, ids=[m[2] for m in MISTAKES])
def test_a_mistake_is_named(
    call: Callable[[], Value], error: type[ClearPropError], start: str
) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).startswith(start)
    assert caught.value.found
    assert caught.value.needed
    assert "test_errors.py" in caught.value.at


def test_the_whole_text_of_an_error() -> None:
    with pytest.raises(ShapeError) as caught:
        add(X, value(3))
    text = str(caught.value).splitlines()
    assert text[:4] == [
        "add: the inputs must have one type",
        "  found:  f32[2, 3] and f32[3]",
        "  needed: f32[2, 3] for every input",
        "  try:    use the function of clearprop.ops: it broadcasts and promotes",
    ]
