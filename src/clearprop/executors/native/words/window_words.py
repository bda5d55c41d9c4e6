"""What a window does with each of its elements: the six primitives of sliding windows.

A *state* of one or two vectors goes from tap to tap; in the end it is the result.
"""

from __future__ import annotations

import math

from clearprop.dtypes import DType
from clearprop.executors.native.groups import Read
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Index
from clearprop.executors.native.kernels.elements import Elements
from clearprop.executors.native.kernels.kernel import Compilation
from clearprop.executors.native.kernels.reducers import Reducer
from clearprop.executors.native.llvm.registers import Operand, constant, vector_type
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics.elementwise import WRITERS, element_type
from clearprop.executors.native.words.operands import operand_home
from clearprop.ir.value import Equation

State = list[Operand]


class WindowWord:
    """One of the six primitives, in one kernel.

    Args:
        compilation: knows where the inputs lie.
        elements: the kernel's.
        equation: the primitive and its inputs.

    Attributes:
        name: the primitive.
        homes: of the inputs.
        goes_back: whether it gives the numbers of windows to their elements.
        adds: whether the numbers of all taps are added, the last tap first.
    """

    def __init__(self, compilation: Compilation, elements: Elements, equation: Equation) -> None:
        self.name = equation.primitive.name
        self.f: Function = elements.function
        self._elements, self._inputs = elements, equation.inputs
        self.homes: list[Home] = [operand_home(compilation, value) for value in equation.inputs]
        self.goes_back = self.name in {"window_scatter", "window_spread"}
        self.adds = self.goes_back or self.name == "window_sum"
        self._dtype: DType = equation.inputs[0].dtype
        self.result_dtype: DType = equation.types[0].dtype
        self._number = self._tap_type(math.prod(equation.params["window"]))

    def _tap_type(self, count: int) -> str:
        """Integers for the numbers of taps: as wide as the elements, if that is enough."""
        least = 8
        while count > 1 << (least - 1):
            least *= 2
        other = self._inputs[1].dtype if len(self._inputs) > 1 else self.result_dtype
        wide = other.itemsize if other.kind in "iu" else 1
        return f"i{max(least, 8 * self._dtype.itemsize, 8 * wide)}"

    def sources(self, source: Index, output: Index) -> list[tuple[Home, Index]]:
        """The elements that are read for one tap."""
        if self.name == "window_gather":
            return [(self.homes[0], source), (self.homes[1], output)]
        return [(home, source) for home in self.homes]

    def first(self, place: Operand | int = 0) -> State:
        """The state before the first tap.

        Args:
            place: the number of the first tap that lies on an element.
        """
        lanes = self._elements.lanes.width
        type_ = vector_type(element_type(self._dtype), lanes)
        if self.name == "window_max":
            return [constant(type_, Reducer("reduce_max", self._dtype).neutral)]
        if self.name == "window_argmax":
            neutral = Reducer("argmax", self._dtype).neutral
            return [constant(type_, neutral), self._tap(place)]
        return [constant(type_, 0)]

    def step(self, state: State | None, tap: Operand | int, source: Index, output: Index) -> State:
        """The state after one more tap.

        Args:
            state: before; None before the first one.
            tap: its number.
            source: what it sees.
            output: for which output.
        """
        f, name = self.f, self.name
        x = self._load(0, source)
        if state is None and name in {"window_max", "window_argmax"}:
            return [x] if name == "window_max" else [x, self._tap(tap)]
        if state is None:
            state = self.first()
        if name == "window_max":
            return [WRITERS["maximum"](f, self._dtype, [state[0], x])]
        if name == "window_argmax":
            better = self._beats(x, state[0])
            return [f.select(better, x, state[0]), f.select(better, self._tap(tap), state[1])]
        if name == "window_gather":
            return [f.select(self._is_chosen(tap, output), x, state[0])]
        if name == "window_scatter":
            x = f.select(self._is_chosen(tap, source), x, constant(x.type, 0))
        return [WRITERS["add"](f, self._dtype, [state[0], x])]

    def result(self, state: State) -> Operand:
        """What comes out after the last tap."""
        if self.name != "window_argmax":
            return state[0]
        return self.f.convert("trunc", state[1], element_type(self.result_dtype))

    def _load(self, number: int, index: Index) -> Operand:
        x = self._elements.load(self.homes[number], Read(self._inputs[number], index))
        return self.f.splat(x, self._elements.lanes.width)

    def _tap(self, tap: Operand | int) -> Operand:
        """The number of a tap in every lane."""
        lanes = self._elements.lanes.width
        if isinstance(tap, int):
            return constant(vector_type(self._number, lanes), tap)
        return self.f.splat(self.f.convert("trunc", tap, self._number), lanes)

    def _is_chosen(self, tap: Operand | int, index: Index) -> Operand:
        """In which lanes the numbers that are given name this tap."""
        taps = self._load(1, index)
        word = "sext" if self._inputs[1].dtype.kind == "i" else "zext"
        return self.f.compare("icmp eq", self.f.convert(word, taps, self._number), self._tap(tap))

    def _beats(self, x: Operand, best: Operand) -> Operand:
        """Whether x is greater than what was best so far; the first NaN beats all."""
        if self._dtype.kind == "f":
            more = self.f.compare("fcmp ugt", x, best)
            return self.f.binary("and", more, self.f.compare("fcmp ord", best, best))
        return self.f.compare(f"icmp {'sgt' if self._dtype.kind == 'i' else 'ugt'}", x, best)
