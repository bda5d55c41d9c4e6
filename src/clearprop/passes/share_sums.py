"""Sums that follow from other sums: what is added up of many numbers once need not be again.

    reduce_sum(a * s + (b - m))    ->    s * reduce_sum(a) + reduce_sum(b) - n * m

where s and m are the same for all n numbers of a sum, and the sums of a and b are there anyway.
The derivative of a batch normalization has such a sum: it reads two arrays of the size of an
image, and follows from a handful of numbers.

The terms are added in another order.
"""

from __future__ import annotations

from typing import NamedTuple

from clearprop.ir.program import Program
from clearprop.ir.value import Equation, Value
from clearprop.passes.rewrite import Rewriter
from clearprop.primitives import add, broadcast_to, multiply, negate, reduce_sum, scalar_like

_LEAST_SIZE = 1 << 14  # elements that are worth not to be read
_MOST_TERMS = 8

_Axes = tuple[int, ...]


class _Factor(NamedTuple):
    """What is the same for all numbers of a sum: ``value``, spread along axes of the result."""

    value: Value
    new_axes: _Axes


class _Term(NamedTuple):
    """A part of a sum: an array (None for one of ones) times factors, added or taken away."""

    value: Value | None
    factors: tuple[_Factor, ...] = ()
    is_negative: bool = False


def share_sums(program: Program) -> Program:
    """The same Program, up to rounding, with fewer sums over large arrays."""
    rewriter = Rewriter(program)
    sums = _Sums(rewriter)
    for equation in program.equations:
        if equation.primitive.name == "reduce_sum":
            sums.write(equation)
        else:
            rewriter.keep(equation)
    return rewriter.finish()


class _Sums:
    """The sums of a Program, while it is said again."""

    def __init__(self, rewriter: Rewriter) -> None:
        self._rewriter = rewriter
        self._given = set(rewriter.old.inputs)
        self._known = {
            (equation.inputs[0], equation.params["axes"])
            for equation in rewriter.old.equations
            if equation.primitive.name == "reduce_sum"
        }
        self._written: dict[tuple[Value, _Axes], Value] = {}

    def write(self, equation: Equation) -> None:
        """Write a sum: as it was, or from others."""
        (x,), axes = equation.inputs, equation.params["axes"]
        terms = self._terms(x, axes)
        if terms:
            self._rewriter.replace(equation, (self._total(terms, x, axes),))
        elif x.type.size >= _LEAST_SIZE:
            self._rewriter.replace(equation, (self._sum(x, axes),))
        else:
            self._rewriter.keep(equation)

    def _sum(self, x: Value, axes: _Axes) -> Value:
        """The plain sum of an array, written once."""
        new = self._rewriter.new(x)
        if (new, axes) not in self._written:
            self._written[new, axes] = reduce_sum(new, axes=axes)
        return self._written[new, axes]

    def _terms(self, x: Value, axes: _Axes) -> list[_Term]:
        """What an array is made of whose sums are known, if all of it is; else nothing."""
        if x.dtype.kind != "f" or x.type.size < _LEAST_SIZE:
            return []
        found: list[_Term] = []
        stack = [_Term(x)]
        while stack and len(found) + len(stack) <= _MOST_TERMS:
            value, factors, is_negative = stack.pop()
            assert value is not None
            same = _same(value, axes)
            if value is not x and (value, axes) in self._known:
                found.append(_Term(value, factors, is_negative))
            elif same is not None:
                found.append(_Term(None, (*factors, same), is_negative))
            else:
                parts = [] if value in self._given else _parts(value, axes)
                if not parts:
                    return []
                stack += [
                    _Term(part.value, factors + part.factors, is_negative != part.is_negative)
                    for part in parts
                ]
        return [] if stack else found

    def _total(self, terms: list[_Term], x: Value, axes: _Axes) -> Value:
        """The terms' sums, each times its factors, added up."""
        kept = tuple(size for axis, size in enumerate(x.shape) if axis not in axes)
        total: Value | None = None
        for value, factors, is_negative in terms:
            spread = [
                broadcast_to(self._rewriter.new(each), shape=kept, new_axes=new_axes)
                if new_axes
                else self._rewriter.new(each)
                for each, new_axes in factors
            ]
            if value is None:
                part, *spread = spread
                count = scalar_like(x.type.size // part.type.size, part)
                spread.append(broadcast_to(count, shape=kept, new_axes=tuple(range(len(kept)))))
            else:
                part = self._sum(value, axes)
            for factor in spread:
                part = multiply(part, factor)
            part = negate(part) if is_negative else part
            total = part if total is None else add(total, part)
        assert total is not None
        return total


def _same(value: Value, axes: _Axes) -> _Factor | None:
    """What a value is along ``axes``, if it is the same everywhere there."""
    equation = value.equation
    if equation is None or equation.primitive.name != "broadcast_to":
        return None
    new_axes = equation.params["new_axes"]
    if not set(axes) <= set(new_axes):
        return None
    kept = [axis for axis in range(len(value.shape)) if axis not in axes]
    return _Factor(
        equation.inputs[0], tuple(place for place, axis in enumerate(kept) if axis in new_axes)
    )


def _parts(value: Value, axes: _Axes) -> list[_Term]:
    """The terms of a value that is a sum of terms."""
    if value.equation is None:
        return []
    name, inputs = value.equation.primitive.name, value.equation.inputs
    if name in {"add", "subtract"}:
        return [_Term(inputs[0]), _Term(inputs[1], is_negative=name == "subtract")]
    if name == "negate":
        return [_Term(inputs[0], is_negative=True)]
    if name == "multiply":
        for each, other in (inputs, inputs[::-1]):
            factor = _same(other, axes)
            if factor is not None:
                return [_Term(each, (factor,))]
    return []
