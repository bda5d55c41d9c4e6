"""Metrics: a pure state for compiled steps, an object that remembers, names and advice."""

from __future__ import annotations

import numpy as np
import pytest

import clearprop as cp
from clearprop import losses, metrics
from clearprop.errors import ArgumentError, ClearPropError, ShapeError, UnknownNameError
from clearprop.registry import describe, rebuild
from tests.metrics.examples import EXAMPLES, Example

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=str)


def made(example: Example) -> metrics.Metric:
    return getattr(metrics, example.metric)(**example.arguments)


# -- every metric ---------------------------------------------------------------------


@each_example
def test_the_state_keeps_its_shapes_and_counts_in_float64(example: Example) -> None:
    metric = made(example)
    (y_true, y_pred, weight), *_ = example.batches(1)
    state = metric.initial_state(y_pred.shape)
    tensors = {key: cp.tensor(array) for key, array in state.items()}
    for weights in (None, weight):
        after = metric.update(tensors, y_true, y_pred, weights)
        assert list(after) == list(state)
        assert [after[key].type for key in state] == [tensors[key].type for key in state]
        assert {value.dtype.name for value in after.values()} == {"float64"}


@each_example
def test_a_compiled_step_remembers_as_the_object_does(example: Example) -> None:
    metric = made(example)
    batches = example.batches()
    step = cp.compile(metric.update)
    state = metric.initial_state(batches[0][1].shape)
    for y_true, y_pred, weight in batches:
        metric.update_state(y_true, y_pred, weight)
        state = step(state, y_true, y_pred, weight)
    compiled = cp.compile(metric.result)(state)
    np.testing.assert_allclose(compiled.numpy(), metric.result().numpy(), rtol=1e-12)


@each_example
def test_weights_of_one_change_nothing_and_of_zero_leave_out(example: Example) -> None:
    (y_true, y_pred, weight), *_ = example.batches(1)
    plain = made(example)(y_true, y_pred).numpy()
    ones = made(example)(y_true, y_pred, sample_weight=np.ones_like(weight)).numpy()
    np.testing.assert_allclose(ones, plain, rtol=1e-12)
    kept = np.arange(len(weight)) < 5
    some = made(example)(y_true, y_pred, sample_weight=kept).numpy()
    alone = made(example)(y_true[kept], y_pred[kept]).numpy()
    if example.arguments.get("num_regressors", 0) == 0:  # which counts rows, not weights
        np.testing.assert_allclose(some, alone, rtol=1e-9, atol=1e-12)


@each_example
def test_forgetting_starts_again(example: Example) -> None:
    (y_true, y_pred, weight), *_ = example.batches(1)
    metric = made(example)
    first = metric(y_true, y_pred, sample_weight=weight).numpy()
    metric.update_state(y_true[:1], y_pred[:1])
    metric.reset_state()
    again = metric(y_true, y_pred, sample_weight=weight).numpy()
    np.testing.assert_array_equal(first, again)


@each_example
def test_a_description_rebuilds_it(example: Example) -> None:
    metric = made(example)
    again = rebuild(describe(metric))
    assert type(again) is type(metric)
    assert describe(again) == describe(metric)


@each_example
def test_it_does_not_need_all_predictions(example: Example) -> None:
    assert not made(example).needs_all_predictions


def test_large_counts_lose_nothing() -> None:
    metric = metrics.TruePositives()
    state = {key: cp.tensor(array) for key, array in metric.initial_state().items()}
    state["positives"] = cp.tensor(np.array([0.0, 2.0**40]))
    after = metric.update(state, np.ones((3, 1), np.float32), np.ones((3, 1), np.float32))
    assert float(metric.result(after)) == 2.0**40 + 3


# -- closed forms --------------------------------------------------------------------


def test_a_perfect_ranking_has_the_area_1_and_the_opposite_0() -> None:
    labels, scores = np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])
    assert float(metrics.AUC()(labels, scores)) == pytest.approx(1.0)
    assert float(metrics.AUC()(1 - labels, scores)) == pytest.approx(0.0)
    assert float(metrics.AUC(curve="PR")(labels, scores)) == pytest.approx(1.0)


def test_numbers_before_the_first_batch() -> None:
    assert float(metrics.Mean().result()) == 0.0
    assert float(metrics.Precision().result()) == 0.0
    with pytest.raises(ArgumentError, match="depends on the number of outputs"):
        metrics.F1Score().result()


