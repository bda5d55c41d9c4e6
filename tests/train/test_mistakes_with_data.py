"""Mistakes with data: the words of each error, and nothing is lost by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import (
    ArgumentError,
    ClearPropError,
    DataError,
    LabelError,
    ShapeError,
    UnknownNameError,
)
from tests.train.mistakes import (
    NUMBERS,
    X,
    Y,
    assert_told,
    assert_trains_as_new,
    changed,
    net,
    price,
    two,
)

Told = tuple[type[ClearPropError], str, str, str, str]
MISTAKES: dict[str, tuple[Callable[[], cp.Model], Callable[[cp.Model], Any], Told]] = {
    "labels that count from 1": (
        net,
        lambda model: model.fit(X, Y + 1),
        (
            LabelError,
            "sparse_categorical_crossentropy: the label at index 2 cannot be used",
            "3 at index 2 (and 3 more like it)",
            "whole numbers from 0 to 2, because there are 3 classes",
            "labels that count from 1: subtract 1",
        ),
    ),
    "labels below zero": (
        net,
        lambda model: model.fit(X, Y - 1),
        (
            LabelError,
            "sparse_categorical_crossentropy: the label at index 0 cannot be used",
            "-1 at index 0 (and 3 more like it)",
            "whole numbers from 0 to 2, because there are 3 classes",
            "labels that count the classes from 0",
        ),
    ),
    "labels in validation": (
        net,
        lambda model: model.fit(X, Y, validation_data=(X, Y + 1)),
        (
            LabelError,
            "sparse_categorical_crossentropy: the label at index 2 cannot be used",
            "3 at index 2 (and 3 more like it)",
            "whole numbers from 0 to 2, because there are 3 classes",
            "labels that count from 1: subtract 1",
        ),
    ),
    "labels in evaluate": (
        net,
        lambda model: model.evaluate(X, Y + 5),
        (
            LabelError,
            "sparse_categorical_crossentropy: the label at index 0 cannot be used",
            "5 at index 0 (and 11 more like it)",
            "whole numbers from 0 to 2, because there are 3 classes",
            "a last layer of 8 units, or labels that count from 0",
        ),
    ),
    "labels that are not whole": (
        net,
        lambda model: model.fit(X, Y + 0.5),
        (
            LabelError,
            "sparse_categorical_crossentropy: the label at index 0 cannot be used",
            "0.5 at index 0 (and 11 more like it)",
            "whole numbers from 0 to 2, because there are 3 classes",
            "labels that count the classes from 0",
        ),
    ),
    "rows where class numbers are needed": (
        net,
        lambda model: model.fit(X, np.eye(3)[Y]),
        (
            LabelError,
            "sparse_categorical_crossentropy: the labels are rows, one number for each class",
            "labels of shape (12, 3)",
            "one class number for each sample: shape (12,)",
            "the loss categorical_crossentropy, or y.argmax(axis=-1)",
        ),
    ),
    "NaN in x": (
        net,
        lambda model: model.fit(changed(X, (3, 1), np.nan), Y),
        (
            DataError,
            "Checking x: 1 value is NaN",
            "x[3, 1] = nan",
            "finite numbers: NaN and infinity spread to every weight in one step",
            "fill or leave out those rows; cp.data.TableEncoder fills missing values",
        ),
    ),
    "infinity in x": (
        net,
        lambda model: model.predict(changed(X, (3, 1), np.inf)),
        (
            DataError,
            "Checking x: 1 value is infinite",
            "x[3, 1] = inf",
            "finite numbers: NaN and infinity spread to every weight in one step",
            "fill or leave out those rows; cp.data.TableEncoder fills missing values",
        ),
    ),
    "NaN in y": (
        price,
        lambda model: model.fit(X, changed(NUMBERS, 3, np.nan)),
        (
            DataError,
            "Checking y: 1 value is NaN",
            "y[3] = nan",
            "finite numbers: NaN and infinity spread to every weight in one step",
            "fill or leave out those rows; cp.data.TableEncoder fills missing values",
        ),
    ),
    "different lengths": (
        net,
        lambda model: model.fit(X, Y[:7]),
        (
            ShapeError,
            "Comparing lengths: x and y have different numbers of rows",
            "x: 12 rows, y: 7 rows",
            "one row for each sample in every array",
            "",
        ),
    ),
    "different lengths of weights": (
        net,
        lambda model: model.fit(X, Y, sample_weight=np.ones(3)),
        (
            ShapeError,
            "Comparing lengths: x and y and sample_weight have different numbers of rows",
            "x: 12 rows, y: 12 rows, sample_weight: 3 rows",
            "one row for each sample in every array",
            "",
        ),
    ),
    "too few features": (
        net,
        lambda model: model.predict(X[:, :3]),
        (
            ShapeError,
            'Dense "hidden": the input has 3 features, the weights were built for 4',
            "x: f32[12, 3]",
            "(batch, 4)",
            "check the layer before it, or rebuild the model",
        ),
    ),
    "too few features in fit": (
        net,
        lambda model: model.fit(X[:, :3], Y),
        (
            ShapeError,
            'Dense "hidden": the input has 3 features, the weights were built for 4',
            "x: f32[12, 3]",
            "(batch, 4)",
            "check the layer before it, or rebuild the model",
        ),
    ),
    "one sample without a batch": (
        net,
        lambda model: model.predict(X[0]),
        (
            ShapeError,
            'Dense "hidden": the input has 1 axis, it takes 2 or more',
            "an input of shape (4,)",
            "(batch, features)",
            "x[None] for a batch of one sample",
        ),
    ),
    "targets that would broadcast": (
        price,
        lambda model: model.fit(X, X[:, :3]),
        (
            ShapeError,
            "mean_squared_error: targets and predictions have different shapes",
            "y_true: (12, 3), y_pred: (12, 1); together they would broadcast to (12, 3)",
            "equal shapes: one target for each prediction",
            "check the units of the last layer, and which columns are the targets",
        ),
    ),
    "one array for two inputs": (
        two,
        lambda model: model.fit(X, [NUMBERS, Y]),
        (
            DataError,
            "Reading x: the model has 2 inputs",
            "one array",
            "a list of 2 arrays in the order left, right, or a dict",
            "",
        ),
    ),
    "three arrays for two inputs": (
        two,
        lambda model: model.fit([X, X, X], [NUMBERS, Y]),
        (
            DataError,
            "Reading x: the model has 2 inputs",
            "3 arrays",
            "a list of 2 arrays in the order left, right, or a dict",
            "",
        ),
    ),
    "one array for two outputs": (
        two,
        lambda model: model.fit([X, X], Y),
        (
            DataError,
            "Reading y: the model has 2 outputs",
            "one array",
            "a list of 2 arrays in the order price, kind, or a dict",
            "",
        ),
    ),
    "an unknown input": (
        two,
        lambda model: model.fit({"left": X, "rigth": X}, [NUMBERS, Y]),
        (
            DataError,
            "Reading x: the model has no input called 'rigth'",
            "'rigth' did you mean \"right\"?",
            "left, right",
            "",
        ),
    ),
    "a missing input": (
        two,
        lambda model: model.fit({"left": X}, [NUMBERS, Y]),
        (
            DataError,
            "Reading x: an input of the model has no array",
            "left",
            "left, right",
            "",
        ),
    ),
    "an unknown output": (
        two,
        lambda model: model.fit([X, X], {"price": Y, "kid": Y}),
        (
            DataError,
            "Reading y: the model has no output called 'kid'",
            "'kid' did you mean \"kind\"?",
            "price, kind",
            "",
        ),
    ),
    "no rows": (
        net,
        lambda model: model.fit(X[:0], Y[:0]),
        (
            DataError,
            "Checking x: it is empty",
            "x of shape (0, 4)",
            "at least one row with at least one number",
            "",
        ),
    ),
    "text in x": (
        net,
        lambda model: model.fit(np.array([["a", "b"]]), Y),
        (
            DataError,
            "Checking x: it holds text, not numbers",
            "x of dtype <U1, with 'a'",
            "integers or floating-point numbers",
            "cp.data.TableEncoder turns text and missing values into numbers",
        ),
    ),
    "text in y": (
        net,
        lambda model: model.fit(X, np.array(["cat", "dog"] * 6)),
        (
            DataError,
            "Checking y: it holds text, not numbers",
            "y of dtype <U3, with 'cat'",
            "integers or floating-point numbers",
            "cp.data.TableEncoder turns text and missing values into numbers",
        ),
    ),
    "no x": (
        net,
        lambda model: model.fit(None, Y),
        (
            DataError,
            "Reading x: a NoneType is not an array",
            "x: NoneType",
            "a NumPy array, a list of numbers, or a pandas, polars or Arrow table",
            "np.array(list(...)) makes an array of things that come one by one",
        ),
    ),
    "no y": (
        net,
        lambda model: model.fit(X),
        (
            ArgumentError,
            "fit: the loss and the metrics compare with targets",
            "y=None",
            "model.fit(x, y)",
            "",
        ),
    ),
    "no y in evaluate": (
        net,
        lambda model: model.evaluate(X),
        (
            ArgumentError,
            "evaluate: the loss and the metrics compare with targets",
            "y=None",
            "model.evaluate(x, y)",
            "",
        ),
    ),
    "batch_size=0": (
        net,
        lambda model: model.fit(X, Y, batch_size=0),
        (
            ArgumentError,
            "fit: batch_size is a whole number of at least 1",
            "batch_size=0",
            "1, 2, 3, ...",
            "",
        ),
    ),
    "batch_size=0 in predict": (
        net,
        lambda model: model.predict(X, batch_size=0),
        (
            ArgumentError,
            "predict: batch_size is a whole number of at least 1",
            "batch_size=0",
            "1, 2, 3, ...",
            "",
        ),
    ),
    "epochs='3'": (
        net,
        lambda model: model.fit(X, Y, epochs="3"),
        (
            ArgumentError,
            "fit: epochs is a whole number of at least 1",
            "epochs='3'",
            "1, 2, 3, ...",
            "",
        ),
    ),
    "initial_epoch=-1": (
        net,
        lambda model: model.fit(X, Y, initial_epoch=-1),
        (
            ArgumentError,
            "fit: initial_epoch is a whole number of at least 0",
            "initial_epoch=-1",
            "0, 1, 2, ...",
            "",
        ),
    ),
    "validation_split=1.5": (
        net,
        lambda model: model.fit(X, Y, validation_split=1.5),
        (
            ArgumentError,
            "fit: validation_split is the part of the samples that is kept for validation",
            "validation_split=1.5",
            "0 <= validation_split < 1",
            "validation_split=0.2",
        ),
    ),
    "a validation split of nearly everything": (
        net,
        lambda model: model.fit(X, Y, validation_split=0.99),
        (
            DataError,
            "fit: the validation split leaves one part without samples",
            "validation_split=0.99 of 12 samples",
            "a fraction between 0 and 1 that leaves samples in both parts",
            "",
        ),
    ),
    "validation data without targets": (
        net,
        lambda model: model.fit(X, Y, validation_data=X),
        (
            DataError,
            "fit: validation_data holds inputs, targets and perhaps weights",
            "a ndarray",
            "(x, y) or (x, y, sample_weight)",
            "",
        ),
    ),
    "class weights for quantities": (
        price,
        lambda model: model.fit(X, NUMBERS, class_weight={0: 1.0}),
        (
            ArgumentError,
            "fit: class_weight is for targets that are classes",
            "targets such as 0.12573",
            "one class number or one row with a single 1 for each sample",
            "sample_weight=one number for each sample",
        ),
    ),
    "class weights for a loss over quantities": (
        price,
        lambda model: model.fit(X, Y, class_weight={0: 1.0}),
        (
            ArgumentError,
            "fit: class_weight is for one output whose targets are classes",
            "the loss mean_squared_error",
            "a loss over classes",
            "sample_weight: one number for each sample",
        ),
    ),
    "class weights for two outputs": (
        two,
        lambda model: model.fit([X, X], [NUMBERS * 0, Y], class_weight={0: 1.0}),
        (
            ArgumentError,
            "fit: class_weight is for one output whose targets are classes",
            "2 outputs",
            "one output",
            "sample_weight: one number for each sample, in a dict by output",
        ),
    ),
    "class weights in a list": (
        net,
        lambda model: model.fit(X, Y, class_weight=[1, 2, 3]),
        (
            ArgumentError,
            "fit: class_weight tells the weight of each class",
            "class_weight=[1, 2, 3]",
            "a dict such as {0: 1.0, 1: 5.0}",
            "",
        ),
    ),
    "sample weights in a table": (
        net,
        lambda model: model.fit(X, Y, sample_weight=np.ones((12, 3))),
        (
            ShapeError,
            "Reading sample_weight: one number for each sample",
            "shape (12, 3)",
            "shape (samples,)",
            "",
        ),
    ),
    "a callback that is none": (
        net,
        lambda model: model.fit(X, Y, callbacks=[print]),
        (
            ArgumentError,
            "callbacks: a callback is a cp.callbacks.Callback",
            "<built-in function print>",
            "for example cp.callbacks.EarlyStopping(patience=5)",
            "cp.callbacks.LambdaCallback(on_epoch_end=function)",
        ),
    ),
    "verbose=5": (
        net,
        lambda model: model.fit(X, Y, verbose=5),
        (
            ArgumentError,
            "fit: how much to show",
            "verbose=5",
            '0 nothing, 1 a live bar, 2 a line for each epoch, or "auto"',
            "",
        ),
    ),
    "weights of another model": (
        net,
        lambda model: model.set_weights([np.zeros((4, 5))]),
        (
            ShapeError,
            'set_weights: the arrays do not fit the weights of "net"',
            "(4, 5)",
            "kernel (4, 5), bias (5,), kernel (5, 3), bias (3,)",
            "take them from get_weights of the same architecture",
        ),
    ),
    "an unknown layer": (
        net,
        lambda model: model.get_layer("hiden"),
        (
            UnknownNameError,
            "get_layer: \"net\" has no layer 'hiden'",
            "'hiden' did you mean \"hidden\"?",
            "hidden, last",
            "",
        ),
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_error_teaches_and_nothing_is_lost(name: str) -> None:
    make, mistake, told = MISTAKES[name]
    model = make()
    assert_told(mistake, model, told)
    assert_trains_as_new(model, make)
