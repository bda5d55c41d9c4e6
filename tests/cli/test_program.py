"""Commands that are suggested run as they are printed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from clearprop.cli.program import as_typed, program, table_example
from tests.cli.running import invoke


def started_as(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", [name])


@pytest.mark.parametrize(
    ("started", "typed"),
    [
        (".venv/bin/clearprop", ".venv/bin/clearprop"),
        ("/my tools/clearprop", "'/my tools/clearprop'"),
        ("/usr/lib/clearprop/__main__.py", f"{shlex.quote(sys.executable)} -m clearprop"),
        ("pytest", "clearprop"),
    ],
)
def test_the_program_is_called_as_it_was_started(
    monkeypatch: pytest.MonkeyPatch, started: str, typed: str
) -> None:
    started_as(monkeypatch, started)
    assert program() == typed
    assert as_typed("clearprop train digits") == f"{typed} train digits"
    assert as_typed("pip install 'clearprop[data]'") == "pip install 'clearprop[data]'"


def test_a_program_on_the_path_goes_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started_as(monkeypatch, ".venv/bin/clearprop")
    (tmp_path / "clearprop").write_text("#!/bin/sh\n")
    (tmp_path / "clearprop").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program() == "clearprop"


def test_the_example_is_one_that_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    started_as(monkeypatch, "./clearprop")
    assert table_example() == "./clearprop train your.csv --target COLUMN"
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "houses.csv").touch()
    assert table_example() == "./clearprop train examples/houses.csv --target price"


def test_next_commands_and_errors_name_the_program(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    started_as(monkeypatch, ".venv/bin/clearprop")
    told = invoke("train", "plane", "--epochs", "1").output.partition("\nnext\n")[2]
    assert all(line.startswith("  .venv/bin/clearprop ") for line in told.splitlines()), told
    assert "try:    .venv/bin/clearprop train digits" in invoke("train", "nothing").stderr
