"""Each loss is safe, differentiable, compiles, is saved by name; weights and masks count."""

from __future__ import annotations

import math

import numpy as np
import pytest

import clearprop as cp
from clearprop import losses
from clearprop.functions import check_gradients
from clearprop.registry import describe, rebuild
from tests.losses.examples import EXAMPLES, KERAS, Example

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=str)
KINDS = {
    *("index", "one_hot", "binary", "hinge", "distribution", "nonnegative"),
    *("regression", "sequence", "identity"),
}


def made(example: Example, **arguments: object) -> losses.Loss:
    return getattr(losses, example.loss)(**example.arguments, **arguments)


# -- every loss -------------------------------------------------------------------------


@each_example
def test_gradients_are_those_of_finite_differences(example: Example) -> None:
    loss = made(example)
    report = check_gradients(lambda p: loss(example.y_true, p), example.y_pred)
    assert report.passed, str(report)


@each_example
def test_compiled_is_the_same(example: Example) -> None:
    loss = made(example)
    compiled = cp.compile(loss)
    y_true = example.y_true
    direct = loss(y_true, example.y_pred).numpy()
    np.testing.assert_allclose(compiled(y_true, example.y_pred).numpy(), direct, rtol=1e-12)


@each_example
def test_every_reduction_is_one_of_the_samples_losses(example: Example) -> None:
    each = made(example, reduction=None)(example.y_true, example.y_pred).numpy()
    total = made(example, reduction="sum")(example.y_true, example.y_pred)
    np.testing.assert_allclose(float(total), each.sum(), rtol=1e-12)


@each_example
def test_a_description_rebuilds_it(example: Example) -> None:
    loss = made(example, reduction="sum")
    again = rebuild(describe(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


@each_example
def test_functions_and_classes_agree(example: Example) -> None:
    loss = made(example, reduction=None)
    assert isinstance(loss, losses.FunctionLoss)
    options = {"q": 0.5} if example.loss.startswith("CategoricalGen") else {}
    direct = loss.function(example.y_true, example.y_pred, **options | example.arguments)
    expected = loss(example.y_true, example.y_pred)
    if example.arguments.get("ignore_class") is None and example.loss != "Circle":
        assert direct.numpy().tolist() == expected.numpy().tolist()


@each_example
def test_its_own_labels_pass_its_check(example: Example) -> None:
    loss = made(example)
    assert loss.label_kind in KINDS
    loss.check_labels(example.y_true, example.y_pred.shape)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each_example
def test_the_loss_has_the_type_of_the_predictions(example: Example, dtype: str) -> None:
    y_true = example.y_true.astype("float32") if example.loss != "CTC" else example.y_true
    assert made(example)(y_true, example.y_pred.astype(dtype)).dtype == dtype


@pytest.mark.parametrize("name", sorted({example.loss for example in KERAS}))
def test_bad_names_of_reductions_are_refused(name: str) -> None:
    with pytest.raises(cp.errors.ArgumentError, match="'average'"):
        getattr(losses, name)(reduction="average")


# -- extreme numbers ----------------------------------------------------------------------


LOGITS = [[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4], [0.0, 1e4, 1e4]]
EXTREME = [
    ("BinaryCrossentropy", {"from_logits": True}, [[0, 1, 1], [1, 0, 0], [0, 1, 0]]),
    ("BinaryFocalCrossentropy", {"from_logits": True}, [[0, 1, 1], [1, 0, 0], [0, 1, 0]]),
    ("CategoricalCrossentropy", {"from_logits": True}, np.eye(3)[[1, 2, 0]]),
    ("CategoricalFocalCrossentropy", {"from_logits": True}, np.eye(3)[[1, 2, 0]]),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, [1, 2, 0]),
    ("Hinge", {}, [[-1, 1, 1], [1, -1, -1], [-1, 1, -1]]),
    ("CategoricalHinge", {}, np.eye(3)[[1, 2, 0]]),
    ("LogCosh", {}, np.zeros((3, 3))),
    ("Huber", {}, np.zeros((3, 3))),
    ("CosineSimilarity", {}, np.zeros((3, 3))),
    ("CTC", {}, [[1, 2], [2, 0], [1, 1]]),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "arguments", "y_true"), EXTREME, ids=lambda x: str(x)[:24])
def test_extreme_scores_have_finite_losses_and_gradients(
    name: str, arguments: dict[str, bool], y_true: object, dtype: str
) -> None:
    scores = np.array(LOGITS, dtype)
    if name == "CTC":
        scores = np.stack([scores] * 3)
    prediction = cp.parameter(scores)
    loss = getattr(losses, name)(**arguments)(np.array(y_true), prediction)
    loss.backward()
    assert np.isfinite(loss.numpy())
    assert np.isfinite(prediction.grad.numpy()).all()


def test_crossentropy_from_logits_is_linear_far_from_the_truth() -> None:
    loss = losses.BinaryCrossentropy(from_logits=True, reduction=None)
    assert loss([[1.0], [0.0]], [[-1e4], [-1e4]]).tolist() == [1e4, 0.0]


