"""Object files of Linux on x86, linked into this process without LLVM.

Code that was compiled before needs no compiler any more, but LLVM's library takes 50 MB of every
process that so much as links with it.  Our object files are simple: code, constants, calls of each
other and of a few functions of the C library.  What else a file holds is left to LLVM
(``engine.linked``).  The format: ELF-64 Object File Format, version 1.5, and the System V
Application Binary Interface's supplement for AMD64.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import struct
import sys
from collections.abc import Sequence
from typing import NamedTuple

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")
_RELOCATABLE, _X86_64 = 1, 62  # kinds of files, and of processors
_PROGRAM, _SYMBOLS, _RELOCATIONS = 1, 2, 4  # kinds of sections
_UNWINDING = 0x70000001  # how exceptions leave functions, which none passes
_WRITABLE, _IN_MEMORY = 1, 2  # flags of sections
_UNDEFINED, _RESERVED = 0, 0xFF00  # numbers of no section
# Kinds of places that are to be filled in: with an address, with how far away it is.
_ABSOLUTE, _FAR = 1, 24
_NEAR, _CALL = 2, 4
_JUMP = b"\xff\x25\x00\x00\x00\x00"  # jmp [rip]: to the address that follows
_JUMP_BYTES = 16


class UnusualError(Exception):
    """An object file holds something that is not linked here."""


class _Section(NamedTuple):
    kind: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int


def is_possible() -> bool:
    """Whether object files for this system are of the kind that is linked here."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


class LinkedCode:
    """The code of an object file, in memory of its own.

    Args:
        image: the object file.
        names: functions that are to be called.

    Attributes:
        addresses: where each of the functions begins.

    Raises:
        UnusualError: the file holds what is not linked here, or is none.
    """

    def __init__(self, image: bytes, names: Sequence[str]) -> None:
        try:
            self._link(image)
            self.addresses = {name: self._address_of[name] for name in names}
        except (struct.error, LookupError, OverflowError, ValueError) as error:
            raise UnusualError(f"{type(error).__name__}: {error}") from error

    def _link(self, image: bytes) -> None:
        sections = _sections(image)
        places, end = _places(sections)
        (table,) = (each for each in sections if each.kind == _SYMBOLS)
        symbols = list(_SYMBOL.iter_unpack(_content(image, table)))
        strings = _content(image, sections[table.link])
        outside = {
            number: _name(strings, symbol[0])
            for number, symbol in enumerate(symbols)
            if number and symbol[3] == _UNDEFINED
        }
        jumps = {number: end + _JUMP_BYTES * at for at, number in enumerate(outside)}
        size = max(end + _JUMP_BYTES * len(jumps), 1)
        self._memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._hold = ctypes.c_char.from_buffer(self._memory)  # nobody may close it
        base = ctypes.addressof(self._hold)
        for number, place in places.items():
            self._memory[place : place + sections[number].size] = _content(image, sections[number])
        for number, place in jumps.items():
            target = struct.pack("<Q", _outside_address(outside[number]))
            self._memory[place : place + _JUMP_BYTES] = (_JUMP + target).ljust(_JUMP_BYTES, b"\xcc")

        def address(number: int) -> int:
            if number in jumps:
                return base + jumps[number]
            _, _, _, section, value, _ = symbols[number]
            if section >= _RESERVED:
                raise UnusualError(f"a symbol of section {section:#x}")
            return base + places[section] + int(value)

        for each in sections:
            if each.kind == _RELOCATIONS and each.info in places:
                for offset, what, addend in _RELOCATION.iter_unpack(_content(image, each)):
                    target = address(what >> 32) + addend
                    self._fill(places[each.info] + offset, what & 0xFFFFFFFF, target, base)
        self._address_of = {
            _name(strings, symbol[0]): address(number)
            for number, symbol in enumerate(symbols)
            if symbol[3] in places
        }
        _let_run(base, size)

    def _fill(self, place: int, kind: int, target: int, base: int) -> None:
        """Put an address, or how far away it is, where code wants it."""
        distance = target - (base + place)
        if kind in {_NEAR, _CALL}:
            struct.pack_into("<i", self._memory, place, distance)
        elif kind == _FAR:
            struct.pack_into("<q", self._memory, place, distance)
        elif kind == _ABSOLUTE:
            struct.pack_into("<Q", self._memory, place, target)
        else:
            raise UnusualError(f"a relocation of kind {kind}")


def _sections(image: bytes) -> list[_Section]:
    identity, kind, processor, _, _, _, start, *_, size, count, _ = _HEADER.unpack_from(image)
    is_ours = identity[:6] == b"\x7fELF\x02\x01" and (kind, processor) == (_RELOCATABLE, _X86_64)
    if not is_ours or size != _SECTION.size:
        raise UnusualError("no object file for x86-64")
    found = []
    for number in range(count):
        _, sort, flags, _, offset, length, link, info, alignment, _ = _SECTION.unpack_from(
            image, start + number * size
        )
        found.append(_Section(sort, flags, offset, length, link, info, alignment))
    return found


def _content(image: bytes, section: _Section) -> bytes:
    content = image[section.offset : section.offset + section.size]
    if len(content) != section.size:
        raise UnusualError("the file ends too early")
    return content


def _places(sections: Sequence[_Section]) -> tuple[dict[int, int], int]:
    """Where each section goes that belongs into memory, and where they end."""
    places, end = {}, 0
    for number, each in enumerate(sections):
        if not each.flags & _IN_MEMORY or not each.size or each.kind == _UNWINDING:
            continue
        if each.kind != _PROGRAM or each.flags & _WRITABLE or each.alignment > mmap.PAGESIZE:
            raise UnusualError("a section of data that can change, or of another kind")
        step = max(each.alignment, 1)
        places[number] = end = -(-end // step) * step
        end += each.size
    return places, -(-end // _JUMP_BYTES) * _JUMP_BYTES


def _name(strings: bytes, start: int) -> str:
    return strings[start : strings.index(b"\0", start)].decode()


def _outside_address(name: str) -> int:
    """Where a function of the C library begins."""
    function = getattr(ctypes.CDLL(None), name, None)
    if function is None:
        raise UnusualError(f"no function {name} in this process")
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None
    return address


def _let_run(start: int, size: int) -> None:
    """Let memory be read and run, and no longer be written."""
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    flags = mmap.PROT_READ | mmap.PROT_EXEC
    if protect(ctypes.c_void_p(start), ctypes.c_size_t(size), flags):
        raise UnusualError(os.strerror(ctypes.get_errno()))
