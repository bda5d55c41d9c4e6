"""Steps of a sequence that only fill it up, marked by a number."""

from __future__ import annotations

from typing import Any, Unpack

from clearprop import ops
from clearprop.ir.value import Value
from clearprop.layers.checks import needs_rank
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions


class Masking(Layer):
    """The input with a mask: a step counts unless all its features are ``mask_value``.

    Layers behind it leave the masked steps out, and so do losses and metrics; their features
    become 0.

    Args:
        mask_value: the number that fills up.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, steps, features)  ->  the same, with a mask: bool (batch, steps)

    Example:
        >>> import clearprop as cp
        >>> x = cp.layers.Masking(mask_value=-1.0)([[[5.0], [-1.0]]])
        >>> x.tolist(), x.mask.tolist()
        ([[[5.0], [0.0]]], [[True, False]])
    """

    def __init__(self, mask_value: float = 0.0, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.mask_value = mask_value

    def call(self, inputs: Value) -> Value:
        """The input, 0 where it is masked."""
        needs_rank(self, inputs.shape, "(batch, steps, features)", at_least=True)
        counts = self.compute_mask(inputs, None)
        return ops.where(ops.expand_dims(counts, -1), inputs, 0)

    def compute_mask(self, inputs: Value, mask: Any) -> Value:
        """Where some feature is not ``mask_value``."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)
