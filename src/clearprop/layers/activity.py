"""Penalties on what a layer gives, rather than on its weights."""

from __future__ import annotations

from typing import Any, Unpack

from clearprop import ops, regularizers
from clearprop.ir.value import Value
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions
from clearprop.regularizers import Regularizer


def penalize_activity(layer: Layer, regularizer: Regularizer | None, outputs: Value) -> None:
    """Add the penalty of ``outputs`` to the loss, divided by the number of samples.

    Shapes:
        outputs: (batch, ...)
    """
    if regularizer is None:
        return
    penalty = regularizer(outputs)
    if outputs.shape:
        penalty = ops.divide(penalty, max(outputs.shape[0], 1))
    layer.add_loss(penalty)


class ActivityRegularization(Layer):
    """The input itself; what it costs is added to the loss.

    The loss grows by (l1 sum |x| + l2 sum x^2) / batch.

    Args:
        l1: factor of the sum of sizes.
        l2: factor of the sum of squares.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, ...)  ->  the same

    Example:
        >>> import clearprop as cp
        >>> cp.layers.ActivityRegularization(l2=0.1)([[1.0, 2.0]]).tolist()
        [[1.0, 2.0]]
    """

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.l1, self.l2 = l1, l2
        self._regularizer = regularizers.L1L2(l1=l1, l2=l2)

    def call(self, inputs: Any) -> Any:
        """The input, and its penalty on the side."""
        penalize_activity(self, self._regularizer, inputs)
        return inputs
