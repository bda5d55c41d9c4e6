"""What the house shows at its doors exists, is explained, and is what was promised."""

from __future__ import annotations

import importlib
import inspect

import pytest

import clearprop
from tests.house.plan import FLOOR_OF, SOURCE

PROMISED = {  # names that users, documentation and saved work rely on
    *("tensor", "parameter", "Tensor", "exp", "where", "scan"),
    *("grad", "value_and_grad", "jacobian", "hessian", "compile", "check_gradients"),
    *("Model", "Sequential", "load_model", "register", "set_seed", "settings", "__version__"),
    *("activations", "callbacks", "data", "initializers", "layers", "losses", "metrics"),
    *("models", "optimizers", "regularizers"),
}
ROOMS = sorted(room for room in FLOOR_OF if (SOURCE / room / "__init__.py").exists())
each_room = pytest.mark.parametrize("room", ROOMS)


def unexplained(module: object, names: list[str]) -> list[str]:
    """The functions, classes and modules among the names that have no docstring of their own."""
    things = {name: getattr(module, name) for name in names}
    return [
        name
        for name, thing in things.items()
        if (inspect.isroutine(thing) or inspect.isclass(thing) or inspect.ismodule(thing))
        and not (thing.__doc__ or "").strip()
    ]


def test_promised_names_are_exported() -> None:
    assert set(clearprop.__all__) >= PROMISED


def test_everything_exported_is_explained() -> None:
    assert unexplained(clearprop, clearprop.__all__) == []


def test_names_are_exported_once_and_can_be_completed() -> None:
    assert len(clearprop.__all__) == len(set(clearprop.__all__))
    assert set(clearprop.__all__) <= set(dir(clearprop))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        clearprop.no_such_name  # noqa: B018 - the lookup itself is the test


def test_a_name_that_lives_elsewhere_is_told_and_does() -> None:
    for name, advice in vars(clearprop)["_ELSEWHERE"].items():
        with pytest.raises(AttributeError) as error:
            getattr(clearprop, name)
        assert str(error.value).endswith(advice)
        path = advice.removeprefix("it is ").partition("(")[0].split(".")
        if advice.startswith("it is "):
            assert path[0] == "cp"
            thing: object = clearprop
            for part in path[1:]:
                thing = getattr(thing, part)


def test_a_name_that_is_nearly_there_is_told() -> None:
    with pytest.raises(AttributeError, match='did you mean "Sequential"'):
        clearprop.Sequentail  # noqa: B018 - the lookup itself is the test
    assert clearprop.Input is clearprop.layers.Input


@each_room
def test_rooms_explain_what_they_export(room: str) -> None:
    module = importlib.import_module(f"clearprop.{room}")
    names = getattr(module, "__all__", [])
    assert len(names) == len(set(names))
    assert [name for name in names if name.startswith("_")] == []
    assert unexplained(module, names) == []
