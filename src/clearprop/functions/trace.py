"""From a Python function to its equations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from clearprop import tree
from clearprop.errors import ArgumentError, DTypeError, TraceError
from clearprop.ir.place import here
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.tensor.parameter import Parameter, Trace, change
from clearprop.tensor.tensor import Tensor, tensor

_NUMBERS = (bool, int, float, np.generic)


class Traced(NamedTuple):
    """What a function did: its flat results, their structure, and what it gave new values."""

    outputs: list[Tensor]
    structure: tree.Structure
    updates: dict[Parameter, Value]


def needs_function(name: str, function: Any) -> None:
    """Refuse what cannot be called where a function is to be given.

    Args:
        name: of what was asked for, such as ``grad``.
        function: its first argument.

    Raises:
        ArgumentError: it is a Tensor, or something else that is no function.
    """
    if callable(function):
        return
    is_tensor = isinstance(function, Value)
    raise ArgumentError(
        f"{name} takes a function",
        found=f"a {type(function).__name__}" + (f" of type {function.type}" if is_tensor else ""),
        needed=f"cp.{name}(function), which is a function of the same arguments",
        try_="for a Tensor use loss.backward() and then w.grad" if is_tensor else "",
        at=str(here()),
    )


def as_tensor(value: Any) -> Tensor:
    """``value`` as a Tensor: itself, or a new leaf with its numbers."""
    return value if isinstance(value, Tensor) else tensor(value)


def as_tensors(nest: Any) -> Any:
    """A nest of arrays and numbers as the same nest of Tensors.

    A list of plain numbers, or of lists of them, is one array; tuples, dicts and all other lists
    are nests.
    """
    return tree.map_leaves(as_tensor, nest, _is_list_of_numbers)


def _is_list_of_numbers(nest: Any) -> bool:
    return (
        isinstance(nest, list)
        and bool(nest)
        and all(isinstance(part, _NUMBERS) or _is_list_of_numbers(part) for part in nest)
    )


def placeholders(types: Sequence[TensorType], names: Sequence[str] = ()) -> list[Tensor]:
    """New Tensors whose numbers a caller will supply."""
    padded = [*names, *[""] * (len(types) - len(names))]
    return [Tensor(type_, name=name) for type_, name in zip(types, padded, strict=True)]


def call_on(
    function: Callable[..., Any],
    structure: tree.Structure,
    leaves: Sequence[Value],
    trace: Trace | None = None,
) -> Traced:
    """The flat results of ``function(*nest)``, and what happened on the way.

    Args:
        function: of the user.
        structure: of its arguments, a tuple.
        leaves: of its arguments.
        trace: what parameters stand for meanwhile; by default for themselves.

    Raises:
        TraceError: the function returned something that is neither Tensor nor number.
    """
    trace = Trace() if trace is None else trace
    with trace.active():
        result = function(*tree.unflatten(structure, leaves))
        flat, result_structure = tree.flatten(result)
        outputs = [_as_output(function, flat, value) for value in flat]
    return Traced(outputs, result_structure, dict(trace.updates))


def _as_output(function: Callable[..., Any], flat: Sequence[Any], value: Any) -> Tensor:
    """A result of ``function`` as a Tensor whose numbers no later assignment changes."""
    try:
        return as_tensor(as_tensor(value).as_input())
    except DTypeError as error:
        raise TraceError(
            f"Tracing {getattr(function, '__name__', 'a function')}: it returned what is no Tensor",
            found=", ".join(type(each).__name__ for each in flat),
            needed="Tensors, arrays and numbers, or tuples, lists and dicts of them",
            at=str(here()),
        ) from error


def apply_updates(parameters: Sequence[Parameter], values: Sequence[Value]) -> None:
    """Give parameters the values that a traced function left for them."""
    for parameter, value in zip(parameters, values, strict=True):
        change(parameter, value)
