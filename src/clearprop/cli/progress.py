"""What happens beside a training: plain lines where nobody watches live, and Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from clearprop.cli.screen import say
from clearprop.text import number_text
from clearprop.train.callback import Callback

_LINES = 20


class FewLines(Callback):
    """A line for every epoch, or for every few of them if there are many."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the line of the epoch."""
        epochs = self.params["epochs"]
        every = max(1, epochs // _LINES)
        if (epoch + 1) % every == 0 or epoch == 0:
            numbers = "  ".join(f"{name} {number_text(one)}" for name, one in (logs or {}).items())
            say(f"epoch {epoch + 1:>{len(str(epochs))}}/{epochs}  {numbers}")


class GentleStop(Callback):
    """Ctrl-C ends the training after the steps at work; a second one ends it at once.

    Attributes:
        asked: whether somebody has pressed it.
    """

    def __init__(self) -> None:
        self.asked = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop what begins after Ctrl-C; ``fit`` itself begins with a clean slate."""
        if self.asked:
            self.model.stop_training = True

    @contextmanager
    def at_ctrl_c(self) -> Generator[None]:
        """Inside, Ctrl-C is asked and not an error."""

        def stop(number: int, frame: FrameType | None) -> None:
            if self.asked:
                raise KeyboardInterrupt
            self.asked = True
            if hasattr(self, "model"):
                self.model.stop_training = True

        before = signal.signal(signal.SIGINT, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
