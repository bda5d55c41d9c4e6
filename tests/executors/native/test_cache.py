"""The compile cache is safe: what is not surely ours and whole is as if it was not there."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clearprop.executors.native import cache
from tests.support.processes import start_script

KEY, OTHER = "0123456789abcdef" * 4, "f" * 64
POSIX = pytest.mark.skipif(os.name == "nt", reason="owners, modes and links are POSIX's")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cache, which is not there yet."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "kept" / "code"))
    monkeypatch.setattr(cache._Written, "unseen_bytes", 0)
    return tmp_path / "kept" / "code"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no wishes of its user."""
    for name in (cache.VARIABLE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.parametrize("entry", [b"", b"code", bytes(range(256)) * 4000])
def test_what_is_stored_is_found(folder: Path, entry: bytes) -> None:
    assert cache.load(KEY) is None
    cache.store(KEY, entry)
    assert cache.load(KEY) == entry
    assert cache.load(OTHER) is None
    assert names_in(folder) == [KEY]
    cache.store(KEY, b"newer")
    assert cache.load(KEY) == b"newer"


@pytest.mark.parametrize("key", ["", "..", "../" + KEY, KEY.upper(), KEY + "0", KEY[:-1] + "\n"])
def test_only_keys_are_names_of_files(folder: Path, key: str) -> None:
    cache.store(key, b"code")
    assert cache.load(key) is None
    assert not folder.exists()


@pytest.mark.parametrize("told", ["0", "off", "OFF", " off "])
def test_it_can_be_switched_off(home: Path, monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv(cache.VARIABLE, told)
    monkeypatch.chdir(home)
    cache.store(KEY, b"code")
    assert cache.load(KEY) is None
    assert names_in(home) == []


# -- where it lies ------------------------------------------------------------------------


@POSIX
@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_nobody_else_may_look(home: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        cache.store(KEY, b"code")
    finally:
        os.umask(before)
    place = home / ".cache" / "clearprop" / "native" / KEY
    assert cache.load(KEY) == b"code"
    assert place.stat().st_mode & 0o777 == 0o600
    for each in list(place.parents)[:3]:
        assert each.stat().st_mode & 0o777 == 0o700


@POSIX
def test_the_user_chooses_the_cache_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "mine"))
    cache.store(KEY, b"code")
    assert (home / "mine" / "clearprop" / "native" / KEY).exists()
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which the standard tells to ignore
    cache.store(KEY, b"code")
    assert (home / ".cache" / "clearprop" / "native" / KEY).exists()


@POSIX
def test_macs_have_a_folder_of_their_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    (home / "Library").mkdir()
    cache.store(KEY, b"code")
    assert (home / "Library" / "Caches" / "clearprop" / "native" / KEY).exists()


@POSIX
def test_nothing_is_made_in_the_home_of_somebody_else(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: home.stat().st_uid + 1)
    cache.store(KEY, b"code")
    assert names_in(home) == []


@POSIX
def test_a_foreign_folder_is_ignored(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.store(KEY, b"code")
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    assert cache.load(KEY) is None
    cache.store(OTHER, b"code")
    assert names_in(folder) == [KEY]


@POSIX
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_that_others_can_write_is_ignored(folder: Path, mode: int) -> None:
    cache.store(KEY, b"code")
    folder.chmod(mode)
    assert cache.load(KEY) is None
    cache.store(OTHER, b"code")
    assert names_in(folder) == [KEY]


@POSIX
def test_above_the_folder_nobody_else_can_write_either(home: Path) -> None:
    cache.store(KEY, b"code")
    above = home / ".cache" / "clearprop"
    above.chmod(0o777)
    assert cache.load(KEY) is None
    above.chmod(0o700)
    assert cache.load(KEY) == b"code"


@POSIX
def test_a_link_is_no_folder(folder: Path, tmp_path: Path) -> None:
    cache.store(KEY, b"code")
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert cache.load(KEY) is None
    cache.store(OTHER, b"code")
    assert names_in(tmp_path / "elsewhere") == [KEY]
    folder.unlink()
    folder.symlink_to(tmp_path / "nowhere")
    cache.store(OTHER, b"code")
    assert not (tmp_path / "nowhere").exists()


# -- what is in it ------------------------------------------------------------------------


def _link(path: Path) -> None:
    path.rename(path.with_name("real"))
    path.symlink_to(path.with_name("real"))


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@POSIX
@pytest.mark.parametrize("spoil", [_link, _pipe, _folder, lambda path: path.chmod(0o666)])
def test_only_ordinary_files_of_ours_are_read(folder: Path, spoil: Callable[[Path], None]) -> None:
    cache.store(KEY, b"code")
    spoil(folder / KEY)
    assert cache.load(KEY) is None


@POSIX
def test_storing_replaces_a_link_and_not_what_it_points_to(folder: Path, tmp_path: Path) -> None:
    cache.store(OTHER, b"code")
    (tmp_path / "precious").write_bytes(b"precious")
    (folder / KEY).symlink_to(tmp_path / "precious")
    cache.store(KEY, b"code")
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert cache.load(KEY) == b"code"


def test_a_damaged_entry_is_removed(folder: Path) -> None:
    entry = b"some code"
    cache.store(KEY, entry)
    whole = (folder / KEY).read_bytes()
    damaged = [whole[:length] for length in range(len(whole))]
    damaged += [whole[:n] + bytes([whole[n] ^ 1]) + whole[n + 1 :] for n in range(len(whole))]
    damaged += [whole + b"\0", whole * 2, entry]
    for content in damaged:
        (folder / KEY).write_bytes(content)
        assert cache.load(KEY) is None
        assert not (folder / KEY).exists()
    cache.store(KEY, entry)
    assert cache.load(KEY) == entry


def test_an_entry_with_another_name_is_no_entry(folder: Path) -> None:
    cache.store(KEY, b"code")
    (folder / KEY).rename(folder / OTHER)
    assert cache.load(OTHER) is None


@pytest.mark.parametrize("stumbles", [os.replace, os.open, os.mkdir])
def test_a_full_disk_costs_nothing_but_the_entry(
    folder: Path, monkeypatch: pytest.MonkeyPatch, stumbles: Callable[..., object]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, stumbles.__name__, full)
        cache.store(KEY, b"code")
    assert not folder.exists() or names_in(folder) == []
    assert cache.load(KEY) is None


def test_ctrl_c_leaves_nothing_half_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            cache.store(KEY, b"code")
    assert names_in(folder) == []


# -- how much is in it ----------------------------------------------------------------------


def test_what_was_not_used_for_longest_makes_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"{number:064x}" for number in range(8)]
    for age, key in enumerate(keys):
        cache.store(key, b"x" * 1000)
        os.utime(folder / key, (time.time() - 1000 + age,) * 2)
    assert cache.load(keys[0]) is not None  # so it was used just now
    (folder / "somebody else's").write_bytes(b"x" * 10_000)
    monkeypatch.setattr(cache, "MOST_BYTES", 6 * 1060)
    monkeypatch.setattr(cache, "_SWEEP_BYTES", 1)
    cache.store(OTHER, b"x" * 1000)
    assert names_in(folder) == sorted([keys[0], *keys[6:], OTHER, "somebody else's"])


def test_what_nobody_finished_is_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.store(KEY, b"code")
    new, old, strange = ".0123456789abcdef.part", ".fedcba9876543210.part", ".letter.part"
    for name in (new, old, strange):
        (folder / name).write_bytes(b"")
    for name in (old, strange):
        os.utime(folder / name, (time.time() - 7200,) * 2)
    monkeypatch.setattr(cache, "_SWEEP_BYTES", 1)
    cache.store(OTHER, b"code")
    assert names_in(folder) == sorted([KEY, OTHER, new, strange])


def test_a_huge_entry_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_LARGEST_ENTRY_BYTES", 100)
    cache.store(KEY, b"x" * 101)
    assert not folder.exists()


# -- many at once ---------------------------------------------------------------------------

_RACE = """
import random
from clearprop.executors.native import cache
keys = [f"{number:064x}" for number in range(4)]
cache.MOST_BYTES, cache._SWEEP_BYTES = 9_000, 3_000
found = 0
for turn in range(ROUNDS):
    key = random.choice(keys)
    entry = (key * 40).encode()
    got = cache.load(key)
    assert got is None or got == entry
    found += got is not None
    if got is None or turn % 5 == 0:
        cache.store(key, entry)
assert found
"""


def race(rounds: int, folder: Path) -> None:
    script = _RACE.replace("ROUNDS", str(rounds))
    racing = [start_script(script, **{cache.VARIABLE: str(folder)}) for _ in range(8)]
    for each in racing:
        output, complaints = each.communicate(timeout=300)
        assert (each.returncode, output, complaints) == (0, "", "")
    assert all(len(name) == 64 for name in names_in(folder))  # nothing half-written


def test_eight_processes_may_race(tmp_path: Path) -> None:
    race(200, tmp_path / "code")


@pytest.mark.slow
def test_eight_processes_may_race_for_long(tmp_path: Path) -> None:
    race(10_000, tmp_path / "code")
