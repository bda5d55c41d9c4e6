"""Programs of the sizes and shapes at which a compiler's decisions change.

Random Programs are small; these have rows beyond a vector and beyond what stays in registers,
tiles with edges, sums that are cut into parts, and loops whose carry is read in awkward places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

from clearprop import ops
from clearprop import primitives as p
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from tests.support.random_programs import RandomProgram

Function = Callable[..., Value | Sequence[Value]]


def case(function: Function, *shapes: tuple[int, ...], dtype: str = "f4") -> RandomProgram:
    """The Program of a function of arrays of these shapes, with random numbers for them."""
    rng = np.random.default_rng(len(shapes))
    inputs = [Value(TensorType(shape, np.dtype(dtype))) for shape in shapes]
    results = function(*inputs)
    outputs = [results] if isinstance(results, Value) else list(results)
    arrays: list[Array] = [rng.uniform(-1, 1, shape).astype(dtype) for shape in shapes]
    return RandomProgram(Program.under(outputs, inputs), arrays)


def cases() -> Iterator[tuple[str, RandomProgram]]:
    """All cases with a name each."""
    yield from _products()
    yield from _convolutions()
    yield from _nests()
    yield from _loops()


def _layer(x: Value, w: Value, b: Value) -> Value:
    return ops.maximum(ops.add(ops.matmul(x, w), b), 0.0)


def _weight_step(x: Value, d: Value, w: Value) -> Value:
    gradient = p.dot_general(x, d, contract=((0,), (0,)), batch=((), ()))
    return ops.subtract(w, ops.multiply(gradient, 0.1))


def _products() -> Iterator[tuple[str, RandomProgram]]:
    sizes = [
        (1, 1, 1),
        (2, 3, 2),
        (5, 17, 10),
        (14, 64, 32),
        (33, 40, 65),
        (128, 9, 100),
        (7, 300, 3),
    ]
    for rows, summed, columns in sizes:
        name = f"{rows}x{summed}x{columns}"
        yield f"layer {name}", case(_layer, (rows, summed), (summed, columns), (columns,))
        yield (
            f"turned {name}",
            case(lambda x, w: ops.matmul(x, ops.transpose(w)), (rows, summed), (columns, summed)),
        )
        yield (
            f"weights {name}",
            case(_weight_step, (rows, summed), (rows, columns), (summed, columns)),
        )
    blocked = [(70, 900, 200), (300, 1100, 40), (9, 1030, 130)]
    for rows, summed, columns in blocked:
        name = f"{rows}x{summed}x{columns}"
        yield f"layer in blocks {name}", case(_layer, (rows, summed), (summed, columns), (columns,))
        yield (
            f"turned in blocks {name}",
            case(lambda x, w: ops.matmul(x, ops.transpose(w)), (rows, summed), (columns, summed)),
        )
    yield (
        "weights far apart, read beside what is stored",
        case(_weight_step, (260, 701), (260, 403), (701, 403)),
    )
    yield "weights in blocks", case(_weight_step, (1300, 130), (1300, 210), (130, 210))
    yield "one layer for all batches", case(ops.matmul, (5, 40, 700), (700, 90))
    yield "many small batches", case(ops.matmul, (131, 7, 9), (131, 9, 20))
    yield "long sums", case(_weight_step, (4100, 24), (4100, 40), (24, 40))
    yield (
        "batches",
        case(
            lambda x, y: p.dot_general(x, y, contract=((3,), (3,)), batch=((0, 2), (0, 2))),
            (3, 19, 2, 20),
            (3, 21, 2, 20),
        ),
    )
    yield "whole numbers", _whole_numbers()
    yield "double", case(_layer, (33, 40), (40, 21), (21,), dtype="f8")


def _whole_numbers() -> RandomProgram:
    inputs = [Value(TensorType(shape, np.dtype("i4"))) for shape in ((9, 20), (20, 37))]
    rng = np.random.default_rng(0)
    arrays: list[Array] = [rng.integers(-9, 9, each.shape).astype("i4") for each in inputs]
    return RandomProgram(Program.under([ops.matmul(*inputs)], inputs), arrays)


def _image_after_image(x: Value, kernel: Value, other: Value) -> list[Value]:
    """Kernels each of whose tasks needs one image, and sums over all of them."""
    first = ops.maximum(ops.conv(x, kernel, padding="same"), 0.0)
    pooled = ops.max_pool(first, 2)
    second = ops.conv(pooled, other, padding="same")
    mean = ops.mean(second, (0, 1, 2))
    passing = ops.max_pool(ops.conv(x, kernel, padding="valid"), 2)  # of an image at a time
    return [ops.conv(ops.subtract(second, mean), other, padding="valid"), mean, first, passing]


def _convolutions() -> Iterator[tuple[str, RandomProgram]]:
    yield (
        "image after image",
        case(_image_after_image, (20, 12, 14, 5), (3, 3, 5, 24), (3, 3, 24, 24)),
    )
    yield (
        "several images in each task",
        case(_image_after_image, (131, 12, 14, 5), (3, 3, 5, 24), (3, 3, 24, 24)),
    )
    for size, channels, outputs, stride, dilation, groups in [
        (9, 3, 16, 1, 1, 1),
        (9, 16, 20, 2, 1, 1),
        (11, 6, 4, 1, 2, 2),
        (8, 5, 5, 1, 1, 5),
        (15, 33, 65, 1, 1, 1),
    ]:
        how = {
            "strides": (stride, stride),
            "padding": ((1, 2), (0, 1)),
            "input_dilation": (1, 1),
            "kernel_dilation": (dilation, dilation),
            "groups": groups,
        }
        name = f"{size} {channels} to {outputs}, stride {stride}, groups {groups}"
        x, kernel = (3, size, size + 1, channels), (3, 2, channels // groups, outputs)
        forward = case(lambda x, k, how=how: p.convolution(x, k, **how), x, kernel)
        yield f"convolution {name}", forward
        out = forward.program.outputs[0].shape
        space = x[1:-1]
        yield (
            f"input gradient {name}",
            case(
                lambda d, k, how=how, space=space: p.convolution_input_gradient(
                    d, k, space=space, **how
                ),
                out,
                kernel,
            ),
        )
        yield (
            f"kernel gradient {name}",
            case(
                lambda x, d, how=how: p.convolution_kernel_gradient(x, d, window=(3, 2), **how),
                x,
                out,
            ),
        )

    yield (
        "convolutions one after the other",
        case(_chain, (3, 9, 10, 4), (3, 3, 4, 17), (3, 3, 17, 17), (3, 3, 17, 5)),
    )


def _chain(x: Value, first: Value, second: Value, third: Value) -> Sequence[Value]:
    """Images that are read with zeros around them, without, in order, and summed."""
    how = {
        "strides": (1, 1),
        "padding": ((1, 1), (1, 1)),
        "input_dilation": (1, 1),
        "kernel_dilation": (1, 1),
        "groups": 1,
    }
    one = ops.maximum(p.convolution(x, first, **how), 0.0)
    two = ops.add(ops.tanh(p.convolution(one, second, **how)), one)
    three = p.convolution(two, third, **how)
    pooled = p.window_max(
        two, window=(2, 2), strides=(2, 2), padding=((0, 0), (0, 0)), dilation=(1, 1)
    )
    gradient = p.convolution_kernel_gradient(two, three, window=(3, 3), **how)
    back = p.convolution_input_gradient(three, third, space=(9, 10), **how)
    line = ops.exp(ops.reshape(one, (3, -1)))
    return [three, pooled, gradient, back, ops.sum(two, axis=(0, 1, 2)), line]


def _normalized(x: Value) -> Value:
    mean = ops.mean(x, axis=-1, keepdims=True)
    centered = ops.subtract(x, mean)
    variance = ops.mean(ops.multiply(centered, centered), axis=-1, keepdims=True)
    return ops.multiply(centered, ops.rsqrt(ops.add(variance, 1e-3)))


def _softmax(x: Value) -> Value:
    powers = ops.exp(ops.subtract(x, ops.max(x, axis=-1, keepdims=True)))
    return ops.divide(powers, ops.sum(powers, axis=-1, keepdims=True))


def _nests() -> Iterator[tuple[str, RandomProgram]]:
    for rows, lanes in product((1, 37, 700), (1, 10, 16, 67, 129, 1000)):
        name = f"{rows}x{lanes}"
        yield f"norm {name}", case(_normalized, (rows, lanes))
        yield f"softmax {name}", case(_softmax, (rows, lanes))
        yield (
            f"sums {name}",
            case(
                lambda x: [ops.sum(x, axis=0), ops.sum(ops.multiply(x, x)), ops.multiply(x, 2.0)],
                (rows, lanes),
            ),
        )
    yield (
        "middle axis",
        case(lambda x: [ops.sum(x, axis=1), ops.argmax(x, axis=1)], (30, 40, 50)),
    )
    yield (
        "all",
        case(lambda x: [ops.sum(ops.add(x, 2.0)), ops.max(x), ops.argmax(x, axis=0)], (100_003,)),
    )
    yield (
        "nothing beside something",
        case(
            lambda x: [ops.exp(p.slice_(x, starts=(0,), stops=(0,), strides=(1,))), ops.tanh(x)],
            (1,),
        ),
    )
    yield "turned", case(lambda x: ops.add(ops.transpose(x), 1.0), (130, 70))
    yield "backwards", case(lambda x: ops.exp(p.reverse(x, axes=(1,))), (13, 70))


def _scan(body: Callable[..., Sequence[Value]], carry: Sequence[tuple[int, ...]]) -> RandomProgram:
    """Five rounds of a body of (carry..., row)."""
    types = [TensorType(shape, np.dtype("f4")) for shape in carry]
    row = TensorType(carry[0], np.dtype("f4"))
    given = [*map(Value, types), Value(row)]
    inner = Program.under(list(body(*given)), given)
    return case(
        lambda *values: p.scan(inner, values[:-1], values[-1:], length=5),
        *carry,
        (5, *carry[0]),
    )


def _loops() -> Iterator[tuple[str, RandomProgram]]:
    square = [(24, 24), (24, 24)]
    yield "swap", _scan(lambda a, b, row: [b, ops.add(a, row)], square)
    yield "turned carry", _scan(lambda a, b, row: [ops.transpose(a), ops.add(b, a)], square)
    yield (
        "read after its update",
        _scan(lambda a, b, row: [ops.add(a, row), ops.matmul(ops.multiply(a, b), row)], square),
    )
    yield (
        "read by a product",
        _scan(lambda a, b, row: [ops.add(a, row), ops.matmul(a, row)], square),
    )
    yield (
        "product of itself",
        _scan(lambda a, b, row: [ops.multiply(ops.matmul(a, a), 0.1), ops.add(b, row)], square),
    )
    yield (
        "shifted in place",
        _scan(
            lambda a, b, row: [
                ops.add(a, p.broadcast_to(ops.index(a, 3), shape=(24, 24), new_axes=(0,))),
                b,
            ],
            square,
        ),
    )
