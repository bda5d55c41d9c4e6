"""Writing LLVM IR: one function at a time, as text, with loops as ``with`` blocks.

What has side effects is written where it is asked for; ``arithmetic`` is written where it belongs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from clearprop.executors.native.llvm.arithmetic import (
    Arithmetic,
    Counter,
    Scope,
    as_operand,
    is_number,
)
from clearprop.executors.native.llvm.module import Module
from clearprop.executors.native.llvm.registers import (
    INTEGER,
    POINTER,
    Operand,
    constant,
    size_of,
    split_type,
    suffix,
    vector_type,
)


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


class Function(Arithmetic):
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
        super().__init__(module)
        self.parameters = [Operand(type_, f"%{name}") for type_, name in parameters]
        self._result, self._exported, self._inline = result, exported, inline
        self._entry: list[str] = []  # memory on the stack
        self._bases: dict[str, str] = {}  # for each address what it was counted from
        self._open: list[Counter] = []
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
        return "\n".join([head, *self._entry, *self.scopes[0].lines, "}\n"])

    # -- memory ------------------------------------------------------------------------

    def address(self, base: Operand, element: str, place: Operand | int) -> Operand:
        """The address of the element number ``place`` after ``base``."""
        place = as_operand(place)
        if place.text == "0":
            return base
        if place.text in self.sums:  # the processor adds known numbers for nothing
            inner, number = self.sums[place.text]
            return self.address(self.address(base, element, inner), element, number)
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
        loaded = Operand(type_, self.new_name(), self.level)
        self.line(f"  {loaded.text} = {text}")
        return loaded

    def load_first(
        self, element: str, address: Operand, count: int, lanes: int, *, pinned: bool = False
    ) -> Operand:
        """The first ``count`` numbers of a vector from an address, and zeros in its other lanes.

        Args:
            element: type of the numbers.
            address: where.
            count: how many there are; nothing else is read.
            lanes: of the vector.
            pinned: see ``load``.
        """
        if not self.module.masks_loads(element, count):
            x = self.load(vector_type(element, count), address, pinned=pinned)
            return self.widen(x, lanes)
        type_ = vector_type(element, lanes)
        mask, zero = _mask(count, lanes), constant(type_, 0)
        name = f"@llvm.masked.load.{suffix(type_)}.p0"
        self.module.declarations[f"declare {type_} {name}(ptr, {mask.type}, {type_})"] = None
        text = (
            f"call {type_} {name}(ptr align {size_of(element)} {address.text}, "
            f"{mask.type} {mask.text}, {type_} {zero.text})"
        )
        return self.effect(type_, text) if pinned else self.pure(type_, text, address)

    def store_first(self, x: Operand, address: Operand, count: int) -> None:
        """Put the first ``count`` numbers of a vector at an address, here."""
        if not self.module.masks_stores(x.element, count):
            self.store(self.narrow(x, count), address)
            return
        mask = _mask(count, x.lanes)
        name = f"@llvm.masked.store.{suffix(x.type)}.p0"
        self.module.declarations[f"declare void {name}({x.type}, ptr, {mask.type})"] = None
        self._note_write(address)
        self.line(
            f"  call void {name}({x.type} {x.text}, ptr align {size_of(x.element)} {address.text}, "
            f"{mask.type} {mask.text})"
        )

    def ask_for(self, address: Operand, *, to_write: bool = False) -> None:
        """Have the cache line there brought near; it may lie outside of all arrays."""
        self.module.declarations["declare void @llvm.prefetch.p0(ptr, i32, i32, i32)"] = None
        given = f"ptr {address.text}, i32 {int(to_write)}, i32 3, i32 1"
        self.line(f"  call void @llvm.prefetch.p0({given})")

    def store(self, x: Operand, address: Operand, *, alignment: int | None = None) -> None:
        """Put x at an address, here."""
        size = alignment or size_of(x.element)
        self._note_write(address)
        self.line(f"  store {x.type} {x.text}, ptr {address.text}, align {size}")

    def store_past(self, x: Operand, address: Operand) -> None:
        """Put a vector, at an address that is a multiple of its size, into memory past the caches.

        Others see it after a fence.
        """
        self.module.stores_past = True
        self._note_write(address)
        size = x.lanes * size_of(x.element)
        given = f"{x.type} {x.text}, ptr {address.text}, align {size}"
        self.line(f"  store {given}, !nontemporal !{{i32 1}}")

    def clear(self, address: Operand, size_bytes: int) -> None:
        """Put zeros at an address, here."""
        name = "@llvm.memset.p0.i64"
        self.module.declarations[f"declare void {name}(ptr, i8, i64, i1)"] = None
        self._note_write(address)
        self.line(f"  call void {name}(ptr {address.text}, i8 0, i64 {size_bytes}, i1 false)")

    def copy(self, target: Operand, source: Operand, size_bytes: int) -> None:
        """Let some bytes be what others are, which lie elsewhere."""
        name = "@llvm.memcpy.p0.p0.i64"
        self.module.declarations[f"declare void {name}(ptr, ptr, i64, i1)"] = None
        self._note_write(target)
        self.line(
            f"  call void {name}(ptr {target.text}, ptr {source.text}, i64 {size_bytes}, i1 0)"
        )

    def stack(self, element: str, count: int, alignment: int = 64) -> Operand:
        """The address of ``count`` elements that live as long as the function runs."""
        memory = Operand(POINTER, self.new_name())
        self._on_stack.add(memory.text)
        self._entry.append(f"  {memory.text} = alloca [{count} x {element}], align {alignment}")
        return memory

    def call(
        self,
        name: str,
        *operands: Operand,
        result: str = "void",
        read: Sequence[Operand] = (),
    ) -> Operand:
        """Call a function, here.

        Args:
            name: of the function.
            operands: what it is given.
            result: type of what it returns.
            read: addresses that it only reads from; it may write through all others.
        """
        for operand in operands:
            if operand.type == POINTER and operand not in read:
                self._note_write(operand)
        given = ", ".join(f"{operand.type} {operand.text}" for operand in operands)
        if result == "void":
            self.line(f"  call void @{name}({given})")
            return Operand("void", "")
        returned = Operand(result, self.new_name(), self.level)
        self.line(f"  {returned.text} = call {result} @{name}({given})")
        return returned

    def effect(self, type_: str, text: str) -> Operand:
        """The result of an instruction with side effects, written here."""
        result = Operand(type_, self.new_name(), self.level)
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
        start, stop = as_operand(start), as_operand(stop)
        is_certain = is_number(start) and is_number(stop)
        outer, level = self.scopes[-1].lines, len(self.scopes)
        index = Operand(INTEGER, self.new_name(), level)
        following = self.new_name()
        loop = Loop(index, [Operand(x.type, self.new_name(), level) for x in carried])
        counter = self.counters[index.text] = Counter(level)
        with self._body(counter) as body:
            yield loop
        before, head, latch, after = (self.new_label() for _ in range(4))
        products, steps = self._products(counter, index, (start, before), (step, latch))
        if is_certain:
            outer += [f"  br label %{before}", f"{before}:", f"  br label %{head}"]
        else:
            runs = self.new_name()
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
        outer += products
        outer += body
        more = self.new_name()
        outer += [
            f"  br label %{latch}",
            f"{latch}:",
            *steps,
            f"  {following} = add nsw i64 {index.text}, {step}",
            f"  {more} = icmp slt i64 {following}, {stop.text}",
            f"  br i1 {more}, label %{head}, label %{after}",
            f"{after}:",
        ]
        if is_certain:
            loop.results = [_outside(x, level - 1) for x in loop.next]
        else:
            for first, last in zip(carried, loop.next, strict=True):
                result = Operand(first.type, self.new_name(), level - 1)
                outer.append(
                    f"  {result.text} = phi {first.type} [{first.text}, %{before}], "
                    f"[{last.text}, %{latch}]"
                )
                loop.results.append(result)

    @contextmanager
    def _body(self, counter: Counter) -> Iterator[list[str]]:
        """What is written in a loop."""
        for around in self._open:
            around.is_innermost = False
        self._open.append(counter)
        scope = Scope([], {})
        self.scopes.append(scope)
        yield scope.lines
        self.scopes.pop()
        self._open.pop()

    def _products(
        self,
        counter: Counter,
        index: Operand,
        start: tuple[Operand, str],
        step: tuple[int, str],
    ) -> tuple[list[str], list[str]]:
        """What an index is multiplied by: the lines at the beginning of a round, and at its end.

        In an innermost loop a product is counted on as the index itself is.  (LLVM could do that
        as well, and chooses better among many addresses, but takes half of its time for it.)

        Args:
            counter: knows the products.
            index: of the loop.
            start: the first index, and the block before the loop.
            step: from one to the next, and the block at the end of a round.
        """
        head, end = [], []
        for factor, product in counter.products.items():
            if not counter.is_innermost:
                head.append(f"  {product.text} = mul i64 {index.text}, {factor}")
                continue
            first, following = self.multiply(start[0], factor), self.new_name()
            head.append(
                f"  {product.text} = phi i64 [{first.text}, %{start[1]}], [{following}, %{step[1]}]"
            )
            end.append(f"  {following} = add nsw i64 {product.text}, {step[0] * factor}")
        return head, end

    @contextmanager
    def repeat(self, carried: Sequence[Operand] = ()) -> Iterator[Loop]:
        """One round, and another one as long as ``again`` says so."""
        outer, level = self.scopes[-1].lines, len(self.scopes)
        loop = Loop(None, [Operand(x.type, self.new_name(), level) for x in carried])
        with self._body(Counter(level)) as body:
            yield loop
        before, head, latch, after = (self.new_label() for _ in range(4))
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
        outer = self.scopes[-1].lines
        self.scopes.append(Scope([], {}))
        yield
        body = self.scopes.pop().lines
        then, after = self.new_label(), self.new_label()
        outer += [
            f"  br i1 {condition.text}, label %{then}, label %{after}",
            f"{then}:",
            *body,
            f"  br label %{after}",
            f"{after}:",
        ]


def _mask(count: int, lanes: int) -> Operand:
    """True in the first lanes."""
    bits = ", ".join(f"i1 {'true' if lane < count else 'false'}" for lane in range(lanes))
    return Operand(vector_type("i1", lanes), f"<{bits}>")


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
