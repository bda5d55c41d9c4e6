"""Which part of one block of memory each buffer gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clearprop.executors.native.homes import Buffer

ALIGNMENT = 64  # bytes: a cache line, and the widest vector


@dataclass
class Lifetime:
    """A buffer and the steps during which it holds something."""

    buffer: Buffer
    first: int
    last: int


def aligned(size_bytes: int) -> int:
    """The size rounded up to whole lines; an empty buffer has an address too."""
    return max(-(-size_bytes // ALIGNMENT), 1) * ALIGNMENT


def place(lifetimes: Sequence[Lifetime]) -> int:
    """Give each buffer its place; returns the bytes needed in all.

    The largest first, each in the lowest gap among those that live at the same time.
    """
    placed: list[Lifetime] = []
    end = 0
    for one in sorted(lifetimes, key=lambda each: -each.buffer.size_bytes):
        size = aligned(one.buffer.size_bytes)
        others = sorted(
            (each.buffer.number, each.buffer.number + aligned(each.buffer.size_bytes))
            for each in placed
            if each.first <= one.last and one.first <= each.last
        )
        at = 0
        for start, stop in others:
            if at + size <= start:
                break
            at = max(at, stop)
        one.buffer.number = at
        placed.append(one)
        end = max(end, at + size)
    return end
