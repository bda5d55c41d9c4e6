"""How numbers, gates and names are written in a picture: short, and in Python's own signs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clearprop.ir.value import Array, Equation
from clearprop.text import number_text

OPERAND = "·"  # stands in a gate's label for what comes in by a wire
NOTHING = "—"  # a number that is not there
_MOST_NUMBERS = 4  # arrays of more are summed up
_LONGEST_NAME = 24

_SIGNS = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**",
    "dot_general": "@", "floor_divide": "//", "remainder": "%",
    "equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=",
    "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^",
    "shift_left": "<<", "shift_right": ">>",
}  # fmt: skip
_WORDS = {
    "reduce_sum": "sum", "reduce_max": "max", "reduce_min": "min", "reduce_prod": "product",
    "select": "where",
}  # fmt: skip


def number(value: float) -> str:
    """One number in few characters, whatever its size."""
    return f"{value:.4g}" if 1e6 <= abs(value) < np.inf else number_text(value)


def array_text(array: Array) -> str:
    """All numbers of a small array; of a larger one its range and mean.

    Shapes:
        array: any
    """
    if array.dtype == bool:
        if array.size > _MOST_NUMBERS:
            return f"{np.count_nonzero(array):,} of {array.size:,} true"
        return _nested(array.tolist())
    if array.size == 0:
        return "empty"
    if array.size <= _MOST_NUMBERS:
        return _nested(array.tolist())
    numbers = array.astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    counts = [(np.isnan(numbers).sum(), "nan"), (np.isinf(numbers).sum(), "inf")]
    parts = [f"{count:,} {word}" for count, word in counts if count]
    if finite.size:
        low, high = number(finite.min()), number(finite.max())
        extent = f"all {low}" if low == high else f"{low} to {high}, mean {number(finite.mean())}"
        parts.append(extent)
    return ", ".join(parts)


def _nested(numbers: object) -> str:
    if isinstance(numbers, list):
        return f"[{', '.join(map(_nested, numbers))}]"
    return number(numbers) if isinstance(numbers, float) else str(numbers)


def name_text(name: str) -> str:
    """A name on one line, not too long, without characters that no drawing can show."""
    shown = "".join(letter if letter.isprintable() else " " for letter in name)
    words = " ".join(shown.split())
    return words if len(words) <= _LONGEST_NAME else words[: _LONGEST_NAME - 1] + "…"


def gate_label(equation: Equation, constants: Sequence[str | None]) -> str:
    """What a gate does: ``+``, ``1 / ·``, ``sum over axis 0``.

    Args:
        equation: of the gate.
        constants: for each input its one number as text, or None where a wire comes in.
    """
    name = equation.primitive.name
    slots = [OPERAND if constant is None else constant for constant in constants]
    with_constants = any(constant is not None for constant in constants)
    if name in _SIGNS:
        return f" {_SIGNS[name]} ".join(slots) if with_constants else _SIGNS[name]
    word = _WORDS.get(name, name.replace("_", " "))
    if with_constants:
        return f"{word}({', '.join(slots)})"
    return word + _over_axes(equation)


def _over_axes(equation: Equation) -> str:
    """``over axis 1`` for a gate that works along some of the axes, and nothing for all."""
    axes = equation.params.get("axes", equation.params.get("axis"))
    if isinstance(axes, int):
        axes = (axes,)
    rank = len(equation.inputs[0].shape) if equation.inputs else 0
    if not isinstance(axes, tuple) or not axes or len(axes) == rank:
        return ""
    return f" over axis {axes[0]}" if len(axes) == 1 else f" over axes {', '.join(map(str, axes))}"
