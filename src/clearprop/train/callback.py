"""Callbacks: what the user wants to happen during training, and when it is called."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.train.progress import Progress, progress_for

if TYPE_CHECKING:
    from clearprop.train.model import Model

Logs = dict[str, Any]


class Callback:
    """What happens during training; override the hooks you need.

    Overriding a batch hook makes ``fit`` stop after every batch, which is slower.

    Attributes:
        model: the model that is trained.
        params: ``epochs``, ``verbose``.

    Example:
        >>> import clearprop as cp
        >>> class Shout(cp.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print("done with", epoch)
    """

    model: Model
    params: dict[str, Any]

    def set_model(self, model: Model) -> None:
        """Tell the callback which model is trained."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell the callback how it is trained."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called once, before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called once, after the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before each epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after each epoch and its validation, with the numbers of the history."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before each batch, counted from 0 in its epoch."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after each batch, with the means of the epoch so far."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called before ``evaluate`` and each validation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called after ``evaluate`` and each validation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called before ``predict``."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called after ``predict``."""

    def on_nonfinite(self) -> bool:
        """Called when a loss was NaN or infinite; True ends the training without an error."""
        return False


class CallbackList:
    """The callbacks of one ``fit``, called together, with the progress display.

    Attributes:
        acts_on_batches: whether one of them overrides a batch hook.
        acts_on_epochs: whether one of them overrides a batch or epoch hook.
    """

    def __init__(
        self,
        model: Model,
        callbacks: Sequence[Any],
        *,
        verbose: Any,
        epochs: int = 1,
        first_epoch: int = 0,
    ) -> None:
        listed = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or ())
        for callback in listed:
            if not isinstance(callback, Callback):
                raise ArgumentError(
                    "callbacks: a callback is a cp.callbacks.Callback",
                    found=repr(callback),
                    needed="for example cp.callbacks.EarlyStopping(patience=5)",
                    try_="cp.callbacks.LambdaCallback(on_epoch_end=function)",
                    at=str(here()),
                )
            callback.set_model(model)
            callback.set_params({"epochs": epochs, "verbose": verbose})
        self._callbacks: list[Callback] = listed
        self.acts_on_batches = _any_overrides(
            listed, ("on_train_batch_begin", "on_train_batch_end")
        )
        self.acts_on_epochs = self.acts_on_batches or _any_overrides(
            listed, ("on_epoch_begin", "on_epoch_end")
        )
        self.progress: Progress = progress_for(verbose, epochs, first_epoch)

    @contextmanager
    def at_work(self) -> Generator[None]:
        """The display is open inside, and closed whatever happens."""
        with self.progress:
            yield

    def on_train_begin(self) -> None:
        """Tell all that training begins."""
        for callback in self._callbacks:
            callback.on_train_begin({})

    def on_train_end(self, logs: Logs) -> None:
        """Tell all that training ended."""
        for callback in self._callbacks:
            callback.on_train_end(logs)

    def on_epoch_begin(self, epoch: int) -> None:
        """Tell all that an epoch begins."""
        self.progress.epoch_begins(epoch)
        for callback in self._callbacks:
            callback.on_epoch_begin(epoch, {})

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Tell all that an epoch ended."""
        for callback in self._callbacks:
            callback.on_epoch_end(epoch, logs)
        self.progress.epoch_ends(epoch, logs)

    def on_epochs_passed(self, epochs: Sequence[int], logs: Sequence[Logs]) -> None:
        """Show epochs at which nobody acts and that were run in one call."""
        self.progress.epochs_passed(epochs, logs)

    def on_train_batch_begin(self, batch: int) -> None:
        """Tell those that act on batches that one begins."""
        if self.acts_on_batches:
            for callback in self._callbacks:
                callback.on_train_batch_begin(batch, {})

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Tell those that act on batches that one ended."""
        for callback in self._callbacks:
            callback.on_train_batch_end(batch, logs)

    def on_chunk_end(self, done: int, total: int, logs: Callable[[], Mapping[str, Any]]) -> None:
        """Show how far the epoch is."""
        self.progress.steps_done(done, total, logs)

    def on_test(self, *, begins: bool) -> None:
        """Tell all that an evaluation begins or ended."""
        for callback in self._callbacks:
            (callback.on_test_begin if begins else callback.on_test_end)({})

    def on_predict(self, *, begins: bool) -> None:
        """Tell all that a prediction begins or ended."""
        for callback in self._callbacks:
            (callback.on_predict_begin if begins else callback.on_predict_end)({})

    def ends_quietly_on_nonfinite(self) -> bool:
        """Whether a callback wants training to end without an error."""
        answers = [callback.on_nonfinite() for callback in self._callbacks]  # all are told
        return any(answers)


def _any_overrides(callbacks: Sequence[Callback], hooks: Sequence[str]) -> bool:
    return any(
        getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook)
        for callback in callbacks
        for hook in hooks
    )
