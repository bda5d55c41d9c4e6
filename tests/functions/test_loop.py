"""scan: a loop as one Program, its numbers and all its derivatives."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop.errors import ArgumentError, ShapeError, TraceError, UnsupportedError
from clearprop.layers import BatchNormalization
from tests.functions.differences import measured

RNG = np.random.default_rng(1)
START, ROWS, WEIGHT = RNG.normal(size=2), RNG.normal(size=(4, 2)), RNG.normal(size=(2, 2))
close = np.testing.assert_allclose


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def unrolled(
    body: Callable[[Any, Any], Any], carry: Any, rows: Any, *, reverse: bool = False
) -> tuple[Any, Any]:
    """The same loop in Python."""
    outputs: dict[int, Any] = {}
    for step in reversed(range(len(rows))) if reverse else range(len(rows)):
        carry, outputs[step] = body(carry, rows[step])
    return carry, cp.stack([outputs[step] for step in range(len(rows))])


def rnn(loop: Callable[..., Any], reverse: bool) -> Callable[..., Any]:
    """A recurrent net: a carry, rows, a captured matrix, stacked outputs."""

    def loss(start: Any, rows: Any, weight: Any) -> Any:
        def body(state: Any, row: Any) -> Any:
            state = cp.tanh(state @ weight + row)
            return state, state * row

        last, outputs = loop(body, start, rows, reverse=reverse)
        return (last**2).sum() + cp.sin(outputs).sum()

    return loss


each_way = pytest.mark.parametrize("reverse", [False, True])


@each_way
@pytest.mark.parametrize("length", [0, 1, 4])
def test_numbers_are_those_of_a_python_loop(length: int, reverse: bool) -> None:
    def body(carry: Any, row: Any) -> Any:
        total, count = carry
        return (total * 0.5 + row, count + 1), {"total": total, "twice": (row * 2, count)}

    start = (np.array([1.0, 2.0]), 7)
    (total, count), outputs = cp.scan(body, start, ROWS[:length], reverse=reverse)
    expected, stacks = np.array([1.0, 2.0]), np.zeros((length, 2))
    for step in reversed(range(length)) if reverse else range(length):
        stacks[step] = expected
        expected = expected * 0.5 + ROWS[step]
    close(total.numpy(), expected)
    assert count.item() == 7 + length
    close(outputs["total"].numpy(), stacks)
    close(outputs["twice"][0].numpy(), ROWS[:length] * 2)
    counts = list(range(7, 7 + length))
    assert outputs["twice"][1].tolist() == (counts[::-1] if reverse else counts)


@given(st.lists(st.floats(-9, 9), max_size=6), st.floats(-2, 2))
def test_a_recurrence_is_itself(rows: list[float], factor: float) -> None:
    xs = np.array(rows)
    last, after = cp.scan(lambda c, x: (c * factor + x,) * 2, np.float64(0), xs)
    total, expected = 0.0, []
    for row in rows:
        total = total * factor + row
        expected.append(total)
    assert last.item() == total
    assert after.tolist() == expected


@each_way
@pytest.mark.parametrize("by", [0, 1, 2])
def test_gradients_agree_with_differences_and_an_unrolled_loop(by: int, reverse: bool) -> None:
    loop = rnn(cp.scan, reverse)
    found = cp.grad(loop, by)(START, ROWS, WEIGHT).numpy()
    plain = cp.grad(rnn(unrolled, reverse), by)(START, ROWS, WEIGHT).numpy()
    close(found, plain, rtol=1e-13, atol=1e-15)
    numbers = measured(lambda *a: loop(*map(cp.tensor, a)).item(), START, ROWS, WEIGHT, by=by)
    close(found, numbers, rtol=1e-7, atol=1e-9)


@each_way
@pytest.mark.parametrize("length", [0, 1])
def test_short_loops_have_gradients(length: int, reverse: bool) -> None:
    arguments = START, ROWS[:length], WEIGHT
    found = cp.grad(rnn(cp.scan, reverse), (0, 1, 2))(*arguments)
    if length:
        expected = cp.grad(rnn(unrolled, reverse), (0, 1, 2))(*arguments)
    else:
        expected = tuple(map(cp.tensor, (2 * START, np.zeros((0, 2)), np.zeros((2, 2)))))
    for one, other in zip(found, expected, strict=True):
        close(one.numpy(), other.numpy(), rtol=1e-13)


@each_way
@pytest.mark.parametrize("by", [0, 1, 2])
def test_second_derivatives_agree_with_an_unrolled_loop(by: int, reverse: bool) -> None:
    arguments = START, ROWS[:3], WEIGHT

    def slope(loop: Callable[..., Any]) -> Callable[..., Any]:
        inner = cp.grad(rnn(loop, reverse), (0, 1, 2))
        return lambda *args: sum((cp.sin(d) ** 2).sum() for d in inner(*args))

    found = cp.grad(slope(cp.scan), by)(*arguments).numpy()
    close(found, cp.grad(slope(unrolled), by)(*arguments).numpy(), rtol=1e-11, atol=1e-12)
    if by == 0:
        close(found, measured(lambda *a: slope(cp.scan)(*a).item(), *arguments), rtol=1e-6)


def test_the_hessian_goes_through_a_loop() -> None:
    def loss(x: Any) -> Any:
        return cp.scan(lambda c, r: (cp.sin(c * x[0]) + r * x[1], None), x[0], ROWS[:, 0])[0]

    found = cp.hessian(loss)(START).numpy()
    close(found, measured(lambda x: cp.grad(loss)(x).numpy(), START), rtol=1e-6, atol=1e-8)
    close(found, found.T, rtol=1e-12)


def nested(loop: Callable[..., Any]) -> Callable[..., Any]:
    def loss(x: Any) -> Any:
        def outer(carry: Any, row: Any) -> Any:
            inner_last, inner = loop(lambda c, r: (c * r + x[0], c * x[1]), carry, row * x)
            return inner_last, inner.sum() * carry

        last, outputs = loop(outer, x[0] * x[1], cp.tensor(ROWS))
        return last + (outputs**2).sum()

    return loss


def test_a_loop_in_a_loop_has_derivatives() -> None:
    found = cp.grad(nested(cp.scan))(START).numpy()
    close(found, cp.grad(nested(unrolled))(START).numpy(), rtol=1e-12)
    second = cp.hessian(nested(cp.scan))(START).numpy()
    close(second, cp.hessian(nested(unrolled))(START).numpy(), rtol=1e-11)


def test_a_gradient_inside_of_a_loop_inside_of_a_gradient() -> None:
    """Newton's method learns, and what it learns depends on where it starts and on a factor."""

    def descend(factor: Any, start: Any) -> Any:
        def body(w: Any, _: Any) -> Any:
            inner = cp.grad(lambda v: cp.scan(lambda c, r: (c + cp.cos(v * r), None), v * factor,
                                              cp.tensor(ROWS[:, 0]))[0])  # fmt: skip
            return w - 0.1 * inner(w), None

        return cp.scan(body, start, length=3)[0]

    for by in (0, 1):
        found = cp.grad(descend, by)(np.float64(0.7), np.float64(0.3))
        numbers = measured(lambda *a: descend(*map(cp.tensor, a)).item(), 0.7, 0.3, by=by)
        close(found.numpy(), numbers, rtol=1e-7)


