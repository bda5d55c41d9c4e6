"""Calls of small functions, where what Python does around the machine code decides."""

from __future__ import annotations

from collections.abc import Sequence

from clearprop.executors.native.table import SMALL_BYTES, Callee, CallTable
from clearprop.ir.value import Array

_MOST_ARENA_BYTES = 1 << 20
NO_NUMBERS: tuple[Array, ...] = ()


def is_small(callee: Callee) -> bool:
    """Whether ``SmallCaller`` is for it: one thread, small results, and little memory."""
    return (
        callee.loop is None
        and callee.threads == 1
        and all(type_.size_bytes <= SMALL_BYTES for type_ in callee.outputs)
        and callee.arena_bytes + callee.kept_bytes <= _MOST_ARENA_BYTES
    )


class SmallCaller:
    """A small function, called by any number of threads.

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
        if workplace.numbers is not numbers:
            workplace.bind(len(arrays), numbers)
        places = workplace.inputs
        for number, array in enumerate(arrays):
            place = places[number]
            if place is None:
                workplace.table.take(number, array)
            else:
                place[...] = array
        workplace.run()
        results = []
        for place in workplace.outputs:
            results.append(place.copy())  # a comprehension would be slower
        is_outside = workplace.flag[0] and workplace.table.was_outside()
        self._free.append(workplace)
        return self._callee.by_definition([*arrays, *numbers]) if is_outside else results


class _Workplace:
    """The memory of one call at a time.

    Attributes:
        table: what the function is given.
        run: calls it.
        inputs: places of small inputs, None for large ones.
        outputs: places of the outputs.
        flag: its first byte is set where an index lay outside.
        numbers: the last inputs, which are in their places.
    """

    __slots__ = ("flag", "inputs", "numbers", "outputs", "run", "table")

    def __init__(self, callee: Callee) -> None:
        self.table = CallTable(callee)
        self.run, self.inputs, self.flag = self.table.run, self.table.inputs, self.table.flag
        self.outputs = [place for place in self.table.outputs if place is not None]
        self.numbers: Sequence[Array] | None = None

    def bind(self, first: int, numbers: Sequence[Array]) -> None:
        """Put the last inputs in their places."""
        for number, array in enumerate(numbers, start=first):
            self.table.take(number, array)
        self.numbers = numbers
