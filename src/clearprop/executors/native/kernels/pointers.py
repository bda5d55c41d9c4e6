"""The memory that a kernel works on, as parameters of its function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from clearprop.executors.native.homes import Buffer, Home
from clearprop.executors.native.kernels.affine import Affine
from clearprop.executors.native.llvm.registers import Operand
from clearprop.executors.native.llvm.writer import Function
from clearprop.ir.value import Value

if TYPE_CHECKING:
    from clearprop.executors.native.kernels.kernel import Cut


class Pointers:
    """The memory that a kernel works on, as parameters of its function.

    Args:
        function: the kernel that is being written.
        of_value: where each value lives.

    Attributes:
        homes: which memory each parameter stands for, in order.
    """

    def __init__(self, function: Function, of_value: Mapping[Value, Home]) -> None:
        self.of_value = of_value
        self.homes: list[Home] = []
        self._function = function
        self._known: dict[tuple[Buffer, int], Operand] = {}
        self._own: dict[Buffer, Operand] = {}
        self._lines: dict[tuple[Buffer, int], list[Affine | None]] = {}

    def note(self, home: Home, line: Affine) -> Operand:
        """The address of an array's first element, for a reader of this place in it."""
        address = self._address(home)
        self._lines.setdefault(_key(home), []).append(line)
        return address

    def span(self, home: Home, cut: Cut | None) -> int | None:
        """How many bytes of its buffer belong to each task, if every task is at a part of its own.

        Args:
            home: one of ``homes``.
            cut: the index that is divided among the tasks.
        """
        if cut is None:
            return None
        found = set()
        for line in self._lines[_key(home)]:
            if line is None:
                return None
            step = sum(line.factor(axis) * rounds for axis, rounds in cut.items())
            rest = tuple(term for term in line.terms if term[0] not in cut)
            least, greatest = Affine(line.constant + home.offset, rest).range
            greatest += sum(line.factor(axis) * (rounds - 1) for axis, rounds in cut.items())
            if step <= 0 or least < 0 or greatest >= step:
                return None
            found.add(step)
        return found.pop() * home.type.dtype.itemsize if len(found) == 1 else None

    def set(self, buffer: Buffer, address: Operand) -> None:
        """Say where a buffer of the kernel's own begins, from here on."""
        self._own[buffer] = address

    @property
    def parameters(self) -> list[Operand]:
        """The parameters, one for each of ``homes``."""
        return list(self._known.values())

    def address(self, home: Home) -> Operand:
        """The parameter with the address of an array's first element, for a reader of all of it."""
        self._lines.setdefault(_key(home), []).append(None)
        return self._address(home)

    def _address(self, home: Home) -> Operand:
        if home.buffer in self._own:
            return self._own[home.buffer]
        key = _key(home)
        if key not in self._known:
            self._known[key] = self._function.parameter("ptr", f"p{len(self.homes)}")
            self.homes.append(home)
        return self._known[key]


def _key(home: Home) -> tuple[Buffer, int]:
    """What tells the addresses of arrays apart: the buffer, and the first byte in it."""
    return home.buffer, home.offset * home.type.dtype.itemsize
