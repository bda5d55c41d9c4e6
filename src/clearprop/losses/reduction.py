"""From the losses of samples to one number: weights, masks and reductions, as Keras 3 has them."""

from __future__ import annotations

from clearprop import ops
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Value
from clearprop.text import did_you_mean

REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none")
_MEANS = {"sum_over_batch_size", "mean"}


def known_reduction(doing: str, reduction: str | None) -> str | None:
    """The reduction, if there is one of this name.

    Raises:
        ArgumentError: there is none.
    """
    if reduction is None or reduction in REDUCTIONS:
        return reduction
    raise ArgumentError(
        f"{doing}: there is no reduction {reduction!r}",
        found=f"reduction={reduction!r}" + did_you_mean(str(reduction), REDUCTIONS),
        needed=", ".join(map(repr, REDUCTIONS)) + " or None",
        at=str(here()),
    )


def reduced_loss(
    doing: str,
    losses: Value,
    sample_weight: Value | None,
    mask: Value | None,
    reduction: str | None,
) -> Value:
    """The losses, weighted and reduced.

    Where a mask says no, a sample does not count: it is left out of sum and count.

    Shapes:
        losses: S, sample_weight and mask: the first axes of S  ->  (), or S without reduction
    """
    weights = None
    if mask is not None:
        mask = fitted_weight(doing, mask, losses.shape, "the mask")
        losses = ops.where(mask, losses, 0)
        weights = ops.cast(mask, losses.dtype)
        if reduction in _MEANS:  # a mean over the samples that count, not over all
            valid = ops.maximum(ops.sum(weights), 1)
            weights = ops.multiply(weights, ops.divide(float(weights.type.size), valid))
    if sample_weight is not None:
        given = fitted_weight(doing, sample_weight, losses.shape, "sample_weight")
        given = ops.cast(given, losses.dtype)
        weights = given if weights is None else ops.multiply(weights, given)
    if weights is not None:
        losses = ops.multiply(losses, weights)
    if reduction in {None, "none"} or not losses.shape:
        return losses
    total = ops.sum(losses)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and weights is not None:
        return safe_divide(total, ops.sum(weights))
    return ops.divide(total, float(max(losses.type.size, 1)))


def fitted_weight(doing: str, weight: Value, shape: Shape, what: str = "sample_weight") -> Value:
    """A weight for each number: ``weight`` spread over the axes that it does not have.

    Shapes:
        weight: the first axes of ``shape``, further axes 1 or missing  ->  ``shape``

    Raises:
        ShapeError: they are not the first axes.
    """
    given = weight.shape
    while len(given) > len(shape) and given[-1] == 1:
        given = given[:-1]
    padded = (*given, *(1,) * (len(shape) - len(given)))
    fits = len(padded) == len(shape) and all(
        one == other or (axis > 0 and one == 1)
        for axis, (one, other) in enumerate(zip(padded, shape, strict=True))
    )
    if not fits and given:
        raise ShapeError(
            f"{doing}: {what} does not fit the numbers it weighs",
            found=f"{what}: {weight.shape}, the numbers: {shape}",
            needed=_needed_weight(shape),
            try_="reshape the targets to (n, 1), so that each row is a sample"
            if not shape
            else "one weight for each sample, in the order of the samples",
            at=str(here()),
        )
    return ops.broadcast_to(ops.reshape(weight, padded), shape)


def _needed_weight(shape: Shape) -> str:
    if not shape:
        return "no weights: this is one number for the whole batch"
    return " or ".join(str(shape[: rank + 1]) for rank in range(len(shape)))


def safe_divide(x: Value, y: Value) -> Value:
    """x / y, and 0 where y is 0.

    Shapes:
        x, y: S  ->  S
    """
    is_zero = ops.equal(y, 0)
    return ops.where(is_zero, 0, ops.divide(x, ops.where(is_zero, 1, y)))
