"""One layer for every step of a sequence."""

from __future__ import annotations

import inspect
from typing import Any, Unpack

from clearprop import ops
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.checks import BuildShape, label, needs_rank
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions


class TimeDistributed(Layer):
    """A layer applied to every step of a sequence, with the same weights.

    All steps of all samples are one big batch for the layer inside.

    Args:
        layer: what is applied.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, steps, *S), the layer: (batch, *S) -> (batch, *T)  ->  (batch, steps, *T)

    Weights:
        Those of the layer.

    Example:
        >>> import clearprop as cp
        >>> flat = cp.layers.TimeDistributed(cp.layers.Flatten())
        >>> flat([[[[1.0], [2.0]], [[3.0], [4.0]]]]).tolist()
        [[[1.0, 2.0], [3.0, 4.0]]]
    """

    supports_masking = True

    def __init__(self, layer: Layer, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        if not isinstance(layer, Layer):
            raise ArgumentError(
                f"{label(self)}: it applies a layer",
                found=repr(layer)[:60],
                needed="for example cp.layers.Dense(10)",
                at=str(here()),
            )
        self.layer = layer

    def build(self, input_shape: BuildShape) -> None:
        """Make the weights of the layer."""
        needs_rank(self, input_shape, "(batch, steps, features)", at_least=True)
        if not self.layer.built:
            self.layer.build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Value, mask: Value | None = None) -> Value:
        """What the layer makes of each step."""
        needs_rank(self, inputs.shape, "(batch, steps, features)", at_least=True)
        batch, steps, *rest = inputs.shape
        given: dict[str, Any] = {}
        if mask is not None:
            if mask.shape[:2] != (batch, steps):
                raise ShapeError(
                    f"{label(self)}: the mask does not fit the input",
                    found=f"mask: {mask.type}",
                    needed=f"a mask of shape {(batch, steps)}, or with more axes",
                    at=str(here()),
                )
            if "mask" in inspect.signature(type(self.layer).call).parameters:
                given["mask"] = ops.reshape(mask, (batch * steps, *mask.shape[2:]))
        outputs = self.layer(ops.reshape(inputs, (batch * steps, *rest)), **given)
        return ops.reshape(outputs, (batch, steps, *outputs.shape[1:]))