def test_parameters_and_outer_arguments_are_captured() -> None:
    w = cp.parameter(np.array([0.5, -0.25]))

    def loss(scale: Any) -> Any:
        return cp.scan(lambda c, r: (c * w + r * scale, None), START, ROWS)[0].sum()

    value = loss(cp.tensor(2.0, dtype="float64"))
    value.backward()

    def by_hand(weight: Any, scale: Any) -> Any:
        carry = START
        for row in ROWS:
            carry = carry * weight + row * scale
        return carry.sum()

    close(value.item(), by_hand(w.numpy(), 2.0))
    close(w.grad.numpy(), measured(by_hand, w.numpy(), 2.0), rtol=1e-8)
    close(cp.grad(loss)(np.float64(2)).item(), measured(by_hand, w.numpy(), 2.0, by=1), rtol=1e-8)


def test_what_each_step_gives_may_come_from_outside() -> None:
    w = cp.parameter([2.0, 3.0])
    _, outputs = cp.scan(lambda c, r: (c, (w, w * 2, r, 1.0)), 0.0, [1.0, 2.0, 3.0])
    assert [each.shape for each in outputs] == [(3, 2), (3, 2), (3,), (3,)]
    sum(each.sum() for each in outputs).backward()
    assert w.grad.tolist() == [9.0, 9.0]
    w.assign([0.0, 0.0])
    assert outputs[0].tolist() == [[2.0, 3.0]] * 3


def test_integers_ride_along() -> None:
    def loss(x: Any) -> Any:
        def body(carry: Any, row: Any) -> Any:
            value, count = carry
            return (value * row + count, count + 1), value * count

        (value, _), outputs = cp.scan(body, (x, 0), ROWS[:, 0])
        return value + outputs.sum()

    found = cp.grad(loss)(np.float64(0.5)).item()
    close(found, measured(lambda x: loss(cp.tensor(x)).item(), 0.5), rtol=1e-8)


