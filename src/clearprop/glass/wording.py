"""How numbers, gates and names are written in a picture: short, and in Python's own signs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class Numbers:
    """What is told about an array.

    Attributes:
        text: all numbers of a small one; of a larger one range and mean.
        short: the same in less room.
    """

    text: str
    short: str


def number(value: float) -> str:
    """One number in few characters, whatever its size."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4g}" if 1e6 <= abs(value) < math.inf else number_text(value)


def _rough(value: float) -> str:
    """One number with three digits that count."""
    if value == 0 or not 1e-3 <= abs(value) < 1e6:
        return f"{value:.3g}"
    return number_text(value, max(2 - math.floor(math.log10(abs(value))), 0))


def numbers(array: Array) -> Numbers:
    """What is told about ``array``.

    Shapes:
        array: any
    """
    if array.size <= _MOST_NUMBERS:
        text = _nested(array.tolist()) if array.size else "empty"
        return Numbers(text, text)
    if array.dtype == bool:
        text = f"{np.count_nonzero(array):,} of {array.size:,} true"
        return Numbers(text, text)
    wide = array.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    counts = [(int(np.isnan(wide).sum()), "nan"), (int(np.isinf(wide).sum()), "inf")]
    parts = [f"{count:,} {word}" for count, word in counts if count]
    if not finite.size:
        return Numbers(", ".join(parts), ", ".join(parts))
    low, high = float(finite.min()), float(finite.max())
    parts.append(f"all {number(low)}" if low == high else f"{_rough(low)} to {_rough(high)}")
    short = ", ".join(parts)
    return Numbers(short if low == high else f"{short}, mean {_rough(float(finite.mean()))}", short)


def _nested(items: Any) -> str:
    return f"[{', '.join(map(_nested, items))}]" if isinstance(items, list) else number(items)


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
