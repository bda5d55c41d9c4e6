"""What beginners get wrong with losses: every message in full."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop import losses
from clearprop.errors import ArgumentError, ClearPropError, LabelError, ShapeError, UnknownNameError
from clearprop.losses.shapes import match_target_rank


def text_of(error: ClearPropError) -> str:
    """The message without its last line, which names the caller's."""
    lines = str(error).splitlines()
    assert lines[-1].startswith("  at:     ")
    assert lines[-1].partition(":")[2].strip()
    return "\n".join(lines[:-1])


def test_a_column_against_a_row_is_refused() -> None:
    with pytest.raises(ShapeError) as caught:
        losses.MeanSquaredError()(np.zeros(5), np.zeros((5, 1)))
    assert text_of(caught.value) == (
        "mean_squared_error: targets and predictions have different shapes\n"
        "  found:  y_true: (5,), y_pred: (5, 1); together they would broadcast to (5, 5)\n"
        "  needed: equal shapes: one target for each prediction\n"
        "  try:    y_true.reshape(5, 1)"
    )


PAIRED = [name for name in losses.__all__ if isinstance(getattr(losses, name), type)]
PAIRED = [
    name
    for name in PAIRED
    if issubclass(getattr(losses, name), losses.FunctionLoss)
    and name not in {"FunctionLoss", "Circle", "CTC", "CategoricalGeneralizedCrossEntropy"}
    and not name.startswith("Sparse")
]


@pytest.mark.parametrize("name", PAIRED)
def test_no_loss_broadcasts_silently(name: str) -> None:
    loss = getattr(losses, name)()
    for y_true, y_pred in [((4,), (4, 1)), ((4, 1), (4,)), ((1, 3), (4, 3)), ((4, 3), (4, 2))]:
        for function in (loss, loss.function):
            with pytest.raises(ShapeError, match="different shapes"):
                function(np.zeros(y_true), np.ones(y_pred) / 2)


@pytest.mark.parametrize(
    "loss", [losses.SparseCategoricalCrossentropy(), losses.CategoricalGeneralizedCrossEntropy()]
)
def test_no_loss_of_class_numbers_broadcasts_silently(loss: losses.Loss) -> None:
    for y_true, y_pred in [((4, 1), (4,)), ((1,), (4, 3)), ((4, 3), (4, 2)), ((3,), (4, 3))]:
        with pytest.raises(ShapeError, match="one class number for each row"):
            loss(np.zeros(y_true), np.ones(y_pred) / 2)


def test_class_numbers_for_a_loss_of_rows() -> None:
    with pytest.raises(ShapeError) as caught:
        losses.CategoricalCrossentropy()(np.zeros(5, int), np.ones((5, 3)))
    assert text_of(caught.value) == (
        "categorical_crossentropy: targets and predictions have different shapes\n"
        "  found:  y_true: (5,), y_pred: (5, 3)\n"
        "  needed: equal shapes: one target for each prediction\n"
        "  try:    if the targets are class numbers: the loss sparse_categorical_crossentropy; "
        "else check the units of the last layer"
    )


def test_rows_for_a_loss_of_class_numbers() -> None:
    with pytest.raises(ShapeError) as caught:
        losses.SparseCategoricalCrossentropy()(np.eye(3), np.ones((3, 3)))
    assert text_of(caught.value) == (
        "sparse_categorical_crossentropy: there must be one class number for each row of "
        "predictions\n"
        "  found:  y_true: (3, 3), y_pred: (3, 3)\n"
        "  needed: y_true: (3,)\n"
        "  try:    one-hot rows are for categorical_crossentropy; y_true.argmax(axis=-1) gives "
        "numbers"
    )


def test_a_label_out_of_range_is_named() -> None:
    with pytest.raises(LabelError) as caught:
        losses.SparseCategoricalCrossentropy().check_labels(np.array([1, 2, 3, 3]), (None, 3))
    assert text_of(caught.value) == (
        "sparse_categorical_crossentropy: the label at index 2 cannot be used\n"
        "  found:  3 at index 2 (and 1 more like it)\n"
        "  needed: whole numbers from 0 to 2, because there are 3 classes\n"
        "  try:    labels that count from 1: subtract 1"
    )


def test_a_known_label_out_of_range_is_refused_at_once() -> None:
    with pytest.raises(LabelError, match="-1 at index 1"):
        losses.SparseCategoricalCrossentropy()([0, -1], np.ones((2, 3)))


