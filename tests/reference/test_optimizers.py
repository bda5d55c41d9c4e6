"""Optimizers and schedules move as Keras's do in float32, and as PyTorch's in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import pytest
import torch

from clearprop import optimizers
from clearprop.ir.value import Array
from clearprop.optimizers import schedules
from clearprop.tensor import parameter

STEPS = 50
SHAPES = [(4, 3), (3,), (2, 3, 5), (3, 6), ()]
NAMES = ["kernel", "bias", "tensor", "wide", "scale"]


def weights_and_gradients(steps: int = STEPS) -> tuple[list[Array], list[list[Array]]]:
    """First weights, and for each step the gradients: noise around a pull towards zero."""
    rng = np.random.default_rng(5)
    weights = [rng.normal(size=shape) for shape in SHAPES]
    pulls = [0.3 * weight for weight in weights]
    return weights, [[p + rng.normal(size=p.shape) for p in pulls] for _ in range(steps)]


def moved_by_ours(
    optimizer: optimizers.Optimizer, dtype: str, steps: int = STEPS
) -> tuple[list[Array], list[Any]]:
    weights, gradients = weights_and_gradients(steps)
    parameters = [
        parameter(weight, dtype, name=name) for weight, name in zip(weights, NAMES, strict=True)
    ]
    for step in gradients:
        optimizer.apply(step, parameters)
    return [p.numpy() for p in parameters], parameters


def moved_by_keras(optimizer: Any, steps: int = STEPS) -> tuple[list[Array], list[Any]]:
    weights, gradients = weights_and_gradients(steps)
    variables = [
        keras.Variable(weight.astype("float32"), name=name)
        for weight, name in zip(weights, NAMES, strict=True)
    ]
    optimizer.build(variables)
    for step in gradients:
        tensors = [keras.ops.convert_to_tensor(g.astype("float32")) for g in step]
        optimizer.apply(tensors, variables)
    return [keras.ops.convert_to_numpy(v.value) for v in variables], variables


def moved_by_torch(make: Callable[[Sequence[Any]], Any]) -> list[Array]:
    weights, gradients = weights_and_gradients()
    tensors = [torch.tensor(weight, dtype=torch.float64) for weight in weights]
    optimizer = make(tensors)
    for step in gradients:
        for tensor, gradient in zip(tensors, step, strict=True):
            tensor.grad = torch.tensor(gradient)
        optimizer.step()
    return [tensor.numpy() for tensor in tensors]


def assert_near(found: list[Array], expected: list[Array], tolerance: float) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


# -- Keras -----------------------------------------------------------------------------------

KERAS_CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("RMSprop", {"learning_rate": 0.01}),
    ("RMSprop", {"learning_rate": 0.01, "centered": True, "rho": 0.8, "epsilon": 1e-4}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.7}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.7, "centered": True}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}),
    ("Adam", {"learning_rate": 0.02, "amsgrad": True, "weight_decay": 0.05}),
    ("AdamW", {"learning_rate": 0.02}),
    ("AdamW", {"learning_rate": 0.02, "weight_decay": 0.2, "amsgrad": True}),
    ("Adamax", {"learning_rate": 0.02}),
    ("Adamax", {"learning_rate": 0.02, "beta_2": 0.9, "epsilon": 1e-2}),
    ("Nadam", {"learning_rate": 0.02}),
    ("Nadam", {"learning_rate": 0.02, "beta_1": 0.8, "epsilon": 1e-2, "weight_decay": 0.1}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.5, "epsilon": 1e-2}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Adadelta", {"learning_rate": 0.5, "rho": 0.8, "epsilon": 1e-3}),
    ("Ftrl", {"learning_rate": 0.1}),
    (
        "Ftrl",
        {
            "learning_rate": 0.1,
            "l1_regularization_strength": 0.3,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.05,
            "beta": 0.4,
        },
    ),
    ("Ftrl", {"learning_rate": 0.1, "learning_rate_power": -0.3}),
    ("Lion", {"learning_rate": 0.01}),
    ("Lion", {"learning_rate": 0.01, "beta_1": 0.7, "weight_decay": 0.1}),
    ("Lamb", {"learning_rate": 0.01}),
    ("Lamb", {"learning_rate": 0.01, "epsilon": 1e-2, "weight_decay": 0.1}),
    ("Adafactor", {"learning_rate": 0.05}),
    ("Adafactor", {"learning_rate": 0.5, "clip_threshold": 0.5, "relative_step": False}),
    ("Muon", {"learning_rate": 0.01}),
    ("Muon", {"learning_rate": 0.01, "nesterov": False, "rms_rate": None, "ns_steps": 3}),
    ("Muon", {"learning_rate": 0.01, "exclude_layers": ["wide"], "adam_lr_ratio": 0.1}),
]
COMMON_CASES: list[dict[str, Any]] = [
    {"clipnorm": 0.5},
    {"clipvalue": 0.3},
    {"global_clipnorm": 1.0},
    {"global_clipnorm": 100.0},
    {"loss_scale_factor": 8.0},
    {"gradient_accumulation_steps": 4},
    {"gradient_accumulation_steps": 4, "clipnorm": 0.5, "weight_decay": 0.1},
    {"use_ema": True},
    {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 7},
    {"use_ema": True, "ema_overwrite_frequency": 2, "gradient_accumulation_steps": 3},
]


@pytest.mark.parametrize(("name", "arguments"), KERAS_CASES)
def test_weights_move_as_in_keras(name: str, arguments: dict[str, Any]) -> None:
    found, _ = moved_by_ours(getattr(optimizers, name)(**arguments), "float32")
    expected, _ = moved_by_keras(getattr(keras.optimizers, name)(**arguments))
    assert_near(found, expected, 2e-5)


@pytest.mark.parametrize("arguments", COMMON_CASES)
@pytest.mark.parametrize(
    ("name", "own"),
    [("SGD", {"momentum": 0.9}), ("Adam", {"learning_rate": 0.02}), ("Nadam", {})],
)
def test_common_arguments_do_as_in_keras(
    name: str, own: dict[str, Any], arguments: dict[str, Any]
) -> None:
    ours = getattr(optimizers, name)(**own, **arguments)
    theirs = getattr(keras.optimizers, name)(**own, **arguments)
    found, _ = moved_by_ours(ours, "float32")
    expected, variables = moved_by_keras(theirs)
    assert_near(found, expected, 2e-5)
    theirs.finalize_variable_values(variables)
    final = [keras.ops.convert_to_numpy(v.value) for v in variables]
    assert_near(ours.final_weights(found, ours.state), final, 2e-5)


@pytest.mark.parametrize("chosen", [{"var_names": ["bias", "^sc"]}, {"var_names": ["kernel"]}, {}])
def test_excluded_weights_do_not_decay_as_in_keras(chosen: dict[str, Any]) -> None:
    ours = optimizers.AdamW(0.02, weight_decay=0.5)
    theirs = keras.optimizers.AdamW(0.02, weight_decay=0.5)
    ours.exclude_from_weight_decay(**chosen)
    theirs.exclude_from_weight_decay(**chosen)
    assert_near(moved_by_ours(ours, "float32")[0], moved_by_keras(theirs)[0], 2e-5)


def test_a_schedule_moves_weights_as_in_keras() -> None:
    ours = optimizers.SGD(schedules.ExponentialDecay(0.1, 5, 0.7), momentum=0.5)
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.7)
    theirs = keras.optimizers.SGD(rate, momentum=0.5)
    assert_near(moved_by_ours(ours, "float32")[0], moved_by_keras(theirs)[0], 2e-5)


def test_a_schedule_counts_single_steps_while_gradients_gather_as_in_keras() -> None:
    common = {"gradient_accumulation_steps": 3}
    ours = optimizers.Adam(schedules.CosineDecay(0.1, 40), **common)
    theirs = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 40), **common)
    assert_near(moved_by_ours(ours, "float32")[0], moved_by_keras(theirs)[0], 2e-5)


def test_the_loss_scale_grows_and_falls_as_in_keras() -> None:
    ours = optimizers.LossScaleOptimizer(optimizers.Adam(0.02), 8.0, dynamic_growth_steps=4)
    theirs = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.02), initial_scale=8.0, dynamic_growth_steps=4
    )
    w, v = parameter([1.0, 2.0]), keras.Variable(np.array([1.0, 2.0], "float32"))
    for step in range(20):
        bad = np.inf if step in {6, 7, 15} else 1.0
        gradient = np.array([0.5, 1.0 + step], "float32") * bad
        ours.apply([gradient], [w])
        theirs.apply([keras.ops.convert_to_tensor(gradient)], [v])
        assert float(ours.state["scale"]) == float(theirs.dynamic_scale.value)
        np.testing.assert_allclose(w.numpy(), keras.ops.convert_to_numpy(v.value), rtol=1e-5)


@pytest.mark.parametrize("name", ["Adam", "SGD", "Muon", "Adafactor", "Ftrl", "Lamb"])
def test_defaults_are_those_of_keras(name: str) -> None:
    theirs = getattr(keras.optimizers, name)().get_config()
    ours = getattr(optimizers, name)().get_config()
    assert set(ours) == set(theirs)
    for key in set(ours) - {"name"}:
        assert ours[key] == pytest.approx(theirs[key]), key


def test_nothing_of_keras_is_missing() -> None:
    classes = {name for name, thing in vars(keras.optimizers).items() if isinstance(thing, type)}
    assert classes <= set(optimizers.__all__)
    classes = {
        name for name, thing in vars(keras.optimizers.schedules).items() if isinstance(thing, type)
    }
    assert classes <= set(schedules.__all__)


@pytest.mark.parametrize(("warmup_steps", "decay"), [(0, None), (20, 0.1)])
def test_schedule_free_weights_move_as_in_the_paper(warmup_steps: int, decay: float | None) -> None:
    # Not compared with Keras: its PyTorch backend overwrites in place what it reads afterwards.
    optimizer = optimizers.ScheduleFreeAdamW(0.02, warmup_steps=warmup_steps, weight_decay=decay)
    found, _ = moved_by_ours(optimizer, "float64")
    weights, gradients = weights_and_gradients()
    for number, y in enumerate(weights):
        x, z, v = y.copy(), y.copy(), np.zeros_like(y)
        for t, step in enumerate(gradients, start=1):
            g, rate = step[number], 0.02
            if decay is not None:  # the decay moves y, and with it the x that y is made of
                x = x - y * rate * decay / 0.9
            rate *= min(1.0, t / warmup_steps) if warmup_steps else 1.0
            v = 0.999 * v + 0.001 * g**2
            z = z - rate * g / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            x = (1 - 1 / t) * x + z / t
            y = 0.1 * z + 0.9 * x
        np.testing.assert_allclose(found[number], y, rtol=1e-9)


# -- PyTorch ---------------------------------------------------------------------------------

TORCH_CASES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "SGD": (lambda: optimizers.SGD(0.1), lambda w: torch.optim.SGD(w, 0.1)),
    "SGD with momentum": (
        lambda: optimizers.SGD(0.1, 0.9),
        lambda w: torch.optim.SGD(w, 0.1, momentum=0.9),
    ),
    "SGD with nesterov": (
        lambda: optimizers.SGD(0.1, 0.9, nesterov=True),
        lambda w: torch.optim.SGD(w, 0.1, momentum=0.9, nesterov=True),
    ),
    "AdamW": (  # with epsilon 0 the two places of epsilon are one
        lambda: optimizers.AdamW(0.02, 0.1, epsilon=0.0),
        lambda w: torch.optim.AdamW(w, 0.02, weight_decay=0.1, eps=0.0),
    ),
    "Adam": (
        lambda: optimizers.Adam(0.02, beta_1=0.8, beta_2=0.9, epsilon=0.0),
        lambda w: torch.optim.Adam(w, 0.02, betas=(0.8, 0.9), eps=0.0),
    ),
    "RMSprop": (
        lambda: optimizers.RMSprop(0.02, epsilon=0.0),
        lambda w: torch.optim.RMSprop(w, 0.02, alpha=0.9, eps=0.0),
    ),
    "RMSprop with momentum": (
        lambda: optimizers.RMSprop(0.02, momentum=0.7, epsilon=0.0),
        lambda w: torch.optim.RMSprop(w, 0.02, alpha=0.9, momentum=0.7, eps=0.0),
    ),
    "RMSprop, centered": (
        lambda: optimizers.RMSprop(0.001, centered=True, epsilon=0.0),
        lambda w: torch.optim.RMSprop(w, 0.001, alpha=0.9, centered=True, eps=0.0),
    ),
    "Adagrad": (
        lambda: optimizers.Adagrad(0.1, epsilon=0.0),
        lambda w: torch.optim.Adagrad(w, 0.1, initial_accumulator_value=0.1, eps=0.0),
    ),
    "Adadelta": (
        lambda: optimizers.Adadelta(0.7, rho=0.9, epsilon=1e-3),
        lambda w: torch.optim.Adadelta(w, 0.7, rho=0.9, eps=1e-3),
    ),
    "Adamax": (
        lambda: optimizers.Adamax(0.02, epsilon=0.0),
        lambda w: torch.optim.Adamax(w, 0.02, eps=0.0),
    ),
}


@pytest.mark.parametrize("name", TORCH_CASES)
def test_weights_move_as_in_torch_in_float64(name: str) -> None:
    ours, theirs = TORCH_CASES[name]
    assert_near(moved_by_ours(ours(), "float64")[0], moved_by_torch(theirs), 1e-10)


# -- schedules -------------------------------------------------------------------------------

SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.8}),
    (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.8, "staircase": True},
    ),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.8}),
    (
        "InverseTimeDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.8, "staircase": True},
    ),
    ("PiecewiseConstantDecay", {"boundaries": [10], "values": [0.1, 0.01]}),
    ("PiecewiseConstantDecay", {"boundaries": [10, 20, 45], "values": [0.1, 0.3, 0.2, 0.05]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 30}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 30, "power": 2.5}),
    (
        "PolynomialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 13, "power": 0.5, "cycle": True},
    ),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 30}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 30, "alpha": 0.2}),
    (
        "CosineDecay",
        {
            "initial_learning_rate": 0.01,
            "decay_steps": 30,
            "alpha": 0.2,
            "warmup_target": 0.5,
            "warmup_steps": 11,
        },
    ),
    (
        "CosineDecay",
        {"initial_learning_rate": 0.01, "decay_steps": 30, "warmup_target": 0.5},
    ),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 7}),
    (
        "CosineDecayRestarts",
        {
            "initial_learning_rate": 0.1,
            "first_decay_steps": 7,
            "t_mul": 1.0,
            "m_mul": 0.7,
            "alpha": 0.1,
        },
    ),
    (
        "CosineDecayRestarts",
        {
            "initial_learning_rate": 0.1,
            "first_decay_steps": 9,
            "t_mul": 1.5,
            "m_mul": 0.8,
            "alpha": 0.1,
        },
    ),
]


@pytest.mark.parametrize(("name", "arguments"), SCHEDULES)
def test_schedules_are_those_of_keras(name: str, arguments: dict[str, Any]) -> None:
    ours = getattr(schedules, name)(**arguments)
    theirs = getattr(keras.optimizers.schedules, name)(**arguments)
    found = [float(ours(step)) for step in range(100)]
    expected = [float(keras.ops.convert_to_numpy(theirs(step))) for step in range(100)]
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize(("name", "arguments"), SCHEDULES)
def test_schedules_take_the_arguments_of_keras(name: str, arguments: dict[str, Any]) -> None:
    ours = getattr(schedules, name)(**arguments).get_config()
    assert ours == getattr(keras.optimizers.schedules, name)(**arguments).get_config()
