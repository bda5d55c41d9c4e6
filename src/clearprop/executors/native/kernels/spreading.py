"""Images with zeros around and between their elements, for windows that reach over the border."""

from __future__ import annotations

from typing import NamedTuple

from clearprop.executors.native.homes import Buffer, Home
from clearprop.executors.native.kernels.copies import write_copy
from clearprop.executors.native.kernels.kernel import Compilation
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value


class Spread(NamedTuple):
    """Zeros on the axes between the first and the last, batch and channels.

    Attributes:
        low: places before the first element of each axis.
        high: places after the last.
        steps: from one element to the next.
    """

    low: tuple[int, ...]
    high: tuple[int, ...]
    steps: tuple[int, ...]

    @property
    def changes_nothing(self) -> bool:
        """Whether there are no zeros at all."""
        return not any(self.low) and not any(self.high) and set(self.steps) <= {1}

    def size(self, axis: int, length: int) -> int:
        """The length of an axis with its zeros."""
        return self.low[axis] + max((length - 1) * self.steps[axis] + 1, 0) + self.high[axis]


def spread(compilation: Compilation, value: Value, how: Spread) -> Home:
    """The home of ``value`` with its zeros; appends what copies it there, the first time."""
    key = value, how
    if key not in compilation.spreads:
        inside = room_for(compilation, value, how)
        write_copy(compilation, value, inside, is_below=False)
    return compilation.spreads[key]


def room_for(compilation: Compilation, value: Value, how: Spread) -> Home:
    """Memory for a value between its zeros: the part that the value itself fills.

    Nobody ever writes where the zeros are, so they are put there once.
    """
    sizes = [how.size(axis, length) for axis, length in enumerate(value.shape[1:-1])]
    type_ = TensorType((value.shape[0], *sizes, value.shape[-1]), value.dtype)
    buffer = Buffer("arena", type_.size_bytes, keeps=(type_, how, value.shape))
    whole = Home.plain(buffer, type_)
    compilation.kept.append(buffer)
    compilation.spreads[value, how] = whole
    return whole.part((0, *how.low, 0), (1, *how.steps, 1), value.shape)
