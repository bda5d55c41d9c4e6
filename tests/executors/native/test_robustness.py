"""Native code on systems that forbid it, after forks, in worker processes, under Ctrl-C."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from clearprop.executors.native.cache import VARIABLE
from tests.support.processes import run_script, start_script

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux's kernel")
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")

# -- forbidden ----------------------------------------------------------------------------------

# Two ways in which Linux forbids a process to run what it wrote: the kernel's own switch, and a
# filter of system calls that refuses mprotect with PROT_EXEC (as systemd's does).
_SWITCH = """
import ctypes
refuse_gaining_execution = 1
is_forbidden = ctypes.CDLL(None).prctl(65, refuse_gaining_execution, 0, 0, 0) == 0
"""
_FILTER = """
import ctypes, platform, struct
number = {"x86_64": 10, "aarch64": 226}.get(platform.machine())
lines = [(0x20, 0, 0, 0), (0x15, 0, 3, number or 0),  # the number of the call: is it mprotect?
         (0x20, 0, 0, 32), (0x45, 0, 1, 4),           # its third argument: is PROT_EXEC in it?
         (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]  # EPERM; let it through
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
program = ctypes.create_string_buffer(struct.pack("HP", len(lines), ctypes.addressof(code)))
system = ctypes.CDLL(None)
is_forbidden = number is not None and system.prctl(38, 1, 0, 0, 0) == 0 and (
    system.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(program)), 0, 0) == 0)
"""
_WITHOUT_CODE = """
if not is_forbidden:
    print("not forbidden")
    raise SystemExit
import warnings
import numpy as np
import clearprop as cp
from clearprop.errors import UnsupportedError
from clearprop.executors import reference
from clearprop.executors.choose import choose_executor
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    model = cp.Sequential([cp.layers.Dense(4, activation="relu"), cp.layers.Dense(1)])
    model.compile("adam", "mse")
    x = np.ones((20, 3), np.float32)
    history = model.fit(x, x[:, :1], epochs=20, verbose=0)
    model.predict(x)
    assert choose_executor() is choose_executor(None) is reference
    assert cp.compile(lambda x: x * x)(3.0).numpy() == 9
assert [each.category for each in told] == [UserWarning], told
assert "the native executor cannot run here" in str(told[0].message), told
try:
    choose_executor("native")
except UnsupportedError as error:
    assert "memory cannot be made executable" in error.found, error
else:
    raise AssertionError("native was promised")
print("forbidden")
"""


@LINUX
@pytest.mark.parametrize("forbid", [_SWITCH, _FILTER], ids=["switch", "filter"])
def test_where_code_is_forbidden_the_reference_runs_with_one_warning(forbid: str) -> None:
    told = run_script(forbid + _WITHOUT_CODE).strip()
    if told == "not forbidden":
        pytest.skip("this kernel has no such switch")
    assert told == "forbidden"


@LINUX
def test_code_in_the_cache_does_not_run_where_it_is_forbidden(tmp_path: Path) -> None:
    cached = {VARIABLE: str(tmp_path / "code")}
    run_script("from clearprop.executors.choose import choose_executor as c; c('native')", **cached)
    assert list((tmp_path / "code").iterdir())
    assert run_script(_SWITCH + _WITHOUT_CODE, **cached).strip() in {"forbidden", "not forbidden"}


# -- forks and workers --------------------------------------------------------------------------

_FORK = """
import faulthandler, os, warnings
from tests.support.native_training import digest, training_loop
warnings.simplefilter("ignore", DeprecationWarning)  # threads and forks: what this is about
def alarm():
    faulthandler.dump_traceback_later(20, exit=True)  # a child that hangs is ended
loop = training_loop("mlp")
calls = [loop.compiled(threads, together=True) for threads in (1, 2, 4)]
def results():
    return [digest(call(loop.arrays)) for call in [*calls, loop.compiled(3, together=True)]]
"""
_OS_FORK = """
wanted = results()
for turn in range(3):
    child = os.fork()
    if child == 0:
        alarm()
        is_good = results() == wanted
        if turn == 0 and os.fork() == 0:  # and a child of the child
            os._exit(0 if results() == wanted else 3)
        if turn == 0:
            is_good = is_good and os.waitstatus_to_exitcode(os.wait()[1]) == 0
        os._exit(0 if is_good else 2)
    assert results() == wanted
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, (turn, status)
assert results() == wanted
"""
_WHILE_AT_WORK = """
import threading
wanted = results()
is_over = False
def work():
    while not is_over:
        assert results() == wanted
