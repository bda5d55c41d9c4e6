"""Calls of functions that one thread runs, where what Python does around them may decide."""

from __future__ import annotations

from collections.abc import Sequence

from clearprop.executors.native.control import NEW
from clearprop.executors.native.table import Callee, CallTable
from clearprop.ir.value import Array

_MOST_BYTES = 1 << 20  # of memory that each of several calls at the same time would have
NO_NUMBERS: tuple[Array, ...] = ()


def runs_alone(callee: Callee) -> bool:
    """Whether ``LoneCaller`` is for it: no loop, one thread, and little memory of its own."""
    own_bytes = callee.arena_bytes + callee.kept_bytes
    return callee.loop is None and callee.threads == 1 and own_bytes <= _MOST_BYTES


class LoneCaller:
    """A function for one thread, called by any number of threads.

    A call borrows a workplace.  There is a new one where others have them all, and where Ctrl-C
    ended a call that had one; so no call waits, and none finds what another has left half done.

    Args:
        callee: the function.
    """

    def __init__(self, callee: Callee) -> None:
        self._callee = callee
        self._free = [_Workplace(callee)]

    def call(self, arrays: Sequence[Array], numbers: Sequence[Array] = NO_NUMBERS) -> list[Array]:
        """What the function gives for these inputs.

        Args:
            arrays: the first inputs.
            numbers: the others, which nobody writes into; the same object as long as they are the
                same.
        """
        try:
            workplace = self._free.pop()
        except IndexError:
            workplace = _Workplace(self._callee)
        is_new = workplace.numbers is not numbers or len(numbers) < self._callee.lasting
        if is_new:
            workplace.bind(len(arrays), numbers)
        inputs = workplace.inputs
        for number, array in enumerate(arrays):
            place = inputs[number]
            if place is None:
                workplace.table.take(number, array)
            else:
                place[...] = array
        large: list[Array] = []
        if workplace.large:
            large = [workplace.table.fresh(*each) for each in workplace.large]
        workplace.run()
        if is_new:
            workplace.table.words[NEW] = 0
        results = []
        for small in workplace.small:
            results.append(small.copy())  # a comprehension would be slower
        if large:
            for (number, _, _), result in zip(workplace.large, large, strict=True):
                results.insert(number, result)
        is_outside = workplace.flag[0] and workplace.table.was_outside()
        self._free.append(workplace)
        return self._callee.by_definition([*arrays, *numbers]) if is_outside else results


class _Workplace:
    """The memory of one call at a time.

    Attributes:
        table: what the function is given.
        run: calls it.
        inputs: places of small inputs, None for large ones.
        small: places of the small outputs.
        large: number, shape and element type of the others, which get new memory in each call.
        flag: its first byte is set where an index lay outside.
        numbers: the last inputs, which are in their places.
    """

    __slots__ = ("flag", "inputs", "large", "numbers", "run", "small", "table")

    def __init__(self, callee: Callee) -> None:
        table = self.table = CallTable(callee)
        self.run, self.inputs, self.flag = table.run, table.inputs, table.flag
        self.small = [place for place in table.outputs if place is not None]
        self.large = [
            (number, type_.shape, type_.dtype)
            for number, type_ in enumerate(callee.outputs)
            if table.outputs[number] is None
        ]
        self.numbers: Sequence[Array] | None = None

    def bind(self, first: int, numbers: Sequence[Array]) -> None:
        """Put the last inputs in their places, where others may have lain meanwhile."""
        self.table.forget_inputs()
        for number, array in enumerate(numbers, start=first):
            self.table.take(number, array)
        self.numbers = numbers
        self.table.words[NEW] = 1
