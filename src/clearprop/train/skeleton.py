"""A model without its numbers: what a file says about it, and the model made again from that.

The registry's description holds the constructor's arguments of the model and its layers.  Beside it
stands, for each layer in order, what came later: the shapes it was built for, its name and
place, whether it may be trained, and which of its weights nobody has set or trained yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from clearprop.dtypes import as_dtype, short_name
from clearprop.errors import ClearPropError, ModelFileError, UnsupportedError
from clearprop.ir.place import here
from clearprop.ir.types import TensorType
from clearprop.layers.layer import Layer
from clearprop.registry import describe, rebuild
from clearprop.train.model import Model
from clearprop.train.paths import difference_of, layer_paths, weight_types

_MOST_OBJECTS = 100_000
_checked: WeakKeyDictionary[Model, str] = WeakKeyDictionary()

Record = dict[str, Any]


# -- writing ----------------------------------------------------------------------


def model_text(model: Model) -> str:
    """The description of the model as JSON; the same model can be made of it.

    Raises:
        UnsupportedError: a class or function has no registered name, or its ``get_config`` does
            not tell all that its constructor needs.
    """
    text = json.dumps(describe(model), separators=(",", ":"))
    records = layer_records(model)
    key = text + json.dumps(records)
    if _checked.get(model) != key:
        try:
            again = model_of(text, json.loads(json.dumps(records)))
            difference = difference_of(weight_types(model), weight_types(again))
        except ClearPropError as error:
            difference = str(error)
        except Exception as error:
            difference = f"{type(error).__name__}: {error}"
        if difference:
            raise UnsupportedError(
                f'Saving "{model.name}": its description does not give the same model again',
                found=difference,
                needed="classes whose get_config tells all arguments of their constructor",
                try_="keep each argument in an attribute of the same name, or save the weights "
                "alone with model.save_weights(path)",
                at=str(here()),
            )
        _checked[model] = key
    return text


def layer_records(model: Layer) -> list[Record]:
    """What the constructor's arguments leave out about each layer, in JSON's terms."""
    return [
        {
            "path": path,
            "name": layer.name,
            "position": list(layer.position),
            "trainable": layer.trainable,
            "built": describe(list(layer.built_for)) if layer.built else None,
            "drawn": [
                [weight.name, weight.seed] for weight in layer.own_weights if weight.is_drawn
            ],
        }
        for path, layer in layer_paths(model).items()
    ]


def input_types(model: Model) -> list[Any]:
    """The inputs that the model has seen, in JSON's terms."""
    types = model.known_input_types(1) or []
    return [[short_name(type_.dtype), list(type_.shape)] for type_ in types]


# -- reading ----------------------------------------------------------------------


def model_of(text: str, records: Any) -> Model:
    """The model that ``text`` describes, built as the records say, its weights undrawn.

    Raises:
        ModelFileError: there is no such model.
        Exception: whatever the constructors raise when arguments cannot work.
    """
    if text.count('"type"') > _MOST_OBJECTS:
        raise ModelFileError(
            "Reading a model's description: it has too many parts",
            found=f"{text.count(chr(34) + 'type' + chr(34)):,}",
            needed=f"at most {_MOST_OBJECTS:,}",
        )
    model = rebuild(json.loads(text))
    if not isinstance(model, Model):
        raise ModelFileError(
            "Reading a model's description: it describes something else",
            found=type(model).__name__,
            needed="a model",
        )
    build_layers(model, records)
    return model


def build_layers(model: Layer, records: Any) -> None:
    """Build the layers as the records say, and give each what its record holds.

    Raises:
        ModelFileError: the records are about other layers.
    """
    layers = list(layer_paths(model).values())
    for number, record in enumerate(_read(records)):
        if number >= len(layers):
            raise _other_layers(len(records), len(layers))
        layer = layers[number]
        if record["built"] is not None and not layer.built:
            before = len(layer.sublayers)
            layer.build(*rebuild(record["built"]))
            if len(layer.sublayers) != before:
                layers = list(layer_paths(model).values())
        layer.trainable = record["trainable"]
        if layer.name != record["name"]:
            layer.name = record["name"]
        if layer.position != tuple(record["position"]):
            layer.move(tuple(record["position"]))
    if len(layers) != len(records):
        raise _other_layers(len(records), len(layers))


def restore_drawn(model: Layer, records: Sequence[Record]) -> None:
    """Let weights that nobody had set or trained be drawn again by another seed."""
    for layer, record in zip(layer_paths(model).values(), records, strict=True):
        seeds = dict(record["drawn"])
        for weight in layer.own_weights:
            if weight.name in seeds:
                weight.seed, weight.is_drawn = seeds[weight.name], True


def see_inputs(model: Model, types: Any) -> None:
    """Let the model know the inputs that it had seen."""
    if types:
        model.output_types([TensorType(tuple(shape), as_dtype(name)) for name, shape in types])


def _read(records: Any) -> list[Record]:
    """The records, if they are such."""
    if not isinstance(records, list):
        raise _no_record(records)
    for record in records:
        if not isinstance(record, dict) or set(record) != set(_CHECKS):
            raise _no_record(record)
        if not all(check(record[name]) for name, check in _CHECKS.items()):
            raise _no_record(record)
    return records


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_seed(value: Any) -> bool:
    match value:
        case [str(), None]:
            return True
        case [str(), int(seed)]:
            return 0 <= seed < 2**64
    return False


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "path": lambda value: isinstance(value, str),
    "name": lambda value: isinstance(value, str),
    "trainable": lambda value: isinstance(value, bool),
    "built": lambda value: value is None or isinstance(value, list),
    "position": lambda value: isinstance(value, list) and all(map(_is_count, value)),
    "drawn": lambda value: isinstance(value, list) and all(map(_is_seed, value)),
}


def _no_record(found: Any) -> ModelFileError:
    return ModelFileError(
        "Reading a model's layers: a part of it has no meaning",
        found=repr(found)[:80],
        needed="a file written by model.save",
    )


def _other_layers(found: int, needed: int) -> ModelFileError:
    return ModelFileError(
        "Reading a model's layers: they are not those of its description",
        found=f"{found} layers",
        needed=f"{needed} layers",
    )