def test_a_loop_can_count_without_rows() -> None:
    last, outputs = cp.scan(lambda c, _: (c * 2, c), 1, length=5)
    assert last.item() == 32
    assert outputs.tolist() == [1, 2, 4, 8, 16]
    assert cp.scan(lambda c, _: (c, None), {"a": 1.0}, length=2)[0]["a"].item() == 1.0


# -- what is refused ---------------------------------------------------------------------


def test_the_carry_keeps_its_type() -> None:
    with pytest.raises(ShapeError) as error:
        cp.scan(lambda c, r: (c + r, None), 0.0, ROWS)
    assert str(error.value) == (
        "scan: the body must return the carry in the form it got it\n"
        "  found:  f64[2]\n"
        "  needed: f32[]\n"
        "  try:    start with a carry of the shape and dtype that the body returns\n"
        f"  at:     {__file__}:{line() - 6}"
    )
    with pytest.raises(ShapeError, match="form it got it"):
        cp.scan(lambda c, r: ((c, c), None), 0.0, [1.0])


def test_lengths_agree() -> None:
    with pytest.raises(ShapeError) as error:
        cp.scan(lambda c, r: (c, None), 0.0, (ROWS, ROWS[:3]))
    assert str(error.value) == (
        "scan: all per-step inputs need the same first axis, the step\n"
        "  found:  f64[4, 2], f64[3, 2], length=None\n"
        "  needed: one row for each step\n"
        f"  at:     {__file__}:{line() - 5}"
    )
    for rows, length in ((ROWS, 3), (1.0, None)):
        with pytest.raises(ShapeError, match="same first axis"):
            cp.scan(lambda c, r: (c, None), 0.0, rows, length=length)


def test_there_is_a_number_of_steps() -> None:
    with pytest.raises(ArgumentError) as error:
        cp.scan(lambda c, r: (c, None), 0.0)
    assert str(error.value) == (
        "scan: how many steps?\n"
        "  found:  neither xs nor length\n"
        "  needed: one of them\n"
        f"  at:     {__file__}:{line() - 5}"
    )
    for wrong in (-1, 2.5, "3"):
        with pytest.raises(ArgumentError, match="whole number"):
            cp.scan(lambda c, r: (c, None), 0.0, length=wrong)  # type: ignore[arg-type]


def test_the_body_returns_a_pair() -> None:
    with pytest.raises(TraceError) as error:
        cp.scan(lambda c, r: c, 0.0, ROWS)  # type: ignore[arg-type, return-value]
    assert str(error.value) == (
        "scan: the body must return a pair\n"
        "  found:  Tensor\n"
        "  needed: (carry, outputs), e.g. return carry, None\n"
        f"  at:     {__file__}:{line() - 5}"
    )


def test_variables_are_not_updated_in_a_loop() -> None:
    layer = BatchNormalization()
    layer.build((None, 2))
    with pytest.raises(UnsupportedError) as error:
        cp.scan(lambda c, r: (c, layer(r, training=True)), 0.0, cp.ones((3, 4, 2)))
    assert str(error.value) == (
        "scan: the body updates variables, which a loop cannot keep\n"
        "  found:  moving_mean, moving_variance\n"
        "  needed: values that change from step to step in the carry\n"
        "  try:    call such layers outside of the loop, or in inference mode\n"
        f"  at:     {__file__}:{line() - 6}"
    )
    _, outputs = cp.scan(lambda c, r: (c, layer(r)), 0.0, cp.ones((3, 4, 2)))
    assert outputs.shape == (3, 4, 2)


@pytest.mark.parametrize("length", [0, 1, 3])
def test_a_carry_that_only_repeats_another_is_carried_once(length: int) -> None:
    start = cp.tensor([1.0, 2.0])
    program = cp.compile(_with_a_twin).program(start, cp.ones((length, 2)))
    (loop,) = [each for each in program.equations if each.primitive.name == "scan"]
    assert loop.params["carry_count"] == (2 if length == 0 else 1)
    last, twin = _with_a_twin(start, cp.ones((length, 2)))
    np.testing.assert_array_equal(last, np.array([1.0, 2.0]) + length)
    np.testing.assert_array_equal(twin, last if length else np.zeros(2))


def _with_a_twin(start: cp.Tensor, rows: cp.Tensor) -> tuple[cp.Tensor, cp.Tensor]:
    """A sum, and the output of the last step, which recurrent layers carry beside it."""

    def body(carry: tuple[cp.Tensor, cp.Tensor], row: cp.Tensor) -> tuple[Any, None]:
        new = carry[0] + row
        return (new, new), None

    carry, _ = cp.scan(body, (start, cp.zeros(2)), rows)
    return carry
