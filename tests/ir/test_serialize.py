"""A Program goes through JSON unchanged, and nothing else gets in."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from clearprop import ops
from clearprop.errors import ModelFileError
from clearprop.ir.meaning import run
from clearprop.ir.primitive import REGISTRY, Primitive, no_flops
from clearprop.ir.printing import program_text
from clearprop.ir.program import Program
from clearprop.ir.serialize import program_from_dict, program_to_dict
from clearprop.ir.types import TensorType
from clearprop.ir.value import Equation, Value
from tests.ir.programs import ALL, dense, inputs_of, loop


def through_json(program: Program, *, places: bool = False) -> Program:
    data, arrays = program_to_dict(program, places=places)
    return program_from_dict(json.loads(json.dumps(data, allow_nan=False)), arrays)


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_a_program_comes_back_with_the_same_text_and_bits(make: Callable[[], Program]) -> None:
    program = make()
    again = through_json(program)
    assert str(again) == str(program)
    arrays = inputs_of(program)
    for first, second in zip(run(program, arrays), run(again, arrays), strict=True):
        assert first.dtype == second.dtype
        assert first.tobytes() == second.tobytes()
    assert program_to_dict(again)[0] == program_to_dict(program)[0]


def test_places_are_kept_only_where_asked() -> None:
    program = dense()
    with_places = through_json(program, places=True)
    assert program_text(with_places, places=True) == program_text(program, places=True)
    assert "train.py" not in json.dumps(program_to_dict(program)[0])
    assert program_text(through_json(program), places=True) == str(program)


def test_params_of_every_kind_come_back() -> None:
    word = Primitive(
        "word_of_test_serialize",
        infer=lambda x, **_: x,
        meaning=lambda x, **_: x,
        gradient=None,
        flops=no_flops,
        control=True,
    )
    try:
        params = {
            "nothing": None, "yes": True, "count": -3, "large": 2**63, "half": 0.5, "two": 2.0,
            "minus_zero": -0.0, "infinite": float("inf"), "less": -float("inf"), "text": "a",
            "kind": np.dtype(np.int8), "nest": ((), (1, (2.5, np.dtype(bool))), "b"),
            "body": dense(),
        }  # fmt: skip
        x = Value(TensorType((2,)))
        only = Equation(word, (x,), MappingProxyType(params), (x.type,))
        again = through_json(Program([x], [only], []))
        read = dict(again.equations[0].params)
        assert str(read.pop("body")) == str(params.pop("body"))
        assert {name: repr(param) for name, param in read.items()} == {
            name: repr(param) for name, param in params.items()
        }
        nan = Equation(word, (x,), MappingProxyType({"nan": float("nan")}), (x.type,))
        assert np.isnan(through_json(Program([x], [nan], [])).equations[0].params["nan"])
    finally:
        del REGISTRY[word.name]


def test_an_array_that_is_read_twice_is_written_once() -> None:
    array = np.ones(3, np.float32)
    array.flags.writeable = False
    program = Program.under([ops.add(Value.leaf(array), Value.leaf(array))], [])
    data, arrays = program_to_dict(program)
    assert len(data["constants"]) == 2
    assert len(arrays) == 1


def test_an_unknown_primitive_is_named_with_the_nearest() -> None:
    data, arrays = program_to_dict(dense())
    data["equations"][2]["primitive"] = "maximun"
    with pytest.raises(ModelFileError) as error:
        program_from_dict(data, arrays)
    assert str(error.value).startswith(
        "Reading a Program: there is no primitive 'maximun'\n"
        "  found:  'maximun' did you mean \"maximum\"?\n"
        "  needed: one of the "
    )


# -- hostile and damaged data -------------------------------------------------------------------


def nested(levels: int) -> Any:
    data: Any = 1
    for _ in range(levels):
        data = [data]
    return data


DAMAGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no dict": lambda d: [d],
    "nothing": lambda d: None,
    "no inputs": lambda d: d.pop("inputs") and d,
    "inputs no list": lambda d: {**d, "inputs": {}},
    "input no dict": lambda d: {**d, "inputs": [1]},
    "type unknown": lambda d: {**d, "inputs": [{"type": ["f16", [2, 3]], "name": "x"}]},
    "type negative": lambda d: {**d, "inputs": [{"type": ["f32", [-2, 3]], "name": "x"}]},
    "type fraction": lambda d: {**d, "inputs": [{"type": ["f32", [2.0, 3]], "name": "x"}]},
    "type boolean": lambda d: {**d, "inputs": [{"type": ["f32", [True, 3]], "name": "x"}]},
    "type huge": lambda d: {**d, "inputs": [{"type": ["f32", [2**40, 3]], "name": "x"}]},
    "type long": lambda d: {**d, "inputs": [{"type": ["f32", [1] * 65], "name": "x"}]},
    "type changed": lambda d: {**d, "inputs": [{"type": ["f32", [2, 5]], "name": "x"}]},
    "name too long": lambda d: {**d, "inputs": [{"type": ["f32", [2, 3]], "name": "x" * 1001}]},
    "name a number": lambda d: {**d, "inputs": [{"type": ["f32", [2, 3]], "name": 1}]},
    "no such array": lambda d: {**d, "constants": [{"array": 7, "name": ""}] * 3},
    "array below zero": lambda d: {**d, "constants": [{"array": -1, "name": ""}] * 3},
    "array a boolean": lambda d: {**d, "constants": [{"array": True, "name": ""}] * 3},
    "no such output": lambda d: {**d, "outputs": [99]},
    "output below zero": lambda d: {**d, "outputs": [-1]},
    "output a text": lambda d: {**d, "outputs": ["0"]},
    "equation no dict": lambda d: {**d, "equations": ["add"]},
    "reads what comes later": lambda d: changed(d, "inputs", [0, 9]),
    "too few inputs": lambda d: changed(d, "inputs", []),
    "no word": lambda d: changed(d, "primitive", None),
    "a method as word": lambda d: changed(d, "primitive", "__class__"),
    "strange param": lambda d: changed(d, "params", {"axis": 1}),
    "params no dict": lambda d: changed(d, "params", []),
    "param of unknown kind": lambda d: changed(d, "params", {"contract": {"code": "1"}}),
    "param marked twice": lambda d: changed(d, "params", {"x": {"dtype": "f32", "float": "inf"}}),
    "param no dtype": lambda d: changed(d, "params", {"contract": {"dtype": "object"}}),
    "param no float": lambda d: changed(d, "params", {"contract": {"float": "1.0"}}),
    "param too deep": lambda d: changed(d, "params", {"contract": nested(40)}),
    "param too large": lambda d: changed(d, "params", {"contract": 2**64}),
    "param too long": lambda d: changed(d, "params", {"contract": "x" * 1001}),
    "param no program": lambda d: changed(d, "params", {"contract": {"program": 1}}),
    "place of wrong kind": lambda d: changed(d, "place", ["file", "line", "layer"]),
    "place too short": lambda d: changed(d, "place", []),
}


def changed(data: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
    data["equations"][0][field] = value
    return data


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_data_is_refused(damage: Callable[[dict[str, Any]], Any]) -> None:
    data, arrays = program_to_dict(dense())
    with pytest.raises(ModelFileError) as error:
        program_from_dict(damage(copy.deepcopy(data)), arrays)
    assert error.value.needed
    program_from_dict(data, arrays)


@pytest.mark.parametrize("array", [np.array(["text"]), np.array([None]), [1.0], np.ones(2, "f2")])
def test_constants_that_are_no_numbers_are_refused(array: Any) -> None:
    data, arrays = program_to_dict(dense())
    with pytest.raises(ModelFileError, match="no array of numbers"):
        program_from_dict(data, [array, *arrays[1:]])


def test_a_result_that_would_not_fit_into_any_memory_is_refused() -> None:
    x = Value(TensorType(()))
    data, arrays = program_to_dict(Program.under([ops.broadcast_to(x, (2, 2))], [x]))
    data["equations"][0]["params"]["shape"] = [2**30, 2**30]
    with pytest.raises(ModelFileError, match="too large"):
        program_from_dict(data, arrays)


def test_programs_inside_one_another_for_ever_are_refused() -> None:
    data, arrays = program_to_dict(loop())
    body = data["equations"][0]["params"]["body"]
    for _ in range(40):
        inner = copy.deepcopy(data)
        inner["equations"][0]["params"]["body"] = body
        body = {"program": inner}
    data["equations"][0]["params"]["body"] = body
    with pytest.raises(ModelFileError):
        program_from_dict(data, arrays)


def test_a_data_bomb_of_equations_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clearprop.ir.serialize._MOST_VALUES", 5)
    data, arrays = program_to_dict(dense())
    with pytest.raises(ModelFileError, match="too many values"):
        program_from_dict(data, arrays)


def test_a_rule_that_only_verification_knows_is_checked() -> None:
    data, arrays = program_to_dict(dense())
    data["equations"][0]["params"]["batch"] = [{"program": program_to_dict(dense())[0]}]
    with pytest.raises(ModelFileError):
        program_from_dict(data, arrays)
