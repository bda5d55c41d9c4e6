"""Code for processors that this is not: it is made, in a process of its own, and not run."""

from __future__ import annotations

import subprocess
import sys

import pytest

NETS = """
import sys
from clearprop.executors.native.building import Order, draw
from clearprop.executors.native.llvm.engine import object_code
from clearprop.executors.native.llvm.machine import neon_machine
from tests.support.native_cases import cases
from tests.support.random_programs import Options, random_program

machine = neon_machine()
programs = [random.program for name, random in cases() if name.startswith(sys.argv[1])]
if sys.argv[1] == "random":
    programs = [random_program(seed, Options(steady=True)).program for seed in range(20)]
for program in programs:
    for threads in (1, 2):
        order = Order(program, machine, None, threads, False, threads > 1)
        image = object_code(draw(order).text, machine)
        assert image[:4] == b"\\x7fELF", image[:4]
        assert int.from_bytes(image[18:20], "little") == 183  # AArch64
print(len(programs))
"""


@pytest.mark.parametrize("kind", ["layer", "kernel gradient", "softmax 37", "swap", "random"])
def test_code_for_aarch64_is_made(kind: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", NETS, kind], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert int(result.stdout) > 0
