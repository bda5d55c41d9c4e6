"""Three worked examples, each to four digits against the chain rule written out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import ShapeError

FOUR_DIGITS = 5e-5


def near(expected: float) -> object:
    return pytest.approx(expected, abs=FOUR_DIGITS)


# -- (a) a circuit of gates: f = 1 / (1 + exp(-(w0*x0 + w1*x1 + w2))) -----------------------


def circuit_gates() -> dict[str, cp.Tensor]:
    w0, w1, w2 = cp.parameter(2.0), cp.parameter(-3.0), cp.parameter(-3.0)
    x0, x1 = cp.tensor(-1.0), cp.tensor(-2.0)
    gates = {"w0": w0, "w1": w1, "w2": w2, "x0": x0, "x1": x1}
    gates["w0*x0"] = w0 * x0
    gates["w1*x1"] = w1 * x1
    gates["products"] = gates["w0*x0"] + gates["w1*x1"]
    gates["sum"] = gates["products"] + w2
    gates["negate"] = -gates["sum"]
    gates["exp"] = cp.exp(gates["negate"])
    gates["plus one"] = 1 + gates["exp"]
    gates["f"] = 1 / gates["plus one"]
    return gates


@pytest.mark.parametrize(
    ("gate", "value", "gradient"),
    [
        ("f", 0.7311, 1.0),
        ("plus one", 1.3679, -0.5344),
        ("exp", 0.3679, -0.5344),
        ("negate", -1.0, -0.1966),
        ("sum", 1.0, 0.1966),
        ("products", 4.0, 0.1966),
        ("w0*x0", -2.0, 0.1966),
        ("w1*x1", 6.0, 0.1966),
        ("w0", 2.0, -0.1966),
        ("x0", -1.0, 0.3932),
        ("w1", -3.0, -0.3932),
        ("x1", -2.0, -0.5898),
        ("w2", -3.0, 0.1966),
    ],
)
def test_every_gate_of_the_circuit(gate: str, value: float, gradient: float) -> None:
    gates = circuit_gates()
    gates["f"].backward()
    assert float(gates[gate]) == near(value)
    assert gates[gate].grad is not None
    assert float(gates[gate].grad) == near(gradient)


def test_the_circuit_is_a_sigmoid() -> None:
    f = circuit_gates()["f"]
    assert float(f) == near(float(cp.sigmoid(1.0)))
    slope = float(cp.grad(cp.sigmoid)(1.0))
    assert slope == near(float(f) * (1 - float(f)))
    assert slope == near(0.1966)


# -- (b) two inputs, two hidden and two output sigmoids, Error = 1/2 sum (o - y)^2 ---------------

I1, I2 = 0.2, 0.6
W1, W2, W3, W4, B1 = 0.1, 0.4, -0.3, 0.5, 0.25
W5, W6, W7, W8, B2 = 0.7, -0.2, -0.35, 0.6, -0.15
Y1, Y2 = 0.8, 0.1
RATE = 0.5
WEIGHTS = {"w1": W1, "w2": W2, "w3": W3, "w4": W4, "w5": W5, "w6": W6, "w7": W7, "w8": W8}


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


H1, H2 = sigmoid(W1 * I1 + W2 * I2 + B1), sigmoid(W3 * I1 + W4 * I2 + B1)
O1, O2 = sigmoid(W5 * H1 + W6 * H2 + B2), sigmoid(W7 * H1 + W8 * H2 + B2)
# dE/dnet of each output unit: dE/do = o - y, do/dnet = o (1 - o)
DELTA_1, DELTA_2 = (O1 - Y1) * O1 * (1 - O1), (O2 - Y2) * O2 * (1 - O2)
# dE/dw5 = dE/do1 * do1/dnet1 * dnet1/dw5
DW5 = DELTA_1 * H1
# dE/dw1 = (dE/dnet1 * dnet1/dh1 + dE/dnet2 * dnet2/dh1) * dh1/dnet * dnet/dw1
DW1 = (DELTA_1 * W5 + DELTA_2 * W7) * H1 * (1 - H1) * I1


def network(w: dict[str, cp.Tensor]) -> cp.Tensor:
    """The error of the network, gate by gate."""
    h1 = cp.sigmoid(w["w1"] * I1 + w["w2"] * I2 + B1)
    h2 = cp.sigmoid(w["w3"] * I1 + w["w4"] * I2 + B1)
    o1 = cp.sigmoid(w["w5"] * h1 + w["w6"] * h2 + B2)
    o2 = cp.sigmoid(w["w7"] * h1 + w["w8"] * h2 + B2)
    return 0.5 * ((o1 - Y1) ** 2 + (o2 - Y2) ** 2)


def plain_error(w: dict[str, float]) -> float:
    h1 = sigmoid(w["w1"] * I1 + w["w2"] * I2 + B1)
    h2 = sigmoid(w["w3"] * I1 + w["w4"] * I2 + B1)
    o1 = sigmoid(w["w5"] * h1 + w["w6"] * h2 + B2)
    o2 = sigmoid(w["w7"] * h1 + w["w8"] * h2 + B2)
    return 0.5 * ((o1 - Y1) ** 2 + (o2 - Y2) ** 2)


def test_the_network_is_a_product_of_slopes() -> None:
    w = {name: cp.parameter(value, name=name) for name, value in WEIGHTS.items()}
    error = network(w)
    error.backward()
    assert float(error) == near(plain_error(WEIGHTS))
    assert float(w["w5"].grad) == pytest.approx(DW5, rel=1e-5)
    assert float(w["w1"].grad) == pytest.approx(DW1, rel=1e-5)


@pytest.mark.parametrize("name", WEIGHTS)
def test_every_weight_of_the_network_has_its_measured_slope(name: str) -> None:
    w = {name: cp.parameter(value, dtype="float64") for name, value in WEIGHTS.items()}
    network(w).backward()
    step = 1e-6
    above = plain_error({**WEIGHTS, name: WEIGHTS[name] + step})
    below = plain_error({**WEIGHTS, name: WEIGHTS[name] - step})
    assert float(w[name].grad) == pytest.approx((above - below) / (2 * step), rel=1e-6)


def test_one_step_down_the_slope() -> None:
    w = {name: cp.parameter(value, name=name) for name, value in WEIGHTS.items()}
    error = network(w)
    error.backward()
    for parameter in w.values():
        parameter.assign(parameter - RATE * parameter.grad)
    assert float(w["w5"]) == near(W5 - RATE * DW5)
    assert float(w["w1"]) == near(W1 - RATE * DW1)
    assert float(network(w)) < float(error)


def test_the_same_network_as_matrices() -> None:
    x, y = cp.tensor([[I1, I2]]), cp.tensor([[Y1, Y2]])
    first = cp.parameter([[W1, W3], [W2, W4]])  # a column for each hidden unit
    second = cp.parameter([[W5, W7], [W6, W8]])
    output = cp.sigmoid(cp.sigmoid(x @ first + B1) @ second + B2)
    error = 0.5 * ((output - y) ** 2).sum()
    error.backward()
    assert float(error) == near(plain_error(WEIGHTS))
    assert float(second.grad[0, 0]) == pytest.approx(DW5, rel=1e-5)
    assert float(first.grad[0, 0]) == pytest.approx(DW1, rel=1e-5)


# -- (c) linear regression of y = 2x on x = 1..5, rate 0.01, 1000 steps ---------------------------

X = np.arange(1.0, 6.0)
Y = 2 * X


def descend(loss: Callable[[cp.Tensor, cp.Tensor], cp.Tensor], steps: int = 1000) -> list[float]:
    """w and b after gradient descent from zero."""
    w, b = cp.parameter(0.0, name="w"), cp.parameter(0.0, name="b")
    for _ in range(steps):
        loss(w, b).backward()
        w.assign(w - 0.01 * w.grad)
        b.assign(b - 0.01 * b.grad)
    return [float(w), float(b)]


def test_linear_regression_finds_the_line() -> None:
    x, y = cp.tensor(X, dtype="float32"), cp.tensor(Y, dtype="float32")
    w, b = descend(lambda w, b: ((w * x + b - y) ** 2).mean())
    assert w == pytest.approx(2, abs=0.01)
    assert b == pytest.approx(0, abs=0.02)


def test_linear_regression_goes_the_way_of_the_closed_form() -> None:
    # The error of (w, b) shrinks at each step by the matrix I - rate * 2 / 5 * sum (x, 1)(x, 1)^T.
    design = np.stack([X, np.ones(5)], axis=1)
    shrink = np.linalg.matrix_power(np.eye(2) - 0.01 * 2 / 5 * design.T @ design, 1000)
    expected = np.array([2.0, 0.0]) - shrink @ np.array([2.0, 0.0])
    x, y = cp.tensor(X), cp.tensor(Y)
    found = descend(lambda w, b: cp.losses.mean_squared_error(y, w * x + b))
    assert found == pytest.approx(expected.tolist(), abs=FOUR_DIGITS)


def test_plain_numpy_learns_another_line_in_silence() -> None:
    rows = X.reshape(5, 1)  # X as tables have it: a row for each sample
    w, b = np.zeros((1, 1)), 0.0
    for _ in range(1000):
        difference = rows @ w + b - Y  # (5, 1) - (5,): every prediction with every target
        assert difference.shape == (5, 5)
        w = w - 0.01 * 2 * (rows * difference).mean()
        b = b - 0.01 * 2 * difference.mean()
    assert round(w.item(), 2) == 0.05
    assert round(b, 1) == 5.8


def test_the_loss_refuses_what_would_broadcast() -> None:
    w, b = cp.parameter([[0.0]]), cp.parameter(0.0)
    with pytest.raises(ShapeError) as caught:
        cp.losses.mean_squared_error(Y, X.reshape(5, 1) @ w + b)
    message, _, place = str(caught.value).rpartition("\n  at:     ")
    assert message == (
        "mean_squared_error: targets and predictions have different shapes\n"
        "  found:  y_true: (5,), y_pred: (5, 1); together they would broadcast to (5, 5)\n"
        "  needed: equal shapes: one target for each prediction\n"
        "  try:    y_true.reshape(5, 1)"
    )
    assert "test_worked_examples.py:" in place
