"""What compiled code depends on, as one number: the name of its entry in the cache.

Equal Programs have equal keys in every process: names of values, lines of source and addresses
do not enter, but every number of a constant does, since it may stand in the code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from clearprop.executors.native.llvm.machine import Machine, llvm_version
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value

_PACKAGE = Path(__file__).parents[2]
# What decides which code a Program gives; the package's own file knows the version.
_SOURCES = ("executors/native/**/*.py", "ir/*.py", "passes/*.py", "primitives/*.py", "__init__.py")


class Identity(NamedTuple):
    """What a Program is, whoever wrote it.

    Attributes:
        key: 64 hexadecimal digits; None where it holds something that cannot be told.
        arrays: its constants, in an order that follows from the Program alone.
    """

    key: str | None
    arrays: list[Array]


def identify(program: Program, machine: Machine, *options: object) -> Identity:
    """The key of a Program's code, and the Program's constants.

    Args:
        program: what the code computes.
        machine: for which processor.
        options: what else the code depends on: numbers, texts, tuples of them.
    """
    writer = _Writer()
    try:
        writer.program(program)
    except (_UntoldError, KeyError):
        return Identity(None, [])
    told = hashlib.sha256(_beginning(machine))
    told.update(repr(options).encode())
    told.update("\n".join(writer.lines).encode())
    for array in writer.arrays:
        told.update(f"\n{array.dtype.str}{array.shape}:".encode())
        told.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return Identity(told.hexdigest(), writer.arrays)


def text_key(text: str, machine: Machine) -> str:
    """The key of the code for a module in LLVM IR."""
    told = hashlib.sha256(_beginning(machine))
    told.update(text.encode())
    return told.hexdigest()


@cache
def _beginning(machine: Machine) -> bytes:
    """What all code for a machine depends on: the compiler, and the machine."""
    features = ",".join(sorted(machine.features.split(",")))
    parts = [
        _compiler(),
        llvm_version(),
        *(machine.triple, machine.cpu, features),
        *(str(machine.vector_bytes), str(machine.vector_registers)),
        *(str(machine.level1_bytes), str(machine.level2_bytes)),
        "",
    ]
    return "\n".join(parts).encode()


@lru_cache(maxsize=1)
def _compiler() -> str:
    """The version of the compiler, down to the last letter of its source."""
    told = hashlib.sha256()
    for pattern in _SOURCES:
        for path in sorted(_PACKAGE.glob(pattern)):
            content = path.read_bytes()
            told.update(f"{path.name} {len(content)}\n".encode())
            told.update(content)
    return told.hexdigest()


class _UntoldError(Exception):
    """A Program holds something of which one cannot say when two of it are equal."""


class _Writer:
    """Writes Programs as lines in which values are numbers.

    Attributes:
        lines: so far.
        arrays: the constants so far, each once.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.arrays: list[Array] = []
        self._place_of: dict[int, int] = {}  # by identity: the Program keeps them alive
        self._text_of: dict[TensorType, str] = {}

    def program(self, program: Program) -> None:
        """Write a Program, and all those inside."""
        values = [*program.inputs, *program.constants]
        numbers = {value: number for number, value in enumerate(values)}
        add = self.lines.append
        for value in program.inputs:
            add(self._type(value.type))
        for value in program.constants:
            add(f"={self._array(value)}")
        count = len(values)
        for equation, results in program.results.items():
            inputs = [numbers[value] for value in equation.inputs]
            types = [self._type(type_) for type_ in equation.types]
            params = [
                f"{name}:{_param_text(param)}" for name, param in sorted(equation.params.items())
            ]
            add(f"{equation.primitive.name}{inputs}{params}{types}")
            if equation.primitive.control:
                self._inside(equation.params.values())
            for index, result in enumerate(results):
                if result is not None:
                    numbers[result] = count + index
            count += len(results)
        add(f"return {[numbers[value] for value in program.outputs]}")

    def _type(self, type_: TensorType) -> str:
        text = self._text_of.get(type_)
        if text is None:
            text = self._text_of[type_] = f"{type_.dtype.str}{type_.shape}"
        return text

    def _array(self, value: Value) -> int:
        array = value.array
        assert array is not None  # it is what makes it a constant
        if id(array) not in self._place_of:
            self._place_of[id(array)] = len(self.arrays)
            self.arrays.append(array)
        return self._place_of[id(array)]

    def _inside(self, params: Any) -> None:
        for param in params:
            if isinstance(param, Program):
                self.program(param)
            elif isinstance(param, tuple):
                self._inside(param)


def _param_text(param: Any) -> str:
    """A param as text; of a Program, that one follows."""
    if isinstance(param, tuple):
        return f"({','.join(map(_param_text, param))})"
    if isinstance(param, np.dtype):
        return f"dtype {param.str}"
    if isinstance(param, Program):
        return "program"
    if param is None or isinstance(param, (bool, int, float, str)):
        return f"{type(param).__name__} {param!r}"
    raise _UntoldError


def places_of(arrays: Sequence[Array], among: Sequence[Array]) -> tuple[int, ...] | None:
    """Where in a list each of some arrays stands; None where one does not."""
    place_of = {id(array): place for place, array in enumerate(among)}
    places = [place_of.get(id(array)) for array in arrays]
    return None if None in places else tuple(place for place in places if place is not None)
