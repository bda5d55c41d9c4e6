"""The circle loss: embeddings of one class near each other, of different classes apart."""

from __future__ import annotations

from clearprop import ops
from clearprop.activations.smooth import softplus
from clearprop.dtypes import I64
from clearprop.errors import ShapeError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Value
from clearprop.losses.loss import DEFAULT_REDUCTION, FunctionLoss
from clearprop.ops.lift import ArrayLike, lift, lift_float

_NOTHING = -1e9  # the logarithm of a sum of nothing, but finite, and so is its derivative


def circle(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    ref_labels: ArrayLike | None = None,
    ref_embeddings: ArrayLike | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Value:
    """log(1 + sum over others(e^..) * sum over same(e^..)) of each sample's cosine distances.

    Args:
        y_true: which class each embedding is of.
        y_pred: embeddings of length 1.
        ref_labels: classes of ``ref_embeddings``; by default ``y_true``.
        ref_embeddings: what the embeddings are compared with; by default themselves.
        remove_diagonal: whether pair (i, i) is one embedding with itself, to be left out.
        gamma: how sharply the hardest pairs stand out.
        margin: how far same ones may be apart and others near.

    Shapes:
        y_true: (n,) or (n, 1), y_pred: (n, size), ref_embeddings: (m, size)  ->  (n,)

    Reference:
        Y. Sun et al., Circle loss: a unified perspective of pair similarity optimization, 2020.
    """
    prediction, labels = lift_float(y_pred), lift(y_true)[0]
    check_circle_shapes("circle", labels.shape, prediction.shape)
    others = prediction if ref_embeddings is None else lift_float(ref_embeddings)
    labels = ops.reshape(ops.cast(labels, I64), (-1, 1))
    other_labels = labels if ref_labels is None else lift(ref_labels)[0]
    other_labels = ops.reshape(ops.cast(other_labels, I64), (1, -1))
    distance = ops.subtract(1, ops.matmul(prediction, ops.transpose(others)))
    distance = ops.maximum(distance, 0)
    is_same = ops.equal(labels, other_labels)
    is_other = ops.logical_not(is_same)
    if remove_diagonal:
        rows, columns = is_same.shape
        is_same = ops.logical_and(is_same, ops.logical_not(ops.eye(rows, columns, dtype=bool)))
    apart = ops.multiply(ops.add(distance, margin), ops.subtract(distance, margin))
    wrong = ops.maximum(ops.subtract(1 + margin, distance), 0)
    near = ops.multiply(wrong, ops.subtract(1 - margin, distance))
    same = ops.logsumexp(ops.where(is_same, ops.multiply(apart, gamma), _NOTHING), axis=1)
    other = ops.logsumexp(ops.where(is_other, ops.multiply(near, gamma), _NOTHING), axis=1)
    return softplus(ops.add(same, other))


def check_circle_shapes(doing: str, y_true: Shape, y_pred: Shape) -> None:
    """Refuse labels that are not one class number for each embedding.

    Raises:
        ShapeError: they do not fit.
    """
    if len(y_pred) != 2 or y_true not in {y_pred[:1], (y_pred[0], 1)}:
        raise ShapeError(
            f"{doing}: each embedding needs one class number",
            found=f"y_true: {y_true}, y_pred: {y_pred}",
            needed="y_true: (n,), y_pred: (n, size)",
            at=str(here()),
        )


class Circle(FunctionLoss):
    """Embeddings of one class drawn together, of different classes pushed apart.

    The embeddings must have length 1 (``UnitNormalization``).  Samples with the loss 0 do not
    count in the mean.

    Args:
        gamma: how sharply the hardest pairs stand out.
        margin: how far same ones may be apart and others near.
        remove_diagonal: whether an embedding is not compared with itself.
        reduction: what becomes of the samples' losses.
        name: what histories call it.

    Shapes:
        y_true: (n,) or (n, 1), y_pred: (n, size)  ->  ()

    Reference:
        Y. Sun et al., Circle loss: a unified perspective of pair similarity optimization, 2020.
    """

    label_kind = "identity"
    function = staticmethod(circle)

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = DEFAULT_REDUCTION,
        name: str | None = "circle",
    ) -> None:
        super().__init__(name, reduction)
        self.gamma, self.margin, self.remove_diagonal = gamma, margin, remove_diagonal

    def check_shapes(self, y_true: Shape, y_pred: Shape) -> None:
        """Refuse labels that are not one class number for each embedding.

        Raises:
            ShapeError: they do not fit.
        """
        check_circle_shapes(self.name, y_true, y_pred)

    def counted(self, y_true: Value, losses: Value) -> Value | None:
        """Whether a sample has a loss at all.

        Shapes:
            y_true: (n,) or (n, 1), losses: (n,)  ->  bool (n,)
        """
        return ops.greater(losses, 0)
