"""Models of several inputs and outputs, weights of samples, metrics and modes as in Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.reference.pairs import (
    NEAR,
    SAMPLES,
    assert_equal_histories,
    assert_trains_alike,
    labels,
    numbers,
    one_hot,
    pair,
)


def small_net(units: int, activation: str | None = None) -> Any:
    def make(kit: Any) -> Any:
        layers = [kit.layers.Dense(5, "tanh"), kit.layers.Dense(units, activation=activation)]
        return kit.Sequential([kit.layers.Input((6,)), *layers])

    return make


def compiled(loss: Any, **more: Any) -> Any:
    """The arguments of compile; a callable among them is given the library."""

    def arguments(kit: Any) -> dict[str, Any]:
        told = {"optimizer": kit.optimizers.Adam(0.01), "loss": loss, **more}
        return {name: part(kit) if callable(part) else part for name, part in told.items()}

    return arguments


# -- weights of samples and classes --------------------------------------------------------------

WEIGHT = np.abs(numbers(seed=5))
METRICS = {"metrics": ["mae"], "weighted_metrics": ["mae", "mse"]}


def test_sample_weights_weigh_as_in_keras() -> None:
    both = small_net(2), compiled("mse", **METRICS)
    assert_trains_alike(*both, numbers(6), numbers(2, seed=1), sample_weight=WEIGHT)


def test_class_weights_weigh_as_in_keras() -> None:
    arguments = compiled("sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    options = {"class_weight": {0: 0.5, 2: 3.0}}
    assert_trains_alike(small_net(3, "softmax"), arguments, numbers(6), labels(3), **options)


def test_class_weights_weigh_one_hot_rows_as_in_keras() -> None:
    arguments = compiled("categorical_crossentropy", metrics=["accuracy"])
    options = {"class_weight": {0: 0.5, 1: 1.0, 2: 3.0}}
    assert_trains_alike(small_net(3, "softmax"), arguments, numbers(6), one_hot(3), **options)


# -- validation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_a_validation_split_is_judged_as_in_keras(weight: Any) -> None:
    make, arguments = small_net(2), compiled("mse", **METRICS)
    options = {"validation_split": 0.3, "sample_weight": weight}
    assert_trains_alike(make, arguments, numbers(6), numbers(2, seed=1), **options)


@pytest.mark.parametrize("parts", [2, 3], ids=["plain", "weighted"])
def test_validation_data_are_judged_as_in_keras(parts: int) -> None:
    data = (numbers(6, seed=8), numbers(2, seed=9), WEIGHT)[:parts]
    options = {"validation_data": data, "validation_freq": 2, "validation_batch_size": 7}
    make, arguments = small_net(2), compiled("mse", **METRICS)
    assert_trains_alike(make, arguments, numbers(6), numbers(2, seed=1), **options)


def test_evaluate_tells_what_keras_tells() -> None:
    both = pair(small_net(2)).compile(compiled("mse", **METRICS))
    x, y = numbers(6), numbers(2, seed=1)
    both.fit(x, y, epochs=2)
    found = both.ours.evaluate(x, y, sample_weight=WEIGHT, batch_size=7)
    expected = both.theirs.evaluate(
        x, y, sample_weight=WEIGHT, batch_size=7, verbose=0, return_dict=True
    )
    assert_equal_histories(found, expected, NEAR)


# -- metrics -------------------------------------------------------------------------------------

CLASSES = ["accuracy", "sparse_categorical_crossentropy"]
ROWS = ["acc", "categorical_accuracy", "AUC", "Precision", "Recall"]
BINARY = ["binary_accuracy", "binary_crossentropy", "AUC", "Precision", "Recall"]
REGRESSION = ["mae", "mse", "RootMeanSquaredError", "cosine_similarity", "R2Score"]
METRIC_CASES: dict[str, tuple[Any, str, list[str], Any]] = {
    "classes": (small_net(3, "softmax"), "sparse_categorical_crossentropy", CLASSES, labels(3)),
    "rows": (small_net(3, "softmax"), "categorical_crossentropy", ROWS, one_hot(3)),
    "binary": (small_net(1, "sigmoid"), "binary_crossentropy", BINARY, labels(2, 1)),
    "flat binary": (small_net(1, "sigmoid"), "binary_crossentropy", ["accuracy"], labels(2)),
    "several binary": (small_net(2, "sigmoid"), "binary_crossentropy", BINARY, labels(2, 2)),
    "regression": (small_net(2), "mse", REGRESSION, numbers(2, seed=1)),
}


@pytest.mark.parametrize("case", METRIC_CASES)
def test_metrics_in_the_history_are_those_of_keras(case: str) -> None:
    make, loss, names, y = METRIC_CASES[case]
    both = pair(make).compile(compiled(loss, metrics=names))
    found, expected = both.fit(numbers(6), y, epochs=3, validation_split=0.25)
    assert_equal_histories(found, expected)


# -- several inputs and outputs ------------------------------------------------------------------


def two_and_two(kit: Any) -> Any:
    """Two inputs, a shared layer, two outputs."""
    left, right = kit.layers.Input((4,), name="left"), kit.layers.Input((4,), name="right")
    shared = kit.layers.Dense(5, "tanh", name="shared")
    joined = kit.layers.Concatenate()([shared(left), shared(right)])
    price = kit.layers.Dense(1, name="price")(joined)
    kind = kit.layers.Dense(3, "softmax", name="kind")(joined)
    return kit.Model([left, right], [price, kind])


def in_dicts(kit: Any) -> Any:
    left, right = kit.layers.Input((4,), name="left"), kit.layers.Input((4,), name="right")
    joined = kit.layers.Add()([kit.layers.Dense(5, "relu")(left), right[:, :1]])
    outputs = {"price": kit.layers.Dense(1)(joined), "kind": kit.layers.Dense(3, "softmax")(joined)}
    return kit.Model({"left": left, "right": right}, outputs)


X = [numbers(4), numbers(4, seed=2)]
Y = [numbers(1, seed=3), labels(3)]
LISTS: dict[str, Any] = {
    "loss": ["mse", "sparse_categorical_crossentropy"],
    "loss_weights": [0.3, 2.0],
    "metrics": [["mean_absolute_error"], ["accuracy"]],
}
NAMED: dict[str, Any] = {
    "loss": {"price": "mse", "kind": "sparse_categorical_crossentropy"},
    "loss_weights": {"price": 0.3, "kind": 2.0},
    "metrics": {"kind": ["accuracy"], "price": ["mae"]},
    "weighted_metrics": {"price": ["mae", "mse"]},
}


@pytest.mark.parametrize("arguments", [LISTS, NAMED], ids=["lists", "names"])
@pytest.mark.parametrize("split", [0.0, 0.25])
def test_two_inputs_and_outputs_train_as_in_keras(arguments: Any, split: float) -> None:
    told = compiled(**arguments)
    assert_trains_alike(two_and_two, told, X, Y, validation_split=split)


def test_arrays_in_dicts_train_as_in_keras() -> None:
    x, y = {"left": X[0], "right": X[1]}, {"price": Y[0], "kind": Y[1]}
    assert_trains_alike(in_dicts, compiled(**NAMED), x, y)


def test_a_list_of_one_metric_for_each_output_is_read_as_in_keras() -> None:
    arguments = {**LISTS, "metrics": ["mean_absolute_error", "accuracy"]}
    assert_trains_alike(two_and_two, compiled(**arguments), X, Y)


def test_each_output_has_its_own_sample_weights_as_in_keras() -> None:
    weights = [WEIGHT, np.abs(numbers(seed=6))]
    assert_trains_alike(two_and_two, compiled(**LISTS), X, Y, sample_weight=weights)


OUTPUTS = ["price", "kind"]


@pytest.mark.filterwarnings("ignore:Gradients do not exist:UserWarning")  # Keras's
@pytest.mark.parametrize("chosen", OUTPUTS)
def test_an_output_may_have_no_loss_as_in_keras(chosen: str) -> None:
    arguments = {"loss": [NAMED["loss"][name] if name == chosen else None for name in OUTPUTS]}
    assert_trains_alike(two_and_two, compiled(**arguments), X, Y, weights=False)


# -- nests, modes, what is left alone ------------------------------------------------------------


def nested(kit: Any) -> Any:
    inside = kit.Sequential([kit.layers.Input((6,)), kit.layers.Dense(4, "tanh")], name="inside")
    x = kit.layers.Input((6,))
    return kit.Model(x, kit.layers.Dense(1)(kit.layers.Add()([inside(x), inside(x * 2.0)])))


def test_nested_models_train_as_in_keras() -> None:
    assert_trains_alike(nested, compiled("mse"), numbers(6), numbers(1, seed=1))


def subclass(kit: Any) -> Any:
    class Net(kit.Model):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = kit.layers.Dense(5, "tanh")
            self.normal = kit.layers.BatchNormalization()
            self.last = kit.layers.Dense(1)

        def call(self, inputs: Any, training: bool = False) -> Any:
            x = self.normal(self.hidden(inputs), training=training)
            return self.last(x) * 2.0

    net = Net()
    net(numbers(6))
    return net


def test_models_of_a_subclass_train_as_in_keras() -> None:
    assert_trains_alike(subclass, compiled("mse"), numbers(6), numbers(1, seed=1), weights=False)


def test_frozen_layers_stay_as_in_keras() -> None:
    def make(kit: Any) -> Any:
        layers = kit.layers
        stack = [layers.Dense(5, "tanh"), layers.BatchNormalization(), layers.Dense(1)]
        model = kit.Sequential([layers.Input((6,)), *stack])
        model.layers[0].trainable = model.layers[1].trainable = False
        return model

    assert_trains_alike(make, compiled("mse"), numbers(6), numbers(1, seed=1))


def test_losses_that_layers_add_count_as_in_keras() -> None:
    def make(kit: Any) -> Any:
        class Pulling(kit.layers.Layer):
            def call(self, inputs: Any) -> Any:
                self.add_loss(0.1 * kit.ops.mean(inputs * inputs))
                return inputs

        layers = [kit.layers.Dense(5, "tanh"), Pulling(), kit.layers.Dense(1)]
        return kit.Sequential([kit.layers.Input((6,)), *layers])

    assert_trains_alike(make, compiled("mse"), numbers(6), numbers(1), validation_split=0.25)


def test_the_weights_of_a_frozen_model_have_the_order_of_keras() -> None:
    both = pair(two_and_two)
    for model in (both.ours, both.theirs):
        model.get_layer("shared").trainable = False
    shapes = [weight.shape for weight in both.ours.get_weights()]
    assert shapes == [weight.shape for weight in both.theirs.get_weights()]
    ours = [weight.shape for weight in both.ours.trainable_weights]
    assert ours == [tuple(weight.shape) for weight in both.theirs.trainable_weights]


def test_there_is_more_than_one_batch() -> None:
    assert SAMPLES % 16
