"""The gradient pass: what it gives, what it leaves alone, and where its equations belong."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop import ops
from clearprop import primitives as p
from clearprop.executors.reference import evaluate
from clearprop.ir.place import Place, at_place
from clearprop.ir.program import Program, equations_under
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.ir.verify import verify
from clearprop.passes.gradient import differentiate, value_and_gradients

F8 = np.dtype(np.float64)
NUMBER = TensorType((), F8)


def test_derivatives_of_what_is_not_reached_are_none() -> None:
    x, y, count = Value(NUMBER), Value(NUMBER), Value(TensorType((), np.dtype(np.int64)))
    out = p.multiply(x, p.cast(count, dtype=F8))
    d_x, d_y, d_count = differentiate([out], [Value(NUMBER)], [x, y, count])
    assert d_x is not None
    assert d_y is d_count is None


def test_an_output_may_have_no_derivative() -> None:
    x = Value(NUMBER)
    assert differentiate([p.exp(x)], [None], [x]) == [None]
    (alone,) = differentiate([p.exp(x), p.multiply(x, x)], [None, p.constant_like(1, x)], [x])
    assert alone is not None
    assert evaluate([alone], {x: np.array(3.0)}) == [6.0]


def test_the_output_itself_may_be_asked_for() -> None:
    x, d_x = Value(NUMBER), Value(NUMBER)
    assert differentiate([x, x], [d_x, None], [x]) == [d_x]


def test_values_in_between_have_derivatives() -> None:
    x = Value(NUMBER)
    middle = p.exp(x)
    out = p.multiply(middle, middle)
    d_middle, d_x = differentiate([out], [p.constant_like(1, out)], [middle, x])
    assert d_middle is not None
    assert d_x is not None
    m = np.exp(0.5)
    found = evaluate([d_middle, d_x], {x: np.array(0.5)})
    np.testing.assert_allclose(found, [2 * m, 2 * m * m])


def test_given_values_hide_where_they_come_from() -> None:
    x = Value(NUMBER)
    middle = p.exp(x)
    out = p.multiply(middle, middle)
    d_x, d_middle = differentiate([out], [p.constant_like(1, out)], [x, middle], [middle])
    assert d_x is None
    assert d_middle is not None


def test_a_deep_graph_is_no_limit() -> None:
    x = out = Value(NUMBER)
    for _ in range(20_000):
        out = p.negate(out)
    (d_x,) = differentiate([out], [p.constant_like(1, out)], [x])
    assert d_x is not None
    assert evaluate([d_x]) == [1.0]


def test_what_is_used_often_adds_up_once_each() -> None:
    x = out = Value(NUMBER)
    for _ in range(60):  # 2**60 paths, 60 equations
        out = p.add(out, out)
    (d_x,) = differentiate([out], [p.constant_like(1, out)], [x])
    assert d_x is not None
    assert evaluate([d_x]) == [2.0**60]
    assert len(equations_under([d_x], {x}.__contains__)) < 200


@pytest.mark.parametrize("layer", ["", "net/dense"])
def test_equations_belong_to_the_line_they_are_the_derivative_of(layer: str) -> None:
    line = Place("train.py", 3, layer)
    x, d_out = Value(NUMBER), Value(NUMBER)
    with at_place(line):
        out = ops.add(ops.multiply(ops.exp(x), x), x)
    (d_x,) = differentiate([out], [d_out], [x])
    assert d_x is not None
    new = set(equations_under([d_x], {x, d_out}.__contains__))
    assert {equation.place for equation in new} == {line}


def test_a_loss_program_gets_its_gradients() -> None:
    x, y, unused = Value(NUMBER, name="x"), Value(NUMBER, name="y"), Value(NUMBER)
    program = Program.under([ops.multiply(x, ops.square(y)), ops.exp(x)], [x, y, unused])
    derived = value_and_gradients(program, [1, 2, 0])
    verify(derived)
    assert derived.inputs == program.inputs
    feeds = dict(zip(derived.inputs, map(np.array, (2.0, 3.0, 5.0)), strict=True))
    assert evaluate(derived.outputs, feeds) == [18.0, np.exp(2.0), 12.0, 0.0, 9.0]


def test_derivatives_pass_no_condition_on_the_way_into_a_loop() -> None:
    x, seen, is_large = Value(NUMBER), Value(NUMBER), Value(TensorType((), np.dtype(np.bool_)))
    body = Program.under([p.select(is_large, p.multiply(seen, seen), seen)], [seen, is_large])
    middle = p.sin(x)
    rows = p.broadcast_to(p.less(x, middle), shape=(2,), new_axes=(0,))
    for per_step, captured in (([], [p.less(x, middle)]), ([rows], [])):
        (out,) = p.scan(body, [middle], per_step, captured, length=2)
        (d_x,) = differentiate([out], [p.constant_like(1, out)], [x])
        assert d_x is not None
        exact = 4 * np.sin(-1.0) ** 3 * np.cos(-1.0)
        np.testing.assert_allclose(evaluate([d_x], {x: np.array(-1.0)})[0], exact)
