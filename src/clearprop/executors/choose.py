"""Which executor runs a Program."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Protocol, cast

from clearprop.errors import UnsupportedError, UnknownNameError
from clearprop.ir.place import here
from clearprop.ir.program import Program
from clearprop.ir.value import Array
from clearprop.settings import settings
from clearprop.text import did_you_mean

Run = Callable[[Sequence[Array]], list[Array]]


class Executor(Protocol):
    """What an executor module offers."""

    NAME: str

    def compile_program(self, program: Program, threads: int | None = None) -> Run:
        """A function from the Program's input arrays to its output arrays."""

    def compile_loop(
        self, body: Program, carry_count: int, step_count: int, threads: int | None = None
    ) -> Run:
        """A function that runs the body of a scan once for each row of its per-step inputs.

        It goes from (*carry, *stacked per-step inputs, *captured) to (*carry, *stacked per-step
        outputs); how many rows there are is known when it is called.
        """


_MODULES = {
    "native": "clearprop.executors.native.executor",
    "reference": "clearprop.executors.reference",
}


def choose_executor(name: str | None = None) -> Executor:
    """The executor called ``name``; with None the one in ``cp.settings``, else the best here.

    Raises:
        UnknownNameError: there is no such executor.
        UnsupportedError: the named one cannot run here; a given name is honored or refused.
    """
    name = name if name is not None else settings.executor
    if name is None:
        return _best()
    if name not in _MODULES:
        raise UnknownNameError(
            f"Choosing an executor: there is none called {name!r} here",
            found=f"{name!r}" + did_you_mean(name, _MODULES),
            needed=", ".join(_MODULES),
            at=str(here()),
        )
    problem = _problem(name)
    if problem is not None:
        raise UnsupportedError(
            f"Choosing an executor: {name!r} cannot run here",
            found=problem,
            needed="a system that lets a process run code that it has written",
            try_='executor="reference", which needs nothing but NumPy',
            at=str(here()),
        )
    return _module(name)


@lru_cache(maxsize=1)
def _best() -> Executor:
    """The fastest executor that can run here."""
    problem = _problem("native")
    if problem is None:
        return _module("native")
    warnings.warn(
        f"the native executor cannot run here ({problem}); the reference executor gives the same "
        "results, much more slowly",
        stacklevel=3,
    )
    return _module("reference")


def _module(name: str) -> Executor:
    return cast(Executor, import_module(_MODULES[name]))


@lru_cache(maxsize=None)
def _problem(name: str) -> str | None:
    """Why an executor cannot run here; None if it can."""
    try:
        module = import_module(_MODULES[name])
    except (ImportError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    check = getattr(module, "problem_here", None)
    return None if check is None else check()
