"""Ending the training when it gets no better."""

from __future__ import annotations

from typing import Any

from clearprop.ir.value import Array
from clearprop.train.callbacks.monitor import MonitorCallback
from clearprop.train.callbacks.telling import say


class EarlyStopping(MonitorCallback):
    """Ends training when a number has not improved for some epochs.

    Args:
        monitor: the number's name in the history.
        min_delta: a smaller change is no improvement.
        patience: how many epochs without improvement are borne.
        verbose: 1 tells when it acts.
        mode: "min", "max", or "auto", which knows losses and metrics.
        baseline: patience begins anew only with values better than this, too.
        restore_best_weights: whether the model ends with the weights of its best epoch.
        start_from_epoch: epochs before this one, counted from 0, do not count.

    Example:
        >>> import clearprop as cp
        >>> stop = cp.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best_weights: list[Array] | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget what an earlier ``fit`` left."""
        self.forget()
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compare with the best epoch so far."""
        value = self.watched(logs or {})
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)
        self.wait += 1
        if self.is_improvement(value, self.best):
            self.best = value
            self._keep(epoch)
            if self.baseline is None or self.is_improvement(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Bring the best weights back, if that was asked for."""
        if self.stopped_epoch and self.verbose:
            say(f'epoch {self.stopped_epoch + 1}: stopped, "{self.monitor}" gets no better')
        if self.best_weights is not None:
            if self.verbose:
                say(f"the weights are those of epoch {self.best_epoch + 1}, the best")
            self.model.set_weights(self.best_weights)

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()