def test_crossentropy_of_near_logits_keeps_its_digits() -> None:
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    value = float(loss([0], np.array([[10000.0, 9999.0]], np.float32)))
    assert value == pytest.approx(math.log1p(math.exp(-1)), rel=1e-6)


@pytest.mark.parametrize("name", ["BinaryCrossentropy", "BinaryFocalCrossentropy"])
def test_certain_and_wrong_probabilities_have_finite_losses(name: str) -> None:
    prediction = cp.parameter([[1.0, 0.0]])
    loss = getattr(losses, name)()([[0.0, 1.0]], prediction)
    loss.backward()
    assert float(loss) == pytest.approx(-math.log(1e-7), rel=0.02)
    assert np.isfinite(prediction.grad.numpy()).all()


def test_a_class_of_probability_zero_has_a_finite_gradient() -> None:
    prediction = cp.parameter([[0.0, 1.0]])
    loss = losses.CategoricalGeneralizedCrossEntropy()([0], prediction)
    loss.backward()
    assert float(loss) == pytest.approx(2.0)
    assert np.isfinite(prediction.grad.numpy()).all()


def test_labels_that_need_more_steps_than_there_are_have_an_infinite_loss() -> None:
    logits = cp.parameter(np.zeros((2, 2, 3)))
    loss = losses.CTC(reduction=None)([[1, 1], [1, 2]], logits)
    assert loss.numpy()[0] == math.inf
    assert loss.numpy()[1] == pytest.approx(-math.log(1 / 9))
    loss[1].backward()
    assert np.isfinite(logits.grad.numpy()).all()


def test_an_embedding_without_a_partner_has_no_loss_and_a_finite_gradient() -> None:
    embeddings = cp.parameter([[1.0, 0.0]])
    loss = losses.Circle()([3], embeddings)
    loss.backward()
    assert float(loss) == 0.0
    assert embeddings.grad.tolist() == [[0.0, 0.0]]


# -- closed forms ---------------------------------------------------------------------------


def test_textbook_sums_of_squares() -> None:
    y, p = [[1.0, 2.0], [3.0, 4.0]], [[1.0, 4.0], [0.0, 4.0]]
    assert float(losses.ResidualSumOfSquares()(y, p)) == 13.0
    assert float(losses.HalfSquaredError()(y, p)) == (2.0 + 4.5) / 2
    assert float(losses.MeanSquaredError()(y, p)) == 13.0 / 4


def test_half_squared_error_has_the_error_as_derivative() -> None:
    prediction = cp.parameter([[3.0, 1.0]])
    losses.HalfSquaredError()([[1.0, 1.5]], prediction).backward()
    assert prediction.grad.tolist() == [[2.0, -0.5]]


def test_softmax_crossentropy_has_probability_minus_label_as_derivative() -> None:
    logits = cp.parameter([[1.0, 2.0, 3.0]])
    losses.SparseCategoricalCrossentropy(from_logits=True)([2], logits).backward()
    expected = cp.softmax(logits).numpy() - [[0, 0, 1]]
    np.testing.assert_allclose(logits.grad.numpy(), expected, atol=1e-7)


def test_index_labels_and_one_hot_labels_have_one_loss() -> None:
    logits, labels = np.random.default_rng(1).normal(size=(6, 4)), np.array([0, 3, 2, 1, 1, 0])
    by_index = losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    by_row = losses.CategoricalCrossentropy(from_logits=True)(np.eye(4)[labels], logits)
    assert float(by_index) == pytest.approx(float(by_row), rel=1e-12)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64", "float32", "bool"])
def test_class_numbers_may_have_any_type(dtype: str) -> None:
    labels = np.array([0, 1], dtype)
    value = losses.SparseCategoricalCrossentropy(from_logits=True)(labels, [[0.0, 9.0]] * 2)
    assert float(value) == pytest.approx(4.5, abs=1e-3)


def test_more_classes_than_a_label_type_can_count() -> None:
    logits = np.zeros((2, 300))
    value = losses.SparseCategoricalCrossentropy(from_logits=True)(np.array([0, 127], "i1"), logits)
    assert float(value) == pytest.approx(math.log(300))


def test_hinge_takes_0_and_1_for_signs() -> None:
    signs = losses.Hinge()([[-1.0, 1.0]], [[0.3, 0.4]])
    assert float(losses.Hinge()([[0.0, 1.0]], [[0.3, 0.4]])) == float(signs)


def test_ctc_counts_all_ways() -> None:
    # Three steps spell "1" by 1--, -1-, --1, 11-, -11 and 111: six of eight equal ways.
    loss = losses.CTC()([[1]], np.zeros((1, 3, 2)))
    assert float(loss) == pytest.approx(-math.log(6 / 8))


# -- weights and masks ------------------------------------------------------------------------


Y, P = np.zeros((3, 1)), np.array([[1.0], [2.0], [3.0]])


