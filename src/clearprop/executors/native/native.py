"""The native executor: Programs as machine code."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence

import numpy as np

from clearprop.executors.native.control import (
    ALONE,
    ARENA,
    FLAG,
    HEADER_WORDS,
    KEPT,
    THREADS,
    Table,
    kept_bytes,
    write_run,
)
from clearprop.executors.native.engine import Code, object_code
from clearprop.executors.native.homes import Buffer, Home
from clearprop.executors.native.machine import Machine, this_machine
from clearprop.executors.native.plan import Surroundings, make_plan
from clearprop.executors.native.writer import Module
from clearprop.ir import meaning
from clearprop.ir.program import Program
from clearprop.ir.value import Array

NAME = "native"


class Compiled:
    """A Program as machine code, with the memory that it works on."""

    def __init__(self, program: Program, machine: Machine) -> None:
        self.program = program
        module = Module(machine)
        inputs = [
            Home.plain(Buffer("input", value.type.size_bytes, number), value.type)
            for number, value in enumerate(program.inputs)
        ]
        outputs = [
            Home.plain(Buffer("output", value.type.size_bytes, number), value.type)
            for number, value in enumerate(program.outputs)
        ]
        surroundings = Surroundings(module, machine, {})
        self.plan = make_plan(surroundings, program, inputs, outputs)
        table = Table(len(inputs), len(outputs))
        kept = kept_bytes(self.plan.kept)
        write_run(module, machine, self.plan, table, together=False)
        self.text = module.text()
        self.code = Code(object_code(self.text, machine), (ALONE,))
        function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
        self._run = function(self.code.address(ALONE))
        self._constants = [
            np.ascontiguousarray(value.array) for value in surroundings.constants
        ]
        self._arena = aligned_bytes(self.plan.arena.size_bytes)
        self._kept = aligned_bytes(kept)
        self._flag = np.zeros(64, np.uint8)
        count = HEADER_WORDS + len(inputs) + len(outputs) + len(self._constants)
        self._table = np.zeros(count, np.uint64)
        self._table[ARENA] = self._arena.ctypes.data
        self._table[KEPT] = self._kept.ctypes.data
        self._table[FLAG] = self._flag.ctypes.data
        self._table[THREADS] = 1
        for number, array in enumerate(self._constants):
            self._table[count - len(self._constants) + number] = array.ctypes.data

    def __call__(self, arrays: Sequence[Array]) -> list[Array]:
        """The Program's outputs for these inputs."""
        given = [
            np.ascontiguousarray(array, value.dtype)
            for array, value in zip(arrays, self.program.inputs, strict=True)
        ]
        results = [np.empty(value.shape, value.dtype) for value in self.program.outputs]
        at = HEADER_WORDS
        for array in [*given, *results]:
            self._table[at] = array.ctypes.data
            at += 1
        self._run(self._table.ctypes.data, 0)
        if self._flag[0]:
            self._flag[0] = 0
            return meaning.run(self.program, arrays)  # it says which index is wrong
        return results


def aligned_bytes(size: int) -> Array:
    """Zeroed memory that begins at a cache line."""
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + max(size, 1)]


def compile_program(program: Program) -> Callable[[Sequence[Array]], list[Array]]:
    """A function from the Program's input arrays to its output arrays."""
    return Compiled(program, this_machine())
