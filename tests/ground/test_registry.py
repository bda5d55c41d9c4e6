"""Names in files: what is described comes back, what is not in the list is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop import registry
from clearprop.errors import (
    ArgumentError,
    ModelFileError,
    UnknownNameError,
    UnsupportedError,
)
from clearprop.registry import Configurable, describe, rebuild


@pytest.fixture(autouse=True)
def _registry_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_CLASSES", "_FUNCTIONS", "_names"):
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))


class Scale(cp.layers.Layer):
    """A user's layer."""

    def __init__(self, factor: Any = 2.0, **options: Any) -> None:
        super().__init__(**options)
        self.factor = factor

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor


def square(x: Any) -> Any:
    return x * x


def through_json(value: Any) -> Any:
    description = describe(value)
    text = json.dumps(description)
    assert json.loads(text) == description or "NaN" in text
    return rebuild(json.loads(text))


# -- there and back ------------------------------------------------------------------------

NUMBERS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    NUMBERS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(
            st.text(max_size=3) | st.integers() | st.tuples(NUMBERS), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(VALUES)
def test_plain_values_come_back(value: Any) -> None:
    again = through_json(value)
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i1", "i8", "u4", "u8", "?"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3)])
def test_arrays_come_back(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).normal(size=shape).astype(dtype)
    again = through_json({"a": (array, array.dtype)})["a"]
    assert again[1] == again[0].dtype == array.dtype
    np.testing.assert_array_equal(again[0], array)


def test_numpy_numbers_become_numbers() -> None:
    for number in (np.float64(0.1), np.float32(0.5), np.int8(3), np.bool_(True)):
        assert type(describe(number)) is type(number.item())
        assert through_json(number) == number


def test_objects_come_back() -> None:
    layer = cp.layers.Dense(3, "relu", kernel_initializer="he_normal", name="d", trainable=False)
    again = through_json({"layers": [layer, (layer,)]})["layers"][0]
    assert describe(again) == describe(layer)
    assert (again.units, again.name, again.trainable) == (3, "d", False)


def test_what_a_user_registered_comes_back() -> None:
    cp.register("mine.Scale")(Scale)
    cp.register("mine.squared")(square)
    assert describe(Scale(3.0)) == {
        "type": "mine.Scale",
        "config": {"dict": [["factor", 3.0], ["name", None], ["trainable", True],
                            ["dtype", {"dtype": "float32"}]]},
    }  # fmt: skip
    assert through_json(Scale(np.ones(2))).factor.tolist() == [1.0, 1.0]
    assert through_json(square) is square
    layer = cp.layers.Dense(2, activation=square)
    assert through_json(layer)([[1.0]]).shape == (1, 2)


# -- names ----------------------------------------------------------------------------------


def test_names_are_taken_once() -> None:
    cp.register("mine.Scale")(Scale)
    cp.register("mine.Scale")(Scale)  # a module that is loaded again
    with pytest.raises(ArgumentError) as error:
        cp.register("mine.Scale")(type("Other", (cp.layers.Layer,), {}))
    assert str(error.value) == (
        "register: the name 'mine.Scale' is taken\n"
        f"  found:  {__name__}.Scale\n"
        "  needed: another name"
    )
    with pytest.raises(ArgumentError, match="is taken"):
        cp.register("layers.Dense")(Scale)


@pytest.mark.parametrize("name", ["", "a b", "1a", "a..b", "a.", "../etc/passwd", "a-b"])
def test_names_are_identifiers(name: str) -> None:
    with pytest.raises(ArgumentError) as error:
        cp.register(name)
    assert str(error.value) == (
        "register: a name is made of letters, digits, _ and dots\n"
        f"  found:  {name!r}\n"
        '  needed: for example @cp.register("my_project.MyLayer")'
    )


def test_a_class_must_tell_its_arguments() -> None:
    with pytest.raises(ArgumentError, match="cannot be described by its arguments"):
        cp.register("mine.Plain")(type("Plain", (), {}))


def test_the_unregistered_cannot_be_described() -> None:
    with pytest.raises(UnsupportedError) as error:
        describe([Scale()])
    assert str(error.value) == (
        "Describing a model: the class Scale has no registered name, so a file cannot name it\n"
        "  found:  Scale\n"
        "  needed: a registered name\n"
        '  try:    put @cp.register("my.Scale") before it, or save the weights alone with '
        "model.save_weights(path)"
    )
    with pytest.raises(UnsupportedError, match=r'the function <lambda> .*[\s\S]*"my.lambda"'):
        describe(lambda x: x)
    for thing in (object(), {1, 2}, b"bytes", 1j):
        with pytest.raises(UnsupportedError):
            describe(thing)


def test_kinds_are_found_by_either_spelling() -> None:
    base = cp.initializers.Initializer
    for name in ("GlorotUniform", "glorot_uniform", "glorotuniform"):
        assert registry.named(name, base) is cp.initializers.GlorotUniform
    assert registry.named("gu", base, {"gu": "glorot_uniform"}) is cp.initializers.GlorotUniform
    with pytest.raises(UnknownNameError, match='did you mean "GlorotUniform"') as error:
        registry.named("glorot_unifrom", base, at="x.py:3")
    assert error.value.at == "x.py:3"
    with pytest.raises(UnknownNameError):
        registry.named("Dense", base)  # there is one, of another kind


def test_a_users_kind_goes_by_its_registered_name() -> None:
    cp.register("mine.Scale")(Scale)
    assert registry.named("mine.Scale", cp.layers.Layer) is Scale
    with pytest.raises(UnknownNameError):
        registry.named("scale", cp.layers.Layer)


# -- hostile descriptions ---------------------------------------------------------------------

DENSE = {"type": "layers.Dense", "config": {"dict": [["units", 3]]}}


def deep(levels: int) -> Any:
    nest: Any = 1
    for _ in range(levels):
        nest = [nest]
    return nest


HOSTILE: list[Any] = [
    {"type": "os.system", "config": {"dict": [["command", "true"]]}},
    {"type": "layers.dense.Dense", "config": {"dict": []}},
    {"type": "layers.Dense", "config": {"dict": []}},
    {"type": "layers.Dense", "config": {"dict": [["units", -1]]}},
    {"type": "layers.Dense", "config": {"dict": [["units", 3], ["__class__", 1]]}},
    {"type": "layers.Dense", "config": {"dict": [["units", 3], ["dtype", "object"]]}},
    {"type": "layers.Dense", "config": {"dict": [["units", 3], ["activation", "no_such"]]}},
    {"type": "layers.Dense", "config": [3]},
    {"type": "layers.Dense", "config": None},
    {**DENSE, "extra": 1},
    {"type": "layers.Dense"},
    {"type": ["layers.Dense"], "config": {}},
    {"type": "layers.Layer", "config": {"dict": [["nothing", 1]]}},
    {"function": "eval"},
    {"function": "builtins.eval"},
    {"function": "layers.Dense"},
    {"function": 3},
    {"array": [1, 2], "dtype": "object"},
    {"array": [1, 2], "dtype": "f4,f4"},
    {"array": [1, [2, 3]], "dtype": "float32"},
    {"array": ["a"], "dtype": "float32"},
    {"array": [300], "dtype": "uint8"},
    {"array": {"a": 1}, "dtype": "float32"},
    {"array": None, "dtype": "int64"},
    {"dtype": "object"},
    {"dtype": "no such"},
    {"dict": [[1, 2, 3]]},
    {"dict": [1]},
    {"dict": [[[1], 2]]},
    {"dict": {"a": 1}},
    {"tuple": 3},
    {"units": 3},
    {},
    deep(51),
    object(),
    b"bytes",
]


@pytest.mark.parametrize("description", HOSTILE, ids=lambda value: str(value)[:15])
def test_what_is_no_description_is_refused(description: Any) -> None:
    for nest in (description, [description], {"tuple": [1, description]}):
        with pytest.raises(ModelFileError, match="Reading a model's description"):
            rebuild(nest)


def test_depth_has_a_limit_and_real_models_are_below_it() -> None:
    assert rebuild(deep(49)) == deep(49)
    with pytest.raises(ModelFileError) as error:
        rebuild(deep(5000))
    assert str(error.value) == (
        "Reading a model's description: it is nested too deeply\n"
        "  found:  more than 50 levels\n"
        "  needed: a file written by model.save"
    )


def test_the_nearest_registered_name_is_told() -> None:
    with pytest.raises(ModelFileError) as error:
        rebuild({"type": "layers.Dens", "config": {"dict": []}})
    assert str(error.value) == (
        "Reading a model's description: there is no class registered as 'layers.Dens'\n"
        "  found:  'layers.Dens' did you mean \"layers.Dense\"?\n"
        "  needed: a class of ClearProp, or one registered by you\n"
        '  try:    put @cp.register("layers.Dens") before it and import it before loading'
    )


@given(
    st.recursive(
        NUMBERS,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([
                    "type",
                    "config",
                    "dict",
                    "tuple",
                    "array",
                    "dtype",
                    "function",
                    "x",
                ]),
                inner | st.sampled_from(["layers.Dense", "float32", "layers.ReLU", "losses.Huber"]),
                max_size=3,
            )
        ),
        max_leaves=12,
    )
)
def test_no_description_does_anything_but_build_or_refuse(description: Any) -> None:
    try:
        built = rebuild(description)
    except ModelFileError:
        return
    describe(built)


def test_registered_functions_are_named_and_not_called() -> None:
    called: list[object] = []

    def dangerous(*args: object) -> None:
        called.append(args)

    cp.register("mine.dangerous")(dangerous)
    assert rebuild({"function": "mine.dangerous"}) is dangerous
    with pytest.raises(ModelFileError):
        rebuild({"type": "mine.dangerous", "config": {"dict": []}})
    assert called == []


def test_private_and_foreign_classes_are_not_registered_by_themselves() -> None:
    assert registry.registered_name(Scale) is None
    assert registry.registered_name(Configurable) is None
    assert registry.registered_name(cp.layers.Dense) == "layers.Dense"
