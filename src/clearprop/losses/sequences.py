"""Connectionist temporal classification: sequences labeled without saying when."""

from __future__ import annotations

import math

from clearprop import ops
from clearprop.dtypes import I32
from clearprop.errors import ShapeError
from clearprop.functions.loop import scan
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Value
from clearprop.losses.loss import DEFAULT_REDUCTION, FunctionLoss
from clearprop.ops.lift import ArrayLike, lift, lift_float

_NEVER = -1e30  # the logarithm of the probability 0, but finite, and so is its derivative


def ctc(y_true: ArrayLike, y_pred: ArrayLike) -> Value:
    """-log of the probability of all ways in which the steps spell the labels.

    A way has one class for each step; runs of one class count once, and the class 0 (blank)
    not at all.

    Args:
        y_true: class numbers from 1 up; 0 fills rows at their ends.
        y_pred: logits of each step.

    Shapes:
        y_true: (batch, most labels), y_pred: (batch, steps, classes)  ->  (batch,)

    Reference:
        A. Graves et al., Connectionist temporal classification, 2006.
    """
    prediction, labels = lift_float(y_pred), lift(y_true)[0]
    check_ctc_shapes("ctc", labels.shape, prediction.shape)
    labels = ops.cast(labels, I32)
    batch, most = labels.shape
    classes = prediction.shape[-1]
    # The states of a way: blank, label, blank, label, ..., blank.
    pairs = ops.stack([ops.zeros_like(labels), labels], axis=2)
    states = ops.pad(ops.reshape(pairs, (batch, 2 * most)), [(0, 0), (0, 1)])
    hot = ops.one_hot(states, classes, dtype=prediction.dtype)
    log_p = ops.matmul(ops.log_softmax(prediction), ops.transpose(hot, (0, 2, 1)))
    # From one label to the next without a blank in between, if they differ.
    before = _shifted(states, 2, 0)
    skips = ops.where(
        ops.logical_and(ops.not_equal(states, 0), ops.not_equal(states, before)), 0.0, _NEVER
    )
    skips = ops.cast(skips, prediction.dtype)

    def step(reached: Value, emitted: Value) -> tuple[Value, None]:
        """The logarithms of the probabilities to be in each state, one step later."""
        ways = ops.stack([
            reached,
            _shifted(reached, 1, _NEVER),
            ops.add(_shifted(reached, 2, _NEVER), skips),
        ])
        return ops.add(ops.logsumexp(ways, axis=0), emitted), None

    place = ops.arange(2 * most + 1)
    # Before the first step a way is as if in the first blank, from where both beginnings lie.
    start = ops.broadcast_to(
        ops.cast(ops.where(ops.equal(place, 0), 0.0, _NEVER), prediction.dtype), states.shape
    )
    reached, _ = scan(step, start, ops.transpose(log_p, (1, 0, 2)))
    lengths = ops.sum(ops.not_equal(labels, 0), axis=-1, keepdims=True)
    last = ops.multiply(lengths, 2)
    is_end = ops.logical_or(ops.equal(place, last), ops.equal(place, ops.subtract(last, 1)))
    losses = ops.negative(ops.logsumexp(ops.where(is_end, reached, _NEVER), axis=-1))
    return ops.where(ops.greater(losses, -_NEVER / 2), math.inf, losses)


def _shifted(x: Value, count: int, fill: float) -> Value:
    """Rows moved to the right; what comes in at the left is ``fill``."""
    width = min(count, x.shape[1])
    kept = ops.index(x, (slice(None), slice(0, x.shape[1] - width)))
    return ops.pad(kept, [(0, 0), (width, 0)], constant_values=fill)


def check_ctc_shapes(doing: str, y_true: Shape, y_pred: Shape) -> None:
    """Refuse labels that are not one row of class numbers for each sequence.

    Raises:
        ShapeError: they do not fit.
    """
    if len(y_true) != 2 or len(y_pred) != 3 or y_true[0] != y_pred[0]:
        raise ShapeError(
            f"{doing}: each sequence of predictions needs a row of labels",
            found=f"y_true: {y_true}, y_pred: {y_pred}",
            needed="y_true: (batch, most labels), y_pred: (batch, steps, classes)",
            try_="fill shorter rows of labels with 0",
            at=str(here()),
        )


class CTC(FunctionLoss):
    """-log of the probability of all ways in which the steps of a sequence spell its labels.

    Labels count from 1; 0 is the blank between labels and fills rows of ``y_true``.  A row of
    labels that needs more steps than there are has an infinite loss.

    Args:
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (batch, most labels), y_pred: logits (batch, steps, classes)  ->  ()

    Reference:
        A. Graves et al., Connectionist temporal classification, 2006.
    """

    label_kind = "sequence"
    function = staticmethod(ctc)

    def __init__(self, reduction: str | None = DEFAULT_REDUCTION, name: str | None = "ctc") -> None:
        super().__init__(name, reduction)

    def check_shapes(self, y_true: Shape, y_pred: Shape) -> None:
        """Refuse labels that are not one row of class numbers for each sequence.

        Raises:
            ShapeError: they do not fit.
        """
        check_ctc_shapes(self.name, y_true, y_pred)
