"""Products, convolutions and reductions of random sizes, where a compiler's decisions change.

The random Programs are small and mix all words; these have one word whose sizes are now and then
empty, 1, a vector and one more or less, or beyond a tile, followed by what is computed with it.

    program, arrays = random_sizes(seed)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from clearprop import ops
from clearprop import primitives as p
from clearprop.dtypes import F32, F64
from clearprop.errors import ClearPropError
from clearprop.ir.program import Program
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array, Value
from tests.support.random_numbers import chance
from tests.support.random_programs import RandomProgram

_SIZES = (1, 2, 3, 5, 7, 8, 16, 17, 31, 33, 64, 65, 127, 129, 257)
_MOST_WORK, _MOST_ELEMENTS = 3e6, 2e5
_SPECIAL = (np.nan, np.inf, -np.inf, 0.0, 1e3)


def random_sizes(seed: int) -> RandomProgram:
    """The Program with this number, and arrays; every third has NaN or infinity in some."""
    rng = np.random.default_rng(seed)
    while True:
        sizes = _Sizes(rng)
        try:
            outputs = sizes.one_of(_WORDS)(sizes)
        except ClearPropError:  # a window that does not fit
            continue
        program = Program.under(outputs, sizes.inputs)
        if sizes.work <= _MOST_WORK and all(
            value.type.size <= _MOST_ELEMENTS for value in (*sizes.inputs, *outputs)
        ):
            break
    arrays = [_numbers(rng, value.type, special=seed % 3 == 0) for value in program.inputs]
    return RandomProgram(program, arrays)


def _numbers(rng: np.random.Generator, type_: TensorType, *, special: bool) -> Array:
    array = np.asarray(rng.uniform(-1, 1, type_.shape).astype(type_.dtype))
    if special and array.size and chance(rng, 0.5):
        count = int(rng.integers(1, 4))
        array.flat[rng.integers(array.size, size=count)] = rng.choice(_SPECIAL, size=count)
    return array


class _Sizes:
    """The dice, and what has been thrown.

    Attributes:
        inputs: of the Program so far.
        work: products that have to be added up, about.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.dtype = F32 if self.chance(0.6) else F64
        self.inputs: list[Value] = []
        self.work = 0.0

    def chance(self, probability: float) -> bool:
        return chance(self._rng, probability)

    def one_of(self, choices: Sequence[Any]) -> Any:
        return choices[int(self._rng.integers(len(choices)))]

    def length(self, most: int = 300) -> int:
        if self.chance(0.03):
            return 0
        return int(self.one_of([size for size in _SIZES if size <= most]))

    def lengths(self, count: int, most: int) -> Shape:
        return tuple(self.length(most) for _ in range(count))

    def shuffled(self, things: Sequence[Any]) -> list[Any]:
        return [things[i] for i in self._rng.permutation(len(things))]

    def input(self, shape: Sequence[int]) -> Value:
        self.inputs.append(Value(TensorType(tuple(shape), self.dtype)))
        return self.inputs[-1]


# -- words --------------------------------------------------------------------------


def _product(sizes: _Sizes) -> list[Value]:
    batches = sizes.lengths(sizes.one_of((0, 0, 0, 1, 2)), 9)
    summed = sizes.lengths(sizes.one_of((1, 1, 1, 1, 2)), 300)
    frees = [sizes.lengths(sizes.one_of((0, 1, 1, 1, 2)), 300) for _ in range(2)]
    sizes.work = math.prod((*batches, *summed, *frees[0], *frees[1]))
    values, contract, batch = [], [], []
    for free in frees:
        axes = [*(("batch", n) for n in range(len(batches)))]
        axes += [
            *(("free", n) for n in range(len(free))),
            *(("sum", n) for n in range(len(summed))),
        ]
        axes = sizes.shuffled(axes) if sizes.chance(0.5) else axes
        lengths = {"batch": batches, "free": free, "sum": summed}
        values.append(sizes.input([lengths[kind][n] for kind, n in axes]))
        contract.append(tuple(axes.index(("sum", n)) for n in range(len(summed))))
        batch.append(tuple(axes.index(("batch", n)) for n in range(len(batches))))
    result = p.dot_general(*values, contract=tuple(contract), batch=tuple(batch))
    return _followed(sizes, result)


