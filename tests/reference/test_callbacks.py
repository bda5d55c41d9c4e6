"""Callbacks decide as Keras's do, epoch by epoch, on the same losses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import clearprop as cp

SEEDS = range(40)


def losses_of(seed: int) -> list[float]:
    """A loss that falls and wavers, in steps that float32 holds exactly."""
    random = np.random.default_rng(seed)
    return (np.linspace(4, 2, 14) // 0.25 * 0.25 + random.integers(-3, 4, 14) / 4).tolist()


def chosen(seed: int, **choices: list[Any]) -> dict[str, Any]:
    random = np.random.default_rng(seed + 1000)
    return {name: values[random.integers(len(values))] for name, values in choices.items()}


def models() -> list[Any]:
    pair: list[Any] = []
    for package in (keras, cp):
        first = keras.Input((3,)) if package is keras else cp.layers.Input((3,))
        model = package.Sequential([first, package.layers.Dense(1)])
        model.compile(optimizer=package.optimizers.SGD(1.0), loss="mse")
        pair.append(model)
    return pair


def trace(model: Any, callback: Any, losses: list[float]) -> list[Any]:
    """After each epoch whether training goes on, and the learning rate; at the end the weights."""
    callback.set_model(model)
    callback.on_train_begin()
    seen: list[Any] = []
    model.stop_training = False
    for epoch, loss in enumerate(losses):
        model.set_weights([np.full((3, 1), epoch, np.float32), np.zeros(1, np.float32)])
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": loss})
        seen.append((model.stop_training, float(model.optimizer.learning_rate)))
        if model.stop_training:
            break
    callback.on_train_end()
    return [*seen, float(model.get_weights()[0][0, 0])]


@pytest.mark.parametrize("seed", SEEDS)
def test_early_stopping(seed: int) -> None:
    arguments = chosen(
        seed,
        min_delta=[0, 0.25, 0.5],
        patience=[0, 1, 2, 3, 5],
        mode=["min", "max", "auto"],
        baseline=[None, 3.0, 2.0],
        restore_best_weights=[False, True],
        start_from_epoch=[0, 2, 5],
    )
    theirs, ours = (
        trace(model, package.callbacks.EarlyStopping("loss", **arguments), losses_of(seed))
        for package, model in zip((keras, cp), models(), strict=True)
    )
    assert ours == theirs


@pytest.mark.parametrize("seed", SEEDS)
def test_reduce_on_plateau(seed: int) -> None:
    arguments = chosen(
        seed,
        factor=[0.5, 0.25],
        patience=[1, 2, 3],
        mode=["min", "max", "auto"],
        min_delta=[0.0, 0.25],
        cooldown=[0, 1, 3],
        min_lr=[0.0, 0.125],
    )
    theirs, ours = (
        trace(model, package.callbacks.ReduceLROnPlateau("loss", **arguments), losses_of(seed))
        for package, model in zip((keras, cp), models(), strict=True)
    )
    assert ours == theirs


@pytest.mark.parametrize("seed", range(4))
def test_csv_files_are_equal(seed: int, tmp_path: Path) -> None:
    files = []
    for package, model in zip((keras, cp), models(), strict=True):
        files.append(tmp_path / package.__name__)
        trace(model, package.callbacks.CSVLogger(str(files[-1])), losses_of(seed))
    assert files[0].read_text().splitlines() == files[1].read_text().splitlines()


@pytest.mark.parametrize("seed", range(10))
def test_checkpoints_hold_the_same_epochs(seed: int, tmp_path: Path) -> None:
    arguments = chosen(
        seed,
        save_best_only=[False, True],
        mode=["min", "max", "auto"],
        initial_value_threshold=[None, 3.0],
    )
    kept = []
    for package, model in zip((keras, cp), models(), strict=True):
        folder = tmp_path / package.__name__
        path = str(folder / "{epoch:02d}-{loss:.2f}.weights.h5")
        keep = package.callbacks.ModelCheckpoint(path, "loss", save_weights_only=True, **arguments)
        trace(model, keep, losses_of(seed))
        kept.append(sorted(each.name for each in folder.iterdir()) if folder.exists() else [])
    assert kept[0] == kept[1]
