"""Derivatives of functions: closed forms, measured differences, and functions of functions."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop.errors import ArgumentError, GradientError, ShapeError, TraceError
from clearprop.layers import BatchNormalization
from tests.functions.differences import measured

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 2))
V = RNG.normal(size=3)
close = np.testing.assert_allclose


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def wide(number: float) -> Any:
    return cp.tensor(number, dtype="float64")


# -- closed forms -------------------------------------------------------------------

CLOSED_FORMS = [
    (lambda x: x**3, lambda x: 3 * x**2),
    (lambda x: cp.exp(-x * x), lambda x: -2 * x * math.exp(-x * x)),
    (lambda x: cp.log(x) / x, lambda x: (1 - math.log(x)) / x**2),
    (lambda x: cp.sin(x) * cp.cos(x), lambda x: math.cos(2 * x)),
    (lambda x: 1 / (1 + cp.exp(-x)), lambda x: 1 / (2 + math.exp(x) + math.exp(-x))),
    (lambda x: cp.where(x > 1, x**2, 3 * x), lambda x: 2 * x if x > 1 else 3.0),
    (lambda x: cp.stop_gradient(x) * x, lambda x: x),
    (lambda x: cp.sqrt(cp.stack([x, x, 2 * x])).sum(), lambda x: (1 + 0.5**0.5) / x**0.5),
]


@pytest.mark.parametrize("number", range(len(CLOSED_FORMS)))
@given(x=st.floats(0.1, 4.0))
def test_gradients_are_the_closed_forms(number: int, x: float) -> None:
    function, derivative = CLOSED_FORMS[number]
    close(float(cp.grad(function)(wide(x))), derivative(x), rtol=1e-9, atol=1e-12)


def test_value_and_gradient_come_together() -> None:
    value, gradient = cp.value_and_grad(lambda x: (x**2).sum())(cp.tensor([1.0, 2.0]))
    assert value.item() == 5.0
    assert gradient.tolist() == [2.0, 4.0]
    assert gradient.dtype == np.float32


def test_nests_of_arguments_give_nests_of_gradients() -> None:
    def loss(parameters: Any, x: Any) -> Any:
        (kernel, bias), scale = parameters["layer"], parameters["scale"]
        return ((x @ kernel + bias) * scale).sum()

    nest = {"scale": 2.0, "layer": [X.T, (V,)[0]], "none": None}
    gradient = cp.grad(loss)(nest, np.ones((4, 2)))
    assert set(gradient) == {"scale", "layer", "none"}
    assert gradient["none"] is None
    close(gradient["layer"][0].numpy(), np.full((2, 3), 8.0))
    close(gradient["layer"][1].numpy(), np.full(3, 8.0))
    close(gradient["scale"].item(), (np.ones((4, 2)) @ X.T + V).sum(), rtol=1e-6)


def test_a_list_of_numbers_is_one_array_and_a_tuple_is_a_nest() -> None:
    assert cp.grad(lambda x: (x * x).sum())([1.0, 2.0]).tolist() == [2.0, 4.0]
    assert cp.grad(lambda x: (x * x).sum())([[1.0], [2.0]]).shape == (2, 1)
    first, second = cp.grad(lambda pair: pair[0] * pair[1])((2.0, 3.0))
    assert (first.item(), second.item()) == (3.0, 2.0)


def test_argnums_choose_the_arguments() -> None:
    def function(x: Any, y: Any, z: Any) -> Any:
        return x * y**2 + z

    assert float(cp.grad(function, argnums=1)(2.0, 3.0, 1)) == 12.0
    by_two = cp.grad(function, argnums=(1, 0))(2.0, 3.0, 1)
    assert [each.item() for each in by_two] == [12.0, 9.0]
    (only,) = cp.grad(function, argnums=(0,))(2.0, 3.0, 1)
    assert only.item() == 9.0
    with pytest.raises(ArgumentError) as error:
        cp.grad(function, argnums=3)(1.0, 2.0, 3.0)
    assert str(error.value) == (
        "Differentiating: there is no such argument\n"
        "  found:  argnums=3 with 3 arguments\n"
        "  needed: 0 to 2\n"
        f"  at:     {__file__}:{line() - 5}"
    )


def test_what_does_not_matter_has_gradient_zero() -> None:
    gradient = cp.grad(lambda x, y: (y * 1.0).sum())(cp.tensor(X), 1.0)
    close(gradient.numpy(), np.zeros((3, 2)))
    assert cp.grad(lambda x: 3.0)(1.0).item() == 0.0


# -- matrices of derivatives ---------------------------------------------------------


def test_the_jacobian_agrees_with_differences() -> None:
    def function(x: Any) -> Any:
        return cp.tanh(x @ x.T) * x[:, 0]

    close(
        cp.jacobian(function)(X).numpy(),
        measured(lambda x: np.tanh(x @ x.T) * x[:, 0], X),
        rtol=1e-7,
        atol=1e-9,
    )


def test_the_jacobian_of_a_linear_function_is_its_matrix() -> None:
    matrix = RNG.normal(size=(4, 3))
    close(cp.jacobian(lambda x: matrix @ x)(V).numpy(), matrix)
    close(cp.jacobian(lambda a, x: a @ x, argnums=1)(matrix, V).numpy(), matrix)
    assert cp.jacobian(lambda x: cp.zeros((2, 0)) * x.sum())(V).shape == (2, 0, 3)
    assert cp.jacobian(lambda x: cp.ones(2))(V).tolist() == [[0.0] * 3] * 2


def test_the_hessian_of_a_quadratic_form_is_its_matrix() -> None:
    matrix = RNG.normal(size=(3, 3))
    close(cp.hessian(lambda x: x @ matrix @ x)(V).numpy(), matrix + matrix.T, rtol=1e-12)


def test_the_hessian_agrees_with_differences() -> None:
    def function(x: Any) -> Any:
        return cp.logsumexp(x**2) + cp.prod(x)

    gradient = cp.grad(function)
    expected = measured(lambda x: gradient(x).numpy(), V)
    found = cp.hessian(function)(V).numpy()
    close(found, expected, rtol=1e-6, atol=1e-8)
    close(found, found.T, rtol=1e-12)


def test_derivatives_are_taken_again_and_again() -> None:
    third = cp.grad(cp.grad(cp.grad(lambda x: cp.sin(2 * x))))
    close(float(third(wide(0.3))), -8 * math.cos(0.6), rtol=1e-12)
    fourth = cp.grad(cp.grad(cp.hessian(lambda x: x**5)))
    close(float(fourth(wide(0.5))), 60.0, rtol=1e-12)


def test_a_gradient_goes_through_a_jacobian() -> None:
    gradient = cp.grad(lambda x: (cp.jacobian(lambda y: y**3)(x) ** 2).sum())(V)
    close(gradient.numpy(), 36 * V**3, rtol=1e-12)
    inner = cp.grad(lambda x: cp.jacobian(lambda y: x * y * y)(x).sum())(V)
    close(inner.numpy(), 4 * V, rtol=1e-12)


def test_a_gradient_inside_a_gradient_sees_the_outer_variable() -> None:
    outer = cp.grad(lambda x: x * cp.grad(lambda y: x * y**2)(x + 1))
    close(float(outer(wide(2.0))), 2 * 2 * (2 + 1) * 2 + 2 * 2.0**2, rtol=1e-12)


# -- what a function finds outside ------------------------------------------------------


def test_parameters_outside_are_constants_whose_history_stays() -> None:
    w = cp.parameter(3.0)
    gradient = cp.grad(lambda x: w * w * x)(1.0)
    gradient.backward()
    assert (gradient.item(), float(w.grad)) == (9.0, 6.0)


def test_gradients_are_those_of_the_moment() -> None:
    w, v = cp.parameter(3.0), cp.parameter(4.0)
    by_w, by_v = cp.grad(lambda x, y: x * y, argnums=(0, 1))(w, v)
    w.assign(0.0)
    v.assign(0.0)
    assert (by_w.item(), by_v.item()) == (4.0, 3.0)


def test_a_function_may_give_a_parameter_back() -> None:
    w = cp.parameter(3.0)
    value, gradient = cp.value_and_grad(lambda x: w)(1.0)
    w.assign(5.0)
    assert (value.item(), gradient.item()) == (3.0, 0.0)


def test_running_averages_follow_through_a_gradient() -> None:
    x = np.array([[1.0], [3.0]], np.float32)
    plain, traced = BatchNormalization(), BatchNormalization()
    plain(x, training=True)
    cp.grad(lambda x: traced(x, training=True).sum())(x)
    close(traced.moving_mean.numpy(), plain.moving_mean.numpy())
    cp.grad(lambda a: cp.grad(lambda x: traced(a * x, training=True).sum())(x).sum())(1.0)
    close(traced.moving_mean.numpy(), 0.02 * 0.99 + 0.02, rtol=1e-6)


# -- what is refused ---------------------------------------------------------------------


def test_integers_have_no_derivatives() -> None:
    with pytest.raises(GradientError) as error:
        cp.grad(lambda x: x * 1.0)(3)
    assert str(error.value) == (
        "Differentiating: only floating-point numbers have derivatives\n"
        "  found:  an argument of type i64[]\n"
        "  needed: f32 or f64\n"
        "  try:    write 2.0 instead of 2, or x.astype('float32')\n"
        f"  at:     {__file__}:{line() - 6}"
    )


def test_only_a_single_number_has_a_gradient() -> None:
    def losses(x: Any) -> Any:
        return x * 2

    with pytest.raises(GradientError) as error:
        cp.grad(losses)(V)
    assert str(error.value) == (
        "grad: only a function that returns a single floating-point number has a gradient\n"
        "  found:  losses returned f64[3]\n"
        "  needed: one value of type f32[] or f64[]\n"
        "  try:    reduce it, e.g. return loss.mean(); for vectors use cp.jacobian\n"
        f"  at:     {__file__}:{line() - 6}"
    )
    for wrong in (lambda x: None, lambda x: (x[0], x[1]), lambda x: cp.argmax(x)):
        with pytest.raises(GradientError, match="single floating-point"):
            cp.grad(wrong)(V)


def test_a_jacobian_needs_one_floating_output_and_input() -> None:
    with pytest.raises(GradientError) as error:
        cp.jacobian(cp.argmax)(V)
    assert str(error.value) == (
        "jacobian: only one Tensor by one Tensor has a Jacobian matrix\n"
        "  found:  i64[] by f64[3]\n"
        "  needed: one floating-point output by one input\n"
        "  try:    join several with cp.concatenate first\n"
        f"  at:     {__file__}:{line() - 6}"
    )
    with pytest.raises(GradientError, match=r"found:  f64\[3\], f64\[3\] by"):
        cp.jacobian(lambda x: (x, x))(V)


def test_a_result_that_is_no_tensor_is_refused() -> None:
    def words(x: Any) -> Any:
        return "two"

    with pytest.raises(TraceError) as error:
        cp.grad(words)(1.0)
    assert str(error.value) == (
        "Tracing words: it returned what is no Tensor\n"
        "  found:  str\n"
        "  needed: Tensors, arrays and numbers, or tuples, lists and dicts of them\n"
        f"  at:     {__file__}:{line() - 5}"
    )


def test_an_error_inside_names_its_own_line() -> None:
    def wrong(x: Any) -> Any:
        return (x + np.ones(4)).sum()

    with pytest.raises(ShapeError) as error:
        cp.grad(wrong)(V)
    assert error.value.at == f"{__file__}:{line() - 4}"


@pytest.mark.parametrize("name", ["grad", "value_and_grad", "jacobian", "hessian", "compile"])
def test_a_tensor_is_not_the_function_to_derive(name: str) -> None:
    w = cp.parameter(2.0)
    with pytest.raises(ArgumentError) as error:
        getattr(cp, name)(w * w)
    assert error.value.doing == f"{name} takes a function"
    assert error.value.try_ == "for a Tensor use loss.backward() and then w.grad"
    with pytest.raises(ArgumentError, match="found:  a str"):
        getattr(cp, name)("relu")
