"""check_gradients: it passes what is right, and it finds what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop import primitives as p
from clearprop.errors import GradientError
from clearprop.ir.primitive import Primitive
from clearprop.layers import Dense

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4))


@contextmanager
def wrong_by(primitive: Primitive, factor: float) -> Iterator[None]:
    """Inside, the derivative of the primitive by its first input is wrong by a factor."""
    right = primitive.gradient
    assert right is not None

    def wrong(d_output: Any, output: Any, *inputs: Any, **params: Any) -> Any:
        first, *others = right(d_output, output, *inputs, **params)
        return p.multiply(first, p.constant_like(factor, first)), *others

    object.__setattr__(primitive, "gradient", wrong)
    try:
        yield
    finally:
        object.__setattr__(primitive, "gradient", right)


def network(x: Any, kernel: Any, bias: Any) -> Any:
    return {"out": cp.tanh(x @ kernel + bias), "sum": cp.logsumexp(x)}


ARGUMENTS = X, RNG.normal(size=(4, 2)), RNG.normal(size=2)


def test_right_gradients_pass() -> None:
    report = cp.check_gradients(network, *ARGUMENTS)
    assert report
    assert report.passed
    assert [row.name for row in report.rows] == ["argument 0", "argument 1", "argument 2"]
    assert max(row.error for row in report.rows) < 1e-8


@pytest.mark.parametrize(
    ("primitive", "wrong"),
    [
        (p.TANH, {"argument 0", "argument 1", "argument 2"}),
        (p.DOT_GENERAL, {"argument 0"}),
        (p.ADD, {"argument 0", "argument 1"}),
        (p.EXP, {"argument 0"}),
    ],
    ids=lambda value: " ".join(sorted(value)) if isinstance(value, set) else str(value),
)
@pytest.mark.parametrize("factor", [1.001, -2.0, 0.0, float("nan")])
def test_a_wrong_gradient_is_found(primitive: Primitive, wrong: set[str], factor: float) -> None:
    with wrong_by(primitive, factor):
        report = cp.check_gradients(network, *ARGUMENTS)
    found = {row.name for row in report.rows if not row.error <= report.tolerance}
    assert not report
    assert wrong <= found
    assert "WRONG" in str(report)
    assert cp.check_gradients(network, *ARGUMENTS)


def test_a_missing_gradient_is_found() -> None:
    report = cp.check_gradients(lambda x: cp.stop_gradient(x) * x, X)
    assert not report


def test_the_parameters_of_a_layer_are_checked_in_float64() -> None:
    layer = Dense(2, activation="tanh")
    layer(X.astype(np.float32))
    before = layer.get_weights()
    report = cp.check_gradients(layer, X.astype(np.float32))
    assert report
    assert [(row.name, str(row.type)) for row in report.rows] == [
        ("argument 0", "f64[3, 4]"),
        ("dense/kernel", "f64[4, 2]"),
        ("dense/bias", "f64[2]"),
    ]
    for one, other in zip(layer.get_weights(), before, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one, other)
    with wrong_by(p.TANH, 1.01):
        assert not cp.check_gradients(layer, X)


def test_integers_and_loops_take_part() -> None:
    def function(rows: Any, picks: Any, scale: Any) -> Any:
        last, _ = cp.scan(lambda c, r: (c * scale + r, None), cp.zeros(4, dtype=rows.dtype), rows)
        return cp.take(last, picks)

    report = cp.check_gradients(function, X, np.array([3, 0]), 0.5)
    assert report
    assert [row.name for row in report.rows] == ["argument 0", "argument 2"]


def test_the_report_reads_as_a_table() -> None:
    lines = str(cp.check_gradients(lambda x: x * x, cp.tensor([3.0], name="x"))).splitlines()
    assert lines[0].split() == ["input", "type", "derived", "measured", "error"]
    assert lines[2].split()[:2] == ["x", "f64[1]"]
    assert lines[2].endswith("ok")


def test_something_must_have_derivatives() -> None:
    with pytest.raises(GradientError, match="nothing that comes out"):
        cp.check_gradients(cp.argmax, X)
    with pytest.raises(GradientError, match="nothing that goes in"):
        cp.check_gradients(lambda x: x * 1.0, [1, 2])
