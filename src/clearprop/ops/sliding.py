"""How people tell a sliding window: one number for all axes, and padding by name."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.primitives.sliding import Counts
from clearprop.primitives.sliding import Padding as PaddingPairs
from clearprop.text import did_you_mean

PerAxis = int | Sequence[int]
Padding = str | int | Sequence[int | Sequence[int]]

_NAMED = ("valid", "same", "causal")


def per_axis(value: Any, rank: int, name: str, doing: str, *, smallest: int = 1) -> Counts:
    """One whole number for each axis that a window slides over.

    Args:
        value: the number of all axes, or a list of ``rank`` numbers.
        rank: how many axes there are.
        name: what the argument is called.
        doing: what is being done, for the error.
        smallest: the smallest number that makes sense.

    Raises:
        ArgumentError: it is something else.
    """
    try:
        given = value if isinstance(value, (list, tuple)) else [value] * rank
        numbers = tuple(operator.index(each) for each in given if not isinstance(each, bool))
    except TypeError:
        numbers = ()
    if len(numbers) != rank or any(number < smallest for number in numbers):
        raise ArgumentError(
            f"{doing}: {name} is a whole number of at least {smallest}, "
            + ("or one for each axis" if rank > 1 else "for one axis"),
            found=f"{name}={value!r}",
            needed=f"such as {name}={smallest + 1}"
            + (f" or {name}={(smallest + 1,) * rank}" if rank > 1 else ""),
            at=str(here()),
        )
    return numbers


def known_padding(padding: Any, rank: int, doing: str) -> str | PaddingPairs:
    """Padding by its name in lower case, or as (before, after) for each axis.

    Raises:
        ArgumentError: there is no such padding.
    """
    if isinstance(padding, str):
        name = padding.lower()
        if name not in _NAMED or (name == "causal" and rank != 1):
            raise ArgumentError(
                f"{doing}: there is no such padding"
                + (" for more than one axis" if name == "causal" else ""),
                found=f"padding={padding!r}" + did_you_mean(name, _NAMED),
                needed='"valid" (none), "same" (as many results as steps fit in), '
                + ('"causal" (only before), ' if rank == 1 else "")
                + "or numbers of places",
                at=str(here()),
            )
        return name
    return pairs_per_axis(padding, rank, "padding", doing)


def pairs_per_axis(value: Any, rank: int, name: str, doing: str) -> PaddingPairs:
    """Numbers (before, after) for each axis, none of them negative.

    Args:
        value: one number for all sides; or for each axis a number or a pair; for a single axis
            also the pair itself.
        rank: how many axes there are.
        name: what the argument is called.
        doing: what is being done, for the error.

    Raises:
        ArgumentError: it is something else.
    """
    given = list(value) if isinstance(value, (list, tuple)) else [value] * rank
    if rank == 1 and len(given) == 2:
        given = [given]
    try:
        sides = [each if isinstance(each, (list, tuple)) else (each, each) for each in given]
        pairs = tuple((operator.index(low), operator.index(high)) for low, high in sides)
    except (TypeError, ValueError):
        pairs = ()
    if len(pairs) != rank or any(min(pair) < 0 for pair in pairs):
        raise ArgumentError(
            f"{doing}: {name} is a number of places, or (before, after) for each axis",
            found=f"{name}={value!r}",
            needed=f"such as {name}=1 or {name}="
            + ("(1, 2)" if rank == 1 else f"{((1, 2),) * rank}"),
            at=str(here()),
        )
    return pairs


def padding_pairs(
    padding: str | PaddingPairs,
    sizes: Sequence[int],
    window: Counts,
    strides: Counts,
    dilation: Counts,
) -> PaddingPairs:
    """The places before and after each axis.

    "same" gives ceil(size / stride) positions; what cannot be halved goes to the end.
    "causal" puts all places to the front, so that no result sees what comes after it.

    Args:
        padding: as ``known_padding`` gives it.
        sizes: lengths of the axes.
        window, strides, dilation: how the window slides.
    """
    if not isinstance(padding, str):
        return padding
    spans = [(taps - 1) * step + 1 for taps, step in zip(window, dilation, strict=True)]
    if padding == "valid":
        return ((0, 0),) * len(window)
    if padding == "causal":
        return tuple((span - 1, 0) for span in spans)
    pairs = []
    for size, span, stride in zip(sizes, spans, strides, strict=True):
        total = max((-(-size // stride) - 1) * stride + span - size, 0)
        pairs.append((total // 2, total - total // 2))
    return tuple(pairs)
