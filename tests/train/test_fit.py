"""What ``fit`` and ``evaluate`` do: epochs, batches, histories, validation, weights of samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.executors.choose import choose_executor
from clearprop.train.orders import RowOrders, row_order
from tests.train.nets import CLASSES, X, classifier, two_ended

Y = X[:, :2] * 0.5


def regression(**compiled: Any) -> cp.Model:
    model = cp.Sequential([cp.layers.Dense(4, "tanh"), cp.layers.Dense(2)])
    model.compile(compiled.pop("optimizer", "sgd"), "mse", **compiled)
    return model


class Batches(cp.callbacks.Callback):
    """Counts what is called."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("epoch", epoch))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.calls.append(batch)


# -- epochs and histories ------------------------------------------------------------------------


def test_the_history_has_one_number_for_each_epoch_and_name() -> None:
    model = classifier()
    history = model.fit(X, CLASSES, epochs=3, validation_split=0.2, verbose=0)
    names = ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert list(history.history) == names
    assert [len(values) for values in history.history.values()] == [3] * 4
    assert history.epoch == [0, 1, 2]
    assert all(type(value) is float for value in history.history["accuracy"])


def test_epochs_are_counted_from_the_initial_one_to_the_last() -> None:
    model, batches = regression(), Batches()
    history = model.fit(X, Y, epochs=7, initial_epoch=5, callbacks=[batches], verbose=0)
    assert history.epoch == [5, 6]
    assert [call for call in batches.calls if type(call) is tuple] == [("epoch", 5), ("epoch", 6)]
    assert model.fit(X, Y, epochs=5, initial_epoch=5, verbose=0).history == {}


def test_the_model_keeps_the_history_of_all_fits() -> None:
    model = regression()
    first = model.fit(X, Y, epochs=2, verbose=0)
    second = model.fit(X, Y, epochs=3, verbose=0)
    assert len(first.history["loss"]) == 2
    assert model.history.history["loss"] == first.history["loss"] + second.history["loss"]


def test_the_history_of_several_outputs_names_each() -> None:
    model = two_ended()
    losses = {"price": "mse", "kind": "sparse_categorical_crossentropy"}
    model.compile("adam", losses, {"kind": ["accuracy"], "price": "mae"}, loss_weights=[1.0, 2.0])
    y = {"price": Y[:, :1], "kind": CLASSES}
    history = model.fit([X, X], y, validation_split=0.2, verbose=0).history
    own = ["loss", "kind_loss", "price_loss", "kind_accuracy", "price_mae"]
    assert sorted(history) == sorted([*own, *(f"val_{name}" for name in own)])


def test_the_total_is_the_weighted_sum_of_the_losses_of_all_outputs() -> None:
    model = two_ended()
    losses = {"price": "mse", "kind": "sparse_categorical_crossentropy"}
    model.compile("adam", losses, loss_weights={"price": 0.5, "kind": 3.0})
    told = model.evaluate([X, X], {"price": Y[:, :1], "kind": CLASSES})
    assert told["loss"] == pytest.approx(0.5 * told["price_loss"] + 3.0 * told["kind_loss"])


# -- batches -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("batch_size", "count"), [(70, 1), (35, 2), (32, 3), (1, 70), (500, 1)])
def test_each_epoch_has_all_batches_the_last_by_its_own_size(batch_size: int, count: int) -> None:
    model, batches = regression(), Batches()
    model.fit(X, Y, batch_size=batch_size, callbacks=[batches], verbose=0)
    assert batches.calls == [("epoch", 0), *range(count)]
    assert model.training_state.steps == count


def test_a_smaller_last_batch_counts_by_its_samples() -> None:
    model = regression(optimizer=cp.optimizers.SGD(0.0))
    history = model.fit(X, Y, batch_size=32, shuffle=False, verbose=0).history
    expected = float(np.mean((model.predict(X) - Y) ** 2))
    assert history["loss"][0] == pytest.approx(expected, rel=1e-5)


