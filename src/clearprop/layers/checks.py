"""What layers ask of their arguments and inputs, and how they say what is wrong."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.layer import Layer

BuildShape = Sequence[int | None]


def label(layer: Layer) -> str:
    """``Dense "hidden_2"``: how errors call a layer."""
    return f'{type(layer).__name__} "{layer.name}"'


# -- arguments ----------------------------------------------------------------------


def positive_integer(layer: Layer, argument: str, value: Any) -> int:
    """``value`` as a whole number above 0.

    Raises:
        ArgumentError: it is something else.
    """
    try:
        number = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise ArgumentError(
            f"{label(layer)}: {argument} is a whole number above 0",
            found=f"{argument}={value!r}",
            needed=f"for example {argument}=32",
            at=str(here()),
        )
    return number


def number_from(
    layer: Layer, argument: str, value: Any, low: float = 0.0, below: float = float("inf")
) -> float:
    """``value`` as a number that is at least ``low`` and less than ``below``.

    Raises:
        ArgumentError: it is something else.
    """
    is_number = isinstance(value, (int, float)) or hasattr(value, "__float__")
    if isinstance(value, bool) or not is_number or not low <= float(value) < below:
        limits = f"{low:g} <= {argument}" + (f" < {below:g}" if below < float("inf") else "")
        raise ArgumentError(
            f"{label(layer)}: {argument} is out of its range",
            found=f"{argument}={value!r}",
            needed=limits,
            at=str(here()),
        )
    return float(value)


def channels_axis(layer: Layer, data_format: str | None, rank: int) -> int:
    """Which axis holds the channels: the last one, or the one after the batch.

    Raises:
        ArgumentError: there is no such data format.
    """
    if data_format in {None, "channels_last"}:
        return rank - 1
    if data_format == "channels_first":
        return 1
    raise ArgumentError(
        f"{label(layer)}: there is no such data format",
        found=f"data_format={data_format!r}",
        needed='"channels_last" or "channels_first"',
        at=str(here()),
    )


# -- axes -----------------------------------------------------------------------------


def axes_of(layer: Layer, axis: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """Axes of an input counted from the front, in rising order.

    Raises:
        ArgumentError: the input has no such axis, or one is named twice.
    """
    named = tuple(axis) if isinstance(axis, Sequence) else (axis,)
    axes = sorted(number % rank for number in named if -rank <= number < rank)
    if len(axes) < len(named) or len(set(axes)) < len(axes):
        raise ArgumentError(
            f"{label(layer)}: the input does not have these axes, each once",
            found=f"axis={axis!r} for an input with {rank} axes",
            needed=f"{-rank} to {rank - 1}",
            at=str(here()),
        )
    return tuple(axes)


def known_lengths(layer: Layer, shape: BuildShape, axes: Sequence[int]) -> tuple[int, ...]:
    """The lengths of those axes that the weights depend on.

    Raises:
        ShapeError: one of them is not known.
    """
    lengths = [shape[axis] for axis in axes]
    if None in lengths:
        raise ShapeError(
            f"{label(layer)}: the weights depend on a length that is not known",
            found=f"an input of shape {tuple(shape)}",
            needed=f"a number at axis {axes[lengths.index(None)]}",
            at=str(here()),
        )
    return tuple(length for length in lengths if length is not None)


# -- inputs -----------------------------------------------------------------------------


def needs_rank(
    layer: Layer,
    shape: BuildShape,
    text: str,
    *,
    at_least: bool = False,
    for_missing: str = "x[None] for a batch of one sample",
) -> None:
    """Refuse an input with another number of axes than ``text`` names.

    Args:
        layer: which layer is speaking.
        shape: of the input.
        text: such as ``(batch, steps, features)``.
        at_least: whether there may be more axes.
        for_missing: what to try where one axis is missing.

    Raises:
        ShapeError: the input has too few or too many axes.
    """
    rank = text.count(",") + (0 if text.endswith(",)") else 1)
    if len(shape) == rank or (at_least and len(shape) > rank):
        return
    if len(shape) == 2 and text == "(batch, steps, features)":
        for_missing = (
            f"{for_missing}; x[..., None] for steps of one number each; "
            "return_sequences=True in a recurrent layer before it"
        )
    missing_batch = len(shape) == rank - 1 and text.startswith("(batch")
    raise ShapeError(
        f"{label(layer)}: the input has {len(shape)} "
        f"{'axis' if len(shape) == 1 else 'axes'}, it takes {rank}{' or more' if at_least else ''}",
        found=f"an input of shape {tuple(shape)}",
        needed=text,
        try_=for_missing if missing_batch else "",
        at=str(here()),
    )


def needs_length(layer: Layer, inputs: Value, axis: int, length: int, what: str) -> None:
    """Refuse an input that does not fit the weights.

    Raises:
        ShapeError: the axis has another length than when the weights were made.
    """
    if inputs.shape[axis] == length:
        return
    rank = len(inputs.shape)
    needed = [str(length) if n == axis % rank else "..." for n in range(rank)]
    needed[0] = "batch"
    raise ShapeError(
        f"{label(layer)}: the input has {inputs.shape[axis]} {what}, "
        f"the weights were built for {length}",
        found=f"x: {inputs.type}",
        needed=f"({', '.join(needed)})",
        try_="check the layer before it, or rebuild the model",
        at=str(here()),
    )


def several(layer: Layer, inputs: tuple[Any, ...], count: int | None = None) -> list[Value]:
    """The inputs of a layer that takes a list of them.

    Raises:
        ArgumentError: it is called on something else.
    """
    given = inputs[0] if len(inputs) == 1 else None
    if isinstance(given, (list, tuple)) and given and (count is None or len(given) == count):
        return list(given)
    if len(inputs) > 1:
        found = f"{len(inputs)} separate arguments"
    elif isinstance(given, (list, tuple)):
        found = f"a list of {len(given)}"
    else:
        found = f"a single {given.type}" if isinstance(given, Value) else "a single input"
    raise ArgumentError(
        f"{label(layer)}: it is called on a list of {count or 'several'} inputs",
        found=found,
        needed=f"a list of {count or 'one or more'} Tensors or arrays",
        try_=f"{type(layer).__name__}()([a, b])",
        at=str(here()),
    )
