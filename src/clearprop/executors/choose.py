"""Which executor runs a Program."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol

from clearprop.errors import UnknownNameError, UnsupportedError
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

    def compile_program(
        self, program: Program, threads: int | None = None, lasting: int = 0
    ) -> Run:
        """A function from the Program's input arrays to its output arrays.

        So many of the last inputs are the same in most calls.
        """

    def compile_loop(
        self, body: Program, carry_count: int, step_count: int, threads: int | None = None
    ) -> Run:
        """A function that runs the body of a scan once for each row of its per-step inputs.

        It goes from (*carry, *stacked per-step inputs, *captured) to (*carry, *stacked per-step
        outputs); how many rows there are is known when it is called.
        """


NAMES = ("native", "reference")


def choose_executor(name: str | None = None) -> Executor:
    """The executor called ``name``; with None the one in ``cp.settings``, else the best here.

    Raises:
        UnknownNameError: there is no such executor.
        UnsupportedError: the named one cannot run here; a given name is honored or refused.
    """
    name = name if name is not None else settings.executor
    if name is None:
        return _best()
    check_name(name)
    problem = _problem() if name == "native" else None
    if problem is not None:
        raise UnsupportedError(
            f"Choosing an executor: {name!r} cannot run here",
            found=problem,
            needed="a system that lets a process run code that it has written",
            try_='executor="reference", which needs nothing but NumPy',
            at=str(here()),
        )
    return _native() if name == "native" else reference


def check_name(name: str) -> None:
    """Make sure that there is an executor with this name, whether or not it can run here.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in NAMES:
        raise UnknownNameError(
            f"Choosing an executor: there is none called {name!r} here",
            found=f"{name!r}" + did_you_mean(name, NAMES),
            needed=", ".join(NAMES),
            at=str(here()),
        )


@lru_cache(maxsize=1)
def _best() -> Executor:
    """The fastest executor that can run here."""
    problem = _problem()
    if problem is None:
        return _native()
    warnings.warn(
        f"the native executor cannot run here ({problem}); the reference executor gives the same "
        "results, much more slowly",
        stacklevel=3,
    )
    return reference


def _native() -> Executor:
    from clearprop.executors.native import executor  # with llvmlite: only when it is needed

    return executor


@lru_cache(maxsize=1)
def _problem() -> str | None:
    """Why the native executor cannot run here; None if it can."""
    try:
        from clearprop.executors.native.executor import problem_here
    except (ImportError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    return problem_here()
