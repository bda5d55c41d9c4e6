"""How a sum of products is cut into tiles whose sums stay in registers."""

from __future__ import annotations

from typing import NamedTuple

from clearprop.executors.native.llvm.machine import Machine


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
    for vectors in range(1, min(wanted, 6) + 1):
        vectors = balanced(wanted, vectors)
        most = max(1, (machine.vector_registers - vectors - 2) // vectors)
        inner = balanced(rows[1], most)
        for outer in range(1, most // inner + 1) if inner == rows[1] else (1,):
            outer = balanced(rows[0], outer)
            tile = Tile(outer, inner, vectors)
            count = -(-rows[0] // outer) * -(-rows[1] // inner) * -(-wanted // vectors)
            work = tile.rows * vectors
            # Loads go beside the arithmetic, but not for nothing; short sums wait (latency 8).
            cost = count * (max(work, 8) + 0.25 * (tile.rows + vectors) + 0.5)
            uneven = (rows[0] % outer > 0) + (rows[1] % inner > 0) + (wanted % vectors > 0)
            cost *= 1 + 0.02 * uneven
            if cost < least:
                best, least = tile, cost
    return best