SPARSE = losses.SparseCategoricalCrossentropy()
BINARY = losses.BinaryCrossentropy()
ONE_HOT = losses.CategoricalCrossentropy()
HINGE = losses.Hinge()
BAD = [
    (SPARSE, [0, -1], (2, 3), "-1 at index 1", "from 0 to 2", "count the classes from 0"),
    (SPARSE, [0, 12], (2, 10), "12 at index 1", "from 0 to 9", "a last layer of 13 units"),
    (SPARSE, [0.0, 0.5], (2, 3), "0.5 at index 1", "whole numbers", "count the classes from 0"),
    (SPARSE, [0, 1], (2, 1), "1 at index 1", "from 0 to 0", "binary_crossentropy"),
    (SPARSE, [[1, 0, 0]], (1, 3), "shape (1, 3)", "shape (1,)", "categorical_crossentropy"),
    (SPARSE, [0.0, np.nan], (2, 3), "nan at index 1", "whole numbers", "count the classes"),
    (BINARY, [[0.0], [2.0]], (2, 1), "2.0 at index (1, 0)", "0 or 1", "(y + 1) / 2"),
    (BINARY, [[-1.0]], (1, 1), "-1.0 at index (0, 0)", "0 or 1", "(y + 1) / 2"),
    (ONE_HOT, [0, 1], (2, 3), "shape (2,)", "[1, 0, 0]", "sparse_categorical_crossentropy"),
    (ONE_HOT, [[1, 0]], (1, 3), "shape (1, 2)", "[1, 0, 0]", "sparse_categorical_crossentropy"),
    (ONE_HOT, [[1, 0], [1, 1]], (2, 2), "2 at index 1", "sum to 1", "binary_crossentropy"),
    (ONE_HOT, [[2, -1]], (1, 2), "2 at index (0, 0)", "0 or 1", "one_hot"),
    (HINGE, [[0.5]], (1, 1), "0.5 at index (0, 0)", "-1 or 1", "2 * y - 1"),
    (HINGE, [[-1.0], [0.0]], (2, 1), "0.0 at index (1, 0)", "-1 or 1", "one way"),
    (losses.Poisson(), [[-1.0]], (1, 1), "-1.0 at index (0, 0)", "0 or more", "mean_squared"),
    (losses.MeanSquaredLogarithmicError(), [[-2.0]], (1, 1), "-2.0", "0 or more", "mean_squared"),
    (losses.KLDivergence(), [[2.0, 3.0]], (1, 2), "2.0", "from 0 to 1", "divide each row"),
    (losses.MeanSquaredError(), [[np.nan]], (1, 1), "nan", "finite", "leave rows"),
    (losses.Circle(), [0.5], (1, 4), "0.5 at index 0", "whole numbers", "number the classes"),
    (losses.CTC(), [[5, 0]], (1, 9, 5), "5 at index (0, 0)", "from 0 to 4", "6 units"),
]


@pytest.mark.parametrize(("loss", "labels", "shape", "found", "needed", "advice"), BAD)
def test_labels_that_cannot_be_used_are_named(
    loss: losses.Loss, labels: list[float], shape: tuple[int, ...], found: str, needed: str,
    advice: str,
) -> None:  # fmt: skip
    with pytest.raises(LabelError) as caught:
        loss.check_labels(np.array(labels), shape)
    assert found in caught.value.found
    assert needed in caught.value.needed
    assert advice in caught.value.try_
    assert loss.name in str(caught.value)


def test_ignored_labels_pass() -> None:
    loss = losses.SparseCategoricalCrossentropy(ignore_class=255)
    loss.check_labels(np.array([0, 255]), (2, 3))


def test_smoothed_and_rounded_rows_pass() -> None:
    rows = np.full((4, 3), 1 / 3, np.float32)
    losses.CategoricalCrossentropy().check_labels(rows, (None, 3))


def test_weights_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError) as caught:
        losses.MeanSquaredError()(np.zeros((4, 1)), np.zeros((4, 1)), np.ones(3))
    assert text_of(caught.value) == (
        "mean_squared_error: sample_weight does not fit the numbers it weighs\n"
        "  found:  sample_weight: (3,), the numbers: (4,)\n"
        "  needed: (4,)\n"
        "  try:    one weight for each sample, in the order of the samples"
    )


def test_weights_of_samples_need_samples() -> None:
    with pytest.raises(ShapeError) as caught:
        losses.Dice()(np.zeros((4, 1)), np.zeros((4, 1)), np.ones(4))
    assert "no weights: this is one number for the whole batch" in str(caught.value)


def test_an_unknown_name_tells_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match='did you mean "MeanSquaredError"') as caught:
        losses.get("mean_sqared_error")
    assert "there is no loss called 'mean_sqared_error'" in str(caught.value)


def test_what_is_no_loss_is_refused() -> None:
    with pytest.raises(ArgumentError, match="this is not one"):
        losses.get(3)
    with pytest.raises(ArgumentError, match="no fn"):
        losses.get("LossFunctionWrapper")


def test_q_between_0_and_1() -> None:
    with pytest.raises(ArgumentError, match="q lies between 0 and 1"):
        losses.CategoricalGeneralizedCrossEntropy(q=1.0)


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred"),
    [
        (losses.CTC(), (2, 3), (2, 3)),
        (losses.CTC(), (3, 3), (2, 5, 3)),
        (losses.Circle(), (2, 3), (2, 3)),
    ],
    ids=str,
)
def test_losses_with_shapes_of_their_own_check_them(
    loss: losses.Loss, y_true: tuple[int, ...], y_pred: tuple[int, ...]
) -> None:
    with pytest.raises(ShapeError, match=loss.name):
        loss(np.zeros(y_true, int), np.zeros(y_pred))


@pytest.mark.parametrize(
    ("given", "predicted", "expected"),
    [
        ((5,), (5, 1), (5, 1)),
        ((5, 1), (5,), (5,)),
        ((5, 2), (5, 2, 1), (5, 2, 1)),
        ((5,), (5, 3), (5,)),
        ((5, 1), (5, 3), (5, 1)),
        ((5, 1), (5, 1), (5, 1)),
    ],
)
def test_only_a_missing_axis_of_one_is_matched(
    given: tuple[int, ...], predicted: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    assert match_target_rank(np.zeros(given), np.zeros(predicted)).shape == expected
