"""Which part of one block of memory each buffer gets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from clearprop.errors import CapacityError
from clearprop.executors.native.homes import Buffer
from clearprop.ir.place import here

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


def take_turns(lifetimes: Sequence[Lifetime]) -> None:
    """Let kept buffers with zeros at the same places share memory where their lives allow it.

    The first of those that share is the ``whole`` of the others, and comes before them.
    """
    free: dict[object, list[Lifetime]] = {}  # for each kind the first buffers, and their last use
    for one in sorted(lifetimes, key=lambda each: each.first):
        users = free.setdefault(one.buffer.keeps, [])
        idle = next((each for each in users if each.last < one.first), None)
        if idle is None:
            users.append(Lifetime(one.buffer, one.first, one.last))
        else:
            one.buffer.whole, idle.last = idle.buffer, one.last


def check_capacity(needed_bytes: int, available_bytes: int | None = None) -> None:
    """Refuse work that needs more memory than there is, before anything is compiled or run.

    Args:
        needed_bytes: by the work, beside what is there already.
        available_bytes: what there is; None for what this machine and this process may have.

    Raises:
        CapacityError: it is too much.
    """
    if available_bytes is None:
        available_bytes = memory_bytes()
    if available_bytes is not None and needed_bytes > available_bytes:
        raise CapacityError(
            "Compiling: the intermediate results do not fit into memory",
            found=f"{needed_bytes / 1e9:,.1f} GB",
            needed=f"at most {available_bytes / 1e9:,.1f} GB, which this process may have",
            try_="a smaller batch_size: most of it grows with the batch",
            at=str(here()),
        )


def memory_bytes() -> int | None:
    """How much memory this process may have: of the machine, or of its control group.

    None where the system does not tell.
    """
    limits = []
    with suppress(AttributeError, OSError, ValueError):
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            limits.append(int((Path("/sys/fs/cgroup") / name).read_text()))
        except (OSError, ValueError):
            continue  # there is no such group, or it has no limit
    return min(limits) if limits else None
