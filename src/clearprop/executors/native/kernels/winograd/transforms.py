"""Winograd's transforms: how 3 x 3 windows come from 16 products instead of 36.

For a square d of 4 x 4 numbers, a kernel g of 3 x 3, and derivatives e of the square's 2 x 2
results

    results = R ((K g K') * (I d I')) R'    (' turns a matrix over, * multiplies number by number)
    kernel's gradient = T ((E e E') * (I d I')) T'

with the matrices below (A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks,
2016, section 4.1).  In both, four numbers of a line stand for its differences and sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from clearprop.executors.native.llvm.registers import Operand, constant
from clearprop.executors.native.llvm.writer import Function

Matrix = tuple[tuple[float, ...], ...]

RESULTS, TAPS = 2, 3  # on each axis: results at once, and taps of the window
POINTS = RESULTS + TAPS - 1  # numbers that they read, and products they need
PLACES = POINTS**2  # of a transformed square
INPUT: Matrix = ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1))  # I
KERNEL: Matrix = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))  # K
RESULT: Matrix = ((1, 1, 1, 0), (0, 1, -1, -1))  # R
DERIVATIVE: Matrix = ((1, 0), (0.5, 0.5), (0.5, -0.5), (0, 1))  # E
GRADIENT: Matrix = ((1, 1, 1, 0), (0, 1, -1, 0), (0, 1, 1, -1))  # T


def transformed(
    f: Function, matrix: Matrix, number: Callable[[int, int], Operand]
) -> Iterator[Operand]:
    """The numbers of ``matrix @ square @ matrix.T``, row by row.

    Each is written when it is asked for, and so is what it needs: few are in registers at once.

    Args:
        f: the kernel.
        matrix: what transforms a line.
        number: writes the number of the square in a row and a column.
    """
    given = cache(number)
    for row in matrix:
        column = cache(lambda place, row=row: _sum(f, row, lambda at: given(at, place)))
        for other in matrix:
            yield _sum(f, other, column)


def _sum(f: Function, factors: tuple[float, ...], number: Callable[[int], Operand]) -> Operand:
    """The sum of some numbers, each with a factor: all factors are equal but for their signs."""
    places = [place for place, factor in enumerate(factors) if factor]
    first = next(place for place in places if factors[place] > 0)
    result = number(first)
    for place in places:
        if place != first:
            word = "fadd" if factors[place] > 0 else "fsub"
            result = f.binary(word, result, number(place))
    if factors[first] == 1:
        return result
    return f.binary("fmul", constant(result.type, factors[first]), result)
