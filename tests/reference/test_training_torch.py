"""Whole trainings in float64 go as in PyTorch, number for number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import clearprop as cp
from tests.reference.pairs import BATCH, EPOCHS, SAMPLES, assert_near, labels, numbers

PRECISE = 1e-9


def dense(units: int, activation: str | None = None, **more: Any) -> cp.layers.Layer:
    return cp.layers.Dense(units, activation, dtype="float64", **more)


def torch_loss(function: Any, to: Any = torch.float64) -> Callable[[Any, Any], Any]:
    return lambda output, target: function(output, torch.as_tensor(target, dtype=to))


CASES: dict[str, tuple[Any, Any, Any, Any, Any, Any]] = {
    "regression, SGD with momentum": (
        [dense(5, "tanh"), dense(2)],
        nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2)),
        cp.optimizers.SGD(0.05, momentum=0.9),
        lambda weights: torch.optim.SGD(weights, 0.05, momentum=0.9),
        ("mse", torch_loss(nn.MSELoss())),
        numbers(2, seed=1),
    ),
    "classes, Adam": (
        [dense(5, "relu"), dense(3)],
        nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)),
        cp.optimizers.Adam(0.02, epsilon=0.0),
        lambda weights: torch.optim.Adam(weights, 0.02, eps=0.0),
        (
            cp.losses.SparseCategoricalCrossentropy(from_logits=True),
            torch_loss(nn.CrossEntropyLoss(), torch.int64),
        ),
        labels(3),
    ),
    "two classes, AdamW": (
        [dense(5, "gelu"), cp.layers.LayerNormalization(epsilon=1e-5, dtype="float64"), dense(1)],
        nn.Sequential(
            nn.Linear(6, 5), nn.GELU(), nn.LayerNorm(5), nn.Linear(5, 1)
        ),
        cp.optimizers.AdamW(0.02, weight_decay=0.1, epsilon=0.0),
        lambda weights: torch.optim.AdamW(weights, 0.02, weight_decay=0.1, eps=0.0),
        (
            cp.losses.BinaryCrossentropy(from_logits=True),
            torch_loss(nn.BCEWithLogitsLoss()),
        ),
        labels(2, 1),
    ),
    "Huber, RMSprop": (
        [dense(5, "silu"), dense(2, use_bias=False)],
        nn.Sequential(nn.Linear(6, 5), nn.SiLU(), nn.Linear(5, 2, bias=False)),
        cp.optimizers.RMSprop(0.01, epsilon=0.0),
        lambda weights: torch.optim.RMSprop(weights, 0.01, alpha=0.9, eps=0.0),
        ("huber", torch_loss(nn.HuberLoss())),
        numbers(2, seed=1),
    ),
    "absolute error, Adagrad, PReLU": (
        [dense(5), cp.layers.PReLU(dtype="float64", alpha_initializer="ones"), dense(2)],
        nn.Sequential(nn.Linear(6, 5), nn.PReLU(5, 1.0), nn.Linear(5, 2)),
        cp.optimizers.Adagrad(0.05, epsilon=0.0),
        lambda weights: torch.optim.Adagrad(
            weights, 0.05, initial_accumulator_value=0.1, eps=0.0
        ),
        ("mae", torch_loss(nn.L1Loss())),
        numbers(2, seed=1),
    ),
}  # fmt: skip


def draw_again(module: nn.Module) -> None:
    """First weights from the seed; those drawn at import follow from none."""
    reset = getattr(module, "reset_parameters", None)
    if reset is not None:
        reset()


def torch_weights(model: nn.Module) -> list[Any]:
    """Our order and layouts: kernels are (in, out)."""
    return [weight.detach().numpy().T.copy() for weight in model.parameters()]


@pytest.mark.parametrize("case", CASES)
def test_a_training_in_float64_is_that_of_torch(case: str) -> None:
    layers, theirs, optimizer, their_optimizer, (loss, their_loss), y = CASES[case]
    torch.manual_seed(3)
    theirs = theirs.double().apply(draw_again)
    x = numbers(6).astype(np.float64)
    ours = cp.Sequential([cp.layers.Input((6,), dtype="float64"), *layers], dtype="float64")
    ours.compile(optimizer, loss)
    ours.set_weights(torch_weights(theirs))
    found = ours.fit(
        x, y, epochs=EPOCHS, batch_size=BATCH, shuffle=False, verbose=0
    ).history["loss"]  # fmt: skip

    step, expected = their_optimizer(theirs.parameters()), []
    for _ in range(EPOCHS):
        total = 0.0
        for first in range(0, SAMPLES, BATCH):
            batch = slice(first, first + BATCH)
            step.zero_grad()
            value = their_loss(theirs(torch.tensor(x[batch])), y[batch])
            value.backward()
            step.step()
            total += value.item() * len(x[batch])
        expected.append(total / SAMPLES)
    assert_near(found, expected, PRECISE)
    assert_near(ours.predict(x), theirs(torch.tensor(x)).detach().numpy(), PRECISE)
    for mine, other in zip(ours.get_weights(), torch_weights(theirs), strict=True):
        assert_near(mine, other, PRECISE)
