"""What a layer says to the first mistakes with its class: arguments, ``call``, the base's init."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from clearprop.errors import ArgumentError, NotBuiltError, UnsupportedError
from clearprop.ir.place import here
from clearprop.text import did_you_mean

_SHAPES_ELSEWHERE = {"input_shape": 0, "input_dim": 0, "batch_input_shape": 1, "batch_shape": 1}
_MADE_BY_INIT = {
    *("built", "built_for", "dtype", "_given_name", "_name_in_model", "_trainable"),
    *("_position", "_placed_by", "arguments", "history", "notes", "runners"),
    *("slots_of", "stop_training", "training_state", "_seen_input_types"),
}


def refuse_unknown_arguments(cls: type, given: Mapping[str, Any]) -> None:
    """Refuse arguments that the constructor of ``cls`` does not have.

    Raises:
        ArgumentError: it names the nearest argument, or what to write for one of Keras's.
    """
    known = _argument_names(cls)
    if known is None:
        return
    for name, value in given.items():
        if name not in known:
            raise ArgumentError(
                f'{cls.__name__}: there is no argument "{name}"',
                found=f"{name}={value!r}"[:80] + did_you_mean(name, known),
                needed="one of " + ", ".join(known),
                try_=_input_advice(name, value),
                at=str(here()),
            )


def _input_advice(name: str, value: Any) -> str:
    if name not in _SHAPES_ELSEWHERE:
        return ""
    shape = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    return f"put cp.layers.Input({shape[_SHAPES_ELSEWHERE[name] :]}) before it in the model"


def _argument_names(cls: type) -> list[str] | None:
    """The arguments of a constructor by name; None where it may take any."""
    function = vars(next(one for one in cls.__mro__ if "__init__" in vars(one)))["__init__"]
    found: list[str] = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            options = str(parameter.annotation).removeprefix("Unpack[").removesuffix("]")
            told = getattr(getattr(function, "__globals__", {}).get(options), "__annotations__", {})
            if not told:
                return None
            found += told
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            found.append(parameter.name)
    return found


def missing_attribute(layer: object, name: str) -> Exception:
    """The error for an attribute that is not there: the base's init may not have been called."""
    kind = type(layer).__name__
    if name not in _MADE_BY_INIT or "_given_name" in vars(layer):
        return AttributeError(f"{kind!r} object has no attribute {name!r}", name=name, obj=layer)
    return NotBuiltError(
        f"{kind}: its __init__ does not call the one of the class it is made from",
        found=f"a {kind} without the attributes of every layer",
        needed="super().__init__() as the first line of __init__",
        try_=f"def __init__(self, ..., **kwargs): super().__init__(**kwargs) in {kind}",
        at=str(here()),
    )


def without_call(layer: object) -> UnsupportedError:
    """The error of a layer that says nothing about what it computes."""
    kind = type(layer).__name__
    has_forward = hasattr(type(layer), "forward")
    return UnsupportedError(
        f"{kind} defines no call(self, inputs)",
        found="forward(self, ...), PyTorch's name for it" if has_forward else "no such method",
        needed="the layer's function",
        try_="name it call" if has_forward else "def call(self, inputs): return ...",
        at=str(here()),
    )
