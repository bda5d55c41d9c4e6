"""The simplest recurrent network: the output is fed back."""

from __future__ import annotations

from typing import Any, Unpack

from clearprop import activations, ops
from clearprop.ir.value import Value
from clearprop.layers.recurrent.cell import Noise, RecurrentCell, States, gate_products
from clearprop.layers.recurrent.options import CellOptions, RecurrentOptions
from clearprop.layers.recurrent.rnn import LayerOfCell


class SimpleRNNCell(RecurrentCell):
    """One step of a ``SimpleRNN``: h' = g(x W + h U + b).

    Args:
        units: length of the state.
        activation: g.
        use_bias: whether to add b.
        **options: initializers, regularizers and dropout (see ``SimpleRNN``), ``name``,
            ``trainable``, ``dtype``.

    Shapes:
        x: (batch, features), state: (batch, units)  ->  (batch, units), [(batch, units)]

    Weights:
        kernel: W (features, units), uniform after Glorot.
        recurrent_kernel: U (units, units), orthogonal.
        bias: b (units,), zeros.

    Example:
        >>> import clearprop as cp
        >>> cell = cp.layers.SimpleRNNCell(1, None, kernel_initializer="ones")
        >>> output, states = cell([[2.0]], [[[0.0]]])
        >>> output.tolist()
        [[2.0]]
    """

    gates = 1

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        **options: Unpack[CellOptions],
    ) -> None:
        super().__init__(units, use_bias, **options)
        self.activation = activations.get(activation)

    def step(self, projected: Value, states: States, noise: Noise) -> tuple[Value, States]:
        """The new state, which is the output too."""
        inside = ops.add(projected, gate_products(states[0], self.recurrent_kernel, noise.states))
        output = self.activation(inside)
        return output, [output]


class SimpleRNN(LayerOfCell):
    """A recurrent layer whose output is fed back: h_t = g(x_t W + h_(t-1) U + b).

    Args:
        units: length of the state and of the output.
        activation: g.
        use_bias: whether to add b.
        **options: by name. Of the weights: ``kernel_initializer``, ``recurrent_initializer``,
            ``bias_initializer``, ``kernel_regularizer``, ``recurrent_regularizer``,
            ``bias_regularizer``. Of dropout, one decision for a whole sequence: ``dropout`` of
            the input, ``recurrent_dropout`` of the state, ``seed``. Of the sequence:
            ``return_sequences`` (the outputs of all steps), ``return_state`` (the last states
            too), ``go_backwards``, ``stateful`` (a batch goes on where the one before ended),
            ``zero_output_for_mask``, ``activity_regularizer``. Of every layer: ``name``,
            ``trainable``, ``dtype``.

    Shapes:
        x: (batch, steps, features), mask: bool (batch, steps)
        ->  (batch, units), or (batch, steps, units) with ``return_sequences``

    Weights:
        kernel: W (features, units), uniform after Glorot.
        recurrent_kernel: U (units, units), orthogonal.
        bias: b (units,), zeros.

    Reference:
        J. L. Elman, "Finding structure in time", Cognitive Science 14 (1990).

    Example:
        >>> import clearprop as cp
        >>> cp.layers.SimpleRNN(4)([[[1.0], [2.0], [3.0]]]).shape
        (1, 4)
    """

    cell: SimpleRNNCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        **options: Unpack[RecurrentOptions],
    ) -> None:
        of_cell, own = self.parted(options)
        super().__init__(SimpleRNNCell(units, activation, use_bias, **of_cell), **own)
