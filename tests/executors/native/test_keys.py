"""Keys of compiled code: equal for equal Programs in every process, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clearprop import primitives
from clearprop.executors.native import keys
from clearprop.executors.native.keys import identify, text_key
from clearprop.executors.native.llvm.machine import neon_machine
from clearprop.ir.place import in_layer
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from tests.support.native_training import training_loop
from tests.support.processes import run_script

MACHINE = neon_machine()
F32, F64 = np.dtype(np.float32), np.dtype(np.float64)


def sums(
    *, factor: Any = 2.0, shape: tuple[int, ...] = (3, 4), dtype: Any = F32, axis: int = 0,
    name: str = "", swapped: bool = False, dead: bool = False, times: int = 1,
) -> Program:  # fmt: skip
    """Sums of a product with a constant."""
    x = Value(TensorType(shape, np.dtype(dtype)), name=name)
    constant = Value.leaf(np.full(shape, factor, dtype), name=name)
    product = primitives.multiply(*((constant, x) if swapped else (x, constant)))
    if dead:
        product = primitives.add(product, primitives.subtract(x, x))
    total = primitives.reduce_sum(product, axes=(axis,))
    return Program.under([total] * times, [x])


def key_of(program: Program, *options: object) -> str:
    key, _ = identify(program, MACHINE, *options)
    assert key is not None
    return key


def test_names_and_lines_do_not_count() -> None:
    with in_layer("elsewhere"):
        other = sums(name="another")
    assert key_of(sums()) == key_of(other)


DIFFERENT: dict[str, Callable[[], Program]] = {
    "a number": lambda: sums(factor=2.5),
    "the last bit of a number": lambda: sums(factor=np.nextafter(np.float32(2), np.float32(3))),
    "zero": lambda: sums(factor=0.0),
    "negative zero": lambda: sums(factor=-0.0),
    "not a number": lambda: sums(factor=np.nan),
    "an element type": lambda: sums(dtype=F64),
    "a signed type": lambda: sums(dtype=np.int32),
    "an unsigned type": lambda: sums(dtype=np.uint32),
    "a shape": lambda: sums(shape=(4, 3)),
    "a param": lambda: sums(axis=1),
    "the order of inputs": lambda: sums(swapped=True),
    "an equation": lambda: sums(dead=True),
    "an output": lambda: sums(times=2),
}


def test_whatever_may_change_the_code_changes_the_key() -> None:
    programs = [sums(), *(make() for make in DIFFERENT.values())]
    found = {key_of(program) for program in programs}
    found |= {key_of(sums(), None), key_of(sums(), (1, 2)), key_of(sums(), (12,), 1)}
    assert len(found) == len(programs) + 3


def scanned(factor: float, length: int = 3) -> Program:
    """A loop whose body has a constant of its own."""
    x, carry = Value(TensorType((), F32)), Value(TensorType((), F32))
    body = Program.under(
        [primitives.multiply(carry, Value.leaf(np.array(factor, np.float32)))], [carry]
    )
    return Program.under(list(primitives.scan(body, [x], [], [], length=length)), [x])


def test_programs_inside_count() -> None:
    found = {key_of(scanned(2.0)), key_of(scanned(3.0)), key_of(scanned(2.0, 4))}
    assert len(found) == 3
    assert key_of(scanned(2.0)) in found
    assert [float(array) for array in identify(scanned(2.0), MACHINE).arrays] == [2.0]


def test_what_cannot_be_told_has_no_key() -> None:
    (total,) = sums().outputs
    equation = total.equation
    assert equation is not None
    other = type(equation)(equation.primitive, equation.inputs, {"axes": object()}, equation.types)
    strange = Program.under([Value(total.type, equation=other)], sums().inputs)
    assert identify(strange, MACHINE).key is None


@pytest.mark.parametrize(
    "changes",
    [
        {"triple": "aarch64-apple-darwin"},
        {"cpu": "cortex-a78"},
        {"features": "+neon,+sve"},
        {"vector_bytes": 32},
        {"vector_registers": 16},
        {"level1_bytes": 64 << 10},
        {"level2_bytes": 1 << 20},
    ],
)
def test_another_processor_has_other_keys(changes: dict[str, Any]) -> None:
    other = replace(MACHINE, **changes)
    assert identify(sums(), other).key != key_of(sums())
    assert text_key("define", other) != text_key("define", MACHINE)


def test_the_order_of_features_does_not_count() -> None:
    one, other = (replace(MACHINE, features=each) for each in ("+neon,-sve", "-sve,+neon"))
    assert identify(sums(), one).key == identify(sums(), other).key


def test_another_compiler_has_other_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of(sums())
    keys._beginning.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(keys, "_compiler", lambda: "a later version")
        assert key_of(sums()) != before
    keys._beginning.cache_clear()
    assert key_of(sums()) == before


_TELL = """
from tests.support.native_training import training_loop
from clearprop.executors.native.keys import identify
from clearprop.executors.native.llvm.machine import neon_machine
for net in ("mlp", "conv"):
    print(identify(training_loop(net).body, neon_machine()).key)
"""


def test_equal_programs_have_equal_keys_in_every_process() -> None:
    told = [run_script(_TELL, PYTHONHASHSEED=seed).split() for seed in ("1", "2")]
    assert told[0] == told[1] == [key_of(training_loop(net).body) for net in ("mlp", "conv")]
