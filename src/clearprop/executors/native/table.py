"""What one call of machine code is given: a table of addresses, and the memory behind them.

A call of a small Program takes less time than asking an array for its address.  So small arrays
are copied to places whose addresses are known, and an array that was given before is known too.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from clearprop.dtypes import DType
from clearprop.executors.native.control import ARENA, CYCLES, FLAG, HEADER_WORDS, KEPT, THREADS
from clearprop.executors.native.llvm.machine import LINE_BYTES
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array

_SMALL_BYTES = 1 << 14
_BRIEF_SECONDS = 1e-5


@dataclass(frozen=True, eq=False)
class Callee:
    """A function of machine code, and what has to be known to call it.

    Attributes:
        address: of the function.
        threads: how many run it.
        inputs: types of what it is given; for a loop those of one round.
        outputs: types of what it gives.
        loop: for a loop, how many values it carries and how many inputs have a row for each round.
        constants: the arrays that it reads, in order.
        arena_bytes: memory that it needs while it runs, with that of each thread.
        kept_bytes: memory that is zero at first and keeps what it holds.
        lasting: how many of the last inputs are the same in most calls.
        seconds: about how long a call takes, or a round of a loop, on one thread.
        round_seconds: the same of a round of the innermost loops.
        exchanges: whether threads exchange data that may pass the caches.
        cycles: that each kernel took so far, if they are counted.
        by_definition: gives the outputs, or says which index lies outside, where one does.
    """

    address: int
    threads: int
    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]
    loop: tuple[int, int] | None
    constants: tuple[Array, ...]
    arena_bytes: int
    kept_bytes: int
    lasting: int
    seconds: float
    round_seconds: float
    exchanges: bool
    cycles: Array
    by_definition: Callable[[Sequence[Array]], list[Array]]


class CallTable:
    """The table of a function, whose addresses stay the same, and the memory that it works on.

    Args:
        callee: the function.

    Attributes:
        words: the table; ``control`` says what its words are.
        address: of the table.
        run: calls the function in this thread.
        inputs: places of small inputs; None for large ones, and for those that move in a loop.
        outputs: places of small outputs; None for large ones, and in a loop.
        flag: its first byte is set where an index lay outside; another one says how threads
            exchange data.
    """

    def __init__(self, callee: Callee) -> None:
        arena, kept = aligned_bytes(callee.arena_bytes), aligned_bytes(callee.kept_bytes)
        flag = np.zeros(64, np.uint8)
        self._memory = [arena, kept, *callee.constants]  # kept alive
        self._first_output = HEADER_WORDS + len(callee.inputs)
        first = self._first_output + len(callee.outputs)
        self.words = (ctypes.c_uint64 * (first + len(callee.constants)))()
        for word, array in (
            (ARENA, arena), (KEPT, kept), (FLAG, flag), (CYCLES, callee.cycles)
        ):  # fmt: skip
            self.words[word] = array.ctypes.data
        self.words[THREADS] = callee.threads
        self.words[first:] = [array.ctypes.data for array in callee.constants]
        self.address = ctypes.addressof(self.words)
        self.flag = flag.data
        self.run = _prepared(callee, self.address)
        moving = 0 if callee.loop is None else sum(callee.loop)
        self.inputs = [
            None if number < moving else self._place(HEADER_WORDS + number, type_)
            for number, type_ in enumerate(callee.inputs)
        ]
        self.outputs = [
            self._place(self._first_output + number, type_) if callee.loop is None else None
            for number, type_ in enumerate(callee.outputs)
        ]
        self._known: list[Array | None] = [None] * len(callee.inputs)

    def _place(self, word: int, type_: TensorType) -> Array | None:
        """Memory of a known address for a small array; None for a large one."""
        if type_.size_bytes > _SMALL_BYTES:
            return None
        place = aligned_bytes(type_.size_bytes)[: type_.size_bytes]
        self.words[word] = place.ctypes.data
        return place.view(type_.dtype).reshape(type_.shape)

    def take(self, number: int, array: Array) -> None:
        """Let the function find an input."""
        place, is_known = self.inputs[number], array is self._known[number]
        if is_known and (array.flags.c_contiguous if place is None else not array.flags.writeable):
            return
        self._known[number] = None  # Ctrl-C may come between any two of these lines
        if place is not None:
            place[...] = array
            # What nobody can write into need not be copied again.
            self._known[number] = array if _never_changes(array) else None
            return
        array = np.asarray(array, order="C")
        self.words[HEADER_WORDS + number] = array.ctypes.data
        self._known[number] = array

    def give(self, number: int, address: int) -> None:
        """Let the function write an output there."""
        self.words[self._first_output + number] = address

    def fresh(self, number: int, shape: Shape, dtype: DType) -> Array:
        """New memory for an output."""
        array, address = fresh_array(shape, dtype)
        self.words[self._first_output + number] = address
        return array

    def forget_inputs(self) -> None:
        """Hold on to no array that was given."""
        self._known = [None] * len(self._known)

    def was_outside(self) -> bool:
        """Whether an index lay outside since this was asked last."""
        if not self.flag[0]:
            return False
        self.flag[0] = 0
        return True


def _prepared(callee: Callee, table: int) -> Callable[[], None]:
    """A call of a function with its table, as the first thread.

    Arguments that are made for C once cost a third of a call less than Python's numbers.  A brief
    call keeps Python's lock: having it back from another thread would take longer.
    """
    is_brief = callee.loop is None and callee.seconds < _BRIEF_SECONDS
    prototype = ctypes.PYFUNCTYPE if is_brief else ctypes.CFUNCTYPE
    return partial(prototype(None)(callee.address), ctypes.c_void_p(table), ctypes.c_int64(0))


def _never_changes(array: Array) -> bool:
    """Whether nobody can write into an array, nor into one that it is a view of."""
    owner: object = array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return False
        owner = owner.base
    return owner is None or isinstance(owner, bytes)


def fresh_array(shape: Shape, dtype: DType) -> tuple[Array, int]:
    """An array of any numbers that begins at a cache line, and its address.

    A vector that lies across two lines takes twice as long as one within a line.
    """
    memory = np.empty(math.prod(shape) * dtype.itemsize + LINE_BYTES, np.uint8)
    # In a quarter of the time that the array would take to tell its address.
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory.data))
    start = -address % LINE_BYTES
    return np.ndarray(shape, dtype, memory, start), address + start


def aligned_bytes(size: int) -> Array:
    """Zeroed memory that begins at a cache line."""
    memory = np.zeros(size + LINE_BYTES, np.uint8)
    start = -memory.ctypes.data % LINE_BYTES
    return memory[start : start + max(size, 1)]
