"""Zeros that a contraction multiplies with, and that are no factors of anything by definition.

The gradient of a convolution by its input is fastest where the derivatives of the outputs lie
between zeros, so that every tap of the kernel meets a number everywhere.  By definition a tap meets
only what lies there.  A finite weight times such a zero adds nothing: it makes no difference.  If
a weight is NaN or infinite it does, and products with these zeros are left out one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from clearprop.executors.native.groups import Group
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Affine, Axis, index_of
from clearprop.executors.native.kernels.elements import Elements, Lanes
from clearprop.executors.native.kernels.kernel import Compilation
from clearprop.executors.native.kernels.reductions import write_reduction
from clearprop.executors.native.kernels.spreading import Spread
from clearprop.executors.native.llvm.registers import Operand, constant, integer
from clearprop.ir.value import Value
from clearprop.primitives import reduce_sum


class Among(NamedTuple):
    """Where the loops stand on an axis that has zeros between and around its numbers.

    Attributes:
        place: counted from the first number.
        step: places from one number to the next.
        length: how many numbers there are.
    """

    place: Affine
    step: int
    length: int

    def is_number(self, elements: Elements) -> Operand:
        """Whether a number lies there, and no zero."""
        f = elements.function
        place = elements.number(self.place)  # a negative one is a large one without its sign
        found = f.compare("icmp ult", place, integer((self.length - 1) * self.step + 1))
        if self.step == 1:
            return found
        rest = f.binary("urem", place, integer(self.step))
        return f.binary("and", found, f.compare("icmp eq", rest, integer(0)))


@dataclass(frozen=True)
class Gaps:
    """The zeros of one factor.

    Attributes:
        axes: those on which it has some.
        total: where the sum of the other factor lies.
    """

    axes: tuple[Among, ...]
    total: Home

    def make_no_difference(self, elements: Elements) -> Operand:
        """Whether the other factor is finite; it may be so without being said to be."""
        f = elements.function
        elements.lanes = Lanes(None)
        total = elements.load_from(elements.pointers.address(self.total), 0, self.total.type.dtype)
        return f.compare("fcmp oeq", f.binary("fsub", total, total), constant(total.type, 0))

    def are_elsewhere(self, elements: Elements) -> Operand:
        """Whether the loops stand at a number, and at no zero."""
        found = [axis.is_number(elements) for axis in self.axes]
        result = found[0]
        for each in found[1:]:
            result = elements.function.binary("and", result, each)
        return result


def gaps(
    compilation: Compilation, value: Value, how: Spread, places: Sequence[Affine], other: Value
) -> Gaps | None:
    """The zeros of a spread factor; None if it has none, or if numbers are always finite.

    Appends what adds up the other factor.

    Args:
        compilation: where to.
        value: the factor.
        how: it lies between zeros.
        places: where the loops stand on its axes of space, zeros counted.
        other: what it is multiplied with.
    """
    if how.changes_nothing or value.dtype.kind != "f":
        return None
    axes = [
        Among(place.plus(-low), step, length)
        for place, low, high, step, length in zip(places, *how, value.shape[1:-1], strict=True)
        if low or high or step > 1
    ]
    return Gaps(tuple(axes), _total_of(compilation, other))


def _total_of(compilation: Compilation, value: Value) -> Home:
    """Where the sum of a value lies; in a loop, that of what lasts is made once, before it."""
    axes = tuple(map(Axis, value.shape))
    total = reduce_sum(value, axes=tuple(range(len(axes))))
    assert total.equation is not None
    source = compilation.homes[compilation.grouping.look(value, index_of(axes)).value]
    lasts = source.buffer in compilation.lasting
    home = Home.plain(compilation.temporary(total.type.size_bytes, lasts=lasts), total.type)
    index = {total.equation: index_of(axes)}
    group = Group("reduction", axes, "", [total.equation], {total: ()}, index)
    into = compilation.before if lasts else compilation.kernels
    homes = {**compilation.homes, total: home}
    write_reduction(replace(compilation, homes=homes, kernels=into), group)
    return home
