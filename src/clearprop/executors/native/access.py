"""Which memory kernels and their tasks are at, and which of them have to wait for which."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from clearprop.executors.native.homes import Buffer, Stripe
from clearprop.executors.native.kernels.kernel import Kernel

_EVERYTHING = 1 << 62  # bytes
_SMALL_SECONDS = 5e-5  # a kernel so short, by the estimate, is divided equally among the threads


class _Touched(NamedTuple):
    """Memory that a kernel is at.

    Attributes:
        root: what it is a part of, and its first byte and the one after its last in that.
        buffer: the buffer itself.
        written: whether it may be written into.
        span: what belongs to each task of the buffer, if each is at a part of its own.
    """

    root: object
    start: int
    stop: int
    buffer: Buffer
    written: bool
    span: Stripe | None

    def meets(self, other: _Touched) -> bool:
        """Whether the order of both matters, which are parts of the same."""
        overlap = self.start < other.stop and other.start < self.stop
        return overlap and (self.written or other.written)

    def keeps_to(self, other: _Touched) -> bool:
        """Whether each task is at the same part in both."""
        return self.buffer is other.buffer and self.span is not None and self.span == other.span


class Access:
    """The memory that one kernel, or several that run task by task, are at.

    Attributes:
        is_alone: whether thread 0 runs it; such kernels follow one another without waiting.
        is_claimed: whether threads claim its tasks one by one, as they get free.
    """

    def __init__(self, *kernels: Kernel) -> None:
        self.is_alone = kernels[0].tasks == 1
        seconds = sum(kernel.seconds for kernel in kernels)
        self.is_claimed = not self.is_alone and seconds > _SMALL_SECONDS
        self._touched: dict[object, list[_Touched]] = {}  # by what it is a part of
        for kernel in kernels:
            for home, written, span in zip(kernel.homes, kernel.written, kernel.spans, strict=True):
                one = _Touched(*_range(home.buffer), home.buffer, written, span)
                self._touched.setdefault(one.root, []).append(one)

    def meets(self, other: Access) -> bool:
        """Whether one of them has to end before the other begins."""
        if self._touched.keys().isdisjoint(other._touched):  # most are: many are asked
            return False
        return any(mine.meets(theirs) for mine, theirs in self._pairs(other))

    def waits_for(self, other: Access) -> bool:
        """Whether this one may begin only when the other one has ended everywhere."""
        return not (self.is_alone and other.is_alone) and self.meets(other)

    def keeps_to(self, other: Access) -> bool:
        """Whether each task needs of the other kernel no more than the task of its own number."""
        return all(
            mine.keeps_to(theirs) for mine, theirs in self._pairs(other) if mine.meets(theirs)
        )

    def _pairs(self, other: Access) -> Iterator[tuple[_Touched, _Touched]]:
        """Memory of both that is part of the same."""
        for root in self._touched.keys() & other._touched.keys():
            yield from product(self._touched[root], other._touched[root])


def _range(buffer: Buffer) -> tuple[object, int, int]:
    """What a buffer is a part of, and its first byte and the one after its last in that."""
    if buffer.keeps is not None:
        owner = buffer.whole or buffer  # of those that take turns
        if owner.number < 0:  # kept buffers are placed last
            return owner, 0, owner.size_bytes
        return "kept", owner.number, owner.number + buffer.size_bytes
    start, size = 0, buffer.size_bytes
    while buffer.whole is not None:
        if buffer.kind == "row":  # another part in each round: all of the whole
            start, size = 0, buffer.whole.size_bytes or _EVERYTHING
        else:
            start += buffer.number
        buffer = buffer.whole
    return buffer, start, start + size