workers = [threading.Thread(target=work) for _ in range(2)]
for worker in workers:
    worker.start()
statuses = []
for _ in range(TURNS):
    child = os.fork()
    if child == 0:
        alarm()
        os._exit(0 if [digest(call(loop.arrays)) for call in calls] == wanted[:3] else 2)
    statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
is_over = True
for worker in workers:
    worker.join()
assert statuses == [0] * len(statuses), statuses
"""
_POOL = """
import multiprocessing
def child(which):
    alarm()
    return results()
if __name__ == "__main__":
    wanted = results()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(child, range(4)) == [wanted] * 4
    assert results() == wanted
"""


@FORKS
@pytest.mark.parametrize("script", [_OS_FORK, _POOL], ids=["fork", "pool"])
def test_a_fork_goes_on_and_so_does_its_parent(script: str) -> None:
    run_script(_FORK + script)


@FORKS
def test_a_fork_while_others_are_at_work() -> None:
    run_script(_FORK + _WHILE_AT_WORK.replace("TURNS", "5"))


@FORKS
@pytest.mark.slow
def test_many_forks_while_others_are_at_work() -> None:
    run_script(_FORK + _WHILE_AT_WORK.replace("TURNS", "100"))


_WORKER = """
import sys
import numpy as np
import clearprop as cp
def trained(seed):
    cp.set_seed(seed)
    model = cp.Sequential([cp.layers.Dense(64, activation="relu"), cp.layers.Dense(1)])
    model.compile("adam", "mse", executor="native")
    x = np.linspace(0, 1, 600, dtype=np.float32).reshape(200, 3)
    model.fit(x, x[:, :1] * x[:, 1:2], epochs=2, verbose=0)
    return model.predict(x).tobytes()
"""


def test_worker_processes_train_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text(_WORKER)
    script = f"""
import multiprocessing, sys
sys.path.insert(0, {str(tmp_path)!r})
from worker import trained
if __name__ == "__main__":
    wanted = [trained(seed) for seed in range(2)]
    for method in {[m for m in multiprocessing.get_all_start_methods() if m != "fork"]!r}:
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map(trained, range(2)) == wanted, method
"""
    run_script(script, **{VARIABLE: str(tmp_path / "code")})


# -- Ctrl-C -------------------------------------------------------------------------------------

_COMPILES = """
import sys, time
from tests.support.native_training import digest, training_loop
loop = training_loop("conv")
print("ready", flush=True)
interruptions = 0
while True:
    try:
        start = time.monotonic()
        result = digest(loop.compiled(1)(loop.arrays))
        break
    except KeyboardInterrupt:
        interruptions += 1
        print("interrupted", flush=True)
print(f'{{"interruptions": {interruptions}, "result": "{result}"}}', flush=True)
"""


def interrupted_compilation(pause: float, folder: Path) -> tuple[int, str]:
    """How often a process was interrupted while it compiled, and what came out in the end."""
    process = start_script(_COMPILES, **{VARIABLE: str(folder)})
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(pause)
    process.send_signal(signal.SIGINT)
    output, complaints = process.communicate(timeout=100)
    assert process.returncode == 0, complaints
    assert complaints == ""
    *_, last = output.splitlines()
    told = json.loads(last)
    return told["interruptions"], told["result"]


def check_interruptions(pauses: list[float], folder: Path) -> None:
    counts, results = [], set()
    for number, pause in enumerate(pauses):
        own = folder / str(number)
        count, result = interrupted_compilation(pause, own)
        counts.append(count)
        results.add(result)
        entries = [each.name for each in own.iterdir()]
        assert all(len(name) == 64 for name in entries), entries  # nothing half-written
    assert len(results) == 1
    assert sum(counts) >= len(counts) * 3 // 4


@pytest.mark.skipif(os.name == "nt", reason="signals to others are POSIX's")
def test_ctrl_c_ends_a_compilation_and_the_next_one_works(tmp_path: Path) -> None:
    check_interruptions([0.03, 0.15], tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals to others are POSIX's")
def test_ctrl_c_at_any_moment_of_a_compilation(tmp_path: Path) -> None:
    check_interruptions([0.005 * number for number in range(50)], tmp_path)
