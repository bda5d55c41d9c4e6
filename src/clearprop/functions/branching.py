"""Choices for people: Python functions become the bodies of a choice between computations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from clearprop import tree
from clearprop.dtypes import BOOL, I64, is_integer
from clearprop.errors import ArgumentError, DTypeError, ShapeError
from clearprop.functions.capture import captured_by, refuse_updates
from clearprop.functions.trace import Traced, as_tensor, as_tensors, call_on, placeholders
from clearprop.ir.place import here
from clearprop.ir.program import Program
from clearprop.ir.value import Value
from clearprop.ops import cast
from clearprop.primitives import branching
from clearprop.tensor.parameter import Trace
from clearprop.tensor.tensor import Tensor


def branch(index: Any, functions: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """The result of ``functions[index](*operands)``; the other functions are not run.

    (Derivatives of a function that did not run are zero, whatever its numbers would have been.)

    Args:
        index: a whole number, which may depend on data.
        functions: each is called once, to be traced, and may use Tensors and parameters from
            outside; all return the same nest of the same shapes and dtypes.
        operands: Tensors (or nests of them) that the functions are given.

    Shapes:
        index: ().  Returns what the functions return.

    Raises:
        ArgumentError: there are no functions.
        ShapeError: the functions' results differ in shape, dtype or nesting.
        LabelError: the index is not in 0 ... number of functions - 1 (when it is known).

    Example:
        >>> import clearprop as cp
        >>> x = cp.tensor([1.0, 2.0])
        >>> cp.branch(1, [cp.negative, cp.square], x).tolist()
        [1.0, 4.0]
    """
    number = as_tensor(index)
    if number.shape or not is_integer(number.dtype):
        raise DTypeError(
            "branch: the index is one whole number",
            found=f"index: {number.type}",
            needed="a single int",
            try_="cp.cond(condition, true_function, false_function) for a condition",
            at=str(here()),
        )
    return _choose("branch", cast(number, I64), functions, operands)


def cond(
    condition: Any,
    true_function: Callable[..., Any],
    false_function: Callable[..., Any],
    *operands: Any,
) -> Any:
    """The result of one function where a condition holds, of another where it does not.

    Only the chosen one is run: an error or an infinity in the other does no harm, neither to
    numbers nor to derivatives.  (``cp.where`` chooses element by element, from both.)

    Args:
        condition: True or False, which may depend on data.
        true_function: called once, to be traced, as ``false_function`` is; both may use Tensors
            and parameters from outside, and return the same nest of the same shapes and dtypes.
        false_function: see there.
        operands: Tensors (or nests of them) that the functions are given.

    Shapes:
        condition: ().  Returns what the functions return.

    Raises:
        DTypeError: the condition is not a single boolean.
        ShapeError: the functions' results differ in shape, dtype or nesting.

    Example:
        >>> import clearprop as cp
        >>> x = cp.tensor(0.0)
        >>> cp.cond(x > 0, cp.log, cp.zeros_like, x).item()
        0.0
    """
    holds = as_tensor(condition)
    if holds.shape or holds.dtype != BOOL:
        raise DTypeError(
            "cond: the condition is one boolean",
            found=f"condition: {holds.type}",
            needed="True or False",
            try_="cp.where(condition, x, y) chooses element by element",
            at=str(here()),
        )
    return _choose("cond", cast(holds, I64), (false_function, true_function), operands)


def _choose(
    word: str, index: Value, functions: Sequence[Callable[..., Any]], operands: tuple[Any, ...]
) -> Any:
    if not functions:
        raise ArgumentError(
            f"{word}: there is nothing to choose from",
            found="no functions",
            needed="one or more",
            at=str(here()),
        )
    leaves, structure = tree.flatten(as_tensors(operands))
    inputs = placeholders([value.type for value in leaves])
    traced = [_trace(word, function, structure, inputs) for function in functions]
    for each in traced[1:]:
        _check_same(word, traced[0], each)
    captured = list(
        dict.fromkeys(value for each in traced for value in captured_by(each.outputs, inputs))
    )
    bodies = tuple(Program.under(each.outputs, [*inputs, *captured]) for each in traced)
    results = branching.branch(index, *leaves, *captured, bodies=bodies)
    return tree.unflatten(traced[0].structure, results)


def _trace(
    word: str,
    function: Callable[..., Any],
    structure: tree.Structure,
    inputs: Sequence[Tensor],
) -> Traced:
    trace = Trace()
    traced = call_on(function, structure, inputs, trace)
    refuse_updates(trace, word, "choice", needed="new values that the functions return")
    return traced


def _check_same(word: str, first: Traced, other: Traced) -> None:
    types = [[value.type for value in each.outputs] for each in (first, other)]
    if first.structure != other.structure or types[0] != types[1]:
        raise ShapeError(
            f"{word}: all functions must return the same nest of the same types",
            found=" and ".join(", ".join(map(str, each)) or "nothing" for each in types),
            needed="equal shapes and dtypes, in equal nests",
            try_="cast or reshape the results, e.g. return cp.zeros_like(x) instead of 0.0",
            at=str(here()),
        )
