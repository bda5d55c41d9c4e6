"""Every elementwise primitive in machine code gives what its definition gives."""

from __future__ import annotations

import inspect
import itertools
import zlib

import numpy as np
import pytest

from clearprop.dtypes import BOOL, F32, SHORT_NAMES, DType, short_name
from clearprop.errors import ClearPropError
from clearprop.executors.native.llvm.machine import Machine, neon_machine
from clearprop.executors.native.mathematics import vector_math
from clearprop.executors.native.mathematics.elementwise import WRITERS, write_cast
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array
from clearprop.primitives.elementwise import elementwise
from tests.support.native_kernels import Kernel, Kernels, calls, machines, width_name

DTYPES = tuple(SHORT_NAMES)
EXACT = sorted(set(WRITERS) - set(vector_math.FUNCTIONS) | {"sqrt"})


def numbers(dtype: DType, seed: int, count: int = 600) -> Array:
    """Ordinary, extreme and special numbers of a type."""
    rng = np.random.default_rng(seed)
    if dtype == BOOL:
        return rng.integers(0, 2, count).astype(bool)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        wide = rng.integers(limits.min, limits.max, count, dtype, endpoint=True)
        small = rng.integers(max(-9, limits.min), 10, count).astype(dtype)
        edges = [limits.min, limits.min + 1, limits.max, limits.max - 1, 0, 1, 2, limits.max // 2]
        return np.concatenate([wide, small, np.array(edges, dtype)])
    bits = rng.integers(0, 2 ** (8 * dtype.itemsize), count, np.dtype(f"u{dtype.itemsize}"))
    small = rng.normal(size=count) * 10.0 ** rng.integers(-3, 12, count)
    whole = rng.integers(-40, 40, count) / 2
    edges = [0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 0.5, 1.5, 2.5, -2.5, 2**23 + 0.5, 2.0**31]
    edges += [2.0**63, -(2.0**63), 2.0**64, 2.0**32 - 1, 127.5, -128.7, 255.9, -0.99, 65535.5]
    limits = [np.finfo(dtype).max, np.finfo(dtype).smallest_normal]
    found = np.concatenate([small, whole, edges, limits]).astype(dtype)
    found = np.concatenate([bits.view(dtype), found, -found])
    return found[~(np.abs(found) < np.finfo(dtype).smallest_normal) | (found == 0)]


def pairs(first: Array, second: Array) -> tuple[Array, Array]:
    """Both in another order each, and all pairs of their last, special numbers."""
    rng = np.random.default_rng(1)
    count = min(first.size, second.size)
    x, y = np.meshgrid(first[-64:], second[-64:])
    return (
        np.concatenate([rng.permutation(first)[:count], x.ravel()]),
        np.concatenate([rng.permutation(second)[:count], y.ravel()]),
    )


def input_types(name: str) -> list[tuple[DType, ...]]:
    """All the element types that the primitive takes."""
    count = len(inspect.signature(REGISTRY[name].meaning).parameters) if name != "select" else 3
    count = getattr(REGISTRY[name].meaning, "nin", count)
    found = []
    for dtype in DTYPES:
        types = (BOOL, dtype, dtype) if name == "select" else (dtype,) * count
        try:
            REGISTRY[name].infer(*(TensorType((2,), each) for each in types))
        except ClearPropError:
            continue
        found.append(types)
    return found


def kernel(name: str, types: tuple[DType, ...], lanes: int | None = None) -> Kernel:
    output = REGISTRY[name].infer(*(TensorType((2,), each) for each in types)).dtype
    dtype = types[1] if name == "select" else types[0]
    return Kernel(types, output, lambda f, inputs: WRITERS[name](f, dtype, inputs), lanes)


def full_name(name: str, types: tuple[DType, ...]) -> str:
    return "_".join([name, *map(short_name, types)])


def exact_kernels(lanes: int | None = None) -> dict[str, Kernel]:
    return {
        full_name(name, types): kernel(name, types, lanes)
        for name in EXACT
        for types in input_types(name)
        if name != "stop_gradient" or types == (F32,)
    }


def cast_kernels(lanes: int | None = None) -> dict[str, Kernel]:
    def made(source: DType, target: DType) -> Kernel:
        return Kernel(
            (source,), target, lambda f, inputs: write_cast(f, inputs[0], source, target), lanes
        )

    return {
        f"cast_{short_name(source)}_{short_name(target)}": made(source, target)
        for source, target in itertools.product(DTYPES, DTYPES)
        if source != target
    }


def assert_equal_bits(got: Array, wanted: Array, inputs: tuple[Array, ...], name: str) -> None:
    """The same numbers, of zeros also the sign; any NaN is as good as another."""
    wanted = np.asarray(wanted)
    assert got.dtype == wanted.dtype, name
    same = got == wanted
    if got.dtype.kind == "f":
        tiny = np.finfo(got.dtype).smallest_normal
        same = (same & (np.signbit(got) == np.signbit(wanted))) | (np.isnan(got) & np.isnan(wanted))
        same |= (np.abs(got) < tiny) & (np.abs(wanted) < tiny) & (wanted != 0)
        if name.startswith(("maximum", "minimum")):
            same |= (got == 0) & (wanted == 0)  # NumPy itself gives either zero
    wrong = np.flatnonzero(~same)
    if wrong.size:
        i = wrong[0]
        at = ", ".join(repr(each[i]) for each in inputs)
        raise AssertionError(f"{name}({at}) = {got[i]!r}, not {wanted[i]!r}; {wrong.size} differ")


def arguments(types: tuple[DType, ...]) -> tuple[Array, ...]:
    if len(types) == 1:
        return (numbers(types[0], 0),)
    x, y = pairs(numbers(types[-2], 1), numbers(types[-1], 2))
    if len(types) == 2:
        return x, y
    return np.arange(x.size) % 3 == 0, x, y


@pytest.mark.parametrize("machine", machines(), ids=width_name)
@pytest.mark.parametrize("lanes", [None, 1], ids=["vectors", "scalars"])
def test_all_that_is_exact_is_equal(machine: Machine, lanes: int | None) -> None:
    if lanes == 1 and machine != machines()[-1]:
        pytest.skip("scalars are the same on every machine")
    run = Kernels(exact_kernels(lanes), machine)
    with np.errstate(all="ignore"):
        for name in EXACT:
            for types in input_types(name):
                if full_name(name, types) in run.kernels:
                    inputs = arguments(types)
                    wanted = REGISTRY[name].meaning(*inputs)
                    got = run(full_name(name, types), *inputs)
                    assert_equal_bits(got, wanted, inputs, full_name(name, types))


@pytest.mark.parametrize("machine", machines(), ids=width_name)
@pytest.mark.parametrize("lanes", [None, 1], ids=["vectors", "scalars"])
def test_casts_are_equal(machine: Machine, lanes: int | None) -> None:
    if lanes == 1 and machine != machines()[-1]:
        pytest.skip("scalars are the same on every machine")
    kernels = cast_kernels(lanes)
    run = Kernels(kernels, machine)
    with np.errstate(all="ignore"):
        for name, each in kernels.items():
            x = numbers(each.inputs[0], zlib.crc32(name.encode()))
            wanted = REGISTRY["cast"].meaning(x, dtype=each.output)
            assert_equal_bits(run(name, x), wanted, (x,), name)


def test_table_says_every_elementwise_primitive() -> None:
    rule = elementwise("sample", meaning=np.add, gradient=None).infer
    del REGISTRY["sample"]
    made = {
        name
        for name, primitive in REGISTRY.items()
        if getattr(primitive.infer, "__qualname__", "") == rule.__qualname__
    }
    assert set(WRITERS) == made | {"select"}


@pytest.mark.parametrize("machine", [*machines(), neon_machine()], ids=width_name)
def test_nothing_calls_a_library(machine: Machine) -> None:
    assert calls({**exact_kernels(), **cast_kernels()}, machine) == []
    assert calls({**exact_kernels(1), **cast_kernels(1)}, machine) == []
