"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from clearprop.errors import ArgumentError, MissingFileError
from clearprop.ir.place import here
from clearprop.text import did_you_mean

_PIECE_BYTES = 1 << 22


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Let ``path`` hold ``data``: at every moment, a crash included, all of the old or of the new.

    A temporary file in the same folder is written, brought to the disk and then renamed.  Its
    mode is that of any new file (0666 without the umask).  A symbolic link stays one: the file it
    points to is replaced.

    Raises:
        MissingFileError: the folder is not there.
        ArgumentError: the path is a folder or a device.
        OSError: the system could not write; the old file is untouched.
    """
    target = _target(Path(path))
    temporary = target.parent / f".{secrets.token_hex(8)}.part"
    try:
        _write(temporary, data)
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            error.add_note(
                f"Saving {target} failed; what was there before is untouched.{_hint(error)}"
            )
        raise
    _settle(target.parent)


def _target(path: Path) -> Path:
    """The file behind the links of ``path``, if it may be written."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        kind = "a folder" if target.is_dir() else "no ordinary file"
        raise ArgumentError(
            f"Saving: {path} is {kind}",
            found=f"{kind}: {target}",
            needed="the name of a file",
            try_=f'"{path / "model.safetensors"}"' if target.is_dir() else "",
            at=str(here()),
        )
    if not target.parent.exists():
        raise MissingFileError(
            f"Saving {path}: its folder is not there",
            found=f"no folder {target.parent}" + _nearest(target.parent),
            needed="a folder that exists",
            try_=f'create it before: os.makedirs("{target.parent}")',
            at=str(here()),
        )
    return target


def _nearest(folder: Path) -> str:
    with contextlib.suppress(OSError):
        beside = [each.name for each in folder.parent.iterdir() if each.is_dir()]
        return did_you_mean(folder.name, beside)
    return ""


def _write(path: Path, data: bytes) -> None:
    """Make the file with ``data`` and wait until the disk has it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest[:_PIECE_BYTES]) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _settle(folder: Path) -> None:
    """Wait until the disk knows the new name, where the system can tell."""
    if os.name == "nt":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in {errno.EINVAL, errno.ENOTSUP, errno.EACCES}:
            return  # a file system, or a folder, of which that cannot be asked
        error.add_note("The new file is in place, but the disk did not confirm its name.")
        raise


def _hint(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "  The disk is full: free some space, or save elsewhere."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return "  You may not write into that folder: save elsewhere."
    return ""
