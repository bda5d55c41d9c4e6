"""cond and branch: one of several functions, its numbers and its derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import ArgumentError, DTypeError, LabelError, ShapeError, UnsupportedError
from clearprop.layers import BatchNormalization
from tests.functions.differences import measured

RNG = np.random.default_rng(0)
X, WEIGHT = RNG.normal(size=3), RNG.normal(size=3)
close = np.testing.assert_allclose


@pytest.mark.parametrize("holds", [True, False])
def test_the_condition_chooses(holds: bool) -> None:
    for condition in (holds, np.bool_(holds), cp.tensor(1.0 if holds else -1.0) > 0):
        result = cp.cond(condition, cp.sin, cp.cos, X)
        close(result.numpy(), np.sin(X) if holds else np.cos(X))


@pytest.mark.parametrize("index", [0, 1, 2])
def test_the_index_chooses_a_nest(index: int) -> None:
    functions = [lambda x, k=k: {"power": x ** (k + 1), "pair": (x * k, k)} for k in range(3)]
    result = cp.branch(cp.tensor(index), functions, X)
    close(result["power"].numpy(), X ** (index + 1))
    close(result["pair"][0].numpy(), X * index)
    assert result["pair"][1].item() == index


@pytest.mark.parametrize("index", [0, 1, 2])
def test_derivatives_reach_operands_and_what_is_captured(index: int) -> None:
    """Also where the chosen function does not read it: then they are zero."""

    def loss(x: Any, weight: Any) -> Any:
        inside = weight * 2
        functions = [
            lambda x: (x * inside, x),
            lambda x: (cp.sin(x), inside),
            lambda x: (cp.exp(x) * cp.tanh(weight), inside * x),
        ]
        first, second = cp.branch(index, functions, x)
        return (first * second).sum()

    slopes = cp.grad(loss, (0, 1))
    for place, slope in enumerate(slopes(X, WEIGHT)):
        close(slope.numpy(), measured(loss, X, WEIGHT, by=place), rtol=1e-7, atol=1e-9)
    curves = cp.hessian(loss, 0)(X, WEIGHT)
    expected = measured(lambda x, w: slopes(x, w)[0], X, WEIGHT)
    close(curves.numpy(), expected, rtol=1e-6, atol=1e-8)


def test_what_did_not_run_does_no_harm() -> None:
    """where computes both, and infinity times zero is NaN; cond runs one."""

    def safe(x: Any) -> Any:
        return cp.cond(x > 0, cp.log, lambda x: x * 3, x)

    assert cp.value_and_grad(safe)(0.0) == (0.0, 3.0)
    assert cp.value_and_grad(safe)(2.0)[1].item() == 0.5


def test_a_choice_may_depend_on_data_in_a_compiled_function_and_in_a_loop() -> None:
    @cp.compile
    def collatz(n: Any) -> Any:
        def step(n: Any, _: Any) -> tuple[Any, Any]:
            after = cp.cond(n % 2 == 0, lambda n: n // 2, lambda n: 3 * n + 1, n)
            return after, after

        return cp.scan(step, n, length=6)[1]

    assert collatz(np.int64(6)).tolist() == [3, 10, 5, 16, 8, 4]
    assert collatz(np.int64(1)).tolist() == [4, 2, 1, 4, 2, 1]


def test_parameters_are_captured_with_their_present_numbers() -> None:
    weight = cp.parameter([2.0, 3.0])
    loss = cp.cond(True, lambda: (weight * weight).sum(), lambda: weight.sum())
    loss.backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [4, 6]
    weight.assign([1.0, 1.0])
    assert cp.cond(True, lambda: weight, lambda: weight * 2).tolist() == [1, 1]


def test_choices_within_choices() -> None:
    def outer(x: Any) -> Any:
        def inner(x: Any) -> Any:
            return cp.cond(x < 10, lambda x: x * x, lambda x: x + 1, x)

        return cp.cond(x > 0, inner, cp.negative, x)

    assert [outer(np.float64(x)).item() for x in (-2, 3, 20)] == [2, 9, 21]
    assert [cp.grad(outer)(np.float64(x)).item() for x in (-2, 3, 20)] == [-1, 6, 1]


def test_results_of_different_types_are_explained() -> None:
    with pytest.raises(ShapeError) as caught:
        cp.cond(True, lambda x: x, lambda x: 0, X)
    assert str(caught.value).splitlines()[:4] == [
        "cond: all functions must return the same nest of the same types",
        "  found:  i64[] and f64[3]",
        "  needed: equal shapes and dtypes, in equal nests",
        "  try:    cast or reshape the results, e.g. return cp.zeros_like(x) instead of 0.0",
    ]
    assert "test_branching.py" in caught.value.at


def test_beginner_mistakes() -> None:
    with pytest.raises(DTypeError, match="cond: the condition is one boolean"):
        cp.cond(cp.tensor([True, False]), cp.sin, cp.cos, X)
    with pytest.raises(DTypeError, match="cond: the condition is one boolean"):
        cp.cond(1.0, cp.sin, cp.cos, X)
    with pytest.raises(DTypeError, match="branch: the index is one whole number"):
        cp.branch(True, [cp.sin], X)
    with pytest.raises(ArgumentError, match="branch: there is nothing to choose from"):
        cp.branch(0, [], X)
    with pytest.raises(LabelError, match="index 2 for 2 bodies"):
        cp.branch(2, [cp.sin, cp.cos], X).numpy()


def test_a_body_that_updates_variables_is_refused() -> None:
    layer = BatchNormalization()
    x = np.ones((4, 3), np.float32)
    layer(x)
    with pytest.raises(UnsupportedError, match="which a choice cannot keep"):
        cp.cond(True, lambda: layer(x, training=True), lambda: cp.tensor(x))
