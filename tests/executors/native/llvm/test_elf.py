"""Object files that are linked without LLVM: the same code, and all others are left to LLVM."""

from __future__ import annotations

import ctypes
import platform
import struct
import sys
from pathlib import Path

import llvmlite.binding as llvm
import pytest

from clearprop.executors.native.llvm import elf
from clearprop.executors.native.llvm.code import Code
from clearprop.executors.native.llvm.engine import linked, object_code
from clearprop.executors.native.llvm.machine import this_machine
from clearprop.executors.native.llvm.module import Module
from clearprop.executors.native.llvm.registers import integer
from clearprop.executors.native.llvm.writer import Function
from tests.support.processes import run_script

IS_HERE = (sys.platform, platform.machine()) == ("linux", "x86_64")
pytestmark = pytest.mark.skipif(not IS_HERE, reason="object files of another kind")

# A table of constants, a call within the module, and one of the C library.
TEXT = """
@table = private unnamed_addr constant [4 x double] [double 1.5, double 2.5, double 3.5, double 4.5]
declare ptr @memset(ptr, i32, i64)
declare i32 @sched_yield()

define double @looked(i64 %number) {
  %place = getelementptr [4 x double], ptr @table, i64 0, i64 %number
  %found = load double, ptr %place
  %more = fmul double %found, 3.25
  ret double %more
}

define double @filled(ptr %memory, i64 %size) {
  %same = call ptr @memset(ptr %memory, i32 7, i64 %size)
  %zero = call i32 @sched_yield()
  %wide = sext i32 %zero to i64
  %result = call double @looked(i64 %wide)
  ret double %result
}
"""
NAMES = ("looked", "filled")


@pytest.fixture(scope="module")
def image() -> bytes:
    return object_code(TEXT, this_machine())


def check(addresses: dict[str, int]) -> None:
    """Both functions do what they are to do."""
    looked = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int64)(addresses["looked"])
    assert [looked(number) for number in range(4)] == [3.25 * x for x in (1.5, 2.5, 3.5, 4.5)]
    memory = ctypes.create_string_buffer(5000)
    filled = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p, ctypes.c_int64)(addresses["filled"])
    assert filled(ctypes.addressof(memory), 4000) == 3.25 * 1.5
    assert memory.raw == b"\7" * 4000 + bytes(1000)


def test_linked_code_runs(image: bytes) -> None:
    assert elf.is_possible()
    code = elf.LinkedCode(image, NAMES)
    check(code.addresses)


def test_it_lies_where_nobody_can_write(image: bytes) -> None:
    code = elf.LinkedCode(image, NAMES)
    for line in Path("/proc/self/maps").read_text().splitlines():
        first, last = (int(place, 16) for place in line.split()[0].split("-"))
        if first <= code.addresses["looked"] < last:
            assert line.split()[1] == "r-xp"
            return
    raise AssertionError("the code lies nowhere")


def far_away(text: str) -> bytes:
    """An object file whose parts may be anywhere, so that addresses are looked up in a table."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(opt=1, reloc="pic", codemodel="large")
    return bytes(machine.emit_object(llvm.parse_assembly(text)))


def data_that_changes(text: str) -> bytes:
    changed = text.replace("private unnamed_addr constant", "global")
    return object_code(changed, this_machine())


@pytest.mark.parametrize("made", [far_away, data_that_changes])
def test_what_is_not_linked_here_is_left_to_llvm(made: object) -> None:
    assert callable(made)
    other = made(TEXT)
    with pytest.raises(elf.UnusualError):
        elf.LinkedCode(other, NAMES)
    code = Code(other, NAMES)
    check({name: code.address(name) for name in NAMES})


def test_functions_that_nobody_has_are_told(image: bytes) -> None:
    with pytest.raises(elf.UnusualError, match="nowhere"):
        elf.LinkedCode(image, ("nowhere",))
    called = (
        "declare void @nobody_has_this()\n"
        "define void @f() {\n  call void @nobody_has_this()\n  ret void\n}\n"
    )
    with pytest.raises(elf.UnusualError, match="nobody_has_this"):
        elf.LinkedCode(object_code(called, this_machine()), ("f",))


@pytest.mark.parametrize("kept", [0, 4, 63, 64, 200, 0.5, 0.9])
def test_broken_files_are_told(image: bytes, kept: float) -> None:
    short = image[: int(kept * len(image)) if isinstance(kept, float) else kept]
    with pytest.raises(elf.UnusualError):
        elf.LinkedCode(short, NAMES)
    with pytest.raises(RuntimeError):
        Code(short, NAMES)


def test_files_for_other_processors_are_told() -> None:
    script = """
from clearprop.executors.native.llvm import elf
from clearprop.executors.native.llvm.engine import object_code
from clearprop.executors.native.llvm.machine import neon_machine
from tests.executors.native.llvm.test_elf import TEXT
try:
    elf.LinkedCode(object_code(TEXT, neon_machine()), ("looked",))
except elf.UnusualError as error:
    print(error)
"""
    assert run_script(script) == "no object file for x86-64\n"


def test_numbers_that_lead_nowhere_end_in_no_other_error(image: bytes) -> None:
    start, count = struct.unpack_from("<Q", image, 40)[0], struct.unpack_from("<H", image, 60)[0]
    told = 0
    for number in range(count):
        # Its kind, where it lies, its size, its table of names, its target.
        for field in (4, 24, 32, 40, 44):
            broken = bytearray(image)
            struct.pack_into("<I", broken, start + 64 * number + field, 0x7FFFFFFF)
            try:
                elf.LinkedCode(bytes(broken), NAMES)  # which nobody runs
            except elf.UnusualError:
                told += 1
    assert told > count


def test_both_ways_of_linking_give_code_that_does_the_same(image: bytes) -> None:
    addresses, _kept = linked(image, NAMES)
    check(addresses)


def test_all_kernels_of_this_compiler_are_linked_here() -> None:
    f = Function(Module(this_machine()), [("ptr", "p"), ("i64", "n")], exported=True)
    address, stop = f.parameters
    f.clear(address, 1000)
    with f.loop(0, stop) as loop:
        assert loop.index is not None
        f.store(integer(7), f.address(address, "i64", loop.index))
    f.finish()
    name = f.module.add(f, "f")
    assert elf.LinkedCode(object_code(f.module.text(), this_machine()), (name,)).addresses[name]


WARM = """
import sys
import numpy as np
import clearprop as cp
model = cp.models.mlp((8,), 2, (16,))
model.compile("adam", cp.losses.SparseCategoricalCrossentropy(from_logits=True), threads=2)
model.fit(np.ones((64, 8), np.float32), np.zeros(64, int), epochs=2, batch_size=16, verbose=0)
print("llvmlite.binding" in sys.modules)
"""


def test_a_second_start_does_not_load_llvm(tmp_path: Path) -> None:
    cache = {"CLEARPROP_CACHE": str(tmp_path)}
    assert run_script(WARM, **cache) == "True\n"
    assert run_script(WARM, **cache) == "False\n"


def test_the_processor_is_the_same_in_a_second_start(tmp_path: Path) -> None:
    cache = {"CLEARPROP_CACHE": str(tmp_path)}
    script = """
from clearprop.executors.native.llvm.machine import this_machine
print(this_machine())
"""
    first = run_script(script, **cache)
    assert run_script(script, **cache) == first == f"{this_machine()}\n"
    (entry,) = tmp_path.iterdir()
    entry.write_bytes(b"something else")
    assert run_script(script, **cache) == first
