"""What a class or function of Keras is told, for comparison with ours."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def arguments_of(thing: Callable[..., Any]) -> list[tuple[str, Any]]:
    """The arguments in order, with their defaults; our numbers have the type of their input."""
    parameters = inspect.signature(thing).parameters.values()
    return [(each.name, each.default) for each in parameters if each.name != "dtype"]
