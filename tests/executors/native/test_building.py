"""Code out of the cache runs as if it had just been compiled, and what is doubtful is compiled."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearprop import ops
from clearprop.errors import CapacityError
from clearprop.executors.native import building, cache
from clearprop.executors.native.blueprint import Blueprint, packed, unpacked
from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.llvm.machine import this_machine
from clearprop.ir.meaning import run
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.passes.simplify import simplify
from tests.executors.native.test_keys import sums
from tests.support.native_training import NETS, digest, training_loop
from tests.support.processes import run_script

X = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "code"))
    return tmp_path / "code"


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Grows by one with each module that is compiled for a Program."""
    found: list[str] = []
    compile_ = building.object_code

    def counted(text: str, machine: Any) -> bytes:
        found.append(text)
        return compile_(text, machine)

    monkeypatch.setattr(building, "object_code", counted)
    return found


def test_the_second_time_nothing_is_compiled(compilations: list[str]) -> None:
    first, second = (Compiled(sums(), this_machine()) for _ in range(2))
    assert len(compilations) == 1
    np.testing.assert_array_equal(second([X]), [2 * X.sum(axis=0)])
    assert first.blueprint == replace(second.blueprint, constants=())
    assert first.text == second.text  # written again, because it was asked for
    assert len(first.plan.steps) == len(second.plan.steps)
    assert len(compilations) == 1


@pytest.mark.parametrize("net", NETS)
def test_training_goes_on_with_the_same_bits(net: str, compilations: list[str]) -> None:
    results = []
    for together in (None, True, True, None):
        loop = training_loop(net)
        results.append(digest(loop.compiled(2, together)(loop.arrays)))
    assert len(compilations) == 2
    assert len(set(results)) == 1


def test_what_was_ordered_counts(compilations: list[str]) -> None:
    loop = training_loop("mlp")
    for threads, together in ((1, None), (2, True), (2, False), (3, True)):
        loop.compiled(threads, together)
    counted = Compiled(loop.body, this_machine(), (loop.carry_count, 1), counts=True)
    again = Compiled(loop.body, this_machine(), (loop.carry_count, 1), counts=True)
    assert len(compilations) == 5
    again(loop.arrays)
    assert counted.blueprint.kernels == again.blueprint.kernels
    assert len(again.cycles) == len(again.blueprint.kernels) > 0
    assert (again.cycles > 0).all()


def test_other_features_of_the_processor_miss(compilations: list[str]) -> None:
    if not this_machine().is_x86:
        pytest.skip("parts of a processor are known for x86")
    for instructions in ("sse", None, "sse"):
        compiled = Compiled(sums(), this_machine(instructions))
        np.testing.assert_array_equal(compiled([X]), [2 * X.sum(axis=0)])
    assert len(compilations) == 2


def _damaged(whole: bytes) -> list[bytes]:
    return [b"", b"\xff" * 8, whole[:20], whole[:-40], whole[:8] + b"[" + whole[9:], b"x" * 5000]


def test_entries_that_are_no_code_are_compiled_again(folder: Path, compilations: list[str]) -> None:
    Compiled(sums(), this_machine())
    (path,) = folder.iterdir()
    whole = cache.load(path.name)
    assert whole is not None
    for count, entry in enumerate(_damaged(whole), start=2):
        cache.store(path.name, entry)
        np.testing.assert_array_equal(Compiled(sums(), this_machine())([X])[0], 2 * X.sum(axis=0))
        assert len(compilations) == count
        assert cache.load(path.name) == whole


BLUEPRINT = Blueprint("run_alone", 1, 2, 64, 128, 0, (0, 3), 0.5, 0.25, True, (("nest 5", 10),))


def test_blueprints_survive_packing() -> None:
    assert unpacked(packed(BLUEPRINT, b"image")) == (BLUEPRINT, b"image")


@pytest.mark.parametrize(
    "changes",
    [
        {"function": 5},
        {"inputs": -1},
        {"inputs": True},
        {"arena_bytes": 1 << 60},
        {"arena_bytes": 1.0},
        {"kept_bytes": None},
        {"constants": [0, -1]},
        {"constants": "01"},
        {"seconds": float("nan")},
        {"seconds": 1},
        {"exchanges": 1},
        {"kernels": [["nest"]]},
        {"kernels": [["nest", True]]},
        {"more": 1},
    ],
)
def test_a_blueprint_is_read_strictly(changes: dict[str, Any]) -> None:
    whole = packed(BLUEPRINT, b"image")
    length = int.from_bytes(whole[:8], "little")
    text = json.dumps({**json.loads(whole[8 : 8 + length]), **changes}).encode()
    assert unpacked(len(text).to_bytes(8, "little") + text + b"image") is None


