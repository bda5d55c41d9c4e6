"""The file of a model: safetensors, with a hash of everything in it.

Tensors have names with slashes; the metadata (text by name) has, besides what the caller puts in:

    format      "clearprop 1"
    clearprop   the version that wrote it
    hashes      JSON: for each tensor the SHA-256 of "dtype shape" and its bytes, and under
                "metadata" that of all other metadata

Nothing that is read runs anything: text, JSON and arrays of numbers are all there is.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from clearprop import __version__
from clearprop.errors import ArgumentError, MissingFileError, ModelFileError
from clearprop.ir.place import here
from clearprop.ir.value import Array
from clearprop.text import bytes_text, did_you_mean
from clearprop.train.atomic import write_atomically

_FORMAT, _VERSION = "clearprop", 1
_MOST_HEADER_BYTES = 1 << 25
_WRITTEN = "a file written by model.save or model.save_weights"


@dataclass(frozen=True)
class Contents:
    """What a model's file holds.

    Attributes:
        path: where it was read.
        tensors: by name.
        metadata: text by name.
    """

    path: Path
    tensors: dict[str, Array]
    metadata: dict[str, str]

    def json(self, name: str) -> Any:
        """The JSON in a part of the metadata; None where it is missing or empty."""
        text = self.metadata.get(name, "")
        with refusing(self.path, f'its part "{name}" cannot be read'):
            return json.loads(text) if text else None

    def under(self, prefix: str) -> dict[str, Array]:
        """The tensors whose names begin with ``prefix`` and a slash, without that."""
        start = f"{prefix}/"
        return {
            name.removeprefix(start): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(start)
        }


def write_file(
    path: str | os.PathLike[str], tensors: Mapping[str, Array], metadata: Mapping[str, str]
) -> None:
    """Write a model's file, atomically.

    Args:
        path: the file; an old one is replaced.
        tensors: by name.
        metadata: text by name.

    Shapes:
        Any.

    Raises:
        ArgumentError: more metadata than a file may have.
        OSError: the system could not write; the old file is untouched.
    """
    told = {"format": f"{_FORMAT} {_VERSION}", "clearprop": __version__, **metadata}
    arrays = {name: np.require(array, requirements="C") for name, array in tensors.items()}
    hashes = {name: _hash_of(array) for name, array in arrays.items()}
    hashes["metadata"] = _hash_of_metadata(told)
    data = save(arrays, {**told, "hashes": json_text(hashes)})
    header_bytes = int.from_bytes(data[:8], "little")
    if header_bytes > _MOST_HEADER_BYTES:
        sizes = {name: len(text) for name, text in told.items()}
        largest = max(sizes, key=lambda name: sizes[name])
        raise ArgumentError(
            f"Saving {path}: there is more text about the model than its file may hold",
            found=f"{bytes_text(header_bytes)}, most of it in its {largest}",
            needed=f"at most {bytes_text(_MOST_HEADER_BYTES)}",
            at=str(here()),
        )
    write_atomically(path, data)


def read_file(path: str | os.PathLike[str]) -> Contents:
    """What a model's file holds, every byte of it checked.

    Raises:
        MissingFileError: there is no such file.
        ModelFileError: it is none that ClearProp wrote, or was damaged since.
    """
    path = Path(path)
    data = _bytes_of(path)
    metadata = _metadata_of(path, data)
    _check_format(path, metadata)
    with refusing(path, "its tensors cannot be read"):
        tensors = load(data)
    contents = Contents(path, tensors, metadata)
    _check_hashes(contents)
    return contents


@contextmanager
def refusing(path: Path, problem: str) -> Generator[None]:
    """Whatever goes wrong inside is the file's fault, and is told as such."""
    try:
        yield
    except ModelFileError as error:
        if not str(error).startswith("Loading "):
            error.add_note(f"while loading {path}")
        raise
    except Exception as error:
        raise damaged(path, problem, found=f"{type(error).__name__}: {error}"[:500]) from error


def damaged(
    path: Path, problem: str, *, found: str, needed: str = "", try_: str = ""
) -> ModelFileError:
    """The error that refuses the file."""
    return ModelFileError(
        f"Loading {path}: {problem}",
        found=found,
        needed=needed or _WRITTEN,
        try_=try_ or "another copy of the file",
        at=str(here()),
    )


