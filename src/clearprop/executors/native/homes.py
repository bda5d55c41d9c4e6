"""Where values live while a Program runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from clearprop.executors.native.kernels.affine import contiguous
from clearprop.ir.types import Shape, TensorType


@dataclass(eq=False, slots=True)
class Buffer:
    """A stretch of memory.

    Attributes:
        kind: "input", "output", "constant" (all from outside), "arena" (within one block that
            the executor owns), "row" (the part of ``whole`` that a step of a scan works on),
            "turn" (one half of ``whole`` in even rounds of a loop, the other in odd ones), or
            "slot" (of memory that each thread has for itself, for one task at a time).
        size_bytes: its length.
        number: which input, output or constant; for a part of another buffer where in that it
            begins, in bytes.
        whole: the buffer that it is a part of.
        row_bytes: from one row, or half, to the next; of a slot, from one task's part to the next.
        keeps: if it is zero at first, and what nobody writes stays so: what tells where zeros are.
            Buffers of which this is equal may take turns.
        passes: whether it passes from thread to thread, by way of memory: its lines are read by
            another thread than the one that writes them again and again.
    """

    kind: str
    size_bytes: int
    number: int = -1
    whole: Buffer | None = None
    row_bytes: int = 0
    keeps: object = None
    passes: bool = False


class Stripe(NamedTuple):
    """What belongs to each task of a buffer that is divided among them.

    Attributes:
        size_bytes: how many bytes, those of the second task after those of the first.
        period_bytes: after how many bytes the first task has more of it, and so on up to the end
            of the buffer; 0 where each task has one stretch only.
    """

    size_bytes: int
    period_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Home:
    """Where an array lies.

    Attributes:
        buffer: in which memory.
        type: shape and elements.
        offset: of its first element, in elements.
        strides: elements from one place to the next, on each axis.
    """

    buffer: Buffer
    type: TensorType
    offset: int
    strides: tuple[int, ...]

    @classmethod
    def plain(cls, buffer: Buffer, type_: TensorType) -> Home:
        """An array that fills a buffer row by row."""
        return cls(buffer, type_, 0, contiguous(type_.shape))

    @property
    def is_plain(self) -> bool:
        """Whether it lies row by row without gaps."""
        sizes = self.type.shape
        plain = contiguous(sizes)
        pairs = zip(self.strides, plain, sizes, strict=True)
        return all(stride == wanted or size == 1 for stride, wanted, size in pairs)

    def part(self, starts: Shape, steps: Shape, shape: Shape) -> Home:
        """A block of it: every ``steps``-th element from ``starts`` on."""
        offset = sum(start * stride for start, stride in zip(starts, self.strides, strict=True))
        strides = tuple(step * stride for step, stride in zip(steps, self.strides, strict=True))
        return Home(self.buffer, TensorType(shape, self.type.dtype), self.offset + offset, strides)
