"""What a layer is tested on: its arguments, and the shapes of its inputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clearprop import layers
from clearprop.layers import Layer


@dataclass(frozen=True)
class Case:
    """A layer with arguments, and the shapes of its inputs.

    Attributes:
        cls: name of the layer class.
        arguments: of its constructor; Keras takes the same.
        shapes: one for each input; a list of several is given to the layer.
        high: indices below this number in place of floats, if not 0.
        is_random: whether training draws random numbers.
    """

    cls: str
    arguments: dict[str, Any] = field(default_factory=dict)
    shapes: tuple[tuple[int, ...], ...] = ((4, 6),)
    high: int = 0
    is_random: bool = False

    def __str__(self) -> str:
        told = ",".join(f"{name}={value}" for name, value in self.arguments.items())
        return f"{self.cls}({told}){'x'.join(str(shape) for shape in self.shapes)}"

    def layer(self, **more: Any) -> Layer:
        return getattr(layers, self.cls)(**self.arguments, **more)

    def inputs(self, dtype: Any = np.float32, seed: int = 0) -> Any:
        """Random arrays without ties: a list of them where the layer takes several."""
        rng = np.random.default_rng(seed)
        arrays = [
            rng.integers(0, self.high, shape).astype(np.int32)
            if self.high
            else rng.normal(0.3, 1.2, shape).astype(dtype)
            for shape in self.shapes
        ]
        return arrays if len(arrays) > 1 else arrays[0]
