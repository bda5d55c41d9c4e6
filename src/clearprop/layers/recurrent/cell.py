"""What the recurrent cells share: their weights, the product with all gates at once, dropout.

A cell is a function of one step, (input, states) -> (output, new states).  The part that needs no
state, ``project``, is one product for all steps of a sequence; ``step`` does the rest.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Unpack

from clearprop import initializers, ops, regularizers
from clearprop.initializers import Initializer
from clearprop.ir.types import Shape
from clearprop.ir.value import Value
from clearprop.layers.checks import (
    BuildShape,
    known_lengths,
    needs_length,
    needs_rank,
    number_from,
    positive_integer,
)
from clearprop.layers.dropout import checked_seed
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions
from clearprop.layers.recurrent.options import WeightOptions
from clearprop.layers.weight import Weight
from clearprop.ops.lift import lift_float

States = list[Value]


class Noise(NamedTuple):
    """What dropout multiplies inputs and states by, in all steps of a sequence alike.

    Attributes:
        inputs: nothing, one factor for all gates, or one for each gate: (batch, features).
        states: the same for the state: (batch, units).
    """

    inputs: Sequence[Value] = ()
    states: Sequence[Value] = ()


class RecurrentCell(Layer):
    """A step of a recurrent layer, made of gates: each has a block of columns in the kernels.

    Shapes:
        x: (batch, features), each state: (batch, units)  ->  (batch, units), new states

    Weights:
        kernel: (features, gates * units), uniform after Glorot.
        recurrent_kernel: (units, gates * units), orthogonal.
        bias: (gates * units,), zeros.

    Example:
        >>> import clearprop as cp
        >>> output, states = cp.layers.SimpleRNNCell(2)([[1.0]], [[[0.0, 0.0]]])
        >>> output.shape, len(states)
        ((1, 2), 1)
    """

    gates: ClassVar[int]
    state_count: ClassVar[int] = 1

    kernel: Weight
    recurrent_kernel: Weight
    bias: Weight | None
    bias_initializer: Initializer

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        *,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.units = positive_integer(self, "units", units)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.dropout = number_from(self, "dropout", dropout, below=1.0)
        self.recurrent_dropout = number_from(self, "recurrent_dropout", recurrent_dropout, below=1)
        self.seed = checked_seed(self, seed)

    @property
    def state_size(self) -> int | list[int]:
        """Length of the state; a list where there are several."""
        return self.units if self.state_count == 1 else [self.units] * self.state_count

    @property
    def output_size(self) -> int:
        """Length of the output."""
        return self.units

    def get_initial_state(self, batch_size: int) -> States:
        """The states before the first step: zeros.

        Shapes:
            (batch_size, units) each
        """
        return [ops.zeros((batch_size, self.units), self.dtype) for _ in range(self.state_count)]

    # -- weights --------------------------------------------------------------------

    @property
    def bias_shape(self) -> Shape:
        """Shape of the biases."""
        return (self.gates * self.units,)

    @property
    def first_biases(self) -> Initializer:
        """What draws the first biases."""
        return self.bias_initializer

    def build(self, input_shape: BuildShape, *_: Any) -> None:
        """Make the kernels and the biases."""
        (features,) = known_lengths(self, input_shape, [-1])
        columns = self.gates * self.units
        self.kernel = self.add_weight(
            (features, columns),
            self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
        )
        self.recurrent_kernel = self.add_weight(
            (self.units, columns),
            self.recurrent_initializer,
            name="recurrent_kernel",
            regularizer=self.recurrent_regularizer,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                self.bias_shape,
                self.first_biases,
                name="bias",
                regularizer=self.bias_regularizer,
            )

    # -- one step ---------------------------------------------------------------------

    @property
    def input_bias(self) -> Value | None:
        """The biases that are added to the product with the input."""
        return self.bias

    def project(self, inputs: Value, noise: Noise) -> Value:
        """What the input adds to the gates: x @ kernel + bias.

        Shapes:
            inputs: (..., batch, features)  ->  (..., batch, gates * units)
        """
        product = gate_products(inputs, self.kernel, noise.inputs)
        bias = self.input_bias
        return product if bias is None else ops.add(product, bias)

    @abstractmethod
    def step(self, projected: Value, states: States, noise: Noise) -> tuple[Value, States]:
        """The output and the new states.

        Shapes:
            projected: (batch, gates * units), states: (batch, units) each
            ->  (batch, units), (batch, units) each
        """

    def call(
        self, inputs: Value, states: Sequence[Any], training: bool = False
    ) -> tuple[Value, States]:
        """One step: the output and the new states."""
        needs_rank(self, inputs.shape, "(batch, features)")
        needs_length(self, inputs, -1, self.kernel.shape[0], "features")
        noise = self.draw_noise(inputs.shape, training)
        before = [lift_float(state) for state in states]
        return self.step(self.project(inputs, noise), before, noise)

    def draw_noise(self, shape: Shape, training: bool) -> Noise:
        """The dropout of one call.

        Args:
            shape: (batch, features) of the input of a step.
            training: whether anything is dropped.
        """
        if not training or not (self.dropout or self.recurrent_dropout):
            return Noise()
        count = self.gates if self.recurrent_dropout else 1
        return Noise(
            [self._factor(shape, self.dropout) for _ in range(count) if self.dropout],
            [
                self._factor((shape[0], self.units), self.recurrent_dropout)
                for _ in range(count)
                if self.recurrent_dropout
            ],
        )

    def _factor(self, shape: Shape, rate: float) -> Value:
        stays = ops.bernoulli(*self.random_key(self.seed), shape, 1 - rate)
        return ops.multiply(ops.cast(stays, self.dtype), 1 / (1 - rate))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments by name."""
        shared = {name: getattr(self, name) for name in WeightOptions.__annotations__}
        return super().get_config() | shared


def gate_products(x: Value, kernel: Any, factors: Sequence[Value] = ()) -> Value:
    """x @ kernel, where each gate may see x through dropout of its own.

    Shapes:
        x: (..., batch, n), kernel: (n, gates * units), factors: (batch, n) each
        ->  (..., batch, gates * units)
    """
    if not factors:
        return ops.matmul(x, kernel)
    blocks = ops.split(kernel, len(factors), axis=-1)
    products = [
        ops.matmul(ops.multiply(x, factor), block)
        for factor, block in zip(factors, blocks, strict=True)
    ]
    return products[0] if len(products) == 1 else ops.concatenate(products, -1)
