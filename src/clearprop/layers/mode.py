"""What layers need to know while they are called: training or not, and which random numbers."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from clearprop import primitives
from clearprop.ir.value import Value
from clearprop.ops.random import words, words_of
from clearprop.settings import settings
from clearprop.tensor.tensor import Tensor


class Mode:
    """How layers are being called now.

    Attributes:
        training: whether dropout drops and batch statistics are used.
        key: u32[2], the model's seed.
        counter: u32[2], the number of the step; another one gives other random numbers.
        losses: what layers add to the loss: regularization of activities.
        observers: functions told (layer, output) after each call of a layer.
    """

    def __init__(self, training: bool, key: Value, counter: Value) -> None:
        self.training, self.key, self.counter = training, key, counter
        self.losses: list[Value] = []
        self.observers: list[Callable[[Any, Any], None]] = []
        self._draws: dict[tuple[int, ...], int] = {}

    def changed(self, training: bool) -> Mode:
        """The same, training or not; both count their draws together."""
        changed = Mode(training, self.key, self.counter)
        changed.losses, changed.observers = self.losses, self.observers
        changed._draws = self._draws
        return changed

    def random_key(self, position: tuple[int, ...], seed: int | None = None) -> Value:
        """u32[2]: a key of its own for each draw of each layer.

        Args:
            position: where the layer stands in its model.
            seed: the layer's own seed, which takes the place of the model's.
        """
        number = self._draws.get(position, 0)
        self._draws[position] = number + 1
        draw = type(self.key).leaf(words_of(position, number))
        key = self.key if seed is None else type(self.key).leaf(words(seed))
        return primitives.random_bits(key, draw, shape=(2,))

    @contextmanager
    def active(self) -> Generator[Mode]:
        """Layers called inside are called in this mode."""
        token = _mode.set(self)
        try:
            yield self
        finally:
            _mode.reset(token)


_mode: ContextVar[Mode | None] = ContextVar("mode", default=None)
_direct_calls = 0


def current_mode() -> Mode | None:
    """The mode layers are being called in, if any."""
    return _mode.get()


def inference_mode() -> Mode:
    """The mode of a call that only looks at the model: no training, nothing random."""
    nothing = Tensor.leaf(words(0))
    return Mode(False, nothing, nothing)


def direct_mode(training: bool) -> Mode:
    """The mode of a layer that the user calls himself: fresh random numbers at each call."""
    global _direct_calls
    _direct_calls += 1
    key, counter = words(settings.seed), words(_direct_calls)
    return Mode(training, Tensor.leaf(key), Tensor.leaf(counter))
