"""A layer's weight: a parameter that knows how to draw its first numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from clearprop.dtypes import DType
from clearprop.initializers import Initializer
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array
from clearprop.ops.random import words, words_of
from clearprop.regularizers import Regularizer
from clearprop.settings import settings
from clearprop.tensor.parameter import Parameter, note_change


class Weight(Parameter):
    """A parameter of a layer.

    Its first numbers follow from (seed, position of the layer in its model, name of the weight),
    not from what was built before.

    Attributes:
        initializer: draws the first numbers.
        regularizer: adds to the loss, or None.
        position: where the layer stands in its model.
        layer_path: tells the path of its layer.
        is_drawn: whether the numbers are still those the initializer drew.
        is_state: whether it is no weight of the layer's function but what a stateful layer
            remembers from batch to batch.
    """

    __slots__ = (
        "_numbers",
        "initializer",
        "is_drawn",
        "is_state",
        "layer_path",
        "position",
        "regularizer",
        "seed",
    )

    def __init__(
        self,
        shape: Shape,
        dtype: DType,
        initializer: Initializer,
        *,
        name: str,
        trainable: bool = True,
        regularizer: Regularizer | None = None,
        position: tuple[int, ...] = (),
        layer_path: Callable[[], str] = str,
        is_state: bool = False,
    ) -> None:
        self.is_state = is_state
        self.layer_path = layer_path
        self.initializer, self.regularizer, self.position = initializer, regularizer, position
        self.seed: int | None = None
        self._numbers: Array | None = None
        self.is_drawn = True
        super().__init__(TensorType(shape, dtype), name=name, trainable=trainable)

    @property
    def path(self) -> str:
        """The path of its layer in the model and its own name: ``encoder/dense_1/kernel``."""
        above = self.layer_path()
        return f"{above}/{self.name}" if above else self.name

    @property
    def array(self) -> Array:
        """The present numbers; the first ones are drawn when somebody asks."""
        if self._numbers is None:
            seed = settings.seed if self.seed is None else self.seed
            self._numbers = _draw(
                self.initializer, self.shape, self.dtype, (seed, self.position, self.name)
            )
        return self._numbers

    @array.setter
    def array(self, array: Array | None) -> None:
        self._numbers = array

    def hold(self, array: Array) -> None:
        """Take ``array`` as the new numbers; from now on no seed draws them again."""
        super().hold(array)
        self.is_drawn = False

    def move(self, position: tuple[int, ...]) -> None:
        """Belong to the layer at ``position``; numbers nobody has set are drawn anew."""
        if position != self.position:
            self.position = position
            self._draw_again()

    def reseed(self, seed: int) -> None:
        """Draw numbers that nobody has set or trained from ``seed``."""
        if seed != self.seed:
            self.seed = seed
            self._draw_again()

    def _draw_again(self) -> None:
        if self.is_drawn:
            self._numbers = self._leaf = None
            note_change()


def _draw(
    initializer: Initializer, shape: Shape, dtype: DType, path: tuple[int, tuple[int, ...], str]
) -> Array:
    seed, position, name = path
    key = words(seed) ^ words_of(position, name)
    array = np.array(initializer(shape, dtype, key), dtype)
    array.flags.writeable = False
    return array
