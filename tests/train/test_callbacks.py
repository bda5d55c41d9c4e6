"""Callbacks act when and how they say, and say what is wrong."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import (
    ArgumentError,
    MissingFileError,
    NumericsError,
    UnknownNameError,
    UnsupportedError,
)
from tests.train.nets import (
    CLASSES,
    SPLIT,
    X,
    assert_same,
    classifier,
    line_fitter,
    played,
    told,
)

# -- checkpoints --------------------------------------------------------------------


def test_a_checkpoint_after_each_epoch_is_named_by_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "new" / "{epoch:02d}-{val_loss:.2f}.safetensors"
    model = classifier()
    keep = cp.callbacks.ModelCheckpoint(path)
    history = model.fit(X, CLASSES, epochs=3, callbacks=[keep], **SPLIT).history
    names = [f"{n + 1:02d}-{loss:.2f}.safetensors" for n, loss in enumerate(history["val_loss"])]
    assert sorted(each.name for each in path.parent.iterdir()) == names
    assert_same(model, cp.load_model(path.parent / names[-1]))


def test_only_the_best_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "best.safetensors")
    keep = cp.callbacks.ModelCheckpoint(path, "loss", verbose=1, save_best_only=True)
    played(keep, [3, 1, 2])
    np.testing.assert_array_equal(cp.load_model(path).get_weights()[0], 1)
    assert capsys.readouterr().out == (
        f"epoch 1: saved to {path}\nepoch 2: saved to {path}\n"
        'epoch 3: "loss" is no better than 1.0\n'
    )


def test_a_threshold_must_be_beaten(tmp_path: Path) -> None:
    path = tmp_path / "{epoch}.safetensors"
    keep = cp.callbacks.ModelCheckpoint(
        path, "loss", save_best_only=True, initial_value_threshold=2.5
    )
    played(keep, [3, 2, 1])
    assert sorted(each.name for each in tmp_path.iterdir()) == ["2.safetensors", "3.safetensors"]


def test_weights_alone_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    model = classifier()
    keep = cp.callbacks.ModelCheckpoint(path, save_weights_only=True)
    model.fit(X, CLASSES, callbacks=[keep], verbose=0)
    other = classifier()
    other.load_weights(path)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_a_checkpoint_after_batches_counts_on_over_epochs(tmp_path: Path) -> None:
    path = tmp_path / "{epoch}-{batch}.safetensors"
    keep = cp.callbacks.ModelCheckpoint(path, save_freq=3)
    classifier().fit(X, CLASSES, epochs=2, batch_size=16, callbacks=[keep], verbose=0)
    names = ["1-3.safetensors", "2-1.safetensors", "2-4.safetensors"]
    assert sorted(each.name for each in tmp_path.iterdir()) == names


def test_training_does_not_halt_for_checkpoints_after_epochs() -> None:
    from clearprop.train.callback import CallbackList

    model = classifier()
    for freq, halts in (("epoch", False), (5, True)):
        keep = cp.callbacks.ModelCheckpoint("model.safetensors", save_freq=freq)
        assert CallbackList(model, [keep], verbose=0).acts_on_batches == halts


def test_a_model_that_cannot_be_saved_is_refused_before_training(tmp_path: Path) -> None:
    model = cp.Sequential([cp.layers.Input((5,)), cp.layers.Dense(1, lambda x: x * 2)])
    model.compile("sgd", "mse")
    keep = cp.callbacks.ModelCheckpoint(tmp_path / "model.safetensors")
    with pytest.raises(UnsupportedError, match="has no registered name"):
        model.fit(X, X[:, :1], callbacks=[keep], verbose=0)
    assert model.training_state.steps == 0
    keep = cp.callbacks.ModelCheckpoint(tmp_path / "model.safetensors", save_weights_only=True)
    model.fit(X, X[:, :1], callbacks=[keep], verbose=0)


def test_a_file_name_with_an_unknown_number(tmp_path: Path) -> None:
    keep = cp.callbacks.ModelCheckpoint(tmp_path / "{val_los:.2f}.safetensors")
    with pytest.raises(UnknownNameError) as caught:
        classifier().fit(X, CLASSES, callbacks=[keep], **SPLIT)
    assert told(caught.value, tmp_path) == (
        "ModelCheckpoint: the file's name asks for a number that there is not: val_los\n"
        '  found:  FOLDER/{val_los:.2f}.safetensors did you mean "val_loss"?\n'
        "  needed: any of epoch, loss, accuracy, val_loss, val_accuracy"
    )


@pytest.mark.parametrize("name", ["{epoch", "epoch}", "{}", "{epoch.x}", "{epoch:q}", "{0}"])
def test_a_file_name_that_cannot_be_filled_in(name: str) -> None:
    with pytest.raises(ValueError, match="ModelCheckpoint: the file's name"):
        played(cp.callbacks.ModelCheckpoint(name), [1])


@pytest.mark.parametrize("freq", [0, -1, 2.5, "batch", True])
def test_a_frequency_that_is_none(freq: Any) -> None:
    with pytest.raises(ArgumentError, match="how often to save"):
        cp.callbacks.ModelCheckpoint("model.safetensors", save_freq=freq)


# -- learning rates -----------------------------------------------------------------


def test_the_learning_rate_follows_the_schedule_and_is_told() -> None:
    follow = cp.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate)
    model = line_fitter(0.25)
    history = model.fit(X, X[:, :1], epochs=3, callbacks=[follow], verbose=0)
    assert history.history["learning_rate"] == [0.25, 0.125, 0.0625]
    assert model.history.history == history.history
    alone = cp.callbacks.LearningRateScheduler(lambda epoch: 0.5 - epoch)
    model.fit(X, X[:, :1], callbacks=[alone], verbose=0)
    assert model.optimizer.learning_rate == 0.5


def test_an_assigned_learning_rate_counts_from_the_next_step() -> None:
    model, plain = line_fitter(0.1), line_fitter(0.1)

    def still(batch: int, logs: Any) -> None:
        model.optimizer.learning_rate = 0.0

    halt = cp.callbacks.LambdaCallback(on_train_batch_end=still)
    model.fit(X, X[:, :1], batch_size=10, callbacks=[halt], shuffle=False, verbose=0)
    plain.fit(X[:10], X[:10, :1], batch_size=10, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("arguments", "losses", "rates"),
    [
        ({"patience": 1}, [2, 1, 1, 1], [1, 1, 0.5, 0.25]),
        ({"patience": 2}, [2, 2, 2, 2, 2], [1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 1, "cooldown": 2}, [2, 2, 2, 2, 2], [1, 0.5, 0.5, 0.25, 0.25]),
        ({"patience": 1, "min_lr": 0.4}, [2, 2, 2, 2], [1, 0.5, 0.4, 0.4]),
        ({"patience": 1, "min_delta": 0.5}, [2, 1.75, 1, 0.75], [1, 0.5, 0.5, 0.25]),
        ({"patience": 1, "mode": "max"}, [1, 2, 1, 3], [1, 1, 0.5, 0.5]),
    ],
)
def test_a_plateau_makes_the_learning_rate_smaller(
    arguments: Any, losses: list[float], rates: list[float]
) -> None:
    model = line_fitter(1.0)
    slower = cp.callbacks.ReduceLROnPlateau("loss", factor=0.5, **arguments)
    slower.set_model(model)
    slower.on_train_begin()
    seen = []
    for epoch, loss in enumerate(losses):
        slower.on_epoch_end(epoch, {"loss": loss})
        seen.append(model.optimizer.learning_rate)
    assert seen == rates


def test_a_rate_that_follows_a_schedule_already(tmp_path: Path) -> None:
    model = line_fitter()
    model.compile(cp.optimizers.SGD(cp.optimizers.schedules.CosineDecay(0.1, 10)), "mse")
    follow = cp.callbacks.LearningRateScheduler(lambda epoch, rate: rate)
    with pytest.raises(ArgumentError) as caught:
        model.fit(X, X[:, :1], callbacks=[follow], verbose=0)
    assert told(caught.value, tmp_path) == (
        "LearningRateScheduler: the optimizer's learning rate follows a schedule already\n"
        "  found:  sgd with CosineDecay\n"
        "  needed: an optimizer with a number as learning rate\n"
        "  try:    leave LearningRateScheduler out, or compile with learning_rate=0.001"
    )


@pytest.mark.parametrize("rate", [None, "fast", -1.0, float("nan"), True, [0.1, 0.2]])
def test_a_schedule_that_gives_no_rate(rate: Any) -> None:
    with pytest.raises(ArgumentError, match="the schedule gave no learning rate"):
        played(cp.callbacks.LearningRateScheduler(lambda epoch: rate), [1])


def test_a_factor_that_is_none() -> None:
    with pytest.raises(ArgumentError, match="the factor makes the learning rate smaller"):
        cp.callbacks.ReduceLROnPlateau(factor=1.0)


# -- CSV ----------------------------------------------------------------------------


def rows_of(path: Path, separator: str = ",") -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file, delimiter=separator))


def test_each_epoch_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = cp.callbacks.CSVLogger(path)
    history = classifier().fit(X, CLASSES, epochs=2, callbacks=[log], **SPLIT).history
    header, *rows = rows_of(path)
    assert header == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    for epoch, row in enumerate(rows):
        assert [float(cell) for cell in row] == [epoch, *(history[n][epoch] for n in header[1:])]


def test_a_log_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    model = classifier()
    for append, fit in ((False, {}), (False, {}), (True, SPLIT)):
        log = cp.callbacks.CSVLogger(path, separator=";", append=append)
        model.fit(X, CLASSES, epochs=1, callbacks=[log], **{"verbose": 0, **fit})
    header, *rows = rows_of(path, ";")
    assert header == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    assert [row[0] for row in rows] == ["0", "0"]
    assert rows[0][3:] == ["NA", "NA"]
    assert "NA" not in rows[1]


def test_several_numbers_stand_in_one_cell(tmp_path: Path) -> None:
    log = cp.callbacks.CSVLogger(tmp_path / "log.csv")
    log.on_train_begin()
    log.on_epoch_end(0, {"loss": np.float32(0.5), "matrix": np.eye(2, dtype=int)})
    assert rows_of(tmp_path / "log.csv")[1][:3] == ["0", "0.5", "[[1, 0], [0, 1]]"]


def test_a_log_with_other_columns(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss\n0,1.0\n")
    log = cp.callbacks.CSVLogger(path, append=True)
    with pytest.raises(ArgumentError) as caught:
        classifier().fit(X, CLASSES, callbacks=[log], verbose=0)
    assert told(caught.value, tmp_path) == (
        "CSVLogger: FOLDER/log.csv has no column for accuracy\n"
        "  found:  the columns epoch, loss\n"
        "  needed: the columns epoch, accuracy, loss\n"
        "  try:    another file, or append=False"
    )


def test_a_log_without_a_folder(tmp_path: Path) -> None:
    log = cp.callbacks.CSVLogger(tmp_path / "logs" / "log.csv")
    with pytest.raises(MissingFileError, match="the folder of its file is not there"):
        classifier().fit(X, CLASSES, callbacks=[log], verbose=0)


# -- NaN, functions -----------------------------------------------------------------


def exploding() -> cp.Model:
    return line_fitter(1e30)


def test_nan_ends_training_quietly(capsys: pytest.CaptureFixture[str]) -> None:
    model = exploding()
    ended: list[Any] = []
    calm = cp.callbacks.TerminateOnNaN()
    note = cp.callbacks.LambdaCallback(on_train_end=ended.append)
    model.fit(X, X[:, :1], epochs=50, callbacks=[calm, note], verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert len(ended) == 1
    assert "the loss is no finite number after batch" in capsys.readouterr().out


@pytest.mark.parametrize("callbacks", [[], [cp.callbacks.TerminateOnNaN(raise_error=True)]])
def test_nan_is_an_error_otherwise(callbacks: list[Any]) -> None:
    with pytest.raises(NumericsError):
        exploding().fit(X, X[:, :1], epochs=50, callbacks=callbacks, verbose=0)


def test_functions_are_called_in_order() -> None:
    seen: list[str] = []
    names = [
        *("on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end"),
        *("on_test_begin", "on_test_end", "on_epoch_end", "on_train_end"),
    ]

    def noting(name: str) -> Any:
        return lambda *args, **kwargs: seen.append(name)

    notes = cp.callbacks.LambdaCallback(**{name: noting(name) for name in names})
    line_fitter().fit(X, X[:, :1], batch_size=56, callbacks=[notes], **SPLIT)
    assert seen == names


def test_every_hook_is_given_logs() -> None:
    """Functions of (epoch, logs), (batch, logs) and (logs) are what users write."""
    whole: list[Any] = []
    parts: list[Any] = []
    ends = ("on_train", "on_test", "on_predict")
    hooks = {f"{name}_{end}": whole.append for name in ends for end in ("begin", "end")}
    steps = {
        f"{name}_{end}": lambda number, logs: parts.append(logs)
        for name in ("on_epoch", "on_train_batch")
        for end in ("begin", "end")
    }
    note = cp.callbacks.LambdaCallback(**hooks, **steps)  # type: ignore[arg-type]
    model = line_fitter()
    model.fit(X, X[:, :1], batch_size=56, callbacks=[note], **SPLIT)
    model.predict(X, callbacks=[note])
    assert len(whole) == 6
    assert len(parts) == 4
    assert all(isinstance(logs, dict) for logs in [*whole, *parts])


def test_a_function_for_an_unknown_hook(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError) as caught:
        cp.callbacks.LambdaCallback(on_epoch_ende=print)
    text = told(caught.value, tmp_path)
    assert text.startswith("LambdaCallback: nothing is called 'on_epoch_ende'\n")
    assert 'found:  on_epoch_ende=... did you mean "on_epoch_end"?' in text
    with pytest.raises(ArgumentError, match="on_epoch_end is a function"):
        cp.callbacks.LambdaCallback(on_epoch_end=3)


def test_callbacks_change_nothing_about_the_results() -> None:
    plain, watched = classifier(), classifier()
    quiet = cp.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    for model, callbacks in ((plain, []), (watched, [quiet])):
        model.fit(X, CLASSES, epochs=3, batch_size=16, callbacks=callbacks, **SPLIT)
    assert_same(plain, watched)


def test_nothing_warns_when_all_is_well(tmp_path: Path) -> None:
    several = [
        cp.callbacks.EarlyStopping(),
        cp.callbacks.ReduceLROnPlateau(),
        cp.callbacks.ModelCheckpoint(tmp_path / "m.safetensors", save_best_only=True),
        cp.callbacks.CSVLogger(tmp_path / "log.csv"),
        cp.callbacks.TerminateOnNaN(),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = classifier().fit(X, CLASSES, epochs=2, callbacks=several, **SPLIT)
    assert "learning_rate" in history.history
    assert rows_of(tmp_path / "log.csv")[0][2] == "learning_rate"