def json_text(value: Any) -> str:
    """JSON without needless spaces."""
    return json.dumps(value, separators=(",", ":"))


# -- the bytes --------------------------------------------------------------------


def _bytes_of(path: Path) -> bytes:
    """The whole file, once its beginning says that it is worth reading."""
    if not path.exists():
        beside = []
        if path.parent.is_dir():
            beside = [each.name for each in path.parent.glob("*.safetensors")]
        raise MissingFileError(
            f"Loading {path}: there is no such file",
            found=f"nothing at {path.absolute()}" + did_you_mean(path.name, beside),
            needed=_WRITTEN,
            at=str(here()),
        )
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "no ordinary file"
        raise damaged(path, f"it is {kind}", found=kind, try_="name the file in it")
    size = path.stat().st_size
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(8), "little")
        if size < 8 or not 2 <= header_bytes <= size - 8 or file.read(1) != b"{":
            raise damaged(
                path,
                "it is no safetensors file, or was cut short",
                found=bytes_text(size),
            )
        if header_bytes > _MOST_HEADER_BYTES:
            raise damaged(
                path,
                "its description is too long",
                found=bytes_text(header_bytes),
                needed=f"at most {bytes_text(_MOST_HEADER_BYTES)}",
            )
        file.seek(0)
        return file.read()


def _metadata_of(path: Path, data: bytes) -> dict[str, str]:
    """The text in the file's header, which must also fit the length of the file."""
    end = 8 + int.from_bytes(data[:8], "little")
    with refusing(path, "its description cannot be read"):
        header = json.loads(data[8:end].decode())
        metadata = header.pop("__metadata__", {})
        length = max((entry["data_offsets"][1] for entry in header.values()), default=0)
        text = {str(name): value for name, value in metadata.items() if isinstance(value, str)}
    if length != len(data) - end:
        raise damaged(
            path,
            "it was cut short" if length > len(data) - end else "it is too long",
            found=f"{len(data):,} bytes",
            needed=f"{end + length:,} bytes",
        )
    return text


def _check_format(path: Path, metadata: Mapping[str, str]) -> None:
    name, _, version = metadata.get("format", "").partition(" ")
    if name != _FORMAT or not version.isdecimal():
        raise damaged(
            path,
            "it is a safetensors file, but no model of ClearProp",
            found=f"format {metadata['format']!r}"[:80] if "format" in metadata else "no format",
            try_="the file's own library; set_weights takes arrays from anywhere",
        )
    if version != str(_VERSION):
        raise damaged(
            path,
            "it was written by a newer ClearProp than this one",
            found=f"format {version[:20]}, ClearProp {metadata.get('clearprop', '?')[:20]}",
            needed=f"format {_VERSION}, as ClearProp {__version__} reads it",
            try_="pip install --upgrade clearprop",
        )


# -- hashes -----------------------------------------------------------------------


def _hash_of(array: Array) -> str:
    digest = hashlib.sha256(f"{array.dtype.name} {array.shape}\n".encode())
    digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _hash_of_metadata(metadata: Mapping[str, str]) -> str:
    rest = {name: text for name, text in metadata.items() if name != "hashes"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _check_hashes(contents: Contents) -> None:
    noted = contents.json("hashes")
    real = {name: _hash_of(array) for name, array in contents.tensors.items()}
    real["metadata"] = _hash_of_metadata(contents.metadata)
    if not isinstance(noted, dict) or set(noted) != set(real):
        noted_names = set(noted) if isinstance(noted, dict) else set()
        raise damaged(
            contents.path,
            "its tensors are not those it was written with",
            found=_names_text(set(real) - noted_names) or "fewer",
            needed=_names_text(noted_names - set(real)) or "no others",
        )
    for name, digest in real.items():
        if noted[name] != digest:
            what = "its description" if name == "metadata" else f'the tensor "{name}"'
            raise damaged(
                contents.path,
                f"{what} was changed after it was written",
                found=f"SHA-256 {digest[:16]}...",
                needed=f"{noted[name]}"[:16] + "...",
            )


def _names_text(names: set[str]) -> str:
    shown = sorted(names)[:5]
    return ", ".join(shown) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
