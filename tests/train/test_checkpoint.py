"""A model that was saved and loaded is the same model, also for the training that goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import ArgumentError, NotBuiltError, ShapeError, UnsupportedError
from clearprop.train.files import read_file
from tests.train.nets import CLASSES, Residual, X, assert_same, classifier, told, two_ended

OPTIMIZERS: dict[str, Any] = {
    **{
        name: name
        for name in (
            *("adadelta", "adafactor", "adagrad", "adam", "adamw", "adamax", "ftrl", "lamb"),
            *("lion", "muon", "nadam", "rmsprop", "sgd"),
        )
    },
    "momentum": lambda: cp.optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=1.0),
    "amsgrad": lambda: cp.optimizers.Adam(amsgrad=True, weight_decay=0.01, clipvalue=0.1),
    "centered": lambda: cp.optimizers.RMSprop(centered=True, momentum=0.5, global_clipnorm=1.0),
    "schedule": lambda: cp.optimizers.Adam(cp.optimizers.schedules.CosineDecay(0.01, 12)),
    "gathering": lambda: cp.optimizers.SGD(0.1, gradient_accumulation_steps=4),
    "scaled": lambda: cp.optimizers.LossScaleOptimizer(cp.optimizers.Adam(), 8.0, 3),
}


def made(name: str) -> Any:
    spec = OPTIMIZERS[name]
    return spec if isinstance(spec, str) else spec()


def saved(model: cp.Model, folder: Path) -> cp.Model:
    model.save(folder / "model.safetensors")
    return cp.load_model(folder / "model.safetensors")


# -- the same model -----------------------------------------------------------------


def test_sequential_comes_back(tmp_path: Path) -> None:
    model = classifier()
    model.fit(X, CLASSES, epochs=2, verbose=0)
    again = saved(model, tmp_path)
    assert_same(model, again)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.evaluate(X, CLASSES) == model.evaluate(X, CLASSES)


def test_functional_model_comes_back(tmp_path: Path) -> None:
    model = two_ended()
    given = {"first": X, "second": -X}
    targets = {"price": X[:, :1], "kind": CLASSES}
    losses = {"price": "mse", "kind": "sparse_categorical_crossentropy"}
    model.compile("adam", losses, metrics={"kind": ["accuracy"]}, loss_weights={"price": 0.5})
    model.fit(given, targets, epochs=2, verbose=0)
    again = saved(model, tmp_path)
    assert_same(model, again)
    assert again.output_names == model.output_names
    for name, output in model.predict(given).items():
        np.testing.assert_array_equal(again.predict(given)[name], output)
    both = [each.fit(given, targets, epochs=1, verbose=0).history for each in (model, again)]
    assert both[0] == both[1]


def test_registered_classes_and_functions_come_back(tmp_path: Path) -> None:
    model = Residual(4, depth=2)
    model.compile("sgd", "mse")
    model.fit(X, X, epochs=1, verbose=0)
    again = saved(model, tmp_path)
    assert type(again) is Residual
    assert_same(model, again)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_a_model_that_was_only_called_comes_back(tmp_path: Path) -> None:
    model = cp.Sequential([cp.layers.Dense(3), cp.Sequential([cp.layers.Dense(2)])])
    output = model(X)
    again = saved(model, tmp_path)
    assert_same(model, again)
    np.testing.assert_array_equal(again.predict(X), np.asarray(output))


def test_inputs_that_were_refused_do_not_count_as_seen(tmp_path: Path) -> None:
    model = cp.Sequential([cp.layers.Dense(2)])
    expected = model(X).numpy()
    with pytest.raises(ShapeError):
        model.predict(X[:, :3])
    model.save(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(cp.load_model(tmp_path / "model.safetensors")(X), expected)


def test_layers_shared_with_another_model_come_back(tmp_path: Path) -> None:
    trained = classifier()
    trained.fit(X, CLASSES, epochs=1, verbose=0)
    x = cp.layers.Input((8,))
    hidden = x
    for layer in trained.layers[1:4]:
        hidden = layer(hidden)
    model = cp.Model(x, cp.layers.Dense(2)(hidden))
    model.compile("sgd", "mse")
    again = saved(model, tmp_path)
    assert_same(model, again)
    for each in (model, again):
        each.fit(X.repeat(2, axis=1)[:, :8], X[:, :2], epochs=1, verbose=0)
    assert_same(model, again)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_element_types_come_back(dtype: str, tmp_path: Path) -> None:
    model = cp.Sequential([cp.layers.Input((5,)), cp.layers.Dense(2, dtype=dtype)], dtype=dtype)
    again = saved(model, tmp_path)
    assert [weight.dtype for weight in again.weights] == [np.dtype(dtype)] * 2


def test_frozen_layers_stay_frozen(tmp_path: Path) -> None:
    model = Residual(4, depth=1)
    model.first.trainable = model.blocks[0].trainable = False
    model.compile("adam", "mse")
    model.fit(X, X, epochs=1, verbose=0)
    again = saved(model, tmp_path)
    assert len(again.trainable_weights) == len(model.trainable_weights) == 2
    assert_same(model, again)


def test_what_was_changed_during_training_comes_back(tmp_path: Path) -> None:
    model = classifier(cp.optimizers.Adam(0.1))
    model.fit(X, CLASSES, epochs=1, verbose=0)
    model.optimizer.learning_rate = 0.003
    model.layers[0].name = "entrance"
    again = saved(model, tmp_path)
    assert again.optimizer.learning_rate == 0.003
    assert again.get_layer("entrance").units == 8


def test_notes_come_back(tmp_path: Path) -> None:
    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    model.notes["classes"] = ["ä", "b", None, {"c": [1, 2.5]}]
    assert saved(model, tmp_path).notes == model.notes


def test_a_slot_that_no_longer_fits_is_left_out(tmp_path: Path) -> None:
    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    model.layers[0].trainable = False
    assert saved(model, tmp_path).optimizer.state == {}


def test_weights_nobody_has_trained_are_drawn_again_by_another_seed(tmp_path: Path) -> None:
    model = cp.Sequential([cp.layers.Input((5,)), cp.layers.Dense(2)])
    again = saved(model, tmp_path)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
    for each in (model, again):
        each.compile("sgd", "mse", seed=5)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_a_missing_executor_is_told_and_replaced(tmp_path: Path) -> None:
    from clearprop.train.files import write_file

    model = classifier(executor="reference")
    model.fit(X, CLASSES, verbose=0)
    path = tmp_path / "model.safetensors"
    model.save(path)
    contents = read_file(path)
    text = contents.metadata["compile"].replace('"reference"', '"abacus"')
    write_file(path, contents.tensors, {**contents.metadata, "compile": text})
    with pytest.warns(UserWarning, match="'abacus', which cannot run here"):
        again = cp.load_model(path)
    assert again.arguments is not None
    assert again.arguments.executor is None


# -- training goes on ---------------------------------------------------------------


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_bit_for_bit(name: str, tmp_path: Path) -> None:
    whole, half = classifier(made(name), seed=3), classifier(made(name), seed=3)
    settings: dict[str, Any] = {"batch_size": 16, "validation_split": 0.2, "verbose": 0}
    whole.fit(X, CLASSES, epochs=5, **settings)
    half.fit(X, CLASSES, epochs=2, **settings)
    again = saved(half, tmp_path)
    assert_same(half, again)
    again.fit(X, CLASSES, epochs=5, initial_epoch=2, **settings)
    assert_same(whole, again)


def test_moving_averages_go_on(tmp_path: Path) -> None:
    model = classifier(cp.optimizers.SGD(0.1, use_ema=True))
    model.fit(X, CLASSES, epochs=2, verbose=0)
    again = saved(model, tmp_path)
    for each in (model, again):
        each.fit(X, CLASSES, epochs=4, initial_epoch=2, verbose=0)
    assert_same(model, again)


@pytest.mark.parametrize("every", [3, 5, 7])
def test_training_goes_on_in_the_middle_of_an_epoch(every: int, tmp_path: Path) -> None:
    path = str(tmp_path / "{epoch}-{batch}.safetensors")
    keep = cp.callbacks.ModelCheckpoint(path, save_freq=every)
    whole = classifier()
    whole.fit(X, CLASSES, epochs=3, batch_size=16, callbacks=[keep], verbose=0)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 15 // every
    for file in files:
        again = cp.load_model(file)
        finished = again.training_state.epochs
        again.fit(X, CLASSES, epochs=3, initial_epoch=finished, batch_size=16, verbose=0)
        assert_same(whole, again)


def test_another_data_set_begins_its_own_epoch(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    keep = cp.callbacks.ModelCheckpoint(path, save_freq=4)
    classifier().fit(X, CLASSES, batch_size=16, callbacks=[keep], verbose=0)
    again = cp.load_model(path)
    assert again.training_state.step_in_epoch == 4
    again.fit(X[:32], CLASSES[:32], batch_size=16, verbose=0)
    assert again.training_state.steps == 4 + 2


def test_a_confusion_matrix_in_the_history_comes_back(tmp_path: Path) -> None:
    model = classifier()
    model.history.add(0, {"loss": float("nan"), "matrix": np.eye(2, dtype=np.int64)})
    model.fit(X, CLASSES, verbose=0)
    history = saved(model, tmp_path).history.history
    assert np.isnan(history["loss"][0])
    np.testing.assert_array_equal(history["matrix"][0], np.eye(2, dtype=np.int64), strict=True)


# -- weights alone ------------------------------------------------------------------


class Unknown(cp.Model):
    """A class that nobody registered."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = cp.layers.Dense(2)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


