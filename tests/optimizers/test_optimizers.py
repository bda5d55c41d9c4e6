"""Optimizers: pure functions of weights, gradients, state and numbers that come as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from clearprop import optimizers
from clearprop.dtypes import F32, F64
from clearprop.errors import ArgumentError, GradientError, ShapeError, UnknownNameError
from clearprop.ir.meaning import run
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.optimizers import Optimizer, schedules
from clearprop.registry import describe, rebuild
from clearprop.tensor import Parameter, parameter, tensor

WEIGHTS = [np.array([[1.0, -2.0, 3.0], [0.5, 1.5, -1.0]]), np.array([0.25, -0.75])]
GRADIENTS = [np.array([[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]]), np.array([0.7, -0.8])]
WRAPPERS = {"LossScaleOptimizer", "MultiOptimizer"}
RULES = [
    name
    for name in optimizers.__all__
    if isinstance(getattr(optimizers, name), type)
    and issubclass(getattr(optimizers, name), Optimizer)
    and name not in {"Optimizer", "RuleOptimizer", *WRAPPERS}
]


def made(name: str, /, **arguments: Any) -> Any:
    return getattr(optimizers, name)(**arguments)


CASES: dict[str, Optimizer] = {
    **{name: made(name) for name in RULES},
    "SGD with momentum": made("SGD", momentum=0.9, nesterov=True),
    "RMSprop with everything": made("RMSprop", momentum=0.9, centered=True),
    "Adam with amsgrad": made("Adam", amsgrad=True),
    "clipnorm": made("Adam", clipnorm=0.1),
    "clipvalue": made("Adam", clipvalue=0.1),
    "global_clipnorm": made("Adam", global_clipnorm=0.1),
    "averages": made("SGD", use_ema=True, ema_overwrite_frequency=2),
    "gathers": made("Nadam", gradient_accumulation_steps=3, weight_decay=0.1),
    "scheduled": made("SGD", learning_rate=schedules.CosineDecay(0.1, 10), weight_decay=0.1),
    "loss scale": optimizers.LossScaleOptimizer(made("SGD", momentum=0.9), 4.0, 2),
    "several": optimizers.MultiOptimizer(
        optimizers.OptimizerMap(made("Adam"), {"w1": made("SGD", momentum=0.5)})
    ),
}
each_case = pytest.mark.parametrize("optimizer", CASES.values(), ids=list(CASES))
each_rule = pytest.mark.parametrize("name", RULES)


def parameters(dtype: str = "float32") -> list[Parameter]:
    return [parameter(w, dtype, name=f"w{number}") for number, w in enumerate(WEIGHTS)]


class Step:
    """One step of an optimizer as a Program, in which nothing has numbers."""

    def __init__(self, optimizer: Optimizer, dtype: str = "float32") -> None:
        self.optimizer, self.parameters = optimizer, parameters(dtype)
        self.arrays: list[Array] = [p.numpy() for p in self.parameters]
        self.state = optimizer.initial_state(self.parameters)
        self.names = list(self.state)
        weights, gradients = ([Value(p.type) for p in self.parameters] for _ in range(2))
        state = {n: Value(TensorType(a.shape, a.dtype)) for n, a in self.state.items()}
        hyper = {name: Value(TensorType((), F64)) for name in optimizer.hyperparameters()}
        inputs = [*weights, *gradients, *state.values(), *hyper.values()]
        self.weights = weights
        results, new_state = optimizer.update(weights, gradients, state, hyper, self.parameters)
        self.outputs = [*results, *(new_state[name] for name in self.names)]
        self.program = Program.under(self.outputs, inputs)
        assert set(new_state) == set(state)

    def run(self, gradients: Sequence[Array] = GRADIENTS) -> list[Array]:
        dtypes = [p.dtype for p in self.parameters]
        given = [np.asarray(g, d) for g, d in zip(gradients, dtypes, strict=True)]
        hyper = [np.asarray(number, F64) for number in self.optimizer.hyperparameters().values()]
        outputs = run(self.program, [*self.arrays, *given, *self.state.values(), *hyper])
        self.arrays = outputs[: len(dtypes)]
        self.state = dict(zip(self.names, outputs[len(dtypes) :], strict=True))
        return self.arrays


def applied(optimizer: Optimizer, steps: int, dtype: str = "float32") -> list[Parameter]:
    moved = parameters(dtype)
    for _ in range(steps):
        optimizer.apply(GRADIENTS, moved)
    return moved


# -- the contract ------------------------------------------------------------------------------


@each_case
def test_the_traced_step_does_what_apply_does(optimizer: Optimizer) -> None:
    optimizer = rebuild(describe(optimizer))
    step = Step(optimizer)
    for _ in range(5):
        found = step.run()
    for array, expected in zip(found, applied(optimizer, 5), strict=True):
        np.testing.assert_array_equal(array, expected.numpy())
    assert {n: a.tolist() for n, a in step.state.items()} == {
        n: a.tolist() for n, a in optimizer.state.items()
    }


@each_case
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_step_keeps_every_type(optimizer: Optimizer, dtype: str) -> None:
    step = Step(rebuild(describe(optimizer)), dtype)
    before = {name: (a.shape, a.dtype) for name, a in step.state.items()}
    for array, p in zip(step.run(), step.parameters, strict=True):
        assert (array.shape, array.dtype) == (p.shape, p.dtype)
    assert {name: (a.shape, a.dtype) for name, a in step.state.items()} == before
    for name, (_, kind) in before.items():
        if "/" in name:
            assert kind == np.dtype(dtype), name


@each_case
def test_steps_are_counted(optimizer: Optimizer) -> None:
    step = Step(rebuild(describe(optimizer)))
    assert step.state["iterations"].dtype == np.int64
    for number in range(3):
        assert step.state["iterations"] == number
        step.run()


@each_rule
def test_a_number_assigned_takes_effect_at_the_next_step(name: str) -> None:
    optimizer = made(name, weight_decay=0.0)
    step, structure = Step(optimizer), optimizer.structure()
    step.run()
    before = step.arrays
    optimizer.learning_rate, optimizer.weight_decay = 0.25, 0.5
    assert optimizer.structure() == structure
    after = step.run()
    eager = made(name, weight_decay=0.0)
    moved = applied(eager, 1)
    eager.learning_rate, eager.weight_decay = 0.25, 0.5
    eager.apply(GRADIENTS, moved)
    for array, expected, old in zip(after, moved, before, strict=True):
        np.testing.assert_array_equal(array, expected.numpy())
        assert not np.array_equal(array, old)


@pytest.mark.parametrize("clip", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_a_limit_assigned_takes_effect_at_the_next_step(clip: str) -> None:
    optimizer = made("SGD", learning_rate=1.0, **{clip: 100.0})
    step = Step(optimizer, "float64")
    (first, *_), structure = step.run(), optimizer.structure()
    np.testing.assert_allclose(first, WEIGHTS[0] - GRADIENTS[0], rtol=1e-12)
    setattr(optimizer, clip, 0.01)
    assert optimizer.structure() == structure
    second = step.run()[0]
    assert 0 < np.abs(first - second).max() < 0.010001


def test_the_structure_tells_when_a_new_trace_is_needed() -> None:
    optimizer = made("Adam")
    changes: list[Mapping[str, Any]] = [
        {"beta_1": 0.5},
        {"amsgrad": True},
        {"clipnorm": 1.0},
        {"weight_decay": 0.1},
        {"use_ema": True},
        {"learning_rate": schedules.CosineDecay(0.1, 10)},
        {"learning_rate": schedules.CosineDecay(0.1, 20)},
    ]
    structures = [optimizer.structure()]
    for change in changes:
        for name, value in change.items():
            setattr(optimizer, name, value)
        structures.append(optimizer.structure())
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    structures.append(optimizer.structure())
    assert len(set(structures)) == len(changes) + 2


@pytest.mark.parametrize(
    ("name", "passes"),
    [("SGD", 2), ("Adam", 12), ("AdamW", 13), ("RMSprop", 9), ("Lion", 9), ("Adagrad", 7)],
)
def test_a_step_takes_few_passes_over_a_weight(name: str, passes: int) -> None:
    step = Step(made(name))
    whole = [
        equation
        for equation in step.program.equations
        if equation.types[0].shape == WEIGHTS[0].shape
        and equation.primitive.name not in {"broadcast_to", "cast"}
    ]
    assert len(whole) <= passes


@each_rule
def test_an_optimizer_of_ones_arguments_is_described(name: str) -> None:
    optimizer = made(
        name,
        learning_rate=schedules.Warmup(schedules.CosineDecay(0.1, 30), 5),
        global_clipnorm=1.0,
        gradient_accumulation_steps=2,
        name="mine",
    )
    optimizer.exclude_from_weight_decay(var_names=["w1"])
    again = rebuild(describe(optimizer))
    assert again.structure() == optimizer.structure()
    assert (again.name, again.hyperparameters()) == ("mine", optimizer.hyperparameters())
    for p, q in zip(applied(again, 4), applied(optimizer, 4), strict=True):
        np.testing.assert_array_equal(p.numpy(), q.numpy())


# -- what they do ----------------------------------------------------------------------------------


@each_rule
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_way_leads_down(name: str, dtype: str) -> None:
    target = np.arange(6.0).reshape(2, 3) / 4
    p = parameter(np.ones((2, 3)), dtype, name="w")
    optimizer = made(name, learning_rate={"Adadelta": 20.0, "Ftrl": 1.0}.get(name, 0.02))

    def loss() -> Any:
        return ((p - target) ** 2).sum()

    first = float(loss())
    for _ in range(100):
        loss().backward()
        optimizer.apply([p.grad], [p])
    assert float(loss()) < 0.5 * first


@each_rule
def test_a_weight_without_a_gradient_stays_as_it_is(name: str) -> None:
    optimizer = made(name, weight_decay=0.1)
    moved = parameters()
    optimizer.apply([GRADIENTS[0], None], moved)
    assert np.array_equal(moved[1].numpy(), WEIGHTS[1].astype(F32))
    assert not np.array_equal(moved[0].numpy(), WEIGHTS[0].astype(F32))


def test_weights_may_have_different_types() -> None:
    narrow, wide = parameter([1.0, 2.0], "float32"), parameter([1.0, 2.0], "float64")
    optimizer = made("Adam", learning_rate=0.1, global_clipnorm=0.5)
    for _ in range(3):
        optimizer.apply([[0.5, -2.0], [0.5, -2.0]], [narrow, wide])
    assert (narrow.dtype, wide.dtype) == (F32, F64)
    np.testing.assert_allclose(narrow.numpy(), wide.numpy(), rtol=1e-6)


def test_gathered_gradients_are_applied_as_their_mean() -> None:
    optimizer = made("SGD", learning_rate=1.0, gradient_accumulation_steps=3, clipvalue=4.0)
    w = parameter([10.0, 20.0], "float64")
    for gradient in ([1.0, 1.0], [2.0, 3.0], [3.0, 20.0]):
        assert w.tolist() == [10.0, 20.0]
        optimizer.apply([gradient], [w])
    assert w.tolist() == pytest.approx([8.0, 16.0])
    assert optimizer.iterations == 3


def test_training_ends_with_the_average_weights() -> None:
    optimizer = made("SGD", learning_rate=1.0, use_ema=True, ema_momentum=0.75)
    w = parameter([8.0], "float64")
    average = 0.0
    for number in range(4):
        optimizer.apply([[1.0]], [w])
        new = w.numpy().item()
        average = new if number == 0 else 0.75 * average + 0.25 * new
    (final,) = optimizer.final_weights([w.numpy()], optimizer.state)
    assert (w.tolist(), final.tolist()) == ([4.0], [average])
    plain = made("SGD")
    assert plain.final_weights([w.numpy()], {})[0] is w.numpy()


def test_clipping_limits_lengths_and_elements() -> None:
    gradients = [[3.0, 4.0], [0.0, 12.0]]

    def movements(**clip: float) -> list[list[float]]:
        moved = [parameter([0.0, 0.0], "float64") for _ in gradients]
        made("SGD", learning_rate=1.0, **clip).apply(gradients, moved)
        return [(-p.numpy()).tolist() for p in moved]

    assert movements(clipnorm=1.0) == [pytest.approx([0.6, 0.8]), pytest.approx([0.0, 1.0])]
    assert movements(clipnorm=6.0) == [pytest.approx([3.0, 4.0]), pytest.approx([0.0, 6.0])]
    assert movements(clipvalue=3.5) == [[3.0, 3.5], [0.0, 3.5]]
    assert movements(global_clipnorm=6.5) == [pytest.approx([1.5, 2.0]), pytest.approx([0.0, 6.0])]
    assert movements(global_clipnorm=99.0) == gradients


def test_a_gradient_that_is_not_finite_is_noticed_in_all_weights() -> None:
    moved = parameters()
    made("SGD", global_clipnorm=1.0).apply([GRADIENTS[0], [np.inf, 0.0]], moved)
    assert all(np.isnan(p.numpy()).all() for p in moved)


@pytest.mark.parametrize("choice", [{"var_names": ["w1"]}, {}])
def test_excluded_weights_do_not_decay(choice: dict[str, Any]) -> None:
    optimizer, moved = made("SGD", learning_rate=0.5, weight_decay=0.5), parameters()
    optimizer.exclude_from_weight_decay(**(choice or {"var_list": [moved[1]]}))
    optimizer.apply([np.zeros((2, 3)), np.zeros(2)], moved)
    np.testing.assert_allclose(moved[0].numpy(), 0.75 * WEIGHTS[0])
    np.testing.assert_allclose(moved[1].numpy(), WEIGHTS[1])


def test_the_scale_of_the_loss_goes_away_again() -> None:
    optimizer, w = made("SGD", learning_rate=1.0, loss_scale_factor=8.0), parameter([2.0, 3.0])
    state = {n: tensor(a) for n, a in optimizer.initial_state([w]).items()}
    loss = optimizer.scale_loss((w * w).sum(), state)
    assert float(loss) == 8 * 13
    loss.backward()
    optimizer.apply([w.grad], [w])
    assert w.tolist() == [-2.0, -3.0]


def test_the_loss_scale_leaves_bad_steps_out() -> None:
    optimizer = optimizers.LossScaleOptimizer(made("SGD", learning_rate=1.0), 8.0, 2)
    w, scales = parameter([1.0]), []
    for gradient in (8.0, 8.0, np.inf, np.nan, 4.0):
        optimizer.apply([[gradient]], [w])
        scales.append(float(optimizer.state["scale"]))
    assert scales == [8.0, 16.0, 8.0, 4.0, 4.0]
    assert w.tolist() == [-2.0]
    optimizer.learning_rate = 0.5
    assert optimizer.hyperparameters()["learning_rate"] == 0.5


def test_each_optimizer_of_several_moves_its_own_weights() -> None:
    sgd, adam = made("SGD", learning_rate=0.5), made("Adam", learning_rate=0.1)
    both = optimizers.MultiOptimizer(optimizers.OptimizerMap(adam, {"w1": sgd}))
    alone = [
        applied(made("Adam", learning_rate=0.1), 3),
        applied(made("SGD", learning_rate=0.5), 3),
    ]
    moved = applied(both, 3)
    for number in range(2):
        np.testing.assert_array_equal(moved[number].numpy(), alone[number][number].numpy())
    assert both.hyperparameters() == {
        "0.learning_rate": 0.5,
        "0.momentum": 0.0,
        "1.learning_rate": 0.1,
    }


def test_average_weights_of_several_optimizers() -> None:
    averaging = made("SGD", use_ema=True)
    both = optimizers.MultiOptimizer(optimizers.OptimizerMap(made("SGD"), {"w1": averaging}))
    moved = applied(both, 3)
    final = both.final_weights([p.numpy() for p in moved], both.state, moved)
    assert np.array_equal(final[0], moved[0].numpy())
    assert not np.array_equal(final[1], moved[1].numpy())


def test_a_rule_of_ones_own() -> None:
    class Halving(optimizers.RuleOptimizer):
        def rule(self, weight: Any, gradient: Any, slots: Any, shared: Any) -> Any:
            return weight - 0.5 * shared["learning_rate"] * gradient, {}

    w = parameter([1.0])
    Halving(1.0, weight_decay=0.5).apply([[0.5]], [w])
    assert w.tolist() == [0.25]


# -- names and errors ------------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["adam_w", "AdamW", "adamw", optimizers.AdamW, made("AdamW")])
def test_what_stands_for_an_optimizer(spec: object) -> None:
    assert type(optimizers.get(spec)) is optimizers.AdamW


def late_momentum() -> None:
    optimizer = made("SGD")
    moved = applied(optimizer, 1)
    optimizer.momentum = 0.9
    optimizer.apply(GRADIENTS, moved)


def other_parameters() -> None:
    optimizer = made("Adam")
    applied(optimizer, 1)
    optimizer.apply([[1.0]], [parameter([1.0])])


@pytest.mark.parametrize(
    ("mistake", "error", "text"),
    [
        (
            lambda: made("Adam", lr=0.1),
            ArgumentError,
            "Adam: there is no argument 'lr'\n"
            '  found:  lr=... did you mean "learning_rate"?\n'
            "  needed: learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm,",
        ),
        (
            lambda: made("Adam", learning_rate="fast"),
            ArgumentError,
            "Adam: this is no learning rate\n"
            "  found:  learning_rate='fast'\n"
            "  needed: a number of 0 or more, such as 0.01, or a schedule\n"
            "  try:    cp.optimizers.schedules.CosineDecay(0.01, decay_steps=1000)\n",
        ),
        (
            lambda: made("Adam", learning_rate=-1.0),
            ArgumentError,
            "Adam: this is no learning rate\n  found:  learning_rate=-1.0\n",
        ),
        (
            lambda: made("SGD", clipnorm=1.0, clipvalue=0.5),
            ArgumentError,
            "SGD: only one way of clipping can be chosen\n"
            "  found:  clipnorm=1.0, clipvalue=0.5\n"
            "  needed: one of clipnorm, clipvalue, global_clipnorm\n",
        ),
        (
            lambda: made("SGD", gradient_accumulation_steps=1),
            ArgumentError,
            "SGD: gradients are gathered over two steps or more\n"
            "  found:  gradient_accumulation_steps=1\n"
            "  needed: 2 or more\n",
        ),
        (
            lambda: made("SGD", use_ema=True, ema_momentum=2.0),
            ArgumentError,
            "SGD: the share of the old average is from 0 to 1\n  found:  ema_momentum=2.0\n",
        ),
        (
            lambda: made("SGD", use_ema=True, ema_overwrite_frequency=0),
            ArgumentError,
            "SGD: weights become their average every so many steps\n",
        ),
        (
            lambda: made("SGD", momentum=9.0),
            ArgumentError,
            "SGD: momentum is the share of the last movement that stays\n  found:  momentum=9.0\n",
        ),
        (late_momentum, ArgumentError, "SGD: training began without momentum, so no movement "),
        (
            lambda: made("AdamW", weight_decay=None),
            ArgumentError,
            "AdamW: it is Adam with weight decay\n  found:  weight_decay=None\n",
        ),
        (
            lambda: made("Ftrl", l1_regularization_strength=-1.0),
            ArgumentError,
            "Ftrl: l1_regularization_strength has the wrong sign\n",
        ),
        (
            lambda: made("SGD").apply([], parameters()),
            ArgumentError,
            "apply: each parameter needs its gradient\n  found:  0 gradients and 2 parameters\n",
        ),
        (
            lambda: made("SGD").apply(GRADIENTS[::-1], parameters()),
            ShapeError,
            'apply: the gradient of parameter "w0" has another shape\n'
            "  found:  (2,)\n"
            "  needed: (2, 3)\n",
        ),
        (
            other_parameters,
            ArgumentError,
            "apply: this optimizer keeps the state of other parameters\n"
            "  found:  (1,)\n"
            "  needed: (2, 3), (2,)\n"
            "  try:    make one optimizer for each set of parameters\n",
        ),
        (
            lambda: optimizers.get("adamm"),
            UnknownNameError,
            "Looking up a name: there is no optimizer called 'adamm'\n"
            "  found:  'adamm' did you mean \"Adam\"?\n",
        ),
        (
            lambda: optimizers.get(0.1),
            ArgumentError,
            "Choosing an optimizer: this is not one\n"
            "  found:  0.1\n"
            '  needed: a name such as "adam", or cp.optimizers.Adam(0.001)\n',
        ),
        (
            lambda: optimizers.LossScaleOptimizer("adam"),
            ArgumentError,
            "LossScaleOptimizer: there is no optimizer inside\n  found:  'adam'\n",
        ),
        (
            lambda: optimizers.OptimizerMap(made("SGD"), {".*": "adam"}),
            ArgumentError,
            "OptimizerMap: this is no optimizer for a part of the weights\n  found:  'adam'\n",
        ),
        (
            lambda: optimizers.OptimizerMap(made("SGD"), {"a.*": made("SGD"), ".*b": made("SGD")})[
                "a/b"
            ],
            ArgumentError,
            "OptimizerMap: several patterns name the weight 'a/b'\n  found:  a.*, .*b\n",
        ),
    ],
)
def test_errors_teach(mistake: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        mistake()
    assert str(caught.value).startswith(text)
    assert "  at:     " in str(caught.value)


def test_gradients_that_were_never_computed_are_missed() -> None:
    kernel = parameter([1.0, 2.0], name="kernel")
    with pytest.raises(GradientError) as error:
        optimizers.SGD().apply([kernel.grad], [kernel])
    assert error.value.doing == "apply: there is no gradient for kernel"
    assert error.value.try_ == "call loss.backward() first, and then take w.grad"
    assert kernel.tolist() == [1.0, 2.0]


def test_pairs_are_applied_as_two_lists_are() -> None:
    weights = [parameter([1.0, 2.0]), parameter(3.0)]
    gradients = [np.array([4.0, 8.0]), None]
    optimizers.SGD(0.25).apply_gradients(zip(gradients, weights, strict=True))
    assert [weight.tolist() for weight in weights] == [[0.0, 0.0], 3.0]