def test_the_last_batch_trains_with_the_mean_over_its_own_samples() -> None:
    split, whole = regression(seed=1), regression(seed=1)
    split.fit(X[:40], Y[:40], batch_size=32, shuffle=False, verbose=0)
    whole.fit(X[:32], Y[:32], batch_size=32, shuffle=False, verbose=0)
    whole.fit(X[32:40], Y[32:40], batch_size=8, shuffle=False, verbose=0)
    for one, other in zip(split.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


# -- the order of the rows -----------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 70, 1000])
def test_each_row_comes_once_in_an_order_of_seed_and_epoch(count: int) -> None:
    orders = [row_order(seed, epoch, count, shuffle=True) for seed in (0, 1) for epoch in (0, 1)]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(count))
    np.testing.assert_array_equal(orders[0], row_order(0, 0, count, shuffle=True))
    if count >= 70:
        assert len({tuple(order) for order in orders}) == 4
    np.testing.assert_array_equal(row_order(0, 3, count, shuffle=False), np.arange(count))


@pytest.mark.parametrize("name", ["reference", "native"])
@pytest.mark.parametrize("count", [7, 5000])
def test_orders_are_the_same_on_every_executor(name: str, count: int) -> None:
    for shuffle in (True, False):
        orders = RowOrders(choose_executor(name), 3, count, shuffle=shuffle)
        for epoch in (0, 5):
            expected = row_order(3, epoch, count, shuffle=shuffle)
            np.testing.assert_array_equal(orders.of(epoch), expected)
            assert sorted(expected.tolist()) == list(range(count))


def test_all_places_are_equally_likely() -> None:
    places = np.zeros((5, 5))
    for epoch in range(4000):
        places[np.arange(5), row_order(7, epoch, 5, shuffle=True)] += 1
    assert np.abs(places / 4000 - 0.2).max() < 0.03  # 4.7 standard deviations


# -- validation ----------------------------------------------------------------------------------


def test_the_validation_split_is_the_last_samples() -> None:
    split, given = classifier(seed=2), classifier(seed=2)
    first = split.fit(X, CLASSES, epochs=2, validation_split=0.3, verbose=0).history
    data = (X[49:], CLASSES[49:])
    second = given.fit(X[:49], CLASSES[:49], epochs=2, validation_data=data, verbose=0).history
    assert first == second


def test_validation_comes_every_so_many_epochs() -> None:
    history = regression().fit(X, Y, epochs=5, validation_split=0.2, validation_freq=2, verbose=0)
    assert len(history.history["val_loss"]) == 2


def test_a_printed_history_shows_validation_at_the_epochs_that_had_it() -> None:
    model = classifier()
    model.fit(X, CLASSES, epochs=4, validation_data=(X, CLASSES), validation_freq=2, verbose=0)
    head, _, *rows = str(model.history).splitlines()
    start = head.index("val_loss")
    assert [bool(row[start : start + 8].strip()) for row in rows] == [False, True, False, True]


