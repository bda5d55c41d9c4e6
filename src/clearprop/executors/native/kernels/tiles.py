"""How a sum of products is cut into tiles whose sums stay in registers."""

from __future__ import annotations

from typing import NamedTuple

from clearprop.executors.native.llvm.machine import Machine

_LATENCY = 9  # multiply-adds that must be under way for none to wait, with some room
_MOST_VECTORS = 4  # for more, each step of the sum waits for the second cache
_TWO_ROWS = 1.1  # what tiles on two axes of an image cost more


class Tile(NamedTuple):
    """A block of results: ``outer * inner`` rows of ``vectors`` vectors each.

    Attributes:
        outer: places on the last but one axis of the rows.
        inner: places on the last.
        vectors: how many vectors of columns.
    """

    outer: int
    inner: int
    vectors: int

    @property
    def rows(self) -> int:
        """Rows in all."""
        return self.outer * self.inner


def balanced(extent: int, most: int) -> int:
    """The length of equal tiles of at most ``most`` that cover an axis; the last may be shorter."""
    count = -(-extent // most)
    return -(-extent // count)


def choose_tile(machine: Machine, rows: tuple[int, int], columns: int, width: int) -> Tile:
    """The tile for so many rows (on the last two axes) and columns.

    A step of the sum loads ``vectors`` vectors and ``rows`` numbers and makes ``rows * vectors``
    multiply-adds; all results and what is loaded must fit into the registers, and there must be
    enough results at work that none waits for the one before.
    """
    best, least = Tile(1, 1, 1), float("inf")
    wanted = -(-columns // width)
    for vectors in range(1, min(wanted, _MOST_VECTORS) + 1):
        vectors = balanced(wanted, vectors)
        most = max(1, (machine.vector_registers - vectors - 2) // vectors)
        for outer in range(1, min(most, rows[0]) + 1):
            inner = min(rows[1], most // outer)
            for tile in (
                Tile(outer, inner, vectors),
                Tile(outer, balanced(rows[1], inner), vectors),
            ):
                cost = tile_cost(tile, rows, wanted)
                if cost < least:
                    best, least = tile, cost
    return best


def tile_cost(tile: Tile, rows: tuple[int, int], vectors: int) -> float:
    """Time of all tiles for one step of the sum, in multiply-adds of whole vectors."""
    total = 0.0
    for outer, outer_count in _pieces(rows[0], tile.outer):
        for inner, inner_count in _pieces(rows[1], tile.inner):
            for width, width_count in _pieces(vectors, tile.vectors):
                work, loads = outer * inner * width, outer * inner + width
                # Loads go beside the arithmetic, but not for nothing.
                step = max(work + 2, _LATENCY) + 0.25 * loads
                total += outer_count * inner_count * width_count * step
    return total * (_TWO_ROWS if tile.outer > 1 else 1)


def _pieces(extent: int, size: int) -> list[tuple[int, int]]:
    """Sizes of the tiles that cover an axis, and how many there are of each."""
    whole, rest = divmod(extent, size)
    return [(size, whole), (rest, 1)] if rest else [(size, whole)]
