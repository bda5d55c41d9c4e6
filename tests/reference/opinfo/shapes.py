"""Counterparts of what PyTorch does to places: shapes, borders, indices; and of new arrays."""

from __future__ import annotations

import math
from typing import Any

from clearprop import ops
from clearprop.ops.axes import one_axis
from clearprop.tensor import Tensor
from tests.reference.opinfo.helpers import (
    NO_AXIS,
    Counterpart,
    axes_of,
    dtype_of,
    leave_out,
    plain,
    sizes,
)


def _flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    leave_out(not x.shape, NO_AXIS)
    start, end = start_dim % x.ndim, end_dim % x.ndim
    return ops.reshape(
        x, (*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :])
    )


def _unflatten(x: Any, dim: int, lengths: Any) -> Any:
    leave_out(not x.shape, NO_AXIS)
    dim %= x.ndim
    return ops.reshape(x, (*x.shape[:dim], *lengths, *x.shape[dim + 1 :]))


def _expand(x: Any, *args: Any) -> Any:
    shape = sizes(args)
    missing = len(shape) - len(x.shape)
    full = (1,) * missing + tuple(x.shape)
    return ops.broadcast_to(x, [m if n == -1 else n for n, m in zip(shape, full, strict=True)])


def _squeeze(x: Any, dim: Any = None) -> Any:
    leave_out(dim is not None and not x.shape, NO_AXIS)
    if dim is not None:
        asked = dim if isinstance(dim, tuple) else (dim,)
        leave_out(any(x.shape[n] != 1 for n in asked), "axes longer than 1 stay without a word")
    return ops.squeeze(x, dim)


def _tile(x: Any, *args: Any) -> Any:
    return ops.tile(x, sizes(args))


def _repeat(x: Any, *args: Any) -> Any:
    leave_out(len(sizes(args)) < len(x.shape), "tile takes fewer counts than axes")
    return ops.tile(x, sizes(args))


def _repeat_interleave(x: Any, repeats: Any, dim: Any = None, output_size: Any = None) -> Any:
    leave_out(not isinstance(repeats, int), "another count for each element")
    return ops.repeat(x, repeats, axes_of(x, dim))


def _roll(x: Any, shifts: Any, dims: Any = None) -> Any:
    leave_out(dims not in {None, ()} and not x.shape, NO_AXIS)
    return ops.roll(x, shifts, None if dims == () else dims)


def _getitem(x: Any, key: Any) -> Any:
    """A condition that is a Tensor picks what is not known beforehand; its numbers do."""

    def known(part: Any) -> Any:
        return part.numpy() if isinstance(part, Tensor) and part.dtype.kind == "b" else part

    return x[tuple(map(known, key)) if isinstance(key, tuple) else known(key)]


