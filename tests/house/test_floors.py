"""The house has floors: a module imports from floors below, never from above.

Checking direct imports is enough: if every single step goes down, so does every chain.  What
lies above is reached through doors only, and the plan lists them all.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from pathlib import Path

import pytest

from tests.house.plan import (
    APART,
    DOORS,
    EVERYWHERE,
    FLOOR_OF,
    GUESTS,
    MODULES,
    PACKAGE,
    SOURCE,
    allowed_guests,
    imports,
    is_within,
    parsed,
    place_of,
    room_of,
)

FRONT = {"__init__", "__main__"}  # the package itself: it stands in front of all floors
each_module = pytest.mark.parametrize(
    "path", [p for p in MODULES if room_of(p) not in FRONT], ids=place_of
)


def test_every_room_has_a_floor() -> None:
    rooms = {room_of(path) for path in MODULES} - FRONT
    assert rooms <= set(FLOOR_OF), "a room without a floor: add it to FLOORS in the plan"


def test_guests_live_in_rooms_of_the_plan() -> None:
    assert {place.partition("/")[0] for place in {*GUESTS, *APART}} <= set(FLOOR_OF)


def check_direction(path: Path, module: str, line: int) -> None:
    room, target = room_of(path), module.split(".")[1]
    assert target in FLOOR_OF, f"{path}:{line}: {module} is no room of the house"
    here, there = FLOOR_OF[room], FLOOR_OF[target]
    assert target == room or there < here, f"{path}:{line}: {room} may not import {target}"


@each_module
def test_imports_go_down(path: Path) -> None:
    for name, line in imports(path):
        if name.partition(".")[0] == PACKAGE and name != f"{PACKAGE}.__version__":
            assert name != PACKAGE, f"{path}:{line}: import the room, not the whole house"
            check_direction(path, name, line)


@each_module
def test_guests_stay_in_their_rooms(path: Path) -> None:
    welcome = {PACKAGE, *EVERYWHERE, *allowed_guests(path), *sys.stdlib_module_names}
    for name, line in imports(path):
        assert name.partition(".")[0] in welcome, f"{path}:{line}: {name} has no place here"


@each_module
def test_executors_do_not_import_each_other(path: Path) -> None:
    own = {place for place in APART if is_within(place_of(path), place)}
    for name, line in imports(path):
        target = name.removeprefix(f"{PACKAGE}.").replace(".", "/")
        others = {place for place in APART - own if is_within(target, place)}
        assert not own or not others, f"{path}:{line}: {own} may not import {others}"


# -- doors: the only way up ----------------------------------------------------


def docstrings(tree: ast.Module) -> set[int]:
    """The ids of all string nodes that stand alone: docstrings are no names of modules."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def modules_named_in_strings(path: Path) -> list[tuple[str, int]]:
    """A module's name in a string is an import that waits for its time."""
    tree = parsed(path)
    skipped = docstrings(tree)
    return [
        (node.value, node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and id(node) not in skipped
        and isinstance(node.value, str)
        and re.fullmatch(rf"{PACKAGE}(\.\w+)+", node.value)
    ]


def door_calls(path: Path) -> list[tuple[str, str, int]]:
    """(module, name, line) of every `door("module", "name")` in the file."""
    found = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"door", "doors.door"}:
            where = f"{path}:{node.lineno}"
            assert not node.keywords, f"{where}: write door(module, name), so that it can be found"
            words = [word.value for word in node.args if isinstance(word, ast.Constant)]
            assert len(words) == len(node.args) == 2, f"{where}: a door's words are constants"
            found.append((words[0], words[1], node.lineno))
    return found


@each_module
def test_only_a_listed_door_leads_up(path: Path) -> None:
    room = room_of(path)
    calls = door_calls(path)
    listed = {(module, line) for module, name, line in calls if (room, module, name) in DOORS}
    for module, line in modules_named_in_strings(path):
        if (module, line) not in listed:
            check_direction(path, module, line)


def test_every_listed_door_is_there_and_leads_up() -> None:
    there = {(room_of(p), module, name) for p in MODULES for module, name, _ in door_calls(p)}
    assert there >= DOORS, "a door of the plan that no class has"
    for room, module, _ in DOORS:
        assert FLOOR_OF[module.split(".")[1]] > FLOOR_OF[room], f"{room} -> {module} needs no door"


@each_module
def test_doors_open(path: Path) -> None:
    for module, name, line in door_calls(path):
        assert hasattr(importlib.import_module(module), name), f"{path}:{line}: {module}.{name}?"


@each_module
def test_only_doors_import_by_name(path: Path) -> None:
    if path == SOURCE / "doors.py":
        return
    for node in ast.walk(parsed(path)):
        word = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        where = f"{path}:{getattr(node, 'lineno', 0)}"
        assert word not in {"import_module", "__import__"}, f"{where}: use clearprop.doors"