def _convolution(sizes: _Sizes) -> list[Value]:
    rank = sizes.one_of((1, 2, 2, 2, 3))
    groups = sizes.one_of((1, 1, 1, 2, 7, 33))
    each_in, each_out = (sizes.length(129 if groups == 1 else 3) for _ in range(2))
    space = sizes.lengths(rank, (0, 129, 33, 8)[rank])

    def throws(*choices: int) -> tuple[int, ...]:
        return tuple(sizes.one_of(choices) for _ in range(rank))

    window = throws(1, 2, 3, 3, 5)
    how: dict[str, Any] = {
        "strides": throws(1, 1, 2, 3),
        "padding": tuple(zip(throws(0, 1, 1, 4), throws(0, 1, 1, 4), strict=True)),
        "input_dilation": throws(1, 1, 1, 1, 2),
        "kernel_dilation": throws(1, 1, 1, 2),
        "groups": groups,
    }
    x = TensorType((sizes.one_of((0, 1, 1, 2, 3, 7, 16)), *space, each_in * groups), sizes.dtype)
    kernel = TensorType((*window, each_in, each_out * groups), sizes.dtype)
    output = p.convolution(Value(x), Value(kernel), **how).type
    sizes.work = output.size * math.prod(window) * each_in
    word = sizes.one_of(("forward", "by x", "by kernel"))
    given = {"forward": (x, kernel), "by x": (output, kernel), "by kernel": (x, output)}[word]
    first, second = (sizes.input(type_.shape) for type_ in given)
    if word == "forward":
        result = p.convolution(first, second, **how)
    elif word == "by x":
        result = p.convolution_input_gradient(first, second, space=space, **how)
    else:
        result = p.convolution_kernel_gradient(first, second, window=window, **how)
    return _followed(sizes, result)


def _reductions(sizes: _Sizes) -> list[Value]:
    rank = sizes.one_of((1, 2, 3, 4))
    x: Value = sizes.input(sizes.lengths(rank, 300 if rank < 3 else 33))
    if sizes.chance(0.4):
        x = ops.transpose(x, tuple(sizes.shuffled(range(rank))))
    if sizes.chance(0.2):
        x = ops.flip(x, sizes.one_of(range(rank)))
    axes = tuple(axis for axis in range(rank) if sizes.chance(0.5))
    has_some = bool(axes) and all(x.shape[axis] for axis in axes)
    ways = [ops.sum, ops.mean, ops.prod, *((ops.max, ops.min) if has_some else ())]
    outputs: list[Value] = []
    for _ in range(sizes.one_of((1, 2, 3))):
        result = sizes.one_of(ways)(x, axis=axes, keepdims=True)
        outputs.append(result)
        if sizes.chance(0.5):  # a second walk over the same rows
            distance = ops.subtract(x, ops.add(result, 0.5))  # else it may add up to nothing
            outputs.append(ops.sum(distance, axis=sizes.one_of(range(rank))))
    outputs += [ops.argmax(x, axis=axes[0])] if has_some and sizes.chance(0.3) else []
    outputs += [ops.cumsum(x, axis=sizes.one_of(range(rank)))] if sizes.chance(0.3) else []
    outputs += [ops.sum(ops.exp(x))] if sizes.chance(0.2) else []
    return outputs


def _followed(sizes: _Sizes, result: Value) -> list[Value]:
    """A contraction's result, or what is computed of it."""
    rows = tuple(range(len(result.shape) - 1))
    ways: list[Callable[[], list[Value]]] = [lambda: [result]]
    if result.shape:
        ways += [
            lambda: [ops.maximum(ops.add(result, sizes.input(result.shape[-1:])), 0.0)],
            lambda: [ops.multiply(result, sizes.input(result.shape)), result],
            lambda: [ops.tanh(result), ops.sum(result, axis=0)],
            lambda: [ops.transpose(result)],
            lambda: [ops.sum(ops.multiply(result, result)), ops.mean(result, axis=rows)],
        ]
    return list(sizes.one_of(ways)())


_WORDS = (_product, _convolution, _reductions)
