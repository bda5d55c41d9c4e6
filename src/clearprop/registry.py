"""Names for classes and functions that saved models may name: a closed list, no imports.

ClearProp's own classes are registered under ``room.Class`` (``layers.Dense``) when they are
defined; users register theirs with ``@cp.register("name")``.  Whatever a file asks for that is
not in this list is refused.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Self, TypeVar

import numpy as np

from clearprop.dtypes import SHORT_NAMES, DType, as_dtype
from clearprop.errors import (
    ArgumentError,
    DTypeError,
    ModelFileError,
    UnknownNameError,
    UnsupportedError,
)
from clearprop.text import did_you_mean

_Registered = TypeVar("_Registered", bound=Callable[..., Any])
_Object = TypeVar("_Object")
_CLASSES: dict[str, type[Configurable]] = {}
_FUNCTIONS: dict[str, Callable[..., Any]] = {}
_names: dict[Any, str] = {}
_DEPTH_LIMIT = 50


class Configurable:
    """An object that is fully told by its class and its constructor's arguments.

    By default each constructor argument is kept in an attribute of the same name.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        package, _, rest = cls.__module__.partition(".")
        if package == __name__.partition(".")[0] and not cls.__name__.startswith("_"):
            _add(_CLASSES, f"{rest.partition('.')[0]}.{cls.__name__}", cls)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments by name."""
        parameters = inspect.signature(type(self).__init__).parameters.values()
        return {
            parameter.name: getattr(self, parameter.name)
            for parameter in list(parameters)[1:]
            if parameter.kind not in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A new object of these constructor arguments."""
        return cls(**config)


def register(name: str) -> Callable[[_Registered], _Registered]:
    """Give a class or function of yours the name it has in saved models.

    Args:
        name: unique; loading code must register the same name before ``load_model``.

    Example:
        >>> import clearprop as cp
        >>> @cp.register("mine.square")
        ... def square(x):
        ...     return x * x
    """
    if not name or not all(part.isidentifier() for part in name.split(".")):
        raise ArgumentError(
            "register: a name is made of letters, digits, _ and dots",
            found=repr(name),
            needed='for example @cp.register("my_project.MyLayer")',
        )

    def add(thing: _Registered) -> _Registered:
        if isinstance(thing, type) and not issubclass(thing, Configurable):
            raise ArgumentError(
                f"register: {thing.__name__} cannot be described by its arguments",
                found=f"a class without get_config: {thing.__name__}",
                needed="a subclass of a ClearProp class, e.g. cp.layers.Layer",
            )
        _add(_CLASSES if isinstance(thing, type) else _FUNCTIONS, name, thing)
        return thing

    return add


def _add(table: dict[str, Any], name: str, thing: Any) -> None:
    old = table.get(name)
    if old is not None and (old.__module__, old.__qualname__) != (
        thing.__module__,
        thing.__qualname__,
    ):
        raise ArgumentError(
            f"register: the name {name!r} is taken",
            found=f"{old.__module__}.{old.__qualname__}",
            needed="another name",
        )
    table[name] = thing
    _names[thing] = name


def registered_name(thing: Any) -> str | None:
    """The name of a class or function in saved models, or None."""
    return _names.get(thing) if isinstance(thing, Hashable) else None


def named(
    name: str,
    base: type[_Object],
    aliases: Mapping[str, str] | None = None,
    *,
    kind: str = "",
    at: str = "",
) -> type[_Object]:
    """The registered kind of ``base`` that a user calls ``name``.

    Args:
        name: ``"GlorotUniform"`` and ``"glorot_uniform"`` are the same; a user's own class goes by
            the name it was registered with.
        base: what it must be a kind of.
        aliases: other names by which some are known.
        kind: what a user calls such a thing; the name of ``base`` in lower case by default.
        at: the user's line, for the error.

    Raises:
        UnknownNameError: there is none; the message tells the nearest one.
    """
    kinds = {
        full if full.partition(".")[0] != _room(base) else thing.__name__: thing
        for full, thing in _CLASSES.items()
        if issubclass(thing, base) and not inspect.isabstract(thing)
    }
    by_plain_name = {_plain(known): thing for known, thing in kinds.items()}
    found = by_plain_name.get(_plain((aliases or {}).get(name, name)))
    if found is None:
        kind = kind or base.__name__.lower()
        raise UnknownNameError(
            f"Looking up a name: there is no {kind} called {name!r}",
            found=repr(name) + did_you_mean(name, kinds),
            needed="one of " + ", ".join(sorted(kinds)),
            try_=f'for one of your own, put @cp.register("{name}") before its class',
            at=at,
        )
    return found


