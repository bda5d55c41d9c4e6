"""Loops over arrays in machine code, for tests of what the native executor writes."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from clearprop.dtypes import DType
from clearprop.executors.native.llvm.code import Code
from clearprop.executors.native.llvm.engine import assembly, object_code
from clearprop.executors.native.llvm.machine import Machine, this_machine
from clearprop.executors.native.llvm.module import Module
from clearprop.executors.native.llvm.registers import Operand, vector_type
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics.elementwise import element_type, memory_type
from clearprop.ir.value import Array


class Kernel(NamedTuple):
    """What one loop does.

    Attributes:
        inputs: element types of the arrays that are read.
        output: that of the one that is written.
        write: what is computed of the lanes of each input.
        lanes: how many elements at once; None for a whole register of the widest element.
    """

    inputs: tuple[DType, ...]
    output: DType
    write: Callable[[Function, Sequence[Operand]], Operand]
    lanes: int | None = None


def machines() -> list[Machine]:
    """Parts of this processor: its narrow, wide and widest registers, as far as it has them."""
    whole = this_machine()
    if not whole.is_x86:
        return [whole]
    names = ["sse"]
    names += ["avx2"] if whole.has("avx2") and whole.has("fma") else []
    names += ["avx512"] if whole.has("avx512f") else []
    return [oldest_machine(), *(this_machine(name) for name in names)]


def oldest_machine() -> Machine:
    """The part of this x86 processor that every one with 64 bits has."""
    narrow = this_machine("sse")
    kept = {"64bit", "cmov", "cx8", "fxsr", "mmx", "sse", "sse2"}
    names = [feature[1:] for feature in narrow.features.split(",")]
    features = ",".join(f"{'+' if name in kept else '-'}{name}" for name in names)
    return replace(narrow, features=features)


def width_name(machine: Machine) -> str:
    """A name for the machine in the name of a test."""
    if not machine.is_x86:
        return "arm"
    bits = f"{8 * machine.vector_bytes} bits"
    return bits if machine.has("sse4.1") else f"old, {bits}"


# How the processor rounds and whether it counts tiny numbers as 0: the bits lie at an address.
_SET_MODE = """
declare void @llvm.x86.sse.ldmxcsr(ptr)
define void @set_mode(ptr %bits) {
  call void @llvm.x86.sse.ldmxcsr(ptr %bits)
  ret void
}
"""


class Kernels:
    """Loops by name, compiled together; call one with arrays of one length."""

    def __init__(self, kernels: dict[str, Kernel], machine: Machine) -> None:
        self.kernels = kernels
        text, self._names = module_text(kernels, machine)
        names = set(self._names.values())
        self._set_mode = None
        if machine.is_x86:
            text, names = f"{text}\n{_SET_MODE}", names | {"set_mode"}
        self._code = Code(object_code(text, machine), tuple(names))
        if machine.is_x86:
            made = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
            self._set_mode = made(self._code.address("set_mode"))

    def __call__(self, name: str, *arrays: Array, flush: bool = False) -> Array:
        """The array that the loop writes.

        Args:
            name: of the loop.
            *arrays: what it reads.
            flush: whether numbers below the smallest normal one count as 0, where it is x86.
        """
        kernel = self.kernels[name]
        count = arrays[0].size
        padded = [
            np.concatenate([array.ravel(), np.ones(-count % 64, dtype)]).astype(dtype)
            for array, dtype in zip(arrays, kernel.inputs, strict=True)
        ]
        output = np.empty(padded[0].size, kernel.output)
        given = [each.ctypes.data for each in (*padded, output)]
        types = [*([ctypes.c_void_p] * len(given)), ctypes.c_int64]
        run = ctypes.CFUNCTYPE(None, *types)(self._code.address(self._names[name]))
        if flush and self._set_mode is not None:
            self._set_mode(ctypes.byref(ctypes.c_int32(0x9FC0)))
        run(*given, output.size)
        if flush and self._set_mode is not None:
            self._set_mode(ctypes.byref(ctypes.c_int32(0x1F80)))
        return output[:count].reshape(arrays[0].shape)


def module_text(kernels: dict[str, Kernel], machine: Machine) -> tuple[str, dict[str, str]]:
    """The loops in LLVM IR, and under which name each is found: equal ones are one function."""
    module, names = Module(machine), {}
    for name, kernel in kernels.items():
        parameters = [("ptr", f"input{i}") for i in range(len(kernel.inputs))]
        f = Function(module, [*parameters, ("ptr", "output"), ("i64", "count")], exported=True)
        *inputs, output, count = f.parameters
        widest = max(dtype.itemsize for dtype in (*kernel.inputs, kernel.output))
        lanes = kernel.lanes or machine.lanes(widest)
        with f.loop(0, count, lanes) as loop:
            assert loop.index is not None
            loaded = [
                _loaded(f, dtype, lanes, f.address(each, memory_type(dtype), loop.index))
                for each, dtype in zip(inputs, kernel.inputs, strict=True)
            ]
            result = kernel.write(f, loaded)
            memory = memory_type(kernel.output)
            assert result.type == vector_type(element_type(kernel.output), lanes), result
            if kernel.output.kind == "b":
                result = f.convert("zext", result, memory)
            f.store(result, f.address(output, memory, loop.index))
        f.finish()
        names[name] = module.add(f, name)
    return module.text(), names


def _loaded(f: Function, dtype: DType, lanes: int, address: Operand) -> Operand:
    loaded = f.load(vector_type(memory_type(dtype), lanes), address)
    return f.convert("trunc", loaded, "i1") if dtype.kind == "b" else loaded


def calls(kernels: dict[str, Kernel], machine: Machine) -> list[str]:
    """The lines of the assembly that call something."""
    lines = assembly(module_text(kernels, machine)[0], machine).splitlines()
    found = [line.split() for line in lines if line.startswith("\t")]
    jumps = {"call", "callq", "bl", "b", "jmp"}
    return [" ".join(words) for words in found if words[0] in jumps and "BB" not in words[1]]
