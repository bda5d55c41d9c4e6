"""Derivatives of Python functions, as Python functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from clearprop import ops, tree
from clearprop.dtypes import is_float
from clearprop.errors import ArgumentError, GradientError
from clearprop.functions.loop import scan
from clearprop.functions.trace import (
    apply_updates,
    as_tensors,
    call_on,
    needs_function,
    placeholders,
)
from clearprop.ir.place import here
from clearprop.ir.program import Program
from clearprop.passes.gradient import differentiate
from clearprop.passes.inline import substitute
from clearprop.primitives.constants import constant_like, zeros_like
from clearprop.tensor.tensor import Tensor

Arguments = int | tuple[int, ...]


def grad(function: Callable[..., Any], argnums: Arguments = 0) -> Callable[..., Any]:
    """The function that returns the gradient of ``function``'s single number.

    Args:
        function: takes Tensors (or nests of them), returns one floating-point number.
        argnums: the argument to differentiate by, or several of them.

    Shapes:
        The gradient has the structure and shapes of the argument.

    Raises:
        GradientError: the function returns more than one number.

    Example:
        >>> import clearprop as cp
        >>> float(cp.grad(lambda x: x**3)(2.0))
        12.0
    """
    needs_function("grad", function)
    with_value = value_and_grad(function, argnums)

    @functools.wraps(function)
    def gradient(*args: Any) -> Any:
        return with_value(*args)[1]

    return gradient


def value_and_grad(function: Callable[..., Any], argnums: Arguments = 0) -> Callable[..., Any]:
    """The function that returns ``function``'s number and its gradient, computed together.

    Args:
        function: takes Tensors (or nests of them), returns one floating-point number.
        argnums: the argument to differentiate by, or several of them.

    Shapes:
        ``(value, gradient)``; the gradient has the structure and shapes of the argument.

    Example:
        >>> import clearprop as cp
        >>> value, (d_x, d_y) = cp.value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 3.0)
        >>> float(value), float(d_x), float(d_y)
        (6.0, 3.0, 2.0)

    Example:
        >>> import clearprop as cp
        >>> value, gradient = cp.value_and_grad(lambda x: x**2)(3.0)
        >>> float(value), float(gradient)
        (9.0, 6.0)
    """
    needs_function("value_and_grad", function)

    @functools.wraps(function)
    def both(*args: Any) -> Any:
        chosen, structure, nest = _chosen_leaves(args, argnums)
        inputs = placeholders([leaf.type for leaf in chosen])
        traced = call_on(_with_chosen(function, args, argnums), structure, inputs)
        value = _single_number(function, traced.outputs)
        derivatives = [
            zeros_like(x) if d is None else d
            for x, d in zip(
                inputs, differentiate([value], [constant_like(1, value)], inputs), strict=True
            )
        ]
        news = list(traced.updates.values())
        results = _say_again([value, *derivatives, *news], inputs, chosen)
        end = 1 + len(inputs)
        apply_updates(list(traced.updates), results[end:])
        gradients = tree.unflatten(structure, results[1:end])
        return results[0], gradients[0] if nest == "single" else gradients

    return both


def jacobian(function: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """The function that returns all derivatives of all outputs by all elements of one argument.

    Args:
        function: takes Tensors, returns one Tensor.
        argnums: the argument to differentiate by.

    Shapes:
        x: S, function(x): R  ->  (*R, *S).

    Cost:
        One backward computation for each element of the output, in a scan.

    Example:
        >>> import clearprop as cp
        >>> cp.jacobian(lambda x: x**2)(cp.tensor([1.0, 3.0])).numpy()
        array([[2., 0.],
               [0., 6.]], dtype=float32)
    """
    needs_function("jacobian", function)

    @functools.wraps(function)
    def all_derivatives(*args: Any) -> Any:
        chosen, structure, _ = _chosen_leaves(args, argnums)
        inputs = placeholders([leaf.type for leaf in chosen])
        traced = call_on(_with_chosen(function, args, argnums), structure, inputs)
        outputs = traced.outputs
        if len(outputs) != 1 or len(inputs) != 1 or not is_float(outputs[0].dtype):
            raise GradientError(
                "jacobian: only one Tensor by one Tensor has a Jacobian matrix",
                found=f"{_types_text(outputs)} by {_types_text(inputs)}",
                needed="one floating-point output by one input",
                try_="join several with cp.concatenate first",
                at=str(here()),
            )
        (output,), (x,) = outputs, inputs
        apply_updates(
            list(traced.updates), _say_again(list(traced.updates.values()), inputs, chosen)
        )
        (d_output,) = placeholders([output.type])
        (derivative,) = differentiate([output], [d_output], [x])
        if derivative is None:
            return ops.zeros(output.shape + x.shape, dtype=x.dtype)
        rows = ops.reshape(ops.eye(output.size, dtype=output.dtype), (output.size, *output.shape))

        def one_row(_: Any, row: Tensor) -> Any:
            return (), _say_again([derivative], [x, d_output], [chosen[0], row])[0]

        _, stacked = scan(one_row, (), rows)
        return ops.reshape(stacked, output.shape + x.shape)

    return all_derivatives


def hessian(function: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """The function that returns the second derivatives of ``function``'s single number.

    Args:
        function: takes Tensors, returns one floating-point number.
        argnums: the argument to differentiate by, twice.

    Shapes:
        x: S  ->  (*S, *S).

    Example:
        >>> import clearprop as cp
        >>> cp.hessian(lambda x: x[0] ** 2 * x[1])(cp.tensor([3.0, 5.0])).numpy()
        array([[10.,  6.],
               [ 6.,  0.]], dtype=float32)
    """
    needs_function("hessian", function)
    return jacobian(grad(function, argnums), argnums)


def _chosen_leaves(
    args: tuple[Any, ...], argnums: Arguments
) -> tuple[list[Tensor], tree.Structure, str]:
    """The leaves of the arguments to differentiate by."""
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    if any(not 0 <= number < len(args) for number in numbers):
        raise ArgumentError(
            "Differentiating: there is no such argument",
            found=f"argnums={argnums} with {len(args)} arguments",
            needed=f"0 to {len(args) - 1}",
            at=str(here()),
        )
    leaves, structure = tree.flatten(as_tensors(tuple(args[number] for number in numbers)))
    for leaf in leaves:
        if not is_float(leaf.dtype):
            raise GradientError(
                "Differentiating: only floating-point numbers have derivatives",
                found=f"an argument of type {leaf.type}",
                needed="f32 or f64",
                try_="write 2.0 instead of 2, or x.astype('float32')",
                at=str(here()),
            )
    fixed: list[Any] = [leaf.as_input() for leaf in leaves]  # a parameter's numbers of now
    return fixed, structure, "single" if isinstance(argnums, int) else "several"


def _with_chosen(
    function: Callable[..., Any], args: tuple[Any, ...], argnums: Arguments
) -> Callable[..., Any]:
    """``function`` of the chosen arguments alone."""
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @functools.wraps(function)
    def of_chosen(*chosen: Any) -> Any:
        replaced = list(args)
        for number, value in zip(numbers, chosen, strict=True):
            replaced[number] = value
        return function(*as_tensors(tuple(replaced)))

    return of_chosen


def _single_number(function: Callable[..., Any], outputs: list[Tensor]) -> Tensor:
    if len(outputs) == 1 and outputs[0].shape == () and is_float(outputs[0].dtype):
        return outputs[0]
    raise GradientError(
        "grad: only a function that returns a single floating-point number has a gradient",
        found=f"{getattr(function, '__name__', 'it')} returned " + _types_text(outputs),
        needed="one value of type f32[] or f64[]",
        try_="reduce it, e.g. return loss.mean(); for vectors use cp.jacobian",
        at=str(here()),
    )


def _types_text(values: list[Tensor]) -> str:
    return ", ".join(str(value.type) for value in values) or "nothing"


def _say_again(values: list[Any], inputs: list[Tensor], chosen: list[Tensor]) -> list[Any]:
    """``values`` with the placeholders ``inputs`` replaced by what the caller gave."""
    program = Program.under(values, inputs)
    return substitute(program, dict(zip(inputs, chosen, strict=True)))
