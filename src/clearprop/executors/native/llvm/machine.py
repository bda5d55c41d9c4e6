"""What the compiler has to know about a processor."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite

from clearprop.executors.native.cache import load, store

LINE_BYTES = 64  # of a cache


@dataclass(frozen=True)
class Machine:
    """A processor, as the schedule needs it.

    Attributes:
        triple: LLVM's name for the architecture and system.
        cpu: LLVM's name for the processor.
        features: its instruction sets as LLVM writes them: ``+avx2,-avx512f``.
        vector_bytes: width of a vector register.
        vector_registers: how many there are.
        level1_bytes: size of the first data cache of a core.
        level2_bytes: size of the second.
    """

    triple: str
    cpu: str
    features: str
    vector_bytes: int
    vector_registers: int
    level1_bytes: int = 32 << 10
    level2_bytes: int = 512 << 10

    def lanes(self, element_bytes: int) -> int:
        """How many numbers of this size a vector register holds."""
        return self.vector_bytes // element_bytes

    def has(self, feature: str) -> bool:
        """Whether the instruction set is there."""
        return f"+{feature}" in self.features.split(",")

    @property
    def is_x86(self) -> bool:
        """Whether it is an x86 processor with 64 bits."""
        return self.triple.startswith("x86_64")


# Instruction sets of x86 that can be asked for by name, from the narrowest to the widest: what
# must be absent, vector bytes, vector registers.
_X86_SETS = {
    "sse": ("-avx", "-avx2", "-fma", "-avx512f"),
    "avx2": ("-avx512f",),
    "avx512": (),
}
_WIDTHS = {"sse": (16, 16), "avx2": (32, 16), "avx512": (64, 32)}
# What Linux tells about a processor that LLVM goes by, and more.
_TOLD = ("vendor_id", "cpu family", "model", "stepping", "flags")


@cache
def this_machine(instructions: str | None = None) -> Machine:
    """The processor that this runs on, or a part of it.

    Args:
        instructions: ``"sse"``, ``"avx2"`` or ``"avx512"`` for code that uses no more than these;
            None for all that is there.
    """
    triple, cpu, found = _processor()
    features = {name for name, is_there in found.items() if is_there}
    widths = (16, 32)  # AArch64: 32 registers of 128 bits
    if triple.startswith("x86_64"):
        best = "avx512" if "avx512f" in features else "avx2" if "avx2" in features else "sse"
        widths = _WIDTHS[instructions or best]
    text = ",".join(f"{'+' if found[name] else '-'}{name}" for name in sorted(found))
    machine = Machine(
        triple,
        cpu,
        text,
        *widths,
        level1_bytes=_cache_bytes(1) or 32 << 10,
        level2_bytes=_cache_bytes(2) or 512 << 10,
    )
    if instructions is not None and machine.is_x86:
        machine = _without(machine, _X86_SETS[instructions])
    return machine


class _Processor(NamedTuple):
    """LLVM's names for this system and processor, and which instruction sets are there."""

    triple: str
    cpu: str
    features: dict[str, bool]


def _processor() -> _Processor:
    """What LLVM says, in an earlier process if it was the same processor: loading it takes long."""
    key = _processor_key()
    known = None if key is None else _read(load(key))
    if known is not None:
        return known
    import llvmlite.binding as llvm  # loads LLVM: only when it is needed

    found = _Processor(
        llvm.get_process_triple(), llvm.get_host_cpu_name(), dict(llvm.get_host_cpu_features())
    )
    if key is not None:
        store(key, json.dumps(found).encode())
    return found


def _read(entry: bytes | None) -> _Processor | None:
    """A processor that an earlier process has stored."""
    try:
        told: Any = json.loads(entry or b"")
    except (ValueError, RecursionError):
        return None
    match told:
        case [str(triple), str(cpu), dict(features)]:
            return _Processor(
                triple, cpu, {str(name): bool(is_there) for name, is_there in features.items()}
            )
    return None


def _processor_key() -> str | None:
    """The key of what is known about this processor; None where the system tells nothing."""
    try:
        first = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except OSError:
        return None
    lines = [line for line in first.splitlines() if line.startswith(_TOLD)]
    if not any(line.startswith("flags") for line in lines):
        return None
    return hashlib.sha256("\n".join([llvm_version(), *lines]).encode()).hexdigest()


@cache
def llvm_version() -> str:
    """Which LLVM there is: another build of the same version is another one."""
    files = sorted((Path(llvmlite.__file__).parent / "binding").glob("*llvmlite.*"))
    return " ".join([llvmlite.__version__, *(f"{each.stat().st_size}" for each in files)])


def neon_machine() -> Machine:
    """A typical AArch64 processor, to write code for on another machine."""
    return Machine("aarch64-unknown-linux-gnu", "cortex-a76", "+neon", 16, 32)


def _without(machine: Machine, absent: tuple[str, ...]) -> Machine:
    """The machine with instruction sets switched off, and all that LLVM derives from them."""
    names = [name[1:] for name in absent]
    kept = []
    for feature in machine.features.split(","):
        name = feature[1:]
        derived = any(name.startswith(each) for each in names) or (
            "avx512f" in names and name.startswith(("avx512", "avx10", "evex"))
        )
        vex = "avx" in names and name in {"f16c", "xop", "fma4", "vaes", "vpclmulqdq", "gfni"}
        kept.append(f"-{name}" if derived or vex else feature)
    # A cpu name brings its own features along: the plain one brings none.
    return replace(machine, cpu="x86-64", features=",".join(kept))


def _cache_bytes(level: int) -> int | None:
    """Size of the data cache of this level, as Linux tells it."""
    for index in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        try:
            if (index / "level").read_text().strip() != str(level):
                continue
            if (index / "type").read_text().strip() == "Instruction":
                continue
            size = (index / "size").read_text().strip()
        except OSError:
            continue
        unit = {"K": 1 << 10, "M": 1 << 20}.get(size[-1:], 1)
        return int(size.rstrip("KM")) * unit
    return None


def available_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
