"""Cells one upon the other as a single cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.checks import BuildShape, label
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions


class StackedRNNCells(Layer):
    """Cells one upon the other: the output of each is the input of the next, in the same step.

    Args:
        cells: the cells, first the one that sees the input.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, features), states: those of each cell
        ->  (batch, units of the last cell), new states of each cell

    Example:
        >>> import clearprop as cp
        >>> cells = [cp.layers.GRUCell(8), cp.layers.LSTMCell(4)]
        >>> cp.layers.RNN(cells)([[[1.0], [2.0], [3.0]]]).shape
        (1, 4)
    """

    def __init__(self, cells: Sequence[Any], **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.cells = [checked_cell(self, cell) for cell in cells]
        if not self.cells:
            raise ArgumentError(
                f"{label(self)}: a stack without cells computes nothing",
                found="cells=[]",
                needed="at least one cell",
                try_="cells=[cp.layers.LSTMCell(32), cp.layers.LSTMCell(32)]",
                at=str(here()),
            )

    @property
    def state_size(self) -> list[Any]:
        """Lengths of the states of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """Length of the output."""
        return output_size(self.cells[-1])

    def build(self, input_shape: BuildShape, *_: Any) -> None:
        """Make the weights of all cells."""
        for cell in self.cells:
            if not cell.built:
                cell.build(input_shape)
            input_shape = (input_shape[0], output_size(cell))

    def call(
        self, inputs: Value, states: Sequence[Any], training: bool = False
    ) -> tuple[Value, list[Any]]:
        """One step of all cells: the last output, and the new states of each."""
        after = []
        for cell, before in zip(self.cells, states, strict=True):
            inputs, new = cell(inputs, before, training=training)
            after.append(new)
        return inputs, after


def checked_cell(layer: Layer, cell: Any) -> Any:
    """``cell``, if it is one.

    Raises:
        ArgumentError: it is no layer with a ``state_size``.
    """
    if isinstance(cell, Layer) and hasattr(cell, "state_size"):
        return cell
    is_rnn = hasattr(cell, "cell")
    raise ArgumentError(
        f"{label(layer)}: a cell is a layer with a state_size that computes one step",
        found=repr(cell)[:60],
        needed="for example cp.layers.LSTMCell(32)",
        try_=f"{type(cell).__name__}Cell(...) in place of {type(cell).__name__}" if is_rnn else "",
        at=str(here()),
    )


def output_size(cell: Any) -> int:
    """Length of the output of a cell: as it says, or that of its first state."""
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size
        size = size if isinstance(size, int) else size[0]
    return int(size)
