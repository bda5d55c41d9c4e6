"""Layers that lay the same numbers out in another way."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, Unpack

from clearprop import ops
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.checks import channels_axis, label, needs_rank, positive_integer
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions


class Flatten(Layer):
    """All numbers of a sample in one row.

    Args:
        data_format: ``"channels_last"`` (by default) or ``"channels_first"``, whose channels are
            moved to the end before.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, a, b, ...)  ->  (batch, a * b * ...);  (batch,)  ->  (batch, 1)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.Flatten()([[[1.0, 2.0], [3.0, 4.0]]]).tolist()
        [[1.0, 2.0, 3.0, 4.0]]
    """

    def __init__(self, data_format: str | None = None, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        channels_axis(self, data_format, 3)  # refuses an unknown one
        self.data_format = data_format

    def call(self, inputs: Value) -> Value:
        """The rows."""
        needs_rank(self, inputs.shape, "(batch,)", at_least=True)
        batch, *lengths = inputs.shape
        if self.data_format == "channels_first" and lengths:
            inputs = ops.moveaxis(inputs, 1, -1)
        return ops.reshape(inputs, (batch, math.prod(lengths)))


class Reshape(Layer):
    """The numbers of each sample in another shape.

    Args:
        target_shape: shape of one sample; one length may be -1 and follows from the others.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, ...)  ->  (batch, *target_shape)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.Reshape((2, -1))([[1.0, 2.0, 3.0, 4.0]]).tolist()
        [[[1.0, 2.0], [3.0, 4.0]]]
    """

    def __init__(self, target_shape: Sequence[int], **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.target_shape = self._checked(target_shape)

    def _checked(self, target_shape: Any) -> tuple[int, ...]:
        try:
            lengths = tuple(operator.index(length) for length in target_shape)
        except TypeError:
            lengths = (-1, -1)
        if lengths.count(-1) > 1 or min(lengths, default=0) < -1:
            raise ArgumentError(
                f"{label(self)}: the target shape is a tuple of lengths, one of them may be -1",
                found=f"target_shape={target_shape!r}",
                needed="for example (28, 28, 1) or (-1, 3), without the batch",
                at=str(here()),
            )
        return lengths

    def call(self, inputs: Value) -> Value:
        """The samples in their new shape."""
        needs_rank(self, inputs.shape, "(batch,)", at_least=True)
        batch, *lengths = inputs.shape
        count = math.prod(lengths)
        known = math.prod(length for length in self.target_shape if length != -1)
        rest = count // known if known else 0
        shape = tuple(rest if length == -1 else length for length in self.target_shape)
        if math.prod(shape) != count:
            raise ShapeError(
                f"{label(self)}: {count} numbers per sample do not fill {self.target_shape}",
                found=f"x: {inputs.type}",
                needed=f"lengths whose product is {count}",
                at=str(here()),
            )
        return ops.reshape(inputs, (batch, *shape))


class Permute(Layer):
    """The axes of each sample in another order.

    Args:
        dims: for each axis of the result the axis of the input; the first after the batch is 1.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, a, b), dims (2, 1)  ->  (batch, b, a)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.Permute((2, 1))([[[1.0, 2.0], [3.0, 4.0]]]).tolist()
        [[[1.0, 3.0], [2.0, 4.0]]]
    """

    def __init__(self, dims: Sequence[int], **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        given = tuple(dims) if isinstance(dims, Sequence) else (dims,)
        if sorted(given) != list(range(1, len(given) + 1)):
            raise ArgumentError(
                f"{label(self)}: each axis of a sample is named once, the first is 1",
                found=f"dims={dims!r}",
                needed="such as (2, 1) for samples with two axes",
                at=str(here()),
            )
        self.dims = given

    def call(self, inputs: Value) -> Value:
        """The samples with their axes in order."""
        axes = ", ".join(f"axis {axis}" for axis in range(1, len(self.dims) + 1))
        needs_rank(self, inputs.shape, f"(batch, {axes})")
        return ops.transpose(inputs, (0, *self.dims))


class RepeatVector(Layer):
    """Each sample's vector n times, as the steps of a sequence.

    Args:
        n: how often.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, features)  ->  (batch, n, features)

    Example:
        >>> import clearprop as cp
        >>> cp.layers.RepeatVector(2)([[1.0, 2.0]]).tolist()
        [[[1.0, 2.0], [1.0, 2.0]]]
    """

    def __init__(self, n: int, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.n = positive_integer(self, "n", n)

    def call(self, inputs: Value) -> Value:
        """The sequences."""
        needs_rank(self, inputs.shape, "(batch, features)")
        batch, features = inputs.shape
        return ops.broadcast_to(ops.expand_dims(inputs, 1), (batch, self.n, features))


class Identity(Layer):
    """The input itself.

    Shapes:
        x: S  ->  S

    Example:
        >>> import clearprop as cp
        >>> cp.layers.Identity()([1.0]).tolist()
        [1.0]
    """

    supports_masking = True

    def __init__(self, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)

    def call(self, inputs: Any) -> Any:
        """The input."""
        return inputs
