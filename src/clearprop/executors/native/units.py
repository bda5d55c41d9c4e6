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
from typing import NamedTuple

from clearprop.executors.native.groups import MAPS
from clearprop.executors.native.layouts import BATCH, PART, PLACE, Layout, Name, shape_of
from clearprop.executors.native.telling import NeedsWholeError, Telling, Told
from clearprop.ir.program import Program
from clearprop.ir.value import Equation, Value
from clearprop.primitives.contraction import DOT_GENERAL
from clearprop.primitives.shape import RESHAPE
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
        except NeedsWholeError:
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


class _Writer(Telling):
    """Tells a Program in parts, equation by equation, given how the first inputs are told."""

    def __init__(
        self,
        program: Program,
        carried: int,
        parts: int,
        vector_bytes: int,
        layouts: Mapping[int, Layout],
        whole: Set[Value],
    ) -> None:
        super().__init__(program, parts, layouts)
        self._carried, self._vector_bytes, self._whole = carried, vector_bytes, whole
        self.wishes: dict[Value, Layout] = {}  # of layers for their weights

    def write(self) -> None:
        """Write all equations."""
        for equation in self.program.equations:
            name = equation.primitive.name
            if name == "dot_general":
                self._product(equation)
            elif name == "gather" and self._is_large_batch(equation):
                self._batch(equation)
            elif not any(each in self.layouts for each in equation.inputs):
                self.rewriter.keep(equation)
            elif name in MAPS:
                self._map(equation)
            elif name in _MOVES:
                _MOVES[name](self, equation)
            else:
                raise NeedsWholeError

    def wanted(self) -> dict[int, Layout]:
        """How to tell what is carried, so that it is the same before and after."""
        outputs = self.program.outputs
        if any(value in self.layouts for value in outputs[self._carried :]):
            raise NeedsWholeError
        found: dict[int, Layout] = {}
        for number, before in enumerate(self.program.inputs[: self._carried]):
            known = [self.layouts.get(before), self.layouts.get(outputs[number])]
            known.append(self.wishes.get(before))
            layouts = [each for each in known if each is not None]
            if len({each.own for each in layouts}) > 1:
                raise NeedsWholeError
            if layouts:
                found[number] = _joined(layouts)
        return found

    def finish(self) -> Divided:
        """The Program."""
        before = self.program.inputs[: self._carried]
        outputs = [
            self.told_as(after, self.layouts[each]).value
            if each in self.layouts
            else self.rewriter.new(after)
            for each, after in zip(before, self.program.outputs, strict=False)
        ]
        outputs += map(self.rewriter.new, self.program.outputs[self._carried :])
        layouts = tuple(self.layouts.get(each) for each in before)
        program = Program.under(outputs, self.inputs)
        return Divided(program, layouts, self.in_parts, self.exchanged)

    # -- equations that keep each number ----------------------------------------------------------

    def _map(self, equation: Equation) -> None:
        """Compute number by number, in parts."""
        layout = _joined([self.layouts[each] for each in equation.inputs if each in self.layouts])
        inputs = [self.told_as(each, layout).value for each in equation.inputs]
        new = self.written(equation.primitive, equation, *inputs, **equation.params)
        self.give(equation, new, layout)

    def _broadcast(self, equation: Equation) -> None:
        (x,), new_axes = equation.inputs, equation.params["new_axes"]
        shape = equation.types[0].shape
        kept = [axis for axis in range(len(shape)) if axis not in new_axes]
        layout = self.layouts[x].moved(kept)
        names = layout.names(len(shape))
        new = self.written(
            BROADCAST_TO,
            equation,
            self.rewriter.new(x),
            shape=shape_of(names, shape, self.parts),
            new_axes=tuple(names.index((axis, PLACE)) for axis in new_axes),
        )
        self.give(equation, new, layout)

    def _reshape(self, equation: Equation) -> None:
        """Add axes of length 1, or take them away; or reshape what each of some samples has."""
        (x,), shape = equation.inputs, equation.params["shape"]
        before, after = (
            [axis for axis, size in enumerate(each) if size != 1] for each in (x.shape, shape)
        )
        layout = self.layouts[x]
        if layout != Layout(0) or not shape or shape[0] != x.shape[0]:
            if [x.shape[axis] for axis in before] != [shape[axis] for axis in after]:
                raise NeedsWholeError
            layout = layout.moved(dict(zip(before, after, strict=True)))
        new = self.written(
            RESHAPE, equation, self.rewriter.new(x), shape=layout.shape(shape, self.parts)
        )
        self.give(equation, new, layout)

    def _transpose(self, equation: Equation) -> None:
        (x,), order = equation.inputs, equation.params["order"]
        rank, before = len(order), self.layouts[x]
        layout = before.moved([order.index(axis) for axis in range(rank)])
        names = [(order[axis], kind) for axis, kind in layout.names(rank)]
        told = Told(self.rewriter.new(x), before.names(rank))
        self.give(equation, self.ordered(equation, told, names).value, layout)

    def _reduce(self, equation: Equation) -> None:
        """Reduce over axes; a sum over the units of all parts is made of those of each part."""
        (x,), axes = equation.inputs, equation.params["axes"]
        layout, rank = self.layouts[x], len(x.shape)
        names = layout.names(rank)
        gone = [place for place, (axis, _) in enumerate(names) if axis in axes and place]
        new = self.written(equation.primitive, equation, self.rewriter.new(x), axes=tuple(gone))
        left = self._left(names[1:], axes, rank)
        if layout.own not in axes:
            own = sum(axis not in axes for axis in range(layout.own))
            self.put(equation, Told(new, [(own, PART), *left]))
        elif equation.primitive is REDUCE_SUM:
            self.add_up(equation, Told(new, [BATCH, *left]))
        else:
            raise NeedsWholeError

    def _choose(self, equation: Equation) -> None:
        """Find the place of the greatest or least on an axis that is no axis of parts."""
        (x,), axis = equation.inputs, equation.params["axis"]
        layout, rank = self.layouts[x], len(x.shape)
        names = layout.names(rank)
        if axis == layout.own or axis in layout.paired:
            raise NeedsWholeError
        place = names.index((axis, PLACE))
        new = self.written(equation.primitive, equation, self.rewriter.new(x), axis=place)
        own = layout.own - (axis < layout.own)
        self.put(equation, Told(new, [(own, PART), *self._left(names[1:], (axis,), rank)]))

    @staticmethod
    def _left(names: Sequence[Name], axes: Sequence[int], rank: int) -> list[Name]:
        """What is left of an array's axes where some are gone."""
        kept = [axis for axis in range(rank) if axis not in axes]
        return [(kept.index(axis), kind) for axis, kind in names if axis in kept]

    # -- samples -------------------------------------------------------------------------------

    def _is_large_batch(self, equation: Equation) -> bool:
        """Whether it gathers samples, so many that a part should gather no more than its own."""
        table, rows = equation.inputs
        is_batch = equation.params["axis"] == 0 and len(rows.shape) == 1
        is_learned = table in set(self.program.inputs[: self._carried])
        if not is_batch or is_learned or rows in self.layouts or table in self.layouts:
            return False
        is_even = rows.shape[0] % self.parts == 0
        return is_even and equation.types[0].size_bytes >= _LARGE_BYTES

    def _batch(self, equation: Equation) -> None:
        """Gather samples in parts."""
        table, rows = (self.rewriter.new(each) for each in equation.inputs)
        parts = (self.parts, rows.shape[0] // self.parts)
        rows = self.written(RESHAPE, equation, rows, shape=parts)
        new = self.written(equation.primitive, equation, table, rows, **equation.params)
        self.give(equation, new, Layout(0))

    # -- products ----------------------------------------------------------------------------

    def _product(self, equation: Equation) -> None:
        """A product of which the columns, the rows or the terms are in parts."""
        self._wish(equation)
        inputs, contract = equation.inputs, equation.params["contract"]
        if not any(each in self.layouts for each in inputs):
            self.rewriter.keep(equation)
            return
        if equation.params["batch"][0]:
            raise NeedsWholeError
        pairs = [dict(zip(contract[side], contract[1 - side], strict=True)) for side in range(2)]
        paired = self._paired(inputs, pairs)
        # The right factor's own columns first, then the left one's own rows, then terms.
        owns = [
            (side, self.layouts[inputs[side]].own)
            for side in (1, 0)
            if inputs[side] in self.layouts
        ]
        for side, own in owns:
            if own not in pairs[side]:
                self._with_own(equation, side, own, paired)
                return
        side, own = owns[0]
        own_of = {side: own, 1 - side: pairs[side][own]}
        left, right = (self.tell(inputs[each], own_of[each], paired[each]) for each in range(2))
        self.add_up(equation, self._multiplied(equation, left, right))

    def _paired(
        self, inputs: Sequence[Value], pairs: Sequence[Mapping[int, int]]
    ) -> list[frozenset[int]]:
        """The axes of both factors that are in parts, or that are multiplied with one that is."""
        told = [self.layouts.get(each) for each in inputs]
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
        whole = self.tell(y, None, paired[1 - side])
        if y in self.layouts:
            self.exchange(self.rewriter.new(y))
        spread = self.written(
            BROADCAST_TO,
            equation,
            whole.value,
            shape=(self.parts, *whole.value.shape),
            new_axes=(0,),
        )
        self.in_parts.add(spread)
        told = [Told(spread, [BATCH, *whole.names]), self.tell(x, own, paired[side])]
        result = self._multiplied(equation, told[1 - side], told[side])
        out = self._kept_axes(equation, side)[own]
        self.put(equation, Told(result.value, [(out, PART), *result.names[1:]]))

    def _multiplied(self, equation: Equation, left: Told, right: Told) -> Told:
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
        new = self.written(
            DOT_GENERAL,
            equation,
            left.value,
            right.value,
            contract=(inner[0], inner[1]),
            batch=((0,), (0,)),
        )
        self.in_parts.add(new)
        return Told(new, names)

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
        before, contract = set(self.program.inputs[: self._carried]), equation.params["contract"]
        is_layer = y in before and x not in before and len(y.shape) == 2 and contract[1] == (0,)
        if is_layer and y not in self._whole and self._pays(y):
            self.wishes.setdefault(y, Layout(1))

    def _pays(self, weights: Value) -> bool:
        """Whether a layer's units can be divided, and parts need hardly more vectors."""
        units, lanes = weights.shape[1], self._vector_bytes // weights.dtype.itemsize
        own, rest = divmod(units, self.parts)
        vectors = self.parts * -(-own // lanes)
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
