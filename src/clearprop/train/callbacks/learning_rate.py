"""Changing the learning rate from epoch to epoch."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.optimizers import Optimizer
from clearprop.optimizers.schedules import LearningRateSchedule
from clearprop.train.callback import Callback
from clearprop.train.callbacks.monitor import MonitorCallback
from clearprop.train.callbacks.telling import say


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch.

    Args:
        schedule: a function of the epoch's number, from 0, and of the present learning rate (or
            of the number alone) that gives the new one.
        verbose: 1 tells the new learning rate.

    Example:
        >>> import clearprop as cp
        >>> halve = cp.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        self.schedule, self.verbose = schedule, verbose
        self._takes_rate = _takes_two(schedule)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the learning rate."""
        for optimizer in _optimizers(self.model.optimizer):
            present = _rate_of(optimizer, "LearningRateScheduler")
            new = self.schedule(epoch, present) if self._takes_rate else self.schedule(epoch)
            try:
                rate = math.nan if isinstance(new, bool) else float(new)
            except (TypeError, ValueError):
                rate = math.nan
            if not (math.isfinite(rate) and rate >= 0):
                raise ArgumentError(
                    "LearningRateScheduler: the schedule gave no learning rate",
                    found=f"{new!r} for epoch {epoch}",
                    needed="a number of 0 or more",
                    at=str(here()),
                )
            optimizer.learning_rate = rate
            if self.verbose:
                say(f"epoch {epoch + 1}: the learning rate is {rate:g}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Tell the history the learning rate."""
        note_rates(self.model.optimizer, logs)


class ReduceLROnPlateau(MonitorCallback):
    """Makes the learning rate smaller when a number has not improved for some epochs.

    Args:
        monitor: the number's name in the history.
        factor: what the learning rate is multiplied by, below 1.
        patience: how many epochs without improvement are borne.
        verbose: 1 tells when it acts.
        mode: "min", "max", or "auto", which knows losses and metrics.
        min_delta: a smaller change is no improvement.
        cooldown: epochs after a reduction that do not count.
        min_lr: the smallest learning rate.

    Example:
        >>> import clearprop as cp
        >>> slower = cp.callbacks.ReduceLROnPlateau(factor=0.2, patience=5, min_lr=1e-5)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if not 0 <= factor < 1:
            raise ArgumentError(
                "ReduceLROnPlateau: the factor makes the learning rate smaller",
                found=f"factor={factor!r}",
                needed="0 <= factor < 1",
                at=str(here()),
            )
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget what an earlier ``fit`` left."""
        self.forget()
        self.wait = self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compare with the best epoch so far."""
        logs = {} if logs is None else logs
        note_rates(self.model.optimizer, logs)
        value = self.watched(logs)
        if value is None:
            return
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_improvement(value, self.best):
            self.best, self.wait = value, 0
        elif not self.cooldown_counter:
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.wait, self.cooldown_counter = 0, self.cooldown

    def _reduce(self, epoch: int) -> bool:
        """Whether a learning rate could still be made smaller."""
        reduced = False
        for optimizer in _optimizers(self.model.optimizer):
            rate = _rate_of(optimizer, "ReduceLROnPlateau")
            if rate > self.min_lr:
                optimizer.learning_rate = max(rate * self.factor, self.min_lr)
                reduced = True
                if self.verbose:
                    say(f"epoch {epoch + 1}: the learning rate is {optimizer.learning_rate:g}")
        return reduced


def note_rates(optimizer: Optimizer, logs: dict[str, Any] | None) -> None:
    """Put the learning rates into the logs of an epoch; a schedule tells its own."""
    if logs is None:
        return
    optimizers = _optimizers(optimizer)
    for each in optimizers:
        name = "learning_rate" if len(optimizers) == 1 else f"learning_rate_{each.name}"
        if not isinstance(each.learning_rate, LearningRateSchedule):
            logs[name] = float(each.learning_rate)


def _optimizers(optimizer: Any) -> list[Any]:
    """The optimizers inside one that holds several, or itself."""
    return list(getattr(optimizer, "optimizers", [optimizer]))


def _rate_of(optimizer: Any, callback: str) -> float:
    rate = optimizer.learning_rate
    if isinstance(rate, LearningRateSchedule):
        raise ArgumentError(
            f"{callback}: the optimizer's learning rate follows a schedule already",
            found=f"{optimizer.name} with {type(rate).__name__}",
            needed="an optimizer with a number as learning rate",
            try_=f"leave {callback} out, or compile with learning_rate=0.001",
            at=str(here()),
        )
    return float(rate)


def _takes_two(function: Callable[..., Any]) -> bool:
    """Whether the function can be called with two arguments."""
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a built-in that does not tell its arguments
        return True
    return True