@pytest.mark.parametrize(
    "changes", [{"function": "another"}, {"inputs": 2}, {"outputs": 0}, {"constants": (1,)}]
)
def test_a_blueprint_that_does_not_fit_is_not_followed(
    folder: Path, compilations: list[str], changes: dict[str, Any]
) -> None:
    Compiled(sums(), this_machine())
    (path,) = folder.iterdir()
    found = unpacked(cache.load(path.name) or b"")
    assert found is not None
    cache.store(path.name, packed(replace(found[0], **changes), found[1]))
    np.testing.assert_array_equal(Compiled(sums(), this_machine())([X])[0], 2 * X.sum(axis=0))
    assert len(compilations) == 2


def test_memory_is_known_before_anything_is_compiled(
    compilations: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = training_loop("mlp")
    monkeypatch.setattr("clearprop.executors.native.memory.memory_bytes", lambda: 1000)
    with pytest.raises(CapacityError):
        loop.compiled(1)
    assert compilations == []
    monkeypatch.undo()
    loop.compiled(1)
    monkeypatch.setattr("clearprop.executors.native.memory.memory_bytes", lambda: 1000)
    with pytest.raises(CapacityError):
        loop.compiled(1)


_TRAIN = """
from tests.support.native_training import count_compilations
compilations = count_compilations()
import hashlib
import numpy as np
import clearprop as cp
cp.set_seed(0)
rng = np.random.default_rng(0)
x, y = rng.normal(size=(500, 8)).astype("float32"), rng.integers(0, 3, 500)
model = cp.Sequential([cp.layers.Dense(16, activation="relu"), cp.layers.Dense(3)])
loss = cp.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("adam", loss, metrics=["accuracy"], executor="native")
model.fit(x, y, epochs=3, validation_split=0.1, verbose=0)
predicted = model.predict(x)
print(len(compilations), hashlib.sha256(predicted.tobytes()).hexdigest())
"""


def test_the_second_start_of_a_training_compiles_nothing(folder: Path) -> None:
    told = [run_script(_TRAIN, PYTHONHASHSEED=seed).split() for seed in ("1", "2")]
    (first, bits), (second, same_bits) = told
    assert int(first) >= 3
    assert int(second) == 0
    assert bits == same_bits
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    assert run_script(_TRAIN).split() == [first, bits]


MEMORY = """
import numpy as np
from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.llvm.machine import this_machine
from tests.support.native_cases import case
from clearprop import ops

def deep(x, w):
    for _ in range(6):
        x = ops.tanh(ops.matmul(x, w))
        y = ops.softmax(x, axis=0)
        x = ops.add(x, y)
    return x

random = case(deep, (20_000, 500), (500, 500))
compiled = Compiled(random.program, this_machine(), threads=1)


def told(name):  # of this process alone: its peak is not that of the one that started it
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


before = told("VmRSS")
compiled(random.arrays)
peak = told("VmHWM")
known = compiled.blueprint.needed_bytes(threads=1) + compiled.blueprint.kept_bytes
known += sum(value.type.size_bytes for value in random.program.outputs)
print((peak - before) / known)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells a process's memory")
def test_memory_is_known_before_it_is_used() -> None:
    result = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert 0.9 < float(result.stdout) < 1.1


def test_numbers_that_planning_makes_keep_no_code_out_of_the_cache() -> None:
    x = Value(TensorType((9, 40, 60), np.dtype("f4")))  # its sum gives that of 3 x - 2
    sums = [ops.sum(each, (0, 1)) for each in (ops.subtract(ops.multiply(x, 3.0), 2.0), x)]
    program = simplify(Program.under(sums, [x]))
    first, second = (Compiled(program, this_machine(), threads=1) for _ in range(2))
    assert ["_draft" in vars(each) for each in (first, second)] == [True, False]
    array = np.random.default_rng(0).standard_normal(x.shape).astype("f4")
    for found, wanted in zip(second([array]), run(program, [array]), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-2)
