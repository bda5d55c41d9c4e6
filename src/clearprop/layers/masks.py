"""Masks: which steps of a sequence are there, and which only fill it up.

A mask is a bool Tensor (batch, steps) in the attribute ``mask`` of the Tensor it is about: True
where a step counts.  A layer reads it from its input and gives its output one (see
``Layer.compute_mask``); losses and metrics leave out what it excludes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from clearprop import ops, primitives
from clearprop.dtypes import BOOL
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Value
from clearprop.tensor.parameter import Parameter
from clearprop.tensor.tensor import Tensor, tensor

if TYPE_CHECKING:
    from clearprop.layers.layer import Layer


def masks_of(values: Any) -> Any:
    """The masks of a nest of values, in the same nest; None where a value has none.

    Example:
        >>> import clearprop as cp
        >>> x = cp.layers.Masking()([[[1.0], [0.0]]])
        >>> masks_of([x, x * 2])[0].tolist(), masks_of([x, x * 2])[1]
        ([[True, False]], None)
    """
    if isinstance(values, (list, tuple)):
        return [masks_of(part) for part in values]
    if isinstance(values, Mapping):
        return {key: masks_of(part) for key, part in values.items()}
    return getattr(values, "mask", None)


def flat(nest: Any) -> list[Any]:
    """The parts of a nest in order, None among them."""
    if isinstance(nest, (list, tuple)):
        return [leaf for part in nest for leaf in flat(part)]
    if isinstance(nest, Mapping):
        return [leaf for key in sorted(nest) for leaf in flat(nest[key])]
    return [nest]


def has_mask(values: Any) -> bool:
    """Whether some value of a nest has a mask."""
    return any(getattr(value, "mask", None) is not None for value in flat(values))


def with_mask(value: Tensor, mask: Any) -> Tensor:
    """The same numbers with another mask: a Tensor of its own, ``value`` stays as it is.

    Shapes:
        value: (batch, steps, ...), mask: bool (batch, steps)  ->  as value
    """
    same = cast("Tensor", primitives.reshape(value, shape=value.shape))
    same.mask = mask
    return same


def first_axes(mask: Value, value: Value) -> Value:
    """A mask with as many axes as ``value``: those that it lacks get length 1.

    Shapes:
        mask: (batch, steps), value: (batch, steps, a, b)  ->  (batch, steps, 1, 1)
    """
    rank = len(value.shape)
    return ops.reshape(mask, (*mask.shape, *(1,) * (rank - len(mask.shape))))


def spread(mask: Value, value: Value) -> Value:
    """A mask with an answer for each element of ``value``.

    Shapes:
        mask: the first axes of S, value: S  ->  bool S
    """
    return ops.broadcast_to(first_axes(mask, value), value.shape)


def given_masks(layer: Layer, inputs: Any, masks: Any) -> Any:
    """Inputs with the masks that a caller gave by name.

    Shapes:
        inputs: (batch, steps, ...) each, masks: (batch, steps) each  ->  as inputs

    Raises:
        ShapeError: a mask does not fit its input.
        ArgumentError: there are more masks than inputs, or fewer.
    """
    if isinstance(inputs, (list, tuple)) and any(isinstance(part, Value) for part in inputs):
        if not isinstance(masks, (list, tuple)) or len(masks) != len(inputs):
            raise ArgumentError(
                f'{type(layer).__name__} "{layer.name}": several inputs need several masks',
                found=f"mask: {type(masks).__name__} for {len(inputs)} inputs",
                needed="a list with a mask, or None, for each input",
                at=str(here()),
            )
        pairs = zip(inputs, masks, strict=True)
        return [given_masks(layer, value, mask) for value, mask in pairs]
    if masks is None or not isinstance(inputs, Tensor):
        return inputs
    mask = masks if isinstance(masks, Value) else tensor(masks)
    mask = mask if mask.dtype == BOOL else ops.cast(mask, BOOL)
    if mask.shape[:1] not in {(1,), inputs.shape[:1]} or len(mask.shape) > len(inputs.shape):
        needs_mask(layer, mask, inputs.shape[:2])
    return with_mask(inputs, mask)


def needs_mask(layer: Layer, mask: Value, shape: Shape) -> None:
    """Refuse a mask of another shape.

    Raises:
        ShapeError: it has one.
    """
    if mask.shape != shape:
        raise ShapeError(
            f'{type(layer).__name__} "{layer.name}": the mask does not fit the input',
            found=f"mask: {mask.type}",
            needed=f"a mask of shape {shape}",
            at=str(here()),
        )


def mask_arguments(
    parameters: Sequence[str], inputs: Sequence[Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """The masks that ``call`` asks for by the names of its parameters.

    ``mask`` is the first input's; ``value_mask`` is the one of the input ``value``.

    Args:
        parameters: names of the parameters of ``call``, without ``self``.
        inputs: the positional arguments.
        given: the arguments that the caller named.
    """
    asked: dict[str, Any] = {}
    named = {**dict(zip(parameters, inputs, strict=False)), **given}
    if "mask" in parameters and "mask" not in named and inputs and has_mask(inputs[0]):
        asked["mask"] = masks_of(inputs[0])
    for name, value in named.items():
        if f"{name}_mask" in parameters and f"{name}_mask" not in named and has_mask(value):
            asked[f"{name}_mask"] = masks_of(value)
    return asked


def refuse_lost_mask(layer: Layer, inputs: Sequence[Any]) -> None:
    """Refuse a masked input of a layer that would compute with the steps that only fill up.

    Raises:
        ArgumentError: always, if some input has a mask.
    """
    for value in flat(inputs):
        if getattr(value, "mask", None) is not None:
            kind = type(layer).__name__
            raise ArgumentError(
                f'{kind} "{layer.name}": the mask of its input would be lost here',
                found=f"x: {value.type} with a mask: some steps only fill the sequence up, and "
                f"{kind} cannot leave them out",
                needed="a layer that takes masks (LSTM, GRU, GlobalAveragePooling1D, ...) or works "
                "on each step alone (Dense, LayerNormalization, ...)",
                try_=f"put {kind} behind a layer that ends the mask, such as "
                "GlobalAveragePooling1D or LSTM(units); in a layer of your own that works on each "
                "step alone, set supports_masking = True; or leave out mask_zero or Masking",
                at=str(here()),
            )


def masked_outputs(inputs: Any, outputs: Any, masks: Any) -> Any:
    """Outputs of a layer with their masks; one that already has a mask from inside keeps it.

    Args:
        inputs: of the layer: an output that is one of them is copied, not changed.
        outputs: Tensors.
        masks: of the outputs, in order; missing ones are None.

    Shapes:
        outputs: (batch, steps, ...) each, masks: bool (batch, steps) each  ->  as outputs
    """
    found = flat(masks)
    found += [None] * len(flat(outputs))
    given = {id(value) for value in flat(inputs)}
    rest = iter(found)

    def complete(nest: Any) -> Any:
        if isinstance(nest, (list, tuple)):
            parts = [complete(part) for part in nest]
            return type(nest)(*parts) if hasattr(nest, "_fields") else type(nest)(parts)
        if isinstance(nest, dict):
            done = {key: complete(nest[key]) for key in sorted(nest)}
            return {key: done[key] for key in nest}
        mask = next(rest)
        if not isinstance(nest, Tensor) or nest.mask is mask:
            return nest
        if id(nest) in given or isinstance(nest, Parameter):
            return with_mask(nest, mask)
        if nest.mask is None:
            nest.mask = mask
        return nest

    return complete(outputs)
