"""Kinds of models, modes, frozen layers, and what ``predict`` gives back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import ArgumentError, ClearPropError
from clearprop.ir.types import TensorType
from tests.train.nets import CLASSES, Residual, X, classifier, two_ended

dense = cp.layers.Dense


# -- predict -------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 3, 70, 1000])
def test_predictions_do_not_depend_on_the_batch_size(batch_size: int) -> None:
    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    expected = model.predict(X)
    assert expected.dtype == np.float32
    np.testing.assert_allclose(model.predict(X, batch_size=batch_size), expected, atol=1e-6)


def test_a_row_is_predicted_without_its_neighbors() -> None:
    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    np.testing.assert_allclose(model.predict(X[:1]), model.predict(X)[:1], atol=1e-6)


def test_predictions_have_the_structure_of_the_outputs() -> None:
    x, y = cp.layers.Input((5,), name="x"), cp.layers.Input((5,), name="y")
    one, two = dense(2, name="one")(x), dense(3, name="two")(y)
    shapes = {"a": (70, 2), "b": [(70, 3), (70, 2)]}
    inputs = {"x": X, "y": X}
    found = cp.Model([x, y], {"a": one, "b": [two, one]}).predict(inputs)
    assert {"a": found["a"].shape, "b": [part.shape for part in found["b"]]} == shapes
    listed = cp.Model([x, y], [one, two]).predict([X, X])
    assert [part.shape for part in listed] == [(70, 2), (70, 3)]
    assert cp.Model(x, one).predict(X).shape == (70, 2)
    assert type(cp.Model(x, (one, one)).predict(X)) is tuple


def test_predict_takes_lists_and_single_rows() -> None:
    model = cp.Sequential([cp.layers.Input((2,)), dense(1)])
    assert model.predict([[1, 2], [3, 4], [5, 6]]).shape == (3, 1)


# -- calling and modes ---------------------------------------------------------------------------


def test_a_model_called_on_arrays_computes_what_it_predicts() -> None:
    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    np.testing.assert_allclose(model(X).numpy(), model.predict(X), atol=1e-6)
    ended = two_ended()
    called, predicted = ended([X, X]), ended.predict([X, X])
    for name in ("price", "kind"):
        np.testing.assert_allclose(called[name].numpy(), predicted[name], atol=1e-6)


def test_a_model_of_named_inputs_is_called_on_a_dict() -> None:
    a, b = cp.layers.Input((5,), name="a"), cp.layers.Input((5,), name="b")
    model = cp.Model({"a": a, "b": b}, dense(1)(a - b * 2.0))
    given = {"b": X * 3.0, "a": X}
    np.testing.assert_allclose(model(given).numpy(), model.predict(given), atol=1e-6)


class Chooser(cp.Model):
    """What it computes depends on the names of its inputs."""

    def call(self, inputs: dict[str, Any]) -> Any:
        return inputs["small"] if "small" in inputs else inputs["large"] * 100.0


def test_inputs_of_the_same_shapes_under_other_names_are_other_inputs() -> None:
    model, ones = Chooser(), np.ones((2, 1), np.float32)
    model({"small": ones, "x": ones})
    assert model.predict({"small": ones, "x": ones}).tolist() == [[1.0], [1.0]]
    assert model.predict({"large": ones, "x": ones}).tolist() == [[100.0], [100.0]]


def test_inputs_in_a_dict_are_found_by_name_in_whatever_order_they_were_drawn() -> None:
    second, first = cp.layers.Input((1,), name="b"), cp.layers.Input((1,), name="a")
    model = cp.Model([second, first], second * 10.0 + first)
    given = {"a": np.ones((1, 1), np.float32), "b": np.full((1, 1), 2, np.float32)}
    assert model({**given, "more": given["a"]}).item() == model(given).item() == 21
    assert model.predict(given).item() == 21
    with pytest.raises(ArgumentError, match="there is no input called 'b'"):
        model({"a": given["a"], "c": given["b"]})


def test_training_true_drops_and_false_does_not() -> None:
    model = cp.Sequential([cp.layers.Input((50,)), cp.layers.Dropout(0.5)])
    ones = np.ones((2, 50), np.float32)
    np.testing.assert_array_equal(model(ones, training=False).numpy(), ones)
    np.testing.assert_array_equal(model(ones).numpy(), ones)
    np.testing.assert_array_equal(model.predict(ones), ones)
    dropped = model(ones, training=True).numpy()
    assert set(np.unique(dropped)) == {0.0, 2.0}


def test_a_layer_of_the_model_may_insist_on_its_mode() -> None:
    class Always(cp.Model):
        def __init__(self) -> None:
            super().__init__()
            self.drop = cp.layers.Dropout(0.5)

        def call(self, inputs: Any) -> Any:
            return self.drop(inputs, training=True)

    model = Always()
    model(np.ones((1, 5)))
    assert 0.0 in model.predict(np.ones((20, 5)))


def test_batch_statistics_move_in_training_only() -> None:
    normal = cp.layers.BatchNormalization()
    model = cp.Sequential([cp.layers.Input((5,)), normal, dense(1)])
    model.compile("sgd", "mse")
    before = normal.moving_mean.numpy().copy()
    model.predict(X + 3)
    model.evaluate(X + 3, X[:, 0])
    np.testing.assert_array_equal(normal.moving_mean.numpy(), before)
    model.fit(X + 3, X[:, 0], batch_size=70, verbose=0)
    expected = 0.99 * before + 0.01 * np.mean(X + 3, axis=0)
    np.testing.assert_allclose(normal.moving_mean.numpy(), expected, rtol=1e-5)


# -- freezing ------------------------------------------------------------------------------------


def test_frozen_layers_do_not_change_and_normalize_by_what_they_know() -> None:
    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    for layer in model.layers[:2]:
        layer.trainable = False
    before = model.get_weights()
    model.compile("adam", model.arguments.loss)
    model.fit(X + 1, CLASSES, epochs=2, verbose=0)
    after = model.get_weights()
    for number, (one, other) in enumerate(zip(before, after, strict=True)):
        assert np.array_equal(one, other) == (number < 6)


def test_a_frozen_model_gives_its_features_to_a_new_one() -> None:
    base = cp.Sequential([cp.layers.Input((5,)), dense(6, "relu"), dense(4, "tanh")], name="base")
    base.compile("adam", "mse")
    base.fit(X, X[:, :4], epochs=2, verbose=0)
    base.trainable = False
    x = cp.layers.Input((5,))
    model = cp.Model(x, dense(3, name="head")(base(x)))
    model.compile("adam", cp.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert [weight.path for weight in model.trainable_weights] == ["head/kernel", "head/bias"]
    learned = base.get_weights()
    first = model.fit(X, CLASSES, epochs=5, verbose=0).history["loss"]
    for one, other in zip(base.get_weights(), learned, strict=True):
        np.testing.assert_array_equal(one, other)

    base.trainable = True
    model.compile(cp.optimizers.Adam(1e-3), model.arguments.loss)
    assert len(model.trainable_weights) == 6
    second = model.fit(X, CLASSES, epochs=5, verbose=0).history["loss"]
    assert second[-1] < first[-1]
    assert not np.array_equal(base.get_weights()[0], learned[0])


def test_layers_that_a_callback_freezes_leave_their_slots_to_nobody() -> None:
    def two() -> cp.Model:
        model = cp.Sequential([dense(5, "tanh"), dense(5)])
        model.compile(cp.optimizers.Adam(0.1), "mse", seed=1)
        return model

    def freeze(epoch: int, logs: Any) -> None:
        model.layers[0].trainable = epoch == 0

    model, expected = two(), two()
    freezing = cp.callbacks.LambdaCallback(on_epoch_begin=freeze)
    model.fit(X, X[:, ::-1].copy(), epochs=2, callbacks=[freezing], verbose=0)
    expected.fit(X, X[:, ::-1].copy(), verbose=0)
    expected.layers[0].trainable = False
    expected.fit(X, X[:, ::-1].copy(), initial_epoch=1, epochs=2, verbose=0)
    for one, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_other_trainable_weights_get_slots_of_their_own() -> None:
    """Slots of one weight never serve another of the same shape."""
    model = cp.Sequential([cp.layers.Input((5,)), dense(5, "tanh"), dense(5)])
    model.compile(cp.optimizers.SGD(0.1, momentum=0.9), "mse")
    first, second = model.layers
    second.trainable = False
    model.fit(X, X, epochs=3, verbose=0)
    first.trainable, second.trainable = False, True
    start = model.get_weights()
    model.fit(X, X, batch_size=70, verbose=0)
    momentum = np.asarray(model.optimizer.state["momentum/0"])
    np.testing.assert_allclose(momentum, second.kernel.numpy() - start[2], atol=1e-6)


# -- kinds of models -----------------------------------------------------------------------------


def test_a_subclass_is_trained_saved_and_asked_like_any_model() -> None:
    model = Residual(6, 2)
    model.compile("adam", "mse")
    losses = model.fit(X, X * 0.1, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert [layer.name for layer in model.layers] == ["dense", "scale", "scale_1", "dense_1"]
    assert model.predict(X).shape == (70, 5)
    assert model.get_layer("scale_1").calls.numpy() == 15  # 5 epochs of 3 batches


class Meeting(cp.Model):
    """A subclass with two inputs, in a list or by name."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = dense(3, "tanh"), dense(3, "tanh")
        self.last = dense(1)

    def call(self, inputs: Any) -> Any:
        a, b = (inputs["a"], inputs["b"]) if isinstance(inputs, dict) else inputs
        return self.last(self.left(a) + self.right(b))


