"""What the counterparts of PyTorch's operations have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from clearprop import ops

Counterpart = Callable[..., Any]


class NotHere(Exception):  # noqa: N818 - no error: what a counterpart says to a sample
    """The sample asks for what ClearProp does otherwise on purpose; the text says why."""


NO_AXIS = "a single number has an axis 0 in PyTorch, and none here as in NumPy"


def leave_out(condition: object, reason: str) -> None:
    if condition:
        raise NotHere(reason)


def plain(**kwargs: Any) -> None:
    """Params that say where and how to store a result; only their defaults have a meaning here."""
    for name, value in kwargs.items():
        leave_out(
            name
            not in {"dtype", "device", "layout", "requires_grad", "memory_format", "pin_memory"},
            f"the argument {name}",
        )
        leave_out(name == "dtype" and str(value) not in {"torch.float64", "None"}, "other dtypes")


def dtype_of(kwargs: dict[str, Any]) -> str | None:
    """The element type that is asked for, or None for the usual one."""
    asked = kwargs.pop("dtype", None)
    plain(**kwargs)
    return None if asked is None else str(asked).removeprefix("torch.")


def axes_of(x: Any, dim: Any) -> Any:
    leave_out(dim is not None and dim != () and not x.shape, NO_AXIS)
    return tuple(dim) if isinstance(dim, (list, tuple)) else dim


def reduction(function: Counterpart) -> Counterpart:
    def call(x: Any, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> Any:
        plain(**kwargs)
        axes = axes_of(x, dim)
        # An empty list of axes means all of them in PyTorch, and none of them in NumPy.
        return function(x, axis=None if axes == () else axes, keepdims=keepdim)

    return call


def elementwise(function: Counterpart) -> Counterpart:
    """One that takes the arrays and nothing else."""

    def call(*xs: Any, **kwargs: Any) -> Any:
        plain(**kwargs)
        return function(*xs)

    return call


def reduced(loss: Any, how: str) -> Any:
    """Losses of single elements, put together."""
    ways = {"none": lambda x: x, "mean": ops.mean, "sum": ops.sum}
    leave_out(how not in ways, "how single losses are put together is the test's own affair")
    return ways[how](loss)


def sizes(args: Sequence[Any]) -> Any:
    """``f(x, (2, 3))`` and ``f(x, 2, 3)`` are the same in PyTorch."""
    return args[0] if len(args) == 1 and isinstance(args[0], (tuple, list)) else tuple(args)
