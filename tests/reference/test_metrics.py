"""Metrics equal Keras's over batches and weights, and scikit-learn's where it has them."""

from __future__ import annotations

import re
import warnings
from typing import Any

import keras
import numpy as np
import pytest
import sklearn.metrics

from clearprop import losses, metrics
from tests.metrics.examples import COUNTS, KERAS, Example
from tests.reference.signatures import arguments_of

NOT_KERAS = {"ConfusionMatrix", "MeanOf", "FunctionMean", "ThresholdMetric", "ConfusionMetric"}
COUNTING = {"IoU", "MeanIoU", "BinaryIoU", "OneHotIoU", "OneHotMeanIoU"}  # whole weights
RNG = np.random.default_rng(7)

each_example = pytest.mark.parametrize("example", KERAS, ids=str)


def pair(example: Example) -> tuple[metrics.Metric, Any]:
    """The metric here and in Keras."""
    mine = getattr(metrics, example.metric)(**example.arguments)
    return mine, getattr(keras.metrics, example.metric)(**example.arguments)


def result_of(peer: Any) -> Any:
    with warnings.catch_warnings():  # of divisions that a score leaves out afterwards
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(peer.result())


def test_every_metric_of_keras_is_here_and_compared() -> None:
    known = {name for name in dir(keras.metrics) if name[0].isupper()}
    assert known <= set(metrics.__all__)
    compared = {example.metric for example in KERAS}
    assert known - {"Metric", "Mean", "Sum", "MeanMetricWrapper"} == compared
    mine = {name for name in metrics.__all__ if name[0].isupper()}
    assert mine - known == NOT_KERAS


def test_every_function_of_keras_is_here() -> None:
    known = {name for name in dir(keras.metrics) if name[0].islower()}
    assert known - {"serialize", "deserialize"} <= set(metrics.__all__)


@each_example
@pytest.mark.parametrize("is_weighted", [False, True])
def test_metrics_are_keras(example: Example, is_weighted: bool) -> None:
    mine, peer = pair(example)
    for y_true, y_pred, weight in example.batches():
        prediction = y_pred.astype(np.float32) if y_pred.dtype.kind == "f" else y_pred
        weights = weight.astype(np.float32) if is_weighted else None
        if is_weighted and example.metric in COUNTING:
            is_row = example.y_true == "one_hot"
            weights = RNG.integers(0, 4, y_true.shape[:-1] if is_row else y_true.shape)
        mine.update_state(y_true, prediction, weights)
        peer.update_state(y_true, prediction, weights)
    got, wanted = mine.result().numpy(), result_of(peer)
    np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=1e-5)


@each_example
def test_names_are_keras(example: Example) -> None:
    mine, peer = pair(example)
    assert re.fullmatch(rf"{mine.name}(_\d+)?", peer.name)  # Keras counts its objects


@pytest.mark.parametrize("name", sorted(set(metrics.__all__) & set(dir(keras.metrics)) - {"get"}))
def test_arguments_and_defaults_are_keras(name: str) -> None:
    assert arguments_of(getattr(metrics, name)) == arguments_of(getattr(keras.metrics, name))


def test_ignored_classes_do_not_count() -> None:
    labels, logits = RNG.integers(0, 3, 20), RNG.normal(size=(20, 3)).astype(np.float32)
    options = {"from_logits": True, "ignore_class": 1}
    mine = metrics.SparseCategoricalCrossentropy(**options)
    peer = keras.metrics.SparseCategoricalCrossentropy(**options)
    ones = np.ones(20, np.float32)  # without weights Keras counts ignored samples as zeros
    peer.update_state(labels, logits, ones)
    wanted = pytest.approx(float(result_of(peer)), rel=1e-5)
    assert float(mine(labels, logits, sample_weight=ones)) == wanted
    mine.reset_state()
    assert float(mine(labels, logits)) == wanted
    assert (
        float(metrics.get(losses.SparseCategoricalCrossentropy(**options))(labels, logits))
        == wanted
    )


@pytest.mark.parametrize("weights", [None, [1.0, 0.5, 2.0, 0.0]])
def test_means_and_sums_are_keras(weights: list[float] | None) -> None:
    for shape in ((4,), (4, 1), (4, 3)):
        for name in ("Mean", "Sum"):
            mine, peer = getattr(metrics, name)(), getattr(keras.metrics, name)()
            for _ in range(2):
                values = RNG.normal(size=shape).astype(np.float32)
                mine.update_state(values, sample_weight=weights)
                peer.update_state(values, sample_weight=weights)
            np.testing.assert_allclose(mine.result().numpy(), result_of(peer), rtol=1e-5)