@pytest.mark.parametrize("given", [[X, X[:, :2]], {"b": X[:, :2], "a": X}], ids=["list", "dict"])
def test_a_subclass_may_take_several_inputs(given: Any) -> None:
    model = Meeting()
    model.compile("adam", "mse", seed=1)
    history = model.fit(given, X[:, 0], epochs=2, validation_split=0.2, verbose=0)
    assert len(history.history["val_loss"]) == 2
    np.testing.assert_allclose(model.predict(given), model(given).numpy(), atol=1e-6)
    assert [weight.shape for weight in model.weights[:3:2]] == [(5, 3), (2, 3)]


def test_a_shared_layer_has_one_set_of_weights_and_learns_from_both_calls() -> None:
    shared = dense(1, use_bias=False, name="shared")
    x = cp.layers.Input((5,))
    model = cp.Model(x, shared(x) + shared(x * 2.0))
    model.compile(cp.optimizers.SGD(1.0), "mse")
    assert len(model.weights) == 1
    before = shared.kernel.numpy().astype(np.float64)
    y = X[:, :1]
    model.fit(X, y, batch_size=70, verbose=0)
    slope = 2 * 3 * X.T @ (3 * X @ before - y) / 70
    np.testing.assert_allclose(shared.kernel.numpy(), before - slope, rtol=1e-4, atol=1e-5)


