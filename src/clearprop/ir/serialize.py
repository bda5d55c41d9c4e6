"""A Program as JSON and arrays, and back.

    {"inputs":    [{"type": ["f32", [5, 1]], "name": "x"}, ...],
     "constants": [{"array": 0, "name": ""}, ...],
     "equations": [{"primitive": "multiply", "inputs": [0, 1], "params": {}}, ...],
     "outputs":   [2]}

Values are counted: inputs, constants, then all results of each equation.  In params a tuple is a
list, a dtype ``{"dtype": "float32"}``, a Program ``{"program": {...}}``, and a float that JSON
cannot write ``{"float": "inf"}``.  Primitives are looked up by name: nothing that is read from a
file can run anything else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from clearprop.dtypes import SHORT_NAMES, as_dtype, short_name
from clearprop.errors import ClearPropError, DTypeError, ModelFileError
from clearprop.ir.place import NOWHERE, Place
from clearprop.ir.primitive import REGISTRY, Primitive
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Equation, Value
from clearprop.ir.verify import verify
from clearprop.text import did_you_mean

_MOST_VALUES = 1_000_000
_MOST_ELEMENTS = 2**40
_MOST_AXES = 64
_LONGEST_TEXT = 1_000
_LARGEST_NUMBER = 2**64
_DEEPEST = 16
T = TypeVar("T")


# -- writing ------------------------------------------------------------------------------


def program_to_dict(
    program: Program, *, places: bool = False
) -> tuple[dict[str, Any], list[Array]]:
    """The Program as plain dicts and lists that JSON can write, and its constant arrays.

    Args:
        program: a Program that keeps the rules.
        places: whether to keep the lines that equations come from; they name the user's files.
    """
    arrays: list[Array] = []
    return _encoded(program, arrays, {}, places), arrays


def _encoded(
    program: Program, arrays: list[Array], places_of: dict[int, int], places: bool
) -> dict[str, Any]:
    numbers: dict[Value, int] = {value: n for n, value in enumerate(program.inputs)}
    constants = []
    for value in program.constants:
        array = value.array
        assert array is not None  # it is what makes it a constant
        if id(array) not in places_of:
            places_of[id(array)] = len(arrays)
            arrays.append(array)
        numbers[value] = len(numbers)
        constants.append({"array": places_of[id(array)], "name": value.name})
    count = len(numbers)
    equations = []
    for equation in program.equations:
        entry = {
            "primitive": equation.primitive.name,
            "inputs": [numbers[value] for value in equation.inputs],
            "params": {
                name: _encoded_param(param, arrays, places_of, places)
                for name, param in equation.params.items()
            },
        }
        if places and equation.place != NOWHERE:
            place = equation.place
            entry["place"] = [place.file, place.line, place.layer]
        equations.append(entry)
        for index, result in enumerate(program.results[equation]):
            if result is not None:
                numbers[result] = count + index
        count += len(equation.types)
    return {
        "inputs": [{"type": _encoded_type(v.type), "name": v.name} for v in program.inputs],
        "constants": constants,
        "equations": equations,
        "outputs": [numbers[value] for value in program.outputs],
    }


def _encoded_type(type_: TensorType) -> list[Any]:
    return [short_name(type_.dtype), list(type_.shape)]


def _encoded_param(param: Any, arrays: list[Array], places_of: dict[int, int], places: bool) -> Any:
    if isinstance(param, tuple):
        return [_encoded_param(part, arrays, places_of, places) for part in param]
    if isinstance(param, np.dtype):
        return {"dtype": param.name}
    if isinstance(param, Program):
        return {"program": _encoded(param, arrays, places_of, places)}
    if isinstance(param, float) and not math.isfinite(param):
        return {"float": str(param)}
    return param


# -- reading ------------------------------------------------------------------------------


def program_from_dict(data: Any, arrays: Sequence[Array]) -> Program:
    """The Program that ``program_to_dict`` wrote; verified, whatever the data says.

    The vocabulary must have been imported: primitives are looked up by name.

    Args:
        data: dicts and lists as JSON gives them.
        arrays: the constant arrays.

    Raises:
        ModelFileError: the data is no Program, or asks for what it may not have.
    """
    for array in arrays:
        if not isinstance(array, np.ndarray) or array.dtype not in SHORT_NAMES:
            raise _damaged("a constant is no array of numbers", repr(array)[:80], "an array")
    program = _Reader(arrays).program(data, depth=0)
    try:
        verify(program)
    except ClearPropError as error:
        raise _damaged("it breaks the rules", str(error), "a Program that keeps them") from error
    return program


class _Reader:
    """Reads one Program and those inside it; counts what it has read."""

    def __init__(self, arrays: Sequence[Array]) -> None:
        self._arrays = arrays
        self._value_count = 0

    def program(self, data: Any, depth: int) -> Program:
        """The Program in ``data``."""
        if depth > _DEEPEST:
            raise _damaged("Programs lie too deep in one another", str(depth), str(_DEEPEST))
        data = _as(dict, data, "a Program")
        inputs = [self._input(item) for item in _field(data, "inputs", list)]
        values = [*inputs, *(self._constant(item) for item in _field(data, "constants", list))]
        equations = []
        for item in _field(data, "equations", list):
            equation = self._equation(_as(dict, item, "an equation"), values, depth)
            equations.append(equation)
            results = Value.results(equation)
            if equation.primitive.multiple:
                equation.remember(results)
            values += results
            self._count(len(results))
        outputs = [_pick(values, n, "an output") for n in _field(data, "outputs", list)]
        return Program(inputs, equations, outputs)

    def _count(self, more: int) -> None:
        self._value_count += more
        if self._value_count > _MOST_VALUES:
            raise _damaged("it has too many values", "more", f"at most {_MOST_VALUES:,}")

    def _input(self, data: Any) -> Value:
        self._count(1)
        data = _as(dict, data, "an input")
        return Value(_type(_field(data, "type", list)), name=_text(_field(data, "name", str)))

    def _constant(self, data: Any) -> Value:
        self._count(1)
        data = _as(dict, data, "a constant")
        array = _pick(self._arrays, _field(data, "array", int), "a constant")
        return Value.leaf(array, _text(_field(data, "name", str)))

    def _equation(self, data: dict[str, Any], values: list[Value], depth: int) -> Equation:
        primitive = _primitive(_text(_field(data, "primitive", str)))
        inputs = [_pick(values, n, "an input") for n in _field(data, "inputs", list)]
        params = {
            _text(name): self._param(param, depth)
            for name, param in _field(data, "params", dict).items()
        }
        place = _place(data["place"]) if "place" in data else NOWHERE
        types = _inferred(primitive, [value.type for value in inputs], params)
        return Equation(primitive, tuple(inputs), MappingProxyType(params), types, place)

    def _param(self, data: Any, depth: int) -> Any:
        if depth > _DEEPEST:
            raise _damaged("params lie too deep in one another", str(depth), str(_DEEPEST))
        if isinstance(data, list):
            return tuple(self._param(part, depth + 1) for part in data)
        if isinstance(data, dict):
            return self._marked_param(data, depth)
        if isinstance(data, str):
            return _text(data)
        if isinstance(data, int) and abs(data) >= _LARGEST_NUMBER:
            raise _damaged("a number is too large", "more than 64 bits", "at most 64 bits")
        if data is None or isinstance(data, (int, float)):
            return data
        raise _damaged("a param is of no known kind", type(data).__name__, "what JSON has")

    def _marked_param(self, data: dict[str, Any], depth: int) -> Any:
        match data:
            case {"dtype": str(name)} if len(data) == 1:
                return _dtype(name)
            case {"float": "inf" | "-inf" | "nan" as text} if len(data) == 1:
                return float(text)
            case {"program": program} if len(data) == 1:
                return self.program(program, depth + 1)
        raise _damaged(
            "a param is of no known kind", ", ".join(map(repr, data))[:80], "a known one"
        )


def _inferred(
    primitive: Primitive, types: Sequence[TensorType], params: dict[str, Any]
) -> tuple[TensorType, ...]:
    try:
        inferred = primitive.infer(*types, **params)
    except Exception as error:  # whatever wrong params make a rule stumble over
        raise _damaged(
            f"{primitive.name} cannot be applied",
            f"{', '.join(map(str, types))} and {params!r}"[:200],
            "inputs and params that fit",
        ) from error
    results = (inferred,) if isinstance(inferred, TensorType) else inferred
    for type_ in results:
        _check_size(type_)
    return results


def _check_size(type_: TensorType) -> None:
    if len(type_.shape) > _MOST_AXES or type_.size > _MOST_ELEMENTS:
        raise _damaged("an array is too large", str(type_)[:80], f"{_MOST_ELEMENTS:,} elements")


def _primitive(name: str) -> Primitive:
    if name not in REGISTRY:
        raise _damaged(
            f"there is no primitive {name!r}",
            repr(name) + did_you_mean(name, REGISTRY),
            f"one of the {len(REGISTRY)} words of this version",
            "update ClearProp, if a newer version wrote the file",
        )
    return REGISTRY[name]


def _type(data: list[Any]) -> TensorType:
    match data:
        case [str(name), list(lengths)] if all(
            type(length) is int and length >= 0 for length in lengths
        ):
            type_ = TensorType(tuple(lengths), _dtype(name))
            _check_size(type_)
            return type_
    raise _damaged("a type cannot be read", repr(data)[:80], '["f32", [5, 1]]')


def _dtype(name: str) -> np.dtype[Any]:
    try:
        return as_dtype(_text(name))
    except DTypeError as error:
        raise _damaged("an element type is unknown", error.found, error.needed) from error


def _place(data: Any) -> Place:
    match data:
        case [str(file), int(line), str(layer)]:
            return Place(_text(file), line, _text(layer))
    raise _damaged("a place cannot be read", repr(data)[:80], "[file, line, layer]")


def _text(text: str) -> str:
    if not isinstance(text, str) or len(text) > _LONGEST_TEXT:
        raise _damaged("a text is too long", repr(text)[:80], f"{_LONGEST_TEXT} characters")
    return text


def _field(data: dict[str, Any], name: str, kind: type[T]) -> T:
    if name not in data:
        raise _damaged(f"{name!r} is missing", ", ".join(map(str, data))[:80], repr(name))
    return _as(kind, data[name], repr(name))


def _as(kind: type[T], data: Any, what: str) -> T:
    if type(data) is not kind:
        raise _damaged(f"{what} is of the wrong kind", type(data).__name__, kind.__name__)
    return data


def _pick(items: Sequence[T], number: Any, what: str) -> T:
    if type(number) is not int or not 0 <= number < len(items):
        raise _damaged(f"{what} does not exist", repr(number)[:80], f"0 to {len(items) - 1}")
    return items[number]


def _damaged(rule: str, found: str, needed: str, try_: str = "") -> ModelFileError:
    return ModelFileError(f"Reading a Program: {rule}", found=found, needed=needed, try_=try_)
