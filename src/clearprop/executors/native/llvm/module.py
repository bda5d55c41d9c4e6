"""Functions in LLVM IR, and what they need from outside, as one text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from clearprop.executors.native.llvm.machine import Machine
from clearprop.executors.native.llvm.registers import size_of

if TYPE_CHECKING:
    from clearprop.executors.native.llvm.writer import Function

_WIDTH = '"prefer-vector-width"="512"'
_ATTRIBUTES = (
    f"attributes #0 = {{ nounwind noinline {_WIDTH} }}",
    f"attributes #1 = {{ nounwind alwaysinline {_WIDTH} }}",
)


class Module:
    """Functions and what they need from outside; equal functions are kept once.

    Args:
        machine: the processor it is written for; None for one that can do everything.

    Attributes:
        stores_past: whether something is put into memory past the caches.
    """

    def __init__(self, machine: Machine | None = None) -> None:
        self.machine = machine
        self.functions: dict[str, str] = {}  # text without the name -> name
        self._shared: dict[object, str] = {}
        self.declarations: dict[str, None] = {}
        self.stores_past = False

    @property
    def has_fma(self) -> bool:
        """Whether x * y + z rounded once is an instruction."""
        return self.machine is None or not self.machine.is_x86 or self.machine.has("fma")

    @property
    def has_rounding(self) -> bool:
        """Whether rounding to whole numbers is an instruction."""
        return self.machine is None or not self.machine.is_x86 or self.machine.has("sse4.1")

    @property
    def has_scaling(self) -> bool:
        """Whether p * 2^n is an instruction, as with AVX-512."""
        return self.machine is not None and self.machine.is_x86 and self.machine.has("avx512f")

    def masks_loads(self, element: str, count: int) -> bool:
        """Whether so many numbers are best loaded by an instruction that leaves lanes out."""
        is_odd = count & (count - 1) != 0  # other numbers of lanes are vectors themselves
        is_x86 = self.machine is not None and self.machine.is_x86 and self.machine.has("avx2")
        return is_x86 and is_odd and size_of(element) in {4, 8}

    def masks_stores(self, element: str, count: int) -> bool:
        """Whether so many are best stored by one; before AVX-512 it takes longer than several."""
        return self.has_scaling and self.masks_loads(element, count)

    def text(self) -> str:
        """The whole module as LLVM IR."""
        bodies = (text.replace("@?", f"@{name}", 1) for text, name in self.functions.items())
        return "\n".join([*self.declarations, *bodies, *_ATTRIBUTES])

    def shared(self, what: object, write: Callable[[], str]) -> str:
        """The name of a function that many call, written when it is asked for first.

        Args:
            what: it does.
            write: adds it to the module, and gives its name.
        """
        if what not in self._shared:
            self._shared[what] = write()
        return self._shared[what]

    def add(self, function: Function, name: str) -> str:
        """Take a finished function; returns the name of it, or of the equal one that is there."""
        text = function.text()
        if text not in self.functions:
            taken = set(self.functions.values())
            unique, count = name, 1
            while unique in taken:
                count += 1
                unique = f"{name}_{count}"
            self.functions[text] = unique
        return self.functions[text]