def test_models_in_models_train_all_their_weights() -> None:
    inner = cp.Sequential([dense(4, "tanh"), cp.layers.BatchNormalization()], name="inner")
    outer = cp.Sequential([cp.layers.Input((5,)), inner, dense(1)], name="outer")
    outer.compile("sgd", "mse")
    before = outer.get_weights()
    outer.fit(X, X[:, 0], verbose=0)
    assert len(before) == 8
    assert all(
        not np.array_equal(one, other)
        for one, other in zip(before, outer.get_weights(), strict=True)
    )
    assert [weight.path for weight in outer.weights][:1] == ["inner/dense/kernel"]


def test_a_model_trains_in_the_element_type_it_was_given() -> None:
    model = cp.Sequential(
        [cp.layers.Input((5,), dtype="float64"), dense(2, dtype="float64")], dtype="float64"
    )
    model.compile("adam", "mse")
    model.fit(X, X[:, :2], verbose=0)
    assert model.predict(X).dtype == np.float64
    assert {weight.dtype.name for weight in model.weights} == {"float64"}


def test_tables_are_read_as_arrays() -> None:
    polars = pytest.importorskip("polars")
    table = polars.DataFrame({f"column_{n}": X[:, n] for n in range(5)})
    model = cp.Sequential([cp.layers.Input((5,)), dense(1)])
    model.compile("sgd", "mse")
    model.fit(table, table["column_0"], verbose=0)
    np.testing.assert_array_equal(model.predict(table), model.predict(X))


# -- types of outputs ----------------------------------------------------------------------------


class Tiled(cp.layers.Layer):
    """Its input, so many times side by side."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times, self.calls = times, 0

    def call(self, inputs: Any) -> Any:
        vars(self)["calls"] += 1
        return cp.concatenate([inputs] * self.times, axis=-1)


def types_of(model: cp.Model, *shapes: tuple[int, ...]) -> list[str]:
    return [str(type_) for type_ in model.output_types([TensorType(shape) for shape in shapes])]


def test_a_drawn_model_knows_the_types_of_its_outputs_without_a_call() -> None:
    tiled = Tiled(2)
    x, y = cp.layers.Input((5,)), cp.layers.Input((4, 5))
    model = cp.Model([x, y], [tiled(x), tiled(y)])
    calls = tiled.calls
    assert types_of(model, (7, 5), (7, 4, 5)) == ["f32[7, 10]", "f32[7, 4, 10]"]
    assert tiled.calls == calls


def test_a_layer_that_was_changed_is_asked_again() -> None:
    tiled = Tiled(2)
    x = cp.layers.Input((5,))
    model = cp.Model(x, tiled(x))
    tiled.times = 3
    assert types_of(model, (7, 5)) == ["f32[7, 15]"]


def test_outputs_that_are_no_rows_are_computed() -> None:
    x = cp.layers.Input((5,))
    model = cp.Model(x, [cp.reshape(x, (-1,)), x[1:], cp.sum(x, axis=0)])
    assert types_of(model, (7, 5)) == ["f32[35]", "f32[6, 5]", "f32[5]"]
    free = cp.layers.Input((None, 5))
    assert types_of(cp.Model(free, dense(2)(free)), (7, 3, 5)) == ["f32[7, 3, 2]"]


def test_inputs_of_another_shape_than_drawn_are_refused_in_words() -> None:
    x = cp.layers.Input((5,))
    model = cp.Model(x, dense(2)(x))
    with pytest.raises(ClearPropError, match="4 features"):
        types_of(model, (7, 4))
