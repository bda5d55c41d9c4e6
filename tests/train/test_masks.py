"""Losses and metrics leave masked steps out; stateful layers go on from batch to batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import ShapeError
from clearprop.layers import GRU, Dense, Input, Masking

RNG = np.random.default_rng(2)
MASK = np.arange(5) < RNG.integers(1, 6, (8, 1))
X = (RNG.normal(size=(8, 5, 3)) * MASK[..., None]).astype(np.float32)
Y = RNG.normal(size=(8, 5, 2)).astype(np.float32)


def model(loss: Any = "mse", **options: Any) -> cp.Model:
    net = cp.Sequential([Input((5, 3)), Masking(), Dense(2)])
    net.compile(cp.optimizers.SGD(0.1), loss, **options)
    return net


def errors(net: cp.Model) -> np.ndarray:
    return ((net.predict(X) - Y) ** 2).mean(-1)


def test_a_loss_is_the_mean_over_the_steps_that_count() -> None:
    net = model()
    expected = errors(net)[MASK].mean()
    assert net.evaluate(X, Y)["loss"] == pytest.approx(expected, rel=1e-5)
    summed = model(cp.losses.MeanSquaredError(reduction="sum"))
    summed.set_weights(net.get_weights())
    total = errors(net)[MASK].sum()
    assert summed.evaluate(X, Y)["loss"] == pytest.approx(total, rel=1e-5)


def test_weights_of_samples_and_masks_go_together() -> None:
    weight = np.arange(8.0)
    net = model(metrics=["mae"], weighted_metrics=[cp.metrics.MeanSquaredError(name="w")])
    found = net.evaluate(X, Y, sample_weight=weight)
    weighted = (errors(net) * weight[:, None])[MASK]
    spread = (MASK * weight[:, None]).sum()
    assert found["loss"] == pytest.approx(weighted.sum() / MASK.sum(), rel=1e-5)
    absolute = np.abs(net.predict(X) - Y).mean(-1)[MASK]
    assert found["mae"] == pytest.approx(absolute.mean(), rel=1e-5)
    assert found["w"] == pytest.approx(weighted.sum() / spread, rel=1e-5)


METRICS: dict[str, Any] = {
    "accuracy": lambda: cp.metrics.BinaryAccuracy(),
    "precision": lambda: cp.metrics.Precision(),
    "recall": lambda: cp.metrics.Recall(),
    "auc": lambda: cp.metrics.AUC(),
    "mae": lambda: cp.metrics.MeanAbsoluteError(),
    "rmse": lambda: cp.metrics.RootMeanSquaredError(),
}


@pytest.mark.parametrize("name", METRICS)
def test_metrics_count_what_the_mask_lets_through(name: str) -> None:
    labels = (Y > 0).astype(np.float32)
    net = cp.Sequential([Input((5, 3)), Masking(), Dense(2, "sigmoid")])
    net.compile("sgd", "binary_crossentropy", metrics=[METRICS[name]()])
    found = [value for key, value in net.evaluate(X, labels).items() if key != "loss"]
    metric = METRICS[name]()
    metric.update_state(labels[MASK], net.predict(X)[MASK])
    np.testing.assert_allclose(found, [float(metric.result())], rtol=1e-5)


def test_what_is_masked_teaches_nothing() -> None:
    nets = [model(), model()]
    nets[1].set_weights(nets[0].get_weights())
    for net, target in zip(nets, (Y, np.where(MASK[..., None], Y, 1e4)), strict=True):
        net.fit(X, target, epochs=2, verbose=0)
    for one, other in zip(*(net.get_weights() for net in nets), strict=True):
        np.testing.assert_array_equal(one, other)


def test_gradients_of_a_masked_loss_can_be_measured() -> None:
    words = np.where(MASK, RNG.integers(1, 6, (8, 5)), 0)
    embedding = cp.layers.Embedding(6, 3, mask_zero=True)
    net = cp.Sequential([Input((5,), dtype="int32"), embedding, Dense(2)])
    net.compile("sgd", "mse")
    assert net.check_gradients(words, Y)


def test_masks_of_several_outputs_are_their_own() -> None:
    x = Input((5, 3))
    masked = Masking()(x)
    mean = cp.layers.GlobalAveragePooling1D()(masked)
    outputs = [Dense(2, name="steps")(masked), Dense(1, name="one")(mean)]
    net = cp.Model(x, outputs)
    net.compile("sgd", ["mse", "mse"])
    one = RNG.normal(size=(8, 1))
    steps, whole = net.predict(X)
    found = net.evaluate(X, [Y, one])
    expected = ((steps - Y) ** 2).mean(-1)[MASK].mean()
    assert found["steps_loss"] == pytest.approx(expected, rel=1e-5)
    assert found["one_loss"] == pytest.approx(((whole - one) ** 2).mean(), rel=1e-5)


# -- stateful layers ----------------------------------------------------------------------------


def stateful(batch: int = 4, **options: Any) -> cp.Model:
    net = cp.Sequential([Input((5, 3), batch_size=batch), GRU(2, stateful=True), Dense(1)])
    net.compile("sgd", "mse", **options)
    return net


def remembered(net: Any) -> np.ndarray:
    (state,) = net.layers[0].states
    return np.array(state.numpy())


def test_predict_goes_on_from_batch_to_batch() -> None:
    net = stateful()
    layer, last = net.layers
    found = net.predict(X, batch_size=4)
    after = remembered(net)
    net.reset_state()
    assert not remembered(net).any()
    expected = np.concatenate([last(layer(X[:4])).numpy(), last(layer(X[4:])).numpy()])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(after, remembered(net), rtol=1e-5, atol=1e-6)


def test_fit_goes_on_too_and_states_are_saved(tmp_path: Any) -> None:
    net = stateful()
    net.fit(X, Y[:, 0, :1], batch_size=4, epochs=3, shuffle=False, verbose=0)
    assert remembered(net).any()
    assert len(net.get_weights()) == 5
    net.save(tmp_path / "net.safetensors")
    again = cp.load_model(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(remembered(again), remembered(net))
    found, expected = (each.predict(X, batch_size=4) for each in (again, net))
    np.testing.assert_array_equal(found, expected)


def test_evaluate_goes_on_too() -> None:
    net = stateful(metrics=["mae"])
    first = net.evaluate(X, Y[:, 0, :1], batch_size=4)
    after = remembered(net)
    second = net.evaluate(X, Y[:, 0, :1], batch_size=4)
    net.reset_state()
    assert net.evaluate(X, Y[:, 0, :1], batch_size=4) == first != second
    np.testing.assert_array_equal(remembered(net), after)


@pytest.mark.parametrize("doing", ["fit", "evaluate", "predict"])
def test_other_batches_are_refused_before_anything_runs(doing: str) -> None:
    net = stateful()
    before = net.get_weights()
    targets = () if doing == "predict" else (Y[:7, 0, :1],)
    with pytest.raises(ShapeError, match=f'{doing}: "sequential" has stateful layers') as caught:
        getattr(net, doing)(X[:7], *targets, batch_size=4)
    assert "needed: batch_size=4, and a multiple of 4 samples" in str(caught.value)
    assert "leave out 3 samples" in str(caught.value)
    for one, other in zip(net.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
