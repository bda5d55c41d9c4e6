"""Metrics equal Keras's over batches and weights, and scikit-learn's where it has them."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest
import sklearn.metrics

from clearprop import metrics
from tests.metrics.examples import COUNTS, KERAS, Example

NOT_KERAS = {"ConfusionMatrix", "MeanOf", "FunctionMean", "ThresholdMetric", "ConfusionMetric"}
UNWEIGHTED = {"IoU", "MeanIoU", "BinaryIoU", "OneHotIoU", "OneHotMeanIoU"}  # Keras rounds weights
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
        if example.metric in UNWEIGHTED and is_weighted:
            weights = RNG.integers(0, 4, y_true.shape[:1])
            weights = (
                np.broadcast_to(
                    weights.reshape(-1, *(1,) * (y_true.ndim - 1)),
                    y_true.shape if example.metric[:6] != "OneHot" else y_true.shape[:1],
                ).copy()
                if example.metric[:6] != "OneHot"
                else weights
            )
        mine.update_state(y_true, prediction, weights)
        peer.update_state(y_true, prediction, weights)
    got, wanted = mine.result().numpy(), result_of(peer)
    np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=1e-5)


@each_example
def test_names_are_keras(example: Example) -> None:
    mine, peer = pair(example)
    name = peer.name
    assert name in {mine.name, f"{mine.name}_{name.rpartition('_')[2]}"}  # Keras counts on


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
    labels, scores = RNG.integers(0, 2, 400), RNG.integers(0, 200, 400) / 199
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
