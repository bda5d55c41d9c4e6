"""What has to be known, beside the code itself, to run it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

_MOST_BYTES = 1 << 48
_LENGTH_BYTES = 8
_TIMES = ("seconds", "round_seconds")
_COUNTS = ("inputs", "outputs", "arena_bytes", "slot_bytes", "kept_bytes")


@dataclass(frozen=True)
class Blueprint:
    """What the run of a Program needs to know.

    Attributes:
        function: name of the function to call.
        inputs: number of inputs.
        outputs: number of outputs.
        arena_bytes: memory that it needs while it runs.
        slot_bytes: memory that each thread needs for itself.
        kept_bytes: memory that is zero at first and that it leaves as it wants to find it.
        constants: which of the Program's constants the code reads, in the order of the table.
        seconds: about how long it takes, or one round of a loop, on one thread.
        round_seconds: the same of a round of the innermost loops.
        exchanges: whether threads exchange data that may pass the caches.
        kernels: label and arithmetic operations of each kernel whose cycles are counted.
    """

    function: str
    inputs: int
    outputs: int
    arena_bytes: int
    slot_bytes: int
    kept_bytes: int
    constants: tuple[int, ...]
    seconds: float
    round_seconds: float
    exchanges: bool
    kernels: tuple[tuple[str, int], ...] = ()

    def needed_bytes(self, threads: int) -> int:
        """Memory for intermediate results on so many threads."""
        return self.arena_bytes + threads * self.slot_bytes


def packed(blueprint: Blueprint, image: bytes) -> bytes:
    """A blueprint and an object file in one: length of the first, both."""
    text = json.dumps(asdict(blueprint), sort_keys=True).encode()
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text + image


def unpacked(entry: bytes) -> tuple[Blueprint, bytes] | None:
    """What ``packed`` put together; None for anything else."""
    length = int.from_bytes(entry[:_LENGTH_BYTES], "little")
    end = _LENGTH_BYTES + length
    if len(entry) <= end:
        return None
    try:
        data = json.loads(entry[_LENGTH_BYTES:end])
    except (ValueError, RecursionError):
        return None
    blueprint = _read(data)
    return None if blueprint is None else (blueprint, entry[end:])


def _read(data: Any) -> Blueprint | None:
    names = {field.name for field in fields(Blueprint)}
    if not isinstance(data, dict) or data.keys() != names:
        return None
    constants, kernels = data["constants"], data["kernels"]
    is_good = (
        isinstance(data["function"], str)
        and all(_is_count(data[name]) for name in _COUNTS)
        and isinstance(constants, list)
        and all(map(_is_count, constants))
        and all(type(data[name]) is float and math.isfinite(data[name]) for name in _TIMES)
        and isinstance(data["exchanges"], bool)
        and isinstance(kernels, list)
        and all(map(_is_kernel, kernels))
    )
    if not is_good:
        return None
    data["constants"], data["kernels"] = tuple(constants), tuple(map(tuple, kernels))
    return Blueprint(**data)


def _is_count(item: Any) -> bool:
    return type(item) is int and 0 <= item < _MOST_BYTES


def _is_kernel(item: Any) -> bool:
    match item:
        case [str(), int(flops)]:
            return type(flops) is int and flops >= 0
    return False
