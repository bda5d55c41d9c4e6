"""Docstrings say what a reader cannot guess.

Ruff asks for a docstring everywhere; here stands which sections the words of each room owe:

    Shapes                 whatever takes arrays
    Example                how it is written
    Example or Reference   a formula: shown with numbers, or with where it comes from
    Weights                a layer with weights: their shapes and how they are drawn
"""

from __future__ import annotations

import importlib
import inspect
import re

import pytest

from tests.house.plan import SOURCE

OWED = {  # room: one of the sections of each line
    "ops": [{"Shapes"}, {"Example", "Reference"}],
    "activations": [{"Shapes"}, {"Example", "Reference"}],
    "losses": [{"Shapes"}, {"Example", "Reference"}],
    "metrics": [{"Shapes"}, {"Example", "Reference"}],
    "layers": [{"Shapes"}, {"Example"}],
    "optimizers": [{"Example", "Reference"}],
    "initializers": [{"Example", "Reference"}],
    "regularizers": [{"Example", "Reference"}],
    "functions": [{"Example"}],
    "models": [{"Shapes"}, {"Example"}],
}


def sections(docstring: str) -> set[str]:
    """The names of the Google sections in a docstring."""
    return set(re.findall(r"^(\w+):$", inspect.cleandoc(docstring), flags=re.MULTILINE))


def words_of(room: str) -> list[tuple[str, object]]:
    """The functions and classes that a room exports under their own names."""
    module = importlib.import_module(f"clearprop.{room}")
    exported = ((name, getattr(module, name)) for name in module.__all__)
    return [
        (name, thing)
        for name, thing in exported
        if (inspect.isfunction(thing) or inspect.isclass(thing)) and thing.__name__ == name
    ]


def owed(room: str, word: object) -> list[set[str]]:
    makes_weights = inspect.isclass(word) and "self.add_weight(" in inspect.getsource(word)
    return [*OWED[room], *([{"Weights"}] if room == "layers" and makes_weights else [])]


@pytest.mark.parametrize(
    "room", [room for room in OWED if (SOURCE / room / "__init__.py").exists()]
)
def test_docstrings_have_the_sections_that_their_room_owes(room: str) -> None:
    missing = {
        name: [" or ".join(sorted(choice)) for choice in owed(room, word) if not choice & there]
        for name, word in words_of(room)
        for there in [sections(inspect.getdoc(word) or "")]
    }
    assert {name: sections for name, sections in missing.items() if sections} == {}


def test_sections_are_found() -> None:
    text = "What it is.\n\n    Shapes:\n        x: S -> S\n\n    Reference:\n        A book.\n    "
    assert sections(text) == {"Shapes", "Reference"}
