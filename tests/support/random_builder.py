"""A random Program in the making: values to choose from, and the equations written so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clearprop.dtypes import I64, DType
from clearprop.ir.meaning import run_equation
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.program import Program
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array, Equation, Value
from tests.support.random_classes import EXACT, is_smooth_at, reads_exact_numbers_only
from tests.support.random_numbers import (
    chance,
    odd_array,
    random_dtype,
    random_shape,
    spread_array,
    tame_array,
    whole_array,
)

_MOST_ELEMENTS = 300
_NAMES = ("x", "x", "row of data", "weights", "v1")


class Rejected(Exception):  # noqa: N818 - nothing is wrong, the dice are thrown again
    """What was about to be written does not fit the Program; it is forgotten."""


@dataclass(frozen=True)
class Options:
    """What the random Programs shall be like.

    Attributes:
        equations: at most how many, those of inner Programs included.
        depth: how deep scans and branches may lie in one another.
        special: whether arrays hold NaN, infinities, -0.0 and denormals.
        steady: whether results move by little when inputs and rounding do: words that jump read
            inputs and constants only (and what merely moves them), and computed numbers stay
            small or are not finite at all.  So executors can be compared up to rounding.
        smooth: whether all floats are f64 and have derivatives that differences agree with.
        without: words to leave out.
    """

    equations: int = 20
    depth: int = 2
    special: bool = True
    steady: bool = False
    smooth: bool = False
    without: frozenset[str] = frozenset()


@dataclass
class Budget:
    """How many equations may still be written, all inner Programs together."""

    left: int


@dataclass
class Builder:
    """One Program, or one inside it, as it grows.

    Attributes:
        rng: the dice.
        options: what is wanted.
        budget: how many equations are left.
        depth: in how many scans and branches it lies.
        inputs: its inputs so far.
        numbers: what each value is; in an inner Program only constants are known.
        equations: those written so far.
        pool: the values to choose from, the newest last.
        rounded: floats that hold rounding errors.
        word: what is being written.
        favored: values that shall rather be read than others.
    """

    rng: np.random.Generator
    options: Options
    budget: Budget
    depth: int = 0
    inputs: list[Value] = field(default_factory=list)
    numbers: dict[Value, Array] = field(default_factory=dict)
    equations: list[Equation] = field(default_factory=list)
    pool: list[Value] = field(default_factory=list)
    rounded: set[Value] = field(default_factory=set)
    word: str = ""
    favored: tuple[Value, ...] = ()

    # -- dice ------------------------------------------------------------------

    def chance(self, probability: float) -> bool:
        return chance(self.rng, probability)

    def below(self, count: int) -> int:
        return int(self.rng.integers(count))

    def one_of(self, choices: Sequence[Any]) -> Any:
        """One of them, each as likely."""
        if not choices:
            raise Rejected
        return choices[self.below(len(choices))]

    def some_axes(self, axes: Sequence[int], probability: float = 0.5) -> tuple[int, ...]:
        """Some of the axes, in any order."""
        chosen = [axis for axis in axes if self.chance(probability)]
        return tuple(chosen[i] for i in self.rng.permutation(len(chosen)))

    # -- values to read -------------------------------------------------------

    def operand(
        self,
        kinds: str,
        ranks: tuple[int, int] = (0, 4),
        where: Callable[[TensorType], bool] = lambda _: True,
        dtype: DType | None = None,
    ) -> Value:
        """Some value with elements of one of the kinds: an old one, or a new leaf."""
        if self.options.smooth and "f" in kinds:
            kinds = "f"
        low, high = ranks
        fitting = [
            value
            for value in self._readable()
            if value.dtype.kind in kinds
            and low <= len(value.shape) <= high
            and (dtype is None or value.dtype == dtype)
            and where(value.type)
        ]
        if fitting and self.chance(0.92):
            return self._favored_or_recent(fitting)
        for _ in range(20):
            type_ = TensorType(random_shape(self.rng, low, high), dtype or self.random_dtype(kinds))
            if where(type_):
                return self.leaf(type_)
        raise Rejected

    def like(self, type_: TensorType) -> Value:
        """A value of this type: an old one, or a new leaf."""
        fitting = [value for value in self._readable() if value.type == type_]
        old = fitting and self.chance(0.8)
        return self._favored_or_recent(fitting) if old else self.leaf(type_)

    def _favored_or_recent(self, values: Sequence[Value]) -> Value:
        favored = [value for value in values if value in self.favored]
        return self.one_of(favored) if favored and self.chance(0.7) else self.recent(values)

    def recent(self, values: Sequence[Value]) -> Value:
        """One of the values, more likely one of the last."""
        return values[int(len(values) * self.rng.random() ** 0.7)]

    def _readable(self) -> list[Value]:
        if self.options.steady and reads_exact_numbers_only(self.word):
            return [value for value in self.pool if value not in self.rounded]
        return self.pool

    def random_dtype(self, kinds: str) -> DType:
        return np.dtype(np.float64) if self._smooth_floats(kinds) else random_dtype(self.rng, kinds)

    def _smooth_floats(self, kinds: str) -> bool:
        return self.options.smooth and "f" in kinds

    def leaf(self, type_: TensorType, below: int | None = None) -> Value:
        """A new input or constant; whole numbers from 0 to ``below`` where that is given."""
        if below is not None:
            array = whole_array(self.rng, type_, below)
        elif self.options.smooth or not self.options.special:
            array = tame_array(self.rng, type_)
        else:
            array = odd_array(self.rng, type_)
        name = self.one_of(_NAMES) if self.chance(0.2) else ""
        if self.depth == 0 and self.chance(0.6):
            value = Value(type_, name=name)
            self.inputs.append(value)
        else:
            value = Value.leaf(spread_array(self.rng, array) if self.chance(0.2) else array, name)
            array = value.array if value.array is not None else array
        self.numbers[value] = array
        self.pool.append(value)
        return value

    def index(self, below: int, shape: Shape | None = None) -> Value:
        """Whole numbers from 0 to ``below``: a leaf, or what is left of others by division."""
        below = min(below, 100)
        others = [
            value
            for value in self.pool
            if value.dtype.kind in "iu" and (shape is None or value.type == TensorType(shape, I64))
        ]
        if below == 0 or not others or self.chance(0.5):
            if shape is None:
                shape = random_shape(self.rng, most=2) if below else (0,)
                return self.leaf(TensorType(shape, random_dtype(self.rng, "iu")), below)
            return self.leaf(TensorType(shape, I64), below)
        dividend = self.recent(others)
        count = np.broadcast_to(np.asarray(below, dividend.dtype), dividend.shape)
        divisor = Value.leaf(count)
        self.numbers[divisor] = count
        return self.write("remainder", dividend, divisor)[0]

    # -- equations to write ----------------------------------------------------

    def write(self, word: str, *inputs: Value, **params: Any) -> tuple[Value, ...]:
        """Write ``word(*inputs, **params)`` down, and give its results.

        Raises:
            Rejected: it does not fit the Program.
        """
        if self.budget.left < 1:
            raise Rejected
        results = REGISTRY[word].apply_all(*inputs, **params)
        if sum(value.type.size for value in results) > _MOST_ELEMENTS:
            raise Rejected
        equation = results[0].equation
        assert equation is not None
        self._compute(equation, results)
        self.equations.append(equation)
        self.budget.left -= 1
        if word not in EXACT or any(value in self.rounded for value in inputs):
            self.rounded.update(value for value in results if value.dtype.kind == "f")
        self.pool += results
        return results

    def _compute(self, equation: Equation, results: tuple[Value, ...]) -> None:
        options, word = self.options, equation.primitive.name
        inputs = [self.numbers.get(value) for value in equation.inputs]
        known = [array for array in inputs if array is not None]
        is_known = self.depth == 0 and len(known) == len(inputs)
        has_floats = any(value.dtype.kind == "f" for value in results)
        if options.smooth and has_floats and not is_smooth_at(word, known if is_known else None):
            raise Rejected
        if not is_known:
            return
        arrays = run_equation(equation, known)
        for value, array in zip(results, arrays, strict=True):
            if array.dtype.kind == "f":
                finite = np.isfinite(array)
                too_large = bool((np.absolute(array[finite]) > 100).any())
                if options.steady and too_large and word not in EXACT:
                    raise Rejected
                if options.smooth and (too_large or not finite.all()):
                    raise Rejected
            self.numbers[value] = array

    def step(
        self, word: str, write: Callable[[Builder], object], favored: tuple[Value, ...] = ()
    ) -> None:
        """Write one more word down, or nothing if it does not fit."""
        counts = len(self.inputs), len(self.equations), len(self.pool), self.budget.left
        self.word, self.favored = word, favored
        try:
            write(self)
        except Rejected:
            for kept, count in zip(
                (self.inputs, self.equations, self.pool), counts[:3], strict=True
            ):
                del kept[count:]  # type: ignore[attr-defined]
            self.budget.left = counts[3]

    def inner(self, inputs: Sequence[Value], rounded: Sequence[bool]) -> Builder:
        """The builder of a Program inside this one."""
        builder = Builder(self.rng, self.options, self.budget, self.depth + 1, list(inputs))
        builder.pool += inputs
        builder.rounded.update(value for value, is_so in zip(inputs, rounded, strict=True) if is_so)
        return builder

    def finish(self, outputs: Sequence[Value]) -> Program:
        return Program(self.inputs, self.equations, outputs)
