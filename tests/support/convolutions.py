"""The words of a convolution for some sizes: the convolution and both its gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from clearprop.ir.primitive import REGISTRY
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.primitives import convolution

WORDS = ("convolution", "convolution_input_gradient", "convolution_kernel_gradient")
PLAIN: dict[str, Any] = {
    "strides": (1, 1),
    "padding": ((0, 0), (0, 0)),
    "input_dilation": (1, 1),
    "kernel_dilation": (1, 1),
    "groups": 1,
}


class Sliding(NamedTuple):
    """A kernel that slides over images.

    Attributes:
        x: shape of the images.
        kernel: its shape.
        how: it slides, where that is not plain.
    """

    x: tuple[int, ...]
    kernel: tuple[int, ...]
    how: dict[str, Any]


def program_of(word: str, sliding: Sliding, dtype: str = "f4") -> Program:
    """The Program of one of the words."""
    x, kernel, how = sliding
    params = PLAIN | how
    output = convolution(*(Value(TensorType(shape)) for shape in (x, kernel)), **params).shape
    shapes = [x, kernel]
    if word == "convolution_input_gradient":
        shapes, params = [output, kernel], params | {"space": x[1:-1]}
    if word == "convolution_kernel_gradient":
        shapes, params = [x, output], params | {"window": kernel[:-2]}
    inputs = [Value(TensorType(shape, np.dtype(dtype))) for shape in shapes]
    return Program.under(REGISTRY[word].apply_all(*inputs, **params), inputs)
