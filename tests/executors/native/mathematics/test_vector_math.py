"""The elementary functions in machine code: how exact they are, and their special values."""

from __future__ import annotations

import inspect
from functools import cache

import numpy as np
import pytest

from clearprop.dtypes import F32, F64, DType
from clearprop.executors.native.llvm.machine import Machine, neon_machine
from clearprop.executors.native.mathematics.elementwise import WRITERS
from clearprop.executors.native.mathematics.vector_math import FUNCTIONS, ULP_LIMITS
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.value import Array
from tests.support import wide_numbers
from tests.support.native_kernels import Kernel, Kernels, calls, machines, width_name
from tests.support.wide_numbers import HAS_WIDER_THAN_DOUBLE, WIDE, ulps

NAMES = sorted(FUNCTIONS)
TWO_INPUTS = {"power", "arctan2"}
NARROW = pytest.mark.skipif(not HAS_WIDER_THAN_DOUBLE, reason="longdouble is no wider than double")
DTYPES = [F32, pytest.param(F64, marks=NARROW)]
SPECIAL = [0.0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 2.5, np.inf, -np.inf, np.nan, 1e30, -1e30]
COUNT = 3000


@cache
def compiled(machine: Machine, dtype: DType, lanes: int | None = None) -> Kernels:
    """All functions of one type."""
    return Kernels(kernels(dtype, lanes), machine)


def kernels(dtype: DType, lanes: int | None = None) -> dict[str, Kernel]:
    def made(name: str) -> Kernel:
        inputs = (dtype,) * (2 if name in TWO_INPUTS else 1)
        return Kernel(inputs, dtype, lambda f, given: WRITERS[name](f, dtype, given), lanes)

    return {name: made(name) for name in NAMES}


@cache
def arguments(name: str, dtype: DType) -> tuple[Array, ...]:
    """Numbers of all sizes, many of them where the function is neither constant nor broken."""
    rng = np.random.default_rng(len(name))
    limits = np.finfo(dtype)
    highest = float(np.log(limits.max))
    if name == "power":
        base = np.exp(rng.uniform(-0.9, 0.9, COUNT) * highest)
        near = 1 + rng.normal(size=COUNT) * 1e-2
        x = np.concatenate([base, near, -rng.integers(1, 40, COUNT)]).astype(dtype)
        full = rng.uniform(-1, 1, 2 * COUNT) * highest / np.log(x[: 2 * COUNT].astype(np.float64))
        return _with_special(x, np.concatenate([full, rng.integers(-20, 20, COUNT)]).astype(dtype))
    bits = rng.integers(0, 2 ** (8 * dtype.itemsize), COUNT, np.dtype(f"u{dtype.itemsize}"))
    quarter_turns = np.round(np.exp(rng.uniform(0, 40, COUNT))) * (np.pi / 2)
    parts = [
        rng.normal(size=COUNT),
        rng.uniform(-1, 1, COUNT) * highest * 1.03,
        1 + rng.normal(size=COUNT) * 1e-2,
        1 - np.exp(rng.uniform(-30, 0, COUNT)),
        quarter_turns,
        [limits.max, -limits.max, 6381956970095103 * 2.0 ** (797 if dtype == F64 else 60)],
    ]
    x = np.concatenate([bits.view(dtype), *(np.asarray(part).astype(dtype) for part in parts)])
    x = np.concatenate([x, -x])
    x = x[~(np.abs(x) < limits.smallest_normal) | (x == 0)]  # these may count as 0
    if name == "arctan2":
        y = rng.permutation(x)
        near = np.where(np.abs(x) < 1e30, x, 1) * rng.normal(size=x.size)
        return _with_special(x, np.where(rng.integers(0, 2, x.size), y, near).astype(dtype))
    return (np.concatenate([x, np.array(SPECIAL, dtype)]),)


def _with_special(x: Array, y: Array) -> tuple[Array, Array]:
    a, b = np.meshgrid(np.array(SPECIAL, x.dtype), np.array(SPECIAL, x.dtype))
    return np.concatenate([x, a.ravel()]), np.concatenate([y, b.ravel()])


@cache
def exact(name: str, dtype: DType) -> Array:
    """The results for these arguments with more digits."""
    with np.errstate(all="ignore"):
        wide = [x.astype(WIDE) for x in arguments(name, dtype)]
        if name == "erf_inverse":
            near = REGISTRY[name].meaning(*(x.astype(np.float64) for x in wide))
            return wide_numbers.erf_inverse(wide[0], near)
        return wide_numbers.FUNCTIONS[name](*wide)


