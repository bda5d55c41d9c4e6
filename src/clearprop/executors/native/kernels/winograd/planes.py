"""Memory in 16 planes, one for each place of a transformed square."""

from __future__ import annotations

import math

from clearprop.dtypes import DType
from clearprop.executors.native.homes import Buffer, Home
from clearprop.executors.native.kernels.affine import contiguous
from clearprop.executors.native.kernels.winograd.transforms import PLACES
from clearprop.executors.native.llvm.machine import LINE_BYTES
from clearprop.ir.types import Shape, TensorType


def plane_size(shape: Shape, dtype: DType) -> int:
    """Elements from plane to plane.

    An odd number of cache lines: else the same number of several planes would have to be at the
    same few places of a cache, and whoever reads or writes a whole square would wait for memory.
    """
    line = LINE_BYTES // dtype.itemsize
    lines = -(-math.prod(shape) // line)
    return (lines | 1) * line


def planes_bytes(shape: Shape, dtype: DType) -> int:
    """Bytes of all planes."""
    return PLACES * plane_size(shape, dtype) * dtype.itemsize


def planes_in(buffer: Buffer, shape: Shape, dtype: DType) -> Home:
    """All planes, one behind the other."""
    strides = plane_size(shape, dtype), *contiguous(shape)
    return Home(buffer, TensorType((PLACES, *shape), dtype), 0, strides)