def test_validation_changes_nothing_in_the_training() -> None:
    with_, without = classifier(seed=2), classifier(seed=2)
    first = with_.fit(X, CLASSES, epochs=3, validation_data=(X, CLASSES), verbose=0).history
    second = without.fit(X, CLASSES, epochs=3, verbose=0).history
    assert first["loss"] == second["loss"]
    for one, other in zip(with_.get_weights(), without.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_sample_and_class_weights_count_in_validation_too() -> None:
    weight = np.linspace(0.0, 2.0, 70)
    model = regression(optimizer=cp.optimizers.SGD(0.0))
    data = (X, Y, weight)
    history = model.fit(X, Y, sample_weight=weight, validation_data=data, verbose=0).history
    errors = np.mean((model.predict(X) - Y) ** 2, axis=1)
    assert history["val_loss"][0] == pytest.approx(float(np.mean(errors * weight)), rel=1e-5)
    assert history["loss"][0] == pytest.approx(history["val_loss"][0], rel=1e-5)

    judged = classifier(cp.optimizers.SGD(0.0))
    told = judged.fit(
        X, CLASSES, class_weight={0: 5.0, 1: 0.5}, validation_data=(X, CLASSES), verbose=0
    ).history
    of_class = np.array([5.0, 0.5, 1.0])[CLASSES]
    weighted = judged.evaluate(X, CLASSES, sample_weight=of_class)["loss"]
    assert told["val_loss"][0] == pytest.approx(weighted, rel=1e-5)


def test_evaluate_is_a_dict_of_the_names_in_the_history() -> None:
    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    told = model.evaluate(X, CLASSES)
    assert list(told) == ["loss", "accuracy"]
    correct = np.argmax(model.predict(X), axis=1) == CLASSES
    assert told["accuracy"] == pytest.approx(float(np.mean(correct)))


@pytest.mark.parametrize("batch_size", [1, 7, 70, 100])
def test_evaluate_does_not_depend_on_the_batch_size(batch_size: int) -> None:
    model = classifier()
    expected, found = (model.evaluate(X, CLASSES, batch_size=n) for n in (32, batch_size))
    assert found == pytest.approx(expected, rel=1e-5)


# -- what is added to the loss -------------------------------------------------------------------


def test_regularizers_add_to_the_loss_of_training_and_evaluation() -> None:
    layer = cp.layers.Dense(2, kernel_regularizer=cp.regularizers.L2(0.5), name="only")
    model = cp.Sequential([layer])
    model.compile(cp.optimizers.SGD(0.0), "mse", ["mse"])
    trained = model.fit(X, Y, verbose=0).history
    told = model.evaluate(X, Y)
    penalty = 0.5 * float(np.sum(layer.kernel.numpy() ** 2))
    assert trained["loss"][0] - trained["mse"][0] == pytest.approx(penalty, rel=1e-4)
    assert told["loss"] - told["mse"] == pytest.approx(penalty, rel=1e-4)


class Pull(cp.layers.Layer):
    def call(self, inputs: Any) -> Any:
        self.add_loss(cp.mean(inputs * inputs))
        return inputs


def test_a_model_whose_layers_add_the_whole_loss_needs_no_targets() -> None:
    model = cp.Sequential([cp.layers.Dense(3), Pull()])
    model.compile(cp.optimizers.SGD(0.5))
    losses = model.fit(X, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.1 * losses[0]
    told = model.evaluate(X)
    assert told == {"loss": pytest.approx(float(np.mean(model.predict(X) ** 2)), rel=1e-5)}


def test_metrics_that_keep_rows_work_in_training() -> None:
    model = classifier()
    model.compile("adam", model.arguments.loss, ["accuracy", cp.metrics.ConfusionMatrix(3)])
    history = model.fit(X, CLASSES, verbose=0).history
    matrix = np.asarray(history["confusion_matrix"][0])
    assert matrix.shape == (3, 3)
    assert matrix.sum() == 70


# -- stopping ------------------------------------------------------------------------------------


class Interrupt(cp.callbacks.Callback):
    def __init__(self, batch: int) -> None:
        self.batch = batch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == self.batch:
            raise KeyboardInterrupt


def test_an_interrupted_model_is_usable_and_goes_on_as_if_nothing_happened() -> None:
    model, whole = classifier(seed=4), classifier(seed=4)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, CLASSES, epochs=4, batch_size=8, callbacks=[Interrupt(5)], verbose=0)
    assert np.isfinite(model.predict(X)).all()
    assert np.isfinite(model.evaluate(X, CLASSES)["loss"])
    model.fit(X, CLASSES, epochs=4, batch_size=8, verbose=0)
    whole.fit(X, CLASSES, epochs=4, batch_size=8, verbose=0)
    assert model.history.history == whole.history.history
    for one, other in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_other_samples_begin_a_new_epoch() -> None:
    model = classifier(seed=4)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, CLASSES, batch_size=8, callbacks=[Interrupt(5)], verbose=0)
    batches = Batches()
    model.fit(X + 1, CLASSES, batch_size=8, callbacks=[batches], verbose=0)
    assert batches.calls == [("epoch", 0), *range(9)]


def test_evaluate_may_give_the_values_alone() -> None:
    model = classifier()
    loss, accuracy = model.evaluate(X, CLASSES, return_dict=False)
    assert {"loss": loss, "accuracy": accuracy} == model.evaluate(X, CLASSES)
