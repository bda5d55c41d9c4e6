"""Whole trainings go as in Keras: every layer, activation, loss and optimizer, step by step."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from clearprop import losses, optimizers
from tests.reference.pairs import assert_trains_alike, labels, numbers, one_hot

Make = Callable[[Any], Any]


def squared(kit: Any) -> dict[str, Any]:
    return {"optimizer": kit.optimizers.Adam(0.01), "loss": "mse"}


# -- layers --------------------------------------------------------------------------------------


def dense_net(*layers: Callable[[Any], Any], shape: tuple[int, ...] = (6,)) -> Make:
    """Input, these layers, flattened, one output."""

    def make(kit: Any) -> Any:
        middle = [layer(kit.layers) for layer in layers]
        last = [kit.layers.Flatten(), kit.layers.Dense(1)]
        return kit.Sequential([kit.layers.Input(shape), *middle, *last])

    return make


Arguments = tuple[Any, ...] | dict[str, Any]
FLAT, SEQUENCE = (6,), (3, 4)
DENSE = ("Dense", (5,))
LAYERS: dict[str, tuple[tuple[int, ...], list[tuple[str, Arguments]]]] = {
    "Dense": (FLAT, [("Dense", (5, "tanh"))]),
    "Dense without bias": (FLAT, [("Dense", {"units": 5, "use_bias": False})]),
    "Dense on sequences": (SEQUENCE, [("Dense", (3, "relu"))]),
    "BatchNormalization": (
        FLAT,
        [("Dense", {"units": 5, "use_bias": False}), ("BatchNormalization", ())],
    ),
    "BatchNormalization, other options": (
        FLAT,
        [("BatchNormalization", {"momentum": 0.8, "epsilon": 0.01, "scale": False})],
    ),
    "BatchNormalization over axis 1": (SEQUENCE, [("BatchNormalization", {"axis": 1})]),
    "LayerNormalization": (FLAT, [("Dense", (5, "tanh")), ("LayerNormalization", ())]),
    "LayerNormalization over two axes": (
        SEQUENCE,
        [("LayerNormalization", {"axis": [1, 2], "center": False})],
    ),
    "RMSNormalization": (FLAT, [("RMSNormalization", ())]),
    "UnitNormalization": (FLAT, [DENSE, ("UnitNormalization", ())]),
    "PReLU": (FLAT, [DENSE, ("PReLU", ())]),
    "PReLU with shared axes": (
        SEQUENCE,
        [("PReLU", {"alpha_initializer": "ones", "shared_axes": [1]})],
    ),
    "LeakyReLU": (FLAT, [DENSE, ("LeakyReLU", ())]),
    "ELU": (FLAT, [DENSE, ("ELU", (0.7,))]),
    "ReLU": (FLAT, [DENSE, ("ReLU", {"max_value": 1.0, "negative_slope": 0.1})]),
    "Softmax": (FLAT, [DENSE, ("Softmax", ())]),
    "Rescaling": (FLAT, [("Rescaling", (0.5, 0.1)), ("Dense", (3, "relu"))]),
    "Reshape, Permute": (FLAT, [("Reshape", ((2, 3),)), ("Permute", ((2, 1),)), DENSE]),
    "RepeatVector": (FLAT, [("RepeatVector", (2,)), ("Dense", (2, "relu"))]),
    "GlobalAveragePooling1D": (SEQUENCE, [("Dense", (5, "relu")), ("GlobalAveragePooling1D", ())]),
    "GlobalMaxPooling1D": (SEQUENCE, [("Dense", (5, "relu")), ("GlobalMaxPooling1D", ())]),
    "EinsumDense": (SEQUENCE, [("EinsumDense", ("abc,cd->abd", (3, 5), "tanh", "d"))]),
    "ActivityRegularization": (FLAT, [("Dense", (5, "tanh")), ("ActivityRegularization", (0.1,))]),
}


def layer_of(name: str, arguments: Arguments) -> Callable[[Any], Any]:
    if isinstance(arguments, dict):
        return lambda layers: getattr(layers, name)(**arguments)
    return lambda layers: getattr(layers, name)(*arguments)


@pytest.mark.parametrize("name", LAYERS)
def test_a_net_with_each_layer_trains_as_in_keras(name: str) -> None:
    shape, layers = LAYERS[name]
    make = dense_net(*(layer_of(*layer) for layer in layers), shape=shape)
    assert_trains_alike(make, squared, numbers(*shape), numbers(1, seed=1))


def test_embeddings_train_as_in_keras() -> None:
    def make(kit: Any) -> Any:
        layers = [kit.layers.Embedding(7, 3), kit.layers.GlobalAveragePooling1D()]
        return kit.Sequential([kit.layers.Input((4,), dtype="int32"), *layers, kit.layers.Dense(1)])

    assert_trains_alike(make, squared, labels(7, 4).astype(np.int32), numbers(1))


# -- activations ---------------------------------------------------------------------------------

# glu halves the features, threshold has arguments, sparsemax is wrong in Keras.
LEFT_OUT = {"glu", "threshold", "sparsemax", "get", "serialize", "deserialize"}
ACTIVATIONS = sorted(
    name
    for name, thing in vars(keras.activations).items()
    if inspect.isfunction(thing) and name not in LEFT_OUT
)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_net_with_each_activation_trains_as_in_keras(name: str) -> None:
    make = dense_net(lambda layers: layers.Dense(6, activation=name))
    assert_trains_alike(make, squared, numbers(6), numbers(1, seed=1))


# -- losses --------------------------------------------------------------------------------------

REGRESSION = (None, 2, numbers(2, seed=3))
POSITIVE = ("softplus", 2, np.abs(numbers(2, seed=3)))
LOSSES: dict[str, tuple[dict[str, Any], str | None, int, Any]] = {
    "MeanSquaredError": ({}, *REGRESSION),
    "MeanAbsoluteError": ({}, *REGRESSION),
    "MeanAbsolutePercentageError": ({}, *POSITIVE),
    "MeanSquaredLogarithmicError": ({}, *POSITIVE),
    "Huber": ({"delta": 0.5}, *REGRESSION),
    "LogCosh": ({}, *REGRESSION),
    "CosineSimilarity": ({}, *REGRESSION),
    "Poisson": ({}, *POSITIVE),
    "BinaryCrossentropy": ({}, "sigmoid", 2, labels(2, 2)),
    "BinaryCrossentropy/logits": (
        {"from_logits": True, "label_smoothing": 0.1}, None, 2, labels(2, 2)
    ),
    "BinaryFocalCrossentropy": ({"apply_class_balancing": True}, "sigmoid", 2, labels(2, 2)),
    "BinaryFocalCrossentropy/logits": ({"from_logits": True}, None, 2, labels(2, 2)),
    "CategoricalCrossentropy": ({}, "softmax", 3, one_hot(3)),
    "CategoricalCrossentropy/logits": (
        {"from_logits": True, "label_smoothing": 0.1}, None, 3, one_hot(3)
    ),
    "CategoricalFocalCrossentropy": ({}, "softmax", 3, one_hot(3)),
    "CategoricalFocalCrossentropy/logits": ({"from_logits": True}, None, 3, one_hot(3)),
    "SparseCategoricalCrossentropy": ({}, "softmax", 3, labels(3)),
    "SparseCategoricalCrossentropy/logits": ({"from_logits": True}, None, 3, labels(3)),
    "CategoricalGeneralizedCrossEntropy": ({"q": 0.6}, "softmax", 3, labels(3)),
    "KLDivergence": ({}, "softmax", 3, one_hot(3) * 0.7 + 0.1),
    "Hinge": ({}, "tanh", 2, labels(2, 2) * 2.0 - 1),
    "SquaredHinge": ({}, "tanh", 2, labels(2, 2) * 2.0 - 1),
    "CategoricalHinge": ({}, None, 3, one_hot(3)),
    "Dice": ({}, "sigmoid", 2, labels(2, 2).astype("float32")),
    "Tversky": ({"alpha": 0.3, "beta": 0.7}, "sigmoid", 2, labels(2, 2).astype("float32")),
    "Circle": ({}, None, 4, labels(3)),
}  # fmt: skip
TESTED_ALONE = {"CTC"}
OURS_ALONE = {"HalfSquaredError", "ResidualSumOfSquares"}


@pytest.mark.parametrize("case", LOSSES)
def test_training_with_each_loss_goes_as_in_keras(case: str) -> None:
    arguments, activation, units, y = LOSSES[case]

    def make(kit: Any) -> Any:
        last = [kit.layers.Dense(units, activation=activation)]
        if case == "Circle":
            last.append(kit.layers.UnitNormalization())
        return kit.Sequential([kit.layers.Input((6,)), kit.layers.Dense(5, "tanh"), *last])

    def compiled(kit: Any) -> dict[str, Any]:
        loss = getattr(kit.losses, case.partition("/")[0])(**arguments)
        return {"optimizer": kit.optimizers.Adam(0.01), "loss": loss}

    assert_trains_alike(make, compiled, numbers(6), y)


def test_no_loss_is_left_out() -> None:
    classes = {
        name
        for name, thing in vars(losses).items()
        if isinstance(thing, type) and issubclass(thing, losses.Loss)
    } - {"Loss", "FunctionLoss", "LossFunctionWrapper"}
    assert {case.partition("/")[0] for case in LOSSES} == classes - TESTED_ALONE - OURS_ALONE


@pytest.mark.parametrize("reduction", ["sum", "mean", "mean_with_sample_weight"])
def test_reductions_weigh_as_in_keras(reduction: str) -> None:
    def compiled(kit: Any) -> dict[str, Any]:
        loss = kit.losses.MeanSquaredError(reduction=reduction)
        return {"optimizer": kit.optimizers.SGD(0.003), "loss": loss}

    weight = np.abs(numbers(seed=5))
    make = dense_net(lambda layers: layers.Dense(4, "tanh"))
    assert_trains_alike(make, compiled, numbers(6), numbers(1), sample_weight=weight)


# -- optimizers ----------------------------------------------------------------------------------

CLIPS: list[dict[str, Any]] = [{"clipvalue": 0.05}, {"clipnorm": 0.1}, {"global_clipnorm": 0.1}]
RULES = [
    *("SGD", "RMSprop", "Adam", "AdamW", "Adadelta", "Adagrad", "Adamax", "Adafactor", "Nadam"),
    *("Ftrl", "Lion", "Lamb", "Muon"),
]
# Keras's fit with PyTorch changes a number of ScheduleFreeAdamW that it still needs;
# tests/reference/test_optimizers compares the rule itself.
ALONE = {"ScheduleFreeAdamW", "LossScaleOptimizer", "MultiOptimizer"}
OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in RULES),
    *((name, clip) for name in ("SGD", "Adam") for clip in CLIPS),
    ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"weight_decay": 0.1, "momentum": 0.5}),
    ("Adam", {"weight_decay": 0.1, "amsgrad": True}),
    ("Adam", {"use_ema": True, "ema_momentum": 0.8, "learning_rate": 0.01}),
    ("SGD", {"use_ema": True, "ema_overwrite_frequency": 5}),
    ("Adam", {"gradient_accumulation_steps": 3}),
    ("Adam", {"loss_scale_factor": 4.0}),
]


@pytest.mark.parametrize(("name", "arguments"), OPTIMIZERS)
def test_training_with_each_optimizer_goes_as_in_keras(
    name: str, arguments: dict[str, Any]
) -> None:
    def compiled(kit: Any) -> dict[str, Any]:
        return {"optimizer": getattr(kit.optimizers, name)(**arguments), "loss": "mse"}

    make = dense_net(lambda layers: layers.Dense(5, "tanh"), lambda layers: layers.Dense(4, "tanh"))
    assert_trains_alike(make, compiled, numbers(6), numbers(1, seed=1))


def test_no_optimizer_is_left_out() -> None:
    classes = {
        name
        for name, thing in vars(optimizers).items()
        if isinstance(thing, type) and issubclass(thing, optimizers.Optimizer)
    }
    assert classes - {"Optimizer", "RuleOptimizer"} == {*RULES, *ALONE}


SCHEDULES: dict[str, dict[str, Any]] = {
    "ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5},
    "CosineDecay": {
        "initial_learning_rate": 0.01, "decay_steps": 30, "warmup_target": 0.1, "warmup_steps": 9
    },
    "PiecewiseConstantDecay": {"boundaries": [5, 20], "values": [0.1, 0.03, 0.01]},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 30, "cycle": True},
    "InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 9, "decay_rate": 0.5},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 7},
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_steer_a_training_as_in_keras(name: str) -> None:
    def compiled(kit: Any) -> dict[str, Any]:
        rate = getattr(kit.optimizers.schedules, name)(**SCHEDULES[name])
        return {"optimizer": kit.optimizers.SGD(rate), "loss": "mse"}

    make = dense_net(lambda layers: layers.Dense(4, "tanh"))
    assert_trains_alike(make, compiled, numbers(6), numbers(1, seed=1))


def test_a_dynamic_loss_scale_trains_as_in_keras() -> None:
    def compiled(kit: Any) -> dict[str, Any]:
        inner = kit.optimizers.Adam(0.01)
        outer = kit.optimizers.LossScaleOptimizer(inner, dynamic_growth_steps=5)
        return {"optimizer": outer, "loss": "mse"}

    make = dense_net(lambda layers: layers.Dense(4, "tanh"))
    assert_trains_alike(make, compiled, numbers(6), numbers(1, seed=1))


# -- regularizers --------------------------------------------------------------------------------

REGULARIZERS: list[tuple[str, dict[str, Any]]] = [
    ("L1", {"l1": 0.02}),
    ("L2", {"l2": 0.02}),
    ("L1L2", {"l1": 0.01, "l2": 0.02}),
    ("OrthogonalRegularizer", {"factor": 0.02}),
]


@pytest.mark.parametrize(("name", "arguments"), REGULARIZERS)
def test_regularizers_pull_as_in_keras(name: str, arguments: dict[str, Any]) -> None:
    def make(kit: Any) -> Any:
        one = getattr(kit.regularizers, name)(**arguments)
        layer = kit.layers.Dense(4, "tanh", kernel_regularizer=one)
        return kit.Sequential([kit.layers.Input((6,)), layer, kit.layers.Dense(1)])

    assert_trains_alike(make, squared, numbers(6), numbers(1), validation_split=0.25)


def test_activity_regularizers_pull_as_in_keras() -> None:
    def make(kit: Any) -> Any:
        layer = kit.layers.Dense(4, "tanh", activity_regularizer="l2", bias_regularizer="l1")
        return kit.Sequential([kit.layers.Input((6,)), layer, kit.layers.Dense(1)])

    assert_trains_alike(make, squared, numbers(6), numbers(1), validation_split=0.25)
