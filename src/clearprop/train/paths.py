"""The layers and weights of a model by paths, as its files name them."""

from __future__ import annotations

from collections.abc import Mapping

from clearprop.ir.types import TensorType
from clearprop.ir.value import Array
from clearprop.layers.layer import Layer
from clearprop.layers.weight import Weight
from clearprop.text import did_you_mean


def layer_paths(model: Layer) -> dict[str, Layer]:
    """The layers below ``model`` by path, e.g. ``encoder/dense_1``, outer before inner.

    The model itself has the path "".  A layer that is reached in two ways stands where it comes
    first, and of two equal paths the second gets a number: ``dense#2``.
    """
    found: dict[str, Layer] = {}
    seen: set[int] = set()
    stack: list[tuple[str, Layer]] = [("", model)]
    while stack:
        path, layer = stack.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        path = _unique(path, found)
        found[path] = layer
        stack += [(_joined(path, inner.name), inner) for inner in reversed(layer.sublayers)]
    return found


def weight_paths(model: Layer) -> dict[str, Weight]:
    """The weights of ``model`` by path, e.g. ``encoder/dense_1/kernel``, in Keras's order."""
    found: dict[str, Weight] = {}
    seen: set[int] = set()
    for path, layer in layer_paths(model).items():
        for weight in layer.own_weights:
            if id(weight) not in seen:
                seen.add(id(weight))
                found[_unique(_joined(path, weight.name), found)] = weight
    return found


def weight_types(model: Layer) -> dict[str, TensorType]:
    """The types of the weights by path."""
    return {path: weight.type for path, weight in weight_paths(model).items()}


def types_of(arrays: Mapping[str, Array]) -> dict[str, TensorType]:
    """The types of arrays by name."""
    return {name: TensorType.of(array) for name, array in arrays.items()}


def difference_of(wanted: Mapping[str, TensorType], found: Mapping[str, TensorType]) -> str:
    """The first thing by path that is missing, different or unknown in ``found``, or ""."""
    for path, type_ in wanted.items():
        if path not in found:
            return f'no "{path}"' + did_you_mean(path, found)
        if found[path] != type_:
            return f'"{path}" as {found[path]}, not {type_}'
    unknown = [path for path in found if path not in wanted]
    return f'"{unknown[0]}", which is not needed' if unknown else ""


def _joined(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _unique(path: str, taken: Mapping[str, object]) -> str:
    number, unique = 1, path
    while unique in taken:
        number += 1
        unique = f"{path}#{number}"
    return unique
