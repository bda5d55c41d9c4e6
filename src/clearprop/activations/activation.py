"""What makes a function an activation: it is recorded in models, saved by name, found by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec

from clearprop.errors import ArgumentError, UnknownNameError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.ops.operation import operation
from clearprop.registry import register
from clearprop.text import did_you_mean

P = ParamSpec("P")
Activation = Callable[..., Any]

_BY_NAME: dict[str, Activation] = {}


def activation(function: Callable[P, Value]) -> Callable[P, Value]:
    """Make ``function`` an activation: a public operation with a registered name."""
    public = register(f"activations.{function.__name__}")(operation(function))
    _BY_NAME[function.__name__] = public
    return public


def also_named(name: str, function: Activation) -> None:
    """Let ``get`` find an activation under a second name."""
    _BY_NAME[name] = function


def get(spec: str | Activation | None) -> Activation:
    """The activation that a name, a function or None (none at all: ``linear``) stands for.

    Args:
        spec: a name such as ``"relu"``, a function of one Tensor, a layer, or None.

    Shapes:
        The function that is returned takes S and returns S (``glu`` halves one axis).

    Raises:
        UnknownNameError: no activation has this name.
        ArgumentError: it is neither a name nor a function.

    Example:
        >>> import clearprop as cp
        >>> cp.activations.get("relu") is cp.activations.relu
        True
    """
    if spec is None:
        return _BY_NAME["linear"]
    if isinstance(spec, str):
        if spec in _BY_NAME:
            return _BY_NAME[spec]
        raise UnknownNameError(
            f'Looking up an activation: there is none called "{spec}"',
            found=f'"{spec}"' + did_you_mean(spec, _BY_NAME),
            needed=", ".join(sorted(_BY_NAME)),
            at=str(here()),
        )
    if isinstance(spec, type) or not callable(spec):
        is_layer_class = isinstance(spec, type)
        raise ArgumentError(
            "Looking up an activation: it must be a name or a function",
            found=repr(spec),
            needed='for example "relu" or cp.activations.relu',
            try_=f"{spec.__name__}(), with brackets" if is_layer_class else "",
            at=str(here()),
        )
    return spec
