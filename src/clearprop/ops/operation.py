"""What makes a function a public operation: it can be recorded, and its errors name a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from itertools import chain
from typing import Any, ParamSpec, TypeVar

from clearprop.errors import ClearPropError
from clearprop.ir.place import here
from clearprop.ir.value import Symbolic, Value

P = ParamSpec("P")
R = TypeVar("R")


def operation(function: Callable[P, R]) -> Callable[P, R]:
    """Make ``function`` a public operation.

    A call with a Symbolic among its arguments (or inside a list or tuple of them) is recorded
    and not run.  Errors that do not know their line yet get the user's.  Its public name has no
    trailing underscore (``sum_`` is ``ops.sum``).
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        symbolic = _first_symbolic(args, kwargs.values())
        if symbolic is not None:
            result: R = symbolic.record(run, args, kwargs)
            return result
        try:
            return function(*args, **kwargs)
        except ClearPropError as error:
            error.at = error.at or str(here())
            raise

    run.__name__ = function.__name__.rstrip("_")
    return run


def _first_symbolic(args: Iterable[Any], named: Iterable[Any]) -> Symbolic | None:
    for arg in chain(args, named):
        for item in arg if isinstance(arg, (list, tuple)) else (arg,):
            # The second question takes longer, and nearly all are Values.
            if not isinstance(item, Value) and isinstance(item, Symbolic):
                return item
    return None