def test_ties_at_the_edge_are_in_the_top() -> None:
    scores = np.array([[0.5, 0.5, 0.5, 0.1]])
    assert float(metrics.SparseTopKCategoricalAccuracy(k=1)([2], scores)) == 1.0
    assert float(metrics.SparseTopKCategoricalAccuracy(k=2)([3], scores)) == 0.0
    nothing = np.array([[np.nan, 0.5]])
    assert float(metrics.SparseTopKCategoricalAccuracy(k=1)([0], nothing)) == 0.0


def test_constant_targets_explain_nothing_and_break_nothing() -> None:
    score = metrics.R2Score()([[1.0], [1.0]], [[2.0], [0.0]])
    assert float(score) == 0.0


def test_a_score_with_too_few_rows_is_not_adjusted() -> None:
    y, p = [[1.0], [2.0], [3.0]], [[1.0], [2.0], [2.0]]
    assert float(metrics.R2Score(num_regressors=2)(y, p)) == 0.5
    assert float(metrics.R2Score(num_regressors=1)(y, p)) == pytest.approx(0.0)


def test_labels_that_are_no_class_are_left_out() -> None:
    matrix = metrics.ConfusionMatrix(2)([0, 1, 7, -1], [0, 1, 1, 0])
    assert matrix.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_masks_become_weights() -> None:
    y, p = np.zeros((2, 2, 1)), np.array([[[1.0], [9.0]], [[3.0], [5.0]]])
    weight = metrics.masked_weight(None, [[True, False], [True, True]])
    assert float(metrics.MeanAbsoluteError()(y, p, sample_weight=weight)) == 3.0
    weight = metrics.masked_weight([1.0, 0.0], [[True, False], [True, True]])
    assert float(metrics.MeanAbsoluteError()(y, p, sample_weight=weight)) == 1.0


def test_a_metric_of_a_parameter_keeps_no_graph() -> None:
    metric, weight = metrics.MeanAbsoluteError(), cp.parameter([[2.0]])
    metric.update_state([[0.0]], weight * 3)
    weight.assign([[100.0]])
    assert float(metric.result()) == 6.0
    assert not metric.result().tracked


# -- metrics of users -------------------------------------------------------------------


def test_functions_and_losses_are_metrics() -> None:
    def bias(y_true: cp.Tensor, y_pred: cp.Tensor) -> cp.Tensor:
        return cp.mean(y_pred - y_true, axis=-1)

    metric = metrics.get(bias)
    assert metric.name == "bias"
    assert float(metric([[1.0], [1.0]], [[2.0], [4.0]])) == 2.0
    metric = metrics.get(losses.Huber(delta=2.0))
    assert metric.name == "huber_loss"
    assert float(metric([[0.0]], [[1.0]])) == 0.5
    assert rebuild(describe(metric)).fn.delta == 2.0
    with pytest.raises(ShapeError):
        metric([0.0, 1.0], [[0.0], [1.0]])


def test_a_wrapped_function_gets_its_arguments() -> None:
    metric = metrics.MeanMetricWrapper(losses.huber, name="mine", delta=0.5)
    assert float(metric([[0.0]], [[1.0]])) == 0.375
    assert rebuild(describe(metric)).get_config() == metric.get_config()


# -- names ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "kind", "name"),
    [
        ("mse", metrics.MeanSquaredError, "mse"),
        ("MAE", metrics.MeanAbsoluteError, "MAE"),
        ("rmse", metrics.RootMeanSquaredError, "rmse"),
        ("AUC", metrics.AUC, "AUC"),
        ("auc", metrics.AUC, "auc"),
        ("f1_score", metrics.F1Score, "f1_score"),
        ("accuracy", metrics.Accuracy, "accuracy"),
        ("sparse_categorical_accuracy", metrics.SparseCategoricalAccuracy, None),
        (metrics.Precision, metrics.Precision, "precision"),
        (metrics.AUC(name="area"), metrics.AUC, "area"),
        (metrics.sparse_categorical_accuracy, metrics.SparseCategoricalAccuracy, None),
        (losses.mean_squared_error, metrics.MeanSquaredError, "mean_squared_error"),
    ],
)
def test_metrics_go_by_their_names(
    spec: object, kind: type[metrics.Metric], name: str | None
) -> None:
    metric = metrics.get(spec)
    assert type(metric) is kind
    assert metric.name == (name or "sparse_categorical_accuracy")


