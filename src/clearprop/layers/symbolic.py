"""Symbolic Tensors: what ``cp.layers.Input`` gives, to draw a model with calls of layers.

A symbolic Tensor stands for a batch of unknown size.  Calls of layers and operations on it are
recorded; a functional model replays them on real Tensors.  While recording, each call also runs
on two stand-ins with different sizes in place of the unknown ones, so that a wrong shape fails at
the user's own line, and the axes in which the two results differ are the unknown ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from clearprop import tree
from clearprop.dtypes import DType, as_dtype, short_name
from clearprop.errors import ArgumentError, TraceError
from clearprop.ir.place import Place, at_place, here
from clearprop.ir.types import TensorType
from clearprop.ir.value import Symbolic
from clearprop.settings import settings
from clearprop.tensor.operators import Operators
from clearprop.tensor.parameter import Trace
from clearprop.tensor.tensor import Tensor

SymbolicShape = tuple[int | None, ...]
# Batch sizes, and what each unknown length adds to its axis's number: they must differ after
# pooling and slicing too, and let themselves be divided.
_STAND_IN_SIZES = ((4, 840), (6, 2520))


class Call:
    """One recorded call of a layer or an operation.

    Attributes:
        function: the layer or operation.
        args, kwargs: what it was called with; symbolic Tensors stand where values will be.
        outputs: the symbolic Tensors that came out, in order.
        structure: how they were arranged.
        place: the user's line.
    """

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        self.function, self.args, self.kwargs = function, args, dict(kwargs)
        self.outputs: list[SymbolicTensor] = []
        self.structure = tree.flatten(None)[1]
        self.place: Place = here()

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic Tensors among the arguments."""
        leaves, _ = tree.flatten((list(self.args), self.kwargs))
        return [leaf for leaf in leaves if isinstance(leaf, SymbolicTensor)]

    def run(self, value_of: Mapping[SymbolicTensor, Any]) -> list[Any]:
        """The flat results of the call with these values in place of symbolic Tensors."""

        def real(leaf: Any) -> Any:
            return value_of[leaf] if isinstance(leaf, SymbolicTensor) else leaf

        args = [tree.map_leaves(real, arg) for arg in self.args]
        kwargs = {name: tree.map_leaves(real, arg) for name, arg in self.kwargs.items()}
        with at_place(self.place):
            result = self.function(*args, **kwargs)
        leaves, self.structure = tree.flatten(result)
        return leaves


