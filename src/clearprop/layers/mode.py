"""What layers need to know while they are called: training or not, and which random numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from clearprop import primitives
from clearprop.ir.value import Value
from clearprop.settings import settings
from clearprop.tensor.tensor import Tensor


def seed_words(seed: int) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """A seed below 2**64 as the two 32-bit words of a random key."""
    return np.array([seed & 0xFFFFFFFF, seed >> 32], np.uint32)


def path_words(*path: object) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """Two 32-bit words that stand for a path such as (layer position, weight name)."""
    digest = hashlib.sha256(repr(path).encode()).digest()
    return np.frombuffer(digest[:8], "<u4").astype(np.uint32)


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
        words = type(self.key).leaf(path_words(position, number))
        key = self.key if seed is None else type(self.key).leaf(seed_words(seed))
        return primitives.random_bits(key, words, shape=(2,))

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


def direct_mode(training: bool) -> Mode:
    """The mode of a layer that the user calls himself: fresh random numbers at each call."""
    global _direct_calls
    _direct_calls += 1
    key, counter = seed_words(settings.seed), seed_words(_direct_calls)
    return Mode(training, Tensor.leaf(key), Tensor.leaf(counter))