def _rot90(x: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    leave_out(len({*dims}) != 2, "a rotation that is no word of its own")
    for _ in range(k % 4):
        x = ops.flip(ops.swapaxes(x, *dims), dims[0])
    return x


def _narrow(x: Any, dim: int, start: Any, length: int) -> Any:
    """A start that is a Tensor makes it a dynamic slice."""
    axis = one_axis(dim, x.ndim, "Taking a block")
    lengths = [length if n == axis else size for n, size in enumerate(x.shape)]
    starts = [start if n == axis else 0 for n in range(x.ndim)]
    return ops.dynamic_slice(x, starts, lengths)


def _select(x: Any, dim: int, index: int) -> Any:
    return ops.take(x, index, dim)


def _slice_scatter(
    x: Any, source: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Any:
    leave_out(step != 1, "a step in a block")
    first, last, _ = slice(start, end).indices(x.shape[dim])
    leave_out(last < first, "blocks of negative length")
    return ops.dynamic_update(x, source, [first if n == dim % x.ndim else 0 for n in range(x.ndim)])


def _select_scatter(x: Any, source: Any, dim: int, index: int) -> Any:
    return ops.dynamic_update(
        x, ops.expand_dims(source, dim), [index if n == dim % x.ndim else 0 for n in range(x.ndim)]
    )


def _diagonal(first: int, second: int) -> Counterpart:
    def call(x: Any, offset: int = 0, dim1: int = first, dim2: int = second) -> Any:
        return ops.diagonal(x, offset, dim1, dim2)

    return call


def _stacked(function: Counterpart) -> Counterpart:
    def call(*args: Any) -> Any:
        return function(args[0] if isinstance(args[0], (list, tuple)) else args)

    return call


def _diff(x: Any, n: int = 1, dim: int = -1, before: Any = None, after: Any = None) -> Any:
    leave_out(not x.shape, NO_AXIS)
    parts = [part for part in (before, x, after) if part is not None]
    return ops.diff(ops.concatenate(parts, dim) if n else x, n, dim)


def _meshgrid(*xs: Any, indexing: str = "ij") -> Any:
    return ops.meshgrid(*(xs[0] if isinstance(xs[0], (list, tuple)) else xs), indexing=indexing)


def _constant_pad(x: Any, pad: Any, value: Any = None) -> Any:
    return _pad("constant")(x, pad, None, value)


def _pad(mode: str) -> Counterpart:
    def call(x: Any, pad: Any, _: Any = None, value: Any = None) -> Any:
        leave_out(any(n < 0 for n in pad), "borders of negative width, which slices are")
        sides = [tuple(pad[n : n + 2]) for n in range(0, len(pad), 2)][::-1]
        widths = [(0, 0)] * (len(x.shape) - len(sides)) + sides
        return ops.pad(x, widths, mode, 0.0 if value is None else value)

    return call


def _cat(xs: Any, dim: int = 0) -> Any:
    leave_out(
        all(isinstance(x, Tensor) for x in xs)
        and any(x.shape == (0,) for x in xs)
        and any(x.ndim > 1 for x in xs),
        "empty vectors that are passed over, whatever the shapes",
    )
    return ops.concatenate(xs, dim)


PLACES: dict[str, Counterpart] = {
    "H": ops.transpose,
    "T": ops.transpose,
    "__getitem__": _getitem,
    "broadcast_tensors": lambda *xs: [x + ops.zeros_like(sum(xs)) for x in xs],
    "broadcast_to": ops.broadcast_to,
    "cat": _cat,
    "clone": lambda x, **kwargs: x,
    "constant_pad_nd": _constant_pad,
    "contiguous": lambda x, **kwargs: x,
    "diagonal": _diagonal(0, 1),
    "diagonal_copy": _diagonal(0, 1),
    "diff": _diff,
    "expand": _expand,
    "expand_as": lambda x, y: ops.broadcast_to(x, y.shape),
    "expand_copy": _expand,
    "flatten": _flatten,
    "flip": lambda x, dims: ops.flip(x, dims),
    "fliplr": lambda x: ops.flip(x, 1),
    "flipud": lambda x: ops.flip(x, 0),
    "hstack": _stacked(ops.hstack),
    "linalg.diagonal": lambda x, *, offset=0, dim1=-2, dim2=-1: ops.diagonal(x, offset, dim1, dim2),
    "mT": lambda x: ops.swapaxes(x, -2, -1),
    "meshgrid.list_of_tensors": _meshgrid,
    "meshgrid.variadic_tensors": _meshgrid,
    "movedim": ops.moveaxis,
    "narrow": _narrow,
    "narrow_copy": _narrow,
    "nn.functional.pad.circular": _pad("wrap"),
    "nn.functional.pad.constant": _pad("constant"),
    "nn.functional.pad.reflect": _pad("reflect"),
    "nn.functional.pad.replicate": _pad("edge"),
    "permute": lambda x, *order: ops.transpose(x, sizes(order)),
    "permute_copy": lambda x, *order: ops.transpose(x, sizes(order)),
    "positive": lambda x: +x,
    "ravel": ops.ravel,
    "repeat": _repeat,
    "repeat_interleave": _repeat_interleave,
    "reshape": lambda x, *shape: ops.reshape(x, sizes(shape)),
    "reshape_as": lambda x, y: ops.reshape(x, y.shape),
    "roll": _roll,
    "rot90": _rot90,
    "select": _select,
    "select_scatter": _select_scatter,
    "slice_scatter": _slice_scatter,
    "squeeze": _squeeze,
    "squeeze.multiple": _squeeze,
    "squeeze_copy": _squeeze,
    "stack": ops.stack,
    "t": ops.transpose,
    "t_copy": ops.transpose,
    "tile": _tile,
    "transpose": lambda x, a, b: x if not x.shape else ops.swapaxes(x, a, b),
    "transpose_copy": lambda x, a, b: x if not x.shape else ops.swapaxes(x, a, b),
    "tril": ops.tril,
    "triu": ops.triu,
    "unbind": ops.unstack,
    "unbind_copy": ops.unstack,
    "unflatten": _unflatten,
    "unsqueeze": ops.expand_dims,
    "unsqueeze_copy": ops.expand_dims,
    "view": lambda x, *shape: ops.reshape(x, sizes(shape)),
    "view_as": lambda x, y: ops.reshape(x, y.shape),
    "view_copy": lambda x, *shape: ops.reshape(x, sizes(shape)),
    "vstack": _stacked(ops.vstack),
}

# -- indices ------------------------------------------------------------------------


def _gather(x: Any, dim: int, index: Any, sparse_grad: bool = False) -> Any:
    leave_out(not x.shape or not index.shape, NO_AXIS)
    leave_out(index.type.size == 0, "no indices, of whatever shape")
    leave_out(
        x.ndim == index.ndim
        and any(
            a != b
            for n, (a, b) in enumerate(zip(x.shape, index.shape, strict=True))
            if n != dim % x.ndim
        ),
        "fewer rows of indices than rows",
    )
    return ops.take_along_axis(x, index, dim)


def _index_select(x: Any, dim: int, index: Any) -> Any:
    leave_out(not x.shape, NO_AXIS)
    return ops.take(x, index, dim)


def _index_add(x: Any, dim: int, index: Any, source: Any, alpha: float = 1) -> Any:
    leave_out(not x.shape, NO_AXIS)
    if not index.shape:
        source = ops.squeeze(source, dim) if source.shape else source
    return ops.scatter_add(x, index, alpha * source, dim)


def _take_along(x: Any, index: Any, dim: Any = None) -> Any:
    leave_out(dim is None and len(index.shape) != 1, "indices of several axes into all elements")
    return ops.take_along_axis(x, index, dim)


def _one_hot(x: Any, num_classes: int = -1) -> Any:
    leave_out(num_classes == -1, "a shape that depends on the numbers")
    return ops.one_hot(x, num_classes, dtype="int64")


def _embedding(table: Any, index: Any, **kwargs: Any) -> Any:
    leave_out(kwargs, "arguments that change the table or its gradient")
    return ops.take(table, index, 0)


INDICES: dict[str, Counterpart] = {
    "gather": _gather,
    "index_add": _index_add,
    "index_select": _index_select,
    "nn.functional.embedding": _embedding,
    "nn.functional.one_hot": _one_hot,
    "take": lambda x, index: ops.take(x, index),
    "take_along_dim": _take_along,
}

# -- new arrays ----------------------------------------------------------------------


def _arange(start: Any, end: Any = None, step: Any = 1, **kwargs: Any) -> Any:
    return ops.arange(start, end, step, dtype=dtype_of(kwargs))


def _eye(n: int, m: int | None = None, **kwargs: Any) -> Any:
    return ops.eye(n, m, dtype=dtype_of(kwargs))


def _full(shape: Any, value: Any, **kwargs: Any) -> Any:
    return ops.full(shape, value, dtype=dtype_of(kwargs))


def _linspace(start: Any, end: Any, steps: int, **kwargs: Any) -> Any:
    return ops.linspace(start, end, steps, dtype=dtype_of(kwargs))


def _like(function: Counterpart) -> Counterpart:
    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        plain(**kwargs)
        return function(x, *args)

    return call


def _new(function: Counterpart) -> Counterpart:
    """An array of the type of another one."""

    def call(x: Any, shape: Any, *args: Any, **kwargs: Any) -> Any:
        return function(shape, *args, dtype=dtype_of(kwargs) or x.dtype)

    return call


def _of_shape(function: Counterpart) -> Counterpart:
    def call(*shape: Any, **kwargs: Any) -> Any:
        return function(sizes(shape), dtype_of(kwargs))

    return call


NEW: dict[str, Counterpart] = {
    "arange": _arange,
    "eye": _eye,
    "full": _full,
    "full_like": _like(ops.full_like),
    "linspace": _linspace,
    "linspace.tensor_overload": _linspace,
    "new_full": _new(ops.full),
    "new_ones": _new(ops.ones),
    "new_zeros": _new(ops.zeros),
    "ones": _of_shape(ops.ones),
    "ones_like": _like(ops.ones_like),
    "zeros": _of_shape(ops.zeros),
    "zeros_like": _like(ops.zeros_like),
}

SHAPES = PLACES | INDICES | NEW
