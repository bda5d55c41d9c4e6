"""Public operations: their names, their line in errors, and recording."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from clearprop import ops
from clearprop.errors import ArgumentError, ClearPropError
from clearprop.ir.value import Symbolic, Value


class Recorder(Symbolic):
    """Remembers the calls it takes part in."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, tuple[Any, ...], dict[str, Any]]] = []

    def record(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        self.calls.append((function, args, kwargs))
        return self


def test_symbolic_needs_a_way_to_record() -> None:
    with pytest.raises(TypeError):
        Symbolic()  # type: ignore[abstract]


def test_calls_with_a_symbolic_are_recorded() -> None:
    x: Any = Recorder()
    assert ops.add(x, 1) is x
    assert ops.multiply(2, y=x) is x
    assert ops.concatenate([np.ones(2), x], axis=0) is x
    assert ops.index(x, (slice(None), 0)) is x
    (first, second, third, fourth) = x.calls
    assert first == (ops.add, (x, 1), {})
    assert second == (ops.multiply, (2,), {"y": x})
    assert third[0] is ops.concatenate
    assert third[2] == {"axis": 0}
    assert fourth == (ops.index, (x, (slice(None), 0)), {})


@pytest.mark.parametrize("name", ops.__all__)
def test_each_operation_is_recorded_under_a_name_that_finds_it(name: str) -> None:
    function = getattr(ops, name)
    x: Any = Recorder()
    assert function(x) is x
    assert x.calls[0][0] is function
    assert getattr(ops, function.__name__) is function


@pytest.mark.parametrize("name", ops.__all__)
def test_each_operation_keeps_its_signature_and_can_be_pickled(name: str) -> None:
    function = getattr(ops, name)
    assert "args" not in inspect.signature(function).parameters
    assert pickle.loads(pickle.dumps(function)) is function


def test_errors_name_the_users_line() -> None:
    with pytest.raises(ArgumentError) as error:
        ops.sum(np.ones((2, 3)), axis=2)
    assert str(error.value).rpartition(":")[0] == (
        "Summing: there is no axis 2\n"
        "  found:  axis=2 of an array with 2 axes\n"
        "  needed: -2 to 1\n"
        f"  at:     {__file__}"
    )


def test_operations_accept_values_and_return_values() -> None:
    assert isinstance(ops.exp(Value.leaf(np.ones(2))), Value)


@pytest.mark.parametrize("axis", [3, -4, "x", (0, 0), (0, 5), 1.5])
def test_axes_that_are_not_there_are_refused(axis: Any) -> None:
    with pytest.raises(ClearPropError, match="axis"):
        ops.mean(np.ones((2, 3, 4)), axis=axis)
