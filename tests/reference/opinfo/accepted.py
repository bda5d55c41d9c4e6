"""What PyTorch refuses and ClearProp computes on purpose, and why."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple


class Accepted(NamedTuple):
    """A call that has a meaning here.

    Attributes:
        name: of the operations (a pattern).
        message: a part of what PyTorch says ("" for the refusals of a plain number).
        reason: why it is computed here.
    """

    name: str
    message: str
    reason: str


ACCEPTED = [
    Accepted("*", "", "plain numbers are arrays of one element, in every argument"),
    Accepted("masked_fill", "0-dimensional value", "what is filled in broadcasts"),
    Accepted("neg", "bool", "booleans count as 0 and 1"),
    Accepted("isclose", "greater than or equal to zero", "NumPy's isclose: nothing is that near"),
    Accepted("mean", "could not infer output dtype", "the mean of whole numbers is a float"),
    Accepted("trace", "expected a matrix", "NumPy's trace, of the first two axes"),
    Accepted("t*", "expects a tensor with <= 2", "NumPy's transpose turns all axes around"),
    Accepted("index_add", "source tensor shape must match", "updates broadcast"),
    Accepted("nn.functional.embedding", "must be 2-D", "rows of a table may be matrices"),
    Accepted("arange", "inconsistent with step sign", "NumPy's arange: no numbers lie between"),
    Accepted("linspace*", "0-dimensional start and end", "NumPy's linspace, for arrays too"),
    Accepted("nn.functional.gelu", "approximate argument", "approximate is True or False"),
    Accepted("nn.functional.prelu", "zero-dim", "an expression, which broadcasts"),
    Accepted("nn.functional.softshrink", "lambda must be", "Keras's formula, for any threshold"),
    Accepted("nn.functional.huber_loss", "non-positive values", "Keras's formula, for any delta"),
    Accepted("nn.functional.conv?d", "should be the same", "element types are promoted"),
    Accepted("nn.functional.conv3d", "padding='same'", "Keras's padding, for any stride"),
    Accepted("nn.functional.*_pool?d", "at most half of", "any padding; this batch is empty"),
    Accepted("nn.functional.max_pool?d", "2D or 3D", "a batch may be empty"),
    Accepted("nn.functional.max_pool?d", "positive length", "a batch may be empty"),
]


def reason_for(name: str, message: str) -> Accepted | None:
    """Why the operation computes what PyTorch refuses with this message."""
    for accepted in ACCEPTED:
        fits = accepted.message in message if accepted.message else not message
        if fits and fnmatchcase(name, accepted.name):
            return accepted
    return None
