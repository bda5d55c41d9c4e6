"""Writing LLVM IR: one function at a time, as text, with loops as ``with`` blocks.

Instructions without side effects are written where they belong, not where they are asked for: in
the outermost loop that knows all their operands, and once.  So code that computes an address or
spreads a number over a vector may stand next to its use and still run once, before the loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from clearprop.executors.native.llvm.machine import Machine
from clearprop.executors.native.llvm.registers import (
    INTEGER,
    POINTER,
    Operand,
    constant,
    integer,
    size_of,
    split_type,
    suffix,
    vector_type,
)

_WIDTH = '"prefer-vector-width"="512"'
_ATTRIBUTES = (
    f"attributes #0 = {{ nounwind noinline {_WIDTH} }}",
    f"attributes #1 = {{ nounwind alwaysinline {_WIDTH} }}",
)
_FOR_ADDRESSES = frozenset({INTEGER, POINTER})


class Loop:
    """A loop that is being written.

    Attributes:
        index: the number of the round, or None for a loop that counts nothing.
        carried: what this round has from the one before.
        next: to be set in the block: what the next round is to have.
        again: to be set in a loop without an index: whether there is another round.
        results: after the block: the last ``next``.
    """

    def __init__(self, index: Operand | None, carried: list[Operand]) -> None:
        self.index, self.carried = index, carried
        self.next: list[Operand] = []
        self.again: Operand | None = None
        self.results: list[Operand] = []


class _Scope(NamedTuple):
    lines: list[str]
    known: dict[str, Operand]  # instructions written here, by their text


class Module:
    """Functions and what they need from outside; equal functions are kept once.

    Args:
        machine: the processor it is written for; None for one that can do everything.
    """

    def __init__(self, machine: Machine | None = None) -> None:
        self.machine = machine
        self.functions: dict[str, str] = {}  # text without the name -> name
        self.declarations: dict[str, None] = {}

    @property
    def has_fma(self) -> bool:
        """Whether x * y + z rounded once is an instruction."""
        return self.machine is None or not self.machine.is_x86 or self.machine.has("fma")

    @property
    def has_rounding(self) -> bool:
        """Whether rounding to whole numbers is an instruction."""
        return self.machine is None or not self.machine.is_x86 or self.machine.has("sse4.1")

    @property
    def has_scaling(self) -> bool:
        """Whether p * 2^n is an instruction, as with AVX-512."""
        return self.machine is not None and self.machine.is_x86 and self.machine.has("avx512f")

    def text(self) -> str:
        """The whole module as LLVM IR."""
        bodies = (text.replace("@?", f"@{name}", 1) for text, name in self.functions.items())
        return "\n".join([*self.declarations, *bodies, *_ATTRIBUTES])

    def add(self, function: Function, name: str) -> str:
        """Take a finished function; returns the name of it, or of the equal one that is there."""
        text = function.text()
        if text not in self.functions:
            taken = set(self.functions.values())
            unique, count = name, 1
            while unique in taken:
                count += 1
                unique = f"{name}_{count}"
            self.functions[text] = unique
        return self.functions[text]


class Function:
    """One function that is being written.

    Args:
        module: where it will stand.
        parameters: type and name of each.
        result: type of what it returns.
        exported: whether it can be found from outside of the module.
        inline: whether it shall become a part of its callers.
    """

    def __init__(
        self,
        module: Module,
        parameters: Sequence[tuple[str, str]],
        result: str = "void",
        *,
        exported: bool = False,
        inline: bool = False,
    ) -> None:
        self.module = module
        self.parameters = [Operand(type_, f"%{name}") for type_, name in parameters]
        self._result, self._exported, self._inline = result, exported, inline
        self._entry: list[str] = []  # memory on the stack
        self._scopes = [_Scope([], {})]
        self._count = 0
        self._floor = 0  # the outermost loop that numbers are moved out to
        self._bases: dict[str, str] = {}  # for each address what it was counted from
        self._changed: dict[str, None] = {}
        self._on_stack: set[str] = set()

    def parameter(self, type_: str, name: str) -> Operand:
        """One more parameter, the last so far."""
        self.parameters.append(Operand(type_, f"%{name}"))
        return self.parameters[-1]

    def writes_into(self, parameter: Operand) -> bool:
        """Whether the function may change memory through an address that it is given."""
        known = {each.text for each in self.parameters} | self._on_stack
        if not self._changed.keys() <= known:
            return True  # an address of unknown origin
        return parameter.text in self._changed

    # -- the text ---------------------------------------------------------------------

    def text(self) -> str:
        """The function as LLVM IR, with ``@?`` for its name."""
        linkage = "" if self._exported else "internal "
        given = ", ".join(f"{parameter.type} {parameter.text}" for parameter in self.parameters)
        attributes = "#1" if self._inline else "#0"
        head = f"define {linkage}{self._result} @?({given}) {attributes} {{\nentry:"
        return "\n".join([head, *self._entry, *self._scopes[0].lines, "}\n"])

    @property
    def level(self) -> int:
        """How many loops are open."""
        return len(self._scopes) - 1

    def line(self, text: str) -> None:
        """Write a line here."""
        self._scopes[-1].lines.append(text)

    def _name(self) -> str:
        self._count += 1
        return f"%v{self._count}"

    def _label(self) -> str:
        self._count += 1
        return f"L{self._count}"

    # -- instructions without side effects -----------------------------------------------

    def pure(self, type_: str, text: str, *operands: Operand) -> Operand:
        """The result of an instruction: written as far outside as its operands allow, once."""
        level = 0 if type_ in _FOR_ADDRESSES else self._floor
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
        before, self._floor = self._floor, self.level
        yield
        self._floor = before

    def _written(self, type_: str, text: str, level: int) -> Operand:
        lines, known = self._scopes[level]
        found = known.get(text)
        if found is None:
            found = known[text] = Operand(type_, self._name(), level)
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
        x, y = _operand(x), _operand(y)
        if _is_number(x) and _is_number(y):
            return integer(int(x.text) + int(y.text))
        if x.text == "0":
            return y
        if y.text == "0":
            return x
        return self.pure(INTEGER, f"add i64 {x.text}, {y.text}", x, y)

    def multiply(self, x: Operand | int, y: Operand | int) -> Operand:
        """x * y of whole numbers; known ones are multiplied now."""
        x, y = _operand(x), _operand(y)
        if _is_number(x) and _is_number(y):
            return integer(int(x.text) * int(y.text))
        for one, other in ((x, y), (y, x)):
            if one.text == "0":
                return integer(0)
            if one.text == "1":
                return other
        return self.pure(INTEGER, f"mul i64 {x.text}, {y.text}", x, y)

    def minimum(self, x: Operand | int, y: Operand | int) -> Operand:
        """The lesser of two whole numbers."""
        x, y = _operand(x), _operand(y)
        if _is_number(x) and _is_number(y):
            return integer(min(int(x.text), int(y.text)))
        return self.intrinsic("llvm.smin", x, y)

    def maximum(self, x: Operand | int, y: Operand | int) -> Operand:
        """The greater of two whole numbers."""
        x, y = _operand(x), _operand(y)
        if _is_number(x) and _is_number(y):
            return integer(max(int(x.text), int(y.text)))
        return self.intrinsic("llvm.smax", x, y)

    # -- memory ------------------------------------------------------------------------

    def address(self, base: Operand, element: str, place: Operand | int) -> Operand:
        """The address of the element number ``place`` after ``base``."""
        place = _operand(place)
        if place.text == "0":
            return base
        text = f"getelementptr {element}, ptr {base.text}, i64 {place.text}"
        address = self.pure(POINTER, text, base, place)
        self._bases[address.text] = self._base(base)
        return address

    def _base(self, address: Operand) -> str:
        return self._bases.get(address.text, address.text)

    def _note_write(self, address: Operand) -> None:
        self._changed[self._base(address)] = None

    def load(
        self, type_: str, address: Operand, *, alignment: int | None = None, pinned: bool = False
    ) -> Operand:
        """What lies at an address.

        Args:
            type_: of what is loaded.
            address: where.
            alignment: in bytes; None for that of the element.
            pinned: whether it must be loaded here and now: because the memory changes while the
                function runs, or because the address is only good under a condition.
        """
        size = alignment or size_of(split_type(type_)[1])
        text = f"load {type_}, ptr {address.text}, align {size}"
        if not pinned:
            return self.pure(type_, text, address)
        loaded = Operand(type_, self._name(), self.level)
        self.line(f"  {loaded.text} = {text}")
        return loaded

    def ask_for(self, address: Operand) -> None:
        """Have the cache line there brought near; it may lie outside of all arrays."""
        self.module.declarations["declare void @llvm.prefetch.p0(ptr, i32, i32, i32)"] = None
        self.line(f"  call void @llvm.prefetch.p0(ptr {address.text}, i32 0, i32 3, i32 1)")

    def store(self, x: Operand, address: Operand, *, alignment: int | None = None) -> None:
        """Put x at an address, here."""
        size = alignment or size_of(x.element)
        self._note_write(address)
        self.line(f"  store {x.type} {x.text}, ptr {address.text}, align {size}")

    def clear(self, address: Operand, size_bytes: int) -> None:
        """Put zeros at an address, here."""
        name = "@llvm.memset.p0.i64"
        self.module.declarations[f"declare void {name}(ptr, i8, i64, i1)"] = None
        self._note_write(address)
        self.line(f"  call void {name}(ptr {address.text}, i8 0, i64 {size_bytes}, i1 false)")

    def stack(self, element: str, count: int, alignment: int = 64) -> Operand:
        """The address of ``count`` elements that live as long as the function runs."""
        memory = Operand(POINTER, self._name())
        self._on_stack.add(memory.text)
        self._entry.append(f"  {memory.text} = alloca [{count} x {element}], align {alignment}")
        return memory

    def call(self, name: str, *operands: Operand, result: str = "void") -> Operand:
        """Call a function, here; it may write through all addresses that it is given."""
        for operand in operands:
            if operand.type == POINTER:
                self._note_write(operand)
        given = ", ".join(f"{operand.type} {operand.text}" for operand in operands)
        if result == "void":
            self.line(f"  call void @{name}({given})")
            return Operand("void", "")
        returned = Operand(result, self._name(), self.level)
        self.line(f"  {returned.text} = call {result} @{name}({given})")
        return returned

    def effect(self, type_: str, text: str) -> Operand:
        """The result of an instruction with side effects, written here."""
        result = Operand(type_, self._name(), self.level)
        self.line(f"  {result.text} = {text}")
        return result

    def finish(self, result: Operand | None = None) -> None:
        """Return."""
        self.line("  ret void" if result is None else f"  ret {result.type} {result.text}")

    # -- control -----------------------------------------------------------------------

    @contextmanager
    def loop(
        self,
        start: Operand | int,
        stop: Operand | int,
        step: int = 1,
        carried: Sequence[Operand] = (),
    ) -> Iterator[Loop]:
        """Rounds with an index from ``start`` up to, without, ``stop``.

        At least one round is made if both ends are known numbers; otherwise the ends decide.
        """
        start, stop = _operand(start), _operand(stop)
        is_certain = _is_number(start) and _is_number(stop)
        outer, level = self._scopes[-1].lines, len(self._scopes)
        index = Operand(INTEGER, self._name(), level)
        following = self._name()
        loop = Loop(index, [Operand(x.type, self._name(), level) for x in carried])
        self._scopes.append(_Scope([], {}))
        yield loop
        body = self._scopes.pop().lines
        before, head, latch, after = (self._label() for _ in range(4))
        if is_certain:
            outer += [f"  br label %{before}", f"{before}:", f"  br label %{head}"]
        else:
            runs = self._name()
            outer += [
                f"  br label %{before}",
                f"{before}:",
                f"  {runs} = icmp slt i64 {start.text}, {stop.text}",
                f"  br i1 {runs}, label %{head}, label %{after}",
            ]
        outer += [
            f"{head}:",
            f"  {index.text} = phi i64 [{start.text}, %{before}], [{following}, %{latch}]",
        ]
        outer += _phis(loop, carried, before, latch)
        outer += body
        more = self._name()
        outer += [
            f"  br label %{latch}",
            f"{latch}:",
            f"  {following} = add nsw i64 {index.text}, {step}",
            f"  {more} = icmp slt i64 {following}, {stop.text}",
            f"  br i1 {more}, label %{head}, label %{after}",
            f"{after}:",
        ]
        if is_certain:
            loop.results = [_outside(x, level - 1) for x in loop.next]
        else:
            for first, last in zip(carried, loop.next, strict=True):
                result = Operand(first.type, self._name(), level - 1)
                outer.append(
                    f"  {result.text} = phi {first.type} [{first.text}, %{before}], "
                    f"[{last.text}, %{latch}]"
                )
                loop.results.append(result)

    @contextmanager
    def repeat(self, carried: Sequence[Operand] = ()) -> Iterator[Loop]:
        """One round, and another one as long as ``again`` says so."""
        outer, level = self._scopes[-1].lines, len(self._scopes)
        loop = Loop(None, [Operand(x.type, self._name(), level) for x in carried])
        self._scopes.append(_Scope([], {}))
        yield loop
        body = self._scopes.pop().lines
        before, head, latch, after = (self._label() for _ in range(4))
        assert loop.again is not None
        outer += [
            f"  br label %{before}", f"{before}:", f"  br label %{head}", f"{head}:",
            *_phis(loop, carried, before, latch),
            *body,
            f"  br label %{latch}", f"{latch}:",
            f"  br i1 {loop.again.text}, label %{head}, label %{after}", f"{after}:",
        ]  # fmt: skip
        loop.results = [_outside(x, level - 1) for x in loop.next]

    @contextmanager
    def when(self, condition: Operand) -> Iterator[None]:
        """A block that runs only if the condition, an i1, is true."""
        outer = self._scopes[-1].lines
        self._scopes.append(_Scope([], {}))
        yield
        body = self._scopes.pop().lines
        then, after = self._label(), self._label()
        outer += [
            f"  br i1 {condition.text}, label %{then}, label %{after}",
            f"{then}:",
            *body,
            f"  br label %{after}",
            f"{after}:",
        ]


def _operand(x: Operand | int) -> Operand:
    return integer(x) if isinstance(x, int) else x


def _is_number(x: Operand) -> bool:
    return not x.text.startswith("%")


def _outside(x: Operand, level: int) -> Operand:
    """A value of the last round, as what follows the loop knows it."""
    return x if x.level <= level else Operand(x.type, x.text, level)


def _phis(loop: Loop, carried: Sequence[Operand], before: str, latch: str) -> list[str]:
    if len(loop.next) != len(carried):
        raise AssertionError(f"a loop carries {len(carried)} values on, {len(loop.next)} are next")
    return [
        f"  {now.text} = phi {now.type} [{first.text}, %{before}], [{following.text}, %{latch}]"
        for now, first, following in zip(loop.carried, carried, loop.next, strict=True)
    ]
