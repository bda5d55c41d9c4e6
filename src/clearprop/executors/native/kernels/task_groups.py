"""Which rows and columns of a contraction make up one task."""

from __future__ import annotations

import math

from clearprop.executors.native.kernels.factors import Copy, Factor, Sizes
from clearprop.executors.native.kernels.tiles import Tile
from clearprop.executors.native.llvm.machine import Machine

_LEAST_TASK_FLOPS = 1 << 14
_MOST_TASKS = 16
PANELS_BYTES = 512 << 10  # of the right factor on the stack, at most
_ROWS_BYTES = 128 << 10  # of the left factor there
_RESULTS_BYTES = 96 << 10  # of results that wait there
# What copying or reading a number once more takes, in multiply-adds of whole vectors.
COPY, TURN, _READ, _READ_FAR = 1.5, 2.5, 0.3, 1.0
_READ_AGAIN, _READ_FAR_AGAIN = 0.1, 0.3  # for each panel, beyond the second cache
_MEETING = 1e5  # threads wait for one another once more
_RUN = 5000.0  # to begin with another row of what results are computed with
_IDLE = 0.4  # of a task: what threads wait for one another in the end


def task_limit(flops: int) -> int:
    """How many tasks of some size there may be for so much work, at most."""
    return max(1, min(_MOST_TASKS, flops // _LEAST_TASK_FLOPS))


class TaskGroups:
    """The rows and columns of one task.

    Each group of rows copies the right factor again, each group of columns the left one; what is
    copied should stay in the second cache, and there should be tasks for all threads.
    """

    def __init__(
        self,
        machine: Machine,
        sizes: Sizes,
        left: Factor,
        right: Factor,
        tile: Tile,
        copy: Copy,
        steps: int,
        *,
        copies_left: bool,
        waits: bool,
    ) -> None:
        self._machine, self._sizes, self._tile, self._waits = machine, sizes, tile, waits
        panel = self._panel = tile.vectors * sizes.lanes(machine)
        self._copy, self._steps, self._copies_left = copy, steps, copies_left
        self._right_cost = _READ
        if copy is Copy.INSIDE:
            self._right_cost = TURN if right.is_turned else COPY
        self._left_cost = COPY if copies_left else _READ_FAR if left.is_along else _READ
        self._again = _READ_FAR_AGAIN if left.is_along else _READ_AGAIN
        self._tiles = -(-sizes.rows[0] // tile.outer), -(-sizes.rows[1] // tile.inner)
        self._panels = -(-sizes.columns // panel)
        flops = 2 * sizes.batches * sizes.results * sizes.length
        self._wanted = task_limit(flops)
        self._once = 0.0
        if copy is Copy.BEFORE and not right.is_lasting:
            far = 2 if right.size_bytes > machine.level2_bytes else 1
            copied = sizes.columns * (TURN if right.is_turned else COPY)
            self._once = far * copied + _MEETING / sizes.length
        self.best, self.least = self._best()

    def _best(self) -> tuple[tuple[int, int, int], float]:
        best, least = (0, 0, 0), float("inf")
        wanted = -(-self._wanted // self._sizes.batches)
        for column_groups in range(1, min(self._panels, 64) + 1):
            columns = -(-self._panels // column_groups)
            height = self._most_rows(columns * self._panel)
            needed = -(-self._sizes.rows[0] * self._sizes.rows[1] // height)
            for row_groups in {needed, max(needed, -(-wanted // column_groups))}:
                group = (*self._split_rows(row_groups), columns * self._panel)
                cost = self._cost(group)
                if cost < least:
                    best, least = group, cost
        return best, least

    def _most_rows(self, columns: int) -> int:
        """How many rows a task may have with so many columns."""
        sizes, size = self._sizes, self._sizes.element_bytes
        most = sizes.rows[0] * sizes.rows[1]
        if self._waits:
            most = min(most, _RESULTS_BYTES // (columns * size))
        if self._copies_left:
            most = min(most, _ROWS_BYTES // (self._steps * size))
        return max(most, self._tile.rows)

    def _split_rows(self, groups: int) -> tuple[int, int]:
        """Rows of a task on both axes, for about so many groups of rows."""
        outer, inner = self._tiles
        if groups <= outer:
            return -(-outer // groups) * self._tile.outer, inner * self._tile.inner
        pieces = min(inner, -(-groups // outer))
        return self._tile.outer, -(-inner // pieces) * self._tile.inner

    def _footprint(self, group: tuple[int, int, int]) -> int:
        """Bytes that a task goes over again and again."""
        rows, columns = min(group[0] * group[1], math.prod(self._sizes.rows)), group[2]
        numbers = rows * self._steps
        numbers += self._steps * (columns if self._copy is Copy.INSIDE else self._panel)
        numbers += rows * columns if self._waits else 0
        return numbers * self._sizes.element_bytes

    def _cost(self, group: tuple[int, int, int]) -> float:
        """Time for one step of the sum, in multiply-adds of whole vectors."""
        sizes = self._sizes
        if self._copy is Copy.INSIDE:
            copied = self._steps * group[2] * sizes.element_bytes
            if copied > PANELS_BYTES and group[2] > self._panel:
                return float("inf")
        pairs = zip((*sizes.rows, sizes.columns), group, strict=True)
        counts = [-(-extent // size) for extent, size in pairs]
        rows, columns = counts[0] * counts[1], counts[2]
        width = sizes.lanes(self._machine)
        cost = sizes.results / width + self._once
        cost += rows * sizes.columns * self._right_cost
        height = sizes.rows[0] * sizes.rows[1]
        cost += columns * height * self._left_cost
        if self._footprint(group) > self._machine.level2_bytes * 3 // 4:
            cost += self._panels * height * self._again
        if self._waits:
            cost += columns * height * _RUN / sizes.length
        tasks = rows * columns * sizes.batches
        if self._wanted == 1:
            return cost
        idle = tasks % 2 / tasks  # of two threads, or of the half of more
        return cost * (1 + idle + _IDLE / min(tasks, self._wanted))
