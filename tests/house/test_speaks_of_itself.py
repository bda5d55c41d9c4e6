"""The project speaks of itself alone: no file names a place on somebody's machine."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.house.plan import ROOT

PRIVATE_PLACE = re.compile(r"(?<![\w.:/])/(?:work|root|home|Users)/|[A-Z]:\\Users\\")
LEFT_OUT = {"site", "dist", "build", "node_modules", "__pycache__"}
TEXT = {".py", ".md", ".toml", ".yml", ".yaml", ".json", ".txt", ".cfg", ".ts", ".html", ".css", ""}


def own_files() -> list[Path]:
    """The project's text files; environments and caches are somebody else's."""
    found = []
    for folder, folders, files in os.walk(ROOT):
        hidden = {name for name in folders if name.startswith(".") and name != ".ci"}
        folders[:] = [name for name in folders if name not in LEFT_OUT | hidden]
        paths = [Path(folder, name) for name in files if name != ".git"]  # a worktree has this
        found += [path for path in paths if path.suffix in TEXT and path.is_file()]
    return found


def private_places(text: str) -> list[tuple[int, str]]:
    """(line number, line) wherever a path of one machine stands."""
    lines = enumerate(text.splitlines(), start=1)
    return [(number, line) for number, line in lines if PRIVATE_PLACE.search(line)]


def test_no_file_names_a_private_place() -> None:
    named = {path: private_places(path.read_text(errors="replace")) for path in own_files()}
    assert {path: lines for path, lines in named.items() if lines} == {}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("see " + "/" + "work/data.csv", 1),
        ("'" + "/" + "home/ann/x'", 1),
        ("a network/home/page", 0),
        ("https://example.org/home/", 0),
        ("work/in/progress", 0),
    ],
)
def test_private_places_are_found(text: str, lines: int) -> None:
    assert len(private_places(text)) == lines
