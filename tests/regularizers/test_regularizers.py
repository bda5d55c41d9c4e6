"""Regularizers: penalties by their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clearprop import regularizers
from clearprop.errors import ArgumentError, ShapeError, UnknownNameError
from clearprop.registry import describe, rebuild
from clearprop.tensor import parameter, tensor

WEIGHT = [[1.0, -2.0], [0.0, 3.0]]
ALL = [
    regularizers.L1(0.1),
    regularizers.L2(0.2),
    regularizers.L1L2(0.1, 0.2),
    regularizers.L1L2(),
    regularizers.OrthogonalRegularizer(0.3, "columns"),
]


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        (regularizers.L1(0.5), 0.5 * 6),
        (regularizers.L2(0.5), 0.5 * 14),
        (regularizers.L1L2(0.5, 0.25), 0.5 * 6 + 0.25 * 14),
        (regularizers.L1L2(l1=0.5), 0.5 * 6),
        (regularizers.L1L2(), 0.0),
        (regularizers.OrthogonalRegularizer(2.0), 2.0 * 2 / 5**0.5),
        (regularizers.OrthogonalRegularizer(2.0, "columns"), 2.0 * 2 / 13**0.5),
    ],
)
def test_penalties(regularizer: regularizers.Regularizer, expected: float) -> None:
    penalty = regularizer(tensor(WEIGHT, "float64"))
    assert penalty.shape == ()
    assert penalty.dtype == np.float64
    assert float(penalty) == pytest.approx(expected, rel=1e-12)


def test_penalties_have_gradients() -> None:
    weight = parameter(WEIGHT)
    regularizers.L1L2(0.5, 0.25)(weight).backward()
    expected = 0.5 * np.sign(WEIGHT) + 0.5 * np.array(WEIGHT)
    np.testing.assert_allclose(weight.grad.numpy(), expected, rtol=1e-6)


def test_a_row_of_zeros_is_orthogonal_to_all() -> None:
    weight = parameter([[0.0, 0.0], [3.0, 4.0]])
    penalty = regularizers.OrthogonalRegularizer()(weight)
    penalty.backward()
    assert float(penalty) == 0.0
    assert np.isfinite(weight.grad.numpy()).all()


def test_a_single_row_has_no_pairs() -> None:
    assert float(regularizers.OrthogonalRegularizer()(tensor([[3.0, 4.0]]))) == 0.0


@pytest.mark.parametrize("regularizer", ALL, ids=lambda one: type(one).__name__)
def test_a_described_regularizer_is_the_same(regularizer: regularizers.Regularizer) -> None:
    again = rebuild(describe(regularizer))
    assert type(again) is type(regularizer)
    assert again.get_config() == regularizer.get_config()


@pytest.mark.parametrize(
    ("spec", "config"),
    [
        ("l1", {"l1": 0.01}),
        ("l2", {"l2": 0.01}),
        ("L2", {"l2": 0.01}),
        ("l1_l2", {"l1": 0.01, "l2": 0.01}),
        (regularizers.L2(0.5), {"l2": 0.5}),
        (regularizers.L2, {"l2": 0.01}),
        ("orthogonal_regularizer", {"factor": 0.01, "mode": "rows"}),
    ],
)
def test_what_stands_for_a_regularizer(spec: object, config: dict[str, Any]) -> None:
    assert regularizers.get(spec).get_config() == config


def test_none_stays_none() -> None:
    assert regularizers.get(None) is None


@pytest.mark.parametrize(
    ("mistake", "error", "text"),
    [
        (
            lambda: regularizers.get("l3"),
            UnknownNameError,
            "Looking up a name: there is no regularizer called 'l3'\n  found:  'l3' did you mean",
        ),
        (
            lambda: regularizers.get(0.01),
            ArgumentError,
            "Choosing a regularizer: this is not one\n"
            "  found:  0.01\n"
            '  needed: a name such as "l2", cp.regularizers.L2(0.01), or a subclass of ',
        ),
        (
            lambda: regularizers.L2(-0.1),
            ArgumentError,
            "L2: the factor l2 is not a number of 0 or more\n"
            "  found:  l2=-0.1\n"
            "  needed: a finite number, 0 or more\n",
        ),
        (
            lambda: regularizers.OrthogonalRegularizer(mode="row"),
            ArgumentError,
            "OrthogonalRegularizer: there is no mode 'row'\n  found:  mode='row'\n",
        ),
        (
            lambda: regularizers.OrthogonalRegularizer()(tensor([1.0])),
            ShapeError,
            "OrthogonalRegularizer: only a matrix has rows and columns\n  found:  f32[1]\n",
        ),
    ],
)
def test_errors_teach(mistake: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        mistake()
    assert str(caught.value).startswith(text)
    assert "  at:     " in str(caught.value)
