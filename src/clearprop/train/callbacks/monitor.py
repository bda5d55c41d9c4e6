"""Watching one number of the epochs: which it is, and which way is better."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from clearprop import metrics
from clearprop.errors import ArgumentError, UnknownNameError
from clearprop.ir.place import here
from clearprop.text import did_you_mean
from clearprop.train.callback import Callback
from clearprop.train.callbacks.telling import warn

_MODES = ("auto", "min", "max")


class MonitorCallback(Callback):
    """A callback that watches one number of the epochs.

    Args:
        monitor: its name in the history, e.g. ``"val_loss"``.
        mode: "min" where less is better, "max" where more is; "auto" knows it for losses and
            ClearProp's metrics.
        min_delta: a smaller change is no improvement.

    Attributes:
        best: the best value so far, or None.
    """

    def __init__(self, monitor: str, mode: str = "auto", min_delta: float = 0.0) -> None:
        if mode not in _MODES:
            raise ArgumentError(
                f"{type(self).__name__}: the mode says which way is better",
                found=f"mode={mode!r}" + did_you_mean(str(mode), _MODES),
                needed='"min", "max" or "auto"',
                at=str(here()),
            )
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(min_delta)
        self.best: float | None = None
        self._has_warned = False

    def forget(self) -> None:
        """Begin anew: nothing was seen yet."""
        self.best, self._has_warned = None, False

    def is_improvement(self, value: float, reference: float | None) -> bool:
        """Whether ``value`` is better than ``reference``; NaN never is, anything is than None."""
        if np.isnan(value):
            return False
        if reference is None:
            return True
        if self._direction() == "min":
            return value + self.min_delta < reference
        return value - self.min_delta > reference

    def watched(self, logs: Mapping[str, Any]) -> float | None:
        """The number in the logs of an epoch; None, after a warning, if validation lacks.

        Raises:
            UnknownNameError: there is nothing of that name; the message tells the nearest.
            ArgumentError: it is not a single number.
        """
        value = logs.get(self.monitor)
        if value is None:
            self._tell_missing(logs)
            return None
        if np.size(value) != 1:
            raise ArgumentError(
                f'{type(self).__name__}: "{self.monitor}" is more than one number',
                found=f"an array of shape {np.shape(value)}",
                needed="a single number for each epoch, such as a loss",
                at=str(here()),
            )
        self._direction()
        return float(value)

    def _tell_missing(self, logs: Mapping[str, Any]) -> None:
        name = type(self).__name__
        if self.monitor.startswith("val_") and self.monitor.removeprefix("val_") in logs:
            if not self._has_warned:
                self._has_warned = True
                warn(
                    f'{name} watches "{self.monitor}", but this epoch had no validation: give fit '
                    f'validation_split=0.1 or validation_data, or watch "{self.monitor[4:]}"'
                )
            return
        raise UnknownNameError(
            f'{name}: the epochs have no number called "{self.monitor}"',
            found=f"monitor={self.monitor!r}" + did_you_mean(self.monitor, logs),
            needed="one of " + ", ".join(logs),
            at=str(here()),
        )

    def _direction(self) -> str:
        """Which way is better: "min" or "max"."""
        if self.mode == "auto":
            self.mode = self._guess()
        return self.mode

    def _guess(self) -> str:
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return "min"
        for metric in _metrics_of(self.model.arguments):
            plain = re.sub(r"_\d+$", "", name)
            if metric.direction and any(
                each == metric.name or each.endswith(f"_{metric.name}") for each in (name, plain)
            ):
                return "min" if metric.direction == "down" else "max"
        raise ArgumentError(
            f'{type(self).__name__}: it is not known whether more or less of "{self.monitor}" is '
            "better",
            found='mode="auto"',
            needed='mode="min" or mode="max"',
            at=str(here()),
        )


def _metrics_of(arguments: Any) -> Iterator[metrics.Metric]:
    """All metrics that ``compile`` was told."""
    stack = [] if arguments is None else [arguments.metrics, arguments.weighted_metrics]
    while stack:
        spec = stack.pop()
        if isinstance(spec, (list, tuple)):
            stack += spec
        elif isinstance(spec, dict):
            stack += spec.values()
        elif spec is not None:
            yield metrics.get(spec)
