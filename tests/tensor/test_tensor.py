"""The Tensor: numbers when asked for, types at once, derivatives by ``backward``."""

from __future__ import annotations

import gc
import inspect
import warnings
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import DTypeError, GradientError, ShapeError, TraceError
from clearprop.ir.value import Equation
from clearprop.tensor.tensor import DEPTH_LIMIT, has_numbers


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def equations_alive() -> int:
    gc.collect()
    return sum(isinstance(thing, Equation) for thing in gc.get_objects())


# -- numbers --------------------------------------------------------------------


def test_numbers_of_what_is_learned_are_computed_when_asked_for() -> None:
    w = cp.parameter([1.0, 2.0])
    inner = w * 3
    outer = inner + 1
    assert inner.array is None
    assert outer.shape == (2,)
    assert outer.tolist() == [4.0, 7.0]
    assert inner.array is not None  # computed on the way, and kept


def test_what_depends_on_numbers_alone_remembers_nothing() -> None:
    x = cp.tensor([1.0, 2.0])
    before = equations_alive()
    results = [x * 2 + 1 for _ in range(10)]
    assert equations_alive() == before
    assert results[0].equation is None


def test_a_wrong_shape_fails_at_the_users_line() -> None:
    w = cp.parameter(np.ones((2, 3)))
    with pytest.raises(ShapeError) as error:
        w + np.ones((2, 4))
    assert error.value.at == f"{__file__}:{line() - 1}"


def test_numbers_that_cannot_be_read_fail_at_the_users_line() -> None:
    for make in (cp.tensor, cp.parameter):
        with pytest.raises(DTypeError) as error:
            make("abc")
        assert error.value.at == f"{__file__}:{line() - 1}"


def test_a_result_is_fixed_when_its_line_ran() -> None:
    w = cp.parameter([1.0, 2.0])
    late, same = w * 10, +w
    w.assign([5.0, 6.0])
    assert late.tolist() == [10.0, 20.0]
    assert same.tolist() == [1.0, 2.0]
    assert (w * 10).tolist() == [50.0, 60.0]


def test_derivatives_are_taken_where_the_line_ran() -> None:
    w = cp.parameter(3.0)
    square = w * w
    w.assign(100.0)
    square.backward()
    assert w.grad is None  # what is differentiated is the old number, no longer this parameter's
    (w * w).backward()
    assert float(w.grad) == 200.0


def test_print_shows_numbers_name_and_type() -> None:
    assert repr(cp.tensor([1.0, 2.5], name="x")) == "Tensor([1. , 2.5], x: f32[2])"
    shown: list[str] = []
    cp.grad(lambda x: shown.append(repr(x * 2)) or x)(1.0)
    assert shown == ["Tensor(f32[], no numbers yet)"]


def test_parameters_hold_floating_point_numbers() -> None:
    assert cp.parameter([1, 2]).dtype == np.float32
    assert cp.parameter(np.array([1, 2])).dtype == np.float32
    assert cp.parameter(np.ones(2)).dtype == np.float64
    assert cp.parameter([1, 2], dtype="float64").dtype == np.float64
    with pytest.raises(DTypeError) as error:
        cp.parameter([1, 2], dtype="int32")
    assert str(error.value) == (
        "parameter: what is learned must be floating-point numbers\n"
        "  found:  int32\n"
        "  needed: float32 or float64\n"
        "  try:    use cp.tensor(...) for whole numbers\n"
        f"  at:     {__file__}:{line() - 6}"
    )


def test_assign_refuses_what_does_not_fit_and_changes_nothing() -> None:
    w = cp.parameter([1.0, 2.0], name="w")
    with pytest.raises(ShapeError) as error:
        w.assign([1.0, 2.0, 3.0])
    assert str(error.value) == (
        'assign: the new numbers of parameter "w" have another shape\n'
        "  found:  (3,)\n"
        "  needed: (2,)\n"
        f"  at:     {__file__}:{line() - 5}"
    )
    with pytest.raises(DTypeError):
        w.assign(["a", "b"])
    assert w.tolist() == [1.0, 2.0]


def test_assign_copies() -> None:
    w, array = cp.parameter([1.0, 2.0]), np.array([3.0, 4.0], np.float32)
    w.assign(array)
    array[0] = 9
    assert w.tolist() == [3.0, 4.0]
    assert array.flags.writeable


def test_whether_numbers_are_there_can_be_asked() -> None:
    w = cp.parameter(2.0)
    assert has_numbers(w * w)
    seen: list[bool] = []
    cp.grad(lambda x: seen.append(has_numbers(x * w)) or x)(1.0)
    assert seen == [False]


# -- backward ---------------------------------------------------------------------


def test_backward_fills_every_floating_tensor() -> None:
    w, b = cp.parameter([1.0, -2.0]), cp.parameter(0.5)
    x, picks = cp.tensor([3.0, 4.0]), cp.tensor([1, 1])
    product = w * x
    loss = (product + b).sum() * picks.sum()
    loss.backward()
    assert w.grad.tolist() == [6.0, 8.0]
    assert x.grad.tolist() == [2.0, -4.0]
    assert b.grad.item() == 4.0
    assert product.grad.tolist() == [2.0, 2.0]
    assert loss.grad.item() == 1.0
    assert picks.grad is None


def test_backward_replaces() -> None:
    w = cp.parameter(3.0)
    loss = w * w
    loss.backward()
    loss.backward()
    assert float(w.grad) == 6.0
    (w * 5).backward()
    assert float(w.grad) == 5.0


