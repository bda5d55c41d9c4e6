"""Epochs run many at a time are the epochs run one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.train.epochs import EpochsRunner


class AtEachEpoch(cp.callbacks.Callback):
    """Acts at the end of epochs, so that they are run one by one."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        pass


def trained(
    callbacks: list[cp.callbacks.Callback], *, batch_size: int, learning_rate: float = 0.01
) -> tuple[cp.Sequential, dict[str, list[float]]]:
    x, y = cp.data.load_iris()
    layers = [
        cp.layers.Dense(8, activation="tanh"),
        cp.layers.BatchNormalization(),
        cp.layers.Dropout(0.2),
        cp.layers.Dense(3),
    ]
    model = cp.Sequential(layers)
    loss = cp.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(cp.optimizers.Adam(learning_rate), loss, ["accuracy"], seed=3)
    history = model.fit(x, y, epochs=23, batch_size=batch_size, callbacks=callbacks, verbose=0)
    return model, history.history


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many epochs each call of the epochs' runner ran; time plays no part in it."""
    counts: list[int] = []
    run = EpochsRunner.run

    def counted(self: EpochsRunner, kept: Any, seed: int, epochs: range, given: Any) -> Any:
        counts.append(len(epochs))
        return run(self, kept, seed, epochs, given)

    monkeypatch.setattr(EpochsRunner, "run", counted)
    monkeypatch.setattr(EpochsRunner, "next_count", lambda self, remaining: min(remaining, 4))
    monkeypatch.setattr("clearprop.train.loop.CHUNK_SECONDS", 1e9)
    return counts


@pytest.mark.parametrize("batch_size", [32, 50, 150], ids=["a last batch", "none", "one batch"])
def test_many_at_a_time_are_one_by_one_bit_for_bit(batch_size: int, runs: list[int]) -> None:
    many, many_history = trained([], batch_size=batch_size)
    assert max(runs) == 4
    runs.clear()
    single, single_history = trained([AtEachEpoch()], batch_size=batch_size)
    assert runs == []
    assert many_history == single_history
    pairs = zip(many.get_weights(), single.get_weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)


def test_a_loss_that_is_no_number_is_found_in_its_step(runs: list[int]) -> None:
    x, y = cp.data.load_iris()
    model = cp.Sequential([cp.layers.Dense(4), cp.layers.Dense(1)])
    model.layers[0].activation = cp.activations.relu
    model.compile(cp.optimizers.SGD(30.0), "mse", seed=0)
    with pytest.raises(cp.errors.NumericsError):
        model.fit(x, y.astype("float32"), epochs=40, batch_size=50, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_callbacks_made_of_functions_act_at_each_epoch(runs: list[int]) -> None:
    seen: list[int] = []
    callback = cp.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    trained([callback], batch_size=50)
    assert runs == []
    assert seen == list(range(23))


def test_what_runs_whole_epochs_is_kept_for_the_next_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[EpochsRunner] = []
    init = EpochsRunner.__init__

    def counted(self: EpochsRunner, *args: Any, **options: Any) -> None:
        made.append(self)
        init(self, *args, **options)

    monkeypatch.setattr(EpochsRunner, "__init__", counted)
    model, (x, y) = cp.Sequential([cp.layers.Dense(1)]), (np.ones((8, 2), "f4"), np.ones((8, 1)))
    model.compile("sgd", "mse")
    for _ in range(3):
        model.fit(x, y, batch_size=4, epochs=10, verbose=0)
    assert len(made) == 1
    assert model.history.epoch == list(range(10)) * 3


def test_epochs_that_are_run_together_are_shown_one_by_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model, (x, y) = cp.Sequential([cp.layers.Dense(1)]), (np.ones((8, 2), "f4"), np.ones((8, 1)))
    model.compile("sgd", "mse")
    history = model.fit(x, y, batch_size=4, epochs=12, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == [f"{n}/12" for n in range(1, 13)]
    assert len(history.history["loss"]) == 12
    assert history.rows["loss"] == list(range(12))