def test_an_unregistered_class_saves_weights_alone(tmp_path: Path) -> None:
    model = Unknown()
    model(X)
    with pytest.raises(UnsupportedError) as caught:
        model.save(tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []
    assert told(caught.value, tmp_path) == (
        "Describing a model: the class Unknown has no registered name, so a file cannot name it\n"
        "  found:  Unknown\n"
        "  needed: a registered name\n"
        '  try:    put @cp.register("my.Unknown") before it, or save the weights alone with '
        "model.save_weights(path)"
    )
    model.save_weights(tmp_path / "weights.safetensors")
    fresh = Unknown()
    fresh.load_weights(tmp_path / "weights.safetensors")
    np.testing.assert_array_equal(fresh.predict(X), model.predict(X))


def test_an_unregistered_function_is_refused_before_writing(tmp_path: Path) -> None:
    model = cp.Sequential([cp.layers.Input((5,)), cp.layers.Dense(2, lambda x: x * 2)])
    with pytest.raises(UnsupportedError, match="the function <lambda> has no registered name"):
        model.save(tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []


@cp.register("tests.Forgetful")
class Forgetful(cp.Model):
    """Its description says less than its constructor was told."""

    def __init__(self, units: int = 1) -> None:
        super().__init__()
        self.dense = cp.layers.Dense(units)

    def get_config(self) -> dict[str, Any]:
        return {}

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


def test_a_description_that_gives_another_model_is_refused(tmp_path: Path) -> None:
    model = Forgetful(3)
    model(X)
    with pytest.raises(UnsupportedError) as caught:
        model.save(tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []
    assert told(caught.value, tmp_path) == (
        'Saving "forgetful": its description does not give the same model again\n'
        '  found:  "dense/kernel" as f32[5, 1], not f32[5, 3]\n'
        "  needed: classes whose get_config tells all arguments of their constructor\n"
        "  try:    keep each argument in an attribute of the same name, or save the weights "
        "alone with model.save_weights(path)"
    )


def test_weights_go_into_another_model_of_the_same_layers(tmp_path: Path) -> None:
    model, other = classifier(seed=1), classifier(seed=2)
    model.fit(X, CLASSES, verbose=0)
    model.save(tmp_path / "model.safetensors")
    other.load_weights(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    assert not any(weight.is_drawn for weight in other.weights)


def test_a_model_without_weights_is_not_saved(tmp_path: Path) -> None:
    model = cp.Sequential([cp.layers.Dense(2)])
    for save in (model.save, model.save_weights):
        with pytest.raises(NotBuiltError, match='"sequential" has no weights yet'):
            save(tmp_path / "model.safetensors")


def test_notes_that_are_no_json_are_refused(tmp_path: Path) -> None:
    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    model.notes["shape"] = X
    with pytest.raises(ArgumentError, match="notes cannot be written as JSON"):
        model.save(tmp_path / "model.safetensors")


def test_a_file_reads_as_plain_safetensors(tmp_path: Path) -> None:
    from safetensors import safe_open

    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    model.save(tmp_path / "model.safetensors")
    with safe_open(tmp_path / "model.safetensors", framework="numpy") as file:
        kernel = file.get_tensor("weights/dense/kernel")
        described = json.loads(file.metadata()["model"])
        assert file.metadata()["format"] == "clearprop 1"
    np.testing.assert_array_equal(kernel, model.get_weights()[0])
    assert described["type"] == "train.Sequential"
