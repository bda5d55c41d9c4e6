"""A callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clearprop.errors import ArgumentError, UnknownNameError
from clearprop.ir.place import here
from clearprop.text import did_you_mean
from clearprop.train.callback import Callback

_HOOKS = [name for name in vars(Callback) if name.startswith("on_")]


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin, on_epoch_end: functions of (epoch, logs).
        on_train_begin, on_train_end: functions of (logs).
        on_train_batch_begin, on_train_batch_end: functions of (batch, logs).
        **others: other methods of ``Callback`` by name.

    Example:
        >>> import clearprop as cp
        >>> seen = []
        >>> note = cp.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **others: Callable[..., Any],
    ) -> None:
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **others,
        }
        for name, function in hooks.items():
            if function is None:
                continue
            if name not in _HOOKS:
                raise UnknownNameError(
                    f"LambdaCallback: nothing is called {name!r}",
                    found=f"{name}=..." + did_you_mean(name, _HOOKS),
                    needed="one of " + ", ".join(_HOOKS),
                    at=str(here()),
                )
            if not callable(function):
                raise ArgumentError(
                    f"LambdaCallback: {name} is a function",
                    found=f"{name}={function!r}"[:80],
                    needed=f"for example {name}=lambda epoch, logs: print(logs)",
                    at=str(here()),
                )
            setattr(self, name, function)
