"""Saving the model while it is trained."""

from __future__ import annotations

import os
import string
from collections.abc import Mapping
from typing import Any

from clearprop.errors import ArgumentError, UnknownNameError
from clearprop.ir.place import here
from clearprop.text import did_you_mean
from clearprop.train.callbacks.monitor import MonitorCallback
from clearprop.train.callbacks.telling import say
from clearprop.train.checkpoint import check_savable


class ModelCheckpoint(MonitorCallback):
    """Saves the model after epochs or batches.

    A model that cannot be saved (a class without a registered name) is refused when training
    begins.

    Args:
        filepath: where to; ``{epoch}`` (from 1), ``{batch}`` and the names of the history may
            stand in it: ``"{epoch:02d}-{val_loss:.2f}.safetensors"``.
        monitor: what decides which epoch is the best.
        verbose: 1 tells when it saves.
        save_best_only: whether only improvements are saved.
        save_weights_only: whether the weights alone are saved.
        mode: "min", "max", or "auto", which knows losses and metrics.
        save_freq: "epoch", or a number of batches (slower: training halts after each batch).
        initial_value_threshold: only what is better than this is saved.

    Example:
        >>> import clearprop as cp
        >>> keep = cp.callbacks.ModelCheckpoint("best.safetensors", save_best_only=True)
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: int | str = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath, self.verbose = os.fspath(filepath), verbose
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.save_freq, self.initial_value_threshold = save_freq, initial_value_threshold
        self.best = initial_value_threshold
        self._epoch = self._batches = 0
        self._check_arguments()
        if save_freq != "epoch":
            # A hook of its own makes ``fit`` halt after each batch; nobody pays who needs none.
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Make sure that the model can be saved."""
        self._batches, self._has_warned = 0, False
        if not self.save_weights_only:
            check_savable(self.model)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Know which epoch it is."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save, if that is done after epochs."""
        if self.save_freq == "epoch":
            self._save({"epoch": epoch + 1, **(logs or {})})

    def _after_batch(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._batches += 1
        if self._batches >= int(self.save_freq):
            self._batches = 0
            self._save({"epoch": self._epoch + 1, "batch": batch + 1, **(logs or {})})

    def _save(self, numbers: Mapping[str, Any]) -> None:
        path = self._path(numbers)
        if self.save_best_only and not self._is_best(numbers):
            return
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose:
            say(f"epoch {numbers['epoch']}: saved to {path}")

    def _is_best(self, numbers: Mapping[str, Any]) -> bool:
        """Whether the watched number improved; without one, everything is worth saving."""
        logs = {name: value for name, value in numbers.items() if name not in {"epoch", "batch"}}
        value = self.watched(logs)
        if value is None:
            return True
        if not self.is_improvement(value, self.best):
            if self.verbose:
                say(f'epoch {numbers["epoch"]}: "{self.monitor}" is no better than {self.best}')
            return False
        self.best = value
        return True

    def _path(self, numbers: Mapping[str, Any]) -> str:
        try:
            return self.filepath.format_map(dict(numbers))
        except KeyError as error:
            name = str(error.args[0])
            raise UnknownNameError(
                f"ModelCheckpoint: the file's name asks for a number that there is not: {name}",
                found=self.filepath + did_you_mean(name, numbers),
                needed="any of " + ", ".join(numbers),
                at=str(here()),
            ) from None
        except (ValueError, TypeError, AttributeError, IndexError) as error:
            raise self._bad_path(str(error)) from None

    def _check_arguments(self) -> None:
        freq = self.save_freq
        if freq != "epoch" and (isinstance(freq, (bool, str)) or freq != int(freq) or freq < 1):
            raise ArgumentError(
                "ModelCheckpoint: how often to save",
                found=f"save_freq={freq!r}",
                needed='"epoch", or a number of batches',
                at=str(here()),
            )
        try:
            list(string.Formatter().parse(self.filepath))
        except ValueError as error:
            raise self._bad_path(str(error)) from None

    def _bad_path(self, problem: str) -> ArgumentError:
        return ArgumentError(
            "ModelCheckpoint: the file's name cannot be filled in",
            found=f"{self.filepath!r}: {problem}",
            needed="names in braces, e.g. {epoch:02d} or {val_loss:.2f}",
            try_="write {{ and }} for braces that belong to the name",
            at=str(here()),
        )
