"""What this machine can do at most: multiply-adds in a second, and bytes read in a second."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Thread
from typing import Any

import numpy as np

from clearprop.executors.native.llvm.code import Code, known_object_code
from clearprop.executors.native.llvm.machine import Machine, this_machine
from clearprop.executors.native.llvm.module import Module
from clearprop.executors.native.llvm.registers import constant, vector_type
from clearprop.executors.native.llvm.writer import Function

_MOST_SUMS = 24  # independent ones: enough to hide how long a multiply-add takes
_READERS = 8  # vectors that one round of the reading loop sums up
_LINE = 64  # bytes that a memory access brings at least
_KIB = 1 << 10
_READ_BYTES = (16 * _KIB, 128 * _KIB, 512 * _KIB, 4096 * _KIB, 65536 * _KIB)
_Loop = Callable[[int, int], None]


@dataclass(frozen=True)
class Ceilings:
    """The most that a number of threads reached together.

    Attributes:
        threads: how many.
        flops_per_second: of multiply-adds in registers, two for each.
        read_rates: (bytes that are read again and again, bytes read in a second), by size:
            small ones come from a near cache, the largest from memory.
    """

    threads: int
    flops_per_second: float
    read_rates: tuple[tuple[int, float], ...]

    def bytes_per_second(self, size_bytes: int) -> float:
        """The rate for so much memory: that of the smallest measured size that it fits into."""
        for size, rate in self.read_rates:
            if size_bytes <= size:
                return rate
        return self.read_rates[-1][1]

    def best_with(self, other: Ceilings) -> Ceilings:
        """The better of two measurements: what disturbs one can only make it slower."""
        pairs = zip(self.read_rates, other.read_rates, strict=True)
        rates = tuple((size, max(rate, again)) for (size, rate), (_, again) in pairs)
        flops = max(self.flops_per_second, other.flops_per_second)
        return Ceilings(self.threads, flops, rates)


def measure_ceilings(threads: int = 1, seconds: float = 0.02) -> Ceilings:
    """Measure what so many threads reach, each for itself.

    Args:
        threads: how many.
        seconds: for each of the measurements, of which there are about twenty.
    """
    rates = [(size, measure_reading(size, threads, seconds)) for size in _READ_BYTES]
    return Ceilings(threads, measure_peak(threads, seconds), tuple(rates))


def measure_peak(threads: int = 1, seconds: float = 0.03) -> float:
    """Floating-point operations in a second that multiply-adds in registers reach.

    Args:
        threads: how many run at the same time.
        seconds: about how long each of three measurements takes; the best one counts.
    """
    machine = this_machine()
    per_round = 2 * machine.lanes(4) * _sums(machine)
    memories = [
        np.full(machine.lanes(4) * (_MOST_SUMS + 8), 0.5, np.float32) for _ in range(threads)
    ]
    return per_round * _rounds_per_second("multiply_adds", memories, threads, seconds)


def measure_reading(size_bytes: int, threads: int = 1, seconds: float = 0.03) -> float:
    """Bytes in a second that threads read, each from its own ``size_bytes``, again and again."""
    machine = this_machine()
    block = machine.vector_bytes * _READERS
    rounds = max(1, size_bytes // block)
    # Written once: all pages that nobody has written are the same one, which is in the cache.
    memories = [np.ones(rounds * block + _LINE, np.uint8) for _ in range(threads)]
    name = f"reads_{rounds}"
    return rounds * block * _rounds_per_second(name, memories, threads, seconds)


@cache
def _code(name: str) -> tuple[_Loop, Code]:
    """The function of this name, and what keeps it alive."""
    machine = this_machine()
    module = Module(machine)
    kind, _, rounds = name.partition("_")
    if kind == "reads":
        _write_reading(module, machine, int(rounds), name)
    else:
        _write_multiply_adds(module, machine, name)
    code = Code(known_object_code(module.text(), machine), (name,))
    function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(code.address(name))
    return function, code


def _sums(machine: Machine) -> int:
    """How many sums fit into registers beside the two factors."""
    return min(_MOST_SUMS, machine.vector_registers - 4)


def _write_multiply_adds(module: Module, machine: Machine, name: str) -> None:
    lanes = machine.lanes(4)
    type_ = vector_type("float", lanes)
    f = Function(module, [("ptr", "memory"), ("i64", "rounds")], exported=True)
    memory, rounds = f.parameters
    # s <- s / 2 + 1 / 2 stays a normal number for ever.
    *places, last = (
        f.address(memory, "float", lanes * number) for number in range(_sums(machine) + 1)
    )
    half = f.load(type_, last)
    with f.loop(0, rounds, carried=[f.load(type_, place) for place in places]) as loop:
        loop.next = [f.multiply_add(total, half, half) for total in loop.carried]
    for place, total in zip(places, loop.results, strict=True):
        f.store(total, place)
    f.finish()
    module.add(f, name)


def _write_reading(module: Module, machine: Machine, blocks: int, name: str) -> None:
    lanes = machine.lanes(4)
    type_ = vector_type("float", lanes)
    f = Function(module, [("ptr", "memory"), ("i64", "rounds")], exported=True)
    memory, rounds = f.parameters
    zeros = [constant(type_, 0.0)] * _READERS
    with f.loop(0, rounds, carried=zeros) as outer:
        with f.loop(0, blocks, carried=outer.carried) as inner:
            assert inner.index is not None
            first = f.multiply(inner.index, lanes * _READERS)
            for number, total in enumerate(inner.carried):
                place = f.address(memory, "float", f.add(first, lanes * number))
                read = f.load(type_, place, pinned=True)
                inner.next.append(f.binary("fadd", total, read))
        outer.next = inner.results
    for number, total in enumerate(outer.results):
        f.store(total, f.address(memory, "float", lanes * number))
    f.finish()
    module.add(f, name)


def _rounds_per_second(
    name: str, memories: Sequence[np.ndarray[Any, Any]], threads: int,
    seconds: float,
) -> float:  # fmt: skip
    """Rounds in a second of all threads together, in the best of three attempts."""
    run, _ = _code(name)
    places = [memory.ctypes.data + -memory.ctypes.data % _LINE for memory in memories]
    rounds, took = 1, 0.0
    while took < seconds / 4:  # a first guess, by one thread, of how many rounds take so long
        rounds *= 4 if took < seconds / 64 else 2
        took = min(_timed(run, places[:1], rounds) for _ in range(2))
    rounds = max(1, round(rounds * seconds / took))
    return threads * rounds / min(_timed(run, places, rounds) for _ in range(3))


def _timed(run: _Loop, places: list[int], rounds: int) -> float:
    others = [Thread(target=run, args=(place, rounds), daemon=True) for place in places[1:]]
    start = time.perf_counter()
    for thread in others:
        thread.start()
    run(places[0], rounds)
    for thread in others:
        thread.join()
    return time.perf_counter() - start
