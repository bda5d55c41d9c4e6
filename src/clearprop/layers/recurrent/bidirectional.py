"""A sequence read from both ends."""

from __future__ import annotations

from typing import Any, Unpack

from clearprop import ops
from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.checks import BuildShape, label
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions

_MERGE_MODES = ("sum", "mul", "ave", "concat", None)
_SHARED = ("return_sequences", "return_state", "stateful")


class Bidirectional(Layer):
    """A recurrent layer twice, one from the first step on and one from the last, joined.

    The outputs of both stand at the steps of the input.  Masked steps give 0.

    Args:
        layer: a recurrent layer; its arguments are taken, not its weights.
        merge_mode: how the outputs are joined: ``"concat"`` (one after the other), ``"sum"``,
            ``"mul"``, ``"ave"`` (the mean), or None (both are given).
        backward_layer: what reads from the last step on, with ``go_backwards``; by default the
            same kind of layer.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, steps, features), mask: bool (batch, steps)
        ->  as the layer's, twice as many features with ``"concat"``; states of both follow

    Weights:
        Those of the forward layer, then those of the backward layer.

    Reference:
        M. Schuster, K. K. Paliwal, "Bidirectional recurrent neural networks", IEEE Transactions on
        Signal Processing 45 (1997).

    Example:
        >>> import clearprop as cp
        >>> cp.layers.Bidirectional(cp.layers.GRU(4))([[[1.0], [2.0], [3.0]]]).shape
        (1, 8)
    """

    supports_masking = True

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        backward_layer: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        for given in [layer] if backward_layer is None else [layer, backward_layer]:
            _needs_recurrent(self, given)
        if merge_mode not in _MERGE_MODES:
            raise ArgumentError(
                f"{label(self)}: there is no such merge_mode",
                found=f"merge_mode={merge_mode!r}",
                needed=", ".join(map(repr, _MERGE_MODES)),
                at=str(here()),
            )
        self.merge_mode = merge_mode
        plain = layer.name.removeprefix("forward_")
        self.forward_layer = fresh_copy(layer, name=f"forward_{plain}")
        if backward_layer is None:
            changes = {"name": f"backward_{plain}", "go_backwards": True}
            backward_layer = fresh_copy(layer, **changes)
        self.backward_layer = backward_layer
        self._check_pair()
        for each in (self.forward_layer, self.backward_layer):
            each.zero_output_for_mask = each.return_sequences

    def _check_pair(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        differ = [name for name in _SHARED if getattr(forward, name) != getattr(backward, name)]
        if differ or forward.go_backwards == backward.go_backwards:
            names = differ or ["go_backwards"]
            raise ArgumentError(
                f"{label(self)}: the two layers do not belong together",
                found=", ".join(
                    f"{name}={getattr(forward, name)} and {getattr(backward, name)}"
                    for name in names
                ),
                needed=f"the same {', '.join(names)} in both"
                if differ
                else "go_backwards=True in one of them, the backward layer",
                at=str(here()),
            )

    @property
    def layer(self) -> Any:
        """The layer that reads from the first step on."""
        return self.forward_layer

    @property
    def return_sequences(self) -> bool:
        """Whether the outputs of all steps are given."""
        return bool(self.forward_layer.return_sequences)

    @property
    def return_state(self) -> bool:
        """Whether the last states are given too."""
        return bool(self.forward_layer.return_state)

    def build(self, input_shape: BuildShape, *_: Any) -> None:
        """Make the weights of both layers."""
        for each in (self.forward_layer, self.backward_layer):
            if not each.built:
                each.build(input_shape)

    def call(self, sequence: Value, initial_state: Any = None) -> Any:
        """The joined outputs, and the states with ``return_state``."""
        states: list[Any] = [None, None]
        if initial_state is not None:
            half = len(initial_state) // 2
            states = [initial_state[:half], initial_state[half:]]
        ours = self.forward_layer(sequence, initial_state=states[0])
        theirs = self.backward_layer(sequence, initial_state=states[1])
        after: tuple[Any, ...] = ()
        if self.return_state:
            (ours, *ahead), (theirs, *back) = ours, theirs
            after = (*ahead, *back)
        if self.return_sequences:
            theirs = ops.flip(theirs, 1)
        outputs = self._merged(ours, theirs)
        return (*outputs, *after) if len(outputs) + len(after) > 1 else outputs[0]

    def _merged(self, forward: Value, backward: Value) -> tuple[Value, ...]:
        match self.merge_mode:
            case "concat":
                return (ops.concatenate([forward, backward], -1),)
            case "sum":
                return (ops.add(forward, backward),)
            case "mul":
                return (ops.multiply(forward, backward),)
            case "ave":
                return (ops.divide(ops.add(forward, backward), 2.0),)
        return forward, backward

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        """That of the steps; states have none."""
        if not self.return_sequences:
            return None
        return [mask, mask] if self.merge_mode is None else [mask]


def _needs_recurrent(layer: Layer, given: Any) -> None:
    if isinstance(given, Layer) and all(hasattr(given, n) for n in (*_SHARED, "go_backwards")):
        return
    raise ArgumentError(
        f"{label(layer)}: it reads with a recurrent layer",
        found=repr(given)[:60],
        needed="for example cp.layers.LSTM(32)",
        try_="cp.layers.RNN(cell)" if hasattr(given, "state_size") else "",
        at=str(here()),
    )


def fresh_copy(layer: Layer, **changes: Any) -> Any:
    """A layer of the same arguments with weights of its own; so are the layers inside.

    Args:
        layer: what is copied.
        **changes: arguments that the copy has in place of the layer's.
    """
    config = {name: _copied(value) for name, value in layer.get_config().items()}
    return type(layer).from_config(config | changes)


def _copied(value: Any) -> Any:
    if isinstance(value, Layer):
        return fresh_copy(value)
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(part) for part in value)
    return value