def test_weights_weigh_and_the_number_of_samples_divides() -> None:
    assert float(losses.MeanSquaredError()(Y, P, [1.0, 0.0, 2.0])) == pytest.approx(19 / 3)
    by_weight = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    assert float(by_weight(Y, P, [1.0, 0.0, 2.0])) == pytest.approx(19 / 3)
    assert float(by_weight(Y, P, [1.0, 0.0, 4.0])) == pytest.approx(37 / 5)


@pytest.mark.parametrize("weight", [[1, 0, 2], [[1], [0], [2]], np.array([1, 0, 2], "int8")])
def test_weights_of_one_per_sample(weight: object) -> None:
    assert float(losses.MeanSquaredError(reduction="sum")(Y, P, weight)) == 19.0


def test_weights_of_samples_spread_over_their_steps() -> None:
    y, p = np.zeros((2, 3, 1)), np.ones((2, 3, 1))
    each = losses.MeanSquaredError(reduction=None)(y, p, [1.0, 2.0])
    assert each.tolist() == [[1.0] * 3, [2.0] * 3]


def test_what_the_mask_leaves_out_does_not_count() -> None:
    masked = losses.MeanSquaredError()(Y, P, mask=[True, False, True])
    assert float(masked) == pytest.approx(5.0)
    unknown = np.array([[1.0], [np.nan], [3.0]])
    assert float(losses.MeanSquaredError()(Y, unknown, mask=[True, False, True])) == 5.0


def test_a_mask_of_nothing_gives_zero() -> None:
    assert float(losses.MeanSquaredError()(Y, P, mask=[False] * 3)) == 0.0
    by_weight = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    assert float(by_weight(Y, P, [0.0, 0.0, 0.0])) == 0.0


def test_ignored_classes_do_not_count_in_the_mean() -> None:
    logits = np.random.default_rng(2).normal(size=(4, 3))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    some, kept = loss([0, -1, 2, -1], logits), loss([0, 2], logits[[0, 2]])
    assert float(some) == pytest.approx(float(kept))
    masked = loss([0, -1, 2, -1], logits, mask=[True, True, False, False])
    assert float(masked) == pytest.approx(float(loss([0], logits[:1])))


def test_an_empty_batch_has_no_loss() -> None:
    assert float(losses.MeanSquaredError()(np.zeros((0, 2)), np.zeros((0, 2)))) == 0.0


# -- losses of users ----------------------------------------------------------------------------


def test_a_loss_of_ones_own() -> None:
    class Cubed(losses.Loss):
        def call(self, y_true: cp.Tensor, y_pred: cp.Tensor) -> cp.Tensor:
            return cp.mean(cp.abs(y_true - y_pred) ** 3, axis=-1)

    assert Cubed().name == "cubed"
    assert float(Cubed()([[1.0]], [[3.0]])) == 8.0
    with pytest.raises(cp.errors.ShapeError, match="different shapes"):
        Cubed()([1.0, 2.0], [[1.0], [2.0]])


def test_a_function_of_ones_own() -> None:
    def scaled(y_true: cp.Tensor, y_pred: cp.Tensor, factor: float = 1.0) -> cp.Tensor:
        return cp.mean(y_pred - y_true, axis=-1) * factor

    assert losses.get(scaled).name == "scaled"
    wrapped = losses.LossFunctionWrapper(scaled, reduction="sum", factor=3.0)
    assert float(wrapped([[1.0], [1.0]], [[2.0], [3.0]])) == 9.0
    assert wrapped.get_config()["factor"] == 3.0


def test_a_wrapped_function_of_this_room_can_be_saved() -> None:
    wrapped = losses.LossFunctionWrapper(losses.huber, delta=0.5)
    again = rebuild(describe(wrapped))
    assert again.get_config() == wrapped.get_config()


# -- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mse", losses.MeanSquaredError),
        ("MAE", losses.MeanAbsoluteError),
        ("mape", losses.MeanAbsolutePercentageError),
        ("msle", losses.MeanSquaredLogarithmicError),
        ("bce", losses.BinaryCrossentropy),
        ("kld", losses.KLDivergence),
        ("kl_divergence", losses.KLDivergence),
        ("huber", losses.Huber),
        ("log_cosh", losses.LogCosh),
        ("sparse_categorical_crossentropy", losses.SparseCategoricalCrossentropy),
        ("ctc", losses.CTC),
        ("residual_sum_of_squares", losses.ResidualSumOfSquares),
        ("half_squared_error", losses.HalfSquaredError),
        (losses.hinge, losses.Hinge),
        (losses.Poisson, losses.Poisson),
        (losses.Huber(3.0), losses.Huber),
    ],
)
def test_losses_go_by_their_names(name: object, kind: type[losses.Loss]) -> None:
    assert type(losses.get(name)) is kind


def test_every_loss_goes_by_its_own_names() -> None:
    for example in EXAMPLES:
        kind = getattr(losses, example.loss)
        assert type(losses.get(example.loss)) is kind
        assert type(losses.get(kind().name)) is kind


def test_representations_tell_what_was_chosen() -> None:
    assert repr(losses.Huber()) == "Huber()"
    assert (
        repr(losses.BinaryCrossentropy(from_logits=True)) == "BinaryCrossentropy(from_logits=True)"
    )
