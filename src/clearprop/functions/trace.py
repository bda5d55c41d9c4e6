"""From a Python function to its equations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from clearprop import tree
from clearprop.errors import TraceError
from clearprop.ir.place import here
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.tensor.tensor import Tensor, tensor


def as_tensor(value: Any) -> Tensor:
    """``value`` as a Tensor: itself, or a new leaf with its numbers."""
    return value if isinstance(value, Tensor) else tensor(value)


def as_tensors(nest: Any) -> Any:
    """A nest of arrays and numbers as the same nest of Tensors."""
    return tree.map_leaves(as_tensor, nest)


def placeholders(types: Sequence[TensorType], names: Sequence[str] = ()) -> list[Tensor]:
    """New Tensors whose numbers a caller will supply."""
    padded = [*names, *[""] * (len(types) - len(names))]
    return [Tensor(type_, name=name) for type_, name in zip(types, padded, strict=True)]


def call_on(
    function: Callable[..., Any], structure: tree.Structure, leaves: Sequence[Value]
) -> tuple[list[Tensor], tree.Structure]:
    """The flat results of ``function(*nest)`` and their structure.

    Raises:
        TraceError: the function returned something that is neither Tensor nor number.
    """
    result = function(*tree.unflatten(structure, leaves))
    flat, result_structure = tree.flatten(result)
    try:
        return [as_tensor(value) for value in flat], result_structure
    except TypeError as error:
        raise TraceError(
            f"Tracing {getattr(function, '__name__', 'a function')}: it returned what is no Tensor",
            found=", ".join(type(value).__name__ for value in flat),
            needed="Tensors, arrays and numbers, or tuples, lists and dicts of them",
            at=str(here()),
        ) from error
