"""A save that fails, or is killed, never costs the file that was there before."""

from __future__ import annotations

import errno
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import ArgumentError, MissingFileError
from clearprop.train import atomic
from clearprop.train.atomic import write_atomically
from tests.train.nets import told

OLD, NEW = b"old" * 1000, bytes(range(256)) * 50
POSIX = pytest.mark.skipif(os.name == "nt", reason="modes, links and kill -9 are POSIX's")


def test_a_new_file_holds_the_data(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", NEW)
    write_atomically(str(tmp_path / "empty"), b"")
    assert (tmp_path / "file").read_bytes() == NEW
    assert (tmp_path / "empty").read_bytes() == b""
    assert len(list(tmp_path.iterdir())) == 2


@POSIX
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_the_umask_decides_the_mode(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        for _ in range(2):
            write_atomically(tmp_path / "file", NEW)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~umask


@POSIX
def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there/file")
    for data in (OLD, NEW):  # the first makes the file that the link promised
        write_atomically(tmp_path / "link", data)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "there" / "file").read_bytes() == data


@POSIX
def test_a_device_is_not_replaced() -> None:
    with pytest.raises(ArgumentError, match="no ordinary file"):
        write_atomically(os.devnull, NEW)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError) as caught:
        write_atomically(tmp_path, NEW)
    assert told(caught.value, tmp_path) == (
        "Saving: FOLDER is a folder\n"
        "  found:  a folder: FOLDER\n"
        "  needed: the name of a file\n"
        '  try:    "FOLDER/model.safetensors"'
    )


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(tmp_path / "model" / "net.safetensors", NEW)
    assert isinstance(caught.value, MissingFileError)
    assert told(caught.value, tmp_path) == (
        "Saving FOLDER/model/net.safetensors: its folder is not there\n"
        '  found:  no folder FOLDER/model did you mean "models"?\n'
        "  needed: a folder that exists\n"
        '  try:    create it before: os.makedirs("FOLDER/model")'
    )


# -- errors of the system -----------------------------------------------------------


@contextmanager
def failing(
    monkeypatch: pytest.MonkeyPatch, name: str, call: int, error: int
) -> Generator[list[int]]:
    """The ``call``-th call of ``os.name`` inside raises; yields how many calls there were."""
    real: Callable[..., Any] = getattr(os, name)
    calls = [0]

    def sometimes(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == call:
            raise OSError(error, os.strerror(error))
        return real(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(atomic.os, name, sometimes)
        yield calls


STEPS = [
    *(("write", call) for call in range(1, 14)),
    *(("open", 1), ("fsync", 1), ("close", 1), ("replace", 1)),
]


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EACCES])
@pytest.mark.parametrize(("name", "call"), STEPS)
def test_an_error_leaves_the_old_file(
    name: str, call: int, error: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    monkeypatch.setattr(atomic, "_PIECE_BYTES", 1000)  # 13 writes
    with (
        failing(monkeypatch, name, call, error) as calls,
        pytest.raises(OSError, match=os.strerror(error)) as caught,
    ):
        write_atomically(path, NEW)
    assert calls[0] >= call
    assert caught.value.errno == error
    assert path.read_bytes() == OLD
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert "what was there before is untouched" in caught.value.__notes__[0]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(atomic.os, "write", lambda file, data: real(file, data[:77]))
    write_atomically(tmp_path / "file", NEW)
    assert (tmp_path / "file").read_bytes() == NEW


def test_an_interrupt_cleans_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", NEW)
    assert list(tmp_path.iterdir()) == []


@POSIX
@pytest.mark.parametrize(("error", "raises"), [(errno.EIO, True), (errno.EINVAL, False)])
def test_a_folder_that_cannot_be_synchronized(
    error: int, raises: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with failing(monkeypatch, "fsync", 2, error):
        if raises:
            with pytest.raises(OSError, match=os.strerror(error)) as caught:
                write_atomically(tmp_path / "file", NEW)
            assert "is in place" in caught.value.__notes__[0]
        else:
            write_atomically(tmp_path / "file", NEW)
    assert (tmp_path / "file").read_bytes() == NEW


def test_hints_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hints = {errno.ENOSPC: "The disk is full", errno.EROFS: "You may not write into that folder"}
    for error, hint in hints.items():
        with failing(monkeypatch, "write", 1, error), pytest.raises(OSError) as caught:  # noqa: PT011
            write_atomically(tmp_path / "file", NEW)
        assert hint in caught.value.__notes__[0]


# -- kill -9 ------------------------------------------------------------------------

NURSERY = """
import os, sys
import numpy as np
import clearprop as cp

path = sys.argv[1]
model = cp.Sequential([cp.layers.Input((200,)), cp.layers.Dense(150), cp.layers.Dense(50)])
model.compile("sgd", "mse")
shapes = [weight.shape for weight in model.weights]
for line in sys.stdin:
    child = os.fork()
    if not child:
        version = int(line)
        while True:
            version += 1
            model.set_weights([np.full(shape, version, np.float32) for shape in shapes])
            model.notes["version"] = version
            model.save(path)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""


def check_kills(count: int, folder: Path) -> None:
    """Kill a process that saves all the time; the file is always one of those it wrote."""
    path, clock = folder / "model.safetensors", random.Random(0)
    command = [sys.executable, "-W", "ignore", "-c", NURSERY, str(path)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    version, seen = 0, set()
    with subprocess.Popen(command, **pipes) as nursery:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        for number in range(count):
            nursery.stdin.write(f"{version}\n")
            nursery.stdin.flush()
            child = int(nursery.stdout.readline())
            if number == 0:  # a busy machine saves slowly: later moments are some saves away
                start = time.monotonic()
                while not path.exists():
                    time.sleep(0.001)
                latest = max(0.04, 4 * (time.monotonic() - start))
            time.sleep(clock.uniform(0.001, latest))
            os.kill(child, signal.SIGKILL)
            assert nursery.stdout.readline() == "gone\n"
            model = cp.load_model(path)
            assert model.notes["version"] >= version
            version = model.notes["version"]
            for weight in model.get_weights():
                np.testing.assert_array_equal(weight, version)
            seen.add(version)
        nursery.stdin.close()
    assert len(seen) > count // 4, "the process was killed before it could save"


@POSIX
def test_kills_never_cost_the_file(tmp_path: Path) -> None:
    check_kills(20, tmp_path)


@POSIX
@pytest.mark.slow
def test_two_hundred_kills_never_cost_the_file(tmp_path: Path) -> None:
    check_kills(200, tmp_path)
