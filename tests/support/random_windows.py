"""How words of sliding windows are written at random: convolution and pooling."""

from __future__ import annotations

from typing import Any

from clearprop.errors import ClearPropError
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Value
from tests.support.random_builder import Builder, Rejected
from tests.support.random_words import Writer

_TRIES = 10


def _counts(b: Builder, rank: int, most: int) -> tuple[int, ...]:
    """A number from 1 to ``most`` for each axis, mostly 1."""
    return tuple(1 + (b.below(most) if b.chance(0.4) else 0) for _ in range(rank))


def _padding(b: Builder, rank: int) -> tuple[tuple[int, int], ...]:
    return tuple((b.below(3), b.below(3)) for _ in range(rank))


def _type_of(word: str, *types: TensorType, **params: Any) -> TensorType | None:
    """The type that comes out, or None where the window does not fit."""
    try:
        type_ = REGISTRY[word].infer(*types, **params)
    except ClearPropError:
        return None
    assert isinstance(type_, TensorType)
    return type_ if type_.size <= 200 else None


# -- convolution --------------------------------------------------------------------


def _image(b: Builder, kinds: str) -> Value:
    return b.operand(kinds, ranks=(3, 5))


def _convolving(b: Builder, x: TensorType) -> tuple[TensorType, dict[str, Any], TensorType]:
    """A kernel for images x, how it slides, and the type that comes out."""
    rank, channels = len(x.shape) - 2, x.shape[-1]
    for _ in range(_TRIES):
        groups = b.one_of([n for n in (1, 1, 2, 3) if channels % n == 0])
        window = tuple(1 + b.below(3) for _ in range(rank))
        out = groups * b.below(3)
        kernel = TensorType((*window, channels // groups, out), x.dtype)
        params = {
            "strides": _counts(b, rank, 3),
            "padding": _padding(b, rank),
            "input_dilation": _counts(b, rank, 2),
            "kernel_dilation": _counts(b, rank, 2),
            "groups": groups,
        }
        output = _type_of("convolution", x, kernel, **params)
        if output is not None:
            return kernel, params, output
    raise Rejected


def _convolution(b: Builder) -> object:
    x = _image(b, "iuf")
    kernel, params, _ = _convolving(b, x.type)
    return b.write("convolution", x, b.like(kernel), **params)


def _convolution_input_gradient(b: Builder) -> object:
    x = _image(b, "iuf").type
    kernel, params, output = _convolving(b, x)
    d_output = b.like(output)
    word = "convolution_input_gradient"
    return b.write(word, d_output, b.like(kernel), space=x.shape[1:-1], **params)


def _convolution_kernel_gradient(b: Builder) -> object:
    x = _image(b, "iuf")
    kernel, params, output = _convolving(b, x.type)
    word = "convolution_kernel_gradient"
    return b.write(word, x, b.like(output), window=kernel.shape[:-2], **params)


# -- windows ------------------------------------------------------------------------


def _windowing(b: Builder, x: Shape) -> tuple[dict[str, Any], Shape]:
    """A window on images of shape x, and the shape that comes out."""
    rank = len(x) - 2
    for _ in range(_TRIES):
        params = {
            "window": tuple(1 + b.below(3) for _ in range(rank)),
            "strides": _counts(b, rank, 3),
            "padding": _padding(b, rank),
            "dilation": _counts(b, rank, 2),
        }
        output = _type_of("window_max", TensorType(x), **params)
        if output is not None:
            return params, output.shape
    raise Rejected


def _over_windows(word: str, kinds: str) -> Writer:
    def write(b: Builder) -> object:
        x = _image(b, kinds)
        return b.write(word, x, **_windowing(b, x.shape)[0])

    return write


def _taps(b: Builder, shape: Shape) -> Value:
    """Numbers of taps, some of them of none."""
    old = [value for value in b.pool if value.shape == shape and value.dtype.kind in "iu"]
    if old and b.chance(0.7):
        return b.recent(old)
    return b.leaf(TensorType(shape, b.random_dtype("iu")), below=10)


def _window_gather(b: Builder) -> object:
    x = _image(b, "biuf")
    params, shape = _windowing(b, x.shape)
    return b.write("window_gather", x, _taps(b, shape), **params)


def _window_scatter(b: Builder) -> object:
    x = _image(b, "iuf")
    params, shape = _windowing(b, x.shape)
    updates, taps = b.like(TensorType(shape, x.dtype)), _taps(b, shape)
    return b.write("window_scatter", updates, taps, space=x.shape[1:-1], **params)


def _window_spread(b: Builder) -> object:
    x = _image(b, "iuf")
    params, shape = _windowing(b, x.shape)
    updates = b.like(TensorType(shape, x.dtype))
    return b.write("window_spread", updates, space=x.shape[1:-1], **params)


WORDS: dict[str, Writer] = {
    "convolution": _convolution,
    "convolution_input_gradient": _convolution_input_gradient,
    "convolution_kernel_gradient": _convolution_kernel_gradient,
    "window_max": _over_windows("window_max", "biuf"),
    "window_argmax": _over_windows("window_argmax", "biuf"),
    "window_sum": _over_windows("window_sum", "iuf"),
    "window_gather": _window_gather,
    "window_scatter": _window_scatter,
    "window_spread": _window_spread,
}
