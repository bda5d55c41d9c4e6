"""Examples of sliding windows: convolution and pooling in one to three dimensions."""

from __future__ import annotations

from typing import Any, NamedTuple

from clearprop.dtypes import I8, I32, U8
from clearprop.primitives import CONVOLUTION, WINDOW_ARGMAX
from tests.support.example import Example, booleans, floats, integers


class Slide(NamedTuple):
    """A convolution: shapes of x and of the kernel, and how it slides."""

    x: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...] = ()
    padding: tuple[tuple[int, int], ...] = ()
    input_dilation: tuple[int, ...] = ()
    kernel_dilation: tuple[int, ...] = ()
    groups: int = 1

    @property
    def params(self) -> dict[str, Any]:
        rank = len(self.x) - 2
        return {
            "strides": self.strides or (1,) * rank,
            "padding": self.padding or ((0, 0),) * rank,
            "input_dilation": self.input_dilation or (1,) * rank,
            "kernel_dilation": self.kernel_dilation or (1,) * rank,
            "groups": self.groups,
        }


SLIDES = [
    Slide((2, 5, 3), (3, 3, 2)),
    Slide((1, 1, 1), (1, 1, 1)),
    Slide((2, 7, 2), (3, 2, 3), (2,), ((2, 1),)),
    Slide((2, 4, 2), (2, 2, 3), (1,), ((1, 2),), (2,), (2,)),
    Slide((1, 5, 2), (3, 2, 1), (2,), ((3, 4),), (3,), (1,)),
    Slide((1, 4, 1), (2, 1, 1), (4,), ((0, 0),), (2,), (3,)),
    Slide((1, 3, 1), (2, 1, 1), (1,), ((5, 4),)),
    Slide((2, 4, 5, 2), (3, 2, 2, 3)),
    Slide((2, 4, 3, 2), (1, 1, 2, 3)),
    Slide((2, 5, 4, 3), (1, 1, 3, 2), (2, 3)),
    Slide((1, 5, 6, 2), (3, 3, 2, 2), (2, 3), ((1, 1), (0, 2)), (), (1, 2)),
    Slide((2, 3, 3, 4), (2, 2, 2, 6), (), ((1, 0), (0, 1)), (), (), 2),
    Slide((2, 4, 4, 3), (3, 3, 1, 6), (2, 1), ((1, 1), (1, 1)), (), (), 3),
    Slide((1, 3, 2, 3, 2), (2, 2, 2, 2, 2)),
    Slide((1, 4, 3, 2, 2), (2, 1, 2, 1, 2), (2, 1, 1), ((0, 0), (1, 1), (0, 1)), (), (2, 1, 1), 2),
    Slide((0, 4, 2), (2, 2, 3)),
    Slide((2, 4, 0), (2, 0, 3)),
    Slide((2, 4, 2), (2, 2, 0)),
    Slide((1, 0, 2), (2, 2, 1), (), ((1, 1),)),
]


def _three(slide: Slide) -> list[Example]:
    """The convolution and both of its derivatives."""
    x, kernel = floats(*slide.x), floats(*slide.kernel)
    output = floats(*CONVOLUTION.infer(x.type, kernel.type, **slide.params).shape)
    return [
        Example("convolution", (x, kernel), slide.params),
        Example(
            "convolution_input_gradient",
            (output, kernel),
            {"space": slide.x[1:-1], **slide.params},
        ),
        Example(
            "convolution_kernel_gradient",
            (x, output),
            {"window": slide.kernel[:-2], **slide.params},
        ),
    ]


_WHOLE = Slide((2, 5, 2), (3, 2, 2), (2,), ((1, 1),))


def _windowing(
    window: tuple[int, ...],
    strides: tuple[int, ...] = (),
    padding: tuple[tuple[int, int], ...] = (),
    dilation: tuple[int, ...] = (),
) -> dict[str, Any]:
    rank = len(window)
    return {
        "window": window,
        "strides": strides or window,
        "padding": padding or ((0, 0),) * rank,
        "dilation": dilation or (1,) * rank,
    }


