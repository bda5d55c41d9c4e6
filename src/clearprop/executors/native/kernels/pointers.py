"""The memory that a kernel works on, as parameters of its function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from clearprop.executors.native.homes import Buffer, Home, Stripe
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

    def span(self, home: Home, cut: Cut | None) -> Stripe | None:
        """Which bytes of its buffer belong to each task, if every task is at a part of its own.

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
            tasks = max(-(-axis.extent // rounds) for axis, rounds in cut.items())
            if step <= 0:
                return None
            # What a task is at lies in a stretch of its own, or in one of its own in each period.
            rest = [term for term in line.terms if term[0] not in cut]
            outer = [factor for axis, factor in rest if factor >= step]
            inner = tuple(term for term in rest if term[1] < step)
            least, greatest = Affine(line.constant + home.offset, inner).range
            greatest += sum(line.factor(axis) * (rounds - 1) for axis, rounds in cut.items())
            if least < 0 or greatest >= step or any(factor % (step * tasks) for factor in outer):
                return None
            found.add((step, step * tasks if outer else 0))
        if len(found) > 1:
            return None
        ((step, period),) = found
        size = home.type.dtype.itemsize
        return Stripe(step * size, period * size)

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
