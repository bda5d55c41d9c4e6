"""In the race everybody computes the same: equal weights lead to equal losses, step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import keras_side, torch_side
from clearprop.models.standard import workload_model
from clearprop.models.workloads import WORKLOADS, Workload, make_data
from clearprop.train import Model

STEPS = 4


def small(name: str) -> Workload:
    workload = WORKLOADS[name]
    return replace(workload, samples=STEPS * 8, batch=8)


def our_losses(model: Model, workload: Workload) -> list[float]:
    """The mean losses of the first steps, each an epoch of one batch."""
    x, y = make_data(workload)
    losses = []
    for step in range(STEPS):
        rows = slice(8 * step, 8 * step + 8)
        history = model.fit(x[rows], y[rows], batch_size=8, shuffle=False, verbose=0)
        losses.append(history.history["loss"][0])
    return losses


def torch_weights(model: Model, net: torch.nn.Module) -> None:
    """Give PyTorch's net the weights of ours: kernels turned, images flattened channels last."""
    arrays = iter(model.get_weights())
    layers = [layer for layer in net if hasattr(layer, "weight")]  # type: ignore[union-attr]
    channels = 0
    for layer in layers:
        kernel, bias = next(arrays), next(arrays)
        if kernel.ndim == 4:
            kernel, channels = kernel.transpose(3, 2, 0, 1), kernel.shape[-1]
        elif channels:
            rows = kernel.reshape(-1, channels, kernel.shape[1])
            kernel, channels = rows.transpose(1, 0, 2).reshape(kernel.shape).T, 0
        else:
            kernel = kernel.T
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(kernel.copy()))
            layer.bias.copy_(torch.from_numpy(bias.copy()))


@pytest.mark.parametrize("name", ["playground", "tabular", "mnist", "lenet"])
def test_pytorch_starts_with_our_losses(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    workload = small(name)
    model = workload_model(workload, executor="reference")
    net = torch_side.make_net(workload)
    torch_weights(model, net)
    monkeypatch.setattr(torch_side, "make_net", lambda _: net)
    monkeypatch.setattr(torch, "randperm", torch.arange)
    losses: list[float] = []
    cross_entropy = torch.nn.functional.cross_entropy

    def noting(*inputs: Any) -> torch.Tensor:
        loss = cross_entropy(*inputs)
        losses.append(float(loss.detach()))
        return loss

    monkeypatch.setattr(torch.nn.functional, "cross_entropy", noting)
    torch_side.trainer(workload, "eager", *make_data(workload))(1)
    ours = our_losses(model, workload)
    np.testing.assert_allclose(losses[:1], ours[:1], rtol=1e-5)
    # Later ones differ by where the optimizers add their epsilon.
    np.testing.assert_allclose(losses, ours, rtol=1e-3)


@pytest.mark.parametrize("name", ["tabular", "lenet", "resnet20", "lstm", "transformer"])
def test_keras_predicts_what_we_do(name: str) -> None:
    workload = small(name)
    model = workload_model(workload, executor="reference")
    theirs = keras_side.make_model(workload)
    x, _ = make_data(workload)
    model.build((None, *workload.input_shape))
    theirs.set_weights(model.get_weights())
    found = theirs.predict(x[:4], verbose=0)
    np.testing.assert_allclose(model.predict(x[:4]), found, rtol=1e-3, atol=1e-4)
