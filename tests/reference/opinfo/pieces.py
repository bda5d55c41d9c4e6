"""Counterparts of what PyTorch cuts out of arrays, and sums up in segments of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearprop import ops
from tests.reference.opinfo.helpers import Counterpart, leave_out


def _chunk(x: Any, chunks: int, dim: int = 0) -> Any:
    length = max(1, -(-x.shape[dim] // chunks))
    return ops.split(x, list(range(length, x.shape[dim], length)), dim)


def _split(x: Any, lengths: Any, dim: int = 0) -> Any:
    if isinstance(lengths, int):
        return ops.split(x, list(range(lengths, x.shape[dim], lengths)), dim)
    leave_out(sum(lengths) != x.shape[dim], "split takes indices, not lengths")
    ends = [sum(lengths[: n + 1]) for n in range(len(lengths) - 1)]
    return ops.split(x, ends, dim)


def _tensor_split(x: Any, places: Any, dim: int = 0) -> Any:
    """Places that are a Tensor are known beforehand; a number of parts need not divide."""
    if not isinstance(places, (int, tuple, list)):
        places = places.tolist()
    if isinstance(places, int):
        small, larger = divmod(x.shape[dim], places)
        lengths = [small + (n < larger) for n in range(places)]
        places = [sum(lengths[: n + 1]) for n in range(places - 1)]
    return ops.split(x, list(places), dim)


def _split_along(axis: int) -> Counterpart:
    def call(x: Any, places: Any) -> Any:
        return ops.split(x, places, 0 if x.ndim == 1 and axis == 1 else axis)

    return call


def _slice(x: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    return x[(slice(None),) * dim + (slice(start, end, step),)]


def _segment_reduce(x: Any, reduce: str, *, axis: int = 0, **arguments: Any) -> Any:
    """Rows that follow each other are summed up; ``initial`` is where each sum begins."""
    leave_out(reduce != "sum", "segments that are not summed up")
    leave_out(axis != 0, "segments along another axis than the first")
    lengths = arguments.get("lengths")
    counts = np.diff(arguments["offsets"].numpy()) if lengths is None else lengths.numpy()
    leave_out(counts.ndim != 1, "other segments in each row")
    numbers = np.repeat(np.arange(len(counts)), counts)
    sums = ops.segment_sum(x[: len(numbers)], numbers, len(counts))
    initial = arguments.get("initial")
    return sums if initial is None else sums + initial


PIECES: dict[str, Counterpart] = {
    "_segment_reduce.lengths": _segment_reduce,
    "_segment_reduce.offsets": _segment_reduce,
    "chunk": _chunk,
    "dsplit": _split_along(2),
    "hsplit": _split_along(1),
    "slice": _slice,
    "split": _split,
    "split.list_args": _split,
    "split_with_sizes": _split,
    "split_with_sizes_copy": _split,
    "tensor_split": _tensor_split,
    "unsafe_chunk": _chunk,
    "unsafe_split": _split,
    "vsplit": _split_along(0),
}
