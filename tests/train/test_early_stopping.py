"""Training stops when what is watched gets no better, and the best weights come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import (
    ArgumentError,
    UnknownNameError,
)
from tests.train.nets import CLASSES, SPLIT, X, classifier, line_fitter, played, told


@pytest.mark.parametrize(
    ("arguments", "losses", "epochs"),
    [
        ({}, [3, 2, 2, 1], 3),
        ({"patience": 2}, [3, 2, 2, 2, 1], 4),
        ({"patience": 2}, [3, 2, 2, 1, 2, 2, 0], 6),
        ({"min_delta": 0.5}, [3, 2, 1.75, 0], 3),
        ({"patience": 1, "start_from_epoch": 2}, [1, 2, 3, 2, 3], 5),
        ({"baseline": 1.0}, [3, 2, 1.5, 1.25], 4),
        ({"baseline": 2.5, "patience": 1}, [3, 2, 3, 0], 3),
        ({"patience": 1, "mode": "max"}, [1, 2, 1, 0], 3),
        ({"patience": 1}, [float("nan"), 2, 1, float("nan"), 0], 4),
    ],
)
def test_early_stopping_stops(arguments: Any, losses: list[float], epochs: int) -> None:
    stop = cp.callbacks.EarlyStopping("loss", **arguments)
    assert played(stop, losses)[1] == epochs


def test_early_stopping_brings_the_best_weights_back() -> None:
    stop = cp.callbacks.EarlyStopping("loss", patience=2, restore_best_weights=True)
    model, epochs = played(stop, [3, 1, 2, 2, 0])
    assert (epochs, stop.best_epoch, stop.stopped_epoch, stop.best) == (4, 1, 3, 1)
    np.testing.assert_array_equal(model.get_weights()[0], 1)


def test_best_weights_come_back_when_nothing_stopped() -> None:
    stop = cp.callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)
    model, _ = played(stop, [3, 1, 2])
    np.testing.assert_array_equal(model.get_weights()[0], 1)


def test_early_stopping_begins_anew_with_each_fit() -> None:
    stop = cp.callbacks.EarlyStopping("loss", patience=1)
    assert [played(stop, [1, 2])[1] for _ in range(2)] == [2, 2]


def test_early_stopping_in_fit(capsys: pytest.CaptureFixture[str]) -> None:
    stop = cp.callbacks.EarlyStopping(
        "val_accuracy", patience=2, verbose=1, restore_best_weights=True
    )
    model = classifier()
    history = model.fit(X, CLASSES, epochs=100, callbacks=[stop], **SPLIT)
    values = history.history["val_accuracy"]
    assert len(values) == 3 + int(np.argmax(values)) < 100
    assert model.evaluate(X[56:], CLASSES[56:])["accuracy"] == max(values)
    assert capsys.readouterr().out == (
        f'epoch {len(values)}: stopped, "val_accuracy" gets no better\n'
        f"the weights are those of epoch {int(np.argmax(values)) + 1}, the best\n"
    )


@pytest.mark.parametrize(
    ("metric", "monitor", "mode"),
    [
        *(("accuracy", "accuracy", "max"), ("accuracy", "val_accuracy", "max")),
        *(("mae", "mae", "min"), ("r2_score", "val_r2_score", "max")),
        *((None, "loss", "min"), (None, "val_loss", "min"), (None, "price_loss", "min")),
        ("auc", "kind_auc", "max"),
    ],
)
def test_metrics_know_which_way_is_better(metric: str | None, monitor: str, mode: str) -> None:
    stop = cp.callbacks.EarlyStopping(monitor)
    stop.set_model(line_fitter(metrics=[] if metric is None else [metric]))
    assert stop.watched({monitor: 1.0}) == 1.0
    assert stop.mode == mode


def own_measure(y_true: Any, y_pred: Any) -> Any:
    return cp.mean(cp.abs(y_true - y_pred))


def test_a_metric_of_ones_own_needs_a_mode(tmp_path: Path) -> None:
    model = line_fitter(metrics=[own_measure])
    with pytest.raises(ArgumentError) as caught:
        model.fit(X, X[:, :1], callbacks=[cp.callbacks.EarlyStopping("own_measure")], verbose=0)
    assert told(caught.value, tmp_path) == (
        'EarlyStopping: it is not known whether more or less of "own_measure" is better\n'
        '  found:  mode="auto"\n'
        '  needed: mode="min" or mode="max"'
    )


def test_a_monitor_that_nothing_is_called(tmp_path: Path) -> None:
    stop = cp.callbacks.EarlyStopping("val_acuracy")
    with pytest.raises(UnknownNameError) as caught:
        classifier().fit(X, CLASSES, callbacks=[stop], **SPLIT)
    assert told(caught.value, tmp_path) == (
        'EarlyStopping: the epochs have no number called "val_acuracy"\n'
        "  found:  monitor='val_acuracy' did you mean \"val_accuracy\"?\n"
        "  needed: one of loss, accuracy, val_loss, val_accuracy"
    )


def test_a_monitor_without_validation_warns_once_at_the_users_line() -> None:
    stop = cp.callbacks.EarlyStopping()
    with pytest.warns(UserWarning, match="this epoch had no validation") as caught:
        classifier().fit(X, CLASSES, epochs=3, callbacks=[stop], verbose=0)
    assert [(each.filename, str(each.message)) for each in caught] == [
        (
            __file__,
            'EarlyStopping watches "val_loss", but this epoch had no validation: give fit '
            'validation_split=0.1 or validation_data, or watch "loss"',
        )
    ]


def test_a_mode_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError) as caught:
        cp.callbacks.EarlyStopping(mode="mox")
    assert told(caught.value, tmp_path) == (
        "EarlyStopping: the mode says which way is better\n"
        "  found:  mode='mox' did you mean \"max\"?\n"
        '  needed: "min", "max" or "auto"'
    )
