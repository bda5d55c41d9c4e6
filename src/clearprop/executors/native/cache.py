"""Compiled code on disk, so that the second start of the same training compiles nothing.

Every entry is a file of its own, called by its key; it carries a SHA-256 of itself.  Code that is
read is code that will run, so the folder and the file must belong to this user and nobody else
may write there.  Nothing here ever raises an error: whatever is doubtful is as if it was not there.

``CLEARPROP_CACHE`` names another folder than the user's cache folder; ``off`` or ``0`` none.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import stat
import sys
import time
from pathlib import Path

VARIABLE = "CLEARPROP_CACHE"
MOST_BYTES = 512 << 20  # of all entries; beyond, those not used for longest are removed
_LARGEST_ENTRY_BYTES = 64 << 20
_SWEEP_BYTES = 16 << 20  # written by this process before it looks at the whole folder again
_STALE_SECONDS = 3600  # after which an unfinished file is nobody's
_MAGIC = b"clearprop native 1\n"
_DIGEST_BYTES = 32
_KEY = re.compile(r"[0-9a-f]{64}")
_UNFINISHED = re.compile(r"\.[0-9a-f]{16}\.part")


class _Written:
    """How many bytes this process wrote since it looked at the whole folder; at first too many."""

    unseen_bytes = _SWEEP_BYTES


def load(key: str) -> bytes | None:
    """The entry that was stored under this key; None where there is none that can be trusted."""
    folder = _folder() if _KEY.fullmatch(key) else None
    if folder is None or not _is_safe(folder):
        return None
    path = folder / key
    try:
        content = _content(path)
    except OSError:
        return None
    if content is None:
        return None
    start = len(_MAGIC) + _DIGEST_BYTES
    entry = content[start:]
    with contextlib.suppress(OSError):
        if content[:start] == _MAGIC + _digest(key, entry):
            os.utime(path)
            return entry
        path.unlink()
    return None


def store(key: str, entry: bytes) -> None:
    """Keep an entry for other processes, if that is possible.

    Args:
        key: 64 hexadecimal digits.
        entry: what ``load`` shall return.
    """
    folder = _folder() if _KEY.fullmatch(key) else None
    if folder is None or len(entry) > _LARGEST_ENTRY_BYTES:
        return
    with contextlib.suppress(OSError):
        _make(folder)
        if not _is_safe(folder):
            return
        content = _MAGIC + _digest(key, entry) + entry
        _write(folder / key, content)
        _Written.unseen_bytes += len(content)
        if _Written.unseen_bytes >= _SWEEP_BYTES:
            _Written.unseen_bytes = 0
            _sweep(folder)


def _digest(key: str, entry: bytes) -> bytes:
    return hashlib.sha256(key.encode() + entry).digest()


# -- the folder ---------------------------------------------------------------------------


def _folder() -> Path | None:
    """Where entries lie, if anywhere."""
    told = _wish()
    if told.lower() in {"0", "off"}:
        return None
    try:
        return Path(told).expanduser().absolute() if told else _user_folder()
    except (OSError, RuntimeError):  # nobody's home
        return None


def _wish() -> str:
    """What the user wants, or an empty text."""
    return os.environ.get(VARIABLE, "").strip()


def _user_folder() -> Path | None:
    if os.name == "nt":
        local = os.environ.get("LOCALAPPDATA", "")
        base = Path(local) if local else None
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        told = Path(os.environ.get("XDG_CACHE_HOME", ""))
        base = told if told.is_absolute() else Path.home() / ".cache"
    return None if base is None else base / "clearprop" / "native"


def _is_ours(found: os.stat_result) -> bool:
    """Whether nobody but this user can have written it."""
    if os.name == "nt":
        return True  # the folder for local data belongs to one user
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _is_safe(folder: Path) -> bool:
    """Whether the folder is one that nobody else can change; a link is no folder."""
    checked = [folder] if _wish() else [folder.parent, folder]
    try:
        states = [os.lstat(each) for each in checked]
    except OSError:
        return False
    return all(stat.S_ISDIR(each.st_mode) and _is_ours(each) for each in states)


def _make(folder: Path) -> None:
    """Make the folder and those above it, unless it would be in somebody else's home."""
    missing = []
    above = folder
    while not os.path.lexists(above):
        missing.append(above)
        above = above.parent
    if missing and not _wish() and not _is_ours(os.stat(above)):
        return
    for each in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another process was faster
            each.mkdir(mode=0o700)


# -- files --------------------------------------------------------------------------------


def _content(path: Path) -> bytes | None:
    """What is in a file; None where it is not an ordinary file of ours."""
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags)
    try:
        found = os.fstat(descriptor)
        is_good = stat.S_ISREG(found.st_mode) and _is_ours(found)
        if not is_good or found.st_size > 2 * _LARGEST_ENTRY_BYTES:
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def _write(path: Path, content: bytes) -> None:
    """Let the file have this content: at every moment all of it, or what was there before."""
    temporary = path.parent / f".{secrets.token_hex(8)}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _sweep(folder: Path) -> None:
    """Remove what was not used for longest, if all is too much; and what nobody finished."""
    entries = []
    now = time.time()
    with os.scandir(folder) as files:
        for each in files:
            found = each.stat(follow_symlinks=False)
            if _KEY.fullmatch(each.name) and stat.S_ISREG(found.st_mode):
                entries.append((found.st_mtime_ns, found.st_size, each.path))
            elif _UNFINISHED.fullmatch(each.name) and found.st_mtime < now - _STALE_SECONDS:
                _remove(each.path)
    total = sum(size for _, size, _ in entries)
    if total <= MOST_BYTES:
        return
    for _, size, path in sorted(entries):
        _remove(path)
        total -= size
        if total <= MOST_BYTES * 3 // 4:
            break


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
