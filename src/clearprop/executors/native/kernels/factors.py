"""What is known of a contraction when it is cut: its sizes, and how its factors lie in memory."""

from __future__ import annotations

import math
from enum import Enum
from typing import NamedTuple

from clearprop.executors.native.llvm.machine import Machine


class Copy(Enum):
    """Where the right factor is copied into panels."""

    NOT = "read in place"
    BEFORE = "copied into panels before"
    INSIDE = "copied into panels by each task"


class Factor(NamedTuple):
    """How a factor lies in memory.

    Attributes:
        is_along: whether its numbers lie side by side: of the left factor from row to row, of the
            right one from column to column.
        is_turned: whether numbers lie side by side along the sum.
        step_bytes: from one step of the sum's innermost loop to the next.
        size_bytes: of all that is read of it for one batch.
        is_lasting: whether it is the same in all rounds of the loop around.
    """

    is_along: bool
    is_turned: bool
    step_bytes: int
    size_bytes: int
    is_lasting: bool = False


class Sizes(NamedTuple):
    """The loops of a contraction.

    Attributes:
        batches: rounds of all loops outside of the tiles'.
        repeats: how many of them read the same right factor.
        rows: places on the last two axes of the rows.
        columns: how many there are.
        summed: rounds of each loop that disappears.
        element_bytes: of one number.
    """

    batches: int
    repeats: int
    rows: tuple[int, int]
    columns: int
    summed: tuple[int, ...]
    element_bytes: int

    def lanes(self, machine: Machine) -> int:
        """Lanes of the vectors: few of them, where a few columns would leave most of them empty.

        A single column needs none; vectors lie along the sum there.
        """
        lanes = machine.lanes(self.element_bytes)
        return min(lanes, 1 << (self.columns - 1).bit_length()) if self.columns > 1 else lanes

    @property
    def length(self) -> int:
        """Products in each sum."""
        return math.prod(self.summed)

    @property
    def results(self) -> int:
        """How many sums there are in one batch."""
        return self.rows[0] * self.rows[1] * self.columns
