"""Threads: the same bits for any number of them, no more than there are cores, never stuck."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from clearprop.errors import ArgumentError
from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.llvm.machine import available_cores
from clearprop.executors.native.team import MOST_THREADS, Team, team, thread_count
from clearprop.ir.value import Array
from tests.support.native_training import NETS, TrainingLoop, digest, training_loop
from tests.support.processes import run_script

COUNTS = (1, 2, 3, 4, 8)
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals to oneself are POSIX's")


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> None:
    """Unlike the other tests of machine code, these are not about who compiles it, nor how."""


def bits(loop: TrainingLoop, threads: int) -> str:
    return digest(loop.compiled(threads, together=True)(loop.arrays))


@pytest.mark.parametrize("net", NETS)
def test_results_do_not_depend_on_the_number_of_threads(net: str) -> None:
    loop = training_loop(net)
    assert len({bits(loop, threads) for threads in COUNTS}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("batch", [1, 7, 64, 192])
def test_results_of_long_trainings_do_not_either(net: str, batch: int) -> None:
    loop = training_loop(net, steps=100, batch=batch)
    assert len({bits(loop, threads) for threads in COUNTS}) == 1


# -- how many ---------------------------------------------------------------------------------


def test_as_many_as_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert [thread_count(wanted) for wanted in (1, 3, np.int64(7))] == [1, 3, 7]
    assert thread_count(10**9) == MOST_THREADS


@pytest.mark.parametrize("wanted", [0, -1, 1.0, "2", True, 2**70 * 0.5])
def test_only_a_number_of_threads_is_one(wanted: object) -> None:
    with pytest.raises(ArgumentError, match="no whole number of at least 1"):
        thread_count(wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(("told", "count"), [("1", 1), ("3", 3), (" 4 ", 4), ("2,4", 2)])
def test_the_environment_may_say_how_many(
    monkeypatch: pytest.MonkeyPatch, told: str, count: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert thread_count(None) == count


@pytest.mark.parametrize("told", ["", "0", "-2", "many", "²", "9" * 5000])
def test_nonsense_in_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert thread_count(None) == available_cores()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux keeps threads to cores")
def test_no_more_than_the_cores_of_the_process() -> None:
    script = """
import os
from clearprop.executors.native.team import thread_count
cores = sorted(os.sched_getaffinity(0))
for count in range(1, len(cores) + 1):
    os.sched_setaffinity(0, cores[:count])
    assert thread_count(None) == count
"""
    run_script(script, OMP_NUM_THREADS="")


_POOL = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from clearprop.executors.native.team import thread_count
if __name__ == "__main__":
    import sys
    for method in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            assert pool.map(thread_count, [None, 3]) == [1, 3], method
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            assert list(pool.map(thread_count, [None, 3])) == [1, 3], method
    assert thread_count(None) >= 1
"""


def test_a_worker_process_has_one() -> None:
    run_script(_POOL, OMP_NUM_THREADS="")


@pytest.mark.slow
def test_the_environment_of_a_worker_counts_more() -> None:
    run_script(_POOL.replace("[1, 3]", "[2, 3]"), OMP_NUM_THREADS="2")


# -- never stuck --------------------------------------------------------------------------------


def test_calls_with_few_and_many_threads_in_turn() -> None:
    loop = training_loop("mlp", steps=1, batch=16)
    calls = [loop.compiled(threads, together=True) for threads in (2, 8, 3, 1, 5)]
    wanted = digest(calls[0](loop.arrays))
    for _ in range(30):
        for call in calls:
            assert digest(call(loop.arrays)) == wanted


def test_several_callers_at_the_same_time() -> None:
    loop = training_loop("mlp", steps=2)
    shared = loop.compiled(3, together=True)
    own = [loop.compiled(threads, together=True) for threads in (1, 2, 4)]
    wanted, found = digest(shared(loop.arrays)), []

    def work(calls: Sequence[Compiled]) -> None:
        found.extend(digest(call(loop.arrays)) for _ in range(10) for call in calls)

    callers = [threading.Thread(target=work, args=([shared, each],)) for each in own]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 60
    assert set(found) == {wanted}


def test_where_no_thread_can_be_had_one_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    assert Team().ready(4) == 1
    loop = training_loop("mlp")
    monkeypatch.setattr("clearprop.executors.native.calling.team", Team)
    assert bits(loop, 4) == digest(loop.compiled(1)(loop.arrays))


_INTERRUPTED = """
import os, signal, threading, time
from tests.support.native_training import digest, training_loop
loop = training_loop("mlp", steps=20)
call = loop.compiled(4, together=True)
wanted = digest(call(loop.arrays))
is_over = False

def disturb():
    while not is_over:
        time.sleep(PAUSE)
        os.kill(os.getpid(), signal.SIGINT)

interruptions = 0
def interrupted(number, frame):
    global interruptions
    if not is_over:
        interruptions += 1
        raise KeyboardInterrupt
signal.signal(signal.SIGINT, interrupted)
threading.Thread(target=disturb, daemon=True).start()
stop = time.monotonic() + SECONDS
def goes_on():
    return time.monotonic() < stop or interruptions <= 10  # on a busy machine calls take longer
while goes_on():
    try:
        while goes_on():
            call(loop.arrays)
    except KeyboardInterrupt:
        pass
is_over = True
time.sleep(2 * PAUSE)
for threads in (2, 4, 8):
    assert digest(loop.compiled(threads, together=True)(loop.arrays)) == wanted
assert digest(call(loop.arrays)) == wanted
"""


def interrupt(seconds: float, pause: float) -> None:
    script = _INTERRUPTED.replace("SECONDS", str(seconds)).replace("PAUSE", str(pause))
    run_script(script)


@POSIX
def test_ctrl_c_leaves_the_team_as_it_was() -> None:
    interrupt(1, 0.005)


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize("pause", [0.0005, 0.002, 0.01])
def test_ctrl_c_at_any_moment_leaves_the_team_as_it_was(pause: float) -> None:
    interrupt(40, pause)


def test_waiting_threads_do_not_keep_a_process_from_ending() -> None:
    script = """
from tests.support.native_training import training_loop
loop = training_loop("mlp")
loop.compiled(4, together=True)(loop.arrays)
"""
    run_script(script)


def test_more_threads_than_cores_give_way() -> None:
    loop = training_loop("conv", steps=10)
    together: Array = loop.compiled(8, together=True)(loop.arrays)[loop.carry_count]
    alone: Array = loop.compiled(1)(loop.arrays)[loop.carry_count]
    np.testing.assert_array_equal(together, alone)
    assert team().ready(8) == 8
