"""A file holds one idea and a function fits on a screen."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.plan import ROOT, parsed

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 59  # without its docstring: explaining costs nothing
FOLDERS = ("src", "tests", "benchmarks", "examples")

each_file = pytest.mark.parametrize(
    "path",
    sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")),
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def lines_of(function: Function) -> int:
    """Lines from `def` to the end, docstring left out."""
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        docstring = function.body[0]
        assert docstring.end_lineno is not None
        lines -= docstring.end_lineno - docstring.lineno + 1
    return lines


@each_file
def test_files_stay_small(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= MAX_FILE_LINES, f"{path} has {lines} lines: would a reader find two ideas?"


@each_file
def test_functions_fit_on_a_screen(path: Path) -> None:
    long = {
        f"{path}:{node.lineno} {node.name}: {lines_of(node)} lines"
        for node in ast.walk(parsed(path))
        if isinstance(node, Function) and lines_of(node) > MAX_FUNCTION_LINES
    }
    assert not long, f"functions of more than {MAX_FUNCTION_LINES} lines"


def test_lines_are_counted_without_the_docstring() -> None:
    (function,) = ast.parse('def f():\n    """One.\n\n    Two.\n    """\n    return 1\n').body
    assert isinstance(function, ast.FunctionDef)
    assert lines_of(function) == 2
