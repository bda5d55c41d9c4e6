"""Calling machine code that several threads run, or that is a loop: arrays in, arrays out."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from weakref import WeakSet

import numpy as np

from clearprop.executors.native.control import NEW, ROUNDS, TEAM, THREADS
from clearprop.executors.native.kernels.elements import BY_MEMORY
from clearprop.executors.native.lone_calls import NO_NUMBERS, LoneCaller, runs_alone
from clearprop.executors.native.pace import BRIEF_SECONDS, Pace
from clearprop.executors.native.sharing import meeting_words
from clearprop.executors.native.table import Callee, CallTable, fresh_array
from clearprop.executors.native.team import team
from clearprop.ir.value import Array

# Of an array that a loop carried, to be used again.
_LEAST_KEPT_BYTES, _MOST_KEPT_BYTES = 16 << 10, 16 << 20


def call_of(callee: Callee) -> Callable[..., list[Array]]:
    """The function as one of Python, from inputs to outputs: ``Caller.call`` tells how."""
    return LoneCaller(callee).call if runs_alone(callee) else Caller(callee).call


class Caller:
    """A function of machine code with the memory that it works on, for one call at a time.

    Args:
        callee: the function.
    """

    def __init__(self, callee: Callee) -> None:
        self._callee, self._table = callee, CallTable(callee)
        self._lock = threading.Lock()
        _callers.add(self)
        self._carried: dict[int, list[Array]] = {}  # what loops changed in earlier calls
        is_brief = callee.loop is not None and callee.round_seconds < BRIEF_SECONDS
        self._pace = None
        if callee.threads > 1 and (is_brief or callee.exchanges):
            self._pace = Pace(callee.threads, is_brief=is_brief, exchanges=callee.exchanges)
        self._numbers: Sequence[Array] | None = None  # that the function finds in their places

    def forget_others(self) -> None:
        """Be free, whoever was calling: after a fork none of the other threads is there."""
        self._lock = threading.Lock()

    def call(self, arrays: Sequence[Array], numbers: Sequence[Array] = NO_NUMBERS) -> list[Array]:
        """What the function gives for these inputs.

        Args:
            arrays: the first inputs.
            numbers: the others, which nobody writes into; the same object as long as they are the
                same.
        """
        with self._lock:
            inputs = [*arrays, *numbers]
            # The last inputs are in their places if they are the same as in the last call.
            is_known = numbers is self._numbers and len(numbers) >= self._callee.lasting
            new = arrays if is_known else inputs
            self._table.words[NEW] = not is_known
            self._numbers = None  # Ctrl-C may come between any two of these lines
            for number, array in enumerate(new):
                self._table.take(number, array)
            if self._callee.loop is None:
                results = self._call_once()
                self._numbers = numbers
            else:
                results = self._call_loop(inputs, self._callee.loop[0])
                self._table.forget_inputs()  # data sets live no longer than their owners
            is_outside = self._table.was_outside()
        return self._callee.by_definition(inputs) if is_outside else results

    def _call_once(self) -> list[Array]:
        results = []
        for number, place in enumerate(self._table.outputs):
            if place is None:
                type_ = self._callee.outputs[number]
                place = self._table.fresh(number, type_.shape, type_.dtype)
            results.append(place)
        self._go(self._callee.threads)
        places = self._table.outputs
        return [one if places[n] is None else one.copy() for n, one in enumerate(results)]

    def _call_loop(self, arrays: Sequence[Array], carried: int) -> list[Array]:
        """Run a loop; what it carries is changed where the results lie."""
        rounds = len(arrays[carried])
        self._table.words[ROUNDS] = rounds
        results = [self._copied(number, array) for number, array in enumerate(arrays[:carried])]
        for number, result in enumerate(results):
            self._table.give(number, result.ctypes.data)
        for number, type_ in enumerate(self._callee.outputs[carried:], start=carried):
            results.append(self._table.fresh(number, (rounds, *type_.shape), type_.dtype))
        if self._pace is None:
            self._go(self._callee.threads)
            return results
        way, start = self._pace.choose(), time.perf_counter()
        self._table.flag[BY_MEMORY] = way.by_memory
        self._go(way.threads)
        self._pace.note(way, rounds, time.perf_counter() - start)
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
        fresh, _ = fresh_array(array.shape, array.dtype)
        fresh[...] = array
        if _LEAST_KEPT_BYTES < fresh.nbytes <= _MOST_KEPT_BYTES and len(known) < 2:
            known.append(fresh)
        return fresh

    def _go(self, threads: int) -> None:
        callee, table = self._callee, self._table
        if callee.threads == 1:
            table.run()
            return
        together = team()
        if threads == 1 or not together.acquire():  # it is at work for somebody else
            meeting = np.zeros(meeting_words(1), np.uint64)
            table.words[TEAM], table.words[THREADS] = meeting.ctypes.data, 1
            table.run()
            return
        try:
            threads = together.ready(threads)
            table.words[TEAM], table.words[THREADS] = together.meeting, threads
            together.run(callee.address, table.address, threads)
        finally:
            together.release()


def _references(arrays: Sequence[Array]) -> Iterator[tuple[Array, int]]:
    """Each array, and how many references there are to it, with those of this function."""
    for each in arrays:
        yield each, sys.getrefcount(each)


((_, _HELD_BY_NOBODY),) = _references([np.empty(0)])


_callers: WeakSet[Caller] = WeakSet()


def _after_fork() -> None:
    for caller in list(_callers):
        caller.forget_others()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
