"""Which executor runs a Program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from clearprop.errors import UnknownNameError
from clearprop.executors import reference
from clearprop.ir.place import here
from clearprop.ir.program import Program
from clearprop.ir.value import Array
from clearprop.settings import settings
from clearprop.text import did_you_mean

Run = Callable[[Sequence[Array]], list[Array]]


class Executor(Protocol):
    """What an executor module offers."""

    NAME: str

    def compile_program(self, program: Program) -> Run:
        """A function from the Program's input arrays to its output arrays."""


_EXECUTORS: dict[str, Executor] = {reference.NAME: reference}


def choose_executor(name: str | None = None) -> Executor:
    """The executor called ``name``; with None the one in ``cp.settings``, else the best here.

    Raises:
        UnknownNameError: there is no such executor; a given name is honored or refused.
    """
    name = name if name is not None else settings.executor
    if name is None:
        return reference
    if name not in _EXECUTORS:
        raise UnknownNameError(
            f"Choosing an executor: there is none called {name!r} here",
            found=f"{name!r}" + did_you_mean(name, _EXECUTORS),
            needed=", ".join(_EXECUTORS),
            at=str(here()),
        )
    return _EXECUTORS[name]