@pytest.mark.parametrize(
    ("output", "label", "loss"),
    [
        ((4, 1), (4, 1), "BinaryAccuracy"),
        ((4, 3), (4,), "SparseCategoricalAccuracy"),
        ((4, 3), (4, 1), "SparseCategoricalAccuracy"),
        ((4, 3), (4, 3), "CategoricalAccuracy"),
        ((4, 6, 3), (4, 6), "SparseCategoricalAccuracy"),
        ((4, 6, 1), (4, 6, 1), "BinaryAccuracy"),
    ],
)
def test_accuracy_is_the_one_that_keras_takes(
    output: tuple[int, ...], label: tuple[int, ...], loss: str
) -> None:
    from keras.src.trainers.compile_utils import get_metric

    peer = get_metric("accuracy", np.zeros(label), np.zeros(output))
    mine = metrics.get("accuracy", output_shape=output, label_shape=label)
    assert type(mine).__name__ == type(peer).__name__ == loss
    assert mine.name == peer.name == "accuracy"


# -- scikit-learn ---------------------------------------------------------------------


@pytest.mark.parametrize("is_weighted", [False, True])
def test_scores_are_scikit_learns(is_weighted: bool) -> None:
    labels, guesses = RNG.integers(0, 4, (2, 200))
    weight = RNG.uniform(size=200) if is_weighted else None
    one_hot, scores = np.eye(4)[labels], np.eye(4)[guesses]
    for average in (None, "micro", "macro", "weighted"):
        mine = metrics.F1Score(average=average)(one_hot, scores, sample_weight=weight)
        wanted = sklearn.metrics.f1_score(labels, guesses, average=average, sample_weight=weight)
        np.testing.assert_allclose(mine.numpy(), wanted, atol=1e-6)
    matrix = metrics.ConfusionMatrix(4)(labels, scores, sample_weight=weight)
    wanted = sklearn.metrics.confusion_matrix(labels, guesses, sample_weight=weight)
    np.testing.assert_allclose(matrix.numpy(), wanted)
    accuracy = metrics.SparseCategoricalAccuracy()(labels, scores, sample_weight=weight)
    wanted = sklearn.metrics.accuracy_score(labels, guesses, sample_weight=weight)
    assert float(accuracy) == pytest.approx(wanted)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_decisions_are_scikit_learns(is_weighted: bool) -> None:
    labels, scores = RNG.integers(0, 2, 400), RNG.integers(1, 200, 400) / 199
    weight = RNG.uniform(size=400) if is_weighted else None
    area = metrics.AUC()(labels, scores - 1e-4, sample_weight=weight)
    wanted = sklearn.metrics.roc_auc_score(labels, scores, sample_weight=weight)
    assert float(area) == pytest.approx(wanted, abs=1e-6)
    precision = metrics.Precision()(labels, scores, sample_weight=weight)
    wanted = sklearn.metrics.precision_score(labels, scores > 0.5, sample_weight=weight)
    assert float(precision) == pytest.approx(wanted)
    recall = metrics.Recall()(labels, scores, sample_weight=weight)
    wanted = sklearn.metrics.recall_score(labels, scores > 0.5, sample_weight=weight)
    assert float(recall) == pytest.approx(wanted)
    counts = [
        float(getattr(metrics, name)()(labels, scores, sample_weight=weight)) for name in COUNTS
    ]
    matrix = sklearn.metrics.confusion_matrix(labels, scores > 0.5, sample_weight=weight)
    np.testing.assert_allclose(counts, [matrix[1, 1], matrix[0, 1], matrix[0, 0], matrix[1, 0]])


@pytest.mark.parametrize("is_weighted", [False, True])
def test_explained_variance_is_scikit_learns(is_weighted: bool) -> None:
    targets, outputs = RNG.normal(size=(2, 50, 3))
    weight = RNG.uniform(size=50) if is_weighted else None
    how = {"uniform_average": "uniform_average", "variance_weighted_average": "variance_weighted"}
    for mine, name in [*how.items(), (None, "raw_values")]:
        got = metrics.R2Score(mine)(targets, outputs, sample_weight=weight)
        wanted = sklearn.metrics.r2_score(targets, outputs, sample_weight=weight, multioutput=name)
        np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-9)
