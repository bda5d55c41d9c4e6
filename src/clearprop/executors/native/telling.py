"""A Program that is being told in parts: its new values, and the same ones told otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from clearprop.executors.native.layouts import PART, Layout, Name, names_of, shape_of
from clearprop.ir.primitive import Primitive
from clearprop.ir.program import Program
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Equation, Value
from clearprop.passes.rewrite import Rewriter, write
from clearprop.primitives.arithmetic import ADD
from clearprop.primitives.shape import RESHAPE, SLICE, TRANSPOSE


class NeedsWholeError(Exception):
    """Something needs an array as a whole that is in parts."""


class Told(NamedTuple):
    """A new value and what its axes are."""

    value: Value
    names: list[Name]


class Telling:
    """A Program that is being told in parts.

    Args:
        program: as it was.
        parts: how many there are.
        layouts: how inputs are told, by their numbers.

    Attributes:
        inputs: of the new Program.
        layouts: how old values are told that are in parts.
        in_parts: new values whose first axis is the number of the part.
        exchanged: how many bytes of new values each part reads that others have computed.
    """

    def __init__(self, program: Program, parts: int, layouts: Mapping[int, Layout]) -> None:
        self.rewriter, self.program, self.parts = Rewriter(program), program, parts
        self.inputs = list(program.inputs)
        self.layouts: dict[Value, Layout] = {}
        self.in_parts: set[Value] = set()
        self.exchanged: dict[Value, int] = {}
        self._told: dict[tuple[Value, int | None, frozenset[int]], Told] = {}
        for number, layout in layouts.items():
            old = program.inputs[number]
            type_ = TensorType(layout.shape(old.shape, parts), old.dtype)
            new = self.inputs[number] = Value(type_, name=old.name)
            self.rewriter.stand_in(old, new)
            self.layouts[old] = layout
            self.in_parts.add(new)

    def written(self, primitive: Primitive, like: Equation, *inputs: Value, **params: Any) -> Value:
        """A new value."""
        type_ = primitive.infer(*(each.type for each in inputs), **params)
        assert isinstance(type_, TensorType)
        (value,) = write(primitive, inputs, params, (type_,), like=like)
        return value

    def give(self, equation: Equation, new: Value, layout: Layout | None) -> None:
        """Let a new value be what an old equation gives."""
        self.rewriter.replace(equation, (new,))
        (old,) = self.program.results[equation]
        if old is not None and layout is not None:
            self.layouts[old] = layout
            self.in_parts.add(new)

    def told_as(self, old: Value, layout: Layout) -> Told:
        """An old value told as a layout says."""
        return self.tell(old, layout.own, layout.paired)

    def tell(self, old: Value, own: int | None, paired: frozenset[int]) -> Told:
        """An old value with these axes told as two, and the number of the part of one first.

        What is in parts already is told like that, with further axes as two.
        """
        have = self.layouts.get(old)
        if have is not None:
            own = have.own if own is None else own
            paired = paired | have.paired | {have.own}
            if own != have.own:
                self.exchange(self.rewriter.new(old))
        key = old, own, paired - {own}
        if key not in self._told:
            self._told[key] = self._view(self.rewriter.new(old), old.shape, have, *key[1:])
        return self._told[key]

    def _view(
        self,
        new: Value,
        shape: Shape,
        have: Layout | None,
        own: int | None,
        paired: frozenset[int | None],
    ) -> Told:
        """A new value of an array of this shape told otherwise."""
        rank, axes = len(shape), frozenset(axis for axis in paired if axis is not None)
        every = axes if own is None else axes | {own}
        beside = names_of(rank, every)
        names = beside if own is None else Layout(own, axes).names(rank)
        # The number of a part stands beside the place first, but for that which is first already.
        before = beside
        if have is not None:
            before = Layout(have.own, every - {have.own}).names(rank)
        like = new.equation or Equation(RESHAPE, (new,), {}, (new.type,))
        wanted = shape_of(before, shape, self.parts)
        if new.shape != wanted:
            new = self.written(RESHAPE, like, new, shape=wanted)
        told = self.ordered(like, Told(new, before), names)
        if own is not None:
            self.in_parts.add(told.value)
        return told

    def ordered(self, like: Equation, told: Told, names: list[Name]) -> Told:
        """The same with its axes in another order."""
        if told.names == names:
            return told
        order = tuple(map(told.names.index, names))
        return Told(self.written(TRANSPOSE, like, told.value, order=order), names)

    def exchange(self, new: Value, count: int = 1) -> None:
        """Note that each part reads what others have computed of a value, or a part of that.

        Args:
            new: the value.
            count: into how many parts what it reads is divided.
        """
        size = new.type.size_bytes
        self.exchanged[new] = (size - size // self.parts) // count

    def put(self, equation: Equation, told: Told) -> None:
        """Let a new value in parts, its own axis first, be what an old equation gives."""
        own = told.names[0][0]
        paired = frozenset(axis for axis, kind in told.names[1:] if kind == PART)
        layout = Layout(own, paired)
        names = layout.names(len(equation.types[0].shape))
        self.give(equation, self.ordered(equation, told, names).value, layout)

    def add_up(self, equation: Equation, told: Told) -> None:
        """Let the sum of what each part gives be what an old equation gives."""
        parts, names = told.value, told.names[1:]
        self.in_parts.add(parts)
        divided = [axis for axis, kind in names if kind == PART]
        self.exchange(parts, self.parts if divided else 1)
        total: Value | None = None
        for number in range(self.parts):
            starts, stops = (number, *(0 for _ in names)), (number + 1, *parts.shape[1:])
            one = self.written(
                SLICE, equation, parts, starts=starts, stops=stops, strides=(1,) * len(stops)
            )
            part = Told(self.written(RESHAPE, equation, one, shape=parts.shape[1:]), names)
            if divided:
                own = (divided[-1], PART)
                part = self.ordered(equation, part, [own, *(n for n in names if n != own)])
            total = part.value if total is None else self.written(ADD, equation, total, part.value)
        assert total is not None
        if divided:
            self.put(equation, Told(total, part.names))
        else:
            self.give(equation, total, None)
