"""The gated recurrent unit: a state that is updated and reset by gates."""

from __future__ import annotations

from typing import Any, Unpack

from clearprop import activations, ops
from clearprop.ir.types import Shape
from clearprop.ir.value import Value
from clearprop.layers.recurrent.cell import Noise, RecurrentCell, States, gate_products
from clearprop.layers.recurrent.options import CellOptions, RecurrentOptions
from clearprop.layers.recurrent.rnn import LayerOfCell


class GRUCell(RecurrentCell):
    """One step of a ``GRU``.

    With blocks z, r, h of x W + b_x and of h U + b_h, the new state is z h + (1 - z) g(candidate),
    where z and r are passed through s, and the candidate is x_h + r (h U_h + b_h), or
    x_h + (r h) U_h if the reset is applied before the product.

    Args:
        units: length of the state.
        activation: g.
        recurrent_activation: s.
        use_bias: whether to add biases.
        reset_after: whether r is applied after the product with U.
        **options: initializers, regularizers and dropout (see ``GRU``), ``name``, ``trainable``,
            ``dtype``.

    Shapes:
        x: (batch, features), state: (batch, units)  ->  (batch, units), [(batch, units)]

    Weights:
        kernel: W (features, 3 units) with blocks z, r, h, uniform after Glorot.
        recurrent_kernel: U (units, 3 units), orthogonal.
        bias: (2, 3 units), b_x and b_h; (3 units,) without ``reset_after``; zeros.

    Example:
        >>> import clearprop as cp
        >>> output, states = cp.layers.GRUCell(2)([[1.0]], [[[0.0, 0.0]]])
        >>> output.shape
        (1, 2)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        *,
        reset_after: bool = True,
        **options: Unpack[CellOptions],
    ) -> None:
        super().__init__(units, use_bias, **options)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after

    @property
    def bias_shape(self) -> Shape:
        """Shape of the biases."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    @property
    def input_bias(self) -> Value | None:
        """The biases that are added to the product with the input."""
        return self.bias if self.bias is None or not self.reset_after else ops.index(self.bias, 0)

    def step(self, projected: Value, states: States, noise: Noise) -> tuple[Value, States]:
        """The new state, which is the output too."""
        (h,) = states
        x_gates, x_candidate = ops.split(projected, [2 * self.units], axis=-1)
        if self.reset_after:
            inner = gate_products(h, self.recurrent_kernel, noise.states)
            if self.bias is not None:
                inner = ops.add(inner, ops.index(self.bias, 1))
            h_gates, h_candidate = ops.split(inner, [2 * self.units], axis=-1)
            z, r = self._gates(x_gates, h_gates)
            recurrent = ops.multiply(r, h_candidate)
        else:
            of_gates, of_candidate = ops.split(self.recurrent_kernel, [2 * self.units], axis=-1)
            z, r = self._gates(x_gates, gate_products(h, of_gates, noise.states[:2]))
            recurrent = gate_products(ops.multiply(r, h), of_candidate, noise.states[2:])
        candidate = self.activation(ops.add(x_candidate, recurrent))
        kept = ops.multiply(z, h)
        output = ops.add(kept, ops.multiply(ops.subtract(1.0, z), candidate))
        return output, [output]

    def _gates(self, from_input: Value, from_state: Value) -> list[Value]:
        """How much of the state is kept, and how much of it the candidate sees."""
        gates = self.recurrent_activation(ops.add(from_input, from_state))
        return ops.split(gates, 2, axis=-1)


class GRU(LayerOfCell):
    """Gated recurrent unit: a recurrent layer that remembers, with fewer weights than an LSTM.

    With blocks z, r, h of x_t W + b_x and of h_(t-1) U + b_h:

        h_t = s(z) h_(t-1) + (1 - s(z)) g(x_h + s(r) (h_(t-1) U_h + b_h))

    Args:
        units: length of the state and of the output.
        activation: g.
        recurrent_activation: s.
        use_bias: whether to add biases.
        reset_after: whether the reset gate r is applied after the product with U; else before it,
            as in the first publication: g(x_h + (s(r) h) U_h).
        **options: by name. Of the weights: ``kernel_initializer``, ``recurrent_initializer``,
            ``bias_initializer``, ``kernel_regularizer``, ``recurrent_regularizer``,
            ``bias_regularizer``. Of dropout, one decision for a whole sequence: ``dropout`` of
            the input, ``recurrent_dropout`` of the state, ``seed``. Of the sequence:
            ``return_sequences`` (the outputs of all steps), ``return_state`` (the last state
            too), ``go_backwards``, ``stateful`` (a batch goes on where the one before ended),
            ``zero_output_for_mask``, ``activity_regularizer``. Of every layer: ``name``,
            ``trainable``, ``dtype``.

    Shapes:
        x: (batch, steps, features), mask: bool (batch, steps)
        ->  (batch, units), or (batch, steps, units) with ``return_sequences``

    Weights:
        kernel: W (features, 3 units) with blocks z, r, h, uniform after Glorot.
        recurrent_kernel: U (units, 3 units), orthogonal.
        bias: (2, 3 units), b_x and b_h; (3 units,) without ``reset_after``; zeros.

    Reference:
        K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical
        machine translation", EMNLP (2014).

    Example:
        >>> import clearprop as cp
        >>> cp.layers.GRU(4, return_sequences=True)([[[1.0], [2.0], [3.0]]]).shape
        (1, 3, 4)
    """

    cell: GRUCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        *,
        reset_after: bool = True,
        **options: Unpack[RecurrentOptions],
    ) -> None:
        of_cell, own = self.parted(options)
        cell = GRUCell(
            units, activation, recurrent_activation, use_bias, reset_after=reset_after, **of_cell
        )
        super().__init__(cell, **own)
