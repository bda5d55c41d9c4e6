"""The plain lines of a training that nobody watches live."""

from __future__ import annotations

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
