"""Recurrent layers: a cell that goes along a sequence, as one loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from clearprop import ops, regularizers, tree
from clearprop.dtypes import is_float
from clearprop.errors import ShapeError
from clearprop.functions.loop import scan
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.activity import penalize_activity
from clearprop.layers.checks import BuildShape, label, needs_length, needs_rank
from clearprop.layers.layer import Layer
from clearprop.layers.masks import first_axes, needs_mask
from clearprop.layers.options import LayerOptions
from clearprop.layers.recurrent.cell import RecurrentCell
from clearprop.layers.recurrent.options import RecurrentOptions, SequenceOptions
from clearprop.layers.recurrent.stacked import StackedRNNCells, checked_cell, output_size
from clearprop.layers.recurrent.stepping import Step, steps_of, zero_states
from clearprop.layers.weight import Weight
from clearprop.ops.lift import lift


class RNN(Layer):
    """A recurrent layer: a cell applied to each step of a sequence with the state it left.

    A masked step changes nothing: the state stays, and the output is that of the step before.

    Args:
        cell: a layer with ``state_size`` and ``call(inputs, states)`` that returns the output and
            the new states; a list of cells is a ``StackedRNNCells``.
        return_sequences: whether to give the output of each step, not only the last one.
        return_state: whether to give the last states too.
        go_backwards: whether to begin with the last step; outputs come in that order.
        stateful: whether a batch goes on from the states that the one before left. All batches
            have one size then, which ``Input(shape, batch_size=...)`` says.
        zero_output_for_mask: whether a masked step gives 0 in place of the output before it.
        activity_regularizer: adds a penalty on the outputs to the loss.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, steps, ...), mask: bool (batch, steps)
        ->  (batch, units), or (batch, steps, units) with ``return_sequences``;
        with ``return_state`` a tuple: that, then each state (batch, units)

    Weights:
        Those of the cell.

    Example:
        >>> import clearprop as cp
        >>> class Sum(cp.layers.Layer):
        ...     state_size = 1
        ...     def call(self, inputs, states):
        ...         total = states[0] + inputs
        ...         return total, [total]
        >>> cp.layers.RNN(Sum(), return_sequences=True)([[[1.0], [2.0], [3.0]]]).tolist()
        [[[1.0], [3.0], [6.0]]]
    """

    supports_masking = True

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        zero_output_for_mask: bool = False,
        activity_regularizer: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        is_list = isinstance(cell, (list, tuple))
        self.cell = StackedRNNCells(cell) if is_list else checked_cell(self, cell)
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful = go_backwards, stateful
        self.zero_output_for_mask = zero_output_for_mask
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.states: list[Weight] = []

    # -- weights and states -----------------------------------------------------------

    def build(self, input_shape: BuildShape, *of_states: Any) -> None:
        """Make the weights of the cell, and the states that a stateful layer remembers."""
        needs_rank(self, input_shape, "(batch, steps, features)", at_least=self._takes_any_rank)
        if not self.cell.built:
            self.cell.build((input_shape[0], *input_shape[2:]))
        if self.stateful:
            if input_shape[0] is None:
                raise self._changing_batch("a batch of unknown size", "a size that is known")
            leaves, _ = tree.flatten(zero_states(self.cell, input_shape[0]))
            self.states = [
                self.add_weight(
                    leaf.shape,
                    "zeros",
                    name=f"state_{number}",
                    trainable=False,
                    dtype=leaf.dtype,
                    is_state=True,
                )
                for number, leaf in enumerate(leaves)
            ]

    @property
    def _takes_any_rank(self) -> bool:
        first = self.cell.cells[0] if isinstance(self.cell, StackedRNNCells) else self.cell
        return not isinstance(first, RecurrentCell)

    def _first_states(self, batch: int, given: Any) -> tuple[list[Value], tree.Structure]:
        """The states before the first step, flat, and the nest that the cell takes them in."""
        zeros, nest = tree.flatten(zero_states(self.cell, batch))
        if self.stateful and self.states[0].shape[0] != batch:
            raise self._changing_batch(f"{batch} samples", f"{self.states[0].shape[0]}, as before")
        if given is None:
            return (list(self.states) if self.stateful else zeros), nest
        flat, _ = tree.flatten(given if isinstance(given, (list, tuple)) else [given])
        states = [lift(state)[0] for state in flat]
        needed = [zero.shape for zero in zeros]
        if [state.shape for state in states] != needed:
            raise ShapeError(
                f"{label(self)}: initial_state does not fit the states of the layer",
                found=", ".join(str(state.type) for state in states) or "no states",
                needed=f"{len(needed)} of shape " + ", ".join(map(str, needed)),
                try_="a list with one array for each state, such as the states that "
                "return_state=True gives",
                at=str(here()),
            )
        return states, nest

    def _changing_batch(self, found: str, needed: str) -> ShapeError:
        return ShapeError(
            f"{label(self)}: a stateful layer remembers each sample of a batch, so all batches "
            "have one size",
            found=found,
            needed=needed,
            try_="Input(shape, batch_size=32) in the model, fit and predict with that batch_size "
            "and a number of samples that it divides",
            at=str(here()),
        )

    # -- the loop -----------------------------------------------------------------------

    def call(
        self,
        sequence: Value,
        initial_state: Any = None,
        mask: Value | None = None,
        training: bool = False,
    ) -> Any:
        """The outputs, and the last states with ``return_state``."""
        needs_rank(self, sequence.shape, "(batch, steps, features)", at_least=self._takes_any_rank)
        if isinstance(self.cell, RecurrentCell):
            needs_length(self, sequence, -1, self.cell.kernel.shape[0], "features")
        if isinstance(mask, (list, tuple)):
            mask = mask[0]
        if mask is not None:
            needs_mask(self, mask, sequence.shape[:2])
            mask = ops.swapaxes(mask, 0, 1)
        first, structure = self._first_states(sequence.shape[0], initial_state)
        rows, step = steps_of(self.cell, ops.swapaxes(sequence, 0, 1), training)
        dtype = rows.dtype if is_float(rows.dtype) else self.dtype
        states = tree.unflatten(structure, [ops.cast(state, dtype) for state in first])
        output, states = self._loop(step, states, rows, mask)
        leaves, _ = tree.flatten(states)
        for remembered, state in zip(self.states, leaves, strict=False):
            self.update(remembered, state)
        results = (output, *states) if self.return_state else (output,)
        for leaf in tree.flatten(results)[0]:
            penalize_activity(self, self.activity_regularizer, leaf)
        return results if self.return_state else output

    def _loop(self, step: Step, states: Any, rows: Value, mask: Value | None) -> tuple[Value, Any]:
        """The outputs of all steps or of the last one, and the last states."""
        repeats = mask is not None and not self.zero_output_for_mask
        carries_output = repeats or not self.return_sequences
        flat, structure = tree.flatten(states)
        zeros = ops.zeros((rows.shape[1], output_size(self.cell)), flat[0].dtype)

        def body(carry: Any, row: Any) -> tuple[Any, Any]:
            (before, last), (x, counts) = carry, row
            output, after = step(x, before)
            new, _ = tree.flatten(after)
            old, _ = tree.flatten(before)
            new = [ops.cast(now, was.dtype) for now, was in zip(new, old, strict=True)]
            output = ops.cast(output, zeros.dtype)
            if counts is not None:
                new = [_where(counts, now, was) for now, was in zip(new, old, strict=True)]
                output = _where(counts, output, last if repeats else zeros)
            after = tree.unflatten(structure, new)
            return (after, output if carries_output else None), (
                output if self.return_sequences else None
            )

        first = (states, zeros if carries_output else None)
        (states, last), outputs = scan(body, first, (rows, mask), reverse=self.go_backwards)
        if not self.return_sequences:
            return last, states
        outputs = ops.flip(outputs, 0) if self.go_backwards else outputs
        return ops.swapaxes(outputs, 0, 1), states

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        """That of the steps, in the order of the outputs; states have none."""
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        if mask is None or not self.return_sequences:
            return None
        return [ops.flip(mask, 1) if self.go_backwards else mask]


class LayerOfCell(RNN):
    """A recurrent layer that makes its own cell.

    Shapes:
        x: (batch, steps, features), mask: bool (batch, steps)  ->  as ``RNN``

    Example:
        >>> import clearprop as cp
        >>> cp.layers.LSTM(3).units
        3
    """

    cell: RecurrentCell

    @property
    def units(self) -> int:
        """Length of the state and of the output."""
        return self.cell.units

    @staticmethod
    def parted(options: RecurrentOptions) -> tuple[dict[str, Any], dict[str, Any]]:
        """The options of the cell, and those of the layer around it."""
        own = {*SequenceOptions.__annotations__, "name", "trainable"}
        given: Mapping[str, Any] = options
        return (
            {name: given[name] for name in given if name not in own},
            {name: given[name] for name in given if name in own or name == "dtype"},
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments by name: those of the cell, and the layer's own."""
        own = {name: getattr(self, name) for name in SequenceOptions.__annotations__}
        base = {"name": self.given_name, "trainable": self.trainable, "dtype": self.dtype}
        return self.cell.get_config() | own | base


def _where(counts: Value, now: Value, before: Value) -> Value:
    """``now`` for the samples whose step counts, ``before`` for the others."""
    return ops.where(first_axes(counts, now), now, before)
