"""Several inputs made into one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Unpack

from clearprop import ops
from clearprop import primitives as p
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.checks import axes_of, label, several
from clearprop.layers.layer import Layer
from clearprop.layers.masks import flat, masks_of, spread
from clearprop.layers.options import LayerOptions
from clearprop.layers.sample_normalization import unit_length
from clearprop.ops.lift import common_shape, lift_float, promote

# -- element by element -------------------------------------------------------------------


class _Merge(Layer):
    """A layer that meets its inputs element by element."""

    supports_masking = True

    _count: int | None = None

    def __init__(self, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)

    def call(self, *inputs: Any) -> Value:
        """The merged inputs."""
        values = several(self, inputs, self._count)
        _needs_one_batch(self, values)
        pairs = zip(masks_of(values), values, strict=True)
        masks = [None if mask is None else spread(mask, x) for mask, x in pairs]
        rank = max(len(value.shape) for value in values)
        values = [_with_axes(x, rank) for x in values]
        masks = [None if mask is None else _with_axes(mask, rank) for mask in masks]
        try:
            common_shape([value.shape for value in values], label(self))
        except ShapeError as error:
            error.at = str(here())
            raise
        return self._merged(values, masks)

    def _merged(self, values: Sequence[Value], masks: Sequence[Value | None]) -> Value:
        raise NotImplementedError

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        """Where one of the inputs counts, if all of them have a mask."""
        masks = flat(mask)
        return None if any(each is None for each in masks) else reduce(ops.logical_or, masks)


class Add(_Merge):
    """The sum of its inputs: the residual connection.

    Shapes:
        list of (batch, ...) that broadcast  ->  their common shape

    Example:
        >>> import clearprop as cp, numpy as np
        >>> cp.layers.Add()([np.array([[1.0]]), np.array([[2.0]])]).tolist()
        [[3.0]]
    """

    def _merged(self, values: Sequence[Value], masks: Sequence[Value | None]) -> Value:
        return reduce(ops.add, values)


class Subtract(_Merge):
    """The first of two inputs minus the second.

    Shapes:
        list of two (batch, ...) that broadcast  ->  their common shape

    Example:
        >>> import clearprop as cp, numpy as np
        >>> cp.layers.Subtract()([np.array([[1.0]]), np.array([[2.0]])]).tolist()
        [[-1.0]]
    """

    _count = 2

    def _merged(self, values: Sequence[Value], masks: Sequence[Value | None]) -> Value:
        return ops.subtract(values[0], values[1])


class Multiply(_Merge):
    """The product of its inputs, element by element: one gates the other.

    A masked step of one input counts as 1; what is masked in all of them is 0.

    Shapes:
        list of (batch, ...) that broadcast  ->  their common shape

    Example:
        >>> import clearprop as cp, numpy as np
        >>> cp.layers.Multiply()([np.array([[2.0]]), np.array([[3.0]])]).tolist()
        [[6.0]]
    """

    def _merged(self, values: Sequence[Value], masks: Sequence[Value | None]) -> Value:
        ones = [
            x if mask is None else ops.where(mask, x, 1)
            for x, mask in zip(values, masks, strict=True)
        ]
        product = reduce(ops.multiply, ones)
        known = [mask for mask in masks if mask is not None]
        if len(known) < len(masks):
            return product
        return ops.where(reduce(ops.logical_or, known), product, 0)


class Average(_Merge):
    """The mean of its inputs, element by element.

    Shapes:
        list of (batch, ...) that broadcast  ->  their common shape

    Example:
        >>> import clearprop as cp, numpy as np
        >>> cp.layers.Average()([np.array([[1.0]]), np.array([[2.0]])]).tolist()
        [[1.5]]
    """

    def _merged(self, values: Sequence[Value], masks: Sequence[Value | None]) -> Value:
        return ops.divide(reduce(ops.add, values), float(len(values)))


class Maximum(_Merge):
    """The largest of its inputs, element by element.

    A masked step of one input leaves the choice to the others.

    Shapes:
        list of (batch, ...) that broadcast  ->  their common shape

    Example:
        >>> import clearprop as cp, numpy as np
        >>> cp.layers.Maximum()([np.array([[1.0]]), np.array([[2.0]])]).tolist()
        [[2.0]]
    """

    def _merged(self, values: Sequence[Value], masks: Sequence[Value | None]) -> Value:
        return _chosen(ops.maximum, values, masks)


class Minimum(_Merge):
    """The smallest of its inputs, element by element.

    A masked step of one input leaves the choice to the others.

    Shapes:
        list of (batch, ...) that broadcast  ->  their common shape

    Example:
        >>> import clearprop as cp, numpy as np
        >>> cp.layers.Minimum()([np.array([[1.0]]), np.array([[2.0]])]).tolist()
        [[1.0]]
    """

    def _merged(self, values: Sequence[Value], masks: Sequence[Value | None]) -> Value:
        return _chosen(ops.minimum, values, masks)


# -- one after the other, and products ---------------------------------------------------------


class Concatenate(Layer):
    """Its inputs one after the other along an axis.

    Args:
        axis: along which; the inputs agree in all other axes.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        list of (batch, a), (batch, b), ...  ->  (batch, a + b + ...)

    Example:
        >>> import clearprop as cp, numpy as np
        >>> cp.layers.Concatenate()([np.array([[1.0]]), np.array([[2.0, 3.0]])]).tolist()
        [[1.0, 2.0, 3.0]]
    """

    def __init__(self, axis: int = -1, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.axis = axis

    def call(self, *inputs: Any) -> Value:
        """The joined inputs."""
        values = several(self, inputs)
        (axis,) = axes_of(self, self.axis, len(values[0].shape))
        others = {(*value.shape[:axis], -1, *value.shape[axis + 1 :]) for value in values}
        if len(others) > 1:
            raise ShapeError(
                f"{label(self)}: the inputs differ in more than axis {self.axis}",
                found=" and ".join(str(value.shape) for value in values),
                needed=f"equal lengths everywhere but at axis {self.axis}",
                try_="Flatten, Reshape or a Dense layer before it",
                at=str(here()),
            )
        return ops.concatenate(promote(*values), axis)

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        """The masks joined as the inputs are; an input without one counts everywhere."""
        masks = flat(mask)
        if all(each is None for each in masks):
            return None
        joined = [
            ops.full(x.shape, True, "bool") if each is None else spread(each, x)
            for each, x in zip(masks, flat(inputs), strict=True)
        ]
        return ops.any(ops.concatenate(joined, self.axis), axis=-1)


class Dot(Layer):
    """The sum of products of two inputs over one axis of each, sample by sample.

    Args:
        axes: the axis of both inputs, or one of each; not the batch.
        normalize: whether vectors along the axes get length 1 first, which gives cosines.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, *A, n), y: (batch, *B, n), axes -1  ->  (batch, *A, *B), or (batch, 1)

    Example:
        >>> import clearprop as cp, numpy as np
        >>> cp.layers.Dot(axes=1)([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])]).tolist()
        [[11.0]]
    """

    def __init__(
        self,
        axes: int | Sequence[int],
        normalize: bool = False,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        pair = [axes, axes] if isinstance(axes, int) else list(axes)
        if len(pair) != 2 or not all(isinstance(axis, int) for axis in pair):
            raise ArgumentError(
                f"{label(self)}: one axis of each input is summed over",
                found=f"axes={axes!r}",
                needed="a whole number or two of them",
                at=str(here()),
            )
        self.axes, self.normalize = axes, normalize

    def call(self, *inputs: Any) -> Value:
        """The products."""
        values = several(self, inputs, 2)
        _needs_one_batch(self, values)
        pair = [self.axes] * 2 if isinstance(self.axes, int) else list(self.axes)
        places = [
            axes_of(self, axis, len(value.shape))[0]
            for axis, value in zip(pair, values, strict=True)
        ]
        lengths = [value.shape[n] for value, n in zip(values, places, strict=True)]
        if 0 in places or lengths[0] != lengths[1]:
            raise ShapeError(
                f"{label(self)}: the axes to be summed over do not fit together",
                found=f"axes {places[0]} and {places[1]} of {values[0].type} and {values[1].type}",
                needed="two axes of one length, behind the batch",
                at=str(here()),
            )
        if self.normalize:
            values = [
                unit_length(lift_float(value), (place,), smallest=1e-7)
                for value, place in zip(values, places, strict=True)
            ]
        x, y = values if values[0].dtype == values[1].dtype else promote(*values)
        product = p.dot_general(x, y, contract=((places[0],), (places[1],)), batch=((0,), (0,)))
        return ops.expand_dims(product, 1) if len(product.shape) == 1 else product

    def compute_mask(self, inputs: Any, mask: Any) -> None:
        """The steps are summed over: their mask ends here."""


def _with_axes(x: Value, rank: int) -> Value:
    """x with ``rank`` axes: those that it lacks are put right after the batch."""
    return ops.reshape(x, (*x.shape[:1], *[1] * (rank - len(x.shape)), *x.shape[1:]))


def _chosen(
    choose: Callable[[Value, Value], Value], values: Sequence[Value], masks: Sequence[Value | None]
) -> Value:
    """The values reduced two by two; one that is masked is replaced by the other first."""
    result, counts = values[0], masks[0]
    for x, mask in zip(values[1:], masks[1:], strict=True):
        other = x if mask is None else ops.where(mask, x, result)
        kept = result if counts is None else ops.where(counts, result, other)
        result = choose(kept, other)
        counts = None if counts is None or mask is None else ops.logical_or(counts, mask)
    return result


def _needs_one_batch(layer: Layer, values: Sequence[Value]) -> None:
    """Refuse inputs whose samples do not belong together."""
    batches = {value.shape[:1] for value in values}
    if len(batches) == 1 and () not in batches:
        return
    raise ShapeError(
        f"{label(layer)}: the inputs have different numbers of samples",
        found=" and ".join(str(value.shape) for value in values),
        needed="one batch size, the first axis",
        at=str(here()),
    )
