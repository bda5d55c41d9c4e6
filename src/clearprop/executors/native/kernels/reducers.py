"""How many numbers become one: sums, products, extremes, and where the extremes are.

A reduction keeps a *state*: vectors that each take in every so-manieth element.  In the end its
lanes are brought together in halves, in one fixed order, so that a sum is the same every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clearprop.dtypes import BOOL, I64, DType
from clearprop.executors.native.llvm.registers import Operand, constant, vector_type
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics.elementwise import WRITERS, element_type
from clearprop.ir.value import Equation

State = list[Operand]
_NARROW_BYTES, _MOST_NARROW = 4, 1 << 31  # places that 32 bits can count
_WORDS = {
    "reduce_sum": "add",
    "reduce_prod": "multiply",
    "reduce_max": "maximum",
    "reduce_min": "minimum",
}


@dataclass(frozen=True)
class Reducer:
    """One way of making one number of many.

    Attributes:
        name: the primitive.
        dtype: of the numbers that go in.
        place_element: the type that places are counted in.
    """

    name: str
    dtype: DType
    place_element: str = "i64"

    @property
    def tells_place(self) -> bool:
        """Whether the result is where the number is, not the number itself."""
        return self.name in {"argmax", "argmin"}

    @property
    def neutral(self) -> float | int:
        """The number that changes nothing."""
        if self.name == "reduce_sum":
            return 0
        if self.name == "reduce_prod":
            return 1
        is_greatest = self.name in {"reduce_max", "argmax"}
        if self.dtype.kind == "f":
            return -np.inf if is_greatest else np.inf
        if self.dtype == BOOL:
            return 0 if is_greatest else 1
        limits = np.iinfo(self.dtype)
        return int(limits.min) if is_greatest else int(limits.max)

    def first(self, lanes: int) -> State:
        """The state before the first number."""
        state = [constant(vector_type(element_type(self.dtype), lanes), self.neutral)]
        if self.tells_place:
            state.append(constant(vector_type(self.place_element, lanes), 0))
        return state

    def step(self, f: Function, state: State, x: Operand, place: Operand | None) -> State:
        """The state after one more number in each lane.

        Args:
            f: the kernel.
            state: before.
            x: the numbers.
            place: where each of them is, for those that tell places.
        """
        if not self.tells_place:
            return [WRITERS[_WORDS[self.name]](f, self.dtype, [state[0], x])]
        assert place is not None
        better = self._beats(f, x, state[0])
        return [f.select(better, x, state[0]), f.select(better, place, state[1])]

    def merge(self, f: Function, state: State, other: State) -> State:
        """The state that has seen what both have."""
        if not self.tells_place:
            return [WRITERS[_WORDS[self.name]](f, self.dtype, [state[0], other[0]])]
        better = self._beats(f, other[0], state[0])
        worse = self._beats(f, state[0], other[0])
        earlier = f.compare("icmp slt", other[1], state[1])
        neither = f.binary("and", f.binary("xor", worse, _true(worse)), earlier)
        chosen = f.binary("or", better, neither)
        return [f.select(chosen, new, old) for new, old in zip(other, state, strict=True)]

    def _beats(self, f: Function, x: Operand, y: Operand) -> Operand:
        """Whether x comes before y: greater (or less), or the first NaN."""
        is_greatest = self.name in {"reduce_max", "argmax"}
        if self.dtype.kind == "f":
            more_or_broken = f.compare("fcmp ugt" if is_greatest else "fcmp ult", x, y)
            return f.binary("and", more_or_broken, f.compare("fcmp ord", y, y))
        sign = "s" if self.dtype.kind == "i" else "u"
        return f.compare(f"icmp {sign}{'gt' if is_greatest else 'lt'}", x, y)

    def only(self, f: Function, x: Operand, count: int) -> Operand:
        """x with the lanes from ``count`` on made neutral."""
        if count == x.lanes:
            return x
        fill = constant(x.type, self.neutral)
        return f.shuffle(x, fill, [*range(count), *range(x.lanes + count, 2 * x.lanes)])

    def across(self, f: Function, state: State) -> State:
        """One number of the state's lanes, halves upon halves."""
        while (lanes := state[0].lanes) > 1:
            half = lanes // 2
            low = [f.shuffle(x, None, range(half)) if half > 1 else f.lane(x, 0) for x in state]
            high = [
                f.shuffle(x, None, range(half, lanes)) if half > 1 else f.lane(x, 1) for x in state
            ]
            state = self.merge(f, low, high)
        return state

    def result(self, f: Function, state: State) -> Operand:
        """What the reduction gives."""
        return f.convert("sext", state[1], "i64") if self.tells_place else state[0]

    @property
    def result_dtype(self) -> DType:
        """Its element type."""
        return I64 if self.tells_place else self.dtype


def _true(like: Operand) -> Operand:
    return constant(like.type, 1)


def reducer_of(equation: Equation, count: int = 0) -> Reducer:
    """How a reduction brings numbers together.

    Args:
        equation: the reduction.
        count: of how many numbers, if places among them are to be counted in as narrow vectors as
            the numbers stand in.
    """
    name, dtype = equation.primitive.name, equation.inputs[0].dtype
    is_narrow = dtype.itemsize <= _NARROW_BYTES and 0 < count <= _MOST_NARROW
    return Reducer(name, dtype, "i32" if is_narrow else "i64")


def merged(f: Function, reducer: Reducer, states: Sequence[State]) -> State:
    """One state of several, neighbours first."""
    states = list(states)
    while len(states) > 1:
        pairs = [states[at : at + 2] for at in range(0, len(states), 2)]
        states = [pair[0] if len(pair) == 1 else reducer.merge(f, *pair) for pair in pairs]
    return states[0]
