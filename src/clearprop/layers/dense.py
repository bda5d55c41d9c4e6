"""The fully connected layer."""

from __future__ import annotations

from typing import Any, Unpack

from clearprop import activations, initializers, ops, regularizers
from clearprop.ir.value import Value
from clearprop.layers.activity import penalize_activity
from clearprop.layers.checks import (
    BuildShape,
    known_lengths,
    needs_length,
    needs_rank,
    positive_integer,
)
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions
from clearprop.layers.weight import Weight


class Dense(Layer):
    """A fully connected layer, g(x @ W + b): every unit sees every feature.

    Args:
        units: number of units, the features of the result.
        activation: name or function g; None for none (g(z) = z).
        use_bias: whether b is added.
        kernel_initializer: draws the first W.
        bias_initializer: draws the first b.
        kernel_regularizer: adds a penalty on W to the loss.
        bias_regularizer: adds a penalty on b to the loss.
        activity_regularizer: adds a penalty on the result, per sample, to the loss.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, ..., in)  ->  (batch, ..., units)

    Weights:
        kernel: (in, units), Glorot uniform.
        bias: (units,), zeros.

    Example:
        >>> import clearprop as cp
        >>> layer = cp.layers.Dense(2, kernel_initializer="ones", activation="relu")
        >>> layer([[1.0, 2.0, 3.0]]).tolist()
        [[6.0, 6.0]]
    """

    supports_masking = True

    kernel: Weight
    bias: Weight | None

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.units = positive_integer(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)

    def build(self, input_shape: BuildShape) -> None:
        """Make W and b for this number of features."""
        needs_rank(self, input_shape, "(batch, features)", at_least=True)
        (features,) = known_lengths(self, input_shape, (-1,))
        self.kernel = self.add_weight(
            (features, self.units),
            self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
            )

    def call(self, inputs: Value) -> Any:
        """g(x @ W + b)."""
        needs_rank(self, inputs.shape, "(batch, features)", at_least=True)
        needs_length(self, inputs, -1, self.kernel.shape[0], "features")
        outputs = ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        outputs = self.activation(outputs)
        penalize_activity(self, self.activity_regularizer, outputs)
        return outputs
