"""Sorting long rows by the digits of their keys, the last digit first.

In each round a record goes to the place after all records with a smaller digit, and after those
with the same digit that came before it: so equal keys keep their order.  A round in which all
digits are equal is left out.

Long keys that look random are sorted by their first digits, as many as tell most random keys apart;
then neighbours are put in order by all of them.  Only if that does not do, all digits have rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clearprop.executors.native.llvm.registers import (
    Operand,
    constant,
    constant_vector,
    integer,
    size_of,
    vector_type,
)
from clearprop.executors.native.words.sort_keys import key_type, write_number
from clearprop.executors.native.words.sort_rows import Rows
from clearprop.executors.native.words.sort_zeros import find_negative_zero, write_zeros_in_order

_COUNT = "i32"
_SHARE = 16  # so few of random keys begin with the same digit
_WIDE_DIGITS = 1 << 12  # rows for which fewer rounds with longer digits are faster


@dataclass(frozen=True)
class Record:
    """What is moved: a key, or a key and an index.

    Attributes:
        key: type of the key.
        has_index: whether there is an index.
    """

    key: str
    has_index: bool

    @property
    def is_pair(self) -> bool:
        """Whether key and index have 64 bits each; otherwise they share 64, the index below."""
        return self.has_index and size_of(self.key) == 8

    @property
    def type(self) -> str:
        """The LLVM type of a record."""
        if self.is_pair:
            return "<2 x i64>"
        return "i64" if self.has_index else self.key

    @property
    def size_bytes(self) -> int:
        """Memory that it takes."""
        return 16 if self.is_pair else size_of(self.type)

    @property
    def key_shift(self) -> int:
        """Bits below the key."""
        return 32 if self.has_index and not self.is_pair else 0


class Radix:
    """Sorts the rows of a kernel in scratch memory.

    Args:
        rows: the rows.
        lanes: keys in a vector.
    """

    def __init__(self, rows: Rows, lanes: int) -> None:
        self.rows, self.f, self.lanes = rows, rows.f, lanes
        self.has_index = rows.order is not None or rows.descending
        self.record = Record(key_type(rows.dtype), self.has_index)
        bits = 8 * rows.dtype.itemsize
        self.digit_bits = 11 if rows.length >= _WIDE_DIGITS and bits >= 32 else 8
        self.rounds = -(-bits // self.digit_bits)
        # Of random keys few are equal in so many bits.
        telling_rounds = -(-2 * rows.length.bit_length() // self.digit_bits)
        self.first_round = max(0, self.rounds - telling_rounds)
        if self.first_round == 1:
            self.first_round = 0
        self.size_bytes = -(-rows.length * self.record.size_bytes // 64) * 64 * 2
        self.counts = self.f.stack(_COUNT, self.rounds << self.digit_bits)

    def write(self, scratch: Operand) -> None:
        """Write the sorting of the row at which the loops stand.

        Args:
            scratch: the address of ``size_bytes`` of memory.
        """
        f, first = self.f, self.first_round
        both = [scratch, f.address(scratch, "i8", self.size_bytes // 2)]
        self._put_records(scratch)
        f.clear(self.counts, (self.rounds << self.digit_bits) * size_of(_COUNT))
        self._count_digits(scratch, first, self.rounds)
        if not first:
            both = self._sorted(integer(0), both)
        else:
            both = self._sorted_by_first_digits(first, both)
        self._put_results(both[0])
        if not self.has_index and self.rows.dtype.kind == "f":
            write_zeros_in_order(self.rows, find_negative_zero(self.rows, self.lanes))

    # -- records -------------------------------------------------------------------------------

    def _address(self, base: Operand, place: Operand) -> Operand:
        return self.f.address(base, f"[{self.record.size_bytes} x i8]", place)

    def _put_records(self, scratch: Operand) -> None:
        """Make records of the row."""
        f, rows, record = self.f, self.rows, self.record

        def put(place: Operand, width: int) -> None:
            key = rows.key(rows.load(place, width))
            address = self._address(scratch, place)
            if not record.has_index:
                f.store(key, address)
                return
            first = f.splat(place, width)
            index = f.binary("add", first, constant_vector("i64", range(width)))
            wide = f.convert("zext", key, "i64")
            if not record.is_pair:
                shift = constant(wide.type, record.key_shift)
                f.store(f.binary("or", f.binary("shl", wide, shift), index), address)
                return
            if width == 1:
                both = f.with_lane(constant(record.type, 0), 0, wide)
                f.store(f.with_lane(both, 1, index), address)
                return
            order = [each for lane in range(width) for each in (lane, width + lane)]
            f.store(f.shuffle(wide, index, order), address)

        rows.over(rows.length, self.lanes, put)

    def _indices(self, source: Operand, place: Operand, width: int) -> Operand:
        """The indices of some neighbouring records."""
        f, address = self.f, self._address(source, place)
        if not self.record.is_pair:
            found = f.load(vector_type("i64", width), address, pinned=True)
            return f.binary("and", found, constant(found.type, 0xFFFFFFFF))
        both = f.load(vector_type("i64", 2 * width), address, pinned=True)
        return f.lane(both, 1) if width == 1 else f.shuffle(both, None, range(1, 2 * width, 2))

    def _put_results(self, source: Operand) -> None:
        """Put what is wanted of the sorted records."""
        f, rows = self.f, self.rows

        def put_numbers(place: Operand, width: int) -> None:
            type_ = vector_type(self.record.key, width)
            keys = f.load(type_, self._address(source, place), pinned=True)
            rows.put_value(write_number(f, keys, rows.dtype), place, width)

        def put_indices(place: Operand, width: int) -> None:
            rows.put_index(self._indices(source, place, width), place, width)

        def put_chosen(place: Operand, _: int) -> None:
            rows.put_value(rows.load(self._indices(source, place, 1)), place)

        if not self.has_index:
            rows.over(rows.wanted, self.lanes, put_numbers)
            return
        if rows.order is not None:
            rows.over(rows.wanted, self.lanes, put_indices)
        if rows.values is not None:
            rows.over(rows.wanted, 1, put_chosen)

    # -- rounds --------------------------------------------------------------------------------

    def _key(self, base: Operand, place: Operand) -> Operand:
        """The key of a record, as a number of 64 bits; what is below it comes along."""
        type_ = "i64" if self.has_index else self.record.key
        loaded = self.f.load(type_, self._address(base, place), pinned=True)
        return self.f.convert("zext", loaded, "i64")

    def _digit(self, key: Operand, round_: Operand) -> Operand:
        f = self.f
        shift = f.add(f.multiply(round_, self.digit_bits), self.record.key_shift)
        mask = integer((1 << self.digit_bits) - 1)
        return f.binary("and", f.binary("lshr", key, shift), mask)

    def _count_at(self, round_: Operand, digit: Operand) -> Operand:
        """Where it is counted how often a digit occurs in a round."""
        first = self.f.multiply(round_, 1 << self.digit_bits)
        return self.f.address(self.f.address(self.counts, _COUNT, first), _COUNT, digit)

    def _count_digits(self, source: Operand, first: int, end: int) -> None:
        """Count the digits of some rounds."""
        f = self.f
        with f.loop(0, self.rows.length) as loop:
            assert loop.index is not None
            key = self._key(source, loop.index)
            for number in range(first, end):
                round_ = integer(number)
                address = self._count_at(round_, self._digit(key, round_))
                count = f.load(_COUNT, address, pinned=True)
                f.store(f.binary("add", count, constant(_COUNT, 1)), address)

    def _sorted(self, first: Operand, both: Sequence[Operand]) -> list[Operand]:
        """Where the records are after all rounds from the first one on, and the other memory."""
        f = self.f
        with f.loop(first, self.rounds, carried=both) as loop:
            assert loop.index is not None
            source, target = loop.carried
            moved = self._round(loop.index, source, target)
            loop.next = [f.select(moved, target, source), f.select(moved, source, target)]
        return loop.results

    def _sorted_by_first_digits(self, first: int, both: Sequence[Operand]) -> list[Operand]:
        """The same; the rounds from ``first`` on are tried alone where keys look random.

        They do if no more than a part of all keys begins with the same digit as the first one.
        """
        f, length, true = self.f, self.rows.length, constant("i1", 1)
        last = integer(self.rounds - 1)
        digit = self._digit(self._key(both[0], integer(0)), last)
        count = f.load(_COUNT, self._count_at(last, digit), pinned=True)
        is_random = f.compare("icmp ult", count, constant(_COUNT, length // _SHARE))
        with f.when(f.binary("xor", is_random, true)):
            self._count_digits(both[0], 0, first)
        both = self._sorted(f.select(is_random, integer(first), integer(0)), both)
        is_done = self._settle(both[0], f.select(is_random, integer(length), integer(1)))
        with f.when(f.binary("xor", is_done, true)):
            f.clear(self.counts, (self.rounds << self.digit_bits) * size_of(_COUNT))
            self._count_digits(both[0], 0, self.rounds)
        return self._sorted(f.select(is_done, integer(self.rounds), integer(0)), both)

    def _settle(self, source: Operand, end: Operand) -> Operand:
        """Put neighbours before ``end`` in order; returns whether all of them are then."""
        f, type_ = self.f, self.record.type
        start = [self._key(source, integer(0))] * 2
        with f.loop(1, end, carried=[*start, constant("i1", 1)]) as loop:
            assert loop.index is not None
            before_last, last, is_sorted = loop.carried
            own = self._key(source, loop.index)
            swaps = f.compare("icmp ult", own, last)
            with f.when(swaps):
                places = [self._address(source, f.add(loop.index, by)) for by in (-1, 0)]
                pair = [f.load(type_, place, alignment=1, pinned=True) for place in places]
                for record, place in zip(reversed(pair), places, strict=True):
                    f.store(record, place, alignment=1)
            least, greatest = f.select(swaps, own, last), f.select(swaps, last, own)
            follows = f.compare("icmp uge", least, before_last)
            loop.next = [least, greatest, f.binary("and", is_sorted, follows)]
        return loop.results[-1]

    def _round(self, round_: Operand, source: Operand, target: Operand) -> Operand:
        """Move all records, unless they have the same digit; returns whether they moved."""
        f = self.f
        first = self._digit(self._key(source, integer(0)), round_)
        count = f.load(_COUNT, self._count_at(round_, first), pinned=True)
        moves = f.compare("icmp ne", count, constant(_COUNT, self.rows.length))
        with f.when(moves):
            self._count_before(round_)
            with f.loop(0, self.rows.length) as loop:
                assert loop.index is not None
                digit = self._digit(self._key(source, loop.index), round_)
                record = f.load(
                    self.record.type, self._address(source, loop.index), alignment=1, pinned=True
                )
                address = self._count_at(round_, digit)
                place = f.load(_COUNT, address, pinned=True)
                f.store(f.binary("add", place, constant(_COUNT, 1)), address)
                wide = f.convert("zext", place, "i64")
                f.store(record, self._address(target, wide), alignment=1)
        return moves

    def _count_before(self, round_: Operand) -> None:
        """How often each digit occurs becomes how many records have a smaller one."""
        f = self.f
        with f.loop(0, 1 << self.digit_bits, carried=[constant(_COUNT, 0)]) as loop:
            assert loop.index is not None
            address = self._count_at(round_, loop.index)
            count = f.load(_COUNT, address, pinned=True)
            f.store(loop.carried[0], address)
            loop.next = [f.binary("add", loop.carried[0], count)]