@pytest.mark.parametrize("machine", machines(), ids=width_name)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_is_as_exact_as_the_table_says(name: str, dtype: DType, machine: Machine) -> None:
    inputs = arguments(name, dtype)
    errors = ulps(compiled(machine, dtype)(name, *inputs), exact(name, dtype))
    worst = int(np.argmax(errors))
    limit = ULP_LIMITS[name][dtype == F64]
    at = ", ".join(repr(x[worst]) for x in inputs)
    assert errors[worst] <= limit, f"{name}({at}): {errors[worst]} units in the last place"


@pytest.mark.parametrize("flush", [False, True], ids=["plain", "flush to zero"])
@pytest.mark.parametrize("lanes", [None, 1], ids=["vectors", "scalars"])
@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
def test_special_values_are_those_of_the_definition(
    dtype: DType, lanes: int | None, flush: bool
) -> None:
    special = np.array([*SPECIAL, np.finfo(dtype).max, np.finfo(dtype).smallest_normal], dtype)
    special = np.concatenate([special, (-special[-2:]), _other_nans(dtype)])
    for machine in machines() if lanes is None else {machines()[0], machines()[-1]}:
        run = compiled(machine, dtype, lanes)
        for name in NAMES:
            inputs = (special,)
            if name in TWO_INPUTS:
                x, y = np.meshgrid(special, special)
                inputs = (x.ravel(), y.ravel())
            got = run(name, *inputs, flush=flush)
            with np.errstate(all="ignore"):
                wanted = np.asarray(REGISTRY[name].meaning(*inputs))
            tiny = np.finfo(dtype).smallest_normal * 1.01
            small = (np.abs(wanted) < tiny) & (np.abs(got) < tiny) & (wanted != 0)
            np.testing.assert_allclose(
                np.where(small, 0, got), np.where(small, 0, wanted),
                rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).smallest_normal, err_msg=name,
            )  # fmt: skip
            zero = (wanted == 0) & ~np.isnan(got)
            same = np.signbit(got[zero]) == np.signbit(wanted[zero])
            assert same.all(), f"{name}: the sign of 0 at {[x[zero][~same] for x in inputs]}"


def _other_nans(dtype: DType) -> Array:
    """NaNs with all bits, and with the last bit: sums of bits must not make numbers of them."""
    unsigned = np.dtype(f"u{dtype.itemsize}")
    quiet = np.array(np.nan, dtype).view(unsigned)
    all_bits = np.array(-1, np.dtype(f"i{dtype.itemsize}")).view(unsigned)
    return np.array([all_bits, quiet | unsigned.type(1)], unsigned).view(dtype)


def test_table_of_limits_is_complete() -> None:
    assert ULP_LIMITS.keys() == FUNCTIONS.keys()
    assert all(len(inspect.signature(each).parameters) in {2, 3} for each in FUNCTIONS.values())


@pytest.mark.parametrize("machine", [*machines(), neon_machine()], ids=width_name)
@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
def test_no_library_is_called(dtype: DType, machine: Machine) -> None:
    assert calls(kernels(dtype), machine) == []
    assert calls(kernels(dtype, 1), machine) == []


def test_a_call_of_a_library_would_be_seen() -> None:
    kernel = Kernel((F32,), F32, lambda f, given: f.intrinsic("llvm.exp", given[0]))
    assert all(calls({"exp": kernel}, machine) for machine in [*machines(), neon_machine()])


@pytest.mark.slow
@pytest.mark.parametrize("machine", machines(), ids=width_name)
@pytest.mark.parametrize("name", sorted(set(NAMES) - TWO_INPUTS))
def test_floats_of_all_sizes(name: str, machine: Machine) -> None:
    run = compiled(machine, F32)
    for start in range(0, 2**32, 2**28):
        x = np.arange(start, start + 2**28, 251, np.int64).astype(np.uint32).view(np.float32)
        x = x[~(np.abs(x) < np.finfo(F32).smallest_normal)]
        with np.errstate(all="ignore"):
            if name == "rsqrt":
                wanted = 1 / np.sqrt(x.astype(np.float64))
            else:
                wanted = REGISTRY[name].meaning(x.astype(np.float64))
        errors = ulps(run(name, x), wanted)
        assert errors.max() <= ULP_LIMITS[name][0], repr(x[np.argmax(errors)])
