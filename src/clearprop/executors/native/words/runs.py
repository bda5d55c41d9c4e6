"""Along one axis: which outputs see the same elements of a sliding window, and where.

A window that slides forward gives one output for each position, and looks at elements.  A window
that gives its numbers back gives one output for each element, and looks at the positions that
cover it: every ``stride``-th element is covered by the same taps.  Both are *runs*: outputs at
equal distances that see the same taps, so that code without a condition computes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Sliding:
    """How a window slides over one axis.

    Attributes:
        window: number of its taps.
        stride: places from one position to the next.
        low: places before the first element that it may cover.
        dilation: places from one tap to the next.
        size: number of elements.
        positions: number of positions.
    """

    window: int
    stride: int
    low: int
    dilation: int
    size: int
    positions: int

    @property
    def stays_inside(self) -> bool:
        """Whether all taps of all positions lie on elements."""
        last = (self.positions - 1) * self.stride + (self.window - 1) * self.dilation
        return self.low <= 0 and last - self.low < self.size


@dataclass(frozen=True, slots=True)
class Run:
    """Outputs ``first + number * step`` that see the same taps.

    Attributes:
        first: the first of them.
        step: from one to the next.
        count: how many.
        source_step: from what one sees to what the next sees.
        taps: each tap with what the first output sees of it.
    """

    first: int
    step: int
    count: int
    source_step: int
    taps: tuple[tuple[int, int], ...]


def forward_runs(sliding: Sliding) -> list[Run]:
    """The positions, each with the elements that it looks at."""
    taps = [(tap, tap * sliding.dilation - sliding.low) for tap in range(sliding.window)]
    outputs = range(sliding.positions)
    return list(_runs(outputs, taps, sliding.stride, sliding.size))


def backward_runs(sliding: Sliding) -> list[Run]:
    """The elements, each with the positions that cover it."""
    found: list[Run] = []
    for first in range(min(sliding.stride, sliding.size)):
        shifts = [
            (tap, first + sliding.low - tap * sliding.dilation) for tap in range(sliding.window)
        ]
        taps = [(tap, s // sliding.stride) for tap, s in shifts if s % sliding.stride == 0]
        outputs = range(first, sliding.size, sliding.stride)
        found += _runs(outputs, taps, 1, sliding.positions)
    return found


def _runs(
    outputs: range, taps: list[tuple[int, int]], source_step: int, size: int
) -> Iterator[Run]:
    """The outputs, cut where a tap enters or leaves the ``size`` places that can be seen."""
    count = len(outputs)
    spans = []
    for tap, first in taps:
        start = min(max(0, -(first // source_step)), count)
        stop = min(max(start, -((first - size) // source_step)), count)
        spans.append((tap, first, start, stop))
    cuts = sorted({0, count, *(span[2] for span in spans), *(span[3] for span in spans)})
    for begin, end in pairwise(cuts):
        seen = tuple(
            (tap, first + begin * source_step)
            for tap, first, start, stop in spans
            if start <= begin and end <= stop
        )
        yield Run(outputs[begin], outputs.step, end - begin, source_step, seen)
