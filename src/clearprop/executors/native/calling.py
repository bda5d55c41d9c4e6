"""Calling machine code: arrays in, arrays out.

A call of a small Program takes less time than asking an array for its address.  So small arrays
are copied to places whose addresses are known, and an array that was given before is known too.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from weakref import WeakSet

import numpy as np

from clearprop.executors.native.control import (
    ARENA,
    CYCLES,
    FLAG,
    HEADER_WORDS,
    KEPT,
    ROUNDS,
    TEAM,
    THREADS,
)
from clearprop.executors.native.sharing import MEETING_WORDS
from clearprop.executors.native.team import team
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array

_SMALL_BYTES = 1 << 14
_MOST_KEPT_BYTES = 16 << 20  # of an array that a loop carried, to be used again


class Caller:
    """A function of machine code with the memory that it works on.

    Args:
        address: of the function.
        threads: how many run it.
        inputs: types of what it is given; for a loop those of one round.
        outputs: types of what it gives.
        loop: for a loop, how many values it carries and how many inputs have a row for each round.
        constants: the arrays that it reads, in order.
        arena_bytes: memory that it needs while it runs, with that of each thread.
        kept_bytes: memory that is zero at first and keeps what it holds.
        kernels: how many kernels there are, to count their cycles.

    Attributes:
        cycles: that each kernel took so far, if they are counted.
    """

    def __init__(
        self,
        address: int,
        threads: int,
        inputs: Sequence[TensorType],
        outputs: Sequence[TensorType],
        loop: tuple[int, int] | None,
        constants: Sequence[Array],
        *,
        arena_bytes: int,
        kept_bytes: int,
        kernels: int,
    ) -> None:
        self._address, self._threads, self._loop = address, threads, loop
        self._run = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(address)
        self._outputs = tuple(outputs)
        self._lock = threading.Lock()
        _callers.add(self)
        self.cycles = np.zeros(kernels, np.int64)
        arena, kept = aligned_bytes(arena_bytes), aligned_bytes(kept_bytes)
        self._flag = np.zeros(64, np.uint8)
        self._memory = [arena, kept, *constants]  # kept alive
        first = HEADER_WORDS + len(inputs) + len(outputs)
        table = self._table = np.zeros(first + len(constants), np.uint64)
        for word, array in (
            (ARENA, arena), (KEPT, kept), (FLAG, self._flag), (CYCLES, self.cycles)
        ):  # fmt: skip
            table[word] = array.ctypes.data
        table[THREADS] = threads
        table[first:] = [array.ctypes.data for array in constants]
        self._table_address = table.ctypes.data
        self._first_output = HEADER_WORDS + len(inputs)
        moving = range(0) if loop is None else range(loop[0] + loop[1])
        self._places = [self._place(HEADER_WORDS + n, type_) if n not in moving else None
                        for n, type_ in enumerate(inputs)]  # fmt: skip
        self._known: list[Array | None] = [None] * len(inputs)
        self._carried: dict[int, list[Array]] = {}  # what loops changed in earlier calls
        self._bound: list[Array] | None = None  # numbers that are taken as they are
        self._given: list[Array | None] = []  # places of the inputs before them
        self._results = None
        if loop is None:
            self._results = [
                self._place(self._first_output + n, type_) for n, type_ in enumerate(outputs)
            ]
        # Small results of one thread: nothing is decided in a call.
        places = self._results or []
        small = [place for place in places if place is not None]
        is_small = loop is None and threads == 1 and len(small) == len(outputs)
        self._small = small if is_small else None

    def forget_others(self) -> None:
        """Be free, whoever was calling: after a fork none of the other threads is there."""
        self._lock = threading.Lock()

    def _place(self, word: int, type_: TensorType) -> Array | None:
        """Memory of a known address for a small array; None for a large one."""
        if type_.size_bytes > _SMALL_BYTES:
            return None
        place = aligned_bytes(type_.size_bytes)[: type_.size_bytes]
        self._table[word] = place.ctypes.data
        return place.view(type_.dtype).reshape(type_.shape)

    def __call__(self, arrays: Sequence[Array]) -> list[Array] | None:
        """What the function gives for these inputs; None if an index inside lies outside."""
        with self._lock:
            known, self._bound = self._known, None
            for number, array in enumerate(arrays):
                if array is not known[number] or array.flags.writeable:
                    self._take(number, array)
            results = self._call_once() if self._loop is None else self._call_loop(arrays)
            if self._loop is not None:
                self._known = [None] * len(known)  # data sets live no longer than their owners
            if self._flag[0]:
                self._flag[0] = 0
                return None
            return results

    def call_with(self, arrays: Sequence[Array], numbers: list[Array]) -> list[Array] | None:
        """The same where the last inputs are the numbers of parameters.

        Args:
            arrays: the first inputs.
            numbers: the others, which nobody writes into; the same list as long as they are the
                same.
        """
        if self._small is None:
            return self([*arrays, *numbers])
        with self._lock:
            if self._bound is not numbers:
                self._bind(len(arrays), numbers)
            for number, (place, array) in enumerate(zip(self._given, arrays, strict=True)):
                if place is None:
                    self._take(number, array)
                else:
                    place[...] = array
            self._run(self._table_address, 0)
            results = [place.copy() for place in self._small]
            if self._flag[0]:
                self._flag[0] = 0
                return None
            return results

    def _bind(self, given: int, numbers: list[Array]) -> None:
        self._bound = None  # Ctrl-C may come between any two of these lines
        self._known[:given] = [None] * given
        for number, array in enumerate(numbers, start=given):
            self._take(number, array)
        self._given, self._bound = self._places[:given], numbers

    def _take(self, number: int, array: Array) -> None:
        """Let the function find an input."""
        self._known[number] = None  # Ctrl-C may come between any two of these lines
        place = self._places[number]
        if place is not None:
            place[...] = array
            # What nobody can write into need not be copied again.
            self._known[number] = array if _never_changes(array) else None
            return
        array = np.asarray(array, order="C")
        self._table[HEADER_WORDS + number] = array.ctypes.data
        self._known[number] = array

    def _call_once(self) -> list[Array]:
        if self._small is not None:
            self._run(self._table_address, 0)
            return [place.copy() for place in self._small]
        assert self._results is not None
        large = {}
        for number, place in enumerate(self._results):
            if place is None:
                type_ = self._outputs[number]
                large[number] = np.empty(type_.shape, type_.dtype)
                self._table[self._first_output + number] = large[number].ctypes.data
        self._go()
        return [
            large[number] if place is None else place.copy()
            for number, place in enumerate(self._results)
        ]

    def _call_loop(self, arrays: Sequence[Array]) -> list[Array]:
        """Run a loop; what it carries is changed where the results lie."""
        assert self._loop is not None
        count = self._loop[0]
        rounds = len(arrays[count])
        self._table[ROUNDS] = rounds
        results = [self._copied(number, array) for number, array in enumerate(arrays[:count])]
        results += [np.empty((rounds, *type_.shape), type_.dtype)
                    for type_ in self._outputs[count:]]  # fmt: skip
        for word, result in enumerate(results, start=self._first_output):
            self._table[word] = result.ctypes.data
        self._go()
        return results

    def _copied(self, number: int, array: Array) -> Array:
        """A copy of what a loop starts from, in memory of an earlier call that nobody has now.

        Fresh memory costs as much as the copy itself: the system clears each page.
        """
        known = self._carried.setdefault(number, [])
        for each, references in _references(known):
            if references == _HELD_BY_NOBODY and each.shape == array.shape:
                each.flags.writeable = True
                each[...] = array
                return each
        fresh = np.array(array, order="C")
        if _SMALL_BYTES < fresh.nbytes <= _MOST_KEPT_BYTES and len(known) < 2:
            known.append(fresh)
        return fresh

    def _go(self) -> None:
        if self._threads == 1:
            self._run(self._table_address, 0)
            return
        together = team()
        if not together.acquire():  # it is at work for somebody else
            meeting = np.zeros(MEETING_WORDS, np.uint64)
            self._table[TEAM], self._table[THREADS] = meeting.ctypes.data, 1
            self._run(self._table_address, 0)
            return
        try:
            threads = together.ready(self._threads)
            self._table[TEAM], self._table[THREADS] = together.meeting, threads
            together.run(self._address, self._table_address, threads)
        finally:
            together.release()


def _references(arrays: Sequence[Array]) -> Iterator[tuple[Array, int]]:
    """Each array, and how many references there are to it, with those of this function."""
    for each in arrays:
        yield each, sys.getrefcount(each)


((_, _HELD_BY_NOBODY),) = _references([np.empty(0)])


def _never_changes(array: Array) -> bool:
    """Whether nobody can write into an array, nor into one that it is a view of."""
    owner: object = array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return False
        owner = owner.base
    return owner is None or isinstance(owner, bytes)


_callers: WeakSet[Caller] = WeakSet()


def _after_fork() -> None:
    for caller in list(_callers):
        caller.forget_others()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def aligned_bytes(size: int) -> Array:
    """Zeroed memory that begins at a cache line."""
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + max(size, 1)]