POOLS = [
    ((2, 6, 3), _windowing((2,))),
    ((1, 1, 1), _windowing((1,))),
    ((2, 7, 2), _windowing((3,), (2,), ((1, 2),))),
    ((2, 7, 1), _windowing((3,), (1,), ((2, 0),), (2,))),
    ((2, 4, 6, 2), _windowing((2, 2))),
    ((1, 5, 4, 2), _windowing((3, 2), (1, 2), ((1, 1), (0, 1)))),
    ((1, 4, 5, 3), _windowing((2, 3), (3, 1), ((0, 1), (2, 2)), (2, 1))),
    ((1, 4, 2, 4, 2), _windowing((2, 2, 2))),
    ((2, 3, 2, 3, 1), _windowing((2, 1, 2), (1, 1, 2), ((1, 0), (0, 0), (0, 1)))),
    ((1, 300, 1), _windowing((280,), (9,))),
    ((0, 4, 2), _windowing((2,))),
    ((2, 4, 0), _windowing((2,))),
]
IN_THE_PADDING = [  # some windows have no element at all; the greatest of none is -infinity
    ((1, 1, 2), _windowing((2,), (1,), ((1, 1),), (2,))),
    ((1, 3, 2), _windowing((2,), (2,), ((3, 3),))),
    ((1, 0, 2), _windowing((2,), (1,), ((1, 1),))),
]


def _six(shape: tuple[int, ...], params: dict[str, Any]) -> list[Example]:
    """All words of windows.  Some taps lie in the padding, and there are no windows like those."""
    x = floats(*shape)
    taps = WINDOW_ARGMAX.infer(x.type, **params)
    output, back = floats(*taps.shape), {"space": shape[1:-1], **params}
    high = int(min(max(params["window"]) * 2, 100))
    places = integers(*taps.shape, low=0, high=high, dtype=taps.dtype)
    return [
        Example("window_max", (x,), params),
        Example("window_argmax", (x,), params),
        Example("window_sum", (x,), params),
        Example("window_gather", (x, places), params),
        Example("window_scatter", (output, places), back),
        Example("window_spread", (output,), back),
    ]


_PAIRS = _windowing((2,), (1,), ((1, 1),))

WINDOWS = [
    *(example for slide in SLIDES for example in _three(slide)),
    Example("convolution", (integers(2, 5, 2), integers(3, 2, 2)), _WHOLE.params),
    Example(
        "convolution_input_gradient",
        (integers(2, 3, 2), integers(3, 2, 2)),
        {"space": (5,), **_WHOLE.params},
    ),
    Example(
        "convolution_kernel_gradient",
        (integers(2, 5, 2), integers(2, 3, 2)),
        {"window": (3,), **_WHOLE.params},
    ),
    *(example for shape, params in POOLS for example in _six(shape, params)),
    *(
        example
        for shape, params in IN_THE_PADDING
        for example in _six(shape, params)
        if example.name != "window_max"  # infinities have no differences
    ),
    *(Example("window_max", (integers(*shape),), params) for shape, params in IN_THE_PADDING),
    *(
        Example(name, (values,), _PAIRS)
        for name in ("window_max", "window_argmax")
        for values in (integers(2, 5, 3, dtype=I8), integers(2, 5, 3, dtype=U8), booleans(2, 5, 1))
    ),
    Example("window_sum", (integers(2, 5, 3, dtype=I8),), _PAIRS),
    Example(
        "window_gather", (booleans(2, 5, 1), integers(2, 6, 1, low=0, high=1, dtype=I32)), _PAIRS
    ),
    Example(
        "window_scatter",
        (integers(2, 6, 1, dtype=I8), integers(2, 6, 1, low=0, high=1, dtype=I8)),
        {"space": (5,), **_PAIRS},
    ),
    Example("window_spread", (integers(2, 6, 1, dtype=I8),), {"space": (5,), **_PAIRS}),
]
