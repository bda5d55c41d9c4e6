"""The plan of the house: its floors, the guests of each room, and the doors between floors.

The house tests read it; a new room, guest or door is written down here first.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "clearprop"
SOURCE = ROOT / "src" / PACKAGE
MODULES = sorted(SOURCE.rglob("*.py"))

FLOORS = [  # bottom first; rooms on one line do not import each other
    # Ground: what everything stands on
    ["errors", "text", "garbage"],
    ["dtypes", "tree", "doors"],
    ["settings", "registry"],
    # Language: what a Program is, its vocabulary, and the friendly functions over it
    ["ir"],
    ["primitives"],
    ["ops"],
    # Compiler: Program -> Program, Program -> arrays, and the user's Tensor on both
    ["passes"],
    ["executors"],
    ["tensor"],
    ["functions"],  # grad, compile, scan: functions of functions
    # Library
    ["activations", "initializers", "regularizers"],
    ["layers", "losses", "optimizers", "data"],
    ["metrics"],  # many of them are losses that nobody minimizes
    ["train"],
    ["models", "search"],
    ["glass", "interop"],
    ["estimators"],
    # Doors
    ["cli", "playground"],
]
FLOOR_OF = {room: number for number, floor in enumerate(FLOORS) for room in floor}

EVERYWHERE = {"numpy"}  # and the standard library
GUESTS = {  # the one place of each other package
    "executors/native": {"llvmlite"},
    "executors/xla": {"jax"},
    "data": {"polars", "PIL"},
    "train": {"rich", "safetensors"},
    "glass": {"matplotlib"},
    "interop": {"onnx"},
    "estimators": {"sklearn"},
    "cli": {"typer", "rich"},
    "playground": {"starlette", "uvicorn"},
}
APART = {"executors/reference", "executors/native", "executors/xla"}  # never import each other

DOORS = {  # (room, module above it, name in that module)
    ("tensor", "clearprop.glass.graph", "show"),
}

Import = tuple[str, int]  # absolute name of a module, line


def place_of(path: Path) -> str:
    """`layers/dense` for src/clearprop/layers/dense.py, `layers` for the room's __init__."""
    return path.relative_to(SOURCE).with_suffix("").as_posix().removesuffix("/__init__")


def room_of(path: Path) -> str:
    return place_of(path).partition("/")[0]


def is_within(place: str, room: str) -> bool:
    return place == room or place.startswith(f"{room}/")


def allowed_guests(path: Path) -> set[str]:
    """The packages that this file may import besides NumPy."""
    place = place_of(path)
    return {guest for room, guests in GUESTS.items() if is_within(place, room) for guest in guests}


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imports(path: Path) -> Iterator[Import]:
    """Every module imported anywhere in the file, in functions and under TYPE_CHECKING too."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the full name of the module"
            if node.module == PACKAGE:  # `from clearprop import ir` names the room second
                yield from ((f"{PACKAGE}.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield (node.module or "", node.lineno)


def guests_of(path: Path) -> set[str]:
    """The guests that this file does import."""
    return {name.partition(".")[0] for name, _ in imports(path)} & allowed_guests(path)
