"""Long short-term memory: a state that gates keep, write and read."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from clearprop import activations, ops
from clearprop.initializers import Initializer
from clearprop.initializers.random_stream import RandomStream
from clearprop.ir.types import Shape
from clearprop.ir.value import Array, Value
from clearprop.layers.recurrent.cell import Noise, RecurrentCell, States, gate_products
from clearprop.layers.recurrent.options import CellOptions, RecurrentOptions
from clearprop.layers.recurrent.rnn import LayerOfCell


class LSTMCell(RecurrentCell):
    """One step of an ``LSTM``.

    With four blocks i, f, c, o of x W + h U + b, the carry c' = s(f) c + s(i) g(c) and the output
    h' = s(o) g(c').

    Args:
        units: length of the state.
        activation: g.
        recurrent_activation: s.
        use_bias: whether to add b.
        unit_forget_bias: whether the biases of the forget gate f begin with 1.
        **options: initializers, regularizers and dropout (see ``LSTM``), ``name``, ``trainable``,
            ``dtype``.

    Shapes:
        x: (batch, features), states h and c: (batch, units)  ->  (batch, units), [h', c']

    Weights:
        kernel: W (features, 4 units) with blocks i, f, c, o, uniform after Glorot.
        recurrent_kernel: U (units, 4 units), orthogonal.
        bias: b (4 units,), zeros, but ones for f.

    Example:
        >>> import clearprop as cp, numpy as np
        >>> zeros = np.zeros((1, 3), np.float32)
        >>> output, (h, c) = cp.layers.LSTMCell(3)([[1.0, 2.0]], [zeros, zeros])
        >>> output.shape, c.shape
        ((1, 3), (1, 3))
    """

    gates = 4
    state_count = 2

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        *,
        unit_forget_bias: bool = True,
        **options: Unpack[CellOptions],
    ) -> None:
        super().__init__(units, use_bias, **options)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias

    @property
    def first_biases(self) -> Initializer:
        """What draws the first biases."""
        return _ForgetBias(self.bias_initializer) if self.unit_forget_bias else super().first_biases

    def step(self, projected: Value, states: States, noise: Noise) -> tuple[Value, States]:
        """The output h', and h' and c'."""
        h, c = states
        z = ops.add(projected, gate_products(h, self.recurrent_kernel, noise.states))
        i, f, candidate, o = ops.split(z, 4, axis=-1)
        kept = ops.multiply(self.recurrent_activation(f), c)
        written = ops.multiply(self.recurrent_activation(i), self.activation(candidate))
        carry = ops.add(kept, written)
        output = ops.multiply(self.recurrent_activation(o), self.activation(carry))
        return output, [output, carry]


class _ForgetBias(Initializer):
    """Ones for the second of four blocks, the rest by another initializer."""

    def __init__(self, others: Initializer) -> None:
        self.others = others
        self.seed, self.is_random = others.seed, others.is_random

    def values(self, shape: Shape, random: RandomStream) -> Array:
        units = shape[0] // 4
        blocks = [
            self.others.values((units,), random),
            np.ones(units),
            self.others.values((2 * units,), random),
        ]
        return np.concatenate(blocks)


class LSTM(LayerOfCell):
    """Long short-term memory: a recurrent layer that can remember for long.

    A carry c flows from step to step; gates decide what it keeps (f), what is written (i) and
    what is read (o).  With four blocks i, f, c, o of x_t W + h_(t-1) U + b:

        c_t = s(f) c_(t-1) + s(i) g(c),  h_t = s(o) g(c_t)

    Args:
        units: length of the state and of the output.
        activation: g.
        recurrent_activation: s.
        use_bias: whether to add b.
        unit_forget_bias: whether the biases of the forget gate f begin with 1: at first the
            carry is kept.
        **options: by name. Of the weights: ``kernel_initializer``, ``recurrent_initializer``,
            ``bias_initializer``, ``kernel_regularizer``, ``recurrent_regularizer``,
            ``bias_regularizer``. Of dropout, one decision for a whole sequence: ``dropout`` of
            the input, ``recurrent_dropout`` of the state, ``seed``. Of the sequence:
            ``return_sequences`` (the outputs of all steps), ``return_state`` (h and c too),
            ``go_backwards``, ``stateful`` (a batch goes on where the one before ended),
            ``zero_output_for_mask``, ``activity_regularizer``. Of every layer: ``name``,
            ``trainable``, ``dtype``.

    Shapes:
        x: (batch, steps, features), mask: bool (batch, steps)
        ->  (batch, units), or (batch, steps, units) with ``return_sequences``

    Weights:
        kernel: W (features, 4 units) with blocks i, f, c, o, uniform after Glorot.
        recurrent_kernel: U (units, 4 units), orthogonal.
        bias: b (4 units,), zeros, but ones for f.

    Reference:
        S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997);
        F. A. Gers, J. Schmidhuber, F. Cummins, "Learning to forget", Neural Computation 12 (2000).

    Example:
        >>> import clearprop as cp
        >>> cp.layers.LSTM(4, return_sequences=True)([[[1.0], [2.0], [3.0]]]).shape
        (1, 3, 4)
    """

    cell: LSTMCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        *,
        unit_forget_bias: bool = True,
        **options: Unpack[RecurrentOptions],
    ) -> None:
        of_cell, own = self.parted(options)
        cell = LSTMCell(
            units,
            activation,
            recurrent_activation,
            use_bias,
            unit_forget_bias=unit_forget_bias,
            **of_cell,
        )
        super().__init__(cell, **own)
