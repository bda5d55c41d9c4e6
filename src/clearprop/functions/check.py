"""Checking gradients: the derivative that was derived against the one that is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop import ops, text, tree
from clearprop.dtypes import F64, is_float
from clearprop.errors import GradientError
from clearprop.executors.reference import evaluate
from clearprop.functions.trace import as_tensors, call_on, placeholders
from clearprop.ir.place import here
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.passes.gradient import differentiate
from clearprop.tensor.parameter import Trace
from clearprop.tensor.tensor import Tensor

_TOLERANCE = 1e-5


@dataclass(frozen=True)
class GradientRow:
    """One input's check.

    Attributes:
        name: of the argument or parameter.
        type: its shape and dtype, as f64.
        derived: directional derivative that the gradient gives.
        measured: the same from central differences.
        error: |derived - measured| / max(1, |derived|, |measured|).
    """

    name: str
    type: TensorType
    derived: float
    measured: float
    error: float


@dataclass(frozen=True)
class GradientReport:
    """What ``check_gradients`` found; prints as a table, is true when all is well.

    Attributes:
        rows: one for each floating-point argument and parameter.
        tolerance: the error up to which a row counts as right.

    Example:
        >>> import clearprop as cp
        >>> report = cp.check_gradients(cp.tanh, [0.5])
        >>> report.passed, len(report.rows)
        (True, 1)
    """

    rows: tuple[GradientRow, ...]
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether every derivative agrees with its measurement."""
        return all(row.error <= self.tolerance for row in self.rows)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        rows = [
            (
                row.name, str(row.type), f"{row.derived:.8g}", f"{row.measured:.8g}",
                f"{row.error:.1e}", "ok" if row.error <= self.tolerance else "WRONG",
            )
            for row in self.rows
        ]  # fmt: skip
        header = ("input", "type", "derived", "measured", "error", "")
        return text.table(rows, header=header, right="llrrrl")


def check_gradients(
    function: Callable[..., Any], *arrays: Any, tolerance: float = _TOLERANCE, step: float = 1e-6
) -> GradientReport:
    """Compare the gradients of a function, layer or model with measured differences, in float64.

    Each floating-point argument, and each parameter that the function uses, is moved a little in
    a random direction; the change of a random combination of the outputs must be the one that
    the gradient tells.

    Args:
        function: takes and returns Tensors; layers and models are called in inference mode.
        *arrays: its arguments.
        tolerance: largest relative error that counts as right.
        step: how far to move, relative to the size of the numbers.

    Shapes:
        Those of the function.

    Raises:
        GradientError: nothing floating-point goes in or comes out.

    Example:
        >>> import clearprop as cp
        >>> bool(cp.check_gradients(lambda x: cp.sin(x) * x, [1.0, 2.0]))
        True
    """
    leaves, structure = tree.flatten(as_tensors(arrays))
    inputs = placeholders([_wide(leaf.type) for leaf in leaves])
    trace = _WideTrace()
    outputs = call_on(function, structure, inputs, trace).outputs
    parameters = list(trace.placeholders)
    feeds: dict[Value, Array] = {
        value: _widened(source.numpy())
        for value, source in zip(
            [*inputs, *trace.placeholders.values()], [*leaves, *parameters], strict=True
        )
    }
    names = [
        *(leaf.name or f"argument {number}" for number, leaf in enumerate(leaves)),
        *(
            getattr(parameter, "path", "") or parameter.name or "parameter"
            for parameter in parameters
        ),
    ]
    rng = np.random.default_rng(0)
    total = _combination(function, outputs, rng)
    wrt = [value for value in feeds if is_float(value.dtype)]
    if not wrt:
        raise GradientError(
            "check_gradients: nothing that goes in has derivatives",
            found=", ".join(str(leaf.type) for leaf in leaves) or "no arguments, no parameters",
            needed="at least one floating-point argument or parameter",
            at=str(here()),
        )
    derivatives = differentiate([total], [Tensor.leaf(np.ones((), F64))], wrt)
    gradients = iter(evaluate([d for d in derivatives if d is not None], feeds))
    rows = []
    name_of = dict(zip(feeds, names, strict=True))
    for value, derivative in zip(wrt, derivatives, strict=True):
        gradient = np.zeros(value.shape) if derivative is None else next(gradients)
        direction = rng.standard_normal(value.shape)
        derived = float(np.sum(gradient * direction))
        measured = _measure(total, feeds, value, direction, step)
        error = abs(derived - measured) / max(1.0, abs(derived), abs(measured))
        rows.append(GradientRow(name_of[value], value.type, derived, measured, error))
    return GradientReport(tuple(rows), tolerance)


class _WideTrace(Trace):
    """Parameters stand for placeholders of float64."""

    def __init__(self) -> None:
        super().__init__(binds_all=True)

    @property
    def keeps_element_types(self) -> bool:
        """All numbers are float64 already."""
        return True

    def placeholder_type(self, type_: TensorType) -> TensorType:
        """The parameter's type, in float64."""
        return _wide(type_)


def _wide(type_: TensorType) -> TensorType:
    return TensorType(type_.shape, F64 if is_float(type_.dtype) else type_.dtype)


def _widened(array: Array) -> Array:
    return array.astype(F64) if is_float(array.dtype) else array


def _combination(
    function: Callable[..., Any], outputs: Sequence[Tensor], rng: np.random.Generator
) -> Value:
    """One number made of all floating-point outputs, each element with a random weight."""
    floating = [output for output in outputs if is_float(output.dtype)]
    if not floating:
        raise GradientError(
            "check_gradients: nothing that comes out has derivatives",
            found=f"{getattr(function, '__name__', 'it')} returned "
            + (", ".join(str(output.type) for output in outputs) or "nothing"),
            needed="at least one floating-point output",
            at=str(here()),
        )
    total: Value = Tensor.leaf(np.zeros((), F64))
    for output in floating:
        weights = rng.standard_normal(output.shape)
        total = ops.add(total, ops.sum(ops.multiply(ops.cast(output, F64), weights)))
    return total


def _measure(
    total: Value, feeds: dict[Value, Array], value: Value, direction: Array, step: float
) -> float:
    scale = step * max(1.0, float(np.max(np.abs(feeds[value]), initial=0.0)))
    above = evaluate([total], {**feeds, value: feeds[value] + scale * direction})[0]
    below = evaluate([total], {**feeds, value: feeds[value] - scale * direction})[0]
    return float((above - below) / (2 * scale))
