"""Sorting short rows: the rank of each number is how many come before it.

Every number is compared with every other one, a vector of them at a time.  There are n² such
comparisons, but none depends on another, and no branch depends on what comes out, so for one or
two hundred numbers little is faster.  Of equal numbers the one with the smaller index comes first.
"""

from __future__ import annotations

from collections.abc import Sequence

from clearprop.executors.native.llvm.machine import Machine
from clearprop.executors.native.llvm.registers import (
    Operand,
    constant,
    constant_vector,
    integer,
    size_of,
    vector_type,
)
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.words.sort_keys import flipped, key_type
from clearprop.executors.native.words.sort_rows import Rows

_TOGETHER = 4  # vectors whose ranks are counted side by side
_LONGEST = 256  # ranks of keys of one byte fit into a byte


def longest_ranked(machine: Machine, key_bytes: int) -> int:
    """The longest row for which comparing all with all is faster than going by digits."""
    lanes = machine.lanes(key_bytes)
    # Cycles, roughly: one for each vector of comparisons; for each digit some for each number,
    # and some for each of its 256 values.
    faster = [n for n in range(_LONGEST + 1) if n * n <= lanes * key_bytes * (2.5 * n + 300)]
    return faster[-1]


class Ranks:
    """Counts the ranks of keys on the stack.

    Args:
        f: the kernel.
        machine: for which it is.
        element: type of the keys.
        length: number of keys.

    Attributes:
        keys: where the keys are to be put, as integers with a sign.
        ranks: where their ranks are found, of the type of the keys.
    """

    def __init__(self, f: Function, machine: Machine, element: str, length: int) -> None:
        self.f, self.element, self.length = f, element, length
        power = 1 << (length - 1).bit_length()
        self.lanes = min(machine.lanes(size_of(element)), power)
        self.vectors = -(-length // self.lanes)
        self.keys = f.stack(element, self.vectors * self.lanes)
        self.ranks = f.stack(element, self.vectors * self.lanes)
        self._has_masks = f.module.has_scaling

    def count(self) -> None:
        """Write the ranks of all keys."""
        whole = self.vectors // _TOGETHER
        if whole:
            step = _TOGETHER * self.lanes
            with self.f.loop(0, whole * step, step) as loop:
                assert loop.index is not None
                self._count(loop.index, _TOGETHER)
        rest = self.vectors - whole * _TOGETHER
        if rest:
            self._count(integer(whole * _TOGETHER * self.lanes), rest)

    def _count(self, start: Operand, vectors: int) -> None:
        """Count for some vectors: those before, those among them, those after."""
        f, lanes = self.f, self.lanes
        type_ = vector_type(self.element, lanes)
        stop = f.minimum(f.add(start, vectors * lanes), self.length)
        places = [f.add(start, number * lanes) for number in range(vectors)]
        own = [
            f.load(type_, f.address(self.keys, self.element, place), pinned=True)
            for place in places
        ]
        ranks = [constant(type_, 0)] * vectors
        ranks = self._against(integer(0), start, "icmp sle", own, ranks)
        ranks = self._among(start, stop, own, ranks)
        ranks = self._against(stop, integer(self.length), "icmp slt", own, ranks)
        for place, rank in zip(places, ranks, strict=True):
            f.store(rank, f.address(self.ranks, self.element, place))

    def _against(
        self,
        start: Operand,
        stop: Operand,
        comes_first: str,
        own: Sequence[Operand],
        ranks: list[Operand],
    ) -> list[Operand]:
        """Compare the vectors with other numbers, which all lie on one side of them."""
        if start.text == stop.text:
            return ranks
        with self.f.loop(start, stop, carried=ranks) as loop:
            assert loop.index is not None
            other = self._other(loop.index)
            for key, rank in zip(own, loop.carried, strict=True):
                loop.next.append(self._plus(rank, self.f.compare(comes_first, other, key)))
        return loop.results

    def _among(
        self, start: Operand, stop: Operand, own: Sequence[Operand], ranks: list[Operand]
    ) -> list[Operand]:
        """Compare the vectors with their own numbers: of equal ones the first comes first."""
        f, lanes = self.f, self.lanes
        with f.loop(start, stop, carried=ranks) as loop:
            assert loop.index is not None
            other = self._other(loop.index)
            place = f.binary("sub", loop.index, start)
            place = f.splat(f.convert("trunc", place, self.element), lanes)
            for number, (key, rank) in enumerate(zip(own, loop.carried, strict=True)):
                numbers = range(number * lanes, (number + 1) * lanes)
                later = f.compare("icmp ugt", constant_vector(self.element, list(numbers)), place)
                equal = f.binary("and", later, f.compare("icmp eq", other, key))
                before = f.binary("or", f.compare("icmp slt", other, key), equal)
                loop.next.append(self._plus(rank, before))
        return loop.results

    def _other(self, place: Operand) -> Operand:
        address = self.f.address(self.keys, self.element, place)
        return self.f.splat(self.f.load(self.element, address, pinned=True), self.lanes)

    def _plus(self, rank: Operand, condition: Operand) -> Operand:
        """The rank, one greater where the condition is true."""
        f = self.f
        if self._has_masks:
            return f.select(condition, f.binary("add", rank, constant(rank.type, 1)), rank)
        return f.binary("sub", rank, f.convert("sext", condition, self.element))


def write_ranked(rows: Rows, machine: Machine) -> None:
    """Write the sorting of the row at which the loops stand."""
    f, element = rows.f, key_type(rows.dtype)
    ranks = Ranks(f, machine, element, rows.length)

    def put_keys(place: Operand, width: int) -> None:
        key = flipped(f, rows.key(rows.load(place, width)))
        f.store(key, f.address(ranks.keys, element, place))

    rows.over(rows.length, ranks.lanes, put_keys)
    ranks.count()
    order = None if rows.wanted == rows.length else f.stack("i64", rows.length)
    with f.loop(0, rows.length) as loop:
        assert loop.index is not None
        loaded = f.load(element, f.address(ranks.ranks, element, loop.index), pinned=True)
        rank = f.convert("zext", loaded, "i64")
        if order is None:
            _put(rows, loop.index, rank)
        else:
            f.store(loop.index, f.address(order, "i64", rank))
    if order is not None:
        with f.loop(0, rows.wanted) as loop:
            assert loop.index is not None
            _put(rows, f.load("i64", f.address(order, "i64", loop.index), pinned=True), loop.index)


def _put(rows: Rows, place: Operand, rank: Operand) -> None:
    if rows.values is not None:
        rows.put_value(rows.load(place), rank)
    rows.put_index(place, rank)
