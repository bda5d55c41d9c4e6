"""Machine code in this process: compiled by LLVM, or known from before and linked without it."""

from __future__ import annotations

from clearprop.executors.native.cache import load, store
from clearprop.executors.native.keys import text_key
from clearprop.executors.native.llvm import elf
from clearprop.executors.native.llvm.machine import Machine


def object_code(text: str, machine: Machine) -> bytes:
    """Machine code, as an object file, for a module in LLVM IR."""
    from clearprop.executors.native.llvm import engine  # with LLVM: only when it is needed

    return engine.object_code(text, machine)


def known_object_code(text: str, machine: Machine) -> bytes:
    """The same, from the cache if it is there."""
    key = text_key(text, machine)
    image = load(key)
    if image is None:
        image = object_code(text, machine)
        store(key, image)
    return image


class Code:
    """Machine code in this process; it stays as long as this object.

    Args:
        image: an object file for the machine this runs on.
        names: functions that are to be called.

    Raises:
        RuntimeError: it is no such file, or a function is not there.
    """

    def __init__(self, image: bytes, names: tuple[str, ...]) -> None:
        self._addresses, self._kept = _linked(image, names)

    def address(self, name: str) -> int:
        """Where a function begins."""
        return self._addresses[name]


def _linked(image: bytes, names: tuple[str, ...]) -> tuple[dict[str, int], object]:
    """Where the functions begin, and what keeps their code."""
    if elf.is_possible():
        try:
            code = elf.LinkedCode(image, names)
        except elf.UnusualError:
            pass  # LLVM links all kinds of object files, or says what is wrong
        else:
            return code.addresses, code
    from clearprop.executors.native.llvm import engine  # with LLVM: only when it is needed

    return engine.linked(image, names)
