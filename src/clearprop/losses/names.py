"""Losses by the names and functions that stand for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.losses.loss import FunctionLoss, Loss, LossFunctionWrapper
from clearprop.registry import named, register

_Object = TypeVar("_Object")

ALIASES = {
    "mse": "MeanSquaredError",
    "MSE": "MeanSquaredError",
    "mae": "MeanAbsoluteError",
    "MAE": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "MAPE": "MeanAbsolutePercentageError",
    "msle": "MeanSquaredLogarithmicError",
    "MSLE": "MeanSquaredLogarithmicError",
    "bce": "BinaryCrossentropy",
    "BCE": "BinaryCrossentropy",
    "kld": "KLDivergence",
    "KLD": "KLDivergence",
    "rss": "ResidualSumOfSquares",
    "huber_loss": "Huber",
}


def get(spec: object) -> Loss:
    """The loss that ``spec`` stands for.

    Args:
        spec: a name such as ``"mse"`` or ``"SparseCategoricalCrossentropy"``, a Loss or a class
            of them, or a function of (y_true, y_pred).

    Shapes:
        The loss takes y_true: S, y_pred: S  ->  ()

    Raises:
        UnknownNameError: no loss has this name; the message tells the nearest.
        ArgumentError: it is none of these things.

    Example:
        >>> get("mse").name
        'mean_squared_error'
    """
    if isinstance(spec, Loss):
        return spec
    if isinstance(spec, str):
        base: type[Loss] = Loss  # type: ignore[type-abstract]
        return without_arguments(named(spec, base, ALIASES, at=str(here())))
    if isinstance(spec, type) and issubclass(spec, Loss):
        return without_arguments(spec)
    if isinstance(spec, Hashable) and spec in _CLASS_OF:
        return _CLASS_OF[spec]()
    if callable(spec) and not isinstance(spec, type):
        return LossFunctionWrapper(spec)
    raise ArgumentError(
        "Choosing a loss: this is not one",
        found=f"{spec!r}"[:80],
        needed='a name such as "mse", cp.losses.MeanSquaredError(), or a function of '
        "(y_true, y_pred)",
        at=str(here()),
    )


def without_arguments(cls: type[_Object]) -> _Object:
    """An object of ``cls`` with its defaults.

    Raises:
        ArgumentError: it has arguments that must be given.
    """
    needed = [
        parameter.name
        for parameter in inspect.signature(cls).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}
    ]
    if needed:
        raise ArgumentError(
            f"{cls.__name__}: its name alone does not say enough",
            found=f"no {' and no '.join(needed)}",
            needed=f"{cls.__name__}({', '.join(f'{name}=...' for name in needed)})",
            at=str(here()),
        )
    return cls()


# Functions are saved by name, as classes are; a function stands for its class.
_CLASS_OF: dict[Any, Callable[[], Loss]] = {}
for _class in FunctionLoss.__subclasses__():
    if _class.__module__.startswith(f"{__package__}."):
        _CLASS_OF[register(f"losses.{_class.function.__name__}")(_class.function)] = _class
