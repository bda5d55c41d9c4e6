"""Losses equal Keras's in float32 and PyTorch's in float64: values and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812 - PyTorch's custom

import clearprop as cp
from clearprop import losses
from tests.losses.examples import KERAS, OWN, Array, Example, batches
from tests.reference.signatures import arguments_of

each_example = pytest.mark.parametrize("example", KERAS, ids=str)
REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None]
RNG = np.random.default_rng(3)
NOT_KERAS = {"ResidualSumOfSquares", "HalfSquaredError", "FunctionLoss", "LossFunctionWrapper"}


def close(ours: Array, theirs: Array) -> None:
    """Equal to 1e-5 of the largest number."""
    assert ours.shape == theirs.shape
    size = max(1.0, float(np.max(np.abs(theirs), initial=0)))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * size)


def ours(
    loss: losses.Loss, y_true: Array, y_pred: Array, weight: Array | None = None
) -> tuple[Array, Array]:
    """The loss, and the gradient of its sum."""
    prediction = cp.parameter(y_pred)
    value = loss(y_true, prediction, weight)
    cp.sum(value).backward()
    return value.numpy(), prediction.grad.numpy()


def theirs(
    loss: Callable[..., Any], y_true: Array, y_pred: Array, weight: Array | None = None
) -> tuple[Array, Array]:
    """The loss by another library, and the gradient of its sum."""
    prediction = torch.tensor(y_pred, requires_grad=True)
    value = loss(y_true, prediction) if weight is None else loss(y_true, prediction, weight)
    value.sum().backward()
    return value.detach().numpy(), prediction.grad.numpy()


def pair(example: Example, **arguments: Any) -> tuple[losses.Loss, Callable[..., Any]]:
    """The loss here and in Keras."""
    both = example.arguments | arguments
    return getattr(losses, example.loss)(**both), getattr(keras.losses, example.loss)(**both)


def test_every_loss_of_keras_is_here_and_compared() -> None:
    known = {name for name in dir(keras.losses) if name[0].isupper()}
    assert known <= set(losses.__all__)
    assert known - {"Loss"} <= {example.loss for example in KERAS}
    mine = {name for name in losses.__all__ if name[0].isupper()}
    assert mine - known == NOT_KERAS


def test_every_function_of_keras_is_here() -> None:
    known = {name for name in dir(keras.losses) if name[0].islower()}
    assert known - {"serialize", "deserialize"} <= set(losses.__all__)


@pytest.mark.parametrize("name", sorted(set(losses.__all__) & set(dir(keras.losses)) - {"get"}))
def test_arguments_and_defaults_are_keras(name: str) -> None:
    assert arguments_of(getattr(losses, name)) == arguments_of(getattr(keras.losses, name))


@each_example
def test_losses_and_gradients_are_keras(example: Example) -> None:
    mine, peer = pair(example, reduction="none")
    y_pred = example.y_pred.astype(np.float32)
    got, wanted = ours(mine, example.y_true, y_pred), theirs(peer, example.y_true, y_pred)
    close(got[0], wanted[0])
    close(got[1], wanted[1])


@each_example
@pytest.mark.parametrize("reduction", REDUCTIONS, ids=str)
def test_reductions_are_keras(example: Example, reduction: str | None) -> None:
    mine, peer = pair(example, reduction=reduction)
    y_pred = example.y_pred.astype(np.float32)
    got, wanted = ours(mine, example.y_true, y_pred), theirs(peer, example.y_true, y_pred)
    close(got[0], wanted[0])
    close(got[1], wanted[1])


@each_example
@pytest.mark.parametrize("reduction", REDUCTIONS, ids=str)
def test_weights_are_keras(example: Example, reduction: str | None) -> None:
    mine, peer = pair(example, reduction=reduction)
    y_pred = example.y_pred.astype(np.float32)
    samples = getattr(losses, example.loss)(**example.arguments, reduction=None)(
        example.y_true, y_pred
    ).shape
    weight = RNG.uniform(size=samples).astype(np.float32) if samples else np.float32(0.7)
    got = ours(mine, example.y_true, y_pred, weight)
    wanted = theirs(peer, example.y_true, y_pred, weight)
    close(got[0], wanted[0])
    close(got[1], wanted[1])


@pytest.mark.parametrize("reduction", REDUCTIONS, ids=str)
@pytest.mark.parametrize("is_weighted", [False, True])
def test_masks_are_keras(reduction: str | None, is_weighted: bool) -> None:
    data = batches((4, 6, 3))
    mask = RNG.integers(0, 2, (4, 6)).astype(bool)
    weight = RNG.uniform(size=(4, 6)).astype(np.float32) if is_weighted else None
    prediction = torch.tensor(data["logits"].astype(np.float32))
    keras.src.backend.set_keras_mask(prediction, torch.tensor(mask))
    peer = keras.losses.MeanSquaredError(reduction=reduction)
    wanted = peer(data["numbers"].astype(np.float32), prediction, weight).numpy()
    mine = losses.MeanSquaredError(reduction=reduction)
    got = mine(data["numbers"], data["logits"].astype(np.float32), weight, mask=mask)
    close(got.numpy(), wanted)


# -- PyTorch, in float64 ---------------------------------------------------------------

Reference = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def rows(function: Callable[..., torch.Tensor], **arguments: Any) -> Reference:
    """The mean over the outputs of what PyTorch says of each."""
    return lambda y, p: function(p, y, reduction="none", **arguments).mean(-1)


def classes_first(p: torch.Tensor) -> torch.Tensor:
    return p.movedim(-1, 1) if p.ndim > 1 else p


TORCH: list[tuple[str, dict[str, Any], str, str, Reference]] = [
    ("MeanSquaredError", {}, "numbers", "logits", rows(F.mse_loss)),
    ("ResidualSumOfSquares", {}, "numbers", "logits", lambda y, p: ((y - p) ** 2).sum(-1)),
    ("HalfSquaredError", {}, "numbers", "logits", lambda y, p: ((y - p) ** 2).sum(-1) / 2),
    ("MeanAbsoluteError", {}, "numbers", "logits", rows(F.l1_loss)),
    ("Huber", {"delta": 0.7}, "numbers", "logits", rows(F.huber_loss, delta=0.7)),
    ("LogCosh", {}, "numbers", "logits", lambda y, p: torch.cosh(p - y).log().mean(-1)),
    (
        "CosineSimilarity", {}, "numbers", "logits",
        lambda y, p: -F.cosine_similarity(p, y, dim=-1),
    ),
    (
        "Poisson", {}, "counts", "positive",
        rows(F.poisson_nll_loss, log_input=False, eps=1e-7),
    ),
    (
        "BinaryCrossentropy", {"from_logits": True}, "binary", "logits",
        rows(F.binary_cross_entropy_with_logits),
    ),
    ("BinaryCrossentropy", {}, "binary", "probabilities", rows(F.binary_cross_entropy)),
    (
        "CategoricalCrossentropy", {"from_logits": True}, "one_hot", "logits",
        lambda y, p: F.cross_entropy(classes_first(p), classes_first(y), reduction="none"),
    ),
    (
        "CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "one_hot",
        "logits",
        lambda y, p: F.cross_entropy(
            classes_first(p), classes_first(y), reduction="none", label_smoothing=0.2
        ),
    ),
    (
        "SparseCategoricalCrossentropy", {"from_logits": True}, "labels", "logits",
        lambda y, p: F.cross_entropy(classes_first(p), y, reduction="none"),
    ),
    (
        "SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 1}, "labels",
        "logits",
        lambda y, p: F.cross_entropy(classes_first(p), y, reduction="none", ignore_index=1),
    ),
    (
        "KLDivergence", {}, "other", "probabilities",
        lambda y, p: F.kl_div(p.log(), y, reduction="none").sum(-1),
    ),
]  # fmt: skip


@pytest.mark.parametrize("shape", [(6, 4), (1, 3), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("case", TORCH, ids=lambda case: f"{case[0]}({case[1]})")
def test_losses_and_gradients_are_pytorch(
    case: tuple[str, dict[str, Any], str, str, Reference], shape: tuple[int, ...]
) -> None:
    name, arguments, labels, predictions, reference = case
    data = batches(shape)
    y_true, y_pred = data[labels], data[predictions]
    mine = getattr(losses, name)(**arguments, reduction="none")
    got = ours(mine, y_true, y_pred)
    wanted = theirs(lambda y, p: reference(torch.tensor(y), p), y_true, y_pred)
    for here, there in zip(got, wanted, strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_ctc_is_pytorch(scale: float) -> None:
    labels = np.array([[1, 2, 2, 0, 0], [3, 0, 0, 0, 0], [4, 3, 2, 1, 1], [0, 0, 0, 0, 0]])
    logits = RNG.normal(size=(4, 12, 6)) * scale

    def reference(y: Array, p: torch.Tensor) -> torch.Tensor:
        target = torch.tensor(y)
        steps = torch.full((4,), 12)
        log_p = F.log_softmax(p.transpose(0, 1), dim=-1)
        return F.ctc_loss(log_p, target, steps, (target != 0).sum(-1), reduction="none")

    got, wanted = (
        ours(losses.CTC(reduction=None), labels, logits),
        theirs(reference, labels, logits),
    )
    for here, there in zip(got, wanted, strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-9, atol=1e-9)


def test_the_table_has_our_own_losses_too() -> None:
    assert {example.loss for example in OWN} <= {case[0] for case in TORCH}
