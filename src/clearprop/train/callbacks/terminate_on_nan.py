"""Ending the training when a loss is no number any more."""

from __future__ import annotations

from clearprop.train.callback import Callback
from clearprop.train.callbacks.telling import say


class TerminateOnNaN(Callback):
    """Ends training without an error when a loss is NaN or infinite.

    The model keeps the weights from before the step that gave it.

    Args:
        raise_error: whether the error of ``fit`` comes after all, as without this callback.

    Example:
        >>> import clearprop as cp
        >>> calm = cp.callbacks.TerminateOnNaN()
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def on_nonfinite(self) -> bool:
        """End the training."""
        if self.raise_error:
            return False
        step = self.model.training_state.step_in_epoch
        say(f"the loss is no finite number after batch {step}: training ends")
        return True