def test_backward_can_start_from_a_derivative() -> None:
    w = cp.parameter([1.0, 2.0])
    (w * w).backward([10.0, 1.0])
    assert w.grad.tolist() == [20.0, 4.0]


def test_gradients_can_be_differentiated() -> None:
    w = cp.parameter(2.0, dtype="float64")
    (w**4).backward()
    first = w.grad
    first.backward()
    second = w.grad
    second.backward()
    assert (float(first), float(second), float(w.grad)) == (32.0, 48.0, 48.0)


def test_an_integer_in_between_stops_the_derivative() -> None:
    w = cp.parameter(2.5)
    (w.astype("int64").astype("float32") * w).backward()
    assert float(w.grad) == 2.0


def test_not_a_number_goes_through() -> None:
    w = cp.parameter([np.nan, 1.0, np.inf])
    loss = (w * w).sum()
    loss.backward()
    assert np.isnan(loss.item())
    np.testing.assert_array_equal(w.grad.numpy(), [np.nan, 2.0, np.inf])


def test_backward_needs_a_parameter() -> None:
    with pytest.raises(GradientError) as error:
        (cp.tensor(2.0) * 3).backward()
    assert str(error.value) == (
        "backward: no parameter reaches this Tensor, so it has no gradients\n"
        "  found:  f32[] computed from plain numbers\n"
        "  needed: at least one cp.parameter(...) in the formula\n"
        "  try:    write w = cp.parameter(...) for what should be learned\n"
        f"  at:     {__file__}:{line() - 6}"
    )


def test_backward_needs_a_single_number() -> None:
    w = cp.parameter([1.0, 2.0])
    with pytest.raises(GradientError) as error:
        (w * 2).backward()
    assert str(error.value) == (
        "backward: only a single floating-point number can be differentiated\n"
        "  found:  f32[2]\n"
        "  needed: f32[]\n"
        "  try:    reduce it first, e.g. loss.mean().backward()\n"
        f"  at:     {__file__}:{line() - 6}"
    )
    with pytest.raises(GradientError, match=r"found:  i64\[\]"):
        cp.argmax(w).backward()
    with pytest.raises(GradientError) as error:
        (w * 2).backward([1.0, 2.0, 3.0])
    assert str(error.value) == (
        "backward: the derivative to start from does not fit\n"
        "  found:  f32[3]\n"
        "  needed: f32[2]\n"
        f"  at:     {__file__}:{line() - 5}"
    )


def test_a_decision_by_a_placeholder_is_explained() -> None:
    def absolute(x: Any) -> Any:
        if x > 0:
            return x
        return -x

    with pytest.raises(TraceError) as error:
        cp.grad(absolute)(2.0)
    assert str(error.value) == (
        "Asking for numbers while a function is being traced: there are none yet\n"
        "  found:  a value of type bool[] that depends on the placeholder of an argument\n"
        "  needed: an operation on Tensors\n"
        "  try:    leave out .numpy(), float() and print; choose with cp.where(condition, a, b) "
        "instead of `if`; repeat with cp.scan\n"
        f"  at:     {__file__}:{line() - 12}"
    )


def test_a_placeholder_that_got_out_has_no_numbers() -> None:
    leaked: list[Any] = []
    cp.grad(lambda x: leaked.append(x * 2) or x)(1.0)
    for ask in (float, np.asarray, bool, list, lambda x: x.tolist()):
        with pytest.raises((TraceError, TypeError)):
            ask(leaked[0])
    with pytest.raises(TraceError, match="finished computation") as error:
        cp.compile(lambda y: y * leaked[0])(1.0)
    assert error.value.at == f"{__file__}:{line() - 1}"


# -- memory -------------------------------------------------------------------------


def _learn(steps: int, w: Any, x: Any, y: Any) -> Any:
    for _ in range(steps):
        error = x @ w - y
        loss = (error * error).mean()
        loss.backward()
        w.assign(w - 0.1 * w.grad)
    return loss


def test_learning_by_hand_does_not_pile_up() -> None:
    rng = np.random.default_rng(0)
    x, y = cp.tensor(rng.normal(size=(8, 2))), cp.tensor(rng.normal(size=8))
    w = cp.parameter(np.zeros(2))
    loss = _learn(5, w, x, y)
    few, depth = equations_alive(), loss.depth
    loss = _learn(2000, w, x, y)
    assert equations_alive() == few
    assert loss.depth == depth
    expected = np.linalg.lstsq(x.numpy(), y.numpy(), rcond=None)[0]
    np.testing.assert_allclose(w.numpy(), expected, rtol=1e-6)


def test_detach_cuts_the_graph() -> None:
    w, velocity = cp.parameter(1.0), cp.tensor(0.0)
    for _ in range(20):
        (w * w).backward()
        velocity = (0.9 * velocity + w.grad).detach()
        w.assign(w - 0.01 * velocity)
    assert velocity.depth == 0
    assert velocity.equation is None


def test_a_graph_that_grows_is_warned_of() -> None:
    total = cp.parameter(0.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(DEPTH_LIMIT + 100):
            total = total + 1
    (warning,) = caught
    at = f"{__file__}:{line() - 2}"
    assert str(warning.message) == (
        f"the graph is more than 10,000 operations deep and grows at {at}; "
        "update parameters with parameter.assign(value), or cut with .detach()"
    )
    assert f"{warning.filename}:{warning.lineno}" == at
    total.backward()  # no recursion: depth is no limit
    assert total.item() == DEPTH_LIMIT + 100
    del total
