"""The units of dense layers in parts: each thread has weights of its own, and computes their units.

    h = x W    ->    h[part] = x W[part]    for some columns W[part] of W

Every array with such units is told with the number of the part as its first axis, and so is what
is made of it element by element: activations, derivatives, the states of optimizers.  The layer
after it reads the units of all parts; a sum over units is made of one sum for each part:

    x V^T    ->    sum over parts of x[part] V[part]^T

So threads exchange units and these sums, and no gradients of weights.  A large batch is gathered in
parts as well, each with samples of its own; what is computed for each sample is in such parts until
a layer's units are.  What comes out is what the Program gives, up to the order of the terms in the
sums.

Reference:
    Shoeybi et al. (2019), "Megatron-LM", section 3: model parallelism within a layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, NamedTuple

from clearprop.executors.native.groups import MAPS
from clearprop.executors.native.layouts import BATCH, PART, PLACE, Layout, Name, names_of, shape_of
from clearprop.ir.primitive import Primitive
from clearprop.ir.program import Program
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Equation, Value
from clearprop.passes.rewrite import Rewriter, write
from clearprop.primitives.arithmetic import ADD
from clearprop.primitives.contraction import DOT_GENERAL
from clearprop.primitives.shape import RESHAPE, SLICE, TRANSPOSE
from clearprop.primitives.spread import BROADCAST_TO, REDUCE_SUM

_MOST_VECTORS = 1.2  # of parts, for each that all units together need
_LARGE_BYTES = 1 << 17  # of a batch that parts gather together
_MOST_ROUNDS = 12  # until all states of optimizers are known to follow their weights


class Divided(NamedTuple):
    """A Program whose units are in parts.

    Attributes:
        program: with the same inputs and outputs, some of them told in parts.
        layouts: of what a loop carries, the first inputs and outputs; None where it is as it was.
        values: arrays whose first axis is the number of the part.
        exchanged: how many bytes of each array each part reads that others have computed.
    """

    program: Program
    layouts: tuple[Layout | None, ...]
    values: Set[Value]
    exchanged: Mapping[Value, int]


def divided_units(program: Program, carried: int, parts: int, vector_bytes: int) -> Divided | None:
    """The Program with the units of its dense layers in parts.

    Args:
        program: a step that a loop repeats.
        carried: how many of its first outputs are its first inputs in the next step.
        parts: into how many equal parts units are divided.
        vector_bytes: of a register; a layer stays whole where parts would need more of them.

    Returns:
        None if there are no such layers, or if an array would be in parts that something else
        than these sums needs as a whole.
    """
    layouts: dict[int, Layout] = {}
    whole: set[Value] = set()  # weights of layers whose units are not divided
    for _ in range(_MOST_ROUNDS):
        writer = _Writer(program, carried, parts, vector_bytes, layouts, whole)
        try:
            writer.write()
            found = writer.wanted()
        except _NeedsWholeError:
            # Of the last layer all results may be needed, as for a softmax.
            if not writer.wishes:
                return None
            whole.add(list(writer.wishes)[-1])
            layouts = {}
            continue
        if found == layouts:
            return writer.finish() if layouts else None
        layouts = found
    return None


class _NeedsWholeError(Exception):
    """Something needs an array as a whole that is in parts."""


class _Told(NamedTuple):
    """A new value and what its axes are."""

    value: Value
    names: list[Name]


class _Writer:
    """A Program that is being told in parts, given how the first inputs are told."""

    def __init__(
        self,
        program: Program,
        carried: int,
        parts: int,
        vector_bytes: int,
        layouts: Mapping[int, Layout],
        whole: Set[Value],
    ) -> None:
        self._rewriter, self._program, self._carried = Rewriter(program), program, carried
        self._parts, self._vector_bytes, self._whole = parts, vector_bytes, whole
        self._inputs = list(program.inputs)
        self._layouts: dict[Value, Layout] = {}  # of old values
        self.wishes: dict[Value, Layout] = {}  # of layers for their weights
        self._in_parts: set[Value] = set()  # new values
        self._exchanged: dict[Value, int] = {}  # bytes of new values
        self._told: dict[tuple[Value, int | None, frozenset[int]], _Told] = {}
        for number, layout in layouts.items():
            old = program.inputs[number]
            type_ = TensorType(layout.shape(old.shape, parts), old.dtype)
            new = self._inputs[number] = Value(type_, name=old.name)
            self._rewriter.stand_in(old, new)
            self._layouts[old] = layout
            self._in_parts.add(new)

    def write(self) -> None:
        """Write all equations."""
        for equation in self._program.equations:
            name = equation.primitive.name
            if name == "dot_general":
                self._product(equation)
            elif name == "gather" and self._is_large_batch(equation):
                self._batch(equation)
            elif not any(each in self._layouts for each in equation.inputs):
                self._rewriter.keep(equation)
            elif name in MAPS:
                self._map(equation)
            elif name in _MOVES:
                _MOVES[name](self, equation)
            else:
                raise _NeedsWholeError

    def wanted(self) -> dict[int, Layout]:
        """How to tell what is carried, so that it is the same before and after."""
        outputs = self._program.outputs
        if any(value in self._layouts for value in outputs[self._carried :]):
            raise _NeedsWholeError
        found: dict[int, Layout] = {}
        for number, before in enumerate(self._program.inputs[: self._carried]):
            known = [self._layouts.get(before), self._layouts.get(outputs[number])]
            known.append(self.wishes.get(before))
            layouts = [each for each in known if each is not None]
            if len({each.own for each in layouts}) > 1:
                raise _NeedsWholeError
            if layouts:
                found[number] = _joined(layouts)
        return found

    def finish(self) -> Divided:
        """The Program."""
        before = self._program.inputs[: self._carried]
        outputs = [
            self._as(after, self._layouts[each]).value
            if each in self._layouts
            else self._rewriter.new(after)
            for each, after in zip(before, self._program.outputs, strict=False)
        ]
        outputs += map(self._rewriter.new, self._program.outputs[self._carried :])
        layouts = tuple(self._layouts.get(each) for each in before)
        program = Program.under(outputs, self._inputs)
        return Divided(program, layouts, self._in_parts, self._exchanged)

    # -- values ----------------------------------------------------------------------------

    def _write(self, primitive: Primitive, like: Equation, *inputs: Value, **params: Any) -> Value:
        """A new value."""
        type_ = primitive.infer(*(each.type for each in inputs), **params)
        assert isinstance(type_, TensorType)
        (value,) = write(primitive, inputs, params, (type_,), like=like)
        return value

    def _set(self, equation: Equation, new: Value, layout: Layout | None) -> None:
        """Let a new value be what an old equation gives."""
        self._rewriter.replace(equation, (new,))
        (old,) = self._program.results[equation]
        if old is not None and layout is not None:
            self._layouts[old] = layout
            self._in_parts.add(new)

    def _as(self, old: Value, layout: Layout) -> _Told:
        return self._tell(old, layout.own, layout.paired)

    def _tell(self, old: Value, own: int | None, paired: frozenset[int]) -> _Told:
        """An old value with these axes told as two, and the number of the part of one first.

        What is in parts already is told like that, with further axes as two.
        """
        have = self._layouts.get(old)
        if have is not None:
            own = have.own if own is None else own
            paired = paired | have.paired | {have.own}
            if own != have.own:
                self._exchanged[self._rewriter.new(old)] = self._others(old.type.size_bytes)
        key = old, own, paired - {own}
        if key not in self._told:
            self._told[key] = self._view(self._rewriter.new(old), old.shape, have, *key[1:])
        return self._told[key]

    def _view(
        self,
        new: Value,
        shape: Shape,
        have: Layout | None,
        own: int | None,
        paired: frozenset[int | None],
    ) -> _Told:
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
        wanted = shape_of(before, shape, self._parts)
        if new.shape != wanted:
            new = self._write(RESHAPE, like, new, shape=wanted)
        told = self._ordered(like, _Told(new, before), names)
        if own is not None:
            self._in_parts.add(told.value)
        return told

    def _ordered(self, like: Equation, told: _Told, names: list[Name]) -> _Told:
        """The same with its axes in another order."""
        if told.names == names:
            return told
        order = tuple(map(told.names.index, names))
        return _Told(self._write(TRANSPOSE, like, told.value, order=order), names)

    def _others(self, size_bytes: int) -> int:
        """How much of an array is in the other parts."""
        return size_bytes - size_bytes // self._parts

    # -- equations that keep each number ----------------------------------------------------------

    def _map(self, equation: Equation) -> None:
        """Compute number by number, in parts."""
        layout = _joined([self._layouts[each] for each in equation.inputs if each in self._layouts])
        inputs = [self._as(each, layout).value for each in equation.inputs]
        new = self._write(equation.primitive, equation, *inputs, **equation.params)
        self._set(equation, new, layout)

    def _broadcast(self, equation: Equation) -> None:
        (x,), new_axes = equation.inputs, equation.params["new_axes"]
        shape = equation.types[0].shape
        kept = [axis for axis in range(len(shape)) if axis not in new_axes]
        layout = self._layouts[x].moved(kept)
        names = layout.names(len(shape))
        new = self._write(
            BROADCAST_TO,
            equation,
            self._rewriter.new(x),
            shape=shape_of(names, shape, self._parts),
            new_axes=tuple(names.index((axis, PLACE)) for axis in new_axes),
        )
        self._set(equation, new, layout)

    def _reshape(self, equation: Equation) -> None:
        """Add axes of length 1, or take them away; or reshape what each of some samples has."""
        (x,), shape = equation.inputs, equation.params["shape"]
        before, after = (
            [axis for axis, size in enumerate(each) if size != 1] for each in (x.shape, shape)
        )
        layout = self._layouts[x]
        if layout != Layout(0) or not shape or shape[0] != x.shape[0]:
            if [x.shape[axis] for axis in before] != [shape[axis] for axis in after]:
                raise _NeedsWholeError
            layout = layout.moved(dict(zip(before, after, strict=True)))
        new = self._write(
            RESHAPE, equation, self._rewriter.new(x), shape=layout.shape(shape, self._parts)
        )
        self._set(equation, new, layout)

    def _transpose(self, equation: Equation) -> None:
        (x,), order = equation.inputs, equation.params["order"]
        rank, before = len(order), self._layouts[x]
        layout = before.moved([order.index(axis) for axis in range(rank)])
        names = [(order[axis], kind) for axis, kind in layout.names(rank)]
        told = _Told(self._rewriter.new(x), before.names(rank))
        self._set(equation, self._ordered(equation, told, names).value, layout)

    def _reduce(self, equation: Equation) -> None:
        """Reduce over axes; a sum over the units of all parts is made of those of each part."""
        (x,), axes = equation.inputs, equation.params["axes"]
        layout, rank = self._layouts[x], len(x.shape)
        names = layout.names(rank)
        gone = [place for place, (axis, _) in enumerate(names) if axis in axes and place]
        new = self._write(equation.primitive, equation, self._rewriter.new(x), axes=tuple(gone))
        left = self._left(names[1:], axes, rank)
        if layout.own not in axes:
            own = sum(axis not in axes for axis in range(layout.own))
            self._put(equation, _Told(new, [(own, PART), *left]))
        elif equation.primitive is REDUCE_SUM:
            self._add_up(equation, _Told(new, [BATCH, *left]))
        else:
            raise _NeedsWholeError

    def _choose(self, equation: Equation) -> None:
        """Find the place of the greatest or least on an axis that is no axis of parts."""
        (x,), axis = equation.inputs, equation.params["axis"]
        layout, rank = self._layouts[x], len(x.shape)
        names = layout.names(rank)
        if axis == layout.own or axis in layout.paired:
            raise _NeedsWholeError
        place = names.index((axis, PLACE))
        new = self._write(equation.primitive, equation, self._rewriter.new(x), axis=place)
        own = layout.own - (axis < layout.own)
        self._put(equation, _Told(new, [(own, PART), *self._left(names[1:], (axis,), rank)]))

    @staticmethod
    def _left(names: Sequence[Name], axes: Sequence[int], rank: int) -> list[Name]:
        """What is left of an array's axes where some are gone."""
        kept = [axis for axis in range(rank) if axis not in axes]
        return [(kept.index(axis), kind) for axis, kind in names if axis in kept]

    def _put(self, equation: Equation, told: _Told) -> None:
        """Let a new value in parts, its own axis first, be what an old equation gives."""
        own = told.names[0][0]
        paired = frozenset(axis for axis, kind in told.names[1:] if kind == PART)
        layout = Layout(own, paired)
        names = layout.names(len(equation.types[0].shape))
        self._set(equation, self._ordered(equation, told, names).value, layout)

    def _add_up(self, equation: Equation, told: _Told) -> None:
        """Let the sum of what each part gives be what an old equation gives."""
        parts, names = told.value, told.names[1:]
        self._in_parts.add(parts)
        divided = [axis for axis, kind in names if kind == PART]
        theirs = self._others(parts.type.size_bytes)
        self._exchanged[parts] = theirs // self._parts if divided else theirs
        total: Value | None = None
        for number in range(self._parts):
            starts, stops = (number, *(0 for _ in names)), (number + 1, *parts.shape[1:])
            one = self._write(
                SLICE, equation, parts, starts=starts, stops=stops, strides=(1,) * len(stops)
            )
            part = _Told(self._write(RESHAPE, equation, one, shape=parts.shape[1:]), names)
            if divided:
                own = (divided[-1], PART)
                part = self._ordered(equation, part, [own, *(n for n in names if n != own)])
            total = part.value if total is None else self._write(ADD, equation, total, part.value)
        assert total is not None
        if divided:
            self._put(equation, _Told(total, part.names))
        else:
            self._set(equation, total, None)

    # -- samples -------------------------------------------------------------------------------

    def _is_large_batch(self, equation: Equation) -> bool:
        """Whether it gathers samples, so many that a part should gather no more than its own."""
        table, rows = equation.inputs
        is_batch = equation.params["axis"] == 0 and len(rows.shape) == 1
        is_learned = table in set(self._program.inputs[: self._carried])
        if not is_batch or is_learned or rows in self._layouts or table in self._layouts:
            return False
        is_even = rows.shape[0] % self._parts == 0
        return is_even and equation.types[0].size_bytes >= _LARGE_BYTES

    def _batch(self, equation: Equation) -> None:
        """Gather samples in parts."""
        table, rows = (self._rewriter.new(each) for each in equation.inputs)
        parts = (self._parts, rows.shape[0] // self._parts)
        rows = self._write(RESHAPE, equation, rows, shape=parts)
        new = self._write(equation.primitive, equation, table, rows, **equation.params)
        self._set(equation, new, Layout(0))

    # -- products ----------------------------------------------------------------------------

    def _product(self, equation: Equation) -> None:
        """A product of which the columns, the rows or the terms are in parts."""
        self._wish(equation)
        inputs, contract = equation.inputs, equation.params["contract"]
        if not any(each in self._layouts for each in inputs):
            self._rewriter.keep(equation)
            return
        if equation.params["batch"][0]:
            raise _NeedsWholeError
        pairs = [dict(zip(contract[side], contract[1 - side], strict=True)) for side in range(2)]
        paired = self._paired(inputs, pairs)
        # The right factor's own columns first, then the left one's own rows, then terms.
        owns = [
            (side, self._layouts[inputs[side]].own)
            for side in (1, 0)
            if inputs[side] in self._layouts
        ]
        for side, own in owns:
            if own not in pairs[side]:
                self._with_own(equation, side, own, paired)
                return
        side, own = owns[0]
        own_of = {side: own, 1 - side: pairs[side][own]}
        left, right = (self._tell(inputs[each], own_of[each], paired[each]) for each in range(2))
        self._add_up(equation, self._multiplied(equation, left, right))

    def _paired(
        self, inputs: Sequence[Value], pairs: Sequence[Mapping[int, int]]
    ) -> list[frozenset[int]]:
        """The axes of both factors that are in parts, or that are multiplied with one that is."""
        told = [self._layouts.get(each) for each in inputs]
        divided = [{each.own, *each.paired} if each else set[int]() for each in told]
        return [
            frozenset(divided[side] | {a for a, b in pairs[side].items() if b in divided[1 - side]})
            for side in range(2)
        ]

    def _with_own(
        self, equation: Equation, side: int, own: int, paired: Sequence[frozenset[int]]
    ) -> None:
        """A product of which one factor has columns or rows in parts; all parts read the other.

        Args:
            equation: the product.
            side: which factor that is.
            own: its axis.
            paired: axes of both factors that are told as two.
        """
        x, y = equation.inputs[side], equation.inputs[1 - side]
        whole = self._tell(y, None, paired[1 - side])
        if y in self._layouts:
            self._exchanged[self._rewriter.new(y)] = self._others(y.type.size_bytes)
        spread = self._write(
            BROADCAST_TO,
            equation,
            whole.value,
            shape=(self._parts, *whole.value.shape),
            new_axes=(0,),
        )
        self._in_parts.add(spread)
        told = [_Told(spread, [BATCH, *whole.names]), self._tell(x, own, paired[side])]
        result = self._multiplied(equation, told[1 - side], told[side])
        out = self._kept_axes(equation, side)[own]
        self._put(equation, _Told(result.value, [(out, PART), *result.names[1:]]))

    def _multiplied(self, equation: Equation, left: _Told, right: _Told) -> _Told:
        """The product for each part, whose number is the first axis of both."""
        contract = equation.params["contract"]
        inner: list[tuple[int, ...]] = []
        names: list[Name] = [BATCH]
        for side, told in enumerate((left, right)):
            axes, own = contract[side], told.names[1:]
            gone = [(a, kind) for a in axes for kind in (PART, PLACE) if (a, kind) in own]
            inner.append(tuple(1 + own.index(name) for name in gone))
            out = self._kept_axes(equation, side)
            names += [(out[axis], kind) for axis, kind in own if axis not in axes]
        new = self._write(
            DOT_GENERAL,
            equation,
            left.value,
            right.value,
            contract=(inner[0], inner[1]),
            batch=((0,), (0,)),
        )
        self._in_parts.add(new)
        return _Told(new, names)

    def _kept_axes(self, equation: Equation, side: int) -> dict[int, int]:
        """Where the axes of a factor that are not summed over are in the product."""
        free = [
            (each, axis)
            for each, value in enumerate(equation.inputs)
            for axis in range(len(value.shape))
            if axis not in equation.params["contract"][each]
        ]
        return {axis: place for place, (each, axis) in enumerate(free) if each == side}

    def _wish(self, equation: Equation) -> None:
        """Note how a layer would like its weights, if its units can be divided."""
        x, y = equation.inputs
        before, contract = set(self._program.inputs[: self._carried]), equation.params["contract"]
        is_layer = y in before and x not in before and len(y.shape) == 2 and contract[1] == (0,)
        if is_layer and y not in self._whole and self._pays(y):
            self.wishes.setdefault(y, Layout(1))

    def _pays(self, weights: Value) -> bool:
        """Whether a layer's units can be divided, and parts need hardly more vectors."""
        units, lanes = weights.shape[1], self._vector_bytes // weights.dtype.itemsize
        own, rest = divmod(units, self._parts)
        vectors = self._parts * -(-own // lanes)
        return rest == 0 and own > 0 and vectors <= _MOST_VECTORS * -(-units // lanes)


_MOVES = {
    "broadcast_to": _Writer._broadcast,
    "reshape": _Writer._reshape,
    "transpose": _Writer._transpose,
    "reduce_sum": _Writer._reduce,
    "reduce_max": _Writer._reduce,
    "reduce_min": _Writer._reduce,
    "reduce_prod": _Writer._reduce,
    "argmax": _Writer._choose,
    "argmin": _Writer._choose,
}


def _joined(layouts: Sequence[Layout]) -> Layout:
    """What tells as two whatever one of these does; units are rather apart than samples."""
    own = max(each.own for each in layouts)
    divided = {axis for each in layouts for axis in (each.own, *each.paired)}
    return Layout(own, frozenset(divided - {own}))