class SymbolicTensor(Operators, Symbolic):
    """A batch of unknown size in the drawing of a functional model.

    Attributes:
        dtype: element type.
        name: what the user called it, or "".
        call: the recorded call it comes from; None for an ``Input``.
    """

    def __init__(
        self, stand_ins: Sequence[Tensor], call: Call | None = None, name: str = ""
    ) -> None:
        self.stand_ins, self.call, self.name = tuple(stand_ins), call, name
        self.dtype: DType = stand_ins[0].dtype

    @property
    def shape(self) -> SymbolicShape:
        """Length of each axis; None where it is not known yet, as the batch's."""
        first, second = (stand_in.shape for stand_in in self.stand_ins)
        return tuple(a if a == b else None for a, b in zip(first, second, strict=True))

    def record(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Write the call down and return its symbolic results."""
        call = Call(function, tuple(args), kwargs)
        both = []
        with Trace(binds_all=True).active():  # weights are read as placeholders: none is drawn
            for which in range(len(_STAND_IN_SIZES)):
                both.append(call.run({x: x.stand_ins[which] for x in call.inputs}))
        call.outputs = [SymbolicTensor(pair, call) for pair in zip(*both, strict=True)]
        return tree.unflatten(call.structure, call.outputs)

    def __bool__(self) -> bool:
        raise TraceError(
            "Deciding by a symbolic Tensor: it has no numbers, it only draws the model",
            found=repr(self),
            needed="an operation or a layer",
            try_="choose with cp.where(condition, a, b)",
            at=str(here()),
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TraceError(
            "Asking a symbolic Tensor for numbers: it has none, it only draws the model",
            found=repr(self),
            needed="an operation or a layer",
            try_="build model = cp.Model(inputs, outputs) and call model.predict(x)",
            at=str(here()),
        )

    def __iter__(self) -> Any:
        raise TraceError(
            "Going through a symbolic Tensor: its first axis is a batch of unknown size",
            found=repr(self),
            needed="an operation on the whole batch",
            try_="take a column with x[:, 0]",
            at=str(here()),
        )

    def __repr__(self) -> str:
        name = f"{self.name}: " if self.name else ""
        return f"<symbolic {name}{short_name(self.dtype)}{self.shape}>"


def Input(  # noqa: N802 -- Keras's name
    shape: Sequence[int | None],
    dtype: Any = None,
    name: str | None = None,
    batch_size: int | None = None,
) -> SymbolicTensor:
    """A symbolic Tensor to start a functional model with.

    Args:
        shape: of one sample, without the batch; None for a length that may vary.
        dtype: element type; ``cp.settings.dtype`` by default.
        name: the input's name in the model.
        batch_size: number of samples in every batch, for stateful layers; None for any.

    Shapes:
        (None, *shape): the batch size is not known, unless it is given.

    Example:
        >>> import clearprop as cp
        >>> x = cp.layers.Input((4,))
        >>> cp.layers.Dense(3)(x).shape
        (None, 3)
    """
    if isinstance(shape, int) or any(size is not None and not _is_length(size) for size in shape):
        raise ArgumentError(
            "Input: the shape of one sample is a tuple of whole numbers",
            found=f"shape={shape!r}",
            needed="for example (4,) or (28, 28, 1)",
            try_=f"Input(({shape},))" if isinstance(shape, int) else "",
            at=str(here()),
        )
    if batch_size is not None and not (_is_length(batch_size) and batch_size):
        raise ArgumentError(
            "Input: the batch size is a whole number above 0, or None for any",
            found=f"batch_size={batch_size!r}",
            needed="for example batch_size=32",
            at=str(here()),
        )
    chosen = settings.dtype if dtype is None else as_dtype(dtype)
    stand_ins = []
    for batch, step in _STAND_IN_SIZES:
        # Each unknown length gets a size of its own, so that two of them are not taken for equal.
        batch = batch if batch_size is None else int(batch_size)
        sizes = [batch, *(step * i if n is None else int(n) for i, n in enumerate(shape, start=1))]
        stand_ins.append(Tensor(TensorType(tuple(sizes), chosen), name=name or ""))
    return SymbolicTensor(stand_ins, name=name or "")


def declared_types(inputs: Sequence[SymbolicTensor], batch: int) -> list[TensorType] | None:
    """The types of a batch of these inputs; None where a length is unknown, or without inputs."""
    shapes = [tensor.shape[1:] for tensor in inputs]
    if not shapes or any(size is None for shape in shapes for size in shape):
        return None
    return [
        TensorType((batch, *(size for size in shape if size is not None)), tensor.dtype)
        for shape, tensor in zip(shapes, inputs, strict=True)
    ]


def _is_length(size: object) -> bool:
    is_whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
    return is_whole and int(size) >= 0  # type: ignore[call-overload]


def calls_under(outputs: Sequence[SymbolicTensor], inputs: Sequence[SymbolicTensor]) -> list[Call]:
    """The recorded calls that ``outputs`` need, each after those it reads."""
    given = set(inputs)
    ordered: list[Call] = []
    seen: set[Call] = set()
    stack = [(tensor.call, False) for tensor in reversed(outputs) if tensor not in given]
    while stack:
        call, inputs_done = stack.pop()
        if call is None:
            continue
        if inputs_done:
            ordered.append(call)
        elif call not in seen:
            seen.add(call)
            stack.append((call, True))
            stack += [(t.call, False) for t in reversed(call.inputs) if t not in given]
    return ordered