def _room(cls: type[Any]) -> str:
    return cls.__module__.split(".")[1] if "." in cls.__module__ else ""


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def describe(value: Any) -> Any:
    """``value`` in JSON's terms: numbers, text, lists, dicts; objects by registered name.

    Raises:
        UnsupportedError: an object or function has no registered name.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Configurable):
        name = registered_name(type(value))
        if name is None:
            raise _unregistered(type(value).__name__, "class")
        return {"type": name, "config": describe(value.get_config())}
    if isinstance(value, tuple):
        return {"tuple": [describe(part) for part in value]}
    if isinstance(value, list):
        return [describe(part) for part in value]
    if isinstance(value, dict):
        return {"dict": [[describe(key), describe(part)] for key, part in value.items()]}
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": value.dtype.name}
    if isinstance(value, np.dtype) and value in SHORT_NAMES:
        return {"dtype": value.name}
    name = registered_name(value) if callable(value) else None
    if name is None:
        raise _unregistered(getattr(value, "__name__", repr(value)), "function")
    return {"function": name}


def rebuild(description: Any, depth: int = 0) -> Any:
    """What ``describe`` described.

    Raises:
        ModelFileError: it names what is not registered, or is no such description.
    """
    if depth > _DEPTH_LIMIT:
        raise _meaningless("it is nested too deeply", f"more than {_DEPTH_LIMIT} levels")
    if description is None or isinstance(description, (bool, int, float, str)):
        return description
    if isinstance(description, list):
        return [rebuild(part, depth + 1) for part in description]
    match description:
        case {"type": str(name), "config": config, **rest} if not rest:
            return _construct(_look_up(_CLASSES, name, "class"), rebuild(config, depth + 1))
        case {"function": str(name), **rest} if not rest:
            return _look_up(_FUNCTIONS, name, "function")
        case {"tuple": list(parts), **rest} if not rest:
            return tuple(rebuild(part, depth + 1) for part in parts)
        case {"dict": list(items), **rest} if not rest:
            return _dict_of(items, depth)
        case {"array": numbers, "dtype": str(dtype), **rest} if not rest:
            return _array_of(numbers, dtype)
        case {"dtype": str(dtype), **rest} if not rest:
            return _dtype_called(dtype)
    raise _meaningless("a part of it has no meaning", repr(description)[:80])


def _dict_of(items: list[Any], depth: int) -> dict[Any, Any]:
    try:
        return {rebuild(key, depth + 1): rebuild(part, depth + 1) for key, part in items}
    except (TypeError, ValueError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise _meaningless("a dict in it is none", repr(items)[:80]) from error


def _array_of(numbers: Any, name: str) -> np.ndarray[Any, Any]:
    dtype = _dtype_called(name)
    try:
        return np.array(numbers, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise _meaningless("an array in it is none", repr(numbers)[:80]) from error


def _dtype_called(name: str) -> DType:
    try:
        return as_dtype(name)
    except DTypeError as error:
        raise _meaningless("there is no such element type", repr(name)[:80]) from error


def _meaningless(what: str, found: str) -> ModelFileError:
    return ModelFileError(
        f"Reading a model's description: {what}",
        found=found,
        needed="a file written by model.save",
    )


def _construct(cls: type[Configurable], config: Any) -> Configurable:
    try:
        return cls.from_config(config)
    except ModelFileError:
        raise
    except (TypeError, AttributeError, LookupError, ValueError, ArithmeticError) as error:
        raise ModelFileError(
            f"Reading a model's description: {cls.__name__} cannot be built from it",
            found=f"{error}",
            needed="the arguments that model.save wrote",
            try_="check that the file comes from this version of ClearProp",
        ) from error


def _look_up(table: dict[str, Any], name: str, kind: str) -> Any:
    if name not in table:
        raise ModelFileError(
            f"Reading a model's description: there is no {kind} registered as {name!r}",
            found=f"{name!r}" + did_you_mean(name, table),
            needed=f"a {kind} of ClearProp, or one registered by you",
            try_=f'put @cp.register("{name}") before it and import it before loading',
        )
    return table[name]


def _unregistered(name: str, kind: str) -> UnsupportedError:
    return UnsupportedError(
        f"Describing a model: the {kind} {name} has no registered name, so a file cannot name it",
        found=name,
        needed="a registered name",
        try_=f'put @cp.register("my.{name.strip("<>")}") before it, or save the weights alone with '
        "model.save_weights(path)",
    )
