"""Instructions without side effects: arithmetic, vectors, comparisons, addresses' numbers.

They are written where they belong, not where they are asked for: in the outermost loop that knows
all their operands, and once.  So code that computes a place or spreads a number over a vector may
stand next to its use and still run once, before the loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from clearprop.executors.native.llvm.module import Module
from clearprop.executors.native.llvm.registers import (
    INTEGER,
    POINTER,
    Operand,
    constant,
    integer,
    suffix,
    vector_type,
)

_FOR_ADDRESSES = frozenset({INTEGER, POINTER})


class Scope(NamedTuple):
    """What is being written in a function or in a loop.

    Attributes:
        lines: so far.
        known: instructions among them, by their text.
    """

    lines: list[str]
    known: dict[str, Operand]


@dataclass
class Counter:
    """The index of an open loop.

    Attributes:
        level: of the loop.
        products: the index times known numbers, by the number.
        is_innermost: whether there is no loop in the loop so far.
    """

    level: int
    products: dict[int, Operand] = field(default_factory=dict)
    is_innermost: bool = True


class Arithmetic:
    """Writes instructions without side effects.

    Args:
        module: where the function will stand.

    Attributes:
        scopes: the function, and the loops that are open.
        floor: the outermost loop that numbers are moved out to.
        sums: what was added up, with a known number.
        counters: of open loops, by the index.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.scopes = [Scope([], {})]
        self.floor = 0
        self.sums: dict[str, tuple[Operand, int]] = {}
        self.counters: dict[str, Counter] = {}
        self._count = 0

    @property
    def level(self) -> int:
        """How many loops are open."""
        return len(self.scopes) - 1

    def line(self, text: str) -> None:
        """Write a line here."""
        self.scopes[-1].lines.append(text)

    def new_name(self) -> str:
        """A name for a result, used nowhere else in the function."""
        self._count += 1
        return f"%v{self._count}"

    def new_label(self) -> str:
        """A label for a block, used nowhere else in the function."""
        self._count += 1
        return f"L{self._count}"

    def pure(self, type_: str, text: str, *operands: Operand) -> Operand:
        """The result of an instruction: written as far outside as its operands allow, once."""
        level = 0 if type_ in _FOR_ADDRESSES else self.floor
        for operand in operands:
            if operand.level > level:
                level = operand.level
        return self._written(type_, text, level)

    @contextmanager
    def nothing_before(self) -> Iterator[None]:
        """A block whose numbers are computed in it, even if they could be known before.

        What is computed before a loop takes registers in it; a loop that needs all of them is
        followed by such a block.
        """
        before, self.floor = self.floor, self.level
        yield
        self.floor = before

    def _written(self, type_: str, text: str, level: int) -> Operand:
        lines, known = self.scopes[level]
        found = known.get(text)
        if found is None:
            found = known[text] = Operand(type_, self.new_name(), level)
            lines.append(f"  {found.text} = {text}")
        return found

    def binary(self, word: str, x: Operand, y: Operand) -> Operand:
        """``fadd``, ``mul``, ``and`` ... of two operands of one type."""
        return self.pure(x.type, f"{word} {x.type} {x.text}, {y.text}", x, y)

    def negative(self, x: Operand) -> Operand:
        """-x of floats."""
        return self.pure(x.type, f"fneg {x.type} {x.text}", x)

    def compare(self, word: str, x: Operand, y: Operand) -> Operand:
        """``fcmp olt``, ``icmp eq`` ... of two operands of one type; i1 in every lane."""
        type_ = vector_type("i1", x.lanes)
        return self.pure(type_, f"{word} {x.type} {x.text}, {y.text}", x, y)

    def select(self, condition: Operand, x: Operand, y: Operand) -> Operand:
        """x where the condition is true, y elsewhere."""
        text = f"select {condition.type} {condition.text}, {x.type} {x.text}, {y.type} {y.text}"
        return self.pure(x.type, text, condition, x, y)

    def convert(self, word: str, x: Operand, element: str) -> Operand:
        """``sitofp``, ``bitcast``, ``zext`` ... to another element type."""
        type_ = vector_type(element, x.lanes)
        if type_ == x.type:
            return x
        return self.pure(type_, f"{word} {x.type} {x.text} to {type_}", x)

    def intrinsic(self, word: str, *operands: Operand, type_: str = "") -> Operand:
        """``llvm.fma`` ... : one result of the type of the first operand, or of ``type_``.

        Where ``type_`` is given, the intrinsic is named after the last operand.
        """
        result = type_ or operands[0].type
        name = f"@{word}.{suffix(operands[-1].type if type_ else result)}"
        types = ", ".join(operand.type for operand in operands)
        self.module.declarations[f"declare {result} {name}({types})"] = None
        given = ", ".join(f"{operand.type} {operand.text}" for operand in operands)
        flags = "reassoc " if word == "llvm.vector.reduce.fadd" else ""
        return self.pure(result, f"call {flags}{result} {name}({given})", *operands)

    def multiply_add(self, x: Operand, y: Operand, z: Operand) -> Operand:
        """x * y + z of floats, rounded once; twice on x86 without the instruction for it."""
        if not self.module.has_fma:
            return self.binary("fadd", self.binary("fmul", x, y), z)
        return self.intrinsic("llvm.fma", x, y, z)

    def splat(self, x: Operand, lanes: int) -> Operand:
        """The number x in every lane; a vector stays as it is."""
        if lanes == 1 or x.lanes > 1:
            return x
        type_ = vector_type(x.type, lanes)
        if not x.text.startswith("%"):
            return Operand(type_, f"splat ({x.type} {x.text})")
        one = self.pure(type_, f"insertelement {type_} poison, {x.type} {x.text}, i64 0", x)
        zeros = f"<{lanes} x i32> zeroinitializer"
        return self.pure(type_, f"shufflevector {type_} {one.text}, {type_} poison, {zeros}", one)

    def shuffle(self, x: Operand, y: Operand | None, places: Sequence[int]) -> Operand:
        """The lanes of x, then of y, at these places; -1 leaves a lane open."""
        other = "poison" if y is None else y.text
        mask = ", ".join("i32 poison" if place < 0 else f"i32 {place}" for place in places)
        type_ = vector_type(x.element, len(places))
        text = f"shufflevector {x.type} {x.text}, {x.type} {other}, <{len(places)} x i32> <{mask}>"
        return self.pure(type_, text, *([x] if y is None else [x, y]))

    def lane(self, x: Operand, place: int) -> Operand:
        """One number of a vector."""
        if x.lanes == 1:
            return x
        return self.pure(x.element, f"extractelement {x.type} {x.text}, i64 {place}", x)

    def with_lane(self, x: Operand, place: int, number: Operand) -> Operand:
        """A vector with one of its numbers replaced."""
        text = f"insertelement {x.type} {x.text}, {number.type} {number.text}, i64 {place}"
        return self.pure(x.type, text, x, number)

    def widen(self, x: Operand, lanes: int, filler: float | int | bool = 0) -> Operand:
        """x in the first lanes of a longer vector, ``filler`` in the others."""
        count = x.lanes
        if count == lanes:
            return x
        if count == 1:
            return self.with_lane(constant(vector_type(x.type, lanes), filler), 0, x)
        fill = constant(x.type, filler)
        places = [*range(count), *([count] * (lanes - count))]
        return self.shuffle(x, fill, places)

    def narrow(self, x: Operand, lanes: int) -> Operand:
        """The first lanes of a vector."""
        if x.lanes == lanes:
            return x
        return self.lane(x, 0) if lanes == 1 else self.shuffle(x, None, range(lanes))

    # -- whole numbers -----------------------------------------------------------------

    def add(self, x: Operand | int, y: Operand | int) -> Operand:
        """x + y of whole numbers; known ones are added now."""
        x, y = as_operand(x), as_operand(y)
        if is_number(x):
            x, y = y, x
        if not is_number(y):
            return self.pure(INTEGER, f"add i64 {x.text}, {y.text}", x, y)
        number = int(y.text)
        if is_number(x):
            return integer(int(x.text) + number)
        x, before = self.sums.get(x.text, (x, 0))
        number += before
        if number == 0:
            return x
        result = self.pure(INTEGER, f"add i64 {x.text}, {number}", x)
        self.sums[result.text] = x, number
        return result

    def multiply(self, x: Operand | int, y: Operand | int) -> Operand:
        """x * y of whole numbers; known ones are multiplied now."""
        x, y = as_operand(x), as_operand(y)
        if is_number(x) and is_number(y):
            return integer(int(x.text) * int(y.text))
        if is_number(x):
            x, y = y, x
        if not is_number(y):
            return self.pure(INTEGER, f"mul i64 {x.text}, {y.text}", x, y)
        factor = int(y.text)
        if factor in {0, 1}:
            return x if factor else integer(0)
        if x.text in self.sums:
            inner, number = self.sums[x.text]
            return self.add(self.multiply(inner, factor), number * factor)
        counter = self.counters.get(x.text)
        if counter is None:
            return self.pure(INTEGER, f"mul i64 {x.text}, {factor}", x)
        if factor not in counter.products:
            counter.products[factor] = Operand(INTEGER, self.new_name(), counter.level)
        return counter.products[factor]

    def minimum(self, x: Operand | int, y: Operand | int) -> Operand:
        """The lesser of two whole numbers."""
        x, y = as_operand(x), as_operand(y)
        if is_number(x) and is_number(y):
            return integer(min(int(x.text), int(y.text)))
        return self.intrinsic("llvm.smin", x, y)

    def maximum(self, x: Operand | int, y: Operand | int) -> Operand:
        """The greater of two whole numbers."""
        x, y = as_operand(x), as_operand(y)
        if is_number(x) and is_number(y):
            return integer(max(int(x.text), int(y.text)))
        return self.intrinsic("llvm.smax", x, y)


def as_operand(x: Operand | int) -> Operand:
    """A number of Python as an operand."""
    return integer(x) if isinstance(x, int) else x


def is_number(x: Operand) -> bool:
    """Whether it is a known number."""
    return not x.text.startswith("%")
