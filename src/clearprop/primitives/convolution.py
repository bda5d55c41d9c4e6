"""Convolution and its two derivatives: three words that are each other's gradients.

Take the sum of x[n, place, c] * kernel[t, c, k] * d_output[n, o, k] over everything, where tap t
of a window at position o lies on ``place``.  It is linear in each of the three arrays; its
derivatives by ``d_output``, ``x`` and ``kernel`` are the three words, and so derivatives of any
order are made of these three alone.

Where a window lies over the padding, or over a hole between elements, it sees zeros, and they are
factors like others: NaN or infinity times such a zero is NaN in an output and in a kernel's
gradient.  The gradient by x is what comes back to elements of x: only those products are in it in
which a tap lies on an element.

All layouts are fixed, with the channels last:

    x (batch, *space, in)    kernel (*window, in / groups, out)    output (batch, *positions, out)
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from clearprop.errors import ShapeError
from clearprop.ir.primitive import Gradients, Primitive
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array, Value
from clearprop.primitives.checks import needs_dtype, needs_kind
from clearprop.primitives.image_matrices import (
    Convolving,
    convolution_flops,
    convolved_shape,
    grouped,
    image_matrices,
)

# -- convolution --------------------------------------------------------------------------


def convolution(x: Value, kernel: Value, **convolving: Unpack[Convolving]) -> Value:
    """At each position of a sliding window, the sum of what it sees times the kernel.

    The kernel is not turned around (mathematicians call this a cross-correlation).

    Args:
        x: signals, images or volumes.
        kernel: the weights of the window's elements.
        **convolving: ``strides``, ``padding``, ``input_dilation``, ``kernel_dilation`` and
            ``groups``, all of them, as told in ``Convolving``.

    Shapes:
        x: (batch, *space, in), kernel: (*window, in / groups, out)  ->  (batch, *positions, out);
        on each axis N = (W - F + 2P)/S + 1 positions, rounded down.

    Gradient:
        d_x = convolution_input_gradient(d_output, kernel),
        d_kernel = convolution_kernel_gradient(x, d_output).

    Cost:
        2 * batch * positions * window * in / groups * out operations, for each of the three.

    Raises:
        ShapeError: the channels do not fit, or the window does not.
    """
    return CONVOLUTION.apply(x, kernel, **convolving)


def _convolution_infer(
    x: TensorType, kernel: TensorType, **convolving: Unpack[Convolving]
) -> TensorType:
    needs_dtype("convolution", "kernel", kernel, needs_kind("convolution", x, "iuf").dtype)
    return TensorType(convolved_shape("convolution", x.shape, kernel.shape, convolving), x.dtype)


def _convolution_meaning(x: Array, kernel: Array, **convolving: Unpack[Convolving]) -> Array:
    layout = image_matrices(x.shape, kernel.shape, **convolving)
    matrices = layout.matrices(kernel)
    output = np.empty((len(x), *layout.positions, kernel.shape[-1]), x.dtype)
    for part, columns in layout.columns(x):
        if layout.groups == 1:  # straight to its place
            rows = output[part].reshape(columns.shape[1], kernel.shape[-1])
            np.matmul(columns[0], matrices[0], out=rows)
        else:
            apart = grouped(output[part], layout.groups)
            apart[...] = np.matmul(columns, matrices).reshape(apart.shape)
    return output


def _convolution_gradient(
    d_output: Value, output: Value, x: Value, kernel: Value, **convolving: Unpack[Convolving]
) -> Gradients:
    return (
        convolution_input_gradient(d_output, kernel, space=x.shape[1:-1], **convolving),
        convolution_kernel_gradient(x, d_output, window=kernel.shape[:-2], **convolving),
    )


def _convolution_flops(x: TensorType, kernel: TensorType, **convolving: Unpack[Convolving]) -> int:
    return convolution_flops(x.shape, kernel.shape, convolving)


CONVOLUTION = Primitive(
    "convolution",
    infer=_convolution_infer,
    meaning=_convolution_meaning,
    gradient=_convolution_gradient,
    flops=_convolution_flops,
)

# -- its derivative by x ------------------------------------------------------------------


def convolution_input_gradient(
    d_output: Value, kernel: Value, *, space: Shape, **convolving: Unpack[Convolving]
) -> Value:
    """The derivative of a convolution by x: each number goes back to what its window saw.

    By itself it is the transposed convolution that enlarges images.

    Args:
        d_output: one number for each output of the convolution.
        kernel: the convolution's kernel.
        space: lengths of x's axes without batch and channels.
        **convolving: as in ``convolution``.

    Shapes:
        d_output: (batch, *positions, out), kernel: (*window, in / groups, out)
        ->  (batch, *space, in)

    Gradient:
        d_d_output = convolution(d, kernel), d_kernel = convolution_kernel_gradient(d, d_output).

    Raises:
        ShapeError: a convolution of such an x gives another shape than that of ``d_output``.
    """
    return CONVOLUTION_INPUT_GRADIENT.apply(d_output, kernel, space=space, **convolving)


def _input_shape(
    word: str, d_output: Shape, kernel: Shape, space: Shape, convolving: Convolving
) -> Shape:
    """The shape of x, once a convolution of it gives ``d_output``."""
    groups, batch = convolving["groups"], d_output[:1]
    x = (*batch, *space, *(size * groups for size in kernel[-2:-1]))
    _needs_output(word, d_output, convolved_shape(word, x, kernel, convolving))
    return x


def _needs_output(word: str, d_output: Shape, needed: Shape) -> None:
    if d_output != needed:
        raise ShapeError(
            f"{word}: this is not the shape that the convolution gives",
            found=f"d_output of shape {d_output}",
            needed=f"shape {needed}",
        )


def _input_gradient_infer(
    d_output: TensorType, kernel: TensorType, *, space: Shape, **convolving: Unpack[Convolving]
) -> TensorType:
    word = "convolution_input_gradient"
    needs_dtype(word, "kernel", kernel, needs_kind(word, d_output, "iuf").dtype)
    shape = _input_shape(word, d_output.shape, kernel.shape, space, convolving)
    return TensorType(shape, d_output.dtype)


def _input_gradient_meaning(
    d_output: Array, kernel: Array, *, space: Shape, **convolving: Unpack[Convolving]
) -> Array:
    shape = (len(d_output), *space, kernel.shape[-2] * convolving["groups"])
    layout = image_matrices(shape, kernel.shape, **convolving)
    turned = layout.matrices(kernel).swapaxes(1, 2)
    d_x = np.zeros(shape, d_output.dtype)
    for part in layout.parts(d_x):
        layout.add_columns(np.matmul(layout.rows(d_output[part]), turned), d_x[part])
    return d_x


def _input_gradient_gradient(
    d: Value,
    output: Value,
    d_output: Value,
    kernel: Value,
    *,
    space: Shape,
    **convolving: Unpack[Convolving],
) -> Gradients:
    return (
        convolution(d, kernel, **convolving),
        convolution_kernel_gradient(d, d_output, window=kernel.shape[:-2], **convolving),
    )


def _input_gradient_flops(
    d_output: TensorType, kernel: TensorType, *, space: Shape, **convolving: Unpack[Convolving]
) -> int:
    word = "convolution_input_gradient"
    x = _input_shape(word, d_output.shape, kernel.shape, space, convolving)
    return convolution_flops(x, kernel.shape, convolving)


CONVOLUTION_INPUT_GRADIENT = Primitive(
    "convolution_input_gradient",
    infer=_input_gradient_infer,
    meaning=_input_gradient_meaning,
    gradient=_input_gradient_gradient,
    flops=_input_gradient_flops,
)

# -- its derivative by the kernel ---------------------------------------------------------


def convolution_kernel_gradient(
    x: Value, d_output: Value, *, window: Shape, **convolving: Unpack[Convolving]
) -> Value:
    """The derivative of a convolution by its kernel: what each weight saw times what it gave.

    Args:
        x: the convolution's input.
        d_output: one number for each of its outputs.
        window: lengths of the kernel's axes without channels.
        **convolving: as in ``convolution``.

    Shapes:
        x: (batch, *space, in), d_output: (batch, *positions, out)
        ->  (*window, in / groups, out)

    Gradient:
        d_x = convolution_input_gradient(d_output, d), d_d_output = convolution(x, d).

    Raises:
        ShapeError: a convolution of x with such a window gives another shape than ``d_output``'s.
    """
    return CONVOLUTION_KERNEL_GRADIENT.apply(x, d_output, window=window, **convolving)


def _kernel_shape(x: Shape, d_output: Shape, window: Shape, convolving: Convolving) -> Shape:
    """The shape of the kernel, once a convolution of x with it gives ``d_output``."""
    groups = max(convolving["groups"], 1)
    kernel = (*window, *(size // groups for size in x[-1:]), *d_output[-1:])
    word = "convolution_kernel_gradient"
    _needs_output(word, d_output, convolved_shape(word, x, kernel, convolving))
    return kernel


def _kernel_gradient_infer(
    x: TensorType, d_output: TensorType, *, window: Shape, **convolving: Unpack[Convolving]
) -> TensorType:
    word = "convolution_kernel_gradient"
    needs_dtype(word, "d_output", d_output, needs_kind(word, x, "iuf").dtype)
    return TensorType(_kernel_shape(x.shape, d_output.shape, window, convolving), x.dtype)


def _kernel_gradient_meaning(
    x: Array, d_output: Array, *, window: Shape, **convolving: Unpack[Convolving]
) -> Array:
    kernel = (*window, x.shape[-1] // convolving["groups"], d_output.shape[-1])
    layout = image_matrices(x.shape, kernel, **convolving)
    sums = np.zeros((layout.groups, layout.width, layout.group_out), x.dtype)
    for part, columns in layout.columns(x):
        sums += np.matmul(columns.swapaxes(1, 2), layout.rows(d_output[part]))
    return sums.swapaxes(0, 1).reshape(kernel)


def _kernel_gradient_gradient(
    d: Value,
    output: Value,
    x: Value,
    d_output: Value,
    *,
    window: Shape,
    **convolving: Unpack[Convolving],
) -> Gradients:
    return (
        convolution_input_gradient(d_output, d, space=x.shape[1:-1], **convolving),
        convolution(x, d, **convolving),
    )


def _kernel_gradient_flops(
    x: TensorType, d_output: TensorType, *, window: Shape, **convolving: Unpack[Convolving]
) -> int:
    kernel = _kernel_shape(x.shape, d_output.shape, window, convolving)
    return convolution_flops(x.shape, kernel, convolving)


CONVOLUTION_KERNEL_GRADIENT = Primitive(
    "convolution_kernel_gradient",
    infer=_kernel_gradient_infer,
    meaning=_kernel_gradient_meaning,
    gradient=_kernel_gradient_gradient,
    flops=_kernel_gradient_flops,
)
