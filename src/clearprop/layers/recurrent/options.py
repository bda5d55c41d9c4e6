"""The arguments that recurrent cells and layers share, said once."""

from __future__ import annotations

from typing import Any, TypedDict

from clearprop.layers.options import LayerOptions


class WeightOptions(TypedDict, total=False):
    """How a cell draws and punishes its weights, and what it drops; always by name.

    Attributes:
        kernel_initializer: draws the first kernel; ``"glorot_uniform"`` by default.
        recurrent_initializer: draws the first recurrent kernel; ``"orthogonal"`` by default.
        bias_initializer: draws the first biases; ``"zeros"`` by default.
        kernel_regularizer: adds a penalty on the kernel to the loss.
        recurrent_regularizer: adds a penalty on the recurrent kernel to the loss.
        bias_regularizer: adds a penalty on the biases to the loss.
        dropout: probability with which a feature of the input is dropped, in all steps of a
            sequence alike; 0 by default.
        recurrent_dropout: the same for the state.
        seed: a whole number that the dropout follows from, in place of the model's seed.
    """

    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    dropout: float
    recurrent_dropout: float
    seed: int | None


class SequenceOptions(TypedDict, total=False):
    """How a recurrent layer goes through its sequences; always by name.

    Attributes:
        return_sequences: whether to give the output of each step, not only the last one.
        return_state: whether to give the last state too.
        go_backwards: whether to begin with the last step; outputs come in that order.
        stateful: whether a batch goes on from the state that the one before left; see
            ``reset_state``.
        zero_output_for_mask: whether a masked step gives 0, not the output of the step before.
        activity_regularizer: adds a penalty on the outputs to the loss.
    """

    return_sequences: bool
    return_state: bool
    go_backwards: bool
    stateful: bool
    zero_output_for_mask: bool
    activity_regularizer: Any


class CellOptions(WeightOptions, LayerOptions, total=False):
    """What every recurrent cell's constructor takes by name."""


class RecurrentOptions(WeightOptions, SequenceOptions, LayerOptions, total=False):
    """What every recurrent layer's constructor takes by name."""