@pytest.mark.parametrize(
    ("loss", "output", "label", "kind"),
    [
        (losses.BinaryCrossentropy(), (4, 1), (4, 1), metrics.BinaryAccuracy),
        (losses.BinaryCrossentropy(), (4, 5), (4, 5), metrics.BinaryAccuracy),
        (losses.CategoricalCrossentropy(), (4, 5), (4, 5), metrics.CategoricalAccuracy),
        (losses.SparseCategoricalCrossentropy(), (4, 5), (4,), metrics.SparseCategoricalAccuracy),
        (losses.SparseCategoricalCrossentropy(), None, None, metrics.SparseCategoricalAccuracy),
        (losses.MeanSquaredError(), (4, 1), (4,), metrics.BinaryAccuracy),
        (losses.MeanSquaredError(), (4, 5), (4,), metrics.SparseCategoricalAccuracy),
        (None, (4, 5), (4, 5), metrics.CategoricalAccuracy),
    ],
)
@pytest.mark.parametrize("name", ["accuracy", "acc"])
def test_accuracy_is_the_one_that_fits(
    loss: losses.Loss | None,
    output: tuple[int, ...] | None,
    label: tuple[int, ...] | None,
    kind: type[metrics.Metric],
    name: str,
) -> None:
    metric = metrics.get(name, loss, output, label)
    assert type(metric) is kind
    assert metric.name == name


def test_metrics_by_name_look_at_logits_where_the_loss_does() -> None:
    binary = losses.BinaryCrossentropy(from_logits=True)
    labels, logits = np.array([[1.0], [0.0]]), np.array([[0.3], [-2.0]])
    for name in ("accuracy", "precision", "recall", "AUC", "binary_accuracy"):
        metric = metrics.get(name, binary, (2, 1), (2, 1))
        assert float(metric(labels, logits)) == pytest.approx(1.0), name
    sparse = losses.SparseCategoricalCrossentropy(from_logits=True)
    metric = metrics.get("sparse_categorical_crossentropy", sparse, (1, 2), (1,))
    assert float(metric([0], [[0.0, 0.0]])) == pytest.approx(np.log(2))
    assert metrics.get("accuracy", sparse, (1, 2), (1,)).get_config() == {"name": "accuracy"}


# -- errors --------------------------------------------------------------------------------


def text_of(error: ClearPropError) -> str:
    lines = str(error).splitlines()
    assert lines[-1].startswith("  at:     ")
    return "\n".join(lines[:-1])


def test_no_metric_broadcasts_silently() -> None:
    for name in ("MeanSquaredError", "BinaryAccuracy", "AUC", "Precision", "R2Score", "BinaryIoU"):
        with pytest.raises(ShapeError, match="different shapes"):
            getattr(metrics, name)()(np.zeros(5), np.zeros((5, 1)))
    with pytest.raises(ShapeError) as caught:
        metrics.MeanSquaredError()(np.zeros(5), np.zeros((5, 1)))
    assert text_of(caught.value) == (
        "mean_squared_error: targets and predictions have different shapes\n"
        "  found:  y_true: (5,), y_pred: (5, 1); together they would broadcast to (5, 5)\n"
        "  needed: equal shapes: one target for each prediction\n"
        "  try:    y_true.reshape(5, 1)"
    )


def test_an_unknown_name_tells_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match='did you mean "Precision"'):
        metrics.get("precison")


def test_a_name_that_does_not_say_enough() -> None:
    with pytest.raises(ArgumentError) as caught:
        metrics.get("mean_iou")
    assert text_of(caught.value) == (
        "MeanIoU: its name alone does not say enough\n"
        "  found:  no num_classes\n"
        "  needed: MeanIoU(num_classes=...)"
    )


def test_what_is_no_metric_is_refused() -> None:
    with pytest.raises(ArgumentError, match="this is not one"):
        metrics.get(0.5)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Precision", {"thresholds": 1.5}),
        ("Recall", {"thresholds": [0.7, 0.2]}),
        ("AUC", {"curve": "ROCK"}),
        ("AUC", {"num_thresholds": 1}),
        ("AUC", {"num_labels": 3}),
        ("F1Score", {"average": "mean"}),
        ("FBetaScore", {"beta": 0.0}),
        ("R2Score", {"num_regressors": -1}),
        ("SensitivityAtSpecificity", {"specificity": 2}),
        ("IoU", {"num_classes": 2, "target_class_ids": [2]}),
        ("ConfusionMatrix", {"num_classes": 0}),
    ],
)
def test_arguments_that_cannot_work_are_refused(name: str, arguments: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match=name):
        getattr(metrics, name)(**arguments)


def test_scores_of_rows_need_rows() -> None:
    for name in ("F1Score", "R2Score"):
        with pytest.raises(ShapeError, match="rows of outputs"):
            getattr(metrics, name)()(np.zeros(4), np.zeros(4))
