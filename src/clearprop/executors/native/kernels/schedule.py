"""How a contraction is cut: into tasks, into tiles, and its sums into blocks.

A task computes a block of the results.  It copies what lies badly for its tiles next to each
other first, on its own stack: a few columns of the right factor at a time (a panel), and rows of
the left one where they are columns in memory.  A long sum is taken in blocks that the first
caches hold; between two blocks the results wait in memory.

Everything follows from the sizes and the processor; nothing from the number of threads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from clearprop.executors.native.kernels.tiles import Tile, balanced, choose_tile
from clearprop.executors.native.llvm.machine import Machine

_LEAST_TASK_FLOPS = 1 << 14
_MOST_TASKS = 16
_PARTS, _MOST_PARTS = 16, 64  # into which long sums of few results, or of very few, are cut
_PARTS_OF_A_ROW = 8  # of the sums of a single row, which takes its time to read the right factor
_LONG_SUM = 2048
_PANELS_BYTES = 512 << 10  # of the right factor on the stack, at most
_ROWS_BYTES = 128 << 10  # of the left factor there
_RESULTS_BYTES = 96 << 10  # of results that wait there
_STEPS, _FEW_STEPS = 256, 64  # of a block of the sum, at most and at least
_UNBLOCKED = 2.0  # blocks, that are one yet
_UNBLOCKED_PANEL = 8.0  # where rows of the left factor are read in place
_WIDE_BYTES = 512  # of a row of results that is worth a walk of its own
_FAR_BYTES = 2048  # from one step of the sum to the next, where each line is on a page of its own
# What copying or reading a number once more takes, in multiply-adds of whole vectors.
_COPY, _TURN, _READ, _READ_FAR = 1.5, 2.5, 0.3, 1.0
_READ_AGAIN, _READ_FAR_AGAIN = 0.1, 0.3  # for each panel, beyond the second cache
_MEETING = 1e5  # threads wait for one another once more
_RUN = 5000.0  # to begin with another row of what results are computed with
_TOLERATED = 0.05  # share of the time that repeated copies may take
_IDLE = 0.4  # of a task: what threads wait for one another in the end


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


@dataclass(frozen=True)
class Schedule:
    """How a contraction is cut.

    Attributes:
        tile: of results whose sums are in registers at the same time.
        group: rows (on two axes) and columns of one task.
        parts: ranges of the sum's outermost loop, each of them a task with results of its own.
        depth: which loop of the sum is taken in blocks; those before it round by round.
        rounds: of that loop in one block.
        right: where the right factor is copied.
        copies_left: whether rows of the left factor are copied.
        waits: whether the results of a task are in memory before what follows reads them: between
            blocks of the sum, and where much is read beside them, row by row.
        lengths: rows and columns of every task, where all have equally many, or of all but the
            last, and of that; if none are given a task's are whole tiles, and the last has what is
            left.
        pieces: of each sum that are added up one after the other, as if they were parts.
    """

    tile: Tile
    group: tuple[int, int, int]
    parts: int
    depth: int
    rounds: int
    right: Copy
    copies_left: bool
    waits: bool
    lengths: tuple[tuple[int, int, int], ...] = ()
    pieces: int = 1


def choose_schedule(
    machine: Machine,
    sizes: Sizes,
    left: Factor,
    right: Factor,
    *,
    is_plain: bool,
    reads_after: int,
) -> Schedule:
    """The schedule of a contraction.

    Args:
        machine: for which processor.
        sizes: of its loops.
        left: the factor whose numbers are spread over vectors.
        right: the factor that is read in vectors.
        is_plain: whether vectors lie along columns of the right factor alone.
        reads_after: bytes that what follows reads beside the results, number by number.
    """
    width = sizes.lanes(machine)
    tile = choose_tile(machine, sizes.rows, sizes.columns, width)
    panel = tile.vectors * width
    whole = (*sizes.rows, -(-sizes.columns // panel) * panel)
    if not sizes.length:
        return Schedule(tile, whole, 1, 0, 1, Copy.NOT, copies_left=False, waits=False)
    parts = _parts(machine, sizes, left, right)
    copy = _copy_of_right(machine, sizes, right, panel, parts) if is_plain else Copy.NOT
    copies_left = (
        is_plain
        and sizes.columns > panel
        and left.is_along
        and sizes.rows[0] == 1
        and left.step_bytes >= _FAR_BYTES
        and left.size_bytes > machine.level1_bytes
    )
    if copies_left and right.is_turned and copy is Copy.INSIDE:
        copy = Copy.BEFORE
    best, least = None, float("inf")
    # Many tasks that copy the same may be slower than one copy for all, that they wait for.
    options = {copy, Copy.BEFORE} if copy is Copy.INSIDE and sizes.batches == 1 else {copy}
    for option in sorted(options, key=lambda each: each is not copy):
        depth, rounds = 0, sizes.summed[0] if sizes.summed else 1
        at_once = _steps_at_once(machine, sizes, left, panel)
        unblocked = at_once * (_UNBLOCKED if left.is_along else _UNBLOCKED_PANEL)
        if sizes.length > unblocked and (option is Copy.INSIDE or copies_left or parts > 1):
            depth, rounds = _block(sizes, at_once)
        steps = rounds * math.prod(sizes.summed[depth + 1 :])
        is_wide = is_plain and sizes.columns * sizes.element_bytes >= _WIDE_BYTES
        waits = steps < sizes.length or (is_wide and reads_after > machine.level2_bytes)
        if parts > 1:
            if option is Copy.INSIDE and steps * whole[2] * sizes.element_bytes > _PANELS_BYTES:
                option = Copy.NOT if right.is_along else Copy.BEFORE
            return Schedule(tile, whole, parts, depth, rounds, option, copies_left, waits)
        groups = _Groups(
            machine, sizes, left, right, tile, option, steps, copies_left=copies_left, waits=waits
        )
        if groups.least < least:
            best = Schedule(tile, groups.best, 1, depth, rounds, option, copies_left, waits)
            least = groups.least
    assert best is not None
    return best


def divided_schedule(
    machine: Machine,
    sizes: Sizes,
    schedule: Schedule,
    tasks: int,
    *,
    is_summed: bool,
    is_lasting: bool,
) -> Schedule:
    """A schedule by which each task has as many samples as any other.

    Args:
        machine: for which processor.
        sizes: of the loops.
        schedule: of the contraction alone; it stays where a task would copy too much, and where it
            adds up parts of sums, which one thread alone does, too.
        tasks: into how many parts the samples are divided.
        is_summed: whether the sums run over the samples, and are cut; else rows are samples.
        is_lasting: whether the right factor is the same in all rounds of the loop around.
    """
    if schedule.parts > 1 and not is_summed:
        return schedule
    width = sizes.lanes(machine)
    rows, last_rows, place = list(sizes.rows), list(sizes.rows), 0 if sizes.rows[0] > 1 else 1
    if not is_summed:
        rows[place] = -(-rows[place] // tasks)
        last_rows[place] -= (tasks - 1) * rows[place]
    tile = choose_tile(machine, (rows[0], rows[1]), sizes.columns, width)
    panel = tile.vectors * width
    right = schedule.right
    if right is Copy.BEFORE and not is_lasting:
        right = Copy.INSIDE
    columns = -(-sizes.columns // panel) * panel
    rounds = -(-sizes.summed[0] // (tasks if is_summed else 1))
    steps = rounds * math.prod(sizes.summed[1:])
    if right is Copy.INSIDE and steps * columns * sizes.element_bytes > _PANELS_BYTES:
        return schedule
    return Schedule(
        tile,
        (rows[0], rows[1], columns),
        tasks if is_summed else 1,
        0,
        rounds,
        right,
        copies_left=False,
        waits=False,
        lengths=tuple(
            (outer, inner, sizes.columns)
            for outer, inner in dict.fromkeys([tuple(rows), tuple(last_rows)])
        ),
    )


def _parts(machine: Machine, sizes: Sizes, left: Factor, right: Factor) -> int:
    """Into how many parts the sums are cut: where they are long, and the results few."""
    if sizes.batches > 1 or sizes.columns == 1:
        return 1
    results = sizes.results * sizes.element_bytes
    is_long = sizes.length >= _LONG_SUM and sizes.summed[0] >= 2
    cache = machine.level2_bytes
    reads = left.size_bytes + right.size_bytes
    if not is_long or results > cache // 2 or reads <= cache // 2:
        return 1
    if sizes.rows == (1, 1):
        return _equal_parts(sizes.summed[0], _PARTS_OF_A_ROW)
    return part_count(machine, results, sizes.summed[0])


def part_count(machine: Machine, results_bytes: int, extent: int) -> int:
    """Into how many parts of the same length an axis of so many places is cut, to be summed over.

    Args:
        machine: for which processor.
        results_bytes: of the results of a part.
        extent: of the axis.
    """
    most = _PARTS if _MOST_PARTS * results_bytes > machine.level2_bytes else _MOST_PARTS
    return _equal_parts(extent, most)


def _equal_parts(extent: int, most: int) -> int:
    """Into how many parts of the same length an axis is cut, at most so many."""
    chunk = -(-extent // most)
    return -(-extent // chunk)


def task_limit(flops: int) -> int:
    """How many tasks of some size there may be for so much work, at most."""
    return max(1, min(_MOST_TASKS, flops // _LEAST_TASK_FLOPS))


def _copy_of_right(machine: Machine, sizes: Sizes, right: Factor, panel: int, parts: int) -> Copy:
    """Whether the right factor is copied into panels, and when.

    It has to be where vectors cannot be loaded from it.  It pays where what a tile reads does not
    lie side by side, if there are enough rows to read it.
    """
    row = panel * sizes.element_bytes
    rows = sizes.rows[0] * sizes.rows[1]
    if sizes.columns == 1:
        return Copy.NOT
    if right.is_along:
        is_panel = sizes.columns <= panel and right.step_bytes <= 2 * row
        fits = right.size_bytes <= machine.level1_bytes // 2
        if right.is_lasting:
            return Copy.NOT if is_panel else Copy.BEFORE
        if is_panel or fits or rows * sizes.repeats < 24:
            return Copy.NOT
    if right.is_lasting:
        return Copy.BEFORE
    repeats = 1 if parts > 1 else sizes.repeats
    cost = _TURN if right.is_turned else _COPY
    share = cost * sizes.lanes(machine) / rows
    is_small = sizes.length <= _UNBLOCKED_PANEL * _STEPS or not right.is_turned
    if is_small and (repeats == 1 or share <= _TOLERATED):
        return Copy.INSIDE
    return Copy.BEFORE


def _steps_at_once(machine: Machine, sizes: Sizes, left: Factor, panel: int) -> int:
    """How many steps of a sum are taken in one block.

    Where windows overlap, several rows read the same numbers: those of a block should stay in the
    first cache.
    """
    read = sizes.rows[0] * sizes.rows[1] * sizes.length * sizes.element_bytes
    if not left.is_along or read < 2 * left.size_bytes:
        return _STEPS
    fitting = machine.level1_bytes // (left.step_bytes + panel * sizes.element_bytes)
    return max(_FEW_STEPS, min(fitting, _STEPS))


def _block(sizes: Sizes, steps: int) -> tuple[int, int]:
    """Which loop of the sum is taken in blocks, and how many rounds of it at once.

    Args:
        sizes: of the contraction.
        steps: that a block should have.
    """
    most = int(_UNBLOCKED * steps)
    depth, inner = 0, sizes.length // sizes.summed[0]
    while inner > most and depth + 1 < len(sizes.summed):
        depth += 1
        inner //= sizes.summed[depth]
    extent = sizes.summed[depth]
    return depth, balanced(extent, max(1, min(extent, steps // inner)))


class _Groups:
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
            self._right_cost = _TURN if right.is_turned else _COPY
        self._left_cost = _COPY if copies_left else _READ_FAR if left.is_along else _READ
        self._again = _READ_FAR_AGAIN if left.is_along else _READ_AGAIN
        self._tiles = -(-sizes.rows[0] // tile.outer), -(-sizes.rows[1] // tile.inner)
        self._panels = -(-sizes.columns // panel)
        flops = 2 * sizes.batches * sizes.results * sizes.length
        self._wanted = task_limit(flops)
        self._once = 0.0
        if copy is Copy.BEFORE and not right.is_lasting:
            far = 2 if right.size_bytes > machine.level2_bytes else 1
            copied = sizes.columns * (_TURN if right.is_turned else _COPY)
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
            if copied > _PANELS_BYTES and group[2] > self._panel:
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
