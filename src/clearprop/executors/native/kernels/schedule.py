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

from clearprop.executors.native.kernels.factors import Copy, Factor, Sizes
from clearprop.executors.native.kernels.task_groups import (
    COPY,
    PANELS_BYTES,
    TURN,
    TaskGroups,
)
from clearprop.executors.native.kernels.tiles import Tile, balanced, choose_tile
from clearprop.executors.native.llvm.machine import Machine

_PARTS, _MOST_PARTS = 16, 64  # into which long sums of few results, or of very few, are cut
_PARTS_OF_A_ROW = 8  # of the sums of a single row, which takes its time to read the right factor
_LONG_SUM = 2048
_STEPS, _FEW_STEPS = 256, 64  # of a block of the sum, at most and at least
_UNBLOCKED = 2.0  # blocks, that are one yet
_UNBLOCKED_PANEL = 8.0  # where rows of the left factor are read in place
_WIDE_BYTES = 512  # of a row of results that is worth a walk of its own
_FAR_BYTES = 2048  # from one step of the sum to the next, where each line is on a page of its own
_TOLERATED = 0.05  # share of the time that repeated copies may take


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
            if option is Copy.INSIDE and steps * whole[2] * sizes.element_bytes > PANELS_BYTES:
                option = Copy.NOT if right.is_along else Copy.BEFORE
            return Schedule(tile, whole, parts, depth, rounds, option, copies_left, waits)
        groups = TaskGroups(
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
    if right is Copy.INSIDE and steps * columns * sizes.element_bytes > PANELS_BYTES:
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
    cost = TURN if right.is_turned else COPY
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
