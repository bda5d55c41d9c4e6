"""Sequential: layers one after the other."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.types import TensorType
from clearprop.layers.layer import Layer
from clearprop.layers.symbolic import Input, SymbolicTensor, declared_types
from clearprop.text import count_text
from clearprop.train.model import Model


class Sequential(Model):
    """A model whose layers follow one another.

    Args:
        layers: the layers in order; the first may be ``cp.layers.Input(shape)``, which makes the
            weights at once.
        name: the model's name.
        trainable: whether ``fit`` may change the weights.
        dtype: element type of the computation.

    Example:
        >>> import clearprop as cp
        >>> model = cp.Sequential([cp.layers.Input((4,)), cp.layers.Dense(2)])
        >>> model.predict([[1.0, 2.0, 3.0, 4.0]]).shape
        (1, 2)
    """

    def __init__(
        self,
        layers: Sequence[Any] = (),
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        self.input: SymbolicTensor | None = None
        self._stack: list[Layer] = []
        if not isinstance(layers, Iterable):
            raise ArgumentError(
                "Sequential: the layers come in a list",
                found=repr(layers)[:60],
                needed="for example [cp.layers.Dense(64, 'relu'), cp.layers.Dense(10)]",
                at=str(here()),
            )
        for layer in layers:
            self._append(layer)
        self._build_from_input()

    def add(self, layer: Any) -> None:
        """Append a layer.

        Raises:
            ArgumentError: it is no layer, or an ``Input`` that is not the first.
        """
        self._append(layer)
        self._build_from_input()

    def _append(self, layer: Any) -> None:
        if isinstance(layer, SymbolicTensor):
            if self._stack or self.input is not None:
                raise ArgumentError(
                    "Sequential: an Input can only stand first",
                    found=f"{layer!r} after {count_text(len(self._stack), 'layer')}",
                    needed="layers",
                    at=str(here()),
                )
            self.input = layer
            return
        if not isinstance(layer, Layer):
            raise ArgumentError(
                "Sequential: only layers can be stacked",
                found=repr(layer)[:60],
                needed="for example cp.layers.Dense(10)",
                try_=f"{layer.__name__}(...)" if isinstance(layer, type) else "",
                at=str(here()),
            )
        if any(layer is other for other in self._stack):
            raise ArgumentError(
                "Sequential: a layer can stand in the stack only once",
                found=repr(layer),
                needed="another layer",
                try_="a functional model, cp.Model(inputs, outputs), can share layers",
                at=str(here()),
            )
        self._stack.append(layer)
        self.place_layers(self._stack)
        self.built = False

    def _build_from_input(self) -> None:
        """Make the weights, where the ``Input`` tells what they are for."""
        if self.input is not None and self._stack:
            self(self.input)

    @property
    def layers(self) -> list[Layer]:
        """The layers in order."""
        return list(self._stack)

    def build(self, *input_shapes: Any) -> None:
        """Nothing of its own: the layers make their weights when they are called."""
        self.place_layers(self._stack)

    def call(self, inputs: Any) -> Any:
        """The layers one after the other."""
        if not self._stack:
            raise ArgumentError(
                "Sequential: a model without layers computes nothing",
                found="no layers",
                needed="at least one",
                try_="model.add(cp.layers.Dense(10))",
                at=str(here()),
            )
        for layer in self._stack:
            inputs = layer(inputs)
        return inputs

    def output_layers(self) -> list[Layer | None]:
        """The last layer."""
        return [self._stack[-1] if self._stack else None]

    def input_names_for(self, x: Any) -> list[str]:
        """The one input."""
        return self.input_names

    def following_layers(self) -> list[tuple[Layer, Layer]]:
        """Each layer with the next."""
        return list(itertools.pairwise(self._stack))

    def known_input_types(self, batch: int) -> list[TensorType] | None:
        """The types of the inputs, as seen last or as its ``Input`` says."""
        declared = declared_types([self.input] if self.input is not None else [], batch)
        return super().known_input_types(batch) or declared

    def get_config(self) -> dict[str, Any]:
        """Layers, input shape and name."""
        config = super().get_config()
        config["layers"] = list(self._stack)
        if self.input is not None:
            config["input"] = {
                "shape": self.input.shape[1:],
                "dtype": self.input.dtype.name,
                "name": self.input.name or None,
                "batch_size": self.input.shape[0],
            }
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Sequential:
        """A model of these layers."""
        config = dict(config)
        given = config.pop("input", None)
        layers = config.pop("layers")
        first = [] if given is None else [Input(**given)]
        return cls([*first, *layers], **config)
