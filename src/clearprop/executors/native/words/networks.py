"""Sorting networks: short rows whose numbers alone are wanted, in registers.

A bitonic network compares fixed pairs of places, whatever the numbers are.  Places a vector apart
are compared as whole vectors; closer ones by a shuffled copy of their vector.

Reference:
    K. E. Batcher, "Sorting networks and their applications", AFIPS Spring Joint Computer
    Conference (1968).
"""

from __future__ import annotations

from clearprop.executors.native.llvm.machine import Machine
from clearprop.executors.native.llvm.registers import Operand, constant, vector_type
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.words.sort_keys import flipped, key_type, write_number
from clearprop.executors.native.words.sort_rows import Rows, spans
from clearprop.executors.native.words.sort_zeros import is_negative_zero, write_zeros_in_order

_MOST_VECTORS = 16
_LONGEST = 256
_MANY = 1 << 16


def longest_in_network(machine: Machine, key_bytes: int, numbers: int) -> int:
    """The longest row that is sorted in registers.

    Args:
        machine: for which processor.
        key_bytes: size of a number.
        numbers: in all rows together; where there are many, code that is long pays.
    """
    vectors = min(_MOST_VECTORS, machine.vector_registers // 2)
    longest = _LONGEST if numbers >= _MANY else _LONGEST // 2
    return min(vectors * machine.lanes(key_bytes), longest)


def write_network(rows: Rows, machine: Machine) -> None:
    """Write the sorting of the row at which the loops stand."""
    f, length = rows.f, rows.length
    lanes = min(machine.lanes(rows.dtype.itemsize), 1 << (length - 1).bit_length())
    count = 1 << (-(-length // lanes) - 1).bit_length()
    keys, has_negative_zero = _load(rows, lanes, count)
    for number, key in enumerate(_sorted(f, keys, lanes)):
        start = number * lanes
        for first, stop, width in spans(min(lanes, max(length - start, 0)), lanes):
            for place in range(first, stop, width):
                part = key
                if width == 1:
                    part = f.lane(key, place)
                elif width < lanes:
                    part = f.shuffle(key, None, range(place, place + width))
                x = write_number(f, flipped(f, part), rows.dtype)
                rows.put_value(x, constant("i64", start + place), width)
    if has_negative_zero is not None:
        write_zeros_in_order(rows, has_negative_zero)


def _load(rows: Rows, lanes: int, count: int) -> tuple[list[Operand], Operand | None]:
    """The keys of a row, filled up with the greatest key; whether there is a -0 of a float."""
    f, element = rows.f, key_type(rows.dtype)
    type_ = vector_type(element, lanes)
    last = constant(type_, (1 << (8 * rows.dtype.itemsize - 1)) - 1)
    keys: list[Operand] = []
    found: Operand | None = None
    rest: Operand | None = None
    for start, stop, width in spans(rows.length, lanes):
        if width < lanes and rest is None:
            rest = f.stack(element, lanes)
            f.store(last, rest)
        for place in range(start, stop, width):
            x = rows.load(constant("i64", place), width)
            key = flipped(f, rows.key(x))
            if width == lanes:
                keys.append(key)
            else:
                assert rest is not None
                f.store(key, f.address(rest, element, place - len(keys) * lanes))
            if rows.dtype.kind == "f":
                more = is_negative_zero(f, x)
                found = more if found is None else f.binary("or", found, more)
    if rest is not None:
        keys.append(f.load(type_, rest, pinned=True))
    return keys + [last] * (count - len(keys)), found


def _sorted(f: Function, vectors: list[Operand], lanes: int) -> list[Operand]:
    """All numbers of some vectors, a power of two of them, in ascending order."""
    vectors, run = list(vectors), 2
    while run <= lanes * len(vectors):
        distance = run // 2
        while distance:
            if distance >= lanes:
                _compare_vectors(f, vectors, lanes, run, distance)
            else:
                vectors = [
                    _compare_lanes(f, x, number * lanes, run, distance)
                    for number, x in enumerate(vectors)
                ]
            distance //= 2
        run *= 2
    return vectors


def _compare_vectors(
    f: Function, vectors: list[Operand], lanes: int, run: int, distance: int
) -> None:
    for number, x in enumerate(vectors):
        other = number + distance // lanes
        if number & (distance // lanes):
            continue
        y = vectors[other]
        pair = f.intrinsic("llvm.smin", x, y), f.intrinsic("llvm.smax", x, y)
        is_ascending = not number * lanes & run
        vectors[number], vectors[other] = pair if is_ascending else pair[::-1]


def _compare_lanes(f: Function, x: Operand, first: int, run: int, distance: int) -> Operand:
    lanes = x.lanes
    y = f.shuffle(x, None, [lane ^ distance for lane in range(lanes)])
    less, greater = f.intrinsic("llvm.smin", x, y), f.intrinsic("llvm.smax", x, y)
    takes_less = [(lane & distance == 0) == ((first + lane) & run == 0) for lane in range(lanes)]
    places = [lane if takes else lanes + lane for lane, takes in enumerate(takes_less)]
    return f.shuffle(less, greater, places)
